#include "machine/memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/uninitialized.h"
#include "machine/dirty_pages.h"

/* Beyond these, dropping all pages is cheaper than restoring them, and memory is not held for
 * nothing. */
#define RESTORED_RANGES 512
#define RESTORED_BYTES ((size_t)3 << 20)

/* So many more idle pages than used ones may stay. */
#define IDLE_PAGES 64

/* They go when it has been like that for so many resets in a row. */
#define IDLE_RESETS 8

/* What 32 bits can address. */
#define MEMORY_MOST_PAGES (((uint64_t)1 << 32) / MEMORY_PAGE_BYTES)

static const size_t mapping_bytes = MEMORY_RESERVED_BYTES + 2 * MEMORY_GUARD_BYTES;

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
    map->layers = NULL;
    map->idle_resets = 0;
    out_memory->data = base;
    out_memory->size = size;
    out_memory->pages = pages;
    out_memory->max_pages = pages;
    return true;
}

/* failed: what getrlimit() gave, whose own parameter has a type of each C library. */
static bool is_limited(int failed, const struct rlimit *limit)
{
    return failed == 0 && limit->rlim_cur != RLIM_INFINITY;
}

const char *memory_shortage(void)
{
    struct rlimit limit;
    void *reservation =
        mmap(NULL, mapping_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reservation == MAP_FAILED) {
        return is_limited(getrlimit(RLIMIT_AS, &limit), &limit)
                   ? "no address space: a sandbox reserves 8 GiB, and RLIMIT_AS allows no more"
                   : "no address space: a sandbox reserves 8 GiB";
    }
    munmap(reservation, mapping_bytes);
    return is_limited(getrlimit(RLIMIT_DATA, &limit), &limit)
               ? "no memory: what a sandbox can write counts, and RLIMIT_DATA allows no more"
               : "no memory: the system has none, or allows no more mappings (vm.max_map_count)";
}

void memory_destroy(memory_map *map)
{
    if (map->reservation != NULL) {
        munmap(map->reservation, mapping_bytes);
        map->reservation = NULL;
    }
    memory_layers_release(map->layers);
    map->layers = NULL;
}

/* Gives the pages back to the system: what is read next is the file, or zeros. */
static bool drop_pages(uint8_t *start, size_t size)
{
    return size == 0 || madvise(start, size, MADV_DONTNEED) == 0;
}

/* True if the page was not as in the image. */
static bool restore_page(const image *source, uint8_t *page, uint64_t offset)
{
    static const uint8_t zeros[IMAGE_PAGE_BYTES];
    const uint8_t *original = image_page(source, offset);
    original = original != NULL ? original : zeros;
    if (memcmp(page, original, IMAGE_PAGE_BYTES) == 0) {
        return false;
    }
    memcpy(page, original, IMAGE_PAGE_BYTES);
    return true;
}

/* Gives back the runs of pages that the last guest has not changed. */
static bool drop_idle(const dirty_range *ranges, size_t count, const bool *changed)
{
    for (size_t i = 0; i < count; i++) {
        size_t pages = ranges[i].size / IMAGE_PAGE_BYTES;
        size_t begin = 0;
        for (size_t page = 0; page <= pages; page++) {
            if (page < pages && !changed[page]) {
                continue;
            }
            size_t idle = (page - begin) * IMAGE_PAGE_BYTES;
            if (!drop_pages(ranges[i].start + begin * IMAGE_PAGE_BYTES, idle)) {
                return false;
            }
            begin = page + 1;
        }
        changed += pages;
    }
    return true;
}

/* Copies the original over every page that differs from the file, so that the next run finds them
 * in place: that is several times faster than the faults it saves. Pages that only some earlier run
 * has written to go when they are many, or they would be looked at for ever. False if the pages are
 * not known or too many. */
static bool restore_pages(memory_map *map, const image *source, uint8_t *memory, uint64_t size)
{
    UNINITIALIZED dirty_range ranges[RESTORED_RANGES];
    UNINITIALIZED bool changed[RESTORED_BYTES / IMAGE_PAGE_BYTES];
    size_t count;
    if (!dirty_pages_find(memory, size, ranges, RESTORED_RANGES, &count)) {
        return false;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += ranges[i].size;
    }
    if (bytes > RESTORED_BYTES) {
        return false;
    }
    size_t page_count = 0;
    size_t changed_count = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < ranges[i].size; at += IMAGE_PAGE_BYTES) {
            uint8_t *page = ranges[i].start + at;
            changed[page_count] = restore_page(source, page, (uint64_t)(page - memory));
            changed_count += changed[page_count++];
        }
    }
    bool is_idle = page_count - changed_count > changed_count + IDLE_PAGES;
    map->idle_resets = is_idle ? map->idle_resets + 1 : 0;
    if (map->idle_resets < IDLE_RESETS) {
        return true;
    }
    map->idle_resets = 0;
    return drop_idle(ranges, count, changed);
}

bool memory_reset(memory_map *map, wasm_rt_memory_t *memory, const image *source)
{
    uint64_t image_size = source->memory_pages * MEMORY_PAGE_BYTES;
    if (memory->size > image_size) {
        uint64_t grown = memory->size - image_size;
        if (!drop_pages(memory->data + image_size, grown) ||
            mprotect(memory->data + image_size, grown, PROT_NONE) != 0) {
            return false;
        }
    }
    memory->size = image_size;
    memory->pages = source->memory_pages;
    return restore_pages(map, source, memory->data, image_size) ||
           drop_pages(memory->data, image_size);
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
