/*
 * Finds the values of secrets in bytes that come from the network, in all the forms of
 * redact_forms.h, also where line breaks were put into them, and covers them with "*". Time is
 * proportional to the bytes, however they look.
 */
#ifndef ERYX_SECRETS_REDACT_H
#define ERYX_SECRETS_REDACT_H

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

/* A way to read a stream: where the automaton is, and which of the bytes read were covered last. */
typedef struct redact_view {
    uint32_t state;
    uint64_t total; /* bytes read */
    uint64_t covered_begin;
    uint64_t covered_end;
} redact_view;

/*
 * The bytes of one direction of a connection. They are text, in which values are looked for, and
 * framing (such as the sizes of chunks), which lies between them and is left alone.
 *
 * Text is read as it is, and also without line breaks, as Base64 is often wrapped ("\\n" of a JSON
 * text is one, too). The two differ only behind a line break that a form was cut by; else nothing
 * is done twice.
 */
typedef struct redact_stream {
    redact_view plain;
    redact_view joined;
    bool is_apart;             /* a line break is in what one of the two has begun; if not, the
                                  state of joined is that of plain */
    uint8_t breaks;            /* in a row, up to one more than allowed */
    uint64_t since_break;      /* other bytes since the last one */
    bool is_after_backslash;   /* which may turn out to be a line break's; */
    uint8_t breaks_before;     /* what breaks and */
    uint32_t before_backslash; /* the state of joined were before it */
    uint8_t *held;             /* bytes that are not released, */
    uint8_t *classes;          /* and what each is: see redact.c */
    size_t begin;              /* of what is held */
    size_t ready;              /* up to here they are released */
    size_t end;
    size_t text;  /* bytes of text between ready and end, */
    size_t solid; /* and those of them that are in no line break */
    size_t allocated;
} redact_stream;

/* So many in a row, counting "\r\n" as two, lie within a form; more end it. */
#define REDACT_MAX_BREAKS 2u

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

/* Whether there are bytes that can't be taken yet. */
bool redact_is_holding(const redact_stream *stream);

/* Takes up to room of them. Returns how many. */
size_t redact_take(redact_stream *stream, uint8_t *out, size_t room);

/* Frees what it holds; it is then as after zeroing. */
void redact_stream_free(redact_stream *stream);

#endif
