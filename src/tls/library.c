#include "tls/library.h"

#include <ctype.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/sha256.h"
#include "tls/trust.h"

/* How many sets of roots are kept ready. */
#define KEPT_CONTEXTS 16

/* How many certificates are known to be some: to read one takes longer than to make a sandbox. */
#define KEPT_VALID 64

/* Of the certificates that a server sends, together; chain.h says how many. */
#define MAX_CHAIN_BYTES (40L << 10)

/* Between the server's certificate and the root. */
#define MAX_CHAIN_DEPTH 10

/*
 * All with forward secrecy and authenticated encryption. No finite-field Diffie-Hellman: a server
 * could choose numbers that keep the host busy. The ciphers of TLS 1.3 are OpenSSL's own.
 */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!aPSK:!aDSS:@SECLEVEL=2";
static const char groups[] = "X25519:P-256:P-384:P-521";

typedef struct kept_context {
    uint8_t digest[32]; /* SHA-256 of the roots */
    SSL_CTX *context;   /* a reference */
    uint64_t last_use;
} kept_context;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool has_trust; /* the roots of the system have been read */
static tls_trust system_trust;
static kept_context kept[KEPT_CONTEXTS];
static uint64_t uses;
static uint8_t valid[KEPT_VALID][SHA256_BYTES];
static size_t valid_count;

static pthread_once_t begin_once = PTHREAD_ONCE_INIT;
static bool has_begun;

static void begin(void)
{
    /* No exit handler: other threads may still be in a sandbox then. */
    has_begun =
        OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
                             OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
                         NULL) == 1;
}

bool tls_library_begin(void)
{
    pthread_once(&begin_once, begin);
    return has_begun;
}

void tls_after_fork(void)
{
    /* A thread that is no longer there may have held it. */
    pthread_mutex_init(&mutex, NULL);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

void tls_error_set(tls_error *error, const char *format, ...)
{
    va_list arguments;
    *error = (tls_error){.verify_code = 0};
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
}

/* "certificate verify failed" as the name that OpenSSL's headers and CPython have for it. */
static void name_reason(const char *text, char *out_name, size_t size)
{
    size_t length = 0;
    for (; text[length] != 0 && length + 1 < size; length++) {
        unsigned char c = (unsigned char)text[length];
        out_name[length] = isalnum(c) ? (char)toupper(c) : '_';
    }
    out_name[length] = 0;
}

static void name_library(unsigned long code, char *out_name, size_t size)
{
    const char *text = ERR_lib_error_string(code);
    if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
        text = "SSL";
    } else if (text == NULL) {
        text = "";
    }
    size_t word = strcspn(text, " "); /* "x509 certificate routines" */
    snprintf(out_name, size, "%.*s", (int)(word < INT_MAX ? word : INT_MAX), text);
    for (char *c = out_name; *c != 0; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
}

void tls_library_take_error(tls_error *out_error)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    tls_error_set(out_error, "%s", text != NULL ? text : "unknown error");
    if (text != NULL) {
        name_reason(text, out_error->reason, sizeof out_error->reason);
        name_library(code, out_error->library, sizeof out_error->library);
    }
}

/* ---- Settings and roots ---------------------------------------------------------------------- */

static X509 *parse_certificate(const uint8_t *der, size_t size)
{
    if (size > LONG_MAX) {
        return NULL;
    }
    const uint8_t *end = der;
    X509 *certificate = d2i_X509(NULL, &end, (long)size);
    if (certificate != NULL && end != der + size) {
        X509_free(certificate);
        certificate = NULL;
    }
    ERR_clear_error();
    return certificate;
}

static bool is_known_as_valid(const uint8_t digest[SHA256_BYTES])
{
    bool found = false;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < KEPT_VALID && !found; i++) {
        found = memcmp(valid[i], digest, SHA256_BYTES) == 0;
    }
    pthread_mutex_unlock(&mutex);
    return found;
}

