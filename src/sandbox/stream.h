/* Cuts a stream of bytes so that no piece ends in the middle of a UTF-8 sequence. */
#ifndef ERYX_SANDBOX_STREAM_H
#define ERYX_SANDBOX_STREAM_H

#include <stddef.h>
#include <stdint.h>

typedef struct stream_splitter {
    uint8_t held[4]; /* begin of a sequence whose rest has not come yet */
    uint8_t held_size;
    uint8_t expected; /* bytes of that sequence */
} stream_splitter;

/*
 * Takes the next bytes of the stream. *out_first is the held sequence if these bytes complete it
 * (or break it), and *out_rest what can be handed on of data; both may be empty. What is left is
 * held. out_first lives until the next call.
 */
void stream_feed(stream_splitter *splitter, const uint8_t *data, size_t size, uint8_t out_first[4],
                 size_t *out_first_size, const uint8_t **out_rest, size_t *out_rest_size);

/* Gives what is held at the end of the stream: up to 3 bytes. */
size_t stream_flush(stream_splitter *splitter, uint8_t out_rest[4]);

#endif
