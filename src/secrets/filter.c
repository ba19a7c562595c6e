/*
 * The filter of a connection: requests go out with values in their headers, and answers come in
 * without them.
 *
 * What is not an HTTP/1.1 request goes through as it is, placeholders and all, from there on for
 * good: a placeholder says nothing to anybody. A head is held back until it is complete, so that
 * nothing of a request is sent that is refused.
 *
 * Answers are looked at from the first value that the sandbox sends on, on all connections and
 * whatever was said there before. For that, requests must not ask for answers in a form in which a
 * value is not seen; one that is not understood, but that a lenient server could understand, is
 * refused then.
 */
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "secrets/head.h"
#include "secrets/http_response.h"
#include "secrets/target.h"

/* What one write takes, and what one read asks for. */
#define MAX_WRITE ((size_t)64 << 10)
#define INPUT_BYTES ((size_t)16 << 10)

typedef struct secrets_filter {
    net_filter base; /* first, so that the one is the other */
    secrets *state;
    net *network;
    net_connection *connection; /* NULL for none */
    secrets_target target;
    char tls_name[NET_MAX_NAME + 1];
    http_request_stream requests;
    http_response_stream responses;
    secrets_bytes head; /* of the guest, not complete yet; without values */
    secrets_bytes out;  /* to be sent; may have values */
    size_t out_sent;
    bool is_tunnel;     /* after CONNECT or Upgrade: no value is put in any more */
    bool has_odd_body;  /* the request has one that a server may take for the next request */
    bool has_disguised; /* what may be a request has gone through without being understood */
    uint8_t line_state; /* of shows_request_line() */
    bool refused;       /* what follows would be the rest of what was not sent */
    redact_stream redacted;
    uint8_t *input;
} secrets_filter;

/* ---- Out ------------------------------------------------------------------------------------- */

/* Sends what is to be sent. OK when nothing is left. */
static net_io send_pending(secrets_filter *filter, const net_transport *below)
{
    while (filter->out_sent < filter->out.size) {
        size_t sent;
        net_io io = below->write(below->self, filter->out.data + filter->out_sent,
                                 filter->out.size - filter->out_sent, &sent);
        if (io == NET_IO_AGAIN) {
            return io;
        }
        if (io != NET_IO_OK) {
            /* Nobody will ever take it. */
            secrets_bytes_free(&filter->out);
            filter->out_sent = 0;
            return io;
        }
        filter->out_sent += sent;
    }
    secrets_bytes_free(&filter->out);
    filter->out_sent = 0;
    return NET_IO_OK;
}

/* For those who read the list of connections; parameters as of net_log_secret(). */
static void note(secrets_filter *filter, const char *name, const char *refusal)
{
    char host[NET_MAX_NAME + 1];
    secrets_target_text(&filter->target, host);
    net_log_secret(filter->network, filter->connection, host, name, refusal);
}

static net_io refuse(secrets_filter *filter, const char *reason)
{
    filter->refused = true;
    secrets_bytes_free(&filter->head);
    net_refuse(filter->network, "%s", reason);
    note(filter, NULL, reason);
    return NET_IO_REFUSED;
}

/* Sends bytes as they are, and keeps those that do not go now. */
static net_io pass(secrets_filter *filter, const net_transport *below, const uint8_t *data,
                   size_t size)
{
    while (size > 0 && filter->out.size == 0) {
        size_t sent;
        net_io io = below->write(below->self, data, size, &sent);
        if (io == NET_IO_AGAIN) {
            break;
        }
        if (io != NET_IO_OK) {
            return io;
        }
        data += sent;
        size -= sent;
    }
    return secrets_bytes_add(&filter->out, data, size) ? NET_IO_OK : NET_IO_FAILED;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\v' || byte == '\f';
}

/* Looks for the end of a request line: a blank, "HTTP/1.1" or the like, and the end of the line.
 * io_state: where in it the bytes before have ended; 0 at the start. */
static bool shows_request_line(uint8_t *io_state, const uint8_t *data, size_t size)
{
    static const char wanted[] = " HTTP/0.0"; /* "0" for any digit, " " for any blank */
    const uint8_t all = sizeof wanted - 1;
    uint8_t state = *io_state;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = data[i];
        if (state == all) {
            if (byte == '\r' || byte == '\n') {
                *io_state = 0;
                return true;
            }
            state = is_blank(byte) ? all : 0;
            continue;
        }
        char next = wanted[state];
        bool fits = next == '0'   ? byte >= '0' && byte <= '9'
                    : next == ' ' ? is_blank(byte)
                                  : byte == (uint8_t)next;
        state = fits ? (uint8_t)(state + 1) : is_blank(byte) ? 1 : 0;
    }
    *io_state = state;
    return false;
}

