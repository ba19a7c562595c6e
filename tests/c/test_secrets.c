/* Values leave only in header values of requests to allowed hosts, and do not come back. */
#include "secrets/http_request.h"
#include "secrets_rig.h"
#include "test.h"

/* What the guest writes, with {0}, {1}, {2} for placeholders and {b0} for Base64 of "user:{0}". */
static char *guest_text(const rig *made, const char *format)
{
    static char text[1 << 18];
    char *to = text;
    for (const char *from = format; *from != 0; from++) {
        if (*from == '{' && from[2] == '}') {
            memcpy(to, rig_placeholder(made, (size_t)(from[1] - '0')), PLACEHOLDER_SIZE);
            to += PLACEHOLDER_SIZE;
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
    return text;
}

static const char *refusal(const rig *made)
{
    return net_last_refusal(made->sandbox.net);
}

#define GET "GET /path HTTP/1.1\r\nHost: api.example.com\r\n"
#define IDENTITY "Accept-Encoding: identity\r\n\r\n"

typedef struct sent_example {
    const char *written;
    const char *sent;
} sent_example;

static const sent_example allowed[] = {
    {GET "Authorization: Bearer {0}\r\n\r\n", GET "Authorization: Bearer " RIG_KEY "\r\n" IDENTITY},
    {GET "X-A: a{0}b{0}\r\nX-B:{2}\r\nX-C: c\r\n\r\n",
     GET "X-A: a" RIG_KEY "b" RIG_KEY "\r\nX-B:" RIG_DEFAULT "\r\nX-C: c\r\n" IDENTITY},
    {GET "Accept-Encoding: gzip, br\r\nX-Key: {0}\r\nTE: gzip\r\nA: b\r\n\r\n",
     GET "X-Key: " RIG_KEY "\r\nA: b\r\n" IDENTITY},
    /* Without a placeholder nothing is changed. */
    {GET "Accept-Encoding: gzip\r\n\r\n", GET "Accept-Encoding: gzip\r\n\r\n"},
    /* Not in a target, a name, or a body. */
    {"GET /?k={0} HTTP/1.1\r\n\r\n", "GET /?k={0} HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\n{0}: x\r\n\r\n", "GET / HTTP/1.1\r\n{0}: x\r\n\r\n"},
    {"POST / HTTP/1.1\r\nContent-Length: 46\r\n\r\nk={0}" GET "\r\n",
     "POST / HTTP/1.1\r\nContent-Length: 46\r\n\r\nk={0}" GET "\r\n"},
    {"POST / HTTP/1.1\r\nX: {0}\r\nContent-Length: 44\r\n\r\n{0}" GET "X: {0}\r\n\r\n",
     "POST / HTTP/1.1\r\nX: " RIG_KEY "\r\nContent-Length: 44\r\n" IDENTITY "{0}" GET "X: " RIG_KEY
     "\r\n" IDENTITY},
    {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2c\r\n{0}\r\n0\r\nX: {0}\r\n\r\n" GET
     "X: {0}\r\n\r\n",
     "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2c\r\n{0}\r\n0\r\nX: {0}\r\n\r\n" GET
     "X: " RIG_KEY "\r\n" IDENTITY},
    /* What is not HTTP/1.1 goes as it is, also what comes after. */
    {"hello {0}\r\n", "hello {0}\r\n"},
    {"hello\r\n" GET "X: {0}\r\n\r\n", "hello\r\n" GET "X: {0}\r\n\r\n"},
    {"\x16\x03\x01{0}", "\x16\x03\x01{0}"},
    {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx" GET "X: {0}\r\n\r\n",
     "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx" GET "X: {0}\r\n\r\n"},
    {"CONNECT api.example.com:443 HTTP/1.1\r\n\r\n" GET "X: {0}\r\n\r\n",
     "CONNECT api.example.com:443 HTTP/1.1\r\n\r\n" GET "X: {0}\r\n\r\n"},
    {GET "Connection: upgrade\r\nUpgrade: websocket\r\nX: {0}\r\n"
         "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n" GET "X: {0}\r\n\r\n",
     GET "Connection: upgrade\r\nUpgrade: websocket\r\nX: " RIG_KEY "\r\n" IDENTITY GET
         "X: {0}\r\n\r\n"},
    {"GET http://api.example.com/x HTTP/1.1\r\nX: {0}\r\n\r\n",
     "GET http://api.example.com/x HTTP/1.1\r\nX: " RIG_KEY "\r\n" IDENTITY},
    {"GET / HTTP/1.1\r\nHost: API.example.com:80\r\nX: {0}\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: API.example.com:80\r\nX: " RIG_KEY "\r\n" IDENTITY},
    {"GET / HTTP/1.1\r\nHost: 198.51.100.7\r\nX: {0}\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: 198.51.100.7\r\nX: " RIG_KEY "\r\n" IDENTITY},
};

static rig *allowed_rig(void)
{
    rig *made = rig_create("api.example.com", "198.51.100.7", NULL);
    ASSERT_NOT_NULL(made);
    return made;
}

static void test_values_are_put_into_headers(void)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        for (size_t step = 1; step < 70; step++) {
            rig *made = allowed_rig();
            made->write_limit = step % 5;
            char *text = strdup(guest_text(made, allowed[i].written));
            ASSERT_EQ(rig_send(made, text, strlen(text), step == 69 ? 65536 : step), NET_IO_OK);
            ASSERT_STR_EQ(made->sent, guest_text(made, allowed[i].sent));
            free(text);
            rig_destroy(made);
        }
    }
}

