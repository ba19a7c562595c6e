/*
 * Digests by the host's OpenSSL: service ASK_DIGESTS of ask.h.
 *
 * An operation does so many rounds of PBKDF2 as its number says, at most DIGESTS_MOST_ROUNDS: from
 * the key of the HMAC (DIGESTS_KEY_BYTES, with zeros behind what it is of), the message of the
 * first round, as long as the digest, and the sum so far, as long, it makes the last message and
 * the sum, which are what is written.
 */
#ifndef ERYX_PROTOCOL_DIGESTS_H
#define ERYX_PROTOCOL_DIGESTS_H

enum digests_operation {
    DIGESTS_SHA1 = 1,
    DIGESTS_SHA224 = 2,
    DIGESTS_SHA256 = 3,
    DIGESTS_SHA384 = 4,
    DIGESTS_SHA512 = 5,
};

enum digests_size {
    DIGESTS_KEY_BYTES = 128,
    DIGESTS_MOST_ROUNDS = 2048,
};

#endif