/* Sends what is not understood. */
static net_io pass_unknown(secrets_filter *filter, const net_transport *below, const uint8_t *data,
                           size_t size)
{
    filter->has_disguised |= shows_request_line(&filter->line_state, data, size);
    if (filter->has_disguised && filter->state->any_sent) {
        return refuse(filter, "once a secret was sent, requests have to be plain HTTP/1.1");
    }
    return pass(filter, below, data, size);
}

/* The head goes as the guest wrote it. */
static net_io pass_head(secrets_filter *filter, const net_transport *below)
{
    net_io io = pass_unknown(filter, below, filter->head.data, filter->head.size);
    secrets_bytes_free(&filter->head);
    return io;
}

static bool has_placeholder(const secrets_filter *filter, const uint8_t *data, size_t size)
{
    return scrub_is_needed(&filter->state->placeholders, data, size);
}

/* How much of what comes behind a begun head belongs to it. */
static size_t rest_of_head(const uint8_t *rest, size_t size)
{
    static const char *const ends[] = {"\r\n\r\n", "\n\n"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const uint8_t *end = size > 0 ? memmem(rest, size, ends[i], strlen(ends[i])) : NULL;
        size = end != NULL ? (size_t)(end - rest) + strlen(ends[i]) : size;
    }
    return size;
}

/* Whether a head that is not understood was meant as a request. rest: what comes behind it. */
static bool is_meant_as_request(const secrets_filter *filter, const uint8_t *rest, size_t size)
{
    uint8_t state = 0;
    return filter->head.size > 0 &&
           (!http_request_is_in_first_line(&filter->requests) ||
            shows_request_line(&state, filter->head.data, filter->head.size) ||
            shows_request_line(&state, rest, size));
}

/* From here on nothing is understood any more. rest: what came with it. */
static net_io give_up(secrets_filter *filter, const net_transport *below, const uint8_t *rest,
                      size_t size)
{
    bool is_request = is_meant_as_request(filter, rest, size);
    http_request_give_up(&filter->requests);
    if (is_request && !filter->is_tunnel) {
        size_t part = rest_of_head(rest, size);
        bool has_one = has_placeholder(filter, filter->head.data, filter->head.size) ||
                       has_placeholder(filter, rest, part);
        /* Between the two as well. */
        if (!has_one && !secrets_bytes_add(&filter->head, rest, part)) {
            return NET_IO_FAILED;
        }
        if (has_one || has_placeholder(filter, filter->head.data, filter->head.size)) {
            return refuse(filter, "a request with the placeholder of a secret is malformed: it "
                                  "has to be plain HTTP/1.1");
        }
        rest = size > part ? rest + part : NULL;
        size -= part;
    }
    net_io io = pass_head(filter, below);
    return io == NET_IO_OK && size > 0 ? pass_unknown(filter, below, rest, size) : io;
}

static net_io send_head(secrets_filter *filter, const net_transport *below, const uint8_t *data,
                        size_t size)
{
    net_io io = pass(filter, below, data, size);
    secrets_bytes_free(&filter->head);
    return io;
}

static net_io send_filled(secrets_filter *filter, const net_transport *below,
                          const secrets_bytes *filled, const bool *used)
{
    secrets *state = filter->state;
    if (secrets_matcher(state) == NULL) {
        return NET_IO_FAILED;
    }
    for (size_t i = 0; i < state->store->count; i++) {
        state->sent[i] |= used[i];
        if (used[i]) {
            note(filter, state->store->entries[i].name, NULL);
        }
    }
    state->any_sent = true;
    return send_head(filter, below, filled->data, filled->size);
}

/* A request is on its way: what follows it, and what will answer it. */
static void begin_request(secrets_filter *filter, const http_request_head *parsed)
{
    static const char *const without_body[] = {"get", "head", "delete", "options", "trace"};
    const uint8_t *head = filter->head.data;
    http_request_begin_body(&filter->requests, parsed->body, parsed->length);
    filter->has_odd_body = false;
    filter->line_state = 0;
    for (size_t i = 0; i < sizeof without_body / sizeof without_body[0]; i++) {
        filter->has_odd_body |= http_span_is(head, parsed->method, without_body[i]);
    }
    bool is_connect = http_span_is(head, parsed->method, "connect");
    if (is_connect) {
        http_response_expect_tunnel(&filter->responses);
    } else {
        http_response_expect(&filter->responses, http_span_is(head, parsed->method, "head"));
    }
    filter->is_tunnel |= is_connect || parsed->has_upgrade;
}