static void test_basic_credentials(void)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int length = 0; length < 3; length++) {
        rig *made = allowed_rig();
        char plain[128];
        char text[512] = GET "authorization: bASIC ";
        snprintf(plain, sizeof plain, "%.*s:%s", length, "uv", rig_placeholder(made, 0));
        char *to = text + strlen(text);
        size_t size = strlen(plain);
        for (size_t i = 0; i < size; i += 3) {
            uint32_t group = (uint32_t)(uint8_t)plain[i] << 16;
            group |= i + 1 < size ? (uint32_t)(uint8_t)plain[i + 1] << 8 : 0;
            group |= i + 2 < size ? (uint8_t)plain[i + 2] : 0;
            *to++ = digits[group >> 18];
            *to++ = digits[(group >> 12) & 63];
            *to++ = i + 1 < size ? digits[(group >> 6) & 63] : '=';
            *to++ = i + 2 < size ? digits[group & 63] : '=';
        }
        strcpy(to, "\r\n\r\n");
        ASSERT_EQ(rig_send(made, text, strlen(text), 65536), NET_IO_OK);
        static const char *const expected[] = {
            "OmszeS9WQUxVRSsxICZ4", "dTprM3kvVkFMVUUrMSAmeA==", "dXY6azN5L1ZBTFVFKzEgJng="};
        snprintf(text, sizeof text, GET "authorization: bASIC %s\r\n" IDENTITY, expected[length]);
        ASSERT_STR_EQ(made->sent, text);
        rig_destroy(made);
    }
}

static const char *const refused[] = {
    GET "X: {1}\r\n\r\n",
    GET "X: {0}\r\nY: {1}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: evil.example.com\r\nX: {0}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {0}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: api.example.com\r\nHost: evil.example.com\r\nX: {0}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::1\r\nX: {0}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost:\r\nX: {0}\r\n\r\n",
    "GET http://evil.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nX: {0}\r\n\r\n",
    "GET http://api.example.com@evil.example.com/ HTTP/1.1\r\nX: {0}\r\n\r\n",
    "GET http://evil.example.com?://api.example.com/ HTTP/1.1\r\nX: {0}\r\n\r\n",
    "GET path HTTP/1.1\r\nX: {0}\r\n\r\n",
    "CONNECT api.example.com:443 HTTP/1.1\r\nProxy-Authorization: {0}\r\n\r\n",
    GET "X: {0}\r\n y\r\n\r\n",
    GET "X: {0}\n\r\n",
    GET "X : {0}\r\n\r\n",
    GET "X: {0}\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
    GET "X: {0}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    GET "X: {0}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    GET "Connection: {0}\r\n\r\n",
    GET "Accept-Encoding: {0}\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
};

