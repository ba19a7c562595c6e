#include "tls/session.h"

#include <pthread.h>

#include "tls/certificate.h"
#include "tls_server.h"

static const char example[] = "example.com";

/* No root of this machine counts. */
__attribute__((constructor)) static void forget_system_roots(void)
{
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
}

/* ---- Client and server in turns -------------------------------------------------------------- */

static eryx_bytes der_of(const identity *shown)
{
    unsigned char *der = NULL;
    int size = i2d_X509(shown->certificate, &der);
    ASSERT(size > 0);
    return (eryx_bytes){der, (size_t)size};
}

static SSL_CTX *context_with(const identity *root)
{
    tls_error error;
    SSL_CTX *context = NULL;
    eryx_bytes der = der_of(root);
    ASSERT(tls_context_get(&der, 1, &context, &error));
    OPENSSL_free((void *)(uintptr_t)der.data);
    return context;
}

static tls_session *connect_session(const identity *root, tls_server *server,
                                    tls_session_options options)
{
    tls_error error;
    tls_session *session = NULL;
    SSL_CTX *context = context_with(root);
    net_transport below = client_transport(server);
    if (options.name == NULL) {
        options.name = example;
    }
    if (!tls_session_create(context, &options, &below, &session, &error)) {
        test_fail(__FILE__, __LINE__, "no session: %s", error.message);
    }
    SSL_CTX_free(context);
    unblock_server(server);
    return session;
}

/* Steps both until the client knows. */
static tls_status shake_hands(tls_session *session, tls_server *server)
{
    for (int turn = 0; turn < 10000; turn++) {
        tls_status status = tls_session_handshake(session);
        if (status != TLS_WANT_READ && status != TLS_WANT_WRITE) {
            if (status == TLS_OK && server->ssl != NULL) {
                SSL_do_handshake(server->ssl);
            }
            return status;
        }
        SSL_do_handshake(server->ssl);
    }
    test_fail(__FILE__, __LINE__, "the handshake does not end");
}

/* A root, a server that shows a certificate of it, and how the handshake with it ends. */
typedef struct meeting {
    identity root;
    identity shown;
    tls_server server;
    tls_session *session;
} meeting;

static meeting meet_as(identity_options shown, tls_session_options options)
{
    meeting met;
    met.root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    shown.issuer = &met.root;
    shown.common_name = shown.common_name != NULL ? shown.common_name : "server";
    met.shown = make_identity(shown);
    met.server = start_server(&met.shown, NULL);
    met.session = connect_session(&met.root, &met.server, options);
    return met;
}

static meeting meet(void)
{
    return meet_as((identity_options){.names = "DNS:example.com"}, (tls_session_options){0});
}

static void part(meeting *met)
{
    tls_session_destroy(met->session);
    stop_server(&met->server);
    free_identity(&met->shown);
    free_identity(&met->root);
}

static void assert_text(const tls_text *text, const char *expected)
{
    ASSERT(!text->failed);
    ASSERT_BYTES_EQ(text->data, text->size, expected, strlen(expected));
}

/* ---- The handshake --------------------------------------------------------------------------- */

static void test_talks_to_a_server_it_can_verify(void)
{
    meeting met = meet();
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
    ASSERT(tls_session_is_ready(met.session));
    size_t size;
    ASSERT_EQ(tls_session_write(met.session, (const uint8_t *)"ping", 4, &size), TLS_OK);
    ASSERT_EQ(size, 4);
    uint8_t buffer[16];
    ASSERT_EQ(SSL_read(met.server.ssl, buffer, sizeof buffer), 4);
    ASSERT_BYTES_EQ(buffer, 4, "ping", 4);
    ASSERT_EQ(tls_session_read(met.session, buffer, sizeof buffer, &size), TLS_WANT_READ);
    ASSERT_EQ(SSL_write(met.server.ssl, "pong!", 5), 5);
    ASSERT_EQ(tls_session_read(met.session, buffer, 2, &size), TLS_OK);
    ASSERT_BYTES_EQ(buffer, size, "po", 2);
    ASSERT_EQ(tls_session_pending(met.session), 3);
    ASSERT_EQ(tls_session_read(met.session, buffer, sizeof buffer, &size), TLS_OK);
    ASSERT_BYTES_EQ(buffer, size, "ng!", 3);
    part(&met);
}

