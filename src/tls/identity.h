/*
 * The certificate that the client shows to a server, and its key, as the guest gives them.
 */
#ifndef ERYX_TLS_IDENTITY_H
#define ERYX_TLS_IDENTITY_H

#include "tls/library.h"

/* Most bytes of PEM that are looked at. */
#define TLS_MAX_CHAIN_PEM_BYTES ((size_t)64 << 10)

/*
 * Has a session show a certificate.
 *
 * certificate: PEM of the certificate, followed by those between it and the root, eight in all.
 * key: PEM of its private key, of the kinds of key.h. False, and out_error is set, if one is
 * malformed or they do not belong together.
 */
bool tls_identity_use(SSL *ssl, const char *certificate, size_t certificate_size, const char *key,
                      size_t key_size, tls_error *out_error);

/* Whether tls_identity_use() would take them. context: of tls_context_get(). */
bool tls_identity_check(SSL_CTX *context, const char *certificate, size_t certificate_size,
                        const char *key, size_t key_size, tls_error *out_error);

#endif