static void test_nothing_is_sent_of_what_is_refused(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        for (size_t step = 1; step < 600; step = step * 2 + 1) {
            rig *made = allowed_rig();
            char *text = guest_text(made, refused[i]);
            net_io io = rig_send(made, text, strlen(text), step);
            /* Where a malformed line is found before the placeholder comes, that is sent, which
             * says nothing; a value never is. */
            if (io != NET_IO_REFUSED) {
                ASSERT_STR_EQ(made->sent, text);
            } else {
                ASSERT_STR_EQ(made->sent, "");
                ASSERT_NE(strcmp(refusal(made), ""), 0);
                ASSERT_NULL(strstr(refusal(made), RIG_KEY));
                /* The rest is no new request. */
                ASSERT_EQ(rig_send(made, GET "\r\n", strlen(GET "\r\n"), 100), NET_IO_REFUSED);
                ASSERT_STR_EQ(made->sent, "");
            }
            if (step > 200 && io != NET_IO_REFUSED) {
                test_fail(__FILE__, __LINE__, "not refused: %s", text);
            }
            rig_destroy(made);
        }
    }
}

typedef struct target_example {
    const char *name;
    const char *address;
    const char *tls_name;
    size_t secret;
    bool is_allowed;
    const char *host;
} target_example;

static const target_example targets[] = {
    {"api.example.com", "198.51.100.7", NULL, 0, true, "api.example.com"},
    {"evil.example.com", "198.51.100.7", NULL, 0, false, "api.example.com"},
    {NULL, "198.51.100.7", NULL, 0, false, "api.example.com"},
    {NULL, "192.0.2.1", NULL, 0, true, "anything.example.com"},
    {NULL, "::ffff:192.0.2.1", NULL, 0, true, "anything.example.com"},
    {"evil.example.com", "198.51.100.7", "api.example.com", 0, true, "api.example.com"},
    {"api.example.com", "198.51.100.7", "evil.example.com", 0, false, "api.example.com"},
    {"api.example.com", "192.0.2.1", "evil.example.com", 0, false, "api.example.com"},
    {NULL, "198.51.100.7", "192.0.2.1", 0, true, "x.example.com"},
    {"192.0.2.evil.example.com", "198.51.100.7", NULL, 0, false, "api.example.com"},
    {NULL, "198.51.100.7", "192.0.2.evil.example.com", 0, false, "api.example.com"},
    {"api.example.com", "198.51.100.7", NULL, 0, false, "192.0.2.evil.example.com"},
    {"a.other.example.com", "198.51.100.7", NULL, 1, true, "b.other.example.com"},
    {"other.example.com", "198.51.100.7", NULL, 1, false, "other.example.com"},
    {"default.example.com", "198.51.100.7", NULL, 2, true, "default.example.com"},
    {"a.other.example.com", "198.51.100.7", NULL, 2, false, "default.example.com"},
};

static void test_the_target_decides(void)
{
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        const target_example *target = &targets[i];
        rig *made = rig_create(target->name, target->address, target->tls_name);
        ASSERT_NOT_NULL(made);
        char text[256];
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\nX: %s\r\n\r\n", target->host,
                 rig_placeholder(made, target->secret));
        net_io io = rig_send(made, text, strlen(text), 1000);
        if (io != (target->is_allowed ? NET_IO_OK : NET_IO_REFUSED)) {
            test_fail(__FILE__, __LINE__, "target %zu: %s", i, refusal(made));
        }
        ASSERT_EQ(strstr(made->sent, "VALUE") != NULL || strstr(made->sent, "value") != NULL,
                  target->is_allowed);
        rig_destroy(made);
    }
}