/* A head is complete. */
static net_io finish_head(secrets_filter *filter, const net_transport *below)
{
    http_request_head *parsed = malloc(sizeof *parsed);
    if (parsed == NULL) {
        return NET_IO_FAILED;
    }
    if (!http_request_parse(filter->head.data, filter->head.size, parsed)) {
        free(parsed);
        http_response_give_up(&filter->responses);
        return give_up(filter, below, NULL, 0);
    }
    if (http_response_is_full(&filter->responses)) {
        free(parsed);
        return refuse(filter, "too many requests without an answer in a sandbox with secrets");
    }
    char reason[NET_REASON_SIZE];
    bool used[ERYX_MAX_SECRETS] = {false};
    secrets_bytes made = {0};
    secrets_verdict verdict =
        secrets_fill_head(filter->state, &filter->target, filter->head.data, filter->head.size,
                          parsed, !filter->is_tunnel, &made, used, reason);
    if (verdict == SECRETS_PLAIN || verdict == SECRETS_WATCHED || verdict == SECRETS_FILLED) {
        begin_request(filter, parsed);
    }
    free(parsed);
    net_io io = verdict == SECRETS_PLAIN
                    ? send_head(filter, below, filter->head.data, filter->head.size)
                : verdict == SECRETS_WATCHED ? send_head(filter, below, made.data, made.size)
                : verdict == SECRETS_FILLED  ? send_filled(filter, below, &made, used)
                : verdict == SECRETS_REFUSED ? refuse(filter, reason)
                                             : NET_IO_FAILED;
    secrets_bytes_free(&made);
    return io;
}

static net_io take(secrets_filter *filter, const net_transport *below, const uint8_t *data,
                   size_t size)
{
    size_t taken = 0;
    net_io io = NET_IO_OK;
    while (taken < size && io == NET_IO_OK) {
        size_t part;
        http_piece piece = http_request_next(&filter->requests, data + taken, size - taken, &part);
        switch (piece) {
        case HTTP_PIECE_HEAD:
        case HTTP_PIECE_HEAD_END:
            if (!secrets_bytes_add(&filter->head, data + taken, part)) {
                io = NET_IO_FAILED;
            } else if (filter->head.size > HTTP_MAX_HEAD) {
                io = give_up(filter, below, data + taken + part, size - taken - part);
                part = size - taken;
            } else if (piece == HTTP_PIECE_HEAD_END) {
                io = finish_head(filter, below);
            }
            break;
        case HTTP_PIECE_BODY:
            io = filter->has_odd_body ? pass_unknown(filter, below, data + taken, part)
                                      : pass(filter, below, data + taken, part);
            break;
        case HTTP_PIECE_HTTP2:
            io = refuse(filter, "HTTP/2 is not possible in a sandbox with secrets");
            break;
        default:
            io = give_up(filter, below, data + taken, size - taken);
            part = size - taken;
            break;
        }
        taken += part;
    }
    return io;
}

static net_io filter_write(net_filter *base, const net_transport *below, const uint8_t *data,
                           size_t size, size_t *out_size)
{
    secrets_filter *filter = (secrets_filter *)base;
    if (filter->refused) {
        return refuse(filter, "a request on this connection was refused because of a secret");
    }
    net_io io = send_pending(filter, below);
    if (io != NET_IO_OK || size == 0) {
        return io;
    }
    size = size < MAX_WRITE ? size : MAX_WRITE;
    io = take(filter, below, data, size);
    if (io == NET_IO_OK) {
        io = send_pending(filter, below);
    }
    if (io != NET_IO_OK && io != NET_IO_AGAIN) {
        return io;
    }
    *out_size = size;
    return NET_IO_OK;
}

static net_io filter_flush(net_filter *base, const net_transport *below)
{
    return send_pending((secrets_filter *)base, below);
}

/* ---- In -------------------------------------------------------------------------------------- */

