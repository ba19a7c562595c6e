/*
 * The pages to put back are those that the last reset found, if since then one thread alone has
 * used the memory and has had no page fault: the first write to a page is one (page_faults.h). That
 * is so for most runs that are like the one before, and saves asking the kernel about thousands of
 * pages.
 *
 * Only the kernel can make a page the memory's own without a fault of that thread: by making huge
 * pages, which it is told not to (memory.c), or for a thread that calls mlockall(), which writes to
 * all pages of the process in order of address. Then the witness is written to as well, and before
 * the rest.
 */
#include "machine/memory_reset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/threads.h"
#include "base/uninitialized.h"
#include "machine/page_faults.h"

/* Beyond these, dropping all pages is cheaper than restoring them, and memory is not held for
 * nothing. */
#define RESTORED_RANGES 512
#define RESTORED_BYTES ((size_t)3 << 20)

/* So many more idle pages than used ones may stay. */
#define IDLE_PAGES 64

/* They go when it has been like that for so many resets in a row. */
#define IDLE_RESETS 8

/* ---- Whether the pages are known --------------------------------------------------------------
 */

void memory_watch(memory_map *map)
{
    bool counted = map->own_pages != NULL && page_faults_count(&map->faults);
    map->user = counted ? threads_number() : 0;
}

void memory_use(memory_map *map)
{
    if (map->user != 0 && map->user != threads_number()) {
        map->user = 0;
    }
}

static bool witness_is_untouched(const memory_map *map)
{
    dirty_range touched;
    size_t count;
    return dirty_pages_find(map->reservation, MEMORY_WITNESS_BYTES, &touched, 1, &count) &&
           count == 0;
}

/* Whether the memory has no other pages of its own than at its last reset. */
static bool pages_are_known(const memory_map *map)
{
    uint64_t faults;
    return map->own_pages != NULL && map->user == threads_number() && page_faults_count(&faults) &&
           faults == map->faults && witness_is_untouched(map);
}

static void forget_pages(memory_map *map)
{
    free(map->own_pages);
    map->own_pages = NULL;
    map->own_count = 0;
}

/* Without memory they are not known the next time. */
static void remember_pages(memory_map *map, const dirty_range *ranges, size_t count)
{
    if (page_faults_are_counted()) {
        map->own_pages = malloc((count + 1) * sizeof *ranges);
    }
    if (map->own_pages != NULL) {
        memcpy(map->own_pages, ranges, count * sizeof *ranges);
        map->own_count = count;
    }
}

/* ---- Putting back -----------------------------------------------------------------------------
 */

/* Gives the pages back to the system: what is read next is the file, or zeros. */
static bool drop_pages(uint8_t *start, size_t size)
{
    return size == 0 || madvise(start, size, MADV_DONTNEED) == 0;
}

static const uint8_t *original_page(const image *source, uint64_t offset)
{
    static const uint8_t zeros[IMAGE_PAGE_BYTES];
    const uint8_t *page = image_page(source, offset);
    return page != NULL ? page : zeros;
}

/* True if the page was not as in the image. */
static bool restore_page(const image *source, uint8_t *page, uint64_t offset)
{
    const uint8_t *original = original_page(source, offset);
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

/* Copies the original over every page that differs from it. Pages that only some earlier run has
 * written go when they are many, or they would be looked at for ever. ranges: at most
 * RESTORED_BYTES together. */
static bool restore_pages(memory_map *map, const image *source, const uint8_t *memory,
                          const dirty_range *ranges, size_t count)
{
    UNINITIALIZED bool changed[RESTORED_BYTES / IMAGE_PAGE_BYTES];
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
    bool dropped = drop_idle(ranges, count, changed);
    forget_pages(map);
    return dropped;
}

/* Asks the kernel for the pages and puts them back. False if it cannot tell or they are too many.
 */
static bool restore_found(memory_map *map, const image *source, const wasm_rt_memory_t *memory)
{
    UNINITIALIZED dirty_range ranges[RESTORED_RANGES];
    size_t count;
    if (!dirty_pages_find(memory->data, memory->size, ranges, RESTORED_RANGES, &count)) {
        return false;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += ranges[i].size;
    }
    if (bytes > RESTORED_BYTES) {
        return false;
    }
    remember_pages(map, ranges, count);
    return restore_pages(map, source, memory->data, ranges, count);
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
    bool is_known = pages_are_known(map);
    map->user = 0;
    map->way = is_known ? MEMORY_KNOWN : MEMORY_FOUND;
    if (is_known) {
        return restore_pages(map, source, memory->data, map->own_pages, map->own_count);
    }
    forget_pages(map);
    if (restore_found(map, source, memory)) {
        return true;
    }
    forget_pages(map);
    map->way = MEMORY_DROPPED;
    return drop_pages(memory->data, image_size);
}