static void test_reasons_name_secret_and_host(void)
{
    rig *made = rig_create("evil.example.com", "198.51.100.7", NULL);
    char *text = guest_text(made, GET "X: {0}\r\n\r\n");
    ASSERT_EQ(rig_send(made, text, strlen(text), 1000), NET_IO_REFUSED);
    ASSERT_STR_EQ(refusal(made), "secret 'KEY' is not allowed for host 'evil.example.com'");
    rig_destroy(made);
    made = allowed_rig();
    text = guest_text(made, "GET / HTTP/1.1\r\nHost: evil.example.com\r\nX: {0}\r\n\r\n");
    ASSERT_EQ(rig_send(made, text, strlen(text), 1000), NET_IO_REFUSED);
    ASSERT_STR_EQ(refusal(made), "secret 'KEY' is not allowed for 'evil.example.com', which the "
                                 "request names as its host");
    rig_destroy(made);
}

static void test_heads_that_are_too_long(void)
{
    static char text[HTTP_MAX_HEAD * 2];
    for (int with_placeholder = 0; with_placeholder < 2; with_placeholder++) {
        rig *made = allowed_rig();
        size_t size = (size_t)snprintf(text, sizeof text, "%sX: %s\r\nY: ", GET,
                                       with_placeholder ? rig_placeholder(made, 0) : "x");
        memset(text + size, 'y', HTTP_MAX_HEAD);
        size += HTTP_MAX_HEAD;
        net_io io = rig_send(made, text, size, 1000);
        ASSERT_EQ(io, with_placeholder ? NET_IO_REFUSED : NET_IO_OK);
        ASSERT_EQ_U(made->sent_size, with_placeholder ? 0 : size);
        rig_destroy(made);
    }
}

static void test_a_transport_that_is_full(void)
{
    rig *made = allowed_rig();
    char *text = guest_text(made, GET "X: {0}\r\n\r\n");
    made->is_full = true;
    ASSERT_EQ(rig_send(made, text, strlen(text), 10000), NET_IO_OK);
    ASSERT_EQ(rig_send(made, text, strlen(text), 10000), NET_IO_AGAIN);
    ASSERT_EQ(made->filter->flush(made->filter, &made->below), NET_IO_AGAIN);
    made->is_full = false;
    made->write_limit = 3;
    ASSERT_EQ(made->filter->flush(made->filter, &made->below), NET_IO_OK);
    ASSERT_STR_EQ(made->sent, GET "X: " RIG_KEY "\r\n" IDENTITY);
    rig_destroy(made);
}

static void test_half_a_line_is_sent_when_the_guest_reads(void)
{
    rig *made = allowed_rig();
    char out[64];
    ASSERT_EQ(rig_send(made, "GE", 2, 2), NET_IO_OK);
    ASSERT_STR_EQ(made->sent, "");
    ASSERT_EQ(rig_receive(made, "hello", 0, out), NET_IO_AGAIN);
    ASSERT_STR_EQ(made->sent, "GE");
    ASSERT_STR_EQ(out, "hello");
    rig_destroy(made);
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void send_key(rig *made)
{
    char *text = guest_text(made, GET "X: {0}\r\n\r\n");
    ASSERT_EQ(rig_send(made, text, strlen(text), 10000), NET_IO_OK);
}

#define HEAD "HTTP/1.1 200 OK\r\n"

static const sent_example answers[] = {
    {HEAD "X: " RIG_KEY "\r\nContent-Length: 14\r\n\r\n" RIG_KEY,
     HEAD "X: **************\r\nContent-Length: 14\r\n\r\n**************"},
    {HEAD "Content-Length: 15\r\n\r\n" RIG_KEY "k" HEAD "Content-Length: 1\r\n\r\nk",
     HEAD "Content-Length: 15\r\n\r\n**************k" HEAD "Content-Length: 1\r\n\r\nk"},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nk3y\r\nb\r\n/VALUE+1 &x\r\n0\r\n\r\n",
     HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\n***\r\nb\r\n***********\r\n0\r\n\r\n"},
    {HEAD "\r\n" RIG_KEY RIG_KEY "k3", HEAD "\r\n****************************k3"},
    {HEAD "\r\n" RIG_OTHER, HEAD "\r\n" RIG_OTHER},
};

static void test_values_do_not_come_back(void)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        for (size_t step = 1; step < 200; step++) {
            rig *made = allowed_rig();
            char out[512];
            send_key(made);
            made->is_closed = true;
            ASSERT_EQ(rig_receive(made, answers[i].written, step, out), NET_IO_CLOSED);
            ASSERT_STR_EQ(out, answers[i].sent);
            rig_destroy(made);
        }
    }
}

