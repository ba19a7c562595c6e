#include "tls/session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/bio.h"
#include "tls/certificate.h"
#include "tls/chain.h"
#include "tls/identity.h"

/* Plain bytes that are made into records before these are handed to the transport. */
#define WRITE_BATCH_BYTES ((size_t)64 << 10)

/* Of one record. */
#define RECORD_BYTES ((size_t)16 << 10)

struct tls_session {
    SSL *ssl;
    tls_wire wire;      /* where its bytes go */
    net_filter *filter; /* owned; NULL for none */
    size_t owed;        /* plain bytes that have been made into records but not been reported as
                           written, as these were not all sent */
    bool chain_refused; /* what the server sent was not even decoded */
    bool ready;         /* the handshake is done and the server is who it should be */
    tls_status dead;    /* TLS_OK, or what everything answers from now on */
    char name[256];
    tls_error error;
};

/* ---- Life ------------------------------------------------------------------------------------ */

/* What the certificate must be, and what the server is told. */
static bool set_name(SSL *ssl, const tls_session_options *options)
{
    X509_VERIFY_PARAM *checks = SSL_get0_param(ssl);
    if (options->strict) {
        X509_VERIFY_PARAM_set_flags(checks, X509_V_FLAG_X509_STRICT);
    }
    X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (options->is_address) {
        return X509_VERIFY_PARAM_set1_ip_asc(checks, options->name) == 1;
    }
    /* A name that begins with a dot would fit every name below it. */
    return options->name[0] != 0 && options->name[0] != '.' &&
           X509_VERIFY_PARAM_set1_host(checks, options->name, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, options->name) == 1;
}

static bool set_versions(SSL *ssl, const tls_session_options *options)
{
    return (options->minimum_version == 0 ||
            (options->minimum_version >= TLS1_2_VERSION &&
             SSL_set_min_proto_version(ssl, options->minimum_version) == 1)) &&
           (options->maximum_version == 0 ||
            (options->maximum_version >= TLS1_2_VERSION &&
             SSL_set_max_proto_version(ssl, options->maximum_version) == 1));
}

/* Names a problem of the options; the ERR queue may say more. */
static bool set_options(SSL *ssl, const tls_session_options *options, tls_error *out_error)
{
    if (!set_name(ssl, options)) {
        tls_error_set(out_error, "the name of the server is not one that can be verified");
    } else if (!set_versions(ssl, options)) {
        tls_error_set(out_error, "no version of TLS that is allowed here was left");
    } else if (options->alpn_size > 0 &&
               (options->alpn_size > UINT16_MAX ||
                SSL_set_alpn_protos(ssl, options->alpn, (unsigned)options->alpn_size) != 0)) {
        tls_error_set(out_error, "the list of ALPN protocols is malformed");
    } else {
        return options->certificate == NULL ||
               tls_identity_use(ssl, options->certificate, options->certificate_size, options->key,
                                options->key_size, out_error);
    }
    return false;
}

bool tls_session_create(SSL_CTX *context, const tls_session_options *options,
                        const net_transport *below, tls_session **out_session, tls_error *out_error)
{
    ERR_clear_error();
    tls_session *session = calloc(1, sizeof *session);
    SSL *ssl = session != NULL ? SSL_new(context) : NULL;
    BIO *bio = ssl != NULL ? tls_bio_new(&session->wire) : NULL;
    if (bio == NULL) {
        tls_error_set(out_error, "out of memory");
        goto fail;
    }
    SSL_set_bio(ssl, bio, bio);
    session->ssl = ssl;
    tls_wire_init(&session->wire, below);
    snprintf(session->name, sizeof session->name, "%s", options->name);
    if (!set_options(ssl, options, out_error)) {
        goto fail;
    }
    tls_chain_watch(ssl, &session->chain_refused);
    SSL_set_connect_state(ssl);
    ERR_clear_error();
    *out_session = session;
    return true;

fail:
    SSL_free(ssl);
    free(session);
    ERR_clear_error();
    return false;
}

