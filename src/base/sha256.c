#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/sha256.h"

void sha256_begin(sha256 *hash)
{
    SHA256_Init(hash);
}

void sha256_add(sha256 *hash, const uint8_t *data, size_t size)
{
    SHA256_Update(hash, data, size);
}

void sha256_end(sha256 *hash, uint8_t out_digest[SHA256_BYTES])
{
    SHA256_Final(out_digest, hash);
}