static void test_a_complete_answer_is_not_held(void)
{
    rig *made = allowed_rig();
    char out[256];
    send_key(made);
    ASSERT_EQ(rig_receive(made, HEAD "Content-Length: 4\r\n\r\nok k", 0, out), NET_IO_AGAIN);
    ASSERT_STR_EQ(out, HEAD "Content-Length: 4\r\n\r\nok k");
    ASSERT(!made->filter->has_input(made->filter));
    /* This one is not complete: its end may be the start of a value. */
    ASSERT_EQ(rig_receive(made, HEAD "Content-Length: 9\r\n\r\nok k3y", 0, out), NET_IO_AGAIN);
    ASSERT_STR_EQ(out, HEAD "Content-Length: 9\r\n\r\nok ");
    ASSERT_EQ(rig_receive(made, "abc", 0, out), NET_IO_AGAIN);
    ASSERT_STR_EQ(out, "k3yabc");
    rig_destroy(made);
}

/* Whoever waits for input reads once and waits again: TLS of the guest's own, ended by chance as a
 * value begins. */
static void test_what_no_answer_holds_back_can_be_waited_for(void)
{
    rig *made = allowed_rig();
    uint8_t out[16];
    size_t size;
    send_key(made);
    made->input = "\x17 abc k3y";
    made->input_size = strlen(made->input);
    ASSERT_EQ(made->filter->read(made->filter, &made->below, out, sizeof out, &size), NET_IO_OK);
    ASSERT_BYTES_EQ(out, size, "\x17 abc ", strlen("\x17 abc "));
    ASSERT(made->filter->has_input(made->filter));
    ASSERT_EQ(made->filter->read(made->filter, &made->below, out, sizeof out, &size), NET_IO_OK);
    ASSERT_BYTES_EQ(out, size, "k3y", strlen("k3y"));
    ASSERT(!made->filter->has_input(made->filter));
    rig_destroy(made);
}

static void test_other_connections_are_watched_once_a_value_was_sent(void)
{
    rig *made = allowed_rig();
    net_filter *second;
    char out[256];
    ASSERT(secrets_new_filter(made->sandbox.secrets, made->sandbox.net, &made->connection, NULL,
                              &second));
    net_filter *first = made->filter;
    made->filter = second;
    ASSERT_EQ(rig_send(made, GET "\r\n", strlen(GET "\r\n"), 100), NET_IO_OK);
    ASSERT_EQ(rig_receive(made, HEAD "Content-Length: 28\r\n\r\n" RIG_KEY, 0, out), NET_IO_AGAIN);
    ASSERT_STR_EQ(out, HEAD "Content-Length: 28\r\n\r\n" RIG_KEY);
    made->filter = first;
    send_key(made);
    made->filter = second;
    ASSERT_EQ(rig_receive(made, RIG_KEY, 0, out), NET_IO_AGAIN);
    ASSERT_STR_EQ(out, "**************");
    second->destroy(second);
    made->filter = first;
    rig_destroy(made);
}

