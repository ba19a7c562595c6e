/*
 * Text that grows, and values in it as JSON: what the guest's ssl module is told about a session
 * and its certificates. A failure for lack of memory is remembered and shows at the end.
 */
#ifndef ERYX_TLS_TEXT_H
#define ERYX_TLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most that a text may grow to; then it fails as without memory. */
#define TLS_MAX_TEXT_BYTES ((size_t)1 << 20)

typedef struct tls_text {
    char *data; /* owned; not terminated; freed with tls_text_clear() */
    size_t size;
    size_t capacity;
    bool failed;
} tls_text;

void tls_text_clear(tls_text *text);

/* Adds bytes as they are. */
void tls_text_add(tls_text *text, const char *bytes, size_t size);

/* Adds a terminated text as it is. */
void tls_text_put(tls_text *text, const char *terminated);

/* Adds a string with its quotes. Bytes that are not UTF-8 are written as the characters of the same
 * numbers. */
void tls_text_string(tls_text *text, const char *bytes, size_t size);

/* The same for a terminated text; null for NULL. */
void tls_text_string_or_null(tls_text *text, const char *terminated);

void tls_text_number(tls_text *text, int64_t number);

#endif
