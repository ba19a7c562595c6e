#include "machine/image_over.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/status.h"

/* Every segment is one more mapping in every sandbox; pages between two that do not differ are
 * joined to them until there are no more than this. */
#define MAPPINGS_MAX 24

void image_over_difference(uint8_t *page, const uint8_t *original)
{
    for (uint64_t i = 0; original != NULL && i < IMAGE_PAGE_BYTES; i++) {
        page[i] ^= original[i];
    }
}

/* Joins ranges over gaps of at most so many bytes; gives the number that is left. */
static uint32_t join(const live_memory *memory, uint64_t gap, image_segment *segments,
                     uint32_t capacity)
{
    uint32_t count = 0;
    uint64_t file_end = 0;
    for (size_t i = 0; i < memory->range_count; i++) {
        const live_range *range = &memory->ranges[i];
        image_segment *last = count > 0 ? &segments[count - 1] : NULL;
        uint64_t last_end = last != NULL ? last->memory_offset + last->size : 0;
        if (last != NULL && range->offset - last_end <= gap) {
            uint64_t added = range->offset + range->size - last_end;
            last->size += added;
            file_end += added;
        } else {
            if (count == capacity) {
                return capacity + 1;
            }
            segments[count++] = (image_segment){range->offset, range->size, file_end};
            file_end += range->size;
        }
    }
    return count;
}

static void find_segments(const live_memory *memory, image *over)
{
    uint64_t gap = IMAGE_PAGE_BYTES;
    do {
        over->segment_count = join(memory, gap, over->segments, MAPPINGS_MAX);
        gap *= 2;
    } while (over->segment_count > MAPPINGS_MAX);
    for (uint32_t i = 0; i < over->segment_count; i++) {
        over->size += over->segments[i].size;
    }
}

/* Whether the pages that have been joined to others are few beside those that differ, or beside the
 * image: pages of which each lies far from the others would make a file as long as all memory. */
static bool size_is_justified(const image *below, const live_memory *memory, const image *over)
{
    const uint64_t slack = (uint64_t)16 << 20;
    uint64_t image_size = below->memory_pages * MEMORY_PAGE_BYTES;
    return over->size <= memory->size * 4 + image_size + slack;
}

/* Writes the pages of all segments. */
static void fill(const image *below, const live_memory *memory, const image *over, uint8_t *to)
{
    const uint8_t *difference = memory->contents;
    size_t next = 0;
    for (uint32_t i = 0; i < over->segment_count; i++) {
        uint64_t end = over->segments[i].memory_offset + over->segments[i].size;
        for (uint64_t at = over->segments[i].memory_offset; at < end; at += IMAGE_PAGE_BYTES) {
            const live_range *range = next < memory->range_count ? &memory->ranges[next] : NULL;
            const uint8_t *original = image_page(below, at);
            if (range != NULL && at >= range->offset) {
                memcpy(to, difference, IMAGE_PAGE_BYTES);
                image_over_difference(to, original);
                difference += IMAGE_PAGE_BYTES;
                next += at + IMAGE_PAGE_BYTES == range->offset + range->size;
            } else if (original != NULL) {
                memcpy(to, original, IMAGE_PAGE_BYTES);
            }
            to += IMAGE_PAGE_BYTES;
        }
    }
}

eryx_status image_over_create(const image *below, const live_memory *memory, uint64_t checksum,
                              image *out_image, eryx_error *out_error)
{
    image over = {.below = below,
                  .checksum = checksum,
                  .is_in_memory = true,
                  .memory_pages = memory->pages,
                  .stack_pointer = memory->stack_pointer};
    find_segments(memory, &over);
    eryx_status status = ERYX_INITIALIZATION;
    if (!size_is_justified(below, memory, &over)) {
        return status_fail(status, out_error,
                           "the memory of the factory is spread too thinly: %llu bytes would be "
                           "kept for %llu",
                           (unsigned long long)over.size, (unsigned long long)memory->size);
    }
    over.file_descriptor = memfd_create("eryx-factory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (over.file_descriptor < 0) {
        return status_fail(status, out_error, "no file in memory for a factory: %s",
                           strerror(errno));
    }
    /* One page at least, since nothing cannot be mapped. */
    uint64_t size = over.size > 0 ? over.size : IMAGE_PAGE_BYTES;
    over.size = size;
    /* Memory that is promised but not there would end the process. */
    if (fallocate(over.file_descriptor, 0, 0, (off_t)size) != 0) {
        goto fail;
    }
    uint8_t *written =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, over.file_descriptor, 0);
    if (written == MAP_FAILED) {
        goto fail;
    }
    fill(below, memory, &over, written);
    munmap(written, size);
    /* Nobody can change it any more; if the system has no seals, nobody does. */
    (void)fcntl(over.file_descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    over.contents = mmap(NULL, size, PROT_READ, MAP_PRIVATE, over.file_descriptor, 0);
    if (over.contents == MAP_FAILED) {
        goto fail;
    }
    over.record = mappings_note(over.contents, size, MAPPING_DATA); /* or it is left out */
    mappings_count_file((int64_t)size);
    *out_image = over;
    return ERYX_OK;

fail:
    status_fail(status, out_error, "no memory for a factory: %s", strerror(errno));
    close(over.file_descriptor);
    return status;
}
