/* Keys that OpenSSL is given to decode, and those that it must not be given. */
#include "tls/key.h"

#include <time.h>

#include "tls_identities.h"

#include <openssl/core_names.h>

/* OpenSSL takes minutes for some of these; what is looked at before it takes no time. */
#define MOST_MILLISECONDS 500

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- DER by hand ----------------------------------------------------------------------------- */

static uint8_t buffer[64 << 10];
static size_t buffer_size;

/* Writes from the end of the buffer to its start, the contents of an element before its head. */
static void put(const void *bytes, size_t size)
{
    buffer_size += size;
    ASSERT_LE(buffer_size, sizeof buffer);
    memcpy(buffer + sizeof buffer - buffer_size, bytes, size);
}

static void put_head(uint8_t tag, size_t size)
{
    const uint8_t head[] = {tag, 0x82, (uint8_t)(size >> 8), (uint8_t)size};
    put(head, sizeof head);
}

/* A number of so many bits, all of them ones. */
static void put_number(size_t bits)
{
    uint8_t bytes[8192];
    const size_t size = bits / 8;
    ASSERT_LE(size, sizeof bytes - 1);
    memset(bytes, 0xff, sizeof bytes);
    bytes[0] = 0;
    put(bytes, size + 1);
    put_head(2, size + 1);
}

static void put_small(uint8_t number)
{
    put(&number, 1);
    put_head(2, 1);
}

static size_t begin(void)
{
    return buffer_size;
}

static void end(uint8_t tag, size_t before)
{
    put_head(tag, buffer_size - before);
}

/* What was written, as PEM. */
static BIO *pem_of_buffer(const char *name)
{
    BIO *pem = BIO_new(BIO_s_mem());
    ASSERT(PEM_write_bio(pem, name, "", buffer + sizeof buffer - buffer_size, (long)buffer_size) >
           0);
    buffer_size = 0;
    return pem;
}

/* PKCS#8 with a number as the key and an algorithm whose parameters are numbers. */
static BIO *pem_with_numbers(const uint8_t *object, size_t object_size, const size_t *bits,
                             size_t count, size_t key_bits)
{
    buffer_size = 0;
    size_t whole = begin();
    size_t key = begin();
    put_number(key_bits);
    end(4, key);
    size_t algorithm = begin();
    size_t parameters = begin();
    for (size_t i = count; i > 0; i--) {
        put_number(bits[i - 1]);
    }
    end(0x30, parameters);
    size_t name = begin();
    put(object, object_size);
    end(6, name);
    end(0x30, algorithm);
    put_small(0);
    end(0x30, whole);
    return pem_of_buffer("PRIVATE KEY");
}

/* PKCS#1 with these sizes, in bits, of its eight numbers. */
static BIO *pem_of_rsa(const size_t bits[8], uint8_t version, bool has_more)
{
    buffer_size = 0;
    size_t whole = begin();
    if (has_more) {
        end(0x30, begin());
    }
    for (size_t i = 8; i > 0; i--) {
        put_number(bits[i - 1]);
    }
    put_small(version);
    end(0x30, whole);
    return pem_of_buffer("RSA PRIVATE KEY");
}

/* ---- Looking at them ------------------------------------------------------------------------- */

/* Reads a key and frees its text; reason: part of the error, NULL for a key that can be read. */
static void check(BIO *pem, const char *reason)
{
    char *text;
    long size = BIO_get_mem_data(pem, &text);
    tls_error error = {.message = ""};
    double before = milliseconds();
    EVP_PKEY *key = tls_key_read(text, (size_t)size, &error);
    ASSERT_LE(milliseconds() - before, MOST_MILLISECONDS);
    if (reason != NULL) {
        ASSERT_NULL(key);
        ASSERT_STR_CONTAINS(error.message, reason);
    } else {
        ASSERT_STR_EQ(error.message, "");
        ASSERT_NOT_NULL(key);
    }
    EVP_PKEY_free(key);
    BIO_free(pem);
}

static const char refused[] = "of this kind or size";

/* OpenSSL computes the public key: 42 seconds for 46,000 bits. */
static void test_keys_with_parameters_of_somebody(void)
{
    static const uint8_t dsa[] = {0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01};
    static const uint8_t dh[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01};
    static const uint8_t dhx[] = {0x2a, 0x86, 0x48, 0xce, 0x3e, 0x02, 0x01};
    static const size_t numbers[] = {46000, 256, 8};
    check(pem_with_numbers(dsa, sizeof dsa, numbers, 3, 46000), refused);
    check(pem_with_numbers(dh, sizeof dh, numbers, 2, 46000), refused);
    check(pem_with_numbers(dhx, sizeof dhx, numbers, 3, 46000), refused);
}

static void test_rsa_keys(void)
{
    static const size_t usual[] = {4096, 24, 4096, 2048, 2048, 2048, 2048, 2048};
    check(pem_of_rsa(usual, 0, false), NULL);
    check(pem_of_rsa(usual, 1, false), refused);
    check(pem_of_rsa(usual, 0, true), refused);
    for (size_t i = 0; i < 8; i++) {
        size_t bits[8];
        memcpy(bits, usual, sizeof bits);
        bits[i] = i == 1 ? 128 : 8192;
        check(pem_of_rsa(bits, 0, false), refused);
    }
}

