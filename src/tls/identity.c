#include "tls/identity.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/key.h"

/* The client's own, and those between it and the root. */
#define MAX_CHAIN_CERTIFICATES 8

/* Blocks of PEM that are not certificates, such as a key before them. */
#define MAX_OTHER_BLOCKS 8

static bool is_certificate(const char *name)
{
    return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0;
}

/* One certificate of the chain. */
static bool use_certificate(SSL *ssl, bool is_first, const uint8_t *data, size_t size,
                            tls_error *out_error)
{
    X509 *certificate = tls_key_read_certificate(data, size);
    if (certificate == NULL) {
        ERR_clear_error();
        tls_error_set(out_error, "a client certificate is malformed, or has a key of a kind or "
                                 "size that can't be used in a sandbox");
        return false;
    }
    bool good = is_first ? SSL_use_certificate(ssl, certificate) == 1
                         : SSL_add1_chain_cert(ssl, certificate) == 1;
    X509_free(certificate);
    if (!good) {
        tls_library_take_error(out_error);
    }
    return good;
}

static bool use_certificates(SSL *ssl, BIO *pem, tls_error *out_error)
{
    int used = 0;
    int others = 0;
    bool good = true;
    while (good && used < MAX_CHAIN_CERTIFICATES && others < MAX_OTHER_BLOCKS) {
        char *name = NULL;
        char *header = NULL;
        unsigned char *data = NULL;
        long size = 0;
        if (PEM_read_bio(pem, &name, &header, &data, &size) != 1) {
            break; /* the end, or what follows is not PEM */
        }
        if (is_certificate(name)) {
            good = use_certificate(ssl, used++ == 0, data, (size_t)size, out_error);
        } else {
            others++;
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)size);
    }
    if (used == 0) {
        tls_library_take_error(out_error);
        good = false;
    }
    ERR_clear_error();
    return good;
}

bool tls_identity_use(SSL *ssl, const char *certificate, size_t certificate_size, const char *key,
                      size_t key_size, tls_error *out_error)
{
    if (certificate_size > TLS_MAX_CHAIN_PEM_BYTES) {
        tls_error_set(out_error, "the client certificate is too large");
        return false;
    }
    bool good = false;
    EVP_PKEY *private_key = NULL;
    BIO *certificate_pem = BIO_new_mem_buf(certificate, (int)certificate_size);
    if (certificate_pem == NULL) {
        tls_error_set(out_error, "out of memory");
        return false;
    }
    if (!use_certificates(ssl, certificate_pem, out_error)) {
        goto done;
    }
    private_key = tls_key_read(key, key_size, out_error);
    if (private_key == NULL) {
        goto done;
    }
    good = SSL_use_PrivateKey(ssl, private_key) == 1;
    if (!good) {
        tls_library_take_error(out_error);
    }
done:
    EVP_PKEY_free(private_key);
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