/* One byte that begins a TLS handshake turned it off for the connection. */
static void test_what_begins_as_tls_is_watched(void)
{
    static const char *const begins[] = {"\x16", "\x16\x03\x01", "LINK /x HTTP/1.1\r\n\r\n\x16",
                                         GET "Content-Length: 1\r\n\r\n\x16"};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        rig *made = allowed_rig();
        char out[64];
        ASSERT_EQ(rig_send(made, begins[i], strlen(begins[i]), 3), NET_IO_OK);
        made->sandbox.secrets->any_sent = made->sandbox.secrets->sent[0] = true;
        ASSERT_EQ(rig_receive(made, "\x16" RIG_KEY, 0, out), NET_IO_AGAIN);
        ASSERT_STR_EQ(out, "\x16**************");
        rig_destroy(made);
    }
}

/* Once a value was sent, no request may ask for an answer in which it would not be seen; NULL where
 * the request is refused. */
static const sent_example watched[] = {
    {GET "Range: bytes=0-3\r\nA: b\r\n\r\n", GET "A: b\r\n" IDENTITY},
    {GET "IF-RANGE: x\r\nrange:bytes=0-3\r\nAccept-Encoding: br\r\n\r\n", GET IDENTITY},
    {GET "TE: gzip\r\nA-IM: vcdiff\r\nAccept-Charset: utf-7\r\n\r\n", GET IDENTITY},
    {GET "A: b\r\n\r\n", GET "A: b\r\n\r\n"},
    {"PURGE / HTTP/1.1\r\nX: {0}\r\nRange: bytes=0-3\r\n\r\n",
     "PURGE / HTTP/1.1\r\nX: " RIG_KEY "\r\n" IDENTITY},
    {"POST / HTTP/1.1\r\nContent-Length: 9\r\nRange: bytes=0-3\r\n\r\nx HTTP/1.\r\n",
     "POST / HTTP/1.1\r\nContent-Length: 9\r\n" IDENTITY "x HTTP/1.\r\n"},
    /* What comes after the server has not agreed to another protocol is still looked at. */
    {GET "Upgrade: x\r\n\r\n" GET "Range: bytes=0-3\r\nX: {0}\r\n\r\n",
     GET "Upgrade: x\r\n\r\n" GET "X: {0}\r\n" IDENTITY},
    {"CONNECT a:1 HTTP/1.1\r\n\r\n" GET "Range: bytes=0-3\r\n\r\n",
     "CONNECT a:1 HTTP/1.1\r\n\r\n" GET IDENTITY},
    {GET "Upgrade: x\r\n\r\n\x81\x05 HTTP", GET "Upgrade: x\r\n\r\n\x81\x05 HTTP"},
    /* Other protocols. */
    {"SELECT 1 -- HTTP/1.1 says\n", "SELECT 1 -- HTTP/1.1 says\n"},
    {"*1\r\n$4\r\nPING\r\n", "*1\r\n$4\r\nPING\r\n"},
    /* What a lenient server takes for a request. */
    {"GET / HTTP/1.1\nRange: bytes=0-3\n\n", NULL},
    {"GET /\tHTTP/1.1 \r\nRange: bytes=0-3\r\n\r\n", NULL},
    {"FROB / HTTP/1.1\r\nRange: bytes=0-3\r\n\r\n", NULL},
    {"\r\n\r\nGET / HTTP/1.1\r\nRange: bytes=0-3\r\n\r\n", NULL},
    {GET "Range : bytes=0-3\r\n\r\n", NULL},
    {GET "Content-Length: 1\r\nContent-Length: 1\r\nRange: bytes=0-3\r\n\r\nx", NULL},
    {GET "Content-Length: 21\r\n\r\nGET / HTTP/1.1\r\nA: b\n", NULL},
    {GET "Upgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL},
};

static void test_requests_of_watched_connections_ask_for_plain_answers(void)
{
    for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++) {
        for (size_t step = 1; step < 70; step++) {
            rig *made = allowed_rig();
            made->sandbox.secrets->any_sent = made->sandbox.secrets->sent[0] = true;
            char *text = strdup(guest_text(made, watched[i].written));
            net_io io = rig_send(made, text, strlen(text), step == 69 ? 65536 : step);
            ASSERT_EQ(io, watched[i].sent != NULL ? NET_IO_OK : NET_IO_REFUSED);
            if (watched[i].sent != NULL) {
                ASSERT_STR_EQ(made->sent, guest_text(made, watched[i].sent));
            } else {
                ASSERT(strstr(made->sent, "ange: bytes=0-3") == NULL);
            }
            free(text);
            rig_destroy(made);
        }
    }
}

