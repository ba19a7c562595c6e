/*
 * The filter of connections with secrets. Requests, most of them well-formed, are written in any
 * pieces; each placeholder in them has a word before it that says where it is. Promised:
 *   - a value is sent only behind the word of header values, and never to a host that may not have
 *     it;
 *   - what is sent does not depend on how it was cut, unless it is refused: then it is the start of
 *     the same;
 *   - no value comes back in an answer, and the answer keeps its length.
 */
#include "../c/secrets_rig.h"
#include "fuzz.h"

enum { TEXT_MAX = 1 << 16 };

typedef struct writer {
    char *text;
    size_t size;
    const rig *made;
    fuzz_input *input;
} writer;

static void put(writer *out, const char *text)
{
    size_t size = strlen(text);
    if (size < TEXT_MAX - 1 - out->size) {
        memcpy(out->text + out->size, text, size);
        out->size += size;
    }
}

static void put_placeholder(writer *out, const char *word)
{
    put(out, word);
    put(out, rig_placeholder(out->made, fuzz_below(out->input, 8) == 0));
}

static const char *choose(writer *out, const char *const *texts, uint32_t count)
{
    return texts[fuzz_below(out->input, count)];
}

/* One field of a head. */
static void put_field(writer *out)
{
    static const char *const plain[] = {
        "Host: api.example.com\r\n",
        "Host: evil.example.com\r\n",
        "Accept-Encoding: gzip\r\n",
        "Accept: */*\r\n",
        "Connection: keep-alive\r\n",
        "Upgrade: websocket\r\n",
        "Upgrade: h2c\r\n",
        "TE: trailers\r\n",
        "X: \r\n",
        "Content-Length: 7\r\n",
        "Transfer-Encoding: gzip\r\n",
        " folded\r\n",
        "Bad : x\r\n",
        "NoColon\r\n",
        "Bare: x\n",
    };
    uint32_t kind = fuzz_below(out->input, 16);
    if (kind < 6) {
        put(out, choose(out, plain, 5));
    } else if (kind < 13) {
        put(out, kind < 8 ? "Authorization: Bearer " : kind < 10 ? "X-Key:" : "Cookie: a=b; ");
        put_placeholder(out, "VALUE=");
        put(out, "\r\n");
    } else if (kind == 13) {
        put_placeholder(out, "NAME-");
        put(out, ": x\r\n");
    } else {
        put(out, choose(out, plain, sizeof plain / sizeof plain[0]));
    }
}

/* Bytes of a body, among them what looks like a request. */
static void put_body(writer *out, size_t *out_size)
{
    size_t begin = out->size;
    uint32_t parts = fuzz_below(out->input, 4);
    for (uint32_t i = 0; i < parts; i++) {
        switch (fuzz_below(out->input, 3)) {
        case 0:
            put_placeholder(out, "BODY=");
            break;
        case 1:
            put(out, "\r\n\r\nGET / HTTP/1.1\r\nHost: api.example.com\r\nX: ");
            put_placeholder(out, "BODY=");
            put(out, "\r\n\r\n");
            break;
        default:
            put(out, "0\r\n\r\n");
            break;
        }
    }
    *out_size = out->size - begin;
}

static void put_request(writer *out)
{
    static const char *const methods[] = {
        "GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "CONNECT ", "PRI * HTTP/2.0\r\n",
        "get ", "\r\n"};
    static const char *const versions[] = {" HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.1\r\n",
                                           " HTTP/1.0\r\n", " HTTP/1.1\n",   " HTTP/2\r\n"};
    static char body[4096];
    uint32_t usual = fuzz_below(out->input, 8);
    put(out, choose(out, methods, usual > 0 ? 5 : 9));
    put(out, "/path?");
    if (fuzz_below(out->input, 4) == 0) {
        put_placeholder(out, "TARGET=");
    }
    put(out, choose(out, versions, usual > 0 ? 4 : 6));
    for (uint32_t i = fuzz_below(out->input, 6); i > 0; i--) {
        put_field(out);
    }
    writer inner = {.text = body, .made = out->made, .input = out->input};
    size_t body_size;
    uint32_t kind = fuzz_below(out->input, 4);
    if (kind == 0) {
        put_body(&inner, &body_size);
        char length[64];
        snprintf(length, sizeof length, "Content-Length: %zu\r\n\r\n", body_size);
        put(out, length);
        body[body_size] = 0;
        put(out, body);
    } else if (kind == 1) {
        put(out, "Transfer-Encoding: chunked\r\n\r\n");
        for (uint32_t i = fuzz_below(out->input, 3); i > 0; i--) {
            inner.size = 0;
            put_body(&inner, &body_size);
            char length[64];
            snprintf(length, sizeof length, "%zx\r\n", body_size);
            body[body_size] = 0;
            if (body_size > 0) {
                put(out, length);
                put(out, body);
                put(out, "\r\n");
            }
        }
        put(out, "0\r\n\r\n");
    } else {
        put(out, "\r\n");
    }
}

