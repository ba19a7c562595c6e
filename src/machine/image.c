#include "machine/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/host_file.h"
#include "base/status.h"
#include "guest_build.h"
#include "machine/guest_instance.h"

#define PAGE_BYTES IMAGE_PAGE_BYTES
#define WASM_PAGE_BYTES ((uint64_t)65536)

/* Runs of zero pages shorter than this are stored: a mapping costs more than they do. */
#define MERGE_GAP_PAGES 64

static const char magic[8] = "ERYXIMG";
static const uint8_t build_id[IMAGE_BUILD_ID_BYTES] = GUEST_BUILD_ID;

enum { FORMAT_VERSION = 2 };

typedef struct file_header {
    char magic[8];
    uint32_t version;
    uint32_t segment_count;
    uint8_t build_id[IMAGE_BUILD_ID_BYTES];
    uint64_t memory_pages;
    uint64_t file_size;
    uint64_t checksum;          /* of the header's page with this field zero */
    uint64_t contents_checksum; /* of all that follows */
    uint32_t stack_pointer;
    uint32_t reserved;
    image_segment segments[IMAGE_MAX_SEGMENTS];
} file_header;

_Static_assert(sizeof(file_header) <= PAGE_BYTES, "the header has one page");

/* data: the file, of which the first page is looked at. */
static uint64_t header_checksum(const uint8_t *data)
{
    uint8_t page[PAGE_BYTES];
    memcpy(page, data, sizeof page);
    memset(page + offsetof(file_header, checksum), 0, sizeof(uint64_t));
    return checksum_update(0, page, sizeof page);
}

/* data: the whole file; its size is a multiple of the page size. */
static uint64_t contents_checksum(const uint8_t *data, uint64_t size)
{
    return checksum_update(0, data + PAGE_BYTES, size - PAGE_BYTES);
}

static bool segments_are_sound(const file_header *header)
{
    uint64_t memory_end = GUEST_LOWEST_ADDRESS;
    uint64_t file_end = PAGE_BYTES;
    uint64_t memory_size = header->memory_pages * WASM_PAGE_BYTES;
    for (uint32_t i = 0; i < header->segment_count; i++) {
        const image_segment *segment = &header->segments[i];
        bool aligned =
            (segment->memory_offset | segment->size | segment->file_offset) % PAGE_BYTES == 0;
        if (!aligned || segment->size == 0 || segment->memory_offset < memory_end ||
            segment->memory_offset > memory_size ||
            segment->size > memory_size - segment->memory_offset ||
            segment->file_offset != file_end || segment->size > header->file_size - file_end) {
            return false;
        }
        memory_end = segment->memory_offset + segment->size;
        file_end += segment->size;
    }
    return file_end == header->file_size;
}

static eryx_status check(const char *path, const uint8_t *data, uint64_t size,
                         file_header *out_header, eryx_error *out_error)
{
    if (size < PAGE_BYTES || memcmp(data, magic, sizeof magic) != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: not an eryx image", path);
    }
    file_header header;
    memcpy(&header, data, sizeof header);
    if (header.version != FORMAT_VERSION ||
        memcmp(header.build_id, build_id, sizeof build_id) != 0) {
        return status_fail(ERYX_WRONG_BUILD, out_error,
                           "%s: the image was made by another build of eryx", path);
    }
    if (header.file_size != size || size % PAGE_BYTES != 0 || header.memory_pages > 65536 ||
        header.segment_count > IMAGE_MAX_SEGMENTS || !segments_are_sound(&header) ||
        header.checksum != header_checksum(data)) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: the image is damaged", path);
    }
    *out_header = header;
    return ERYX_OK;
}

eryx_status image_open(const char *path, image *out_image, eryx_error *out_error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: %s", path, strerror(errno));
    }
    return image_take(path, descriptor, false, out_image, out_error);
}

eryx_status image_take(const char *path, int descriptor, bool is_in_memory, image *out_image,
                       eryx_error *out_error)
{
    eryx_status status = ERYX_INITIALIZATION;
    struct stat attributes;
    if (!host_file_status(descriptor, &attributes) || !S_ISREG(attributes.st_mode) ||
        attributes.st_size == 0) {
        status_fail(status, out_error, "%s: not an eryx image", path);
        goto fail_stat;
    }
    uint64_t size = (uint64_t)attributes.st_size;
    uint8_t *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) {
        status_fail(status, out_error, "%s: cannot map: %s", path, strerror(errno));
        goto fail_stat;
    }
    file_header header;
    status = check(path, data, size, &header, out_error);
    if (status != ERYX_OK) {
        goto fail_check;
    }
    mapping_record *record = mappings_note(data, size, MAPPING_DATA);
    if (record == NULL) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        goto fail_check;
    }
    out_image->below = NULL;
    out_image->file_descriptor = descriptor;
    out_image->contents = data;
    out_image->size = size;
    out_image->checksum = header.checksum;
    out_image->memory_pages = header.memory_pages;
    out_image->stack_pointer = header.stack_pointer;
    out_image->segment_count = header.segment_count;
    out_image->record = record;
    out_image->is_in_memory = is_in_memory;
    if (is_in_memory) {
        mappings_count_file((int64_t)size);
    }
    memcpy(out_image->segments, header.segments, sizeof header.segments);
    return ERYX_OK;

