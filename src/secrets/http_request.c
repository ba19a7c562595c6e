#include "secrets/http_request.h"

#include <string.h>

/* Chunks and lengths that are longer are none. */
#define MAX_LENGTH 999999999999999999u

enum {
    AT_BEGIN = 0, /* of a request; the state of a stream that is zeroed */
    IN_HEAD,
    AFTER_HEAD, /* http_request_begin_body() has to be called */
    IN_BODY,
    IN_CHUNKS,
    UNKNOWN,
    HTTP2,
};

/* ---- In pieces: stricter than llhttp --------------------------------------------------------- */

static uint64_t offset_of(const http_request_stream *stream, const char *at)
{
    return stream->before + (uint64_t)((const uint8_t *)at - stream->data);
}

/* One space before it, and nothing that is not ASCII in it. */
static int take_target(llhttp_t *parser, const char *at, size_t size)
{
    http_request_stream *stream = parser->data;
    uint64_t begin = strlen(llhttp_method_name(parser->method)) + 1;
    if (stream->target_end == 0 && offset_of(stream, at) != begin) {
        return HPE_USER;
    }
    for (size_t i = 0; i < size; i++) {
        if (at[i] <= ' ' || at[i] >= 0x7f) {
            return HPE_USER;
        }
    }
    stream->target_end = offset_of(stream, at) + size;
    return 0;
}

/* "HTTP/" and one space before it. */
static int take_version(llhttp_t *parser, const char *at, size_t size)
{
    http_request_stream *stream = parser->data;
    uint64_t begin = stream->target_end + strlen(" HTTP/");
    uint64_t end = begin + strlen("1.1");
    uint64_t offset = offset_of(stream, at);
    return offset >= begin && offset + size <= end ? 0 : HPE_USER;
}

static int end_version(llhttp_t *parser)
{
    http_request_stream *stream = parser->data;
    stream->has_first_line = true;
    return parser->http_major == 1 && parser->http_minor <= 1 ? 0 : HPE_USER;
}

/* Whether it may become another protocol is for others to say. */
static int end_head(llhttp_t *parser)
{
    http_request_stream *stream = parser->data;
    parser->upgrade = 0;
    return stream->has_first_line ? HPE_PAUSED : HPE_USER;
}

static int refuse_extension(llhttp_t *parser, const char *at, size_t size)
{
    (void)parser, (void)at, (void)size;
    return HPE_USER;
}

static int begin_chunk(llhttp_t *parser)
{
    return parser->content_length <= MAX_LENGTH ? 0 : HPE_USER;
}

