#include "tls/library.h"
#include "tls/trust.h"

#include <pthread.h>

#include "tls/certificate.h"
#include "tls_server.h"

static char directory[] = "/tmp/eryx-trust-XXXXXX";

static void make_directory(void)
{
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    ASSERT_NOT_NULL(mkdtemp(directory));
}

static void remove_directory(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", directory);
    ASSERT_EQ(system(command), 0);
}

static const char *path_of(const char *name)
{
    static char path[100];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void write_pem(const char *name, const identity *roots, size_t count, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    ASSERT_NOT_NULL(file);
    for (size_t i = 0; i < count; i++) {
        fputs(text, file);
        PEM_write_X509(file, roots[i].certificate);
    }
    if (count == 0) {
        fputs(text, file);
    }
    fclose(file);
}

static identity make_root(const char *name)
{
    return make_identity((identity_options){.common_name = name, .is_authority = true});
}

/* Whether a store has the root: what a certificate of it says. */
static bool trusts(const tls_trust *trust, const identity *root)
{
    X509_STORE *store = X509_STORE_new();
    ASSERT(tls_trust_add_to(trust, store));
    identity leaf = make_identity((identity_options){.common_name = "leaf", .issuer = root});
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    ASSERT_EQ(X509_STORE_CTX_init(check, store, leaf.certificate, NULL), 1);
    bool good = X509_verify_cert(check) == 1;
    X509_STORE_CTX_free(check);
    X509_STORE_free(store);
    free_identity(&leaf);
    ERR_clear_error();
    return good;
}

static void test_file_of_the_environment(void)
{
    make_directory();
    identity roots[] = {make_root("one"), make_root("two")};
    write_pem("roots.pem", roots, 2, "# a comment\n\n");
    setenv("SSL_CERT_FILE", path_of("roots.pem"), 1);
    tls_trust trust;
    tls_trust_read(&trust);
    ASSERT_EQ(sk_X509_num(trust.certificates), 2);
    ASSERT_NULL(trust.directory);
    ASSERT(trusts(&trust, &roots[0]));
    ASSERT(trusts(&trust, &roots[1]));
    tls_trust_clear(&trust);
    unsetenv("SSL_CERT_FILE");
    remove_directory();
    free_identity(&roots[0]);
    free_identity(&roots[1]);
}

static void test_directory_of_the_environment(void)
{
    make_directory();
    identity root = make_root("hashed");
    identity other = make_root("other");
    char name[32];
    snprintf(name, sizeof name, "%08lx.0", X509_subject_name_hash(root.certificate));
    write_pem(name, &root, 1, "");
    setenv("SSL_CERT_DIR", directory, 1);
    tls_trust trust;
    tls_trust_read(&trust);
    ASSERT_NULL(trust.certificates);
    ASSERT_STR_EQ(trust.directory, directory);
    ASSERT(trusts(&trust, &root));
    ASSERT(!trusts(&trust, &other));
    tls_trust_clear(&trust);
    unsetenv("SSL_CERT_DIR");
    remove_directory();
    free_identity(&root);
    free_identity(&other);
}

static void test_what_can_not_be_read_is_not_trusted(void)
{
    make_directory();
    write_pem("text.pem", NULL, 0,
              "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    const char *const paths[] = {"text.pem", "nothing.pem", "."};
    for (size_t i = 0; i < 3; i++) {
        setenv("SSL_CERT_FILE", path_of(paths[i]), 1);
        tls_trust trust;
        tls_trust_read(&trust);
        ASSERT_NULL(trust.certificates);
        ASSERT_NULL(trust.directory);
        tls_trust_clear(&trust);
    }
    ERR_clear_error();
    unsetenv("SSL_CERT_FILE");
    remove_directory();
}

static void test_roots_of_this_machine(void)
{
    /* Whether there are any is not for us to say; that they can be added is. */
    tls_trust trust;
    tls_trust_read(&trust);
    X509_STORE *store = X509_STORE_new();
    ASSERT(tls_trust_add_to(&trust, store));
    X509_STORE_free(store);
    tls_trust_clear(&trust);
    ERR_clear_error();
}

static void test_contexts_are_kept(void)
{
    identity roots[] = {make_root("one"), make_root("two")};
    unsigned char *der[2] = {NULL, NULL};
    eryx_bytes list[2];
    for (size_t i = 0; i < 2; i++) {
        list[i].size = (size_t)i2d_X509(roots[i].certificate, &der[i]);
        list[i].data = der[i];
    }
    tls_error error;
    SSL_CTX *first, *same, *other, *none;
    ASSERT(tls_context_get(list, 1, &first, &error));
    ASSERT(tls_context_get(list, 1, &same, &error));
    ASSERT(tls_context_get(list, 2, &other, &error));
    ASSERT(tls_context_get(NULL, 0, &none, &error));
    ASSERT(first == same);
    ASSERT(first != other && first != none && other != none);
    SSL_CTX_free(same);
    SSL_CTX_free(other);
    SSL_CTX_free(none);

    /* More than are kept: the first is made anew, and the one held is as good as ever. */
    for (int i = 0; i < 40; i++) {
        identity root = make_root("many");
        unsigned char *many_der = NULL;
        eryx_bytes bytes = {NULL, (size_t)i2d_X509(root.certificate, &many_der)};
        bytes.data = many_der;
        SSL_CTX *context;
        ASSERT(tls_context_get(&bytes, 1, &context, &error));
        SSL_CTX_free(context);
        OPENSSL_free(many_der);
        free_identity(&root);
    }
    ASSERT(tls_context_get(list, 1, &same, &error));
    ASSERT(same != first);
    ASSERT_EQ(SSL_CTX_get_verify_mode(first), SSL_VERIFY_PEER);
    SSL_CTX_free(same);
    SSL_CTX_free(first);
    for (size_t i = 0; i < 2; i++) {
        OPENSSL_free(der[i]);
        free_identity(&roots[i]);
    }
}

static void test_malformed_root(void)
{
    identity root = make_root("one");
    unsigned char *der = NULL;
    size_t size = (size_t)i2d_X509(root.certificate, &der);
    ASSERT(tls_certificate_is_valid(der, size));
    uint8_t *more = malloc(size + 1);
    memcpy(more, der, size);
    more[size] = 0;
    ASSERT(!tls_certificate_is_valid(more, size + 1));
    ASSERT(!tls_certificate_is_valid(der, size - 1));
    ASSERT(!tls_certificate_is_valid((const uint8_t *)"", 0));
    eryx_bytes bytes[] = {{der, size}, {more, size + 1}};
    tls_error error;
    SSL_CTX *context = NULL;
    ASSERT(!tls_context_get(bytes, 2, &context, &error));
    ASSERT_STR_EQ(error.message, "root certificate 2 is not a certificate in DER");
    ASSERT_NULL(context);
    free(more);
    OPENSSL_free(der);
    free_identity(&root);
}

static void *get_many(void *argument)
{
    const eryx_bytes *list = argument;
    for (size_t i = 0; i < 300; i++) {
        tls_error error;
        SSL_CTX *context;
        ASSERT(tls_context_get(list + i % 20, 1, &context, &error));
        SSL *ssl = SSL_new(context);
        ASSERT_NOT_NULL(ssl);
        SSL_free(ssl);
        SSL_CTX_free(context);
    }
    return NULL;
}

static void test_threads(void)
{
    enum { ROOTS = 20, THREADS = 4 };
    eryx_bytes list[ROOTS];
    unsigned char *der[ROOTS] = {NULL};
    for (size_t i = 0; i < ROOTS; i++) {
        identity root = make_root("one of many");
        list[i].size = (size_t)i2d_X509(root.certificate, &der[i]);
        list[i].data = der[i];
        free_identity(&root);
    }
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        ASSERT_EQ(pthread_create(&threads[i], NULL, get_many, list), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < ROOTS; i++) {
        OPENSSL_free(der[i]);
    }
}

/* ---- What certificates say ------------------------------------------------------------------- */

static void assert_says(const identity *shown, const char *part)
{
    tls_text text = {0};
    tls_certificate_describe(shown->certificate, &text);
    tls_text_add(&text, "", 1);
    ASSERT(!text.failed);
    ASSERT_STR_CONTAINS(text.data, part);
    tls_text_clear(&text);
}

static void test_descriptions(void)
{
    static const struct {
        const char *names, *more_name, *more_value, *part;
    } rows[] = {
        {"DNS:a.example,DNS:*.b.example", NULL, NULL,
         "\"subjectAltName\":[[\"DNS\",\"a.example\"],[\"DNS\",\"*.b.example\"]]"},
        {"IP:10.1.2.3,IP:2001:db8::1", NULL, NULL,
         "[[\"IP Address\",\"10.1.2.3\"],[\"IP Address\",\"2001:DB8:0:0:0:0:0:1\"]]"},
        {"email:a@b.example,URI:http://x.example/", NULL, NULL,
         "[[\"email\",\"a@b.example\"],[\"URI\",\"http://x.example/\"]]"},
        {"RID:1.2.3.4", NULL, NULL, "[[\"Registered ID\",\"1.2.3.4\"]]"},
        {"otherName:1.2.3.4;UTF8:other", NULL, NULL, "[[\"othername\","},
        {NULL, "authorityInfoAccess",
         "OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/",
         "\"OCSP\":[\"http://ocsp.example/\"],\"caIssuers\":[\"http://ca.example/\"]"},
        {NULL, "crlDistributionPoints", "URI:http://crl.example/1,URI:http://crl.example/2",
         "\"crlDistributionPoints\":[\"http://crl.example/1\",\"http://crl.example/2\"]"},
        {NULL, NULL, NULL,
         "{\"subject\":[[[\"organizationName\",\"eryx "
         "\\u0022t\xc3\xa4st\\u0022\"]],[[\"commonName\","
         "\"shown\"]]],\"issuer\":[[["},
        {NULL, NULL, NULL, "\"version\":3,\"serialNumber\":\"04"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        identity shown = make_identity((identity_options){.common_name = "shown",
                                                          .names = rows[i].names,
                                                          .more_name = rows[i].more_name,
                                                          .more_value = rows[i].more_value});
        assert_says(&shown, rows[i].part);
        free_identity(&shown);
    }
}

static void test_damaged_certificates_can_be_described(void)
{
    identity shown =
        make_identity((identity_options){.common_name = "shown",
                                         .names = "DNS:a.example,IP:10.1.2.3,email:a@b.example",
                                         .more_name = "crlDistributionPoints",
                                         .more_value = "URI:http://crl.example/"});
    unsigned char *der = NULL;
    size_t size = (size_t)i2d_X509(shown.certificate, &der);
    size_t described = 0;
    for (size_t i = 0; i < size; i++) {
        for (unsigned change = 1; change < 256; change += 37) {
            der[i] ^= (unsigned char)change;
            tls_text text = {0};
            described += tls_certificate_describe_der(der, size, &text);
            ASSERT(!text.failed);
            tls_text_clear(&text);
            der[i] ^= (unsigned char)change;
        }
    }
    ASSERT(described > size);
    OPENSSL_free(der);
    free_identity(&shown);
}

static void test_texts(void)
{
    tls_text text = {0};
    tls_text_string(&text, "a\"\\\n\x7f\0z", 7);
    tls_text_string(&text, "\xff\xc3", 2);
    tls_text_string(&text, "\xc3\xa4", 2);
    tls_text_string_or_null(&text, NULL);
    tls_text_number(&text, -12);
    static const char expected[] = "\"a\\u0022\\u005c\\u000a\\u007f\\u0000z\"\"\\u00ff\\u00c3\""
                                   "\"\xc3\xa4\"null-12";
    ASSERT_BYTES_EQ(text.data, text.size, expected, sizeof expected - 1);
    char *large = calloc(1, TLS_MAX_TEXT_BYTES);
    tls_text_add(&text, large, TLS_MAX_TEXT_BYTES);
    ASSERT(text.failed);
    free(large);
    tls_text_clear(&text);
}

__attribute__((constructor)) static void forget_environment(void)
{
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
}

TEST_MAIN(TEST_CASE(test_file_of_the_environment), TEST_CASE(test_directory_of_the_environment),
          TEST_CASE(test_what_can_not_be_read_is_not_trusted),
          TEST_CASE(test_roots_of_this_machine), TEST_CASE(test_contexts_are_kept),
          TEST_CASE(test_malformed_root), TEST_CASE(test_threads), TEST_CASE(test_descriptions),
          TEST_CASE(test_damaged_certificates_can_be_described), TEST_CASE(test_texts))