fail_check:
    munmap(data, size);
fail_stat:
    close(descriptor);
    return status;
}

void image_close(image *closed)
{
    if (closed->file_descriptor >= 0) {
        mappings_forget(closed->record);
        if (closed->is_in_memory) {
            mappings_count_file(-(int64_t)closed->size);
        }
        munmap((void *)(uintptr_t)closed->contents, closed->size);
        close(closed->file_descriptor);
        closed->file_descriptor = -1;
    }
}

bool image_bytes_are_whole(const uint8_t *data, uint64_t size)
{
    file_header header;
    if (size < PAGE_BYTES || memcmp(data, magic, sizeof magic) != 0) {
        return false;
    }
    memcpy(&header, data, sizeof header);
    return header.checksum == header_checksum(data) &&
           header.contents_checksum == contents_checksum(data, size);
}

bool image_is_whole(const image *opened)
{
    return image_bytes_are_whole(opened->contents, opened->size);
}

const uint8_t *image_page(const image *source, uint64_t offset)
{
    uint32_t low = 0;
    uint32_t high = source->segment_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const image_segment *segment = &source->segments[middle];
        if (offset < segment->memory_offset) {
            high = middle;
        } else if (offset - segment->memory_offset >= segment->size) {
            low = middle + 1;
        } else {
            return source->contents + segment->file_offset + (offset - segment->memory_offset);
        }
    }
    return source->below != NULL ? image_page(source->below, offset) : NULL;
}

static bool page_is_zero(const uint8_t *page)
{
    static const uint8_t zeros[PAGE_BYTES];
    return memcmp(page, zeros, PAGE_BYTES) == 0;
}

/* Fills in the segments: runs of pages that are not zero, joined over short gaps; over long ones as
 * well when the table is full. */
static void find_segments(const uint8_t *memory, uint64_t size, file_header *header)
{
    uint64_t file_end = PAGE_BYTES;
    uint32_t count = 0;
    for (uint64_t at = GUEST_LOWEST_ADDRESS; at < size; at += PAGE_BYTES) {
        if (page_is_zero(memory + at)) {
            continue;
        }
        image_segment *last = count > 0 ? &header->segments[count - 1] : NULL;
        uint64_t last_end = last != NULL ? last->memory_offset + last->size : 0;
        if (last != NULL &&
            (at - last_end <= MERGE_GAP_PAGES * PAGE_BYTES || count == IMAGE_MAX_SEGMENTS)) {
            file_end += at + PAGE_BYTES - last_end;
            last->size = at + PAGE_BYTES - last->memory_offset;
        } else {
            header->segments[count++] = (image_segment){at, PAGE_BYTES, file_end};
            file_end += PAGE_BYTES;
        }
    }
    header->segment_count = count;
    header->file_size = file_end;
}

eryx_status image_write(const char *path, const uint8_t *memory, uint64_t size,
                        uint32_t stack_pointer, eryx_error *out_error)
{
    file_header header = {.version = FORMAT_VERSION,
                          .memory_pages = size / WASM_PAGE_BYTES,
                          .stack_pointer = stack_pointer};
    memcpy(header.magic, magic, sizeof magic);
    memcpy(header.build_id, build_id, sizeof build_id);
    find_segments(memory, size, &header);

    uint8_t *contents = calloc(1, header.file_size);
    if (contents == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "%s: out of memory", path);
    }
    for (uint32_t i = 0; i < header.segment_count; i++) {
        const image_segment *segment = &header.segments[i];
        memcpy(contents + segment->file_offset, memory + segment->memory_offset, segment->size);
    }
    header.contents_checksum = contents_checksum(contents, header.file_size);
    memcpy(contents, &header, sizeof header);
    header.checksum = header_checksum(contents);
    memcpy(contents, &header, sizeof header);

    eryx_status status = host_file_replace(path, contents, header.file_size,
                                           S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH, out_error);
    free(contents);
    return status;
}