/* A value may stand behind the word of header values only; not at all if the host is another. */
static void check_sent(const rig *made, bool is_allowed)
{
    static const char *const values[] = {RIG_KEY, RIG_OTHER};
    for (int i = 0; i < 2; i++) {
        for (const char *at = made->sent; (at = strstr(at, values[i])) != NULL; at++) {
            FUZZ_REQUIRE(is_allowed && i == 0);
            FUZZ_REQUIRE(at - made->sent >= 6 && memcmp(at - 6, "VALUE=", 6) == 0);
        }
    }
}

/* The same placeholders in two rigs, so that the same is sent. */
static rig *make_rig(bool is_allowed, const rig *like)
{
    rig *made =
        rig_create(is_allowed ? "api.example.com" : "evil.example.com", "198.51.100.7", NULL);
    FUZZ_REQUIRE(made != NULL);
    if (like != NULL) {
        placeholder_set_free(&made->sandbox.secrets->placeholders);
        FUZZ_REQUIRE(placeholder_set_copy(&like->sandbox.secrets->placeholders,
                                          &made->sandbox.secrets->placeholders));
    }
    return made;
}

static net_io send_in_pieces(rig *made, const writer *text, fuzz_input *cuts)
{
    size_t at = 0;
    while (at < text->size) {
        size_t part = 1 + fuzz_below(cuts, cuts->left == 0 ? 4096 : 40);
        part = part < text->size - at ? part : text->size - at;
        made->write_limit = fuzz_below(cuts, 4) == 0 ? 1 + fuzz_below(cuts, 9) : 0;
        made->is_full = fuzz_below(cuts, 8) == 0;
        size_t taken = 0;
        net_io io = made->filter->write(made->filter, &made->below,
                                        (const uint8_t *)text->text + at, part, &taken);
        if (io == NET_IO_AGAIN) {
            made->is_full = false;
            io = made->filter->flush(made->filter, &made->below);
            FUZZ_REQUIRE(io == NET_IO_OK);
        } else if (io != NET_IO_OK) {
            return io;
        }
        at += taken;
    }
    made->is_full = false;
    return made->filter->flush(made->filter, &made->below);
}

static void answer(rig *made, fuzz_input *input)
{
    static char text[TEXT_MAX];
    static char out[TEXT_MAX];
    static const char *const parts[] = {
        RIG_KEY,
        "k3y%2FVALUE%2B1%20%26x",
        "azN5L1ZBTFVFKzEgJng=",
        "k3y\\/VALUE+1 &x",
        "k3y/VALUE+1 &amp;x",
        "k3y",
        "k3y/VALUE+1 &",
        "x",
        "azN5L1ZB",
        "\r\n",
    };
    writer written = {.text = text, .made = made, .input = input};
    switch (fuzz_below(input, 4)) {
    case 0:
        put(&written, "HTTP/1.1 200 OK\r\n\r\n");
        break;
    case 1:
        put(&written, "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n");
        break;
    case 2:
        put(&written, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99999\r\n");
        break;
    default:
        break;
    }
    for (uint32_t i = fuzz_below(input, 12); i > 0; i--) {
        put(&written, choose(&written, parts, sizeof parts / sizeof parts[0]));
    }
    text[written.size] = 0;
    made->is_closed = true;
    net_io io = rig_receive(made, text, fuzz_below(input, 20), out);
    FUZZ_REQUIRE(io == NET_IO_CLOSED);
    FUZZ_REQUIRE(strlen(out) == written.size);
    if (made->sandbox.secrets->sent[0]) {
        FUZZ_REQUIRE(strstr(out, RIG_KEY) == NULL || strstr(text, "70\r\n\r\n") != NULL);
        FUZZ_REQUIRE(strstr(out, "k3y%2FVALUE%2B1%20%26x") == NULL ||
                     strstr(text, "70\r\n\r\n") != NULL);
    } else {
        FUZZ_REQUIRE(strcmp(out, text) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[TEXT_MAX];
    fuzz_input input = {data, size / 2};
    fuzz_input cuts = {data + size / 2, size - size / 2};
    bool is_allowed = fuzz_below(&input, 4) > 0;
    rig *whole = make_rig(is_allowed, NULL);
    rig *cut = make_rig(is_allowed, whole);
    writer written = {.text = text, .made = whole, .input = &input};
    for (uint32_t i = 1 + fuzz_below(&input, 6); i > 0; i--) {
        put_request(&written);
    }
    net_io io = rig_send(whole, text, written.size, TEXT_MAX);
    net_io cut_io = send_in_pieces(cut, &written, &cuts);
    check_sent(whole, is_allowed);
    check_sent(cut, is_allowed);
    if (io == NET_IO_OK && cut_io == NET_IO_OK) {
        FUZZ_REQUIRE(strcmp(whole->sent, cut->sent) == 0);
    }
    answer(cut, &cuts);
    rig_destroy(whole);
    rig_destroy(cut);
    return 0;
}