bool tls_certificate_is_valid(const uint8_t *der, size_t size)
{
    sha256 hash;
    uint8_t digest[SHA256_BYTES];
    sha256_begin(&hash);
    sha256_add(&hash, der, size);
    sha256_end(&hash, digest);
    if (is_known_as_valid(digest)) {
        return true;
    }
    X509 *certificate = tls_library_begin() ? parse_certificate(der, size) : NULL;
    if (certificate == NULL) {
        return false;
    }
    X509_free(certificate);
    pthread_mutex_lock(&mutex);
    memcpy(valid[valid_count++ % KEPT_VALID], digest, SHA256_BYTES);
    pthread_mutex_unlock(&mutex);
    return true;
}

/* With the mutex. */
static bool fill_store(X509_STORE *store, const eryx_bytes *roots, size_t root_count,
                       tls_error *out_error)
{
    if (!has_trust) {
        tls_trust_read(&system_trust);
        ERR_clear_error(); /* each file ends with one */
        has_trust = true;
    }
    for (size_t i = 0; i < root_count; i++) {
        X509 *root = parse_certificate(roots[i].data, roots[i].size);
        if (root == NULL) {
            tls_error_set(out_error, "root certificate %zu is not a certificate in DER", i + 1);
            return false;
        }
        bool added = X509_STORE_add_cert(store, root) == 1;
        X509_free(root);
        if (!added) {
            tls_library_take_error(out_error);
            return false;
        }
    }
    if (!tls_trust_add_to(&system_trust, store)) {
        tls_library_take_error(out_error);
        return false;
    }
    /* A root that was added by hand is trusted whether or not it is self-signed. */
    return X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST) == 1;
}

static bool make_context(const eryx_bytes *roots, size_t root_count, SSL_CTX **out_context,
                         tls_error *out_error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, ciphers) != 1 ||
        SSL_CTX_set1_groups_list(context, groups) != 1) {
        tls_library_take_error(out_error);
        SSL_CTX_free(context);
        return false;
    }
    SSL_CTX_set_security_level(context, 2);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(context, MAX_CHAIN_BYTES);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_verify_depth(context, MAX_CHAIN_DEPTH);
    if (!fill_store(SSL_CTX_get_cert_store(context), roots, root_count, out_error)) {
        SSL_CTX_free(context);
        return false;
    }
    *out_context = context;
    return true;
}

static bool digest_roots(const eryx_bytes *roots, size_t root_count, uint8_t out_digest[32])
{
    EVP_MD_CTX *state = EVP_MD_CTX_new();
    bool good = state != NULL && EVP_DigestInit_ex(state, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; good && i < root_count; i++) {
        uint64_t size = roots[i].size;
        good = EVP_DigestUpdate(state, &size, sizeof size) == 1 &&
               EVP_DigestUpdate(state, roots[i].data, roots[i].size) == 1;
    }
    good = good && EVP_DigestFinal_ex(state, out_digest, NULL) == 1;
    EVP_MD_CTX_free(state);
    return good;
}

/* With the mutex: the place of these roots, or the one to be given up for them. */
static kept_context *find_kept(const uint8_t digest[32])
{
    kept_context *oldest = &kept[0];
    for (size_t i = 0; i < KEPT_CONTEXTS; i++) {
        if (kept[i].context != NULL && memcmp(kept[i].digest, digest, 32) == 0) {
            return &kept[i];
        }
        if (kept[i].last_use < oldest->last_use) {
            oldest = &kept[i];
        }
    }
    return oldest;
}

bool tls_context_get(const eryx_bytes *roots, size_t root_count, SSL_CTX **out_context,
                     tls_error *out_error)
{
    uint8_t digest[32];
    if (!tls_library_begin() || !digest_roots(roots, root_count, digest)) {
        tls_error_set(out_error, "the TLS library can't be started: out of memory");
        return false;
    }
    pthread_mutex_lock(&mutex);
    kept_context *place = find_kept(digest);
    bool good = place->context != NULL && memcmp(place->digest, digest, 32) == 0;
    if (!good) {
        SSL_CTX *made;
        good = make_context(roots, root_count, &made, out_error);
        if (good) {
            SSL_CTX_free(place->context);
            place->context = made;
            memcpy(place->digest, digest, 32);
        }
    }
    if (good) {
        place->last_use = ++uses;
        SSL_CTX_up_ref(place->context);
        *out_context = place->context;
    }
    pthread_mutex_unlock(&mutex);
    return good;
}