/* Goes over bytes that came in, and keeps them if they are looked at. */
static bool receive(secrets_filter *filter, const uint8_t *data, size_t size, bool is_watched)
{
    const redact_matcher *matcher = is_watched ? secrets_matcher(filter->state) : NULL;
    if (is_watched && matcher == NULL) {
        return false;
    }
    while (size > 0) {
        bool is_text;
        size_t part = http_response_next(&filter->responses, data, size, &is_text);
        if (is_watched &&
            !redact_feed(&filter->redacted, matcher, filter->state->sent, data, part, is_text)) {
            return false;
        }
        if (is_watched && http_response_is_at_begin(&filter->responses)) {
            redact_release(&filter->redacted);
        }
        data += part;
        size -= part;
    }
    return true;
}

/* A client that reads has sent its request: half a line is another protocol. */
static net_io filter_settle(net_filter *base, const net_transport *below, bool at_end)
{
    secrets_filter *filter = (secrets_filter *)base;
    if (filter->head.size > 0 && (at_end || http_request_is_in_first_line(&filter->requests))) {
        net_io io = give_up(filter, below, NULL, 0);
        if (io != NET_IO_OK) {
            return io;
        }
    }
    net_io io = send_pending(filter, below);
    return io == NET_IO_AGAIN ? NET_IO_OK : io;
}

static net_io read_watched(secrets_filter *filter, const net_transport *below, uint8_t *buffer,
                           size_t room, size_t *out_size)
{
    if (filter->input == NULL && (filter->input = malloc(INPUT_BYTES)) == NULL) {
        return NET_IO_FAILED;
    }
    for (;;) {
        size_t size = redact_take(&filter->redacted, buffer, room);
        if (size > 0) {
            *out_size = size;
            return NET_IO_OK;
        }
        net_io io = below->read(below->self, filter->input, INPUT_BYTES, &size);
        if (io == NET_IO_OK) {
            bool ok = receive(filter, filter->input, size, true);
            explicit_bzero(filter->input, size);
            if (!ok) {
                return NET_IO_FAILED;
            }
            continue;
        }
        if (io != NET_IO_AGAIN || http_response_is_complete(&filter->responses)) {
            redact_release(&filter->redacted);
        }
        if (redact_available(&filter->redacted) == 0) {
            return io;
        }
    }
}

static net_io filter_read(net_filter *base, const net_transport *below, uint8_t *buffer,
                          size_t room, size_t *out_size)
{
    secrets_filter *filter = (secrets_filter *)base;
    net_io io = filter_settle(base, below, false);
    if (io != NET_IO_OK || room == 0) {
        return io;
    }
    if (filter->state->any_sent) {
        return read_watched(filter, below, buffer, room, out_size);
    }
    io = below->read(below->self, buffer, room, out_size);
    if (io == NET_IO_OK) {
        receive(filter, buffer, *out_size, false);
    }
    return io;
}

static bool filter_has_output(const net_filter *base)
{
    return ((const secrets_filter *)base)->out.size > 0;
}

static bool filter_has_input(const net_filter *base)
{
    const secrets_filter *filter = (const secrets_filter *)base;
    /* What read() gives as soon as nothing comes from below must wake who waits before reading. */
    return redact_available(&filter->redacted) > 0 ||
           (redact_is_holding(&filter->redacted) && http_response_is_complete(&filter->responses));
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void filter_destroy(net_filter *base)
{
    secrets_filter *filter = (secrets_filter *)base;
    secrets_bytes_free(&filter->head);
    secrets_bytes_free(&filter->out);
    redact_stream_free(&filter->redacted);
    free(filter->input);
    free(filter);
}

bool secrets_new_filter(secrets *state, net *network, net_connection *connection,
                        const char *tls_name, net_filter **out_filter)
{
    *out_filter = NULL;
    if (state == NULL) {
        return true;
    }
    secrets_filter *filter = calloc(1, sizeof *filter);
    if (filter == NULL) {
        return false;
    }
    filter->base = (net_filter){.read = filter_read,
                                .write = filter_write,
                                .flush = filter_flush,
                                .settle = filter_settle,
                                .has_output = filter_has_output,
                                .has_input = filter_has_input,
                                .destroy = filter_destroy};
    filter->state = state;
    filter->network = network;
    filter->connection = connection;
    filter->target = (secrets_target){.connection = connection,
                                      .policy = network != NULL ? net_get_policy(network) : NULL};
    if (tls_name != NULL) {
        strncpy(filter->tls_name, tls_name, NET_MAX_NAME);
        filter->target.tls_name = filter->tls_name;
    }
    *out_filter = &filter->base;
    return true;
}
