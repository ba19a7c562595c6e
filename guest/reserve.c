#include "reserve.h"

#include <stdint.h>
#include <stdlib.h>

enum {
    RESERVE_BYTES = 2 << 20,
    STEP = 16, /* sizes are multiples of it, and so are addresses */
};

/* Before each block. */
struct header {
    uint32_t size; /* with the header */
    uint32_t used;
    uint32_t unused[2];
};

static char *heap;
static uint32_t search_at; /* a header, from which on the next search goes once around */
static uint32_t used_bytes;

static struct header *header_at(uint32_t offset)
{
    return (struct header *)(void *)(heap + offset);
}

static struct header *header_of(const void *block)
{
    return (struct header *)(uintptr_t)block - 1;
}

/* The free blocks that follow a free one become part of it. */
static void join_following(uint32_t offset)
{
    struct header *header = header_at(offset);
    for (;;) {
        uint32_t next = offset + header->size;
        if (next == RESERVE_BYTES || header_at(next)->used) {
            return;
        }
        if (search_at == next) {
            search_at = offset;
        }
        header->size += header_at(next)->size;
    }
}

static void *take(uint32_t offset, uint32_t size)
{
    struct header *header = header_at(offset);
    if (header->size > size) {
        *header_at(offset + size) = (struct header){.size = header->size - size};
        header->size = size;
    }
    header->used = 1;
    used_bytes += size;
    search_at = offset + size == RESERVE_BYTES ? 0 : offset + size;
    return header + 1;
}

void reserve_start(void)
{
    heap = malloc(RESERVE_BYTES);
    if (heap != NULL) {
        *header_at(0) = (struct header){.size = RESERVE_BYTES};
    }
}

void *reserve_allocate(size_t size, size_t left)
{
    if (heap == NULL || size > RESERVE_BYTES) {
        return NULL;
    }
    uint32_t whole = ((uint32_t)size + STEP - 1) / STEP * STEP + (uint32_t)sizeof(struct header);
    if (whole + left > RESERVE_BYTES - used_bytes) {
        return NULL;
    }
    uint32_t offset = search_at;
    do {
        struct header *header = header_at(offset);
        if (!header->used) {
            join_following(offset);
            if (header->size >= whole) {
                return take(offset, whole);
            }
        }
        offset += header->size;
        offset = offset == RESERVE_BYTES ? 0 : offset;
    } while (offset != search_at);
    return NULL;
}

bool reserve_has(const void *block)
{
    return heap != NULL && (uintptr_t)block - (uintptr_t)heap < RESERVE_BYTES;
}

size_t reserve_block_size(const void *block)
{
    return header_of(block)->size - sizeof(struct header);
}

void reserve_free(void *block)
{
    struct header *header = header_of(block);
    header->used = 0;
    used_bytes -= header->size;
}