static void test_byte_by_byte(void)
{
    meeting met = meet();
    met.server.client->most = 1;
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
    ASSERT_EQ(SSL_write(met.server.ssl, "slow", 4), 4);
    uint8_t buffer[16];
    size_t size;
    ASSERT_EQ(tls_session_read(met.session, buffer, sizeof buffer, &size), TLS_OK);
    ASSERT_BYTES_EQ(buffer, size, "slow", 4);
    part(&met);
}

static void assert_unverified(meeting *met, int code, const char *text)
{
    ASSERT_EQ(shake_hands(met->session, &met->server), TLS_FAILED);
    const tls_error *error = tls_session_error(met->session);
    ASSERT_STR_EQ(error->reason, "CERTIFICATE_VERIFY_FAILED");
    ASSERT_STR_EQ(error->library, "SSL");
    ASSERT_EQ(error->verify_code, code);
    ASSERT_STR_EQ(error->verify_message, text);
    ASSERT_STR_CONTAINS(error->message, "certificate verify failed: ");
    ASSERT_STR_CONTAINS(error->message, text);
    /* And nothing goes either way, however often it is tried. */
    uint8_t byte = 'x';
    size_t size;
    ASSERT_EQ(tls_session_write(met->session, &byte, 1, &size), TLS_FAILED);
    ASSERT_EQ(tls_session_read(met->session, &byte, 1, &size), TLS_FAILED);
    ASSERT_EQ(tls_session_handshake(met->session), TLS_FAILED);
    ASSERT(!tls_session_is_ready(met->session));
    part(met);
}

static void test_wrong_name(void)
{
    meeting met = meet_as((identity_options){.names = "DNS:other.com"}, (tls_session_options){0});
    assert_unverified(&met, X509_V_ERR_HOSTNAME_MISMATCH,
                      "Hostname mismatch, certificate is not valid for 'example.com'.");
}

static void test_name_only_in_the_subject(void)
{
    meeting met =
        meet_as((identity_options){.common_name = "example.com"}, (tls_session_options){0});
    assert_unverified(&met, X509_V_ERR_HOSTNAME_MISMATCH,
                      "Hostname mismatch, certificate is not valid for 'example.com'.");
}

