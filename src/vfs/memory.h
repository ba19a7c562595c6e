/*
 * Files, directories and links in host memory, under a quota.
 *
 * A node lives while it has a name (links) or is held (references). Nodes and names are charged to
 * the entries of the quota, contents to its bytes, chunk tables and link targets to a third sum
 * that follows from the two, so that a guest cannot make the host allocate without bound.
 */
#ifndef ERYX_VFS_MEMORY_H
#define ERYX_VFS_MEMORY_H

#include <stdatomic.h>

#include "vfs/vfs.h"

typedef struct memory_node memory_node;
typedef struct memory_discard memory_discard;
typedef struct tree_watch tree_watch;

/* Accounts of all nodes of one storage. */
typedef struct memory_tree {
    vfs_quota quota;
    vfs_usage used;
    uint64_t metadata;        /* bytes of chunk tables and link targets */
    memory_discard *discards; /* contents that are to be freed, NULL for none */
    uint64_t discarded_bytes; /* in them; still taken, though not used any more */
    uint64_t discarded_rows;
    uint64_t last_number;
    uint64_t generation; /* of changes; each watch begins a new one */
    uint64_t last_look;  /* for memory_entry.look */
    tree_watch *watches; /* that have not seen what there is; NULL for none */
    uint64_t hash_seed;  /* of names of directories, both secret; the second is odd */
    uint64_t hash_factor;
} memory_tree;

/* Bytes that the chunks of several trees may share; whoever is not alone copies before a change. */
typedef struct memory_block {
    atomic_size_t owners;
    uint8_t bytes[];
} memory_block;

/* One stretch of a file. It reads as zeros from size on, up to MEMORY_CHUNK_SIZE. The block may be
 * longer than size, with anything behind it. */
typedef struct memory_chunk {
    memory_block *block;
    size_t size;
} memory_chunk;

enum {
    MEMORY_CHUNK_SIZE = 65536,
};

/* Nothing is written behind that, whatever the quota: the table of chunks, all of which some calls
 * look at, has four megabytes then. */
#define MEMORY_FILE_WRITTEN_MAX ((uint64_t)16 << 30)

typedef struct memory_entry {
    memory_node *node; /* counted in its links */
    uint64_t hash;
    uint64_t look; /* the last one that has met it (tree_watch.c) */
    size_t name_length;
    char name[];
} memory_entry;

/* Place of an entry in the order of listing; cursors only grow and are never used again. */
typedef struct memory_slot {
    uint64_t cursor;
    memory_entry *entry; /* NULL after removal */
    uint64_t hash;       /* of its name */
} memory_slot;

struct memory_node {
    memory_tree *tree;
    memory_node *copy;   /* what memory_copy() made of it last; only good right after that */
    uint64_t number;     /* never used again */
    uint64_t generation; /* in which it was made, or its contents changed last */
    uint32_t references;
    uint32_t links; /* names; 1 for the root */
    vfs_type type;
    bool nameless; /* has lost its last name, and still counts as an entry */
    uint16_t mode; /* permission bits */
    char *origin;  /* of a file or directory of an overlay (overlay.h), owned; NULL for none */
    vfs_time accessed;
    vfs_time modified;
    vfs_time changed;
    union {
        struct {
            uint64_t size;
            memory_chunk *chunks; /* those from capacity on are empty */
            size_t capacity;
        } file;
        struct {
            memory_node *parent; /* NULL for the root and when removed */
            memory_slot *slots;  /* in the order of their cursors */
            uint32_t *index;     /* hash table of slot numbers plus one; NULL for few slots */
            uint32_t capacity;   /* of slots; the index has twice as many cells */
            uint32_t used;       /* slots taken, with those of removed entries */
            uint32_t live;       /* entries */
            uint64_t last_cursor;
        } directory;
        struct {
            char *target;
            size_t length;
        } link;
    };
};

/* A tree with no nodes. */
void memory_tree_init(memory_tree *tree, const vfs_quota *quota);

/* Makes a node the root of a (further) directory tree in the storage; embedded, never freed. */
void memory_root_init(memory_node *root, memory_tree *tree);

