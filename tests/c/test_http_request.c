/* Requests are understood in one way or not at all; answers are followed for their ends. */
#include "secrets/http_request.h"
#include "secrets/http_response.h"
#include "test.h"

/* What a stream is, a letter for each byte: h head, H its last one, b body, and u or 2 at the end
 * if it is not understood from there on. It comes in pieces of that size. */
static void pieces(const char *text, size_t size, size_t step, char *out)
{
    static const char letters[] = "hHbu2";
    http_request_stream stream = {0};
    uint8_t head[4096];
    size_t head_size = 0;
    size_t at = 0;
    while (at < size) {
        size_t part = size - at < step ? size - at : step;
        size_t taken;
        http_piece piece = http_request_next(&stream, (const uint8_t *)text + at, part, &taken);
        ASSERT_LE_U(taken, part);
        if (piece == HTTP_PIECE_UNKNOWN || piece == HTTP_PIECE_HTTP2) {
            ASSERT_EQ_U(taken, 0);
            out[at] = letters[piece];
            out[at + 1] = 0;
            return;
        }
        ASSERT_GT(taken, 0);
        memset(out + at, letters[piece == HTTP_PIECE_HEAD_END ? HTTP_PIECE_HEAD : piece], taken);
        if (piece != HTTP_PIECE_BODY) {
            memcpy(head + head_size, text + at, taken);
            head_size += taken;
        }
        at += taken;
        if (piece == HTTP_PIECE_HEAD_END) {
            http_request_head parsed;
            out[at - 1] = 'H';
            if (!http_request_parse(head, head_size, &parsed)) {
                http_request_give_up(&stream);
            } else {
                http_request_begin_body(&stream, parsed.body, parsed.length);
            }
            head_size = 0;
        }
    }
    out[at] = 0;
}

#define GET "GET / HTTP/1.1\r\n"

typedef struct stream_example {
    const char *text;
    const char *expected; /* repeated letters count as one: see squeeze() */
} stream_example;

static void squeeze(char *text)
{
    char *to = text;
    for (const char *from = text; *from != 0; from++) {
        if (to == text || to[-1] != *from || *from == 'H') {
            *to++ = *from;
        }
    }
    *to = 0;
}

static const stream_example streams[] = {
    {GET "\r\n", "hH"},
    {GET "\r\n" GET "\r\n", "hHhH"},
    {GET "A: b\r\nC:d\r\n\r\n", "hH"},
    {"HEAD /x?y=z HTTP/1.0\r\n\r\n", "hH"},
    {"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" GET "\r\n", "hHbhH"},
    {"POST / HTTP/1.1\r\ncontent-length:0\r\n\r\n" GET "\r\n", "hHhH"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: "
     "chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n" GET "\r\n",
     "hHbhH"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\nX: y\r\n\r\n" GET "\r\n", "hHbhH"},
    /* Not understood from some place on. */
    {"hello", "u"},
    {"get / HTTP/1.1\r\n", "u"},
    {"GETX / HTTP/1.1\r\n", "hu"},
    {"GE / HTTP/1.1\r\n", "hu"},
    {"GET  / HTTP/1.1\r\n", "hu"},
    {"GET / HTTP/1.1 \r\n", "hu"},
    {"GET / HTTP/2.0\r\n", "hu"},
    {"GET / HTTP/1.2\r\n", "hu"},
    {"GET / HTTP/1.1\n", "hu"},
    {"GET / HTTP/1.1\r\r\n", "hu"},
    {"SET key value\r\n", "hu"},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "h2"},
    {GET "A: b\n\r\n", "hu"},
    {GET "A: b\r\n c\r\n\r\n", "hu"},
    {GET " A: b\r\n\r\n", "hu"},
    {GET "A: \x01\r\n\r\n", "hu"},
    {GET "A: \x7f\r\n\r\n", "hu"},
    {GET "A b\r\n\r\nx", "hu"},
    {GET "A : b\r\n\r\nx", "hu"},
    {GET ": b\r\n\r\nx", "hu"},
    {"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "hu"},
    {"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello", "hu"},
    {"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello", "hu"},
    {"POST / HTTP/1.1\r\nContent-Length:\r\n\r\nhello", "hu"},
    {"POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\nhello", "hHu"},
    {"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "hu"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "hHu"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
     "hu"},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "hHu"},
    {GET "Host: a\r\nHost: b\r\n\r\nx", "hHu"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n", "hHbu"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "hHu"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "hHu"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\nx", "hHbu"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", "hHbu"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n", "hHbu"},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n x\r\n\r\n", "hHbu"},
    {GET "\r\n\r\n" GET "\r\n", "hHu"},
};

