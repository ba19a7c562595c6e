#include "live/factory_file.h"

#include <libdeflate.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/status.h"
#include "guest_build.h"
#include "machine/image.h"

static const char magic[8] = {'E', 'R', 'Y', 'X', 'F', 'A', 'C', 'T'};
static const uint8_t build_id[IMAGE_BUILD_ID_BYTES] = GUEST_BUILD_ID;

enum {
    FORMAT_VERSION = 1,
    FLAG_KEYED = 1, /* the digest is an HMAC */
    PART_COUNT = 3,
    MOST_EXPANSION = 1032, /* of zlib's format: what a byte can stand for */
};

/* All numbers are little-endian; the digest, of this and of the data, and the data follow. */
typedef struct __attribute__((packed)) seal_header {
    char magic[8];
    uint16_t version;
    uint16_t flags;
    uint8_t build_id[IMAGE_BUILD_ID_BYTES];
    uint64_t data_size;
} seal_header;

enum { DATA_OFFSET = sizeof(seal_header) + SHA256_BYTES };

/* ---- The seal -------------------------------------------------------------------------------- */

static bool digest_of(const uint8_t *bytes, size_t size, const eryx_bytes *key,
                      uint8_t out_digest[SHA256_BYTES])
{
    if (key != NULL) {
        size_t length;
        return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key->data, key->size, bytes, size,
                         out_digest, SHA256_BYTES, &length) != NULL;
    }
    sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, bytes, size);
    sha256_end(&hash, out_digest);
    return true;
}

static eryx_status open_seal(uint8_t *bytes, size_t size, const eryx_bytes *key,
                             eryx_error *out_error)
{
    seal_header header;
    if (size < DATA_OFFSET) {
        return status_fail(ERYX_INITIALIZATION, out_error, "it is too short");
    }
    memcpy(&header, bytes, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "it is not a factory file");
    }
    if (header.version != FORMAT_VERSION || (header.flags & ~FLAG_KEYED) != 0) {
        return status_fail(ERYX_WRONG_BUILD, out_error,
                           "its format %u is not known to this version of eryx", header.version);
    }
    if (memcmp(header.build_id, build_id, sizeof build_id) != 0) {
        return status_fail(ERYX_WRONG_BUILD, out_error, "it was made by another build of eryx");
    }
    if (header.data_size != size - DATA_OFFSET) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "it is cut off or has something behind it");
    }
    bool keyed = (header.flags & FLAG_KEYED) != 0;
    if (keyed != (key != NULL)) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           keyed ? "it was made with a key" : "it was made without a key");
    }
    uint8_t said[SHA256_BYTES];
    uint8_t digest[SHA256_BYTES];
    memcpy(said, bytes + sizeof header, sizeof said);
    memmove(bytes + sizeof said, bytes, sizeof header); /* right before the data */
    if (!digest_of(bytes + sizeof said, size - sizeof said, key, digest)) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    if (CRYPTO_memcmp(said, digest, sizeof digest) != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           keyed ? "it was altered, or the key is another" : "it is damaged");
    }
    return ERYX_OK;
}

/* ---- The parts ------------------------------------------------------------------------------- */

static eryx_status check_sizes(const uint64_t sizes[PART_COUNT], size_t packed_size,
                               uint64_t max_bytes, uint64_t *out_total, eryx_error *out_error)
{
    uint64_t total = 0;
    for (int i = 0; i < PART_COUNT; i++) {
        if (sizes[i] > FACTORY_FILE_MAX_BYTES - total) {
            return status_fail(ERYX_INITIALIZATION, out_error, "it is too large");
        }
        total += sizes[i];
    }
    if (total > max_bytes) {
        return status_fail(ERYX_RESOURCE_LIMIT, out_error, "it needs %llu bytes, the limit is %llu",
                           (unsigned long long)total, (unsigned long long)max_bytes);
    }
    if (total / MOST_EXPANSION > packed_size) {
        return status_fail(ERYX_INITIALIZATION, out_error, "its sizes are wrong");
    }
    *out_total = total;
    return ERYX_OK;
}

static eryx_status inflate(const uint8_t *packed, size_t packed_size, size_t total,
                           uint8_t **out_parts, eryx_error *out_error)
{
    struct libdeflate_decompressor *unpacker = libdeflate_alloc_decompressor();
    uint8_t *parts = malloc(total > 0 ? total : 1);
    eryx_status status = ERYX_OK;
    if (unpacker == NULL || parts == NULL) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    } else {
        size_t taken = 0;
        size_t given = 0;
        enum libdeflate_result result = libdeflate_zlib_decompress_ex(unpacker, packed, packed_size,
                                                                      parts, total, &taken, &given);
        if (result != LIBDEFLATE_SUCCESS || taken != packed_size || given != total) {
            status = status_fail(ERYX_INITIALIZATION, out_error, "its sizes are wrong");
        }
    }
    libdeflate_free_decompressor(unpacker);
    if (status != ERYX_OK) {
        free(parts);
        return status;
    }
    *out_parts = parts;
    return ERYX_OK;
}

eryx_status factory_file_unpack(uint8_t *bytes, size_t size, const eryx_bytes *key,
                                uint64_t max_bytes, factory_file *out_file, eryx_error *out_error)
{
    eryx_status status = open_seal(bytes, size, key, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    uint64_t sizes[PART_COUNT];
    const uint8_t *data = bytes + DATA_OFFSET;
    size_t data_size = size - DATA_OFFSET;
    if (data_size < sizeof sizes) {
        return status_fail(ERYX_INITIALIZATION, out_error, "it has no parts");
    }
    memcpy(sizes, data, sizeof sizes);
    uint64_t total;
    status = check_sizes(sizes, data_size - sizeof sizes, max_bytes, &total, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    uint8_t *parts;
    status =
        inflate(data + sizeof sizes, data_size - sizeof sizes, (size_t)total, &parts, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    *out_file = (factory_file){
        .parts = parts,
        .packages = {parts + sizes[0], (size_t)sizes[1]},
        .frozen = {parts + sizes[0] + sizes[1], (size_t)sizes[2]},
    };
    return ERYX_OK;
}

void factory_file_free(factory_file *file)
{
    free(file->parts);
    file->parts = NULL;
}
