/* Certificates for tests, made on the spot. */
#ifndef ERYX_TLS_IDENTITIES_H
#define ERYX_TLS_IDENTITIES_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "test.h"

typedef struct identity {
    X509 *certificate;
    EVP_PKEY *key;
} identity;

/* What a certificate is made of; zero for what is usual. */
typedef struct identity_options {
    const char *common_name;
    const char *names;      /* as in the extension: "DNS:example.com,IP:127.0.0.1"; NULL for none */
    const identity *issuer; /* NULL: signed by itself */
    bool is_authority;
    long begins; /* seconds from now */
    long ends;   /* seconds from now; 0 for a day */
    int rsa_bits;
    const char *more_name; /* of one more extension, by its name in OpenSSL's configuration */
    const char *more_value;
} identity_options;

static inline void add_extension(X509 *certificate, const X509 *issuer, const char *name,
                                 const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, (X509 *)(uintptr_t)issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, &context, name, value);
    ASSERT_NOT_NULL(extension);
    ASSERT_EQ(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline identity make_identity(identity_options options)
{
    static long serial = 1000;
    identity made = {X509_new(), NULL};
    made.key = options.rsa_bits > 0 ? EVP_RSA_gen((unsigned)options.rsa_bits) : EVP_EC_gen("P-256");
    X509 *certificate = made.certificate;
    const identity *issuer = options.issuer != NULL ? options.issuer : &made;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), options.begins);
    X509_gmtime_adj(X509_getm_notAfter(certificate), options.ends != 0 ? options.ends : 86400);
    X509_set_pubkey(certificate, made.key);
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
                               (const unsigned char *)"eryx \"t\xc3\xa4st\"", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               (const unsigned char *)options.common_name, -1, -1, 0);
    X509_set_subject_name(certificate, name);
    X509_NAME_free(name);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate));
    add_extension(certificate, issuer->certificate, "basicConstraints",
                  options.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(certificate, issuer->certificate, "subjectKeyIdentifier", "hash");
    if (options.is_authority) {
        add_extension(certificate, issuer->certificate, "keyUsage", "critical,keyCertSign,cRLSign");
    }
    if (options.issuer != NULL) {
        add_extension(certificate, issuer->certificate, "authorityKeyIdentifier", "keyid");
    }
    if (options.names != NULL) {
        add_extension(certificate, issuer->certificate, "subjectAltName", options.names);
    }
    if (options.more_name != NULL) {
        add_extension(certificate, issuer->certificate, options.more_name, options.more_value);
    }
    ASSERT(X509_sign(certificate, issuer->key, EVP_sha256()) > 0);
    return made;
}

static inline void free_identity(identity *made)
{
    X509_free(made->certificate);
    EVP_PKEY_free(made->key);
    *made = (identity){NULL, NULL};
}

/* The certificate or the key in PEM; freed with BIO_free(). */
static inline BIO *pem_of(const identity *shown, bool key)
{
    BIO *pem = BIO_new(BIO_s_mem());
    if (key) {
        PEM_write_bio_PrivateKey(pem, shown->key, NULL, NULL, 0, NULL, NULL);
    } else {
        PEM_write_bio_X509(pem, shown->certificate);
    }
    return pem;
}

#endif
