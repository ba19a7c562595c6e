/*
 * What a run writes, kept under one cap for both streams. Over the cap a stream keeps its head and
 * its tail and counts what fell out between, so host memory stays flat however much is printed.
 */
#ifndef ERYX_SANDBOX_OUTPUT_H
#define ERYX_SANDBOX_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eryx/eryx.h"

typedef struct output_stream {
    uint8_t *data;
    size_t size; /* bytes kept, in order until the cap is hit */
    size_t allocated;
    bool cut;         /* the cap was hit: data is head, then a ring of the tail */
    size_t head_size; /* when cut */
    size_t tail_next; /* when cut: where in the ring the next byte goes */
    uint64_t dropped;
} output_stream;

typedef struct output_buffer {
    output_stream streams[2];
    uint64_t cap;
} output_buffer;

/* Empties both streams. cap: bytes for both together; ERYX_UNLIMITED for none. Keeps small
 * allocations. */
void output_begin(output_buffer *buffer, uint64_t cap);

/* Frees the memory. */
void output_free(output_buffer *buffer);

/* Adds to stream 1 or 2. Without host memory the bytes count as dropped. */
void output_append(output_buffer *buffer, int stream, const uint8_t *data, size_t size);

/* Puts head and tail in order. The bytes are valid until output_begin() or output_free(). */
eryx_bytes output_finish(output_buffer *buffer, int stream);

#endif
