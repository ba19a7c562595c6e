#include "secrets/http_response.h"

#include <string.h>

enum {
    AT_BEGIN = 0, /* the state of a stream that is zeroed */
    IN_HEAD,
    IN_BODY,
    IN_FRAMING, /* up to the end of the line with the size of a chunk */
    IN_CHUNK,
    IN_TRAILER,
    UNTIL_CLOSE,
    UNKNOWN,
};

/* Bits of the numbers that requests are counted in. */
#define MAX_OUTSTANDING 64u

/* Lengths and chunks that are longer are none. */
#define MAX_LENGTH 999999999999999999u

static int pause_reading(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_headers_complete = pause_reading,
    .on_chunk_header = pause_reading,
    .on_message_complete = pause_reading,
};

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

/* What clients are known to understand, and no more than that. */
static void begin_response(http_response_stream *stream)
{
    llhttp_t *parser = &stream->parser;
    llhttp_init(parser, HTTP_RESPONSE, &settings);
    llhttp_set_lenient_headers(parser, 1);
    llhttp_set_lenient_chunked_length(parser, 1);
    llhttp_set_lenient_optional_cr_before_lf(parser, 1);
    llhttp_set_lenient_spaces_after_chunk_size(parser, 1);
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

/* After a head. */
static void begin_body(http_response_stream *stream)
{
    llhttp_t *parser = &stream->parser;
    bool is_head = stream->outstanding > 0 && (stream->is_head & 1) != 0;
    bool is_tunnel =
        stream->outstanding > 0 && (stream->is_connect & 1) != 0 && parser->status_code / 100 == 2;
    bool is_coded = (parser->flags & F_TRANSFER_ENCODING) != 0;
    bool is_chunked = (parser->flags & F_CHUNKED) != 0;
    bool has_length = (parser->flags & F_CONTENT_LENGTH) != 0;
    bool is_empty = is_head || parser->status_code == 204 || parser->status_code == 304;
    if (is_tunnel) {
        end_response(stream);
    } else if (parser->status_code == 101 || (is_coded && !is_chunked) ||
               (has_length && parser->content_length > MAX_LENGTH)) {
        http_response_give_up(stream);
    } else if (parser->status_code < 200) {
        stream->state = AT_BEGIN;
    } else if (is_empty || (has_length && !is_chunked && parser->content_length == 0)) {
        end_response(stream);
    } else if (is_chunked) {
        parser->upgrade = 0;
        llhttp_resume(parser);
        stream->state = IN_FRAMING;
    } else if (has_length) {
        stream->state = IN_BODY;
        stream->left = parser->content_length;
    } else {
        stream->state = UNTIL_CLOSE;
    }
}

/* llhttp has stopped at one of the places that settings name. */
static void go_on(http_response_stream *stream)
{
    switch (stream->state) {
    case IN_HEAD:
        begin_body(stream);
        break;
    case IN_FRAMING:
        llhttp_resume(&stream->parser);
        stream->state = stream->parser.content_length > 0 ? IN_CHUNK : IN_TRAILER;
        break;
    default: /* IN_TRAILER */
        end_response(stream);
        break;
    }
}

/* Lets llhttp read. Returns how many bytes it has taken; all of them if they are not understood. */
static size_t read_bytes(http_response_stream *stream, const uint8_t *data, size_t size)
{
    llhttp_errno_t error = llhttp_execute(&stream->parser, (const char *)data, size);
    if (error == HPE_OK) {
        return size;
    }
    size_t taken = (size_t)((const uint8_t *)llhttp_get_error_pos(&stream->parser) - data);
    if (error != HPE_PAUSED || stream->parser.content_length > MAX_LENGTH) {
        http_response_give_up(stream);
        return size;
    }
    go_on(stream);
    return taken;
}

size_t http_response_next(http_response_stream *stream, const uint8_t *data, size_t size,
                          bool *out_is_text)
{
    *out_is_text = true;
    uint64_t left;
    switch (stream->state) {
    case AT_BEGIN:
        begin_response(stream);
        if (data[0] != 'H') {
            /* No HTTP, and nobody must wait for the rest of a line. */
            http_response_give_up(stream);
            return size;
        }
        return read_bytes(stream, data, size);
    case IN_HEAD:
    case IN_TRAILER:
        return read_bytes(stream, data, size);
    case IN_BODY:
        size = stream->left < size ? (size_t)stream->left : size;
        stream->left -= size;
        if (stream->left == 0) {
            end_response(stream);
        }
        return size;
    case IN_CHUNK:
        left = stream->parser.content_length;
        size = left < size ? (size_t)left : size;
        size = read_bytes(stream, data, size);
        if (stream->state == IN_CHUNK && size == left) {
            stream->state = IN_FRAMING;
        }
        return size;
    case IN_FRAMING:
        size = read_bytes(stream, data, size);
        /* What is none is text: a value may be in it. */
        *out_is_text = stream->state == UNKNOWN;
        return size;
    default:
        return size;
    }
}
