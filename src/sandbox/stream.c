#include "sandbox/stream.h"

#include <stdbool.h>
#include <string.h>

#include "base/assertion.h"

/* Bytes of the sequence that a byte begins; 1 for all that begins none. */
static uint8_t sequence_length(uint8_t first)
{
    if (first >= 0xf0 && first < 0xf8) {
        return 4;
    }
    if (first >= 0xe0) {
        return first < 0xf0 ? 3 : 1;
    }
    return first >= 0xc0 ? 2 : 1;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* How many bytes at the end of data begin a sequence that data does not complete. */
static size_t incomplete_tail(const uint8_t *data, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        uint8_t byte = data[size - back];
        if (!is_continuation(byte)) {
            return sequence_length(byte) > back ? back : 0;
        }
    }
    return 0;
}

void stream_feed(stream_splitter *splitter, const uint8_t *data, size_t size, uint8_t out_first[4],
                 size_t *out_first_size, const uint8_t **out_rest, size_t *out_rest_size)
{
    *out_first_size = 0;
    if (splitter->held_size > 0) {
        while (size > 0 && splitter->held_size < splitter->expected && is_continuation(*data)) {
            splitter->held[splitter->held_size++] = *data++;
            size--;
        }
        bool complete = splitter->held_size == splitter->expected;
        if (complete || size > 0) {
            *out_first_size = stream_flush(splitter, out_first);
        }
    }
    size_t tail = incomplete_tail(data, size);
    if (tail > 0) {
        memcpy(splitter->held, data + size - tail, tail);
        splitter->held_size = (uint8_t)tail;
        splitter->expected = sequence_length(splitter->held[0]);
    }
    *out_rest = data;
    *out_rest_size = size - tail;
}

size_t stream_flush(stream_splitter *splitter, uint8_t out_rest[4])
{
    size_t size = splitter->held_size;
    eryx_assert(size <= sizeof splitter->held);
    memcpy(out_rest, splitter->held, size);
    splitter->held_size = 0;
    return size;
}
