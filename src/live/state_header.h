/*
 * What the bytes of a saved session and of a factory begin with: a header, the ranges of memory
 * that differ from the image, their contents, and the bytes of files.
 */
#ifndef ERYX_LIVE_STATE_HEADER_H
#define ERYX_LIVE_STATE_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "machine/image.h"
#include "machine/memory_difference.h"

typedef struct state_header {
    char magic[8];
    uint32_t version;
    uint32_t stack_pointer;
    uint8_t build_id[IMAGE_BUILD_ID_BYTES];
    uint64_t image_checksum;
    uint64_t checksum; /* of the header with this field zero, and of all that follows */
    uint64_t memory_pages;
    uint64_t range_count;
    uint64_t contents_size;
    uint64_t files_size;
} state_header;

/* The header of that memory and so many bytes of files; the checksum is left 0. magic: 8 bytes. */
state_header state_header_make(const char magic[8], uint32_t version, const image *source,
                               const live_memory *memory, uint64_t files_size);

/* What checksum has to be. rest: all that follows. */
uint64_t state_header_checksum(const state_header *header, const uint8_t *rest, uint64_t size);

/* Whether it is of this build, of that version and over that image. */
bool state_header_fits(const state_header *header, uint32_t version, const image *source);

/* Whether the ranges are in order, within the memory, and as long as their contents. are_apart: no
 * two of them may touch. */
bool state_header_ranges_are_sound(const state_header *header, const live_range *ranges,
                                   bool are_apart);

#endif
