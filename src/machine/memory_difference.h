/*
 * The memory of a guest at one moment, as what differs from the image: for forks, checkpoints and
 * files of sessions.
 *
 * Small pieces are copied. A large one is moved into a file in memory the first time, which its
 * sandbox and all later copies map copy-on-write (a layer): forking a session with a large buffer
 * again costs what was written since.
 */
#ifndef ERYX_MACHINE_MEMORY_DIFFERENCE_H
#define ERYX_MACHINE_MEMORY_DIFFERENCE_H

#include "machine/memory.h"

/* One piece that differs: whole pages of IMAGE_PAGE_BYTES. */
typedef struct live_range {
    uint64_t offset; /* in guest memory */
    uint64_t size;
} live_range;

typedef struct live_memory {
    uint64_t pages;         /* of 64 KiB */
    uint32_t stack_pointer; /* __stack_pointer */
    memory_layers *layers;  /* counted reference; NULL for none */
    live_range *ranges;     /* in order of address; over the layers */
    size_t range_count;
    uint8_t *contents; /* of the ranges, one behind the other; NULL if they are not copied */
    uint64_t size;     /* of contents */
} live_memory;

/*
 * Copies what differs from the image. Large pieces of the memory become layers of its map, which
 * changes nothing that the guest could see.
 *
 * out_live: freed with live_memory_free(). False without host memory; the map is then as good as
 * before.
 */
bool live_memory_capture(memory_map *map, wasm_rt_memory_t *memory, uint32_t stack_pointer,
                         const image *source, live_memory *out_live);

/*
 * The same for a file: contents of layers are among the ranges, and the map stays as it is.
 */
bool live_memory_capture_flat(const memory_map *map, wasm_rt_memory_t *memory,
                              uint32_t stack_pointer, const image *source, live_memory *out_live);

/* The same without contents: where they are to be copied from while nobody changes the memory. */
bool live_memory_find_flat(const memory_map *map, const wasm_rt_memory_t *memory,
                           uint32_t stack_pointer, const image *source, live_memory *out_live);

/* Copies the contents of all ranges, live->size bytes, out of the memory that they were found in.
 */
void live_memory_copy(const live_memory *live, const wasm_rt_memory_t *memory, uint8_t *to);

/* Changes memory that is in the state of the image into the captured one. False if the system has
 * no memory; it is then in neither state and has to be destroyed. */
bool live_memory_apply(const live_memory *live, memory_map *map, wasm_rt_memory_t *memory);

/* Allowed on one of zeros. */
void live_memory_free(live_memory *live);

#endif
