/*
 * The resources that a guest holds, under the i32 handles of the canonical ABI.
 *
 * Handles below HANDLE_FIRST_DYNAMIC are the same in every sandbox and always there, since libc
 * keeps them in the memory that the image is made of; dropping one does nothing.
 */
#ifndef ERYX_MACHINE_HANDLES_H
#define ERYX_MACHINE_HANDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HANDLE_STDIN = 1,       /* input-stream */
    HANDLE_STDOUT = 2,      /* output-stream */
    HANDLE_STDERR = 3,      /* output-stream */
    HANDLE_STDIN_READY = 4, /* pollables of the three; those of the outputs are always ready */
    HANDLE_STDOUT_READY = 5,
    HANDLE_STDERR_READY = 6,
    HANDLE_ROOT = 7,    /* descriptor of the directory "/" */
    HANDLE_NETWORK = 8, /* wasi:sockets instance-network */
    HANDLE_FIRST_DYNAMIC = 16,
};

/*
 * So many timers and errors may be held over the limit: WASI has no way to refuse one, and a
 * program that has run out of files must still be able to sleep and to learn why a write failed.
 */
#define HANDLE_RESERVE 16u

/* As many streams and pollables come with each socket or lookup, over the limit as well. */
#define HANDLE_PER_SOCKET 5u

typedef enum handle_kind {
    HANDLE_FREE = 0,
    HANDLE_STANDARD_INPUT,   /* fixed */
    HANDLE_STANDARD_OUTPUT,  /* fixed; value is 1 or 2 */
    HANDLE_NETWORK_INSTANCE, /* fixed */
    HANDLE_POLLABLE_READY,   /* always ready */
    HANDLE_POLLABLE_TIMER,   /* ready once the monotonic clock has reached value (nanoseconds) */
    HANDLE_IO_ERROR,
    HANDLE_DESCRIPTOR,       /* open file or directory; object is a vfs_file */
    HANDLE_DIRECTORY_STREAM, /* object belongs to imports/wasi_filesystem.c */
    HANDLE_FILE_INPUT,  /* stream that reads a file; object is a vfs_file, value the position */
    HANDLE_FILE_OUTPUT, /* stream that writes a file; as above */
    HANDLE_FILE_APPEND, /* stream that appends to a file; value unused */
    /* Of the network: object is NULL once the run that made it has ended, or in a copy. */
    HANDLE_TCP_SOCKET,   /* object is a net_connection, here and in the next three */
    HANDLE_TCP_INPUT,    /* stream that reads */
    HANDLE_TCP_OUTPUT,   /* stream that writes */
    HANDLE_POLLABLE_TCP, /* value is a net_poll_kind */
    HANDLE_LOOKUP,       /* resolve-address-stream; object is a net_lookup, here and in the next */
    HANDLE_POLLABLE_LOOKUP, /* ready when the lookup is done */
    HANDLE_POLLABLE_INPUT,  /* fixed; ready when there is standard input, or its end */
} handle_kind;

/* Whether the object of such a handle is a net_connection. */
static inline bool handle_is_connection(handle_kind kind)
{
    return kind >= HANDLE_TCP_SOCKET && kind <= HANDLE_POLLABLE_TCP;
}

/* Whether it is a net_lookup. */
static inline bool handle_is_lookup(handle_kind kind)
{
    return kind == HANDLE_LOOKUP || kind == HANDLE_POLLABLE_LOOKUP;
}

typedef struct handle {
    handle_kind kind;
    uint32_t next_free;
    void *object;   /* what the kind says; owned by the handle */
    uint64_t value; /* what the kind says */
} handle;

/* Whether it is a socket or a lookup itself, which streams and pollables come with. */
static inline bool handle_is_socket(handle_kind kind)
{
    return kind == HANDLE_TCP_SOCKET || kind == HANDLE_LOOKUP;
}

/* Whether handles of a kind have a vfs_file. */
bool handle_takes_file(handle_kind kind);

/* Whether a handle has one. */
static inline bool handle_has_file(const handle *open)
{
    return handle_takes_file(open->kind) && open->object != NULL;
}

/* Frees the object of a handle that is dropped; called for every kind but HANDLE_FREE. */
typedef void handle_drop(handle *dropped);

typedef struct handle_table {
    handle fixed[HANDLE_FIRST_DYNAMIC];
    handle *dynamic; /* allocated with the first dynamic handle */
    uint32_t capacity;
    uint32_t first_free; /* index into dynamic plus one; 0 for none */
    uint32_t used;       /* entries of dynamic that were ever in use */
    uint32_t live;       /* dynamic handles that are in use */
    uint32_t sockets;    /* those of them that are sockets and lookups */
    uint32_t limit;      /* of live */
    handle_drop *drop;
} handle_table;

/* More handles than that no table with this limit ever has. */
static inline uint64_t handles_most(const handle_table *table)
{
    return (uint64_t)table->limit * (1 + HANDLE_PER_SOCKET) + HANDLE_RESERVE;
}

/* Empties the table but for the fixed handles. drop: frees objects; may be NULL. Allocates nothing.
 */
void handles_init(handle_table *table, uint32_t limit, handle_drop *drop);

/* Drops all dynamic handles and frees the memory; the table is then as after handles_init(). */
void handles_clear(handle_table *table);

/* Adds a handle and hands the object over to it. False, and nothing taken, at the limit or without
 * memory. */
bool handles_add(handle_table *table, handle_kind kind, void *object, uint64_t value,
                 uint32_t *out_index);

/* The handle under that index if it is of that kind, else NULL. Valid until the table changes. */
handle *handles_get(handle_table *table, uint32_t index, handle_kind kind);

/* The handle under that index whatever its kind, NULL if there is none. */
handle *handles_find(handle_table *table, uint32_t index);

/* Drops a dynamic handle; true also for fixed ones, which stay. False if there is none. */
bool handles_remove(handle_table *table, uint32_t index);

#endif
