#include "machine/memory_difference.h"

#include <stdlib.h>
#include <string.h>

#include "machine/dirty_pages.h"
#include "machine/guest_instance.h"
#include "machine/memory_layers.h"

/* A piece as large as this becomes a layer: mapping it costs less than copying it once more. */
#define LAYER_BYTES ((uint64_t)1 << 20)

/* More layers than this would cost more to map than they save. */
enum { LAYERS_MAX = 64 };

/* More than so many times the memory of the guest is not kept in layers, whatever it writes
 * when. */
enum { LAYERS_RATIO = 2 };

enum { FIRST_CAPACITY = 512 };

/* Pages that were written, joined to ranges. */
typedef struct range_list {
    live_range *items;
    size_t count;
    size_t capacity;
} range_list;

/* Adds pages behind those that are there already. */
static bool add_range(range_list *list, uint64_t offset, uint64_t size)
{
    live_range *last = list->count > 0 ? &list->items[list->count - 1] : NULL;
    if (last != NULL && last->offset + last->size == offset) {
        last->size += size;
        return true;
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : FIRST_CAPACITY;
        live_range *items = realloc(list->items, capacity * sizeof *items);
        if (items == NULL) {
            return false;
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (live_range){offset, size};
    return true;
}

/* Whether the page is what a guest finds there that has only the image. */
static bool page_is_original(const image *source, const uint8_t *page, uint64_t offset)
{
    static const uint8_t zeros[IMAGE_PAGE_BYTES];
    const uint8_t *original = image_page(source, offset);
    return memcmp(page, original != NULL ? original : zeros, IMAGE_PAGE_BYTES) == 0;
}

/* Adds those of the pages that differ from the image. Pages over a layer all count as different. */
static bool add_changed(range_list *list, const uint8_t *base, uint64_t offset, uint64_t size,
                        const image *source, const memory_layers *layers)
{
    for (uint64_t at = offset; at < offset + size; at += IMAGE_PAGE_BYTES) {
        if ((memory_layers_cover(layers, at) || !page_is_original(source, base + at, at)) &&
            !add_range(list, at, IMAGE_PAGE_BYTES)) {
            return false;
        }
    }
    return true;
}

/* The pages that the kernel knows to be private; false if it cannot tell. */
static bool find_written(const wasm_rt_memory_t *memory, dirty_range **out_ranges,
                         size_t *out_count)
{
    /* Two pages with a gap are the worst case. */
    size_t most = (size_t)(memory->size / IMAGE_PAGE_BYTES / 2 + 1);
    for (size_t capacity = FIRST_CAPACITY;; capacity *= 8) {
        capacity = capacity < most ? capacity : most;
        dirty_range *ranges = malloc(capacity * sizeof *ranges);
        if (ranges == NULL) {
            return false;
        }
        if (dirty_pages_find(memory->data, memory->size, ranges, capacity, out_count)) {
            *out_ranges = ranges;
            return true;
        }
        free(ranges);
        if (capacity == most) {
            return false;
        }
    }
}

/* Lists what differs from the image and its layers. */
static bool find_changed(const memory_layers *layers, const wasm_rt_memory_t *memory,
                         const image *source, range_list *list)
{
    dirty_range *written;
    size_t count;
    if (!find_written(memory, &written, &count)) {
        return add_changed(list, memory->data, GUEST_LOWEST_ADDRESS,
                           memory->size - GUEST_LOWEST_ADDRESS, source, layers);
    }
    bool done = true;
    for (size_t i = 0; done && i < count; i++) {
        uint64_t offset = (uint64_t)(written[i].start - memory->data);
        if (written[i].size >= LAYER_BYTES) {
            done = add_range(list, offset, written[i].size);
        } else {
            done = add_changed(list, memory->data, offset, written[i].size, source, layers);
        }
    }
    free(written);
    return done;
}

static int compare_offsets(const void *left, const void *right)
{
    uint64_t first = ((const memory_layer *)left)->memory_offset;
    uint64_t second = ((const memory_layer *)right)->memory_offset;
    return (first > second) - (first < second);
}

/* Joins pieces that touch or overlap; gives how many are left. */
static size_t join_pieces(memory_layer *pieces, size_t count)
{
    size_t joined = 0;
    qsort(pieces, count, sizeof *pieces, compare_offsets);
    for (size_t i = 1; i < count; i++) {
        uint64_t end = pieces[joined].memory_offset + pieces[joined].size;
        uint64_t next_end = pieces[i].memory_offset + pieces[i].size;
        if (pieces[i].memory_offset > end) {
            pieces[++joined] = pieces[i];
        } else if (next_end > end) {
            pieces[joined].size += next_end - end;
        }
    }
    return joined + 1;
}

/* Chooses what becomes layers: the large ranges, and where the layers below would be too many or
 * hold too much that nobody sees any more, all that is in those. */
static size_t choose_pieces(const memory_layers *below, uint64_t memory_size,
                            const range_list *list, memory_layer *pieces)
{
    size_t count = 0;
    uint64_t bytes = memory_layers_bytes(below);
    for (size_t i = 0; i < list->count && count < LAYERS_MAX; i++) {
        if (list->items[i].size >= LAYER_BYTES) {
            pieces[count++] =
                (memory_layer){.memory_offset = list->items[i].offset, .size = list->items[i].size};
            bytes += list->items[i].size;
        }
    }
    if (count == 0 || below == NULL ||
        (count + below->count <= LAYERS_MAX && bytes <= LAYERS_RATIO * memory_size)) {
        return count;
    }
    memcpy(pieces + count, below->layers, below->count * sizeof *pieces);
    count = join_pieces(pieces, count + below->count);
    return count <= LAYERS_MAX ? count : 0;
}

static bool is_in_piece(const live_range *range, const memory_layer *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].memory_offset <= range->offset &&
            range->offset + range->size <= pieces[i].memory_offset + pieces[i].size) {
            return true;
        }
    }
    return false;
}

