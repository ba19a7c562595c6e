/*
 * Memory of sandboxes that are gone, put back to the state of the image and kept for the next ones:
 * its pages are in place already. Nothing of an earlier guest is in it.
 */
#ifndef ERYX_MACHINE_MEMORY_CACHE_H
#define ERYX_MACHINE_MEMORY_CACHE_H

#include "machine/memory.h"

/* How many are kept, while memory is not short. Each holds what a run has written, typically below
 * 1 MiB. */
#define MEMORY_CACHE_CAPACITY 8

typedef struct cached_memory {
    memory_map map;
    wasm_rt_memory_t memory;
} cached_memory;

typedef struct memory_cache {
    uint64_t generation;           /* of the process, see memory_cache_after_fork() */
    struct memory_cache *previous; /* among all caches of the process */
    struct memory_cache *next;
    size_t capacity; /* at most MEMORY_CACHE_CAPACITY */
    size_t count;
    cached_memory entries[MEMORY_CACHE_CAPACITY];
} memory_cache;

/* An empty cache of MEMORY_CACHE_CAPACITY, to be ended with memory_cache_end(). Never fails. */
void memory_cache_init(memory_cache *cache);

/* Unmaps all entries; the cache is gone. */
void memory_cache_end(memory_cache *cache);

/* Unmaps all entries; the cache can be used on. Threads: any. */
void memory_cache_trim(memory_cache *cache);

/* Whether there is an entry. Threads: any; another one may take it. */
bool memory_cache_has_any(memory_cache *cache);

/*
 * Takes an entry out or, if there is none, makes memory anew with memory_create(); if the system
 * refuses, once more without what all the caches of the process hold.
 *
 * False if that fails as well. Threads: any.
 */
bool memory_cache_take(memory_cache *cache, const image *source, uint64_t initial_pages,
                       memory_map *out_map, wasm_rt_memory_t *out_memory);

/* Keeps memory that is in the state of the image, or destroys it. The map is empty afterwards.
 * Threads: any. */
void memory_cache_keep(memory_cache *cache, memory_map *map, const wasm_rt_memory_t *memory);

/* Resets the memory to the image and keeps it, or destroys it. The map is empty afterwards. When
 * memory is short all the caches of the process are emptied instead. Threads: any. */
void memory_cache_give(memory_cache *cache, const image *source, memory_map *map,
                       wasm_rt_memory_t *memory);

/* For the child of a fork(): all caches count as empty, since they may have been in use by a thread
 * that is no longer there. */
void memory_cache_after_fork(void);

#endif
