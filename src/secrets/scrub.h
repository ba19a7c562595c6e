/* Takes placeholders of secrets out of what the guest writes and reports. */
#ifndef ERYX_SECRETS_SCRUB_H
#define ERYX_SECRETS_SCRUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secrets/placeholder.h"

/* What is written in their place. */
#define SCRUB_MARK "[REDACTED]"
#define SCRUB_MARK_SIZE (sizeof SCRUB_MARK - 1)

/* A stream whose pieces may end in the middle of a placeholder. Zeroed at its start. */
typedef struct scrub_stream {
    uint8_t held[PLACEHOLDER_SIZE]; /* the start of what may become one */
    size_t held_size;
} scrub_stream;

/* Whether there is a placeholder in data. */
bool scrub_is_needed(const placeholder_set *set, const uint8_t *data, size_t size);

/* Copies data with the mark for each placeholder. out: room for size bytes. Returns the bytes
 * written, at most size. */
size_t scrub_text(const placeholder_set *set, const uint8_t *data, size_t size, uint8_t *out);

/* Does the same in place, with each mark filled up with "*" to the length of a placeholder. */
void scrub_same_length(const placeholder_set *set, uint8_t *data, size_t size);

/* Whether scrub_feed() would give these bytes as they are and hold none. */
bool scrub_passes(const scrub_stream *stream, const placeholder_set *set, const uint8_t *data,
                  size_t size);

/*
 * Takes the next bytes of a stream and gives those that can be handed on.
 * out: room for size + PLACEHOLDER_SIZE bytes. Returns the bytes written.
 */
size_t scrub_feed(scrub_stream *stream, const placeholder_set *set, const uint8_t *data,
                  size_t size, uint8_t *out);

/* Gives what is held at the end of the stream. Returns the bytes written to out. */
size_t scrub_flush(scrub_stream *stream, uint8_t out[PLACEHOLDER_SIZE]);

#endif
