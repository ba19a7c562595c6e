#include "http_request.h"

#include <string.h>

enum {
    IN_METHOD = 0, /* the state of a stream that is zeroed */
    IN_TARGET,
    IN_VERSION,
    IN_LINE_BEGIN,
    IN_LINE,
    IN_LINE_END, /* a LF is missing */
    IN_HEAD_END, /* the last LF is missing */
    AFTER_HEAD,  /* http_request_begin_body() has to be called */
    IN_BODY,
    IN_CHUNK_SIZE,
    IN_CHUNK_SIZE_END,
    IN_CHUNK,
    IN_CHUNK_END,
    IN_CHUNK_END_LF,
    IN_TRAILER_BEGIN,
    IN_TRAILER,
    IN_TRAILER_END,
    IN_LAST_END,
    UNKNOWN,
    HTTP2,
};

/* Bytes that begin with none of these are not held back to see what becomes of them. */
static const char *const methods[] = {
    "GET",      "HEAD",       "POST",     "PUT",    "DELETE",    "PATCH",
    "OPTIONS",  "TRACE",      "CONNECT",  "PRI",    "PROPPATCH", "MKCOL",
    "COPY",     "MOVE",       "LOCK",     "UNLOCK", "REPORT",    "QUERY",
    "PROPFIND", "SEARCH",     "ACL",      "BIND",   "REBIND",    "UNBIND",
    "LINK",     "UNLINK",     "CHECKOUT", "MERGE",  "M-SEARCH",  "MKACTIVITY",
    "NOTIFY",   "MKCALENDAR", "PURGE",    "SOURCE", "SUBSCRIBE", "UNSUBSCRIBE",
};

static bool begins_method(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strlen(methods[i]) >= size && memcmp(methods[i], text, size) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_method(const http_request_stream *stream, const char *method)
{
    size_t size = strlen(method);
    return stream->position == size && memcmp(stream->method, method, size) == 0;
}

static bool is_known_method(const http_request_stream *stream)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (is_method(stream, methods[i])) {
            return true;
        }
    }
    return false;
}

