#include "memory.h"

#include <sys/mman.h>

static const size_t mapping_bytes = MEMORY_RESERVED_BYTES + 2 * MEMORY_GUARD_BYTES;

/* The system may merge or split mappings, so nothing here depends on which ones there are. */
static bool map_image(uint8_t *base, const image *source)
{
    for (uint32_t i = 0; i < source->segment_count; i++) {
        const image_segment *segment = &source->segments[i];
        void *mapped = mmap(base + segment->memory_offset, segment->size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, source->file_descriptor,
                            (off_t)segment->file_offset);
        if (mapped == MAP_FAILED) {
            return false;
        }
    }
    return true;
}

bool memory_create(memory_map *map, const image *source, uint64_t initial_pages,
                   wasm_rt_memory_t *out_memory)
{
    uint8_t *reservation =
        mmap(NULL, mapping_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reservation == MAP_FAILED) {
        return false;
    }
    uint8_t *base = reservation + MEMORY_GUARD_BYTES;
    uint64_t pages = source != NULL ? source->memory_pages : initial_pages;
    uint64_t size = pages * MEMORY_PAGE_BYTES;
    if (mprotect(base, size, PROT_READ | PROT_WRITE) != 0 ||
        (source != NULL && !map_image(base, source))) {
        munmap(reservation, mapping_bytes);
        return false;
    }
    map->reservation = reservation;
    out_memory->data = base;
    out_memory->size = size;
    out_memory->pages = pages;
    out_memory->max_pages = pages;
    return true;
}

void memory_destroy(memory_map *map)
{
    if (map->reservation != NULL) {
        munmap(map->reservation, mapping_bytes);
        map->reservation = NULL;
    }
}

bool memory_reset(wasm_rt_memory_t *memory, const image *source)
{
    uint64_t image_size = source->memory_pages * MEMORY_PAGE_BYTES;
    if (madvise(memory->data, memory->size, MADV_DONTNEED) != 0) {
        return false;
    }
    if (memory->size > image_size &&
        mprotect(memory->data + image_size, memory->size - image_size, PROT_NONE) != 0) {
        return false;
    }
    memory->size = image_size;
    memory->pages = source->memory_pages;
    return true;
}

void memory_set_limit(wasm_rt_memory_t *memory, uint64_t max_bytes)
{
    const uint64_t most = ((uint64_t)1 << 32) / MEMORY_PAGE_BYTES;
    uint64_t pages = max_bytes / MEMORY_PAGE_BYTES;
    memory->max_pages = pages < most ? pages : most;
}

bool memory_grow(wasm_rt_memory_t *memory, uint64_t delta_pages)
{
    if (memory->max_pages < memory->pages || delta_pages > memory->max_pages - memory->pages) {
        return false;
    }
    uint64_t delta = delta_pages * MEMORY_PAGE_BYTES;
    if (delta != 0 && mprotect(memory->data + memory->size, delta, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    memory->pages += delta_pages;
    memory->size += delta;
    return true;
}
