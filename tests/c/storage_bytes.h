/* Bytes of a storage (src/vfs/storage_pack.c) whose header is made to fit what was done to them. */
#ifndef STORAGE_BYTES_H
#define STORAGE_BYTES_H

#include <stddef.h>
#include <stdint.h>

enum { STORAGE_HEADER_BYTES = 28 };

static inline void storage_bytes_store(uint8_t *place, uint64_t number)
{
    for (size_t i = 0; i < 8; i++) {
        place[i] = (uint8_t)(number >> 8 * i);
    }
}

/* size: at least that of the header. */
static inline void storage_bytes_seal(uint8_t *data, size_t size)
{
    const uint8_t *next = data + STORAGE_HEADER_BYTES;
    size_t left = size - STORAGE_HEADER_BYTES;
    uint64_t state = UINT64_C(0xcbf29ce484222325) ^ left;
    while (left > 0) {
        uint64_t word = 0;
        size_t step = left < sizeof word ? left : sizeof word;
        for (size_t i = 0; i < step; i++) {
            word |= (uint64_t)next[i] << 8 * i;
        }
        state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        state ^= state >> 32;
        next += step;
        left -= step;
    }
    storage_bytes_store(data + 12, size);
    storage_bytes_store(data + 20, state);
}

#endif