static void test_streams_in_all_pieces(void)
{
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        size_t size = strlen(streams[i].text);
        for (size_t step = 1; step <= size; step++) {
            char out[4096];
            pieces(streams[i].text, size, step, out);
            squeeze(out);
            ASSERT_STR_EQ(out, streams[i].expected);
        }
    }
}

static void test_zero_byte_is_not_understood(void)
{
    static const char text[] = GET "A: \0\r\n\r\n";
    char out[128];
    pieces(text, sizeof text - 1, 100, out);
    squeeze(out);
    ASSERT_STR_EQ(out, "hu");
}

static http_request_head parsed;

static bool parse(const char *text)
{
    return http_request_parse((const uint8_t *)text, strlen(text), &parsed);
}

static void test_parts_of_a_head(void)
{
    const char *text =
        "PUT /a HTTP/1.1\r\nX-One:  two words \t\r\nUpgrade: a, h2c ,b\r\nE:\r\n\r\n";
    const uint8_t *head = (const uint8_t *)text;
    ASSERT(parse(text));
    ASSERT(http_span_is(head, parsed.method, "put"));
    ASSERT(http_span_is(head, parsed.target, "/a"));
    ASSERT_EQ_U(parsed.field_count, 3);
    ASSERT(http_span_is(head, parsed.fields[0].name, "x-one"));
    ASSERT(http_span_is(head, parsed.fields[0].value, "two words"));
    ASSERT(http_span_lists(head, parsed.fields[1].value, "h2c"));
    ASSERT(http_span_lists(head, parsed.fields[1].value, "b"));
    ASSERT(!http_span_lists(head, parsed.fields[1].value, "h2"));
    ASSERT_EQ_U(parsed.fields[2].value.size, 0);
    ASSERT(parsed.has_upgrade);
    ASSERT_EQ(parsed.body, HTTP_BODY_NONE);
}

static void test_too_many_fields(void)
{
    char text[8192] = GET;
    for (unsigned i = 0; i < HTTP_MAX_FIELDS; i++) {
        strcat(text, "A: b\r\n");
    }
    char full[8200];
    snprintf(full, sizeof full, "%s\r\n", text);
    ASSERT(parse(full));
    snprintf(full, sizeof full, "%sA: b\r\n\r\n", text);
    ASSERT(!parse(full));
    ASSERT(!parse(""));
    ASSERT(!parse(GET));
    ASSERT(!parse(GET "\r\nx"));
}

/* ---- Responses ------------------------------------------------------------------------------- */

/* t text, f framing, . after each byte where a response has ended. */
static void follow(const char *text, size_t step, const char *methods, char *out)
{
    http_response_stream stream = {0};
    size_t size = strlen(text);
    for (const char *c = methods; *c != 0; c++) {
        http_response_expect(&stream, *c == 'H');
    }
    size_t at = 0;
    while (at < size) {
        size_t part = size - at < step ? size - at : step;
        bool is_text;
        size_t taken = http_response_next(&stream, (const uint8_t *)text + at, part, &is_text);
        ASSERT_GT(taken, 0);
        ASSERT_LE_U(taken, part);
        at += taken;
        for (; taken > 0; taken--) {
            *out++ = is_text ? 't' : 'f';
        }
        if (http_response_is_at_begin(&stream)) {
            *out++ = '.';
        }
    }
    *out++ = http_response_is_complete(&stream) ? '!' : '?';
    *out = 0;
}

