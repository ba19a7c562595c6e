/*
 * OpenSSL as the host uses it: how it is begun, what its errors are called, and the settings that
 * every TLS connection of a sandbox has. The library is linked into this one, so nothing that the
 * process does with an OpenSSL of its own changes it, and it reads no configuration file.
 *
 * Nothing happens before the first TLS connection of the process. Threads: any, unless said
 * otherwise.
 */
#ifndef ERYX_TLS_LIBRARY_H
#define ERYX_TLS_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "eryx/eryx.h"

/* What went wrong, in the words of CPython's ssl module. */
typedef struct tls_error {
    char library[16];         /* "SSL", "X509", ...; "" if it was not OpenSSL */
    char reason[96];          /* "CERTIFICATE_VERIFY_FAILED", ...; "" as above */
    char message[400];        /* for people */
    int verify_code;          /* X509_V_ERR_...; 0 if it is not about verification */
    char verify_message[256]; /* "" as above */
} tls_error;

/*
 * Begins the library, once in a process.
 *
 * Returns false if it can't, which only a lack of memory makes.
 */
bool tls_library_begin(void);

/* Takes this thread's queue of errors: the last of them as text. out_error is always set. */
void tls_library_take_error(tls_error *out_error);

/* Sets an error of our own; format as for printf(). */
__attribute__((format(printf, 2, 3))) void tls_error_set(tls_error *error, const char *format, ...);

/*
 * The settings and trusted roots of connections: at least TLS 1.2, no weak ciphers, the certificate
 * of the server always asked for and checked.
 *
 * Made once for each set of roots and kept for the life of the process (the most recently used
 * ones); the roots of the system are read at the first call.
 *
 * roots: certificates that are trusted besides those of the system, DER.
 * out_context: one reference, let go with SSL_CTX_free().
 * False, and out_error is set, if a certificate is malformed or there is no memory.
 */
bool tls_context_get(const eryx_bytes *roots, size_t root_count, SSL_CTX **out_context,
                     tls_error *out_error);

/* Whether the bytes are one X.509 certificate in DER and nothing else. */
bool tls_certificate_is_valid(const uint8_t *der, size_t size);

/* For the child of a fork(). */
void tls_after_fork(void);

#endif
