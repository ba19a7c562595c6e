#include "sandbox/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"

/* A stream may have this much even when the other one has flooded the cap. */
#define OTHER_STREAM_BYTES ((uint64_t)64 << 10)

/* An allocation up to this size is kept for the next run. */
#define KEPT_BYTES ((size_t)16 << 10)

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void output_begin(output_buffer *buffer, uint64_t cap)
{
    buffer->cap = cap;
    for (int i = 0; i < 2; i++) {
        output_stream *stream = &buffer->streams[i];
        if (stream->allocated > KEPT_BYTES) {
            free(stream->data);
            *stream = (output_stream){0};
        }
        *stream = (output_stream){.data = stream->data, .allocated = stream->allocated};
    }
}

void output_free(output_buffer *buffer)
{
    for (int i = 0; i < 2; i++) {
        free(buffer->streams[i].data);
        buffer->streams[i] = (output_stream){0};
    }
}

static bool reserve(output_stream *stream, size_t needed)
{
    if (needed <= stream->allocated) {
        return true;
    }
    size_t size = stream->allocated < 1024 ? 1024 : stream->allocated;
    while (size < needed) {
        size = size > SIZE_MAX / 2 ? needed : size * 2;
    }
    uint8_t *data = realloc(stream->data, size);
    if (data == NULL) {
        return false;
    }
    stream->data = data;
    stream->allocated = size;
    return true;
}

/* How much of the stream is kept. */
static uint64_t share_of(const output_buffer *buffer, int index)
{
    uint64_t other = smaller(buffer->streams[1 - index].size, buffer->cap);
    return larger(buffer->cap - other, smaller(buffer->cap / 8, OTHER_STREAM_BYTES));
}

/* The stream has size bytes from now on: a head, and a ring that the tail goes round in. */
static void cut(output_stream *stream, uint64_t share)
{
    size_t kept = (size_t)smaller(stream->size, share);
    stream->dropped += stream->size - kept;
    stream->size = kept;
    stream->head_size = kept - kept / 2;
    stream->tail_next = stream->head_size;
    stream->cut = true;
}

static void append_to_tail(output_stream *stream, const uint8_t *data, size_t size)
{
    size_t ring = stream->size - stream->head_size;
    eryx_assert(stream->size <= stream->allocated && stream->head_size <= stream->tail_next &&
                stream->tail_next <= stream->size);
    stream->dropped += size;
    if (size > ring) {
        data += size - ring;
        size = ring;
    }
    while (size > 0) {
        size_t part = (size_t)smaller(size, stream->size - stream->tail_next);
        memcpy(stream->data + stream->tail_next, data, part);
        data += part;
        size -= part;
        stream->tail_next += part;
        if (stream->tail_next == stream->size) {
            stream->tail_next = stream->head_size;
        }
    }
}

void output_append(output_buffer *buffer, int stream_number, const uint8_t *data, size_t size)
{
    output_stream *stream = &buffer->streams[stream_number - 1];
    if (!stream->cut) {
        uint64_t share = share_of(buffer, stream_number - 1);
        size_t room = share > stream->size ? (size_t)smaller(share - stream->size, size) : 0;
        if (!reserve(stream, stream->size + room)) {
            stream->dropped += size;
            return;
        }
        if (room > 0) {
            memcpy(stream->data + stream->size, data, room);
            stream->size += room;
            data += room;
            size -= room;
        }
        if (size == 0) {
            return;
        }
        cut(stream, share);
    }
    append_to_tail(stream, data, size);
}

static void reverse(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        uint8_t byte = data[i];
        data[i] = data[size - 1 - i];
        data[size - 1 - i] = byte;
    }
}

/* Makes the byte at first the first of all. By three reversals, byte by byte, without memory for
 * the shorter part. */
static void rotate(uint8_t *data, size_t size, size_t first)
{
    if (first == 0) {
        return;
    }
    size_t rest = size - first;
    uint8_t *aside = malloc(first < rest ? first : rest);
    if (aside == NULL) {
        reverse(data, first);
        reverse(data + first, rest);
        reverse(data, size);
    } else if (first < rest) {
        memcpy(aside, data, first);
        memmove(data, data + first, rest);
        memcpy(data + rest, aside, first);
    } else {
        memcpy(aside, data + first, rest);
        memmove(data + rest, data, first);
        memcpy(data, aside, rest);
    }
    free(aside);
}

eryx_bytes output_finish(output_buffer *buffer, int stream_number)
{
    output_stream *stream = &buffer->streams[stream_number - 1];
    if (stream->cut) {
        /* Turn the ring so that its oldest byte comes first. */
        rotate(stream->data + stream->head_size, stream->size - stream->head_size,
               stream->tail_next - stream->head_size);
        stream->tail_next = stream->head_size;
    }
    static const uint8_t nothing;
    return (eryx_bytes){stream->data != NULL ? stream->data : &nothing, stream->size};
}
