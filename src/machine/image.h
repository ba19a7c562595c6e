/*
 * An image: the linear memory and the globals of a guest at one moment, as a file that sandboxes
 * map. It holds data only, never code, and fits exactly the build that wrote it.
 *
 * The host rests on the header alone: what lies in the memory of a guest is the guest's to change.
 * So the header is checked whenever an image is opened, and the rest, which is mapped and not read,
 * by who makes one.
 *
 * The file is a header of one page and then the segments, each a whole number of pages; memory that
 * no segment covers is zero. All numbers are little-endian.
 *
 * The image of a factory (live/factory.c) lies over another one: memory that no segment of it
 * covers is that of the one below.
 */
#ifndef ERYX_MACHINE_IMAGE_H
#define ERYX_MACHINE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "eryx/eryx.h"
#include "machine/mappings.h"

#define IMAGE_BUILD_ID_BYTES 32
#define IMAGE_MAX_SEGMENTS 64
#define IMAGE_PAGE_BYTES ((uint64_t)4096)

typedef struct image_segment {
    uint64_t memory_offset; /* multiples of the page size, all three */
    uint64_t size;
    uint64_t file_offset;
} image_segment;

typedef struct image {
    const struct image *below; /* the image that this one lies over; NULL for none */
    int file_descriptor;
    const uint8_t *contents; /* the file, mapped for reading */
    uint64_t size;           /* of the file */
    uint64_t checksum;      /* of the header, which has that of the contents: stands for the file */
    uint64_t memory_pages;  /* of 64 KiB */
    uint32_t stack_pointer; /* __stack_pointer */
    uint32_t segment_count;
    mapping_record *record; /* of the contents; NULL for none */
    bool is_in_memory;      /* the file is one in memory, which counts as the process's */
    image_segment segments[IMAGE_MAX_SEGMENTS];
} image;

/*
 * Opens an image file and checks its header: checksum, build, sizes, segments.
 *
 * out_image: closed with image_close().
 * Errors: INITIALIZATION (missing, malformed, damaged), WRONG_BUILD; the message names the file.
 */
eryx_status image_open(const char *path, image *out_image, eryx_error *out_error);

/* The same of a file that is open. path: what it is called in messages. descriptor: taken over,
 * also on failure. is_in_memory: whether it is a file in memory. */
eryx_status image_take(const char *path, int descriptor, bool is_in_memory, image *out_image,
                       eryx_error *out_error);

/* Whether so many bytes are an image as it was written, of whatever build. Reads all of them. */
bool image_bytes_are_whole(const uint8_t *data, uint64_t size);

/* Whether the contents are those that were written. Reads all of them. opened: by image_open(). */
bool image_is_whole(const image *opened);

/* Closes the file; sandboxes that have it mapped keep their mappings. Allowed on a closed image. */
void image_close(image *closed);

/* The contents of one page of memory, those of the images below included; NULL for a page of zeros.
 * offset: a multiple of the page size. */
const uint8_t *image_page(const image *source, uint64_t offset);

/*
 * Writes memory and globals as an image. The file appears under its name only when it is complete.
 *
 * memory: size bytes, a multiple of 64 KiB.
 * Errors: INITIALIZATION (the message holds the reason), OUT_OF_MEMORY.
 */
eryx_status image_write(const char *path, const uint8_t *memory, uint64_t size,
                        uint32_t stack_pointer, eryx_error *out_error);

#endif
