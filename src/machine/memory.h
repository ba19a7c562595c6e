/*
 * The address space of one guest: a reservation that every 32-bit access lands in, with the image
 * mapped copy-on-write at its start and the heap growing behind it.
 *
 *   witness | guard | 0 (unmapped) | 4 KiB ... size (read, write) ... 8 GiB (unmapped) | guard
 *
 * The largest access is base 2^32-1 plus offset 2^32-1 plus 16 bytes, which the guard at the end
 * catches. The witness is a page that nobody touches (memory_reset.c).
 */
#ifndef ERYX_MACHINE_MEMORY_H
#define ERYX_MACHINE_MEMORY_H

#include "machine/dirty_pages.h"
#include "machine/image.h"
#include "machine/mappings.h"
#include "machine/memory_layers.h"
#include "machine/wasm-rt.h"

#define MEMORY_PAGE_BYTES ((uint64_t)65536)
#define MEMORY_RESERVED_BYTES ((size_t)8 << 30)
#define MEMORY_GUARD_BYTES ((size_t)64 << 10)
#define MEMORY_WITNESS_BYTES ((size_t)4 << 10)
#define MEMORY_MAPPING_BYTES                                                                       \
    (MEMORY_WITNESS_BYTES + MEMORY_GUARD_BYTES + MEMORY_RESERVED_BYTES + MEMORY_GUARD_BYTES)

typedef struct memory_map {
    uint8_t *reservation;   /* MEMORY_MAPPING_BYTES; NULL if there is none */
    mapping_record *record; /* in the book of the process */
    memory_layers *layers;  /* what is mapped over the image; NULL for nothing */
    uint32_t idle_resets;   /* how often in a row most of its own pages had not been used */

    /* For memory_reset(). */
    dirty_range *own_pages; /* owned: those after the last reset; NULL if they are not known */
    size_t own_count;
    uint64_t user;   /* threads_number() of the only one that has used it since; 0 if unknown */
    uint64_t faults; /* that it had had before */
    enum { MEMORY_NEW, MEMORY_KNOWN, MEMORY_FOUND, MEMORY_DROPPED } way; /* of the last reset */
} memory_map;

/*
 * Reserves address space and puts the image (or, with NULL, initial_pages of zeros) into it.
 *
 * out_memory: base, size and pages are set; max_pages is left to memory_set_limit().
 * False if there is no address space or memory; nothing is then held. Threads: any.
 */
bool memory_create(memory_map *map, const image *source, uint64_t initial_pages,
                   wasm_rt_memory_t *out_memory);

/*
 * Why the system has just refused address space or memory, as a sentence for people: it names the
 * limit of the process that is too low, if it is one. Threads: any.
 */
const char *memory_shortage(void);

/* Unmaps everything. Allowed on a map without a reservation. */
void memory_destroy(memory_map *map);

/* Sets what memory.grow may reach; a limit below the present size forbids all growth. */
void memory_set_limit(wasm_rt_memory_t *memory, uint64_t max_bytes);

/* Makes delta_pages more accessible. False if the limit or the system refuses. */
bool memory_grow(wasm_rt_memory_t *memory, uint64_t delta_pages);

/* Makes so many pages accessible, whatever the limit is. False if there are more already or the
 * system refuses. */
bool memory_extend(wasm_rt_memory_t *memory, uint64_t pages);

#endif
