/*
 * TLS with one server, the client's side. Nothing in it waits: what can't go on is TLS_WANT_READ or
 * TLS_WANT_WRITE, and the same function is called again later.
 *
 * The bytes of the wire come from a transport (a connection that the session has taken over), or
 * are fed and drained by the caller (a guest that has the connection itself).
 *
 * The server's certificate is always checked against the roots of the context and the name of the
 * session; no plain byte goes either way before.
 *
 * Threads: one at a time.
 */
#ifndef ERYX_TLS_SESSION_H
#define ERYX_TLS_SESSION_H

#include "base/transport.h"
#include "protocol/tls.h"
#include "tls/library.h"
#include "tls/text.h"

/* Bytes of the wire that are kept for a fed session, each way. */
#define TLS_MAX_QUEUED_BYTES ((size_t)256 << 10)

/* Most bytes of the wire that one call takes from a transport, so that no server can keep the host
 * in it. */
#define TLS_MAX_TAKEN_BYTES ((size_t)256 << 10)

typedef struct tls_session tls_session;

typedef struct tls_session_options {
    const char *name;        /* of the server, as its certificate must have it; terminated */
    bool is_address;         /* name is an address in its usual text */
    const uint8_t *alpn;     /* protocols, each after its length as a byte; NULL for none */
    size_t alpn_size;        /* at most 65,535 */
    int minimum_version;     /* TLS1_2_VERSION or TLS1_3_VERSION, 0 for the lowest allowed */
    int maximum_version;     /* the same, 0 for the highest */
    bool strict;             /* hold certificates to all of RFC 5280 (X509_V_FLAG_X509_STRICT) */
    const char *certificate; /* PEM of the client's certificate and chain; NULL for none */
    size_t certificate_size;
    const char *key; /* PEM of its private key, not encrypted */
    size_t key_size;
} tls_session_options;

/*
 * A session that has sent nothing yet.
 *
 * context: not kept beyond the call. options: copied.
 * below: where the bytes of the wire go; copied; NULL for a fed session.
 * out_session: owned by the caller, freed with tls_session_destroy().
 * False, and out_error is set, if an option is malformed or there is no memory.
 */
bool tls_session_create(SSL_CTX *context, const tls_session_options *options,
                        const net_transport *below, tls_session **out_session,
                        tls_error *out_error);

/* Frees it without a word to the server. NULL is allowed. */
void tls_session_destroy(tls_session *session);

/* Puts a filter between the guest's plain bytes and TLS; owned by the session. Once, before the
 * first write or read. */
void tls_session_set_filter(tls_session *session, net_filter *filter);

/* Takes the transport away, which is about to be gone, and the filter: what comes next is
 * TLS_BROKEN. */
void tls_session_cut(tls_session *session);

/* Goes on with the handshake; TLS_OK once it is done. When it has failed, nothing but the error is
 * kept of the session. */
tls_status tls_session_handshake(tls_session *session);

/* Reads 1 to room bytes; does the handshake first if it is not done. room: not 0. */
tls_status tls_session_read(tls_session *session, uint8_t *buffer, size_t room, size_t *out_size);

/*
 * Writes the first bytes of data, at least one; does the handshake first if it is not done.
 *
 * As with SSL_write(): after TLS_WANT_WRITE, or if not all was taken, the next write has to begin
 * with the bytes that were not.
 */
tls_status tls_session_write(tls_session *session, const uint8_t *data, size_t size,
                             size_t *out_size);

/* Says that no more will be sent, and goes on until the server has said the same. */
tls_status tls_session_shutdown(tls_session *session);

/* Whether both have; then the transport can be used without TLS again. */
bool tls_session_is_shut(const tls_session *session);

/* How many plain bytes can be read without waiting. */
size_t tls_session_pending(tls_session *session);

/* Whether the handshake is done. */
bool tls_session_is_ready(const tls_session *session);

/* Whether nothing can come of it any more. */
bool tls_session_is_dead(const tls_session *session);

/* What the last TLS_FAILED or TLS_EOF was. */
const tls_error *tls_session_error(const tls_session *session);

/* ---- A fed session --------------------------------------------------------------------------- */

/* Takes the first bytes from the server, as many as there is room for: how many. */
size_t tls_session_feed(tls_session *session, const uint8_t *data, size_t size);

/* There won't be more. */
void tls_session_feed_end(tls_session *session);

/* Gives the next bytes for the server: how many. */
size_t tls_session_drain(tls_session *session, uint8_t *buffer, size_t room);

/* Of the random number in a ClientHello. */
#define TLS_RANDOM_BYTES ((size_t)32)

/* Whether the session's ClientHello has that number: 32 bytes. */
bool tls_session_has_random(const tls_session *session, const uint8_t *random);

/* ---- What was agreed upon -------------------------------------------------------------------- */

/*
 * Adds a JSON object {"version", "cipher": [name, version, bits], "alpn"}; the values are null
 * before the handshake.
 */
void tls_session_describe(const tls_session *session, tls_text *out_text);

/* Adds the server's certificate as tls_certificate_describe() does; nothing before the
 * handshake. */
void tls_session_describe_peer(const tls_session *session, tls_text *out_text);

/* Appends certificates in DER (see tls_certificate_append()): as they were checked, from the
 * server's to the root, or as the server sent them. */
void tls_session_append_chain(const tls_session *session, bool verified, tls_text *out_bytes);

/* The "tls-unique" channel binding: how many bytes of it are in out_binding, 0 if there is none. */
size_t tls_session_binding(const tls_session *session, uint8_t *out_binding, size_t room);

#endif
