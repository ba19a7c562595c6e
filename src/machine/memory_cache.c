#include "machine/memory_cache.h"

#include <pthread.h>

#include "machine/memory_pressure.h"
#include "machine/memory_reset.h"

/* One for all caches: it is held for a few instructions, and a fork() can put it right. */
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t generation;
static memory_cache *caches; /* of this generation */

/* Makes a cache an empty one of this process. */
static void enter(memory_cache *cache)
{
    cache->generation = generation;
    cache->count = 0;
    cache->previous = NULL;
    cache->next = caches;
    if (caches != NULL) {
        caches->previous = cache;
    }
    caches = cache;
}

static void lock(memory_cache *cache)
{
    pthread_mutex_lock(&cache_lock);
    if (cache->generation != generation) {
        enter(cache);
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
    caches = NULL;
}

void memory_cache_init(memory_cache *cache)
{
    cache->capacity = MEMORY_CACHE_CAPACITY;
    pthread_mutex_lock(&cache_lock);
    enter(cache);
    unlock();
}

bool memory_cache_has_any(memory_cache *cache)
{
    lock(cache);
    bool found = cache->count > 0;
    unlock();
    return found;
}

static bool take(memory_cache *cache, cached_memory *out_entry)
{
    lock(cache);
    bool found = cache->count > 0;
    if (found) {
        *out_entry = cache->entries[--cache->count];
    }
    unlock();
    return found;
}

void memory_cache_trim(memory_cache *cache)
{
    cached_memory entry;
    while (take(cache, &entry)) {
        memory_destroy(&entry.map);
    }
}

void memory_cache_end(memory_cache *cache)
{
    memory_cache_trim(cache);
    lock(cache);
    if (cache->previous != NULL) {
        cache->previous->next = cache->next;
    } else {
        caches = cache->next;
    }
    if (cache->next != NULL) {
        cache->next->previous = cache->previous;
    }
    unlock();
}

static bool take_from_any(cached_memory *out_entry)
{
    pthread_mutex_lock(&cache_lock);
    memory_cache *cache = caches;
    while (cache != NULL && cache->count == 0) {
        cache = cache->next;
    }
    if (cache != NULL) {
        *out_entry = cache->entries[--cache->count];
    }
    unlock();
    return cache != NULL;
}

/* False if there was nothing to give back. */
static bool trim_all(void)
{
    cached_memory entry;
    bool found = false;
    while (take_from_any(&entry)) {
        memory_destroy(&entry.map);
        found = true;
    }
    return found;
}

bool memory_cache_take(memory_cache *cache, const image *source, uint64_t initial_pages,
                       memory_map *out_map, wasm_rt_memory_t *out_memory)
{
    cached_memory entry;
    if (take(cache, &entry)) {
        *out_map = entry.map;
        *out_memory = entry.memory;
        memory_watch(out_map);
        return true;
    }
    return memory_create(out_map, source, initial_pages, out_memory) ||
           (trim_all() && memory_create(out_map, source, initial_pages, out_memory));
}

void memory_cache_give(memory_cache *cache, const image *source, memory_map *map,
                       wasm_rt_memory_t *memory)
{
    if (memory_is_short()) {
        memory_destroy(map);
        trim_all();
        return;
    }
    lock(cache);
    bool has_room = cache->count < cache->capacity;
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
    bool has_room = cache->count < cache->capacity;
    if (has_room) {
        cache->entries[cache->count++] = (cached_memory){*map, *memory};
    }
    unlock();
    if (!has_room) {
        memory_destroy(map);
    }
    map->reservation = NULL;
}
