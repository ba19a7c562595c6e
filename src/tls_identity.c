#include "tls_identity.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

/* A signature with more takes the host too long. */
#define MAX_RSA_BITS 8192
#define MAX_RSA_EXPONENT_BITS 64

/* Between the certificate and the root. */
#define MAX_CHAIN_CERTIFICATES 16

/* Asked for the password of an encrypted key: there is none. */
static int refuse_password(char *buffer, int room, int writing, void *asked)
{
    (void)buffer, (void)room, (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool use_certificates(SSL *ssl, BIO *pem)
{
    bool ignored = false;
    X509 *certificate = PEM_read_bio_X509(pem, NULL, refuse_password, &ignored);
    bool good = certificate != NULL && SSL_use_certificate(ssl, certificate) == 1;
    X509_free(certificate);
    for (int i = 0; good && i < MAX_CHAIN_CERTIFICATES; i++) {
        certificate = PEM_read_bio_X509(pem, NULL, refuse_password, &ignored);
        if (certificate == NULL) {
            ERR_clear_error(); /* the end */
            break;
        }
        good = SSL_add1_chain_cert(ssl, certificate) == 1;
        X509_free(certificate);
    }
    return good;
}

/* Whether a number of a key has no more bits; one that is not there has none. */
static bool is_at_most(const EVP_PKEY *key, const char *name, int bits)
{
    BIGNUM *number = NULL;
    bool good = EVP_PKEY_get_bn_param(key, name, &number) != 1 || BN_num_bits(number) <= bits;
    BN_clear_free(number);
    return good;
}

/* Every number counts: a signature takes as long as the largest of them lets it. */
static bool is_small_rsa(const EVP_PKEY *key)
{
    static const char *const numbers[] = {
        OSSL_PKEY_PARAM_RSA_N,           OSSL_PKEY_PARAM_RSA_D,
        OSSL_PKEY_PARAM_RSA_FACTOR1,     OSSL_PKEY_PARAM_RSA_FACTOR2,
        OSSL_PKEY_PARAM_RSA_EXPONENT1,   OSSL_PKEY_PARAM_RSA_EXPONENT2,
        OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (!is_at_most(key, numbers[i], MAX_RSA_BITS)) {
            return false;
        }
    }
    /* More than two primes: nobody has such keys. */
    return is_at_most(key, OSSL_PKEY_PARAM_RSA_E, MAX_RSA_EXPONENT_BITS) &&
           is_at_most(key, OSSL_PKEY_PARAM_RSA_FACTOR3, 0);
}

static bool is_acceptable(const EVP_PKEY *key)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return is_small_rsa(key);
    case EVP_PKEY_EC:
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
        return true;
    default:
        return false;
    }
}

bool tls_identity_use(SSL *ssl, const char *certificate, size_t certificate_size, const char *key,
                      size_t key_size, tls_error *out_error)
{
    if (certificate_size > TLS_MAX_CHAIN_PEM_BYTES || key_size > TLS_MAX_KEY_PEM_BYTES) {
        tls_error_set(out_error, "the client certificate or its key is too large");
        return false;
    }
    bool good = false;
    bool is_encrypted = false;
    EVP_PKEY *private_key = NULL;
    BIO *certificate_pem = BIO_new_mem_buf(certificate, (int)certificate_size);
    BIO *key_pem = BIO_new_mem_buf(key, (int)key_size);
    if (certificate_pem == NULL || key_pem == NULL || !use_certificates(ssl, certificate_pem)) {
        tls_library_take_error(out_error);
        goto done;
    }
    private_key = PEM_read_bio_PrivateKey(key_pem, NULL, refuse_password, &is_encrypted);
    if (is_encrypted) {
        tls_error_set(out_error, "an encrypted private key can't be used in a sandbox");
    } else if (private_key == NULL) {
        tls_error_set(out_error, "the private key can't be read: it is not one in PEM");
    } else if (!is_acceptable(private_key)) {
        tls_error_set(out_error, "a private key of this kind or size can't be used in a sandbox");
    } else if (SSL_use_PrivateKey(ssl, private_key) != 1) {
        tls_library_take_error(out_error);
    } else {
        good = true;
    }
done:
    EVP_PKEY_free(private_key);
    BIO_free(key_pem);
    BIO_free(certificate_pem);
    ERR_clear_error();
    return good;
}

bool tls_identity_check(SSL_CTX *context, const char *certificate, size_t certificate_size,
                        const char *key, size_t key_size, tls_error *out_error)
{
    SSL *ssl = SSL_new(context);
    if (ssl == NULL) {
        tls_error_set(out_error, "out of memory");
        return false;
    }
    bool good = tls_identity_use(ssl, certificate, certificate_size, key, key_size, out_error);
    SSL_free(ssl);
    return good;
}
