/* Factory files for tests (src/factory_file.h), written byte by byte, so that they can also be
 * wrong. */
#ifndef ERYX_FACTORY_BYTES_H
#define ERYX_FACTORY_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "guest_build.h"
#include "sha256.h"

enum {
    FACTORY_VERSION = 8,
    FACTORY_FLAGS = 10,
    FACTORY_BUILD_ID = 12,
    FACTORY_SIZE = 44,
    FACTORY_DIGEST = 52,
    FACTORY_SIZES = 84, /* where the data begins */
    FACTORY_PACKED = 108,
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

/* A file of three texts, not compressed, so each below 64 KiB together. Returns its size. */
static inline size_t factory_build(uint8_t *bytes, const char *const texts[3])
{
    uint8_t *plain = bytes + FACTORY_PACKED + 7;
    size_t size = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(texts[i]);
        memcpy(plain + size, texts[i], length);
        factory_put(bytes + FACTORY_SIZES + 8 * i, length, 8);
        size += length;
    }
    uint32_t low = 1; /* Adler-32 */
    uint32_t high = 0;
    for (size_t i = 0; i < size; i++) {
        low = (low + plain[i]) % 65521;
        high = (high + low) % 65521;
    }
    static const uint8_t begin[] = {0x78, 0x01, 0x01}; /* zlib; the last block, stored */
    memcpy(bytes + FACTORY_PACKED, begin, sizeof begin);
    factory_put(bytes + FACTORY_PACKED + 3, size, 2);
    factory_put(bytes + FACTORY_PACKED + 5, ~size, 2);
    const uint8_t end[] = {(uint8_t)(high >> 8), (uint8_t)high, (uint8_t)(low >> 8), (uint8_t)low};
    memcpy(plain + size, end, sizeof end);
    size_t whole = FACTORY_PACKED + 7 + size + sizeof end;
    factory_seal(bytes, whole);
    return whole;
}

#endif