static void destroy_filter(tls_session *session)
{
    if (session->filter != NULL) {
        session->filter->destroy(session->filter);
        session->filter = NULL;
    }
}

void tls_session_destroy(tls_session *session)
{
    if (session == NULL) {
        return;
    }
    destroy_filter(session);
    SSL_free(session->ssl);
    tls_wire_clear(&session->wire);
    free(session);
}

void tls_session_set_filter(tls_session *session, net_filter *filter)
{
    session->filter = filter;
}

void tls_session_cut(tls_session *session)
{
    destroy_filter(session);
    tls_wire_cut(&session->wire);
    session->dead = session->dead != TLS_OK ? session->dead : TLS_BROKEN;
}

/* ---- How a step ended ------------------------------------------------------------------------ */

/* Says in CPython's words what is wrong with the server's certificate. */
static void explain_verification(tls_session *session)
{
    tls_error *error = &session->error;
    long code = SSL_get_verify_result(session->ssl);
    error->verify_code = (int)code;
    const char *text = X509_verify_cert_error_string(code);
    char *out = error->verify_message;
    const size_t room = sizeof error->verify_message;
    if (code == X509_V_ERR_HOSTNAME_MISMATCH) {
        snprintf(out, room, "Hostname mismatch, certificate is not valid for '%.200s'.",
                 session->name);
    } else if (code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        snprintf(out, room, "IP address mismatch, certificate is not valid for '%.200s'.",
                 session->name);
    } else {
        snprintf(out, room, "%s", text != NULL ? text : "unknown error");
    }
    snprintf(error->message, sizeof error->message, "certificate verify failed: %s", out);
}

static tls_status die(tls_session *session, tls_status status)
{
    session->dead = status;
    ERR_clear_error();
    return status;
}

/* The wire's own trouble, TLS_OK if it has none. */
static tls_status wire_status(const tls_session *session)
{
    switch (session->wire.trouble) {
    case NET_IO_REFUSED:
        return TLS_REFUSED;
    case NET_IO_FAILED:
    case NET_IO_CLOSED:
        return TLS_BROKEN;
    default:
        return TLS_OK;
    }
}

/* After a function of OpenSSL that did not succeed; result: what it gave. */
static tls_status judge(tls_session *session, int result)
{
    int kind = SSL_get_error(session->ssl, result);
    switch (kind) {
    case SSL_ERROR_WANT_READ:
        return tls_wire_flush(&session->wire) || wire_status(session) != TLS_OK ? TLS_WANT_READ
                                                                                : TLS_WANT_WRITE;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    default:
        break;
    }
    if (wire_status(session) != TLS_OK) {
        return die(session, wire_status(session));
    }
    tls_wire_flush(&session->wire); /* an alert for the server, who may have gone */
    /* The last one says what became of the handshake; those before it, how that came about. */
    unsigned long code = ERR_peek_last_error();
    tls_library_take_error(&session->error);
    if (code == 0 || (ERR_GET_LIB(code) == ERR_LIB_SSL &&
                      ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)) {
        snprintf(session->error.message, sizeof session->error.message,
                 "EOF occurred in violation of protocol");
        return die(session, TLS_EOF);
    }
    if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
        ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        explain_verification(session);
    }
    if (session->chain_refused) {
        /* The name that a certificate has which OpenSSL can't decode. */
        tls_error_set(&session->error, "the server's certificates are malformed or too many, or "
                                       "have keys of a kind or size that eryx does not take");
        snprintf(session->error.library, sizeof session->error.library, "SSL");
        snprintf(session->error.reason, sizeof session->error.reason, "ASN1_LIB");
    }
    return die(session, TLS_FAILED);
}

