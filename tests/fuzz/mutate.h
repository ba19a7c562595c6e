/* Changes to a sound file, so that more of it is read than the first wrong byte. */
#ifndef ERYX_MUTATE_H
#define ERYX_MUTATE_H

#include "fuzz.h"

/* A number that is likely to matter: small, at a power of two, or as large as it gets. */
static inline uint64_t mutate_number(fuzz_input *input)
{
    switch (fuzz_below(input, 6)) {
    case 0:
        return fuzz_number(input, 8);
    case 1:
        return UINT64_MAX - fuzz_below(input, 16);
    case 2:
        return (UINT64_C(1) << fuzz_below(input, 64)) - fuzz_below(input, 2);
    case 3:
        return fuzz_below(input, 70000);
    default:
        return fuzz_below(input, 12);
    }
}

/* Changes size bytes at data, which has room for capacity, from first on, a few times. Returns the
 * new size. */
static inline size_t mutate_bytes(fuzz_input *input, uint8_t *data, size_t first, size_t size,
                                  size_t capacity)
{
    for (uint32_t i = 1 + fuzz_below(input, 6); i > 0 && size > first + 8; i--) {
        size_t at = first + fuzz_below(input, (uint32_t)(size - first - 8));
        uint64_t number = mutate_number(input);
        size_t length = 1 + fuzz_below(input, 64);
        switch (fuzz_below(input, 8)) {
        case 0:
            data[at] ^= (uint8_t)(1u << (number & 7));
            break;
        case 1: /* cut something out */
            length = length < size - at ? length : size - at;
            memmove(data + at, data + at + length, size - at - length);
            size -= length;
            break;
        case 2: /* put something in twice */
            length = length < size - at ? length : size - at;
            length = length < capacity - size ? length : capacity - size;
            memmove(data + at + length, data + at, size - at);
            size += length;
            break;
        case 3: /* cut the end off */
            size = at;
            break;
        case 4:
            memcpy(data + at, &number, 4);
            break;
        case 5:
            data[at] = (uint8_t)number;
            break;
        default:
            memcpy(data + at, &number, sizeof number);
            break;
        }
    }
    return size;
}

#endif
