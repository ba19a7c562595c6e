#include "machine/memory.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "machine/guest_instance.h"

/* What 32 bits can address. */
#define MEMORY_MOST_PAGES (((uint64_t)1 << 32) / MEMORY_PAGE_BYTES)

/* The system may merge or split mappings, so nothing here depends on which ones there are. */
static bool map_image(uint8_t *base, const image *source)
{
    if (source->below != NULL && !map_image(base, source->below)) {
        return false;
    }
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
    uint8_t *reservation = mmap(NULL, MEMORY_MAPPING_BYTES, PROT_NONE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reservation == MAP_FAILED) {
        return false;
    }
    uint8_t *base = reservation + MEMORY_WITNESS_BYTES + MEMORY_GUARD_BYTES;
    uint64_t pages = source != NULL ? source->memory_pages : initial_pages;
    uint64_t size = pages * MEMORY_PAGE_BYTES;
    /* No huge pages: what a guest has written is found and put back in pages of the image's size,
     * and the kernel must not make others writable on its own. A system without them refuses. */
    (void)madvise(base, size, MADV_NOHUGEPAGE);
    if (mprotect(reservation, MEMORY_WITNESS_BYTES, PROT_READ | PROT_WRITE) != 0 ||
        (size != 0 && mprotect(base + GUEST_LOWEST_ADDRESS, size - GUEST_LOWEST_ADDRESS,
                               PROT_READ | PROT_WRITE) != 0) ||
        (source != NULL && !map_image(base, source))) {
        goto fail;
    }
    mapping_record *record = mappings_note(reservation, MEMORY_MAPPING_BYTES, MAPPING_GUEST);
    if (record == NULL) {
        goto fail;
    }
    *map = (memory_map){.reservation = reservation, .record = record};
    out_memory->data = base;
    out_memory->size = size;
    out_memory->pages = pages;
    out_memory->max_pages = pages;
    return true;

fail:
    munmap(reservation, MEMORY_MAPPING_BYTES);
    return false;
}

/* failed: what getrlimit() gave, whose own parameter has a type of each C library. */
static bool is_limited(int failed, const struct rlimit *limit)
{
    return failed == 0 && limit->rlim_cur != RLIM_INFINITY;
}

const char *memory_shortage(void)
{
    struct rlimit limit;
    void *reservation = mmap(NULL, MEMORY_MAPPING_BYTES, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reservation == MAP_FAILED) {
        return is_limited(getrlimit(RLIMIT_AS, &limit), &limit)
                   ? "no address space: a sandbox reserves 8 GiB, and RLIMIT_AS allows no more"
                   : "no address space: a sandbox reserves 8 GiB";
    }
    munmap(reservation, MEMORY_MAPPING_BYTES);
    return is_limited(getrlimit(RLIMIT_DATA, &limit), &limit)
               ? "no memory: what a sandbox can write counts, and RLIMIT_DATA allows no more"
               : "no memory: the system has none, or allows no more mappings (vm.max_map_count)";
}

void memory_destroy(memory_map *map)
{
    if (map->reservation != NULL) {
        mappings_forget(map->record);
        munmap(map->reservation, MEMORY_MAPPING_BYTES);
        map->reservation = NULL;
    }
    memory_layers_release(map->layers);
    map->layers = NULL;
    free(map->own_pages);
    map->own_pages = NULL;
}

void memory_set_limit(wasm_rt_memory_t *memory, uint64_t max_bytes)
{
    uint64_t pages = max_bytes / MEMORY_PAGE_BYTES;
    memory->max_pages = pages < MEMORY_MOST_PAGES ? pages : MEMORY_MOST_PAGES;
}

bool memory_extend(wasm_rt_memory_t *memory, uint64_t pages)
{
    if (pages < memory->pages || pages > MEMORY_MOST_PAGES) {
        return false;
    }
    uint64_t delta = (pages - memory->pages) * MEMORY_PAGE_BYTES;
    if (delta != 0 && mprotect(memory->data + memory->size, delta, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    memory->pages = pages;
    memory->size += delta;
    return true;
}

bool memory_grow(wasm_rt_memory_t *memory, uint64_t delta_pages)
{
    if (memory->max_pages < memory->pages || delta_pages > memory->max_pages - memory->pages) {
        return false;
    }
    return memory_extend(memory, memory->pages + delta_pages);
}