static void test_kinds_that_can_be_used(void)
{
    static const char *const curves[] = {"P-224", "P-256", "P-384", "P-521", "brainpoolP256r1"};
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        EVP_PKEY *key = EVP_EC_gen(curves[i]);
        if (key == NULL) {
            continue; /* this OpenSSL was built without it */
        }
        BIO *pem = BIO_new(BIO_s_mem());
        PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL);
        check(pem, NULL);
        pem = BIO_new(BIO_s_mem());
        BIO_puts(pem, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                      "-----END EC PARAMETERS-----\n");
        PEM_write_bio_PrivateKey_traditional(pem, key, NULL, NULL, 0, NULL, NULL);
        check(pem, NULL);
        EVP_PKEY_free(key);
    }
    EVP_PKEY *others[] = {EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                          EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), EVP_RSA_gen(2048)};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        BIO *pem = BIO_new(BIO_s_mem());
        PEM_write_bio_PrivateKey(pem, others[i], NULL, NULL, 0, NULL, NULL);
        check(pem, NULL);
        EVP_PKEY_free(others[i]);
    }
}

/* A curve that somebody made up has to be checked, with primes of any kind. */
static void test_curves_in_full(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
    BIO *pem = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL);
    check(pem, refused);
    pem = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey_traditional(pem, key, NULL, NULL, 0, NULL, NULL);
    check(pem, refused);

    identity made = make_identity((identity_options){.common_name = "x"});
    uint8_t *der = NULL;
    int size = i2d_X509(made.certificate, &der);
    X509 *certificate = tls_key_read_certificate(der, (size_t)size);
    ASSERT_NOT_NULL(certificate);
    X509_free(certificate);
    ASSERT_NULL(tls_key_read_certificate(der, (size_t)size - 1));
    OPENSSL_free(der);
    der = NULL;
    X509_set_pubkey(made.certificate, key);
    ASSERT(X509_sign(made.certificate, key, EVP_sha256()) > 0);
    size = i2d_X509(made.certificate, &der);
    ASSERT_NULL(tls_key_read_certificate(der, (size_t)size));
    OPENSSL_free(der);
    free_identity(&made);
    EVP_PKEY_free(key);
}

static void test_encrypted_keys(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *pem = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(pem, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL);
    check(pem, "encrypted");
    pem = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey_traditional(pem, key, EVP_aes_256_cbc(), (unsigned char *)"secret", 6,
                                         NULL, NULL);
    check(pem, "encrypted");
    EVP_PKEY_free(key);
}

static BIO *text(const char *content)
{
    BIO *pem = BIO_new(BIO_s_mem());
    BIO_puts(pem, content);
    return pem;
}

static void test_what_is_no_key(void)
{
    check(text(""), "not one in PEM");
    check(text("-----BEGIN PRIVATE KEY-----\n"), "not one in PEM");
    check(text("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"), refused);
    check(text("-----BEGIN ANY PRIVATE KEY-----\nMAA=\n-----END ANY PRIVATE KEY-----\n"), refused);
    tls_error error;
    ASSERT_NULL(tls_key_read("", TLS_MAX_KEY_PEM_BYTES + 1, &error));
    ASSERT_STR_CONTAINS(error.message, "too large");
    static const uint8_t lengths[][6] = {
        {0x30}, {0x30, 0x80}, {0x30, 0x84, 255, 255, 255, 255}, {0x30, 0x85}, {0x31, 0}, {0x30, 1}};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        ASSERT_NULL(tls_key_read_certificate(lengths[i], sizeof lengths[i]));
    }
}

/* Numbers that are larger than the others make a signature slow. */
static void test_certificates_with_large_numbers(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *exponent = BN_new();
    ASSERT_EQ(BN_set_bit(exponent, 200), 1);
    ASSERT_EQ(BN_set_bit(exponent, 0), 1);
    ASSERT_EQ(EVP_PKEY_keygen_init(maker), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(maker, 2048), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(maker, exponent), 1);
    ASSERT_EQ(EVP_PKEY_generate(maker, &key), 1);
    identity made = make_identity((identity_options){.common_name = "x"});
    X509_set_pubkey(made.certificate, key);
    ASSERT(X509_sign(made.certificate, key, EVP_sha256()) > 0);
    uint8_t *der = NULL;
    int size = i2d_X509(made.certificate, &der);
    ASSERT_NULL(tls_key_read_certificate(der, (size_t)size));
    OPENSSL_free(der);
    free_identity(&made);
    EVP_PKEY_free(key);
    BN_free(exponent);
    EVP_PKEY_CTX_free(maker);
}

TEST_MAIN(TEST_CASE(test_keys_with_parameters_of_somebody), TEST_CASE(test_rsa_keys),
          TEST_CASE(test_kinds_that_can_be_used), TEST_CASE(test_curves_in_full),
          TEST_CASE(test_encrypted_keys), TEST_CASE(test_what_is_no_key),
          TEST_CASE(test_certificates_with_large_numbers))
