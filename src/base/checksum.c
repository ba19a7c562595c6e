#include "base/checksum.h"

#include <string.h>

enum { BLOCK_BYTES = 32 };

static void mix(uint64_t lanes[4], const uint8_t *block)
{
    const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t words[4];
    memcpy(words, block, sizeof words);
    for (int k = 0; k < 4; k++) {
        lanes[k] = (lanes[k] ^ words[k]) * prime;
        lanes[k] ^= lanes[k] >> 29;
    }
}

/* Four independent lanes of multiply and rotate, to keep up with memory. */
uint64_t checksum_update(uint64_t state, const uint8_t *data, uint64_t size)
{
    const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t lanes[4] = {state, state ^ prime, state + prime, ~state};
    uint64_t whole = size - size % BLOCK_BYTES;
    for (uint64_t i = 0; i < whole; i += BLOCK_BYTES) {
        mix(lanes, data + i);
    }
    if (whole < size) {
        uint8_t rest[BLOCK_BYTES] = {0};
        memcpy(rest, data + whole, (size_t)(size - whole));
        mix(lanes, rest);
    }
    uint64_t sum = size;
    for (int k = 0; k < 4; k++) {
        sum = (sum ^ lanes[k]) * prime;
        sum ^= sum >> 32;
    }
    return sum;
}
