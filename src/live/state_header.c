#include "live/state_header.h"

#include <string.h>

#include "base/checksum.h"
#include "guest_build.h"
#include "machine/guest_instance.h"
#include "machine/memory.h"

static const uint8_t build_id[IMAGE_BUILD_ID_BYTES] = GUEST_BUILD_ID;

state_header state_header_make(const char magic[8], uint32_t version, const image *source,
                               const live_memory *memory, uint64_t files_size)
{
    state_header header = {
        .version = version,
        .stack_pointer = memory->stack_pointer,
        .image_checksum = source->checksum,
        .memory_pages = memory->pages,
        .range_count = memory->range_count,
        .contents_size = memory->size,
        .files_size = files_size,
    };
    memcpy(header.magic, magic, sizeof header.magic);
    memcpy(header.build_id, build_id, sizeof build_id);
    return header;
}

uint64_t state_header_checksum(const state_header *header, const uint8_t *rest, uint64_t size)
{
    state_header copy = *header;
    copy.checksum = 0;
    return checksum_update(checksum_update(0, (const uint8_t *)&copy, sizeof copy), rest, size);
}

bool state_header_fits(const state_header *header, uint32_t version, const image *source)
{
    return header->version == version && memcmp(header->build_id, build_id, sizeof build_id) == 0 &&
           header->image_checksum == source->checksum;
}

bool state_header_ranges_are_sound(const state_header *header, const live_range *ranges,
                                   bool are_apart)
{
    uint64_t memory_size = header->memory_pages * MEMORY_PAGE_BYTES;
    uint64_t end = GUEST_LOWEST_ADDRESS;
    uint64_t contents = 0;
    for (uint64_t i = 0; i < header->range_count; i++) {
        const live_range *range = &ranges[i];
        if ((range->offset | range->size) % IMAGE_PAGE_BYTES != 0 || range->size == 0 ||
            range->offset < end || (are_apart && i > 0 && range->offset == end) ||
            range->offset > memory_size || range->size > memory_size - range->offset) {
            return false;
        }
        end = range->offset + range->size;
        contents += range->size;
    }
    return contents == header->contents_size;
}
