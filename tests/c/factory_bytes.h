/* Factory files for tests (src/live/factory_file.h), written byte by byte, so that they can also be
 * wrong. */
#ifndef ERYX_FACTORY_BYTES_H
#define ERYX_FACTORY_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/sha256.h"
#include "eryx/eryx.h"
#include "guest_build.h"

enum {
    FACTORY_VERSION = 8,
    FACTORY_FLAGS = 10,
    FACTORY_BUILD_ID = 12,
    FACTORY_SIZE = 44,
    FACTORY_DIGEST = 52,
    FACTORY_SIZES = 84, /* where the data begins */
    FACTORY_PACKED = 108,
    FACTORY_BLOCK = 65535, /* the most that a stored block has */
};

static inline void factory_put(uint8_t *place, uint64_t number, size_t width)
{
    memcpy(place, &number, width); /* little-endian, like the format */
}

/* Writes the header and the digest over what is there. size: of the whole file. */
static inline void factory_seal(uint8_t *bytes, size_t size)
{
    static const uint8_t build_id[] = GUEST_BUILD_ID;
    memset(bytes, 0, FACTORY_SIZES);
    memcpy(bytes, "ERYXFACT", 8);
    factory_put(bytes + FACTORY_VERSION, 1, 2);
    memcpy(bytes + FACTORY_BUILD_ID, build_id, sizeof build_id);
    factory_put(bytes + FACTORY_SIZE, size - FACTORY_SIZES, 8);
    sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, bytes, FACTORY_DIGEST);
    sha256_add(&hash, bytes + FACTORY_SIZES, size - FACTORY_SIZES);
    sha256_end(&hash, bytes + FACTORY_DIGEST);
}

/* Room for a file of that many bytes in its parts. */
static inline size_t factory_room(size_t plain_size)
{
    return FACTORY_PACKED + 6 + plain_size + 5 * (plain_size / FACTORY_BLOCK + 1);
}

/* Writes a file of three parts, which are not compressed. Returns its size. */
static inline size_t factory_build(uint8_t *bytes, const eryx_bytes parts[3])
{
    uint32_t low = 1; /* Adler-32 */
    uint32_t high = 0;
    size_t left = parts[0].size + parts[1].size + parts[2].size;
    uint8_t *to = bytes + FACTORY_PACKED;
    *to++ = 0x78; /* zlib */
    *to++ = 0x01;
    size_t part = 0;
    size_t at = 0;
    do { /* stored blocks */
        size_t length = left < FACTORY_BLOCK ? left : FACTORY_BLOCK;
        left -= length;
        *to++ = left == 0;
        factory_put(to, length, 2);
        factory_put(to + 2, ~length, 2);
        to += 4;
        for (size_t i = 0; i < length; i++) {
            while (at == parts[part].size) {
                part++;
                at = 0;
            }
            *to = parts[part].data[at++];
            low = (low + *to++) % 65521;
            high = (high + low) % 65521;
        }
    } while (left > 0);
    const uint8_t end[] = {(uint8_t)(high >> 8), (uint8_t)high, (uint8_t)(low >> 8), (uint8_t)low};
    memcpy(to, end, sizeof end);
    for (size_t i = 0; i < 3; i++) {
        factory_put(bytes + FACTORY_SIZES + 8 * i, parts[i].size, 8);
    }
    size_t size = (size_t)(to - bytes) + sizeof end;
    factory_seal(bytes, size);
    return size;
}

#endif
