#include "memory_cache.h"

#include <pthread.h>

/* One for all caches: it is held for a few instructions, and a fork() can put it right. */
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t generation;

static void lock(memory_cache *cache)
{
    pthread_mutex_lock(&cache_lock);
    if (cache->generation != generation) {
        cache->generation = generation;
        cache->count = 0;
    }
}

static void unlock(void)
{
    pthread_mutex_unlock(&cache_lock);
}

void memory_cache_after_fork(void)
{
    pthread_mutex_init(&cache_lock, NULL);
    generation++;
}

void memory_cache_init(memory_cache *cache)
{
    pthread_mutex_lock(&cache_lock);
    cache->generation = generation;
    cache->count = 0;
    unlock();
}

void memory_cache_trim(memory_cache *cache)
{
    memory_map map;
    wasm_rt_memory_t memory;
    while (memory_cache_take(cache, &map, &memory)) {
        memory_destroy(&map);
    }
}

bool memory_cache_take(memory_cache *cache, memory_map *out_map, wasm_rt_memory_t *out_memory)
{
    lock(cache);
    bool found = cache->count > 0;
    if (found) {
        cached_memory *entry = &cache->entries[--cache->count];
        *out_map = entry->map;
        *out_memory = entry->memory;
    }
    unlock();
    return found;
}

void memory_cache_give(memory_cache *cache, const image *source, memory_map *map,
                       wasm_rt_memory_t *memory)
{
    lock(cache);
    bool has_room = cache->count < MEMORY_CACHE_CAPACITY;
    unlock();
    if (!has_room || map->layers != NULL || !memory_reset(map, memory, source)) {
        memory_destroy(map);
        return;
    }
    memory_cache_keep(cache, map, memory);
}

void memory_cache_keep(memory_cache *cache, memory_map *map, const wasm_rt_memory_t *memory)
{
    lock(cache);
    bool has_room = cache->count < MEMORY_CACHE_CAPACITY;
    if (has_room) {
        cache->entries[cache->count++] = (cached_memory){*map, *memory};
    }
    unlock();
    if (!has_room) {
        memory_destroy(map);
    }
    map->reservation = NULL;
}