/* What every step begins with: TLS_OK if it can be made. */
static tls_status begin_step(tls_session *session)
{
    ERR_clear_error();
    if (session->dead != TLS_OK) {
        return session->dead;
    }
    tls_wire_begin_step(&session->wire);
    return TLS_OK;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static tls_status step_handshake(tls_session *session)
{
    tls_status status = begin_step(session);
    if (status != TLS_OK) {
        return status;
    }
    int result = session->ready ? 1 : SSL_do_handshake(session->ssl);
    if (result != 1) {
        return judge(session, result);
    }
    if (SSL_get_verify_result(session->ssl) != X509_V_OK ||
        SSL_get0_peer_certificate(session->ssl) == NULL) {
        /* Can't be, as verification is asked for; nothing may depend on that alone. */
        tls_error_set(&session->error, "the server was not verified");
        return die(session, TLS_FAILED);
    }
    session->ready = true;
    if (tls_wire_flush(&session->wire)) {
        return TLS_OK;
    }
    status = wire_status(session);
    return status != TLS_OK ? die(session, status) : TLS_WANT_WRITE;
}

tls_status tls_session_handshake(tls_session *session)
{
    tls_status status = step_handshake(session);
    if (session->dead != TLS_OK && !session->ready) {
        /* Programs may keep what has failed for long. */
        destroy_filter(session);
        SSL_free(session->ssl);
        session->ssl = NULL;
        if (session->wire.is_fed) {
            tls_queue_clear(&session->wire.input);
        } else {
            tls_wire_clear(&session->wire);
        }
    }
    return status;
}

static tls_status ensure_handshake(tls_session *session)
{
    return session->ready && session->dead == TLS_OK ? begin_step(session)
                                                     : tls_session_handshake(session);
}

/* A transport's read and write over TLS itself; what TLS said is kept in wire.above. */
static net_io to_io(tls_session *session, tls_status status)
{
    session->wire.above = status;
    switch (status) {
    case TLS_OK:
        return NET_IO_OK;
    case TLS_WANT_READ:
    case TLS_WANT_WRITE:
        return NET_IO_AGAIN;
    case TLS_CLOSED:
        return NET_IO_CLOSED;
    case TLS_REFUSED:
        return NET_IO_REFUSED;
    default:
        return NET_IO_FAILED;
    }
}

static net_io read_plain(void *self, uint8_t *buffer, size_t room, size_t *out_size)
{
    tls_session *session = self;
    if (session->dead != TLS_OK) {
        return to_io(session, session->dead);
    }
    int result = SSL_read_ex(session->ssl, buffer, room, out_size);
    return to_io(session, result == 1 ? TLS_OK : judge(session, result));
}

/* Makes a record and keeps it. */
static net_io write_plain(void *self, const uint8_t *data, size_t size, size_t *out_size)
{
    tls_session *session = self;
    if (session->dead != TLS_OK) {
        return to_io(session, session->dead);
    }
    if (!tls_wire_has_room(&session->wire)) {
        tls_wire_flush(&session->wire);
        if (!tls_wire_has_room(&session->wire)) {
            return to_io(session, TLS_WANT_WRITE);
        }
    }
    int result = SSL_write_ex(session->ssl, data, size, out_size);
    return to_io(session, result == 1 ? TLS_OK : judge(session, result));
}

static net_transport plain_transport(tls_session *session)
{
    return (net_transport){session, read_plain, write_plain};
}

/* The status of a transfer that ended as io. */
static tls_status from_io(tls_session *session, net_io io)
{
    switch (io) {
    case NET_IO_OK:
        return TLS_OK;
    case NET_IO_REFUSED:
        return die(session, TLS_REFUSED);
    case NET_IO_AGAIN:
        return session->wire.above == TLS_WANT_WRITE ? TLS_WANT_WRITE : TLS_WANT_READ;
    case NET_IO_CLOSED:
        return TLS_CLOSED;
    default:
        return session->wire.above != TLS_OK ? session->wire.above : die(session, TLS_BROKEN);
    }
}

tls_status tls_session_read(tls_session *session, uint8_t *buffer, size_t room, size_t *out_size)
{
    tls_status status = ensure_handshake(session);
    if (status != TLS_OK) {
        return status;
    }
    tls_wire_flush(&session->wire);
    session->wire.above = TLS_WANT_READ;
    net_io io;
    if (session->filter != NULL) {
        net_transport below = plain_transport(session);
        io = session->filter->read(session->filter, &below, buffer, room, out_size);
    } else {
        io = read_plain(session, buffer, room, out_size);
    }
    return from_io(session, io);
}

/* Sends what is kept above and below TLS. TLS_WANT_WRITE if some of it is left. */
static tls_status flush_all(tls_session *session)
{
    if (session->filter != NULL) {
        net_transport below = plain_transport(session);
        net_io io = session->filter->flush(session->filter, &below);
        if (io == NET_IO_AGAIN) {
            return TLS_WANT_WRITE;
        }
        if (io != NET_IO_OK) {
            return from_io(session, io);
        }
    }
    if (!tls_wire_flush(&session->wire)) {
        tls_status status = wire_status(session);
        return status != TLS_OK ? die(session, status) : TLS_WANT_WRITE;
    }
    return TLS_OK;
}

/* Makes records of the first bytes, up to a batch: how many were taken. */
static tls_status write_batch(tls_session *session, const uint8_t *data, size_t size,
                              size_t *out_taken)
{
    net_transport below = plain_transport(session);
    size_t taken = 0;
    while (taken < size && taken < WRITE_BATCH_BYTES && tls_wire_has_room(&session->wire)) {
        size_t left = size - taken < RECORD_BYTES ? size - taken : RECORD_BYTES;
        size_t written;
        net_io io = session->filter != NULL ? session->filter->write(session->filter, &below,
                                                                     data + taken, left, &written)
                                            : write_plain(session, data + taken, left, &written);
        if (io == NET_IO_AGAIN) {
            break;
        }
        if (io != NET_IO_OK) {
            return from_io(session, io);
        }
        taken += written;
    }
    *out_taken = taken;
    return TLS_OK;
}

tls_status tls_session_write(tls_session *session, const uint8_t *data, size_t size,
                             size_t *out_size)
{
    size_t total = 0;
    tls_status status = ensure_handshake(session);
    if (status == TLS_OK) {
        status = flush_all(session);
    }
    if (status == TLS_OK && session->owed > 0) {
        /* Sent by now; this is the call that was to come again for them. */
        total = session->owed < size ? session->owed : size;
        session->owed -= total;
    }
    while (status == TLS_OK && total < size) {
        size_t taken = 0;
        status = write_batch(session, data + total, size - total, &taken);
        if (status != TLS_OK || taken == 0) {
            break;
        }
        status = flush_all(session);
        if (status == TLS_OK) {
            total += taken;
        } else {
            session->owed = taken;
        }
    }
    if (total == 0 && size > 0) {
        return status == TLS_OK ? TLS_WANT_WRITE : status;
    }
    *out_size = total;
    return TLS_OK;
}

tls_status tls_session_shutdown(tls_session *session)
{
    tls_status status = begin_step(session);
    if (status != TLS_OK) {
        return status;
    }
    status = flush_all(session);
    if (status != TLS_OK) {
        return status;
    }
    int result = SSL_shutdown(session->ssl);
    if (result == 0) {
        /* Said; now for the server's word. */
        if (!tls_wire_flush(&session->wire)) {
            status = wire_status(session);
            return status != TLS_OK ? die(session, status) : TLS_WANT_WRITE;
        }
        result = SSL_shutdown(session->ssl);
    }
    if (result == 0) {
        return TLS_WANT_READ;
    }
    if (result < 0) {
        return judge(session, result);
    }
    return tls_wire_flush(&session->wire) ? TLS_OK : TLS_WANT_WRITE;
}

bool tls_session_is_shut(const tls_session *session)
{
    const int both = SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN;
    return session->ssl != NULL && (SSL_get_shutdown(session->ssl) & both) == both &&
           tls_wire_is_flushed(&session->wire);
}

size_t tls_session_pending(tls_session *session)
{
    int pending = session->ssl != NULL ? SSL_pending(session->ssl) : 0;
    if (pending <= 0 && session->filter != NULL && session->filter->has_input(session->filter)) {
        pending = 1;
    }
    return pending > 0 ? (size_t)pending : 0;
}

bool tls_session_is_ready(const tls_session *session)
{
    return session->ready;
}

bool tls_session_is_dead(const tls_session *session)
{
    return session->dead != TLS_OK;
}

const tls_error *tls_session_error(const tls_session *session)
{
    return &session->error;
}

/* ---- A fed session --------------------------------------------------------------------------- */

size_t tls_session_feed(tls_session *session, const uint8_t *data, size_t size)
{
    return tls_wire_feed(&session->wire, data, size);
}

void tls_session_feed_end(tls_session *session)
{
    session->wire.input_ended = true;
}

size_t tls_session_drain(tls_session *session, uint8_t *buffer, size_t room)
{
    return tls_wire_drain(&session->wire, buffer, room);
}

bool tls_session_has_random(const tls_session *session, const uint8_t *random)
{
    uint8_t own[TLS_RANDOM_BYTES];
    return session->ssl != NULL &&
           SSL_get_client_random(session->ssl, own, sizeof own) == sizeof own &&
           memcmp(own, random, sizeof own) == 0;
}

/* ---- What was agreed upon -------------------------------------------------------------------- */

void tls_session_describe(const tls_session *session, tls_text *out_text)
{
    const SSL *ssl = session->ssl;
    const SSL_CIPHER *cipher = session->ready ? SSL_get_current_cipher(ssl) : NULL;
    const unsigned char *alpn = NULL;
    unsigned alpn_size = 0;
    if (session->ready) {
        SSL_get0_alpn_selected(ssl, &alpn, &alpn_size);
    }
    tls_text_put(out_text, "{\"version\":");
    tls_text_string_or_null(out_text, session->ready ? SSL_get_version(ssl) : NULL);
    tls_text_put(out_text, ",\"cipher\":");
    if (cipher != NULL) {
        tls_text_put(out_text, "[");
        tls_text_string_or_null(out_text, SSL_CIPHER_get_name(cipher));
        tls_text_put(out_text, ",");
        tls_text_string_or_null(out_text, SSL_CIPHER_get_version(cipher));
        tls_text_put(out_text, ",");
        tls_text_number(out_text, SSL_CIPHER_get_bits(cipher, NULL));
        tls_text_put(out_text, "]");
    } else {
        tls_text_put(out_text, "null");
    }
    tls_text_put(out_text, ",\"alpn\":");
    if (alpn != NULL) {
        tls_text_string(out_text, (const char *)alpn, alpn_size);
    } else {
        tls_text_put(out_text, "null");
    }
    tls_text_put(out_text, "}");
}

void tls_session_describe_peer(const tls_session *session, tls_text *out_text)
{
    X509 *certificate = session->ready ? SSL_get0_peer_certificate(session->ssl) : NULL;
    if (certificate != NULL) {
        tls_certificate_describe(certificate, out_text);
    }
}

void tls_session_append_chain(const tls_session *session, bool verified, tls_text *out_bytes)
{
    if (session->ready) {
        tls_certificate_append_all(verified ? SSL_get0_verified_chain(session->ssl)
                                            : SSL_get_peer_cert_chain(session->ssl),
                                   out_bytes);
    }
}

size_t tls_session_binding(const tls_session *session, uint8_t *out_binding, size_t room)
{
    /* Of the side that finished first: the client, as no session is resumed. */
    size_t size = session->ready ? SSL_get_finished(session->ssl, out_binding, room) : 0;
    return size < room ? size : room;
}