static void test_wildcards(void)
{
    static const struct {
        const char *pattern;
        const char *name;
        tls_status status;
    } rows[] = {
        {"DNS:*.example.com", "a.example.com", TLS_OK},
        {"DNS:*.example.com", "a.b.example.com", TLS_FAILED},
        {"DNS:*.example.com", "example.com", TLS_FAILED},
        {"DNS:w*.example.com", "www.example.com", TLS_FAILED},
        {"DNS:*.com", "example.com", TLS_FAILED},
        {"DNS:EXAMPLE.com", "example.com", TLS_OK},
        {"DNS:127.0.0.1", "127.0.0.1", TLS_FAILED},
        {"IP:127.0.0.1", "127.0.0.1", TLS_OK},
        {"IP:127.0.0.2", "127.0.0.1", TLS_FAILED},
        {"IP:::1", "::1", TLS_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_address = strstr(rows[i].name, "example") == NULL;
        meeting met =
            meet_as((identity_options){.names = rows[i].pattern},
                    (tls_session_options){.name = rows[i].name, .is_address = is_address});
        tls_status status = shake_hands(met.session, &met.server);
        if (status != rows[i].status) {
            test_fail(__FILE__, __LINE__, "%s for %s: %d", rows[i].pattern, rows[i].name, status);
        }
        part(&met);
    }
}

static void test_wrong_address(void)
{
    meeting met = meet_as((identity_options){.names = "IP:127.0.0.2"},
                          (tls_session_options){.name = "127.0.0.1", .is_address = true});
    assert_unverified(&met, X509_V_ERR_IP_ADDRESS_MISMATCH,
                      "IP address mismatch, certificate is not valid for '127.0.0.1'.");
}

static void test_expired(void)
{
    meeting met =
        meet_as((identity_options){.names = "DNS:example.com", .begins = -7200, .ends = -3600},
                (tls_session_options){0});
    assert_unverified(&met, X509_V_ERR_CERT_HAS_EXPIRED, "certificate has expired");
}

static void test_not_yet_valid(void)
{
    meeting met = meet_as((identity_options){.names = "DNS:example.com", .begins = 3600},
                          (tls_session_options){0});
    assert_unverified(&met, X509_V_ERR_CERT_NOT_YET_VALID,
                      "certificate is not yet valid or the system clock is incorrect");
}

static void test_weak_key(void)
{
    meeting met = meet_as((identity_options){.names = "DNS:example.com", .rsa_bits = 1024},
                          (tls_session_options){0});
    assert_unverified(&met, X509_V_ERR_EE_KEY_TOO_SMALL, "EE certificate key too weak");
}

static void test_self_signed(void)
{
    meeting met;
    met.root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    met.shown =
        make_identity((identity_options){.common_name = "server", .names = "DNS:example.com"});
    met.server = start_server(&met.shown, NULL);
    met.session = connect_session(&met.root, &met.server, (tls_session_options){0});
    assert_unverified(&met, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "self-signed certificate");
}

static void test_unknown_root(void)
{
    identity other =
        make_identity((identity_options){.common_name = "other", .is_authority = true});
    meeting met;
    met.root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    met.shown = make_identity(
        (identity_options){.common_name = "server", .names = "DNS:example.com", .issuer = &other});
    met.server = start_server(&met.shown, NULL);
    met.session = connect_session(&met.root, &met.server, (tls_session_options){0});
    free_identity(&other);
    assert_unverified(&met, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                      "unable to get local issuer certificate");
}

/* It is about the certificate, whatever the arithmetic of signatures has to say besides. */
static void test_a_forged_signature_is_a_failed_verification(void)
{
    identity forger =
        make_identity((identity_options){.common_name = "root", .is_authority = true});
    meeting met;
    met.root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    met.shown = make_identity((identity_options){
        .common_name = "server", .names = "DNS:example.com", .issuer = &met.root});
    ASSERT(X509_sign(met.shown.certificate, forger.key, EVP_sha256()) > 0);
    met.server = start_server(&met.shown, NULL);
    met.session = connect_session(&met.root, &met.server, (tls_session_options){0});
    free_identity(&forger);
    assert_unverified(&met, X509_V_ERR_CERT_SIGNATURE_FAILURE, "certificate signature failure");
}

static void test_signed_by_one_that_must_not(void)
{
    meeting met;
    met.root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    identity leaf = make_identity(
        (identity_options){.common_name = "leaf", .names = "DNS:leaf.com", .issuer = &met.root});
    met.shown = make_identity(
        (identity_options){.common_name = "server", .names = "DNS:example.com", .issuer = &leaf});
    met.server = start_server(&met.shown, &leaf);
    met.session = connect_session(&met.root, &met.server, (tls_session_options){0});
    free_identity(&leaf);
    assert_unverified(&met, X509_V_ERR_INVALID_CA, "invalid CA certificate");
}

static void test_chain(void)
{
    meeting met;
    met.root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    identity between = make_identity(
        (identity_options){.common_name = "between", .is_authority = true, .issuer = &met.root});
    met.shown = make_identity((identity_options){
        .common_name = "server", .names = "DNS:example.com", .issuer = &between});
    met.server = start_server(&met.shown, &between);
    met.session = connect_session(&met.root, &met.server, (tls_session_options){0});
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
    const int expected[] = {2, 3}; /* as sent, as verified */
    for (int verified = 0; verified <= 1; verified++) {
        tls_text chain = {0};
        tls_session_append_chain(met.session, verified != 0, &chain);
        int count = 0;
        for (size_t at = 0; at < chain.size; count++) {
            const uint8_t *size = (const uint8_t *)chain.data + at;
            at += 4 + (size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16);
            ASSERT_LE(at, chain.size);
        }
        ASSERT_EQ(count, expected[verified]);
        tls_text_clear(&chain);
    }
    free_identity(&between);
    part(&met);
}

static void test_garbage_instead_of_tls(void)
{
    meeting met = meet();
    static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    ASSERT_EQ(tls_session_handshake(met.session), TLS_WANT_READ);
    ASSERT_EQ(send(met.server.fd, text, sizeof text - 1, 0), sizeof text - 1);
    ASSERT_EQ(tls_session_handshake(met.session), TLS_FAILED);
    ASSERT_STR_EQ(tls_session_error(met.session)->reason, "WRONG_VERSION_NUMBER");
    ASSERT_STR_EQ(tls_session_error(met.session)->library, "SSL");
    part(&met);
}

static void test_garbage_of_every_kind(void)
{
    /* Bytes of a handshake record that goes on for ever, of an alert, of other records. */
    for (unsigned seed = 0; seed < 400; seed++) {
        meeting met = meet();
        uint8_t noise[600];
        unsigned state = seed * 2654435761u + 1;
        for (size_t i = 0; i < sizeof noise; i++) {
            state = state * 1664525u + 1013904223u;
            noise[i] = (uint8_t)(state >> 24);
        }
        const uint8_t header[5] = {(uint8_t)(20 + seed % 5), 3, 3, 2, (uint8_t)seed};
        memcpy(noise, header, sizeof header);
        tls_session_handshake(met.session);
        ASSERT_EQ(send(met.server.fd, noise, sizeof noise, 0), sizeof noise);
        close_server_end(&met.server);
        tls_status status;
        do {
            status = tls_session_handshake(met.session);
        } while (status == TLS_WANT_READ || status == TLS_WANT_WRITE);
        ASSERT_LT(status, 0);
        part(&met);
    }
}

static void test_server_goes_away_in_the_handshake(void)
{
    meeting met = meet();
    ASSERT_EQ(tls_session_handshake(met.session), TLS_WANT_READ);
    uint8_t hello[4096];
    ASSERT(recv(met.server.fd, hello, sizeof hello, 0) > 0);
    close_server_end(&met.server);
    ASSERT_EQ(tls_session_handshake(met.session), TLS_EOF);
    ASSERT_STR_CONTAINS(tls_session_error(met.session)->message, "EOF occurred");
    part(&met);
}

static void test_old_versions_are_refused(void)
{
    meeting met = meet();
    SSL_set_min_proto_version(met.server.ssl, TLS1_VERSION);
    SSL_set_max_proto_version(met.server.ssl, TLS1_1_VERSION);
    SSL_set_cipher_list(met.server.ssl, "ALL:@SECLEVEL=0");
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_FAILED);
    ASSERT_STR_CONTAINS(tls_session_error(met.session)->reason, "PROTOCOL_VERSION");
    part(&met);
}

