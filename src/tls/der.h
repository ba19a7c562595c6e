/*
 * Reading DER, as far as one has to look at what OpenSSL is about to decode. Stricter than OpenSSL:
 * what is read here means the same there.
 */
#ifndef ERYX_TLS_DER_H
#define ERYX_TLS_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OBJECT = 0x06,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT_0 = 0xa0, /* [0], constructed */
};

/* Bytes that are left to be read; somebody else's. */
typedef struct der {
    const uint8_t *data;
    size_t size;
} der;

/* Takes the next element, which must have that tag, off io: its contents. False, and nothing is
 * taken, if it is another one, is malformed or does not end within io. */
bool tls_der_take(der *io, uint8_t tag, der *out_contents);

/* Takes the next element if it has that tag; there may be none. False if it is malformed. */
bool tls_der_skip_optional(der *io, uint8_t tag);

/* The same, and whatever is there must be one element that ends with the bytes. */
bool tls_der_only(const uint8_t *data, size_t size, uint8_t tag, der *out_contents);

#endif
