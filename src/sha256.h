/* SHA-256 (FIPS 180-4). */
#ifndef ERYX_SHA256_H
#define ERYX_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

typedef struct sha256 {
    uint32_t state[8];
    uint64_t size; /* bytes so far */
    uint8_t block[64];
} sha256;

void sha256_begin(sha256 *hash);
void sha256_add(sha256 *hash, const uint8_t *data, size_t size);

/* The hash of all that was added; begin anew before adding more. */
void sha256_end(sha256 *hash, uint8_t out_digest[SHA256_BYTES]);

#endif
