/*
 * The certificates of a server, looked at before OpenSSL decodes them: that takes a tenth of a
 * millisecond for a usual one, longer for some kinds of keys, and there may be hundreds in one
 * message.
 */
#ifndef ERYX_TLS_CHAIN_H
#define ERYX_TLS_CHAIN_H

#include "tls/library.h"

/* Most certificates of a server. */
#define TLS_MAX_CHAIN_CERTIFICATES 12

/*
 * Has the handshake of a session fail if the server sends more certificates than that, or one whose
 * key is not of the kinds of key.h.
 *
 * io_refused: set when that has happened; must live as long as the session.
 */
void tls_chain_watch(SSL *ssl, bool *io_refused);

/* Whether the certificates of a handshake message, with its four bytes of header, may be decoded.
 * version: TLS1_2_VERSION or TLS1_3_VERSION. */
bool tls_chain_is_quick(int version, const uint8_t *message, size_t size);

#endif