/* A connection that was made unreadable before there was something to be seen. */
static void test_what_was_said_before_counts(void)
{
    rig *made = allowed_rig();
    const char *begin = "GET / HTTP/1.1\nX: y\n";
    ASSERT_EQ(rig_send(made, begin, strlen(begin), 100), NET_IO_OK);
    made->sandbox.secrets->any_sent = made->sandbox.secrets->sent[0] = true;
    ASSERT_EQ(rig_send(made, "Range: bytes=0-3\n\n", 18, 100), NET_IO_REFUSED);
    ASSERT_STR_EQ(made->sent, begin);
    ASSERT_STR_EQ(refusal(made), "once a secret was sent, requests have to be plain HTTP/1.1");
    rig_destroy(made);
}

static void test_answers_are_followed_after_a_refused_tunnel(void)
{
    rig *made = allowed_rig();
    char out[256];
    send_key(made);
    const char *text = "CONNECT a:1 HTTP/1.1\r\n\r\n" GET "\r\n";
    ASSERT_EQ(rig_send(made, text, strlen(text), 1000), NET_IO_OK);
    ASSERT_EQ(rig_receive(made,
                          HEAD "Content-Length: 0\r\n\r\n"
                               "HTTP/1.1 405 No\r\nContent-Length: 2\r\n\r\nno" HEAD
                               "Content-Length: 14\r\n\r\nk3y/",
                          0, out),
              NET_IO_AGAIN);
    ASSERT_NULL(strstr(out, "k3y"));
    ASSERT_EQ(rig_receive(made, "VALUE+1 &x", 0, out), NET_IO_AGAIN);
    ASSERT_STR_EQ(out, "**************");
    rig_destroy(made);
}

static void test_requests_without_an_answer_are_counted(void)
{
    rig *made = allowed_rig();
    for (int i = 0; i < 64; i++) {
        ASSERT_EQ(rig_send(made, GET "\r\n", strlen(GET "\r\n"), 1000), NET_IO_OK);
    }
    ASSERT_EQ(rig_send(made, GET "\r\n", strlen(GET "\r\n"), 1000), NET_IO_REFUSED);
    ASSERT_STR_CONTAINS(refusal(made), "too many requests without an answer");
    rig_destroy(made);
}

/* ---- Options --------------------------------------------------------------------------------- */

static eryx_status create(const char *name, const char *value, size_t value_size,
                          const char *pattern, uint32_t scrub, char message[512])
{
    const char *const patterns[] = {pattern};
    const eryx_secret list[] = {{name, {(const uint8_t *)value, value_size}, {patterns, 1}},
                                {"B", {(const uint8_t *)"b", 1}, {NULL, 0}}};
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.secrets = list;
    options.secret_count = 2;
    options.scrub = scrub;
    eryx_error error = {{0}};
    secrets *made = NULL;
    eryx_status status = secrets_create(&options, &made, &error);
    secrets_destroy(made);
    strcpy(message, error.message);
    return status;
}

