/*
 * Finds the values of secrets in bytes that come from the network, in all the forms of
 * redact_forms.h, and covers them with "*". Time is proportional to the bytes, however they look.
 */
#ifndef ERYX_REDACT_H
#define ERYX_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eryx/eryx.h"

/* What is looked for: all forms of all values. Never changed after it was made; threads: any. */
typedef struct redact_matcher redact_matcher;

/* Makes one. values: by the index of the secret; copied. out_matcher: freed with
 * redact_matcher_destroy(). False without memory. */
bool redact_matcher_create(const eryx_bytes *values, size_t count, redact_matcher **out_matcher);

/* Wipes and frees it. NULL is allowed. */
void redact_matcher_destroy(redact_matcher *matcher);

/* The most that a stream holds back; more is let through. */
#define REDACT_MAX_HELD ((size_t)1 << 20)

/*
 * The bytes of one direction of a connection. They are text, in which values are looked for, and
 * framing (such as the sizes of chunks), which lies between them and is left alone.
 */
typedef struct redact_stream {
    uint32_t state;
    uint8_t *held; /* bytes that are not released, and whether each is text */
    bool *is_text;
    size_t begin; /* of what is held */
    size_t ready; /* up to here they are released */
    size_t end;
    size_t text; /* bytes of text between ready and end */
    uint64_t text_total;
    uint64_t covered_begin; /* the bytes of text that were covered last */
    uint64_t covered_end;
    size_t allocated;
} redact_stream;

/*
 * Takes bytes. active: by the index of the secret, which ones are looked for.
 * False without memory; the stream is then as it was.
 */
bool redact_feed(redact_stream *stream, const redact_matcher *matcher, const bool *active,
                 const uint8_t *data, size_t size, bool is_text);

/* Releases all that is held, and begins anew: nothing that is found reaches over this place. */
void redact_release(redact_stream *stream);

/* How many bytes can be taken. */
size_t redact_available(const redact_stream *stream);

/* Takes up to room of them. Returns how many. */
size_t redact_take(redact_stream *stream, uint8_t *out, size_t room);

/* Frees what it holds; it is then as after zeroing. */
void redact_stream_free(redact_stream *stream);

#endif
