#include "http_response.h"

#include <string.h>

enum {
    AT_BEGIN = 0, /* the state of a stream that is zeroed */
    IN_STATUS_LINE,
    IN_HEAD,
    IN_BODY,
    IN_CHUNK_SIZE,
    IN_CHUNK,
    IN_CHUNK_END,
    IN_TRAILER,
    UNTIL_CLOSE,
    UNKNOWN,
};

static const char protocol[] = "HTTP/1.";

/* Bits of the numbers that requests are counted in. */
#define MAX_OUTSTANDING 64u

void http_response_expect(http_response_stream *stream, bool is_head)
{
    if (stream->outstanding == MAX_OUTSTANDING) {
        http_response_give_up(stream);
        return;
    }
    stream->is_head |= (uint64_t)is_head << stream->outstanding++;
}

void http_response_expect_tunnel(http_response_stream *stream)
{
    http_response_expect(stream, false);
    if (stream->outstanding > 0) {
        stream->is_connect |= (uint64_t)1 << (stream->outstanding - 1);
    }
}

bool http_response_is_full(const http_response_stream *stream)
{
    return stream->outstanding == MAX_OUTSTANDING && stream->state < UNTIL_CLOSE;
}

void http_response_give_up(http_response_stream *stream)
{
    stream->state = UNKNOWN;
}

bool http_response_is_at_begin(const http_response_stream *stream)
{
    return stream->state == AT_BEGIN;
}

bool http_response_is_complete(const http_response_stream *stream)
{
    return stream->state == AT_BEGIN || stream->state == UNKNOWN;
}

static bool begins_with(const http_response_stream *stream, const char *name, const char **out_rest,
                        size_t *out_size)
{
    size_t size = strlen(name);
    if (stream->line_size < size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = stream->line[i];
        byte = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
        if (byte != (uint8_t)name[i]) {
            return false;
        }
    }
    const char *rest = (const char *)stream->line + size;
    size_t left = stream->line_size - size;
    while (left > 0 && (*rest == ' ' || *rest == '\t')) {
        rest++;
        left--;
    }
    while (left > 0 && (rest[left - 1] == ' ' || rest[left - 1] == '\t')) {
        left--;
    }
    *out_rest = rest;
    *out_size = left;
    return true;
}

static bool is_chunked(const char *text, size_t size)
{
    static const char chunked[] = "chunked";
    if (size != sizeof chunked - 1) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if ((text[i] | 0x20) != chunked[i]) {
            return false;
        }
    }
    return true;
}

static void take_length(http_response_stream *stream, const char *text, size_t size)
{
    uint64_t length = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || size > 18) {
            stream->is_odd = true;
            return;
        }
        length = length * 10 + (uint64_t)(text[i] - '0');
    }
    stream->is_odd |= size == 0 || (stream->has_length && stream->length != length);
    stream->has_length = true;
    stream->length = length;
}

static void take_status(http_response_stream *stream)
{
    const uint8_t *line = stream->line;
    if (stream->line_size < 12 || memcmp(line, protocol, 7) != 0 || line[8] != ' ') {
        http_response_give_up(stream);
        return;
    }
    uint32_t status = 0;
    for (size_t i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9') {
            http_response_give_up(stream);
            return;
        }
        status = status * 10 + (uint32_t)(line[i] - '0');
    }
    stream->status = (uint16_t)status;
    stream->is_chunked = stream->has_length = stream->is_odd = false;
    stream->length = 0;
    stream->state = IN_HEAD;
}

static void end_response(http_response_stream *stream)
{
    stream->state = AT_BEGIN;
    if (stream->outstanding > 0) {
        stream->outstanding--;
        stream->is_head >>= 1;
        stream->is_connect >>= 1;
    }
}

