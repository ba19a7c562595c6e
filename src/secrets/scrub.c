#include "secrets/scrub.h"

#include <string.h>

bool scrub_is_needed(const placeholder_set *set, const uint8_t *data, size_t size)
{
    size_t at;
    size_t index;
    return placeholder_find(set, data, size, &at, &index);
}

size_t scrub_text(const placeholder_set *set, const uint8_t *data, size_t size, uint8_t *out)
{
    uint8_t *next = out;
    size_t at;
    size_t index;
    while (placeholder_find(set, data, size, &at, &index)) {
        memmove(next, data, at);
        next += at;
        memcpy(next, SCRUB_MARK, SCRUB_MARK_SIZE);
        next += SCRUB_MARK_SIZE;
        data += at + PLACEHOLDER_SIZE;
        size -= at + PLACEHOLDER_SIZE;
    }
    if (size > 0) {
        memmove(next, data, size);
    }
    return (size_t)(next - out) + size;
}

void scrub_same_length(const placeholder_set *set, uint8_t *data, size_t size)
{
    size_t at;
    size_t index;
    while (placeholder_find(set, data, size, &at, &index)) {
        memset(data + at, '*', PLACEHOLDER_SIZE);
        memcpy(data + at, SCRUB_MARK, SCRUB_MARK_SIZE);
        data += at + PLACEHOLDER_SIZE;
        size -= at + PLACEHOLDER_SIZE;
    }
}

bool scrub_passes(const scrub_stream *stream, const placeholder_set *set, const uint8_t *data,
                  size_t size)
{
    return stream->held_size == 0 && placeholder_tail(set, data, size) == 0 &&
           !scrub_is_needed(set, data, size);
}

size_t scrub_feed(scrub_stream *stream, const placeholder_set *set, const uint8_t *data,
                  size_t size, uint8_t *out)
{
    size_t joined = stream->held_size + size;
    memcpy(out, stream->held, stream->held_size);
    if (size > 0) {
        memcpy(out + stream->held_size, data, size);
    }
    /* In place: what is written is never longer than what has been read. */
    size_t written = scrub_text(set, out, joined, out);
    /* No placeholder ends in what is left, so the tail is never part of a mark. */
    size_t tail = placeholder_tail(set, out, written);
    memcpy(stream->held, out + written - tail, tail);
    stream->held_size = tail;
    return written - tail;
}

size_t scrub_flush(scrub_stream *stream, uint8_t out[PLACEHOLDER_SIZE])
{
    size_t size = stream->held_size;
    memcpy(out, stream->held, size);
    stream->held_size = 0;
    return size;
}
