#include "memory_cache.h"

void memory_cache_init(memory_cache *cache)
{
    pthread_mutex_init(&cache->lock, NULL);
    cache->count = 0;
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
    pthread_mutex_lock(&cache->lock);
    bool found = cache->count > 0;
    if (found) {
        cached_memory *entry = &cache->entries[--cache->count];
        *out_map = entry->map;
        *out_memory = entry->memory;
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void memory_cache_give(memory_cache *cache, const image *source, memory_map *map,
                       wasm_rt_memory_t *memory)
{
    pthread_mutex_lock(&cache->lock);
    bool has_room = cache->count < MEMORY_CACHE_CAPACITY;
    pthread_mutex_unlock(&cache->lock);
    if (!has_room || !memory_reset(memory, source)) {
        memory_destroy(map);
        return;
    }
    pthread_mutex_lock(&cache->lock);
    has_room = cache->count < MEMORY_CACHE_CAPACITY;
    if (has_room) {
        cache->entries[cache->count++] = (cached_memory){*map, *memory};
    }
    pthread_mutex_unlock(&cache->lock);
    if (!has_room) {
        memory_destroy(map);
    }
    map->reservation = NULL;
}