/* Takes away all that is under a root, however deep. What is held lives on without a name. */
void memory_root_clear(memory_node *root);

/*
 * Makes an empty root hold what another root holds: names, links, times, numbers and the order of
 * listing, with the contents shared until one side changes them. Afterwards node->copy of every
 * node under from is its copy. VFS_INSUFFICIENT_MEMORY, VFS_INSUFFICIENT_SPACE: what was copied so
 * far is in the new root, to be cleared.
 */
vfs_error memory_copy(memory_node *from, memory_node *to);

/* Sets node->copy of all that is under a root to NULL, for others to use until the next copy.
 * VFS_INSUFFICIENT_MEMORY. */
vfs_error memory_forget_copies(memory_node *root);

/* Makes a copy of a node that has lost its names: the copy has none, and nobody holds it yet. */
vfs_error memory_copy_nameless(memory_node *from, memory_tree *tree);

/* Exchanges all that is under two roots of one tree, with their times. */
void memory_root_swap(memory_node *left, memory_node *right);

/* Prepares a tree without nodes to become a copy of one: quota, hash seed and numbers. */
void memory_tree_copy_accounts(memory_tree *tree, const memory_tree *from);

/* A node with no name yet, in no directory; target: of a symbolic link. VFS_INSUFFICIENT_SPACE,
 * VFS_INSUFFICIENT_MEMORY. */
vfs_error memory_node_create(memory_tree *tree, vfs_type type, const char *target,
                             size_t target_length, memory_node **out_node);

/* Sets the origin of a node that has none. VFS_INSUFFICIENT_SPACE, VFS_INSUFFICIENT_MEMORY. */
vfs_error memory_node_set_origin(memory_node *node, const char *origin, size_t length);

/* Takes the origin away, if there is one. */
void memory_node_drop_origin(memory_node *node);

/* Frees a node that has neither names nor holders. */
void memory_node_free(memory_node *node);

/* Gives a node a name that must not be taken; VFS_EXIST if it is. On success the directory's times
 * and the node's links are right. */
vfs_error memory_node_add_name(memory_node *directory, const char *name, size_t length,
                               memory_node *node);

/* Charges bytes of chunk tables and link targets; false if that goes too far. */
bool memory_charge_metadata(memory_tree *tree, uint64_t bytes);

/* Present time. */
vfs_time memory_now(void);

/* A clock in place of the system's: nanoseconds since 1970. */
typedef struct memory_clock {
    uint64_t (*now_ns)(const void *context); /* NULL for the system's */
    const void *context;
} memory_clock;

/* From now on this thread's calls of memory_now() read that one; gives the one before. */
memory_clock memory_use_clock(memory_clock clock);

/* Whether this thread's calls read such a clock; what it says, if so. */
bool memory_has_own_clock(uint64_t *out_now_ns);

/* --- what has changed since a moment (tree_watch.c) --- */

enum { TREE_WATCHED_ROOTS = 2 };

/* One name that there was. */
typedef struct tree_seen {
    uint64_t number; /* of its node */
    size_t name;     /* where its name begins */
    uint32_t parent; /* row of the directory */
    uint32_t path_length;
    uint16_t name_length;
    uint8_t type;
} tree_seen;

/*
 * Looks at a tree from one moment to a later one. That costs nothing until something is changed;
 * then the names that there are at that moment are written down. All zero before the first time.
 */
struct tree_watch {
    tree_watch *next;
    memory_tree *tree; /* NULL if it is not watched */
    memory_node *roots[TREE_WATCHED_ROOTS];
    uint32_t root_count;
    uint64_t since; /* the generation that began with it */
    bool changed;
    bool failed;     /* there was no memory for the names */
    tree_seen *rows; /* the first ones are of the roots */
    size_t row_count;
    size_t row_capacity;
    char *names;
    size_t names_size;
    size_t names_capacity;
};

/* What a watch tells. found: NULL if it is gone. path: within the root, not terminated. */
typedef enum tree_difference {
    TREE_MADE,
    TREE_CHANGED,
    TREE_REMOVED,
} tree_difference;
typedef bool tree_tell(void *context, uint32_t root, const char *path, size_t length,
                       tree_difference what, vfs_type type, memory_node *found);