static bool is_token(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

/* What may be in a value. */
static bool is_text(uint8_t byte)
{
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The state after a byte of a head; UNKNOWN if it does not fit. */
static int head_step(http_request_stream *stream, uint8_t byte)
{
    static const char version[] = "HTTP/1.";
    switch (stream->state) {
    case IN_METHOD:
        if (byte == ' ') {
            return is_known_method(stream) ? IN_TARGET : UNKNOWN;
        }
        if (stream->position == sizeof stream->method) {
            return UNKNOWN;
        }
        stream->method[stream->position++] = byte;
        return begins_method(stream->method, stream->position) ? IN_METHOD : UNKNOWN;
    case IN_TARGET:
        if (byte == ' ') {
            bool is_http2 = is_method(stream, "PRI");
            stream->position = 0;
            return is_http2 ? HTTP2 : IN_VERSION;
        }
        return byte > ' ' && byte < 0x7f ? IN_TARGET : UNKNOWN;
    case IN_VERSION:
        if (stream->position < sizeof version - 1) {
            return byte == (uint8_t)version[stream->position++] ? IN_VERSION : UNKNOWN;
        }
        if (stream->position++ == sizeof version - 1) {
            return byte == '0' || byte == '1' ? IN_VERSION : UNKNOWN;
        }
        return byte == '\r' ? IN_LINE_END : UNKNOWN;
    case IN_LINE_BEGIN:
        return byte == '\r' ? IN_HEAD_END : is_token(byte) ? IN_LINE : UNKNOWN;
    case IN_LINE:
        return byte == '\r' ? IN_LINE_END : is_text(byte) ? IN_LINE : UNKNOWN;
    case IN_LINE_END:
        return byte == '\n' ? IN_LINE_BEGIN : UNKNOWN;
    default: /* IN_HEAD_END */
        return byte == '\n' ? AFTER_HEAD : UNKNOWN;
    }
}

static void begin_request(http_request_stream *stream)
{
    *stream = (http_request_stream){.state = IN_METHOD};
}

/* The state after a byte of the framing of chunks; UNKNOWN if it does not fit. */
static int chunk_step(http_request_stream *stream, uint8_t byte)
{
    int digit;
    switch (stream->state) {
    case IN_CHUNK_SIZE:
        digit = hex_digit(byte);
        if (digit >= 0 && stream->digits < 15) {
            stream->digits++;
            stream->left = stream->left << 4 | (uint64_t)digit;
            return IN_CHUNK_SIZE;
        }
        return byte == '\r' && stream->digits > 0 ? IN_CHUNK_SIZE_END : UNKNOWN;
    case IN_CHUNK_SIZE_END:
        if (byte != '\n') {
            return UNKNOWN;
        }
        stream->digits = 0;
        return stream->left > 0 ? IN_CHUNK : IN_TRAILER_BEGIN;
    case IN_CHUNK_END:
        return byte == '\r' ? IN_CHUNK_END_LF : UNKNOWN;
    case IN_CHUNK_END_LF:
        return byte == '\n' ? IN_CHUNK_SIZE : UNKNOWN;
    case IN_TRAILER_BEGIN:
        return byte == '\r' ? IN_LAST_END : is_token(byte) ? IN_TRAILER : UNKNOWN;
    case IN_TRAILER:
        return byte == '\r' ? IN_TRAILER_END : is_text(byte) ? IN_TRAILER : UNKNOWN;
    case IN_TRAILER_END:
        return byte == '\n' ? IN_TRAILER_BEGIN : UNKNOWN;
    default: /* IN_LAST_END */
        if (byte != '\n') {
            return UNKNOWN;
        }
        begin_request(stream);
        return IN_METHOD;
    }
}

static http_piece next_of_head(http_request_stream *stream, const uint8_t *data, size_t size,
                               size_t *out_taken)
{
    for (size_t i = 0; i < size; i++) {
        stream->state = head_step(stream, data[i]);
        if (stream->state == UNKNOWN || stream->state == HTTP2) {
            /* What went before belongs to it; the rest is told by the next call. */
            *out_taken = i;
            return i > 0                    ? HTTP_PIECE_HEAD
                   : stream->state == HTTP2 ? HTTP_PIECE_HTTP2
                                            : HTTP_PIECE_UNKNOWN;
        }
        stream->has_first_line |= stream->state == IN_LINE_BEGIN;
        if (stream->state == AFTER_HEAD) {
            *out_taken = i + 1;
            return HTTP_PIECE_HEAD_END;
        }
    }
    *out_taken = size;
    return HTTP_PIECE_HEAD;
}

static http_piece next_of_chunks(http_request_stream *stream, const uint8_t *data, size_t size,
                                 size_t *out_taken)
{
    size_t taken = 0;
    while (taken < size && stream->state != IN_METHOD) {
        if (stream->state == IN_CHUNK) {
            size_t part = stream->left < size - taken ? (size_t)stream->left : size - taken;
            taken += part;
            stream->left -= part;
            stream->state = stream->left > 0 ? IN_CHUNK : IN_CHUNK_END;
            continue;
        }
        int state = chunk_step(stream, data[taken]);
        if (state == UNKNOWN) {
            /* What went before was in order; the rest is told by the next call. */
            stream->state = UNKNOWN;
            break;
        }
        stream->state = state;
        taken++;
    }
    *out_taken = taken;
    return taken > 0 ? HTTP_PIECE_BODY : HTTP_PIECE_UNKNOWN;
}

http_piece http_request_next(http_request_stream *stream, const uint8_t *data, size_t size,
                             size_t *out_taken)
{
    if (stream->state < AFTER_HEAD) {
        return next_of_head(stream, data, size, out_taken);
    }
    if (stream->state == IN_BODY) {
        size_t part = stream->left < size ? (size_t)stream->left : size;
        stream->left -= part;
        if (stream->left == 0) {
            begin_request(stream);
        }
        *out_taken = part;
        return HTTP_PIECE_BODY;
    }
    if (stream->state > IN_BODY && stream->state < UNKNOWN) {
        return next_of_chunks(stream, data, size, out_taken);
    }
    *out_taken = 0;
    return stream->state == HTTP2 ? HTTP_PIECE_HTTP2 : HTTP_PIECE_UNKNOWN;
}

void http_request_begin_body(http_request_stream *stream, http_body body, uint64_t length)
{
    begin_request(stream);
    if (body == HTTP_BODY_CHUNKED) {
        stream->state = IN_CHUNK_SIZE;
    } else if (body == HTTP_BODY_LENGTH && length > 0) {
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

static bool parse_length(const uint8_t *head, http_span value, uint64_t *out_length)
{
    uint64_t length = 0;
    if (value.size == 0 || value.size > 18) {
        return false;
    }
    for (uint32_t i = 0; i < value.size; i++) {
        uint8_t byte = head[value.at + i];
        if (byte < '0' || byte > '9') {
            return false;
        }
        length = length * 10 + (uint64_t)(byte - '0');
    }
    *out_length = length;
    return true;
}

/* What the fields say about the body. */
static bool parse_body(const uint8_t *head, bool is_old, http_request_head *out)
{
    bool has_length = false;
    bool has_coding = false;
    uint32_t hosts = 0;
    for (uint32_t i = 0; i < out->field_count; i++) {
        const http_field *field = &out->fields[i];
        if (http_span_is(head, field->name, "content-length")) {
            if (has_length || !parse_length(head, field->value, &out->length)) {
                return false;
            }
            has_length = true;
        } else if (http_span_is(head, field->name, "transfer-encoding")) {
            if (has_coding || is_old || !http_span_is(head, field->value, "chunked")) {
                return false;
            }
            has_coding = true;
        } else if (http_span_is(head, field->name, "host")) {
            hosts++;
        } else if (http_span_is(head, field->name, "upgrade")) {
            out->has_upgrade = true;
        }
    }
    out->body = has_coding ? HTTP_BODY_CHUNKED : has_length ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    return !(has_coding && has_length) && hosts <= 1;
}

/* One line of the head, without its end. */
static bool parse_field(const uint8_t *head, http_span line, http_request_head *out)
{
    const uint8_t *colon = memchr(head + line.at, ':', line.size);
    if (colon == NULL || colon == head + line.at || out->field_count == HTTP_MAX_FIELDS) {
        return false;
    }
    http_span name = {line.at, (uint32_t)(colon - head) - line.at};
    for (uint32_t i = 0; i < name.size; i++) {
        if (!is_token(head[name.at + i])) {
            return false;
        }
    }
    http_span value = {name.at + name.size + 1, line.size - name.size - 1};
    out->fields[out->field_count++] = (http_field){name, trimmed(head, value)};
    return true;
}

static bool next_line(const uint8_t *head, size_t size, uint32_t *io_at, http_span *out_line)
{
    const uint8_t *end = memchr(head + *io_at, '\r', size - *io_at);
    if (end == NULL || end + 1 >= head + size || end[1] != '\n') {
        return false;
    }
    *out_line = (http_span){*io_at, (uint32_t)(end - head) - *io_at};
    *io_at += out_line->size + 2;
    return true;
}

bool http_request_parse(const uint8_t *head, size_t size, http_request_head *out_head)
{
    out_head->field_count = 0;
    out_head->has_upgrade = false;
    out_head->length = 0;
    uint32_t at = 0;
    http_span line;
    if (size > HTTP_MAX_HEAD || !next_line(head, size, &at, &line)) {
        return false;
    }
    const uint8_t *space = memchr(head, ' ', line.size);
    if (space == NULL || line.size < 9) {
        return false;
    }
    out_head->method = (http_span){0, (uint32_t)(space - head)};
    if (line.size < out_head->method.size + 1 + sizeof " HTTP/1.1" - 1) {
        return false;
    }
    out_head->target =
        (http_span){out_head->method.size + 1,
                    line.size - out_head->method.size - 1 - (uint32_t)(sizeof " HTTP/1.1" - 1)};
    bool is_old = head[line.size - 1] == '0';
    while (next_line(head, size, &at, &line) && line.size > 0) {
        if (!parse_field(head, line, out_head)) {
            return false;
        }
    }
    return line.size == 0 && at == size && parse_body(head, is_old, out_head);
}
