/*
 * SHA-256 by OpenSSL: those of its functions that allocate nothing and so cannot fail, which is why
 * they are used although it recommends others.
 */
#ifndef ERYX_BASE_SHA256_H
#define ERYX_BASE_SHA256_H

#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES SHA256_DIGEST_LENGTH

typedef SHA256_CTX sha256;

void sha256_begin(sha256 *hash);
void sha256_add(sha256 *hash, const uint8_t *data, size_t size);

/* The hash of all that was added; begin anew before adding more. */
void sha256_end(sha256 *hash, uint8_t out_digest[SHA256_BYTES]);

#endif
