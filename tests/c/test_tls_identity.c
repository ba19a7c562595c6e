#include "tls_identity.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "tls_identities.h"

/* A key that would be used for hours: one of its numbers is far larger than the others. */
static void test_keys_that_would_keep_the_host_busy(void)
{
    static const char *const names[] = {
        OSSL_PKEY_PARAM_RSA_N,           OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_FACTOR1,     OSSL_PKEY_PARAM_RSA_FACTOR2,
        OSSL_PKEY_PARAM_RSA_EXPONENT1,   OSSL_PKEY_PARAM_RSA_EXPONENT2,
        OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    enum { COUNT = sizeof names / sizeof names[0] };
    EVP_PKEY *small = EVP_RSA_gen(2048);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *kept[COUNT] = {NULL};
    for (size_t i = 0; i < COUNT; i++) {
        ASSERT_EQ(EVP_PKEY_get_bn_param(small, names[i], &kept[i]), 1);
        ASSERT_EQ(OSSL_PARAM_BLD_push_BN(builder, names[i], kept[i]), 1);
    }
    BIGNUM *d = BN_new();
    ASSERT_EQ(BN_rand(d, 60000, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
    ASSERT_EQ(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_D, d), 1);
    OSSL_PARAM *numbers = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *large = NULL;
    ASSERT_EQ(EVP_PKEY_fromdata_init(maker), 1);
    ASSERT_EQ(EVP_PKEY_fromdata(maker, &large, EVP_PKEY_KEYPAIR, numbers), 1);
    BIO *key = BIO_new(BIO_s_mem());
    ASSERT_EQ(PEM_write_bio_PrivateKey(key, large, NULL, NULL, 0, NULL, NULL), 1);
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
    EVP_PKEY_free(large);
    EVP_PKEY_CTX_free(maker);
    OSSL_PARAM_free(numbers);
    OSSL_PARAM_BLD_free(builder);
    BN_free(d);
    for (size_t i = 0; i < COUNT; i++) {
        BN_free(kept[i]);
    }
    EVP_PKEY_free(small);
}

TEST_MAIN(TEST_CASE(test_keys_that_would_keep_the_host_busy))