static void test_options_are_checked(void)
{
    char message[512];
    static char long_value[SECRET_MAX_VALUE + 1];
    memset(long_value, 'x', sizeof long_value);
    ASSERT_EQ(create("A", "secret-value", 12, "*", ERYX_SCRUB_DEFAULT, message), ERYX_OK);
    ASSERT_EQ(create("_a1", long_value, SECRET_MAX_VALUE, "*", 0, message), ERYX_OK);
    ASSERT_EQ(create("A", long_value, sizeof long_value, "*", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(create("", "v", 1, "*", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(create(NULL, "v", 1, "*", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(create("1A", "v", 1, "*", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(create("A-B", "v", 1, "*", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(create("B", "v", 1, "*", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_STR_EQ(message, "secret 'B' is there twice");
    ASSERT_EQ(create("A", "", 0, "*", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_STR_EQ(message, "the value of secret 'A' is empty");
    ASSERT_EQ(create("A", "secret-value\n", 13, "*", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_NULL(strstr(message, "secret-value"));
    ASSERT_EQ(create("A", "a\0b", 3, "*", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(create("A", "v", 1, "", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(create("A", "v", 1, "http://x", 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(create("A", "v", 1, NULL, 0, message), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(create("A", "v", 1, "*", 64, message), ERYX_INVALID_ARGUMENT);
}

static void test_none_and_too_many(void)
{
    static eryx_secret list[ERYX_MAX_SECRETS + 1];
    static char names[ERYX_MAX_SECRETS + 1][8];
    eryx_sandbox_options options;
    secrets *made = NULL;
    eryx_sandbox_options_init(&options);
    ASSERT_EQ(secrets_create(&options, &made, NULL), ERYX_OK);
    ASSERT_NULL(made);
    ASSERT_EQ(secrets_create(NULL, &made, NULL), ERYX_OK);
    ASSERT_NULL(made);
    for (int i = 0; i <= ERYX_MAX_SECRETS; i++) {
        snprintf(names[i], sizeof names[i], "N%d", i);
        list[i] = (eryx_secret){names[i], {(const uint8_t *)"value", 5}, {NULL, 0}};
    }
    options.secrets = list;
    options.secret_count = ERYX_MAX_SECRETS + 1;
    ASSERT_EQ(secrets_create(&options, &made, NULL), ERYX_INVALID_ARGUMENT);
    options.secret_count = ERYX_MAX_SECRETS;
    ASSERT_EQ(secrets_create(&options, &made, NULL), ERYX_OK);
    secrets *copy;
    ASSERT(secrets_copy(made, &copy));
    secrets_destroy(made);
    char earlier[PLACEHOLDER_SIZE + 1];
    strcpy(earlier, copy->placeholders.texts[7]);
    ASSERT(secrets_renew(copy));
    ASSERT_NE(strcmp(copy->placeholders.texts[7], earlier), 0);
    secrets_destroy(copy);
    ASSERT(secrets_copy(NULL, &copy));
    ASSERT_NULL(copy);
    ASSERT(secrets_renew(NULL));
    secrets_destroy(NULL);
}

TEST_MAIN(TEST_CASE(test_values_are_put_into_headers), TEST_CASE(test_basic_credentials),
          TEST_CASE(test_nothing_is_sent_of_what_is_refused), TEST_CASE(test_the_target_decides),
          TEST_CASE(test_reasons_name_secret_and_host), TEST_CASE(test_heads_that_are_too_long),
          TEST_CASE(test_a_transport_that_is_full),
          TEST_CASE(test_half_a_line_is_sent_when_the_guest_reads),
          TEST_CASE(test_values_do_not_come_back), TEST_CASE(test_a_complete_answer_is_not_held),
          TEST_CASE(test_what_no_answer_holds_back_can_be_waited_for),
          TEST_CASE(test_other_connections_are_watched_once_a_value_was_sent),
          TEST_CASE(test_what_begins_as_tls_is_watched),
          TEST_CASE(test_requests_of_watched_connections_ask_for_plain_answers),
          TEST_CASE(test_what_was_said_before_counts),
          TEST_CASE(test_answers_are_followed_after_a_refused_tunnel),
          TEST_CASE(test_requests_without_an_answer_are_counted),
          TEST_CASE(test_options_are_checked), TEST_CASE(test_none_and_too_many))
