/*
 * The root certificates that the system trusts: those that SSL_CERT_FILE and SSL_CERT_DIR of the
 * process name, else those of the usual places of Linux distributions.
 */
#ifndef ERYX_TLS_TRUST_H
#define ERYX_TLS_TRUST_H

#include <stdbool.h>

#include <openssl/x509.h>

/* What was found. */
typedef struct tls_trust {
    STACK_OF(X509) * certificates; /* owned; NULL if there are none */
    char *directory;               /* owned; hashed directory to look in at need; NULL for none */
} tls_trust;

/* From now on no roots are read: there are no files, as in a worker, which connects to nothing. */
void tls_trust_read_none(void);

/*
 * Finds them, and reads those that are not in a hashed directory. What can't be read is as if it
 * were not there: then nothing is trusted.
 *
 * out_trust: owned by the caller, freed with tls_trust_clear().
 */
void tls_trust_read(tls_trust *out_trust);

void tls_trust_clear(tls_trust *trust);

/* Adds all of them to a store, which shares them. False without memory. */
bool tls_trust_add_to(const tls_trust *trust, X509_STORE *store);

#endif
