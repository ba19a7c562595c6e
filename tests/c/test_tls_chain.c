/* What a server sends is looked at before it is decoded. */
#include "tls/chain.h"

#include <openssl/core_names.h>

#include "tls/session.h"
#include "tls_identities.h"

static identity root;
static identity shown;

static void begin(void)
{
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    shown = make_identity(
        (identity_options){.common_name = "server", .names = "DNS:example.com", .issuer = &root});
}

static void finish(void)
{
    free_identity(&shown);
    free_identity(&root);
}

/* A handshake with a server that sends so many times one more certificate: how it ends. */
static tls_status shake_hands(int version, X509 *more, int count, tls_error *out_error)
{
    unsigned char *der = NULL;
    const int der_size = i2d_X509(root.certificate, &der);
    const eryx_bytes roots = {der, (size_t)der_size};
    SSL_CTX *context;
    tls_session *session;
    ASSERT(tls_context_get(&roots, 1, &context, out_error));
    const tls_session_options options = {
        .name = "example.com", .minimum_version = version, .maximum_version = version};
    ASSERT(tls_session_create(context, &options, NULL, &session, out_error));
    SSL_CTX_free(context);
    OPENSSL_free(der);

    SSL_CTX *server_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server_context, shown.certificate);
    SSL_CTX_use_PrivateKey(server_context, shown.key);
    SSL *server = SSL_new(server_context);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_security_level(server, 0);
    SSL_set_accept_state(server);
    for (int i = 0; i < count; i++) {
        ASSERT_EQ(SSL_add1_chain_cert(server, more), 1);
    }
    tls_status status = TLS_WANT_READ;
    for (int i = 0; i < 20 && (status == TLS_WANT_READ || status == TLS_WANT_WRITE); i++) {
        static uint8_t bytes[1 << 20];
        status = tls_session_handshake(session);
        const size_t sent = tls_session_drain(session, bytes, sizeof bytes);
        BIO_write(SSL_get_rbio(server), bytes, (int)sent);
        SSL_do_handshake(server);
        const int size = BIO_read(SSL_get_wbio(server), bytes, sizeof bytes);
        for (size_t fed = 0; size > 0 && fed < (size_t)size;) {
            const size_t taken = tls_session_feed(session, bytes + fed, (size_t)size - fed);
            status = tls_session_handshake(session);
            if (taken == 0 && status != TLS_WANT_READ) {
                break;
            }
            fed += taken;
        }
    }
    *out_error = *tls_session_error(session);
    ERR_clear_error();
    tls_session_destroy(session);
    SSL_free(server);
    SSL_CTX_free(server_context);
    return status;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void test_a_chain_of_usual_length(void)
{
    begin();
    for (size_t i = 0; i < 2; i++) {
        tls_error error;
        ASSERT_EQ(shake_hands(versions[i], root.certificate, 1, &error), TLS_OK);
        ASSERT_EQ(
            shake_hands(versions[i], root.certificate, TLS_MAX_CHAIN_CERTIFICATES - 1, &error),
            TLS_OK);
    }
    finish();
}

static void expect_refusal(X509 *more, int count)
{
    for (size_t i = 0; i < 2; i++) {
        tls_error error;
        ASSERT_EQ(shake_hands(versions[i], more, count, &error), TLS_FAILED);
        ASSERT_STR_CONTAINS(error.message, "certificates are malformed or too many, or have keys");
    }
}

static void test_too_many(void)
{
    begin();
    expect_refusal(root.certificate, TLS_MAX_CHAIN_CERTIFICATES);
    expect_refusal(root.certificate, 80);
    finish();
}

/* A curve that has to be checked. */
static void test_a_key_that_takes_long(void)
{
    begin();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
    identity made = make_identity((identity_options){.common_name = "x", .issuer = &root});
    X509_set_pubkey(made.certificate, key);
    ASSERT(X509_sign(made.certificate, root.key, EVP_sha256()) > 0);
    expect_refusal(made.certificate, 1);
    free_identity(&made);
    EVP_PKEY_free(key);
    finish();
}

/* Messages whose sizes are not true. */
static void test_malformed_messages(void)
{
    static const struct {
        uint8_t bytes[12];
        size_t size;
        bool quick; /* an empty list is left to OpenSSL */
    } cases[] = {
        {{11, 0, 0, 0}, 3, false},
        {{11, 0, 0, 0}, 4, false},
        {{11, 0, 0, 3, 0, 0, 0}, 7, true},
        {{11, 0, 0, 3, 0, 0, 1}, 7, false},
        {{11, 0, 0, 4, 0, 0, 0, 0}, 8, false},
        {{11, 0, 0, 6, 0, 0, 3, 0, 0, 0}, 10, false},
        {{11, 0, 0, 6, 0, 0, 3, 255, 255, 255}, 10, false},
        {{11, 0, 0, 5, 0, 0, 2, 0, 0}, 9, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ASSERT_EQ(tls_chain_is_quick(TLS1_2_VERSION, cases[i].bytes, cases[i].size),
                  cases[i].quick);
    }
    static const uint8_t empty[] = {11, 0, 0, 4, 0, 0, 0, 0};
    ASSERT(tls_chain_is_quick(TLS1_3_VERSION, empty, sizeof empty));
    static const uint8_t context[] = {11, 0, 0, 4, 9, 0, 0, 0};
    ASSERT(!tls_chain_is_quick(TLS1_3_VERSION, context, sizeof context));
}

TEST_MAIN(TEST_CASE(test_a_chain_of_usual_length), TEST_CASE(test_too_many),
          TEST_CASE(test_a_key_that_takes_long), TEST_CASE(test_malformed_messages))