/* Makes layers of the large ranges and takes what is in them out of the list. That it cannot be
 * done is not an error: they are copied then. False if the memory was damaged. */
static bool make_layers(memory_map *map, wasm_rt_memory_t *memory, range_list *list)
{
    memory_layer pieces[2 * LAYERS_MAX];
    size_t count = choose_pieces(map->layers, memory->size, list, pieces);
    if (count == 0) {
        return true;
    }
    memory_layers *layers = memory_layers_extend(map->layers, memory->data, pieces, count);
    if (layers == NULL) {
        return true;
    }
    /* Each piece is mapped whole or, with its contents as before, not at all. */
    bool is_mapped = memory_layers_map(layers, layers->count - count, memory->data);
    memory_layers_release(map->layers);
    map->layers = layers;
    if (!is_mapped) {
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!is_in_piece(&list->items[i], pieces, count)) {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
    return true;
}

/* Takes the list over. */
static void set_ranges(live_memory *live, const range_list *list)
{
    live->ranges = list->items;
    live->range_count = list->count;
    for (size_t i = 0; i < list->count; i++) {
        live->size += list->items[i].size;
    }
}

void live_memory_copy(const live_memory *live, const wasm_rt_memory_t *memory, uint8_t *to)
{
    for (size_t i = 0; i < live->range_count; i++) {
        memcpy(to, memory->data + live->ranges[i].offset, live->ranges[i].size);
        to += live->ranges[i].size;
    }
}

/* Gives the state its contents, or frees it if there is no memory. */
static bool add_contents(live_memory *live, const wasm_rt_memory_t *memory)
{
    live->contents = malloc(live->size > 0 ? live->size : 1);
    if (live->contents == NULL) {
        live_memory_free(live);
        return false;
    }
    live_memory_copy(live, memory, live->contents);
    return true;
}

bool live_memory_capture(memory_map *map, wasm_rt_memory_t *memory, uint32_t stack_pointer,
                         const image *source, live_memory *out_live)
{
    range_list list = {0};
    live_memory live = {.pages = memory->pages, .stack_pointer = stack_pointer};
    if (!find_changed(map->layers, memory, source, &list) || !make_layers(map, memory, &list)) {
        free(list.items);
        return false;
    }
    set_ranges(&live, &list);
    live.layers = memory_layers_retain(map->layers);
    if (!add_contents(&live, memory)) {
        return false;
    }
    *out_live = live;
    return true;
}

bool live_memory_find_flat(const memory_map *map, const wasm_rt_memory_t *memory,
                           uint32_t stack_pointer, const image *source, live_memory *out_live)
{
    range_list list = {0};
    live_memory live = {.pages = memory->pages, .stack_pointer = stack_pointer};
    bool found;
    if (map->layers == NULL) {
        found = find_changed(NULL, memory, source, &list);
    } else {
        found = add_changed(&list, memory->data, GUEST_LOWEST_ADDRESS,
                            memory->size - GUEST_LOWEST_ADDRESS, source, NULL);
    }
    if (!found) {
        free(list.items);
        return false;
    }
    set_ranges(&live, &list);
    *out_live = live;
    return true;
}

bool live_memory_capture_flat(const memory_map *map, wasm_rt_memory_t *memory,
                              uint32_t stack_pointer, const image *source, live_memory *out_live)
{
    live_memory live;
    if (!live_memory_find_flat(map, memory, stack_pointer, source, &live) ||
        !add_contents(&live, memory)) {
        return false;
    }
    *out_live = live;
    return true;
}

bool live_memory_apply(const live_memory *live, memory_map *map, wasm_rt_memory_t *memory)
{
    if (!memory_extend(memory, live->pages) || !memory_layers_map(live->layers, 0, memory->data)) {
        return false;
    }
    map->layers = memory_layers_retain(live->layers);
    const uint8_t *from = live->contents;
    for (size_t i = 0; i < live->range_count; i++) {
        memcpy(memory->data + live->ranges[i].offset, from, live->ranges[i].size);
        from += live->ranges[i].size;
    }
    return true;
}

void live_memory_free(live_memory *live)
{
    memory_layers_release(live->layers);
    free(live->ranges);
    free(live->contents);
    *live = (live_memory){0};
}
