#include "tls/identity.h"

#include <openssl/core_names.h>

#include "tls_identities.h"

/* A key that would be used for hours: one of its numbers is far larger than the others. */
static void test_keys_that_would_keep_the_host_busy(void)
{
    static const char *const names[] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    EVP_PKEY *small = EVP_RSA_gen(2048);
    BIGNUM *large = BN_new();
    ASSERT_EQ(BN_rand(large, 60000, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
    uint8_t numbers[16384] = {2, 1, 0}; /* the version, which is 0 */
    uint8_t *end = numbers + 3;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        BIGNUM *number = NULL;
        ASSERT_EQ(EVP_PKEY_get_bn_param(small, names[i], &number), 1);
        bool is_d = strcmp(names[i], OSSL_PKEY_PARAM_RSA_D) == 0;
        ASN1_INTEGER *encoded = BN_to_ASN1_INTEGER(is_d ? large : number, NULL);
        ASSERT(i2d_ASN1_INTEGER(encoded, &end) > 0);
        ASN1_INTEGER_free(encoded);
        BN_free(number);
    }
    uint8_t sequence[sizeof numbers];
    uint8_t *contents = sequence;
    ASN1_put_object(&contents, 1, (int)(end - numbers), V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(contents, numbers, (size_t)(end - numbers));
    contents += end - numbers;
    BIO *key = BIO_new(BIO_s_mem());
    ASSERT(PEM_write_bio(key, "RSA PRIVATE KEY", "", sequence, contents - sequence) > 0);
    char *text;
    long size = BIO_get_mem_data(key, &text);
    ASSERT_LE(size, 16384);

    identity shown = make_identity((identity_options){.common_name = "x", .is_authority = true});
    BIO *certificate = pem_of(&shown, false);
    char *certificate_text;
    long certificate_size = BIO_get_mem_data(certificate, &certificate_text);
    tls_error error;
    SSL_CTX *context;
    ASSERT(tls_context_get(NULL, 0, &context, &error));
    ASSERT(!tls_identity_check(context, certificate_text, (size_t)certificate_size, text,
                               (size_t)size, &error));
    ASSERT_STR_CONTAINS(error.message, "of this kind or size");
    ASSERT(!tls_identity_check(context, certificate_text, (size_t)certificate_size, text, 16385,
                               &error));
    ASSERT_STR_CONTAINS(error.message, "too large");
    SSL_CTX_free(context);
    BIO_free(certificate);
    BIO_free(key);
    free_identity(&shown);
    BN_free(large);
    EVP_PKEY_free(small);
}

TEST_MAIN(TEST_CASE(test_keys_that_would_keep_the_host_busy))
