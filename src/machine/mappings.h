/*
 * The book of what the process has mapped for guests, and what the kernel says of it. It is written
 * when address space is mapped and unmapped, not when it is used again.
 */
#ifndef ERYX_MACHINE_MAPPINGS_H
#define ERYX_MACHINE_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mapping_kind {
    MAPPING_GUEST, /* the address space of a guest */
    MAPPING_STACK, /* what guests run on */
    MAPPING_DATA,  /* archives */
} mapping_kind;

typedef struct mapping_record mapping_record;

/* Writes a mapping down: size bytes from address, with guards or a file in them, since the kernel
 * tells nothing of single mappings that it has merged. Freed with mappings_forget(). NULL without
 * memory. Threads: any. */
mapping_record *mappings_note(const void *address, size_t size, mapping_kind kind);

/* It is unmapped, or is about to be. NULL is allowed. Threads: any. */
void mappings_forget(mapping_record *record);

/* A file in memory has so many bytes more, or, of a negative number, less. Threads: any. */
void mappings_count_file(int64_t bytes);

/* All in bytes but the last two. */
typedef struct mappings_usage {
    uint64_t own;      /* pages that one guest has to itself, swapped ones included */
    uint64_t shared;   /* pages of files that are mapped, each counted once; files in memory */
    uint64_t reserved; /* address space */
    uint64_t guests;   /* address spaces of guests */
    uint64_t areas;    /* mappings of the kernel, which vm.max_map_count bounds, of the process */
} mappings_usage;

/*
 * Asks the kernel (/proc/self/smaps), which takes some microseconds for each mapping.
 * False without memory, or if the system does not tell. Threads: any.
 */
bool mappings_look(mappings_usage *out_usage);

#endif
