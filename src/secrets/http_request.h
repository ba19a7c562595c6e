/*
 * HTTP/1.1 requests as a client sends them, one behind the other: where heads and bodies begin and
 * end, and what is in a head. llhttp reads them. Strict: what two servers could read in two ways is
 * not understood, and some of what llhttp understands is not, either.
 */
#ifndef ERYX_SECRETS_HTTP_REQUEST_H
#define ERYX_SECRETS_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

/* A head may have so many bytes and fields. */
#define HTTP_MAX_HEAD ((size_t)64 << 10)
#define HTTP_MAX_FIELDS 256u

/* ---- In pieces ------------------------------------------------------------------------------- */

typedef enum http_body {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH,
    HTTP_BODY_CHUNKED,
} http_body;

/* What the next bytes are. */
typedef enum http_piece {
    HTTP_PIECE_HEAD,     /* of a head that is not complete */
    HTTP_PIECE_HEAD_END, /* the last bytes of a head: http_request_begin_body() comes next */
    HTTP_PIECE_BODY,     /* of a body, with its framing */
    HTTP_PIECE_UNKNOWN,  /* no HTTP/1.1 that is understood; the same from now on */
    HTTP_PIECE_HTTP2,    /* the preface of HTTP/2; the same from now on */
} http_piece;

/* Where in a row of requests a stream is. Zeroed at its start. */
typedef struct http_request_stream {
    llhttp_t parser;
    int state;
    bool has_first_line;
    bool is_http2;
    const uint8_t *data; /* that is being read, */
    uint64_t before;     /* and the bytes of the head before it */
    uint64_t target_end; /* in the head; 0 if it has not begun */
    uint64_t left;       /* of a body with a length */
    uint8_t last;        /* byte that was read */
} http_request_stream;

/* Tells what the first bytes of data are, and goes over them. size: at least 1. out_taken: how many
 * they are, at least 1; 0 if they are UNKNOWN or HTTP2. */
http_piece http_request_next(http_request_stream *stream, const uint8_t *data, size_t size,
                             size_t *out_taken);

/* After HTTP_PIECE_HEAD_END: what follows. length: of HTTP_BODY_LENGTH. */
void http_request_begin_body(http_request_stream *stream, http_body body, uint64_t length);

/* Whether what has come of a head is not even its first line, so that it may as well be something
 * else than a request. */
bool http_request_is_in_first_line(const http_request_stream *stream);

/* From now on everything is HTTP_PIECE_UNKNOWN. */
void http_request_give_up(http_request_stream *stream);

/* ---- A whole head ---------------------------------------------------------------------------- */

/* A part of the head. */
typedef struct http_span {
    uint32_t at;
    uint32_t size;
} http_span;

typedef struct http_field {
    http_span name;
    http_span value; /* without the spaces around it */
} http_field;

typedef struct http_request_head {
    http_span method;
    http_span target;
    uint32_t field_count;
    http_field fields[HTTP_MAX_FIELDS];
    http_body body;
    uint64_t length;
    bool has_upgrade; /* the connection may become one of another protocol */
} http_request_head;

/*
 * Takes a head apart that ended with HTTP_PIECE_HEAD_END.
 * False if it is not understood: a continued line, a malformed name, both or several lengths,
 * another transfer coding than "chunked", several hosts, or too many fields.
 */
bool http_request_parse(const uint8_t *head, size_t size, http_request_head *out_head);

/* Whether a span of the head is that text, letters compared without case. text: in lower case. */
bool http_span_is(const uint8_t *head, http_span span, const char *text);

/* Whether a comma-separated list in a span has that element, without case. */
bool http_span_lists(const uint8_t *head, http_span span, const char *element);

#endif