/* The empty line after a head. */
static void begin_body(http_response_stream *stream)
{
    bool is_head = stream->outstanding > 0 && (stream->is_head & 1) != 0;
    bool is_tunnel =
        stream->outstanding > 0 && (stream->is_connect & 1) != 0 && stream->status / 100 == 2;
    if (stream->status == 101 || (stream->is_odd && !is_tunnel)) {
        http_response_give_up(stream);
    } else if (stream->status < 200) {
        stream->state = AT_BEGIN;
    } else if (is_head || is_tunnel || stream->status == 204 || stream->status == 304) {
        end_response(stream);
    } else if (stream->is_chunked) {
        stream->state = IN_CHUNK_SIZE;
    } else if (!stream->has_length) {
        stream->state = UNTIL_CLOSE;
    } else if (stream->length > 0) {
        stream->state = IN_BODY;
        stream->left = stream->length;
    } else {
        end_response(stream);
    }
}

static void take_field(http_response_stream *stream)
{
    const char *rest;
    size_t size;
    if (begins_with(stream, "content-length:", &rest, &size)) {
        take_length(stream, rest, size);
    } else if (begins_with(stream, "transfer-encoding:", &rest, &size)) {
        stream->is_chunked = is_chunked(rest, size);
        stream->is_odd |= !stream->is_chunked;
    }
}

static void take_chunk_size(http_response_stream *stream)
{
    uint64_t size = 0;
    uint32_t digits = 0;
    for (; digits < stream->line_size && digits < 16; digits++) {
        uint8_t byte = stream->line[digits];
        uint8_t letter = byte | 0x20;
        if (byte >= '0' && byte <= '9') {
            size = size << 4 | (uint64_t)(byte - '0');
        } else if (letter >= 'a' && letter <= 'f') {
            size = size << 4 | (uint64_t)(letter - 'a' + 10);
        } else {
            break;
        }
    }
    if (digits == 0 || digits > 15) {
        http_response_give_up(stream);
        return;
    }
    stream->left = size;
    stream->state = size > 0 ? IN_CHUNK : IN_TRAILER;
}

static void take_line(http_response_stream *stream)
{
    if (stream->line_size > 0 && stream->line[stream->line_size - 1] == '\r') {
        stream->line_size--;
    }
    bool is_empty = stream->line_size == 0;
    switch (stream->state) {
    case IN_STATUS_LINE:
        take_status(stream);
        break;
    case IN_HEAD:
        if (is_empty) {
            begin_body(stream);
        } else {
            take_field(stream);
        }
        break;
    case IN_CHUNK_SIZE:
        take_chunk_size(stream);
        break;
    case IN_CHUNK_END:
        stream->state = is_empty ? IN_CHUNK_SIZE : UNKNOWN;
        break;
    default: /* IN_TRAILER */
        if (is_empty) {
            end_response(stream);
        }
        break;
    }
    stream->line_size = 0;
}

size_t http_response_next(http_response_stream *stream, const uint8_t *data, size_t size,
                          bool *out_is_text)
{
    *out_is_text = true;
    switch (stream->state) {
    case UNTIL_CLOSE:
    case UNKNOWN:
        return size;
    case IN_BODY:
    case IN_CHUNK: {
        size_t part = stream->left < size ? (size_t)stream->left : size;
        stream->left -= part;
        if (stream->left == 0) {
            if (stream->state == IN_BODY) {
                end_response(stream);
            } else {
                stream->state = IN_CHUNK_END;
            }
        }
        return part;
    }
    case AT_BEGIN:
        stream->state = IN_STATUS_LINE;
        stream->line_size = 0;
        break;
    default:
        break;
    }
    /* A line, or a part of one. */
    *out_is_text = stream->state != IN_CHUNK_SIZE && stream->state != IN_CHUNK_END;
    const uint8_t *end = memchr(data, '\n', size);
    size_t part = end != NULL ? (size_t)(end - data) : size;
    size_t room = HTTP_RESPONSE_LINE - stream->line_size;
    size_t kept = part < room ? part : room;
    memcpy(stream->line + stream->line_size, data, kept);
    stream->line_size += (uint32_t)kept;
    if (stream->state == IN_STATUS_LINE &&
        memcmp(stream->line, protocol, stream->line_size < 7 ? stream->line_size : 7) != 0) {
        /* No HTTP: of a line without an end nobody must wait for the rest. */
        http_response_give_up(stream);
        return end != NULL ? part + 1 : size;
    }
    if (end == NULL) {
        return size;
    }
    take_line(stream);
    return part + 1;
}
