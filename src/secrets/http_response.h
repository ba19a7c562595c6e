/*
 * HTTP/1.1 responses as a server sends them: which bytes are text and which are framing, and where
 * a response ends. llhttp reads heads and chunks. Lenient: what is not understood is text without
 * an end that is known.
 */
#ifndef ERYX_SECRETS_HTTP_RESPONSE_H
#define ERYX_SECRETS_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

/* Where in a row of responses a stream is. Zeroed at its start. */
typedef struct http_response_stream {
    llhttp_t parser;
    int state;
    uint64_t left; /* of a body with a length */
    /* Requests without an answer, the oldest first: whether each was HEAD, or CONNECT. */
    uint64_t is_head;
    uint64_t is_connect;
    uint32_t outstanding;
} http_response_stream;

/* A request is sent. */
void http_response_expect(http_response_stream *stream, bool is_head);

/* A CONNECT is sent: if it is granted, what comes next is of somebody else. */
void http_response_expect_tunnel(http_response_stream *stream);

/* Whether no more requests can be counted. */
bool http_response_is_full(const http_response_stream *stream);

/* From now on nothing is known about ends (another protocol). */
void http_response_give_up(http_response_stream *stream);

/* Goes over the first bytes of data. size: at least 1. out_is_text: whether they are text. Returns
 * how many, at least 1. */
size_t http_response_next(http_response_stream *stream, const uint8_t *data, size_t size,
                          bool *out_is_text);

/* Whether the next byte is the first of a response. */
bool http_response_is_at_begin(const http_response_stream *stream);

/* Whether no more has to come for what has come: a response has just ended, or nothing is known of
 * its end. */
bool http_response_is_complete(const http_response_stream *stream);

#endif