#define OK "HTTP/1.1 200 OK\r\n"

typedef struct response_example {
    const char *text;
    const char *methods;
    const char *expected;
} response_example;

static const response_example responses[] = {
    {OK "Content-Length: 3\r\n\r\nabc", "G", "t.!"},
    {OK "Content-Length: 3\r\n\r\nab", "G", "t?"},
    {OK "content-length:0\r\n\r\n" OK "Content-Length: 1\r\n\r\nx", "GG", "t.t.!"},
    {OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "G", "tftftft.!"},
    {OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "G", "tftf?"},
    {OK "Content-Length: 3\r\n\r\n" OK "Content-Length: 1\r\n\r\nx", "HG", "t.t.!"},
    {"HTTP/1.1 204 No\r\n\r\nHTTP/1.1 304 Not\r\n\r\n", "GG", "t.t.!"},
    {"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\nx", "G", "t.t.!"},
    {"HTTP/1.1 101 Switching\r\n\r\nab", "G", "t!"},
    {OK "\r\nuntil the end", "G", "t?"},
    {OK "\r\n", "G", "t?"},
    {"HTTP/1.1 200 OK\nContent-Length: 2\n\nab", "G", "t.!"},
    {"echo", "", "t!"},
    {"\n", "", "t!"},
    {"HTTP/1.", "", "t?"},
    {"HTTP/1.1 20x\r\n", "", "t!"},
    {"HTTP/2 200\r\n", "", "t!"},
    {OK "Transfer-Encoding: gzip\r\n\r\nab", "G", "t!"},
    {OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\nab", "G", "t!"},
    {OK "Content-Length: x\r\n\r\nab", "G", "t!"},
    {OK "Transfer-Encoding: chunked\r\n\r\nx\r\nab", "G", "tft!"},
    {OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "G", "tftft!"},
};

static void test_responses_in_all_pieces(void)
{
    for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
        for (size_t step = 1; step <= strlen(responses[i].text); step++) {
            char out[512];
            follow(responses[i].text, step, responses[i].methods, out);
            squeeze(out);
            if (strcmp(out, responses[i].expected) != 0) {
                /* What is found out at the end of a line is not known before. */
                ASSERT_EQ(out[strlen(out) - 1], '!');
                ASSERT_EQ(responses[i].expected[strlen(responses[i].expected) - 1], '!');
                ASSERT_EQ(responses[i].expected[strlen(responses[i].expected) - 2], 't');
            }
        }
    }
}

static void test_more_requests_than_are_counted(void)
{
    http_response_stream stream = {0};
    for (int i = 0; i < 64; i++) {
        ASSERT(http_response_is_at_begin(&stream));
        http_response_expect(&stream, false);
    }
    http_response_expect(&stream, false);
    ASSERT(!http_response_is_at_begin(&stream));
    ASSERT(http_response_is_complete(&stream));
}

static void test_long_lines_of_answers(void)
{
    char text[2048] = OK "X: ";
    for (int i = 0; i < 1000; i++) {
        strcat(text, "x");
    }
    strcat(text, "\r\nContent-Length: 1\r\n\r\ny");
    char out[4096];
    follow(text, 7, "G", out);
    squeeze(out);
    ASSERT_STR_EQ(out, "t.!");
}

TEST_MAIN(TEST_CASE(test_streams_in_all_pieces), TEST_CASE(test_zero_byte_is_not_understood),
          TEST_CASE(test_parts_of_a_head), TEST_CASE(test_too_many_fields),
          TEST_CASE(test_responses_in_all_pieces), TEST_CASE(test_more_requests_than_are_counted),
          TEST_CASE(test_long_lines_of_answers))