static void test_ciphers_without_a_certificate_are_refused(void)
{
    meeting met = meet();
    SSL_set_max_proto_version(met.server.ssl, TLS1_2_VERSION);
    ASSERT_EQ(SSL_set_cipher_list(met.server.ssl, "aNULL:eNULL:@SECLEVEL=0"), 1);
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_FAILED);
    ASSERT_STR_CONTAINS(tls_session_error(met.session)->reason, "HANDSHAKE_FAILURE");
    part(&met);
}

static void test_versions_can_be_narrowed(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const char *const names[] = {"TLSv1.2", "TLSv1.3"};
    for (size_t i = 0; i < 2; i++) {
        meeting met = meet_as(
            (identity_options){.names = "DNS:example.com"},
            (tls_session_options){.minimum_version = versions[i], .maximum_version = versions[i]});
        ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
        tls_text text = {0};
        tls_session_describe(met.session, &text);
        tls_text_add(&text, "", 1);
        ASSERT_STR_CONTAINS(text.data, names[i]);
        tls_text_clear(&text);
        uint8_t binding[64];
        ASSERT(tls_session_binding(met.session, binding, sizeof binding) >= 12);
        part(&met);
    }
}

static void test_options_that_can_not_be(void)
{
    identity root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    SSL_CTX *context = context_with(&root);
    static const uint8_t bad_alpn[] = "\x09http/1.1";
    const struct {
        tls_session_options options;
        const char *message;
    } rows[] = {
        {{.name = ""}, "verified"},
        {{.name = ".example.com"}, "verified"},
        {{.name = "1.2.3", .is_address = true}, "verified"},
        {{.name = "example.com", .minimum_version = TLS1_VERSION}, "version"},
        {{.name = "example.com", .maximum_version = TLS1_1_VERSION}, "version"},
        {{.name = "example.com", .alpn = bad_alpn, .alpn_size = sizeof bad_alpn - 1}, "ALPN"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tls_error error = {0};
        tls_session *session = NULL;
        ASSERT(!tls_session_create(context, &rows[i].options, NULL, &session, &error));
        ASSERT_STR_CONTAINS(error.message, rows[i].message);
    }
    SSL_CTX_free(context);
    free_identity(&root);
}

static void test_alpn(void)
{
    static const uint8_t protocols[] = "\x02h2\x08http/1.1";
    meeting met =
        meet_as((identity_options){.names = "DNS:example.com"},
                (tls_session_options){.alpn = protocols, .alpn_size = sizeof protocols - 1});
    tls_text text = {0};
    tls_session_describe(met.session, &text);
    assert_text(&text, "{\"version\":null,\"cipher\":null,\"alpn\":null}");
    tls_text_clear(&text);
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
    tls_session_describe(met.session, &text);
    assert_text(&text,
                "{\"version\":\"TLSv1.3\",\"cipher\":[\"TLS_AES_256_GCM_SHA384\",\"TLSv1.3\","
                "256],\"alpn\":\"http/1.1\"}");
    tls_text_clear(&text);
    part(&met);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void test_many_bytes_both_ways(void)
{
    enum { SIZE = 3000000 };
    meeting met = meet();
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
    uint8_t *sent = malloc(SIZE);
    uint8_t *seen = malloc(SIZE + 1);
    for (size_t i = 0; i < SIZE; i++) {
        sent[i] = (uint8_t)(i * 7 + i / 251);
    }
    size_t out = 0;
    size_t in = 0;
    bool was_full = false;
    while (in < SIZE) {
        size_t size = 0;
        if (out < SIZE) {
            /* As the last bytes come again, the next call may be shorter than the one before. */
            size_t part_size = out % 3 == 0 && SIZE - out > 5000 ? 5000 : SIZE - out;
            tls_status status = tls_session_write(met.session, sent + out, part_size, &size);
            ASSERT(status == TLS_OK || status == TLS_WANT_WRITE);
            was_full |= status == TLS_WANT_WRITE;
            out += size;
        }
        int count = SSL_read(met.server.ssl, seen + in, (int)(SIZE + 1 - in));
        in += count > 0 ? (size_t)count : 0;
    }
    ASSERT(was_full);
    ASSERT_BYTES_EQ(seen, in, sent, SIZE);
    memset(seen, 0, SIZE);
    SSL_set_mode(met.server.ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    out = in = 0;
    while (in < SIZE) {
        int count = out < SIZE ? SSL_write(met.server.ssl, sent + out, (int)(SIZE - out)) : 0;
        out += count > 0 ? (size_t)count : 0;
        size_t size;
        while (tls_session_read(met.session, seen + in, SIZE + 1 - in, &size) == TLS_OK) {
            in += size;
        }
    }
    ASSERT_BYTES_EQ(seen, in, sent, SIZE);
    free(sent);
    free(seen);
    part(&met);
}

static void test_the_end_with_and_without_a_word(void)
{
    for (int with_word = 0; with_word <= 1; with_word++) {
        meeting met = meet();
        ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
        ASSERT_EQ(SSL_write(met.server.ssl, "last", 4), 4);
        if (with_word) {
            SSL_shutdown(met.server.ssl);
        }
        close_server_end(&met.server);
        uint8_t buffer[16];
        size_t size;
        ASSERT_EQ(tls_session_read(met.session, buffer, sizeof buffer, &size), TLS_OK);
        ASSERT_BYTES_EQ(buffer, size, "last", 4);
        for (int i = 0; i < 2; i++) {
            ASSERT_EQ(tls_session_read(met.session, buffer, sizeof buffer, &size),
                      with_word ? TLS_CLOSED : TLS_EOF);
        }
        part(&met);
    }
}

static void test_shutdown(void)
{
    meeting met = meet();
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
    ASSERT_EQ(tls_session_shutdown(met.session), TLS_WANT_READ);
    ASSERT(!tls_session_is_shut(met.session));
    uint8_t byte;
    ASSERT_EQ(SSL_read(met.server.ssl, &byte, 1), 0);
    ASSERT_EQ(SSL_get_error(met.server.ssl, 0), SSL_ERROR_ZERO_RETURN);
    ASSERT_EQ(SSL_shutdown(met.server.ssl), 1);
    ASSERT_EQ(tls_session_shutdown(met.session), TLS_OK);
    ASSERT(tls_session_is_shut(met.session));
    part(&met);
}

static void test_renegotiation_is_refused(void)
{
    meeting met = meet_as((identity_options){.names = "DNS:example.com"},
                          (tls_session_options){.maximum_version = TLS1_2_VERSION});
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
    ASSERT_EQ(SSL_renegotiate(met.server.ssl), 1);
    SSL_do_handshake(met.server.ssl);
    uint8_t buffer[16];
    size_t size;
    tls_status status = tls_session_read(met.session, buffer, sizeof buffer, &size);
    ASSERT(status == TLS_WANT_READ || status == TLS_FAILED);
    /* The server hears no. */
    ERR_clear_error();
    ASSERT(SSL_read(met.server.ssl, buffer, sizeof buffer) <= 0);
    unsigned long code = ERR_peek_error();
    ASSERT_STR_EQ(ERR_reason_error_string(code), "no renegotiation");
    ERR_clear_error();
    part(&met);
}

/* Sends records that carry nothing, for as long as anybody listens. */
static void *send_nothing(void *argument)
{
    static const uint8_t record[] = {20, 3, 3, 0, 1, 1};
    uint8_t many[sizeof record * 1000];
    for (size_t i = 0; i < 1000; i++) {
        memcpy(many + i * sizeof record, record, sizeof record);
    }
    const int *fd = argument;
    while (send(*fd, many, sizeof many, MSG_NOSIGNAL) > 0) {
    }
    return NULL;
}

static void test_a_server_can_not_keep_the_host_busy(void)
{
    meeting met = meet();
    struct timeval never = {0, 0};
    ASSERT_EQ(tls_session_handshake(met.session), TLS_WANT_READ);
    setsockopt(met.server.fd, SOL_SOCKET, SO_SNDTIMEO, &never, sizeof never);
    pthread_t sender;
    ASSERT_EQ(pthread_create(&sender, NULL, send_nothing, &met.server.fd), 0);
    /* Each call comes back, whether OpenSSL puts up with it or not. */
    for (int i = 0; i < 50; i++) {
        ASSERT_LT(tls_session_handshake(met.session), 0);
    }
    shutdown(met.server.client->fd, SHUT_RDWR);
    pthread_join(sender, NULL);
    part(&met);
}

static void test_a_transport_that_breaks(void)
{
    meeting met = meet();
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
    tls_session_cut(met.session);
    uint8_t buffer[16] = {0};
    size_t size;
    ASSERT_EQ(tls_session_read(met.session, buffer, sizeof buffer, &size), TLS_BROKEN);
    ASSERT_EQ(tls_session_write(met.session, buffer, sizeof buffer, &size), TLS_BROKEN);
    ASSERT_EQ(tls_session_shutdown(met.session), TLS_BROKEN);
    part(&met);
}

/* ---- A fed session --------------------------------------------------------------------------- */

/* Carries bytes between a fed session and the server's socket. */
static void carry(tls_session *session, tls_server *server)
{
    uint8_t bytes[70000];
    size_t size;
    while ((size = tls_session_drain(session, bytes, sizeof bytes)) > 0) {
        ASSERT_EQ(send(server->client->fd, bytes, size, 0), size);
    }
    ssize_t count;
    while ((count = recv(server->client->fd, bytes, 1000, MSG_DONTWAIT)) > 0) {
        ASSERT_EQ(tls_session_feed(session, bytes, (size_t)count), count);
    }
    if (count == 0) {
        tls_session_feed_end(session);
    }
}

static void test_a_fed_session(void)
{
    meeting met = meet();
    tls_error error;
    tls_session *session;
    SSL_CTX *context = context_with(&met.root);
    ASSERT(tls_session_create(context, &(tls_session_options){.name = example}, NULL, &session,
                              &error));
    SSL_CTX_free(context);
    tls_status status;
    while ((status = tls_session_handshake(session)) == TLS_WANT_READ) {
        carry(session, &met.server);
        SSL_do_handshake(met.server.ssl);
        carry(session, &met.server);
    }
    ASSERT_EQ(status, TLS_OK);
    carry(session, &met.server);
    ASSERT_EQ(SSL_do_handshake(met.server.ssl), 1);
    uint8_t bytes[4096] = {0};
    size_t size;
    ASSERT_EQ(tls_session_write(session, bytes, 100, &size), TLS_OK);
    carry(session, &met.server);
    ASSERT_EQ(SSL_read(met.server.ssl, bytes, sizeof bytes), 100);
    ASSERT_EQ(SSL_write(met.server.ssl, "fed", 3), 3);
    SSL_shutdown(met.server.ssl);
    close_server_end(&met.server);
    carry(session, &met.server);
    ASSERT_EQ(tls_session_read(session, bytes, sizeof bytes, &size), TLS_OK);
    ASSERT_BYTES_EQ(bytes, size, "fed", 3);
    ASSERT_EQ(tls_session_read(session, bytes, sizeof bytes, &size), TLS_CLOSED);
    tls_session_destroy(session);
    part(&met);
}

static void test_a_fed_session_is_bounded(void)
{
    meeting met = meet();
    tls_error error;
    tls_session *session;
    SSL_CTX *context = context_with(&met.root);
    ASSERT(tls_session_create(context, &(tls_session_options){.name = example}, NULL, &session,
                              &error));
    SSL_CTX_free(context);
    uint8_t *bytes = calloc(1, TLS_MAX_QUEUED_BYTES);
    ASSERT_EQ(tls_session_feed(session, bytes, TLS_MAX_QUEUED_BYTES - 1), TLS_MAX_QUEUED_BYTES - 1);
    ASSERT_EQ(tls_session_feed(session, bytes, 10), 1);
    ASSERT_EQ(tls_session_feed(session, bytes, 10), 0);
    tls_session_destroy(session);

    /* And the other way: a writer that never drains. */
    context = context_with(&met.root);
    ASSERT(tls_session_create(context, &(tls_session_options){.name = example}, NULL, &session,
                              &error));
    SSL_CTX_free(context);
    while (tls_session_handshake(session) == TLS_WANT_READ) {
        carry(session, &met.server);
        SSL_do_handshake(met.server.ssl);
        carry(session, &met.server);
    }
    size_t total = 0;
    size_t size;
    tls_status status;
    while ((status = tls_session_write(session, bytes, 50000, &size)) == TLS_OK) {
        total += size;
        ASSERT_LE(total, 2 * TLS_MAX_QUEUED_BYTES);
    }
    ASSERT_EQ(status, TLS_WANT_WRITE);
    free(bytes);
    tls_session_destroy(session);
    part(&met);
}

/* ---- Client certificates --------------------------------------------------------------------- */

static void test_client_certificate(void)
{
    meeting met = meet();
    tls_session_destroy(met.session);
    identity client =
        make_identity((identity_options){.common_name = "client", .issuer = &met.root});
    BIO *certificate = pem_of(&client, false);
    BIO *key = pem_of(&client, true);
    char *certificate_text;
    char *key_text;
    long certificate_size = BIO_get_mem_data(certificate, &certificate_text);
    long key_size = BIO_get_mem_data(key, &key_text);
    SSL_set_verify(met.server.ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(met.server.context), met.root.certificate);
    met.session =
        connect_session(&met.root, &met.server,
                        (tls_session_options){.certificate = certificate_text,
                                              .certificate_size = (size_t)certificate_size,
                                              .key = key_text,
                                              .key_size = (size_t)key_size});
    ASSERT_EQ(shake_hands(met.session, &met.server), TLS_OK);
    ASSERT_NOT_NULL(SSL_get0_peer_certificate(met.server.ssl));

    /* A key of another. */
    BIO *other = pem_of(&met.root, true);
    char *other_text;
    long other_size = BIO_get_mem_data(other, &other_text);
    tls_error error;
    tls_session *session;
    SSL_CTX *context = context_with(&met.root);
    tls_session_options options = {.name = example,
                                   .certificate = certificate_text,
                                   .certificate_size = (size_t)certificate_size,
                                   .key = other_text,
                                   .key_size = (size_t)other_size};
    ASSERT(!tls_session_create(context, &options, NULL, &session, &error));
    ASSERT_STR_EQ(error.reason, "KEY_VALUES_MISMATCH");

    /* One that would have to be decrypted. */
    BIO *locked = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(locked, client.key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
    options.key_size = (size_t)BIO_get_mem_data(locked, &other_text);
    options.key = other_text;
    ASSERT(!tls_session_create(context, &options, NULL, &session, &error));
    ASSERT_STR_CONTAINS(error.message, "encrypted private key");

    options.key = "nothing";
    options.key_size = 7;
    ASSERT(!tls_session_create(context, &options, NULL, &session, &error));
    ASSERT_STR_CONTAINS(error.message, "the private key can't be read");
    SSL_CTX_free(context);
    BIO_free(locked);
    BIO_free(other);
    BIO_free(key);
    BIO_free(certificate);
    free_identity(&client);
    part(&met);
}

TEST_MAIN(TEST_CASE(test_talks_to_a_server_it_can_verify), TEST_CASE(test_byte_by_byte),
          TEST_CASE(test_wrong_name), TEST_CASE(test_name_only_in_the_subject),
          TEST_CASE(test_wildcards), TEST_CASE(test_wrong_address), TEST_CASE(test_expired),
          TEST_CASE(test_not_yet_valid), TEST_CASE(test_weak_key), TEST_CASE(test_self_signed),
          TEST_CASE(test_unknown_root), TEST_CASE(test_a_forged_signature_is_a_failed_verification),
          TEST_CASE(test_signed_by_one_that_must_not), TEST_CASE(test_chain),
          TEST_CASE(test_garbage_instead_of_tls), TEST_CASE(test_garbage_of_every_kind),
          TEST_CASE(test_server_goes_away_in_the_handshake),
          TEST_CASE(test_old_versions_are_refused),
          TEST_CASE(test_ciphers_without_a_certificate_are_refused),
          TEST_CASE(test_versions_can_be_narrowed), TEST_CASE(test_options_that_can_not_be),
          TEST_CASE(test_alpn), TEST_CASE(test_many_bytes_both_ways),
          TEST_CASE(test_the_end_with_and_without_a_word), TEST_CASE(test_shutdown),
          TEST_CASE(test_renegotiation_is_refused),
          TEST_CASE(test_a_server_can_not_keep_the_host_busy),
          TEST_CASE(test_a_transport_that_breaks), TEST_CASE(test_a_fed_session),
          TEST_CASE(test_a_fed_session_is_bounded), TEST_CASE(test_client_certificate))
