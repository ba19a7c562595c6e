#define OPENSSL_SUPPRESS_DEPRECATED
#include "imports/eryx_digests.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "protocol/digests.h"

enum { TICKS_OF_ROUND = 40, REFUSED = -1 };

typedef union context {
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512;
} context;

typedef struct algorithm {
    uint32_t digest_bytes;
    uint32_t block_bytes;
    void (*begin)(context *self);
    void (*update)(context *self, const uint8_t *bytes, size_t size);
    void (*finish)(context *self, uint8_t *out);
} algorithm;

/* They fail for no input. */
#define ALGORITHM(name, member, prefix)                                                            \
    static void name##_begin(context *self)                                                        \
    {                                                                                              \
        (void)prefix##_Init(&self->member);                                                        \
    }                                                                                              \
    static void name##_update(context *self, const uint8_t *bytes, size_t size)                    \
    {                                                                                              \
        (void)prefix##_Update(&self->member, bytes, size);                                         \
    }                                                                                              \
    static void name##_finish(context *self, uint8_t *out)                                         \
    {                                                                                              \
        (void)prefix##_Final(out, &self->member);                                                  \
    }
ALGORITHM(sha1, sha1, SHA1)
ALGORITHM(sha224, sha256, SHA224)
ALGORITHM(sha256, sha256, SHA256)
ALGORITHM(sha384, sha512, SHA384)
ALGORITHM(sha512, sha512, SHA512)

#define ENTRY(name, digest_bytes, block_bytes)                                                     \
    {digest_bytes, block_bytes, name##_begin, name##_update, name##_finish}
static const algorithm algorithms[] = {
    [DIGESTS_SHA1] = ENTRY(sha1, 20, 64),      [DIGESTS_SHA224] = ENTRY(sha224, 28, 64),
    [DIGESTS_SHA256] = ENTRY(sha256, 32, 64),  [DIGESTS_SHA384] = ENTRY(sha384, 48, 128),
    [DIGESTS_SHA512] = ENTRY(sha512, 64, 128),
};

enum { MOST_DIGEST_BYTES = 64 };

/* What an operation begins with: the key, and behind it message and sum. */
typedef struct state {
    uint8_t key[DIGESTS_KEY_BYTES];
    uint8_t message_and_sum[2 * MOST_DIGEST_BYTES];
} state;

/* A digest that has read the key, combined with a byte. */
static context begin_with_key(const algorithm *digest, const uint8_t *key, uint8_t byte)
{
    uint8_t block[DIGESTS_KEY_BYTES];
    context made;
    for (uint32_t i = 0; i < digest->block_bytes; i++) {
        block[i] = key[i] ^ byte;
    }
    digest->begin(&made);
    digest->update(&made, block, digest->block_bytes);
    OPENSSL_cleanse(block, sizeof block);
    return made;
}

static void derive(const algorithm *digest, state *io_state, uint32_t rounds)
{
    uint8_t *message = io_state->message_and_sum;
    uint8_t *sum = message + digest->digest_bytes;
    context inner = begin_with_key(digest, io_state->key, 0x36);
    context outer = begin_with_key(digest, io_state->key, 0x5c);
    for (uint32_t round = 0; round < rounds; round++) {
        context next = inner;
        digest->update(&next, message, digest->digest_bytes);
        digest->finish(&next, message);
        next = outer;
        digest->update(&next, message, digest->digest_bytes);
        digest->finish(&next, message);
        for (uint32_t i = 0; i < digest->digest_bytes; i++) {
            sum[i] ^= message[i];
        }
    }
    OPENSSL_cleanse(&inner, sizeof inner);
    OPENSSL_cleanse(&outer, sizeof outer);
}

uint32_t eryx_digests_operation(guest_instance *instance, uint32_t operation, uint32_t number,
                                uint32_t data, uint32_t size, uint32_t out, uint32_t room)
{
    if (operation < DIGESTS_SHA1 || operation > DIGESTS_SHA512) {
        return (uint32_t)REFUSED;
    }
    const algorithm *digest = &algorithms[operation];
    uint32_t written = 2 * digest->digest_bytes;
    if (number > DIGESTS_MOST_ROUNDS || size != DIGESTS_KEY_BYTES + written || room < written) {
        return (uint32_t)REFUSED;
    }
    guest_charge(instance, (uint64_t)(number + 2) * TICKS_OF_ROUND);
    state copy = {.key = {0}};
    bool done = guest_read(instance, guest_at(data), &copy, size);
    if (done) {
        derive(digest, &copy, number);
        done = guest_write(instance, guest_at(out), copy.message_and_sum, written);
    }
    OPENSSL_cleanse(&copy, sizeof copy);
    return done ? written : (uint32_t)REFUSED;
}