/* Begins to watch what is under some roots of a tree. Cannot fail. */
void tree_watch_begin(tree_watch *watch, memory_tree *tree, memory_node *const *roots,
                      uint32_t root_count);

/*
 * Tells of all that has another state than when the watch began, in no order: of directories that
 * they are there or not, of files also that they changed. Paths of more than VFS_PATH_MAX bytes are
 * left out. tell: false to be told no more.
 * Returns false if something was left out.
 */
bool tree_watch_tell(tree_watch *watch, tree_tell *tell, void *context);

/* Ends it and frees what it has. Allowed on one that has not begun. */
void tree_watch_end(tree_watch *watch);

void tree_watch_all(memory_tree *tree);

/* To be called before anything in a tree is changed. */
static inline void tree_before_change(memory_tree *tree)
{
    if (tree->watches != NULL) {
        tree_watch_all(tree);
    }
}

/* --- names of a directory (memory_directory.c) --- */

/* The entry of a name, NULL if there is none. */
memory_entry *memory_directory_find(const memory_node *directory, const char *name, size_t length);

/* Adds a name that is not there. VFS_INSUFFICIENT_SPACE or VFS_INSUFFICIENT_MEMORY, nothing
 * changed. */
vfs_error memory_directory_add(memory_node *directory, const char *name, size_t length,
                               memory_node *node);

/* Takes an entry out and frees it. Its node's links are the caller's business. */
void memory_directory_remove(memory_node *directory, memory_entry *entry);

/* First entry after a cursor, which is moved on to it; NULL at the end. */
const memory_entry *memory_directory_next(const memory_node *directory, uint64_t *cursor);

/* Takes out the last entry and gives its node, NULL if there is none. After this the directory
 * is good for nothing but further calls and memory_directory_free(). */
memory_node *memory_directory_pop(memory_node *directory);

/* Frees the tables of a directory without entries. */
void memory_directory_free(memory_node *directory);

/* --- contents of a file (memory_file.c); as the functions of vfs.h --- */

void memory_file_read(const memory_node *file, uint64_t offset, uint8_t *buffer, size_t size,
                      size_t *out_got);

vfs_error memory_file_write(memory_node *file, uint64_t offset, const uint8_t *data, size_t size,
                            size_t *out_done);

vfs_error memory_file_set_size(memory_node *file, uint64_t size);

/* Replaces all contents, or fails with VFS_INSUFFICIENT_SPACE, VFS_INSUFFICIENT_MEMORY or
 * VFS_FILE_TOO_LARGE and leaves them as they are. */
vfs_error memory_file_replace(memory_node *file, const uint8_t *data, size_t size);

/* Makes an empty file of another tree share the contents of a file. VFS_INSUFFICIENT_MEMORY or
 * VFS_INSUFFICIENT_SPACE: the new one stays empty. */
vfs_error memory_file_share(const memory_node *file, memory_node *new_file);

/* Takes all contents away. */
void memory_file_free(memory_node *file);

/* --- contents that are no file's any more (memory_discard.c) --- */

/* Bytes of the quota that nothing takes. */
static inline uint64_t memory_room(const memory_tree *tree)
{
    uint64_t taken = tree->used.bytes + tree->discarded_bytes;
    return tree->quota.max_bytes > taken ? tree->quota.max_bytes - taken : 0;
}

/* Gives up one owner's share of a block; NULL is allowed. */
void memory_block_release(memory_block *block);

/* Takes chunks over that were taken out of the accounts, to free them now or later. */
void memory_discard_add(memory_tree *tree, const memory_chunk *chunks, size_t count);

/* Frees some of them, in a fraction of a millisecond. */
void memory_discard_step(memory_tree *tree);

/* Frees until there is room for so many bytes, or nothing is left. */
void memory_discard_for_room(memory_tree *tree, uint64_t bytes);

/* Frees all of them; takes as long as that takes. */
void memory_discard_all(memory_tree *tree);

#endif