static int pause_reading(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t stream_settings = {
    .on_url = take_target,
    .on_version = take_version,
    .on_version_complete = end_version,
    .on_headers_complete = end_head,
    .on_chunk_extension_name = refuse_extension,
    .on_chunk_header = begin_chunk,
    .on_message_complete = pause_reading,
};

/* Lets llhttp read. Gives what it says, and how many bytes it has taken. */
static llhttp_errno_t read_bytes(http_request_stream *stream, const uint8_t *data, size_t size,
                                 size_t *out_taken)
{
    stream->parser.data = stream;
    stream->data = data;
    llhttp_errno_t error = llhttp_execute(&stream->parser, (const char *)data, size);
    const uint8_t *end = (const uint8_t *)llhttp_get_error_pos(&stream->parser);
    stream->is_http2 = stream->parser.method == HTTP_PRI && stream->parser.http_major == 2;
    *out_taken = error == HPE_OK ? size : (size_t)(end - data);
    stream->before += *out_taken;
    return error;
}

/* What went before belongs to it; the rest, at least the last byte, is told by the next call. */
static http_piece fail(http_request_stream *stream, http_piece piece, size_t size, size_t *io_taken)
{
    *io_taken -= *io_taken == size ? 1 : 0;
    stream->state = stream->is_http2 ? HTTP2 : UNKNOWN;
    return *io_taken > 0 ? piece : stream->is_http2 ? HTTP_PIECE_HTTP2 : HTTP_PIECE_UNKNOWN;
}

static http_piece next_of_head(http_request_stream *stream, const uint8_t *data, size_t size,
                               size_t *out_taken)
{
    if (stream->state == AT_BEGIN) {
        llhttp_init(&stream->parser, HTTP_REQUEST, &stream_settings);
        stream->state = IN_HEAD;
        if (data[0] == '\r' || data[0] == '\n') {
            *out_taken = 0;
            return fail(stream, HTTP_PIECE_HEAD, size, out_taken);
        }
    }
    uint8_t before_last = size > 1 ? data[size - 2] : stream->last;
    stream->last = data[size - 1];
    switch (read_bytes(stream, data, size, out_taken)) {
    case HPE_OK:
        if (stream->last == '\n' && before_last != '\r') {
            /* llhttp would say so at the next byte, and nobody must wait for that. */
            return fail(stream, HTTP_PIECE_HEAD, size, out_taken);
        }
        return HTTP_PIECE_HEAD;
    case HPE_PAUSED:
        stream->state = AFTER_HEAD;
        return HTTP_PIECE_HEAD_END;
    default:
        return fail(stream, HTTP_PIECE_HEAD, size, out_taken);
    }
}

static http_piece next_of_chunks(http_request_stream *stream, const uint8_t *data, size_t size,
                                 size_t *out_taken)
{
    switch (read_bytes(stream, data, size, out_taken)) {
    case HPE_OK:
        return stream->parser.content_length <= MAX_LENGTH
                   ? HTTP_PIECE_BODY
                   : fail(stream, HTTP_PIECE_BODY, size, out_taken);
    case HPE_PAUSED:
        *stream = (http_request_stream){0};
        return HTTP_PIECE_BODY;
    default:
        return fail(stream, HTTP_PIECE_BODY, size, out_taken);
    }
}

http_piece http_request_next(http_request_stream *stream, const uint8_t *data, size_t size,
                             size_t *out_taken)
{
    switch (stream->state) {
    case AT_BEGIN:
    case IN_HEAD:
        return next_of_head(stream, data, size, out_taken);
    case IN_CHUNKS:
        return next_of_chunks(stream, data, size, out_taken);
    case IN_BODY:
        *out_taken = stream->left < size ? (size_t)stream->left : size;
        stream->left -= *out_taken;
        if (stream->left == 0) {
            *stream = (http_request_stream){0};
        }
        return HTTP_PIECE_BODY;
    default:
        *out_taken = 0;
        return stream->state == HTTP2 ? HTTP_PIECE_HTTP2 : HTTP_PIECE_UNKNOWN;
    }
}

void http_request_begin_body(http_request_stream *stream, http_body body, uint64_t length)
{
    if (body == HTTP_BODY_CHUNKED) {
        llhttp_resume(&stream->parser);
        stream->state = IN_CHUNKS;
        return;
    }
    *stream = (http_request_stream){0};
    if (body == HTTP_BODY_LENGTH && length > 0) {
        stream->state = IN_BODY;
        stream->left = length;
    }
}

bool http_request_is_in_first_line(const http_request_stream *stream)
{
    return !stream->has_first_line;
}

void http_request_give_up(http_request_stream *stream)
{
    stream->state = UNKNOWN;
}

/* ---- A whole head ---------------------------------------------------------------------------- */

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

bool http_span_is(const uint8_t *head, http_span span, const char *text)
{
    if (strlen(text) != span.size) {
        return false;
    }
    for (uint32_t i = 0; i < span.size; i++) {
        if (lower(head[span.at + i]) != (uint8_t)text[i]) {
            return false;
        }
    }
    return true;
}

static http_span trimmed(const uint8_t *head, http_span span)
{
    while (span.size > 0 && (head[span.at] == ' ' || head[span.at] == '\t')) {
        span.at++;
        span.size--;
    }
    while (span.size > 0 &&
           (head[span.at + span.size - 1] == ' ' || head[span.at + span.size - 1] == '\t')) {
        span.size--;
    }
    return span;
}

bool http_span_lists(const uint8_t *head, http_span span, const char *element)
{
    uint32_t begin = 0;
    for (uint32_t i = 0; i <= span.size; i++) {
        if (i == span.size || head[span.at + i] == ',') {
            http_span part = {span.at + begin, i - begin};
            if (http_span_is(head, trimmed(head, part), element)) {
                return true;
            }
            begin = i + 1;
        }
    }
    return false;
}

/* A head that is being taken apart. */
typedef struct head_reader {
    const uint8_t *head;
    http_request_head *out;
} head_reader;

static http_span span_of(const head_reader *reader, const char *at, size_t size)
{
    return (http_span){(uint32_t)((const uint8_t *)at - reader->head), (uint32_t)size};
}

static int read_method(llhttp_t *parser, const char *at, size_t size)
{
    head_reader *reader = parser->data;
    reader->out->method = span_of(reader, at, size);
    return 0;
}

static int read_target(llhttp_t *parser, const char *at, size_t size)
{
    head_reader *reader = parser->data;
    reader->out->target = span_of(reader, at, size);
    return 0;
}

static int read_name(llhttp_t *parser, const char *at, size_t size)
{
    head_reader *reader = parser->data;
    http_request_head *out = reader->out;
    if (out->field_count == HTTP_MAX_FIELDS) {
        return HPE_USER;
    }
    out->fields[out->field_count++] = (http_field){.name = span_of(reader, at, size)};
    return 0;
}

static int read_value(llhttp_t *parser, const char *at, size_t size)
{
    head_reader *reader = parser->data;
    http_field *field = &reader->out->fields[reader->out->field_count - 1];
    field->value = trimmed(reader->head, span_of(reader, at, size));
    return 0;
}

static const llhttp_settings_t head_settings = {
    .on_method = read_method,
    .on_url = read_target,
    .on_header_field = read_name,
    .on_header_value = read_value,
    .on_headers_complete = pause_reading,
};

/* What the fields say about the body, where llhttp is content with it. */
static bool check_body(const uint8_t *head, const llhttp_t *parser, http_request_head *out)
{
    bool has_coding = false;
    uint32_t hosts = 0;
    for (uint32_t i = 0; i < out->field_count; i++) {
        const http_field *field = &out->fields[i];
        if (http_span_is(head, field->name, "transfer-encoding")) {
            if (has_coding || !http_span_is(head, field->value, "chunked")) {
                return false;
            }
            has_coding = true;
        } else if (http_span_is(head, field->name, "host")) {
            hosts++;
        } else if (http_span_is(head, field->name, "upgrade")) {
            out->has_upgrade = true;
        }
    }
    bool has_length = (parser->flags & F_CONTENT_LENGTH) != 0;
    out->length = has_length ? parser->content_length : 0;
    out->body = has_coding ? HTTP_BODY_CHUNKED : has_length ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    bool is_old = parser->http_minor == 0;
    return !(has_coding && (has_length || is_old)) && hosts <= 1 && out->length <= MAX_LENGTH &&
           has_coding == ((parser->flags & F_CHUNKED) != 0);
}

/* Whether the first line is nothing but method, target and version, with one space between. */
static bool check_first_line(const uint8_t *head, size_t size, const http_request_head *out)
{
    static const char version[] = " HTTP/1.";
    size_t end = (size_t)out->target.at + out->target.size;
    return out->method.at == 0 && out->target.at == out->method.size + 1 &&
           size - end >= sizeof version + 2 &&
           memcmp(head + end, version, sizeof version - 1) == 0 &&
           head[end + sizeof version] == '\r';
}

bool http_request_parse(const uint8_t *head, size_t size, http_request_head *out_head)
{
    head_reader reader = {head, out_head};
    llhttp_t parser;
    out_head->field_count = 0;
    out_head->has_upgrade = false;
    if (size > HTTP_MAX_HEAD) {
        return false;
    }
    llhttp_init(&parser, HTTP_REQUEST, &head_settings);
    parser.data = &reader;
    return llhttp_execute(&parser, (const char *)head, size) == HPE_PAUSED &&
           llhttp_get_error_pos(&parser) == (const char *)head + size &&
           check_first_line(head, size, out_head) && check_body(head, &parser, out_head);
}
