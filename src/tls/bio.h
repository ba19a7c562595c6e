/*
 * Where the bytes of a TLS session go on the wire's side, as a BIO of OpenSSL: to a transport, or
 * into queues that the owner of the session feeds and drains.
 *
 * What OpenSSL writes is always taken; what could not be handed on is kept and flushed later, so
 * that a record is never sent by halves from OpenSSL's point of view. The writer asks for room
 * before.
 */
#ifndef ERYX_TLS_BIO_H
#define ERYX_TLS_BIO_H

#include <openssl/bio.h>

#include "base/transport.h"
#include "tls/queue.h"

typedef struct tls_wire {
    net_transport below; /* of a session that is not fed */
    bool is_fed;
    bool input_ended;
    net_io trouble;   /* how the transport failed, NET_IO_OK if it has not */
    int above;        /* tls_status of the last transfer of plain bytes */
    size_t may_take;  /* bytes that this step may still read */
    tls_queue input;  /* of a fed session */
    tls_queue output; /* not handed on yet */
} tls_wire;

/* below: NULL for a fed session. The wire was zeroed. */
void tls_wire_init(tls_wire *wire, const net_transport *below);

void tls_wire_clear(tls_wire *wire);

/* The transport is gone. */
void tls_wire_cut(tls_wire *wire);

/* Gives the step that begins its share of bytes. */
void tls_wire_begin_step(tls_wire *wire);

/* Hands on what is kept: true if all of it went. A fed session's output has gone when it is there
 * to be drained and there is room for more. */
bool tls_wire_flush(tls_wire *wire);

/* Whether nothing is kept. */
bool tls_wire_is_flushed(const tls_wire *wire);

/* Whether another record may be made. */
bool tls_wire_has_room(const tls_wire *wire);

size_t tls_wire_feed(tls_wire *wire, const uint8_t *data, size_t size);
size_t tls_wire_drain(tls_wire *wire, uint8_t *buffer, size_t room);

/* A BIO over the wire, which must outlive it; freed with BIO_free(). NULL without memory. */
BIO *tls_bio_new(tls_wire *wire);

#endif
