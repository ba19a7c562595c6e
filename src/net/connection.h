/*
 * One TCP connection of a sandbox, and what lies between the guest's bytes and its socket:
 *
 *     guest's streams ── filter (secrets) ── socket            a plain connection
 *     guest's ssl ────── filter (secrets) ── TLS ── socket     after net_connection_attach()
 *
 * Everything is non-blocking: what can't be done now is NET_IO_AGAIN, and the guest waits in
 * wasi:io poll for the connection to be readable or writable. Threads: the one that uses the
 * sandbox.
 */
#ifndef ERYX_NET_CONNECTION_H
#define ERYX_NET_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/transport.h"
#include "net/address.h"
#include "net/options.h"

typedef struct net net;

typedef enum net_state {
    NET_NEW,        /* not connected; there is no system socket yet */
    NET_CONNECTING, /* the system is at it */
    NET_CONNECTED,
    NET_FAILED, /* the connect failed: error tells why */
} net_state;

typedef struct net_connection net_connection;
struct net_connection {
    uint32_t far_number; /* of one that somebody else has (far.h); 0 for one of this process */
    net *network;        /* NULL once the run has ended: then nothing but release is allowed */
    net_connection *next;
    uint32_t references;
    int fd; /* -1 if there is none */
    net_state state;
    int error; /* errno of a connect that failed or of a broken stream, 0 for none */
    bool is_v6;
    bool has_streams; /* finish-connect has given them to the guest */
    bool attached;    /* TLS has the socket: the guest's plain streams are refused */
    bool end_of_read; /* the peer has closed its side */
    bool shut_read;
    bool shut_write;
    bool shut_write_pending; /* once all is sent */
    net_address local;
    net_address remote;   /* from the connect on */
    uint32_t log_entry;   /* its place in the list of the run plus one, 0 if it is not listed */
    uint64_t deadline_ns; /* of the connect and, with TLS, the handshake (CLOCK_MONOTONIC) */
    uint64_t started_ns;
    uint64_t bytes_in;
    uint64_t bytes_out;
    net_filter *filter; /* of a plain connection; owned; NULL for none */
    void *tls;          /* of an attached one; owned by it; see net_connection_attach() */
    void (*tls_destroy)(void *tls);
    uint8_t *input;     /* bytes that came through the filter and that the guest has not got; */
    size_t input_begin; /* NULL if there never were any */
    size_t input_size;
    uint8_t *unsent; /* accepted of the guest but not by the system yet; NULL if nothing is */
    size_t unsent_size;
    uint64_t id;         /* tag in the epoll set */
    bool registered;     /* it is in that set */
    uint32_t armed;      /* EPOLLIN and EPOLLOUT that the epoll descriptor now waits for */
    uint32_t wanted;     /* the same, of the guest's present wait */
    net_options options; /* as the guest has set them */
    bool timed_out;      /* a wait for it took io_timeout_ms: its next transfer fails */
};

/* An unconnected one with one owner; NULL without memory. */
net_connection *net_connection_create(net *network, bool is_v6);

/* One more owner. */
net_connection *net_connection_retain(net_connection *connection);

/* Lets go of a connection; the last owner closes it. NULL is allowed. What the guest has written
 * is still sent, as long as the run lasts. */
void net_connection_release(net_connection *connection);

/* ---- Connecting ------------------------------------------------------------------------------ */

/*
 * Whether the rules and the limits allow a connect to that address. 0, or EACCES (a rule) or EMFILE
 * (a limit); then net_last_refusal() tells which, and the refusal is listed.
 */
int net_connection_check(net_connection *connection, const net_address *remote);

/* Lists the connect as refused by the embedder. */
void net_connection_denied(net_connection *connection, const net_address *remote);

/* Begins to connect; only after the check. 0 if it is on its way, else an errno, and the connection
 * is NET_FAILED. */
int net_connection_start(net_connection *connection, const net_address *remote);

/* How the connect went: 0 when it is connected, EAGAIN while it is on its way, else its errno. */
int net_connection_finish(net_connection *connection);

/* Shuts one or both directions down, after what is still to be sent. 0 or an errno. */
int net_connection_shutdown(net_connection *connection, bool read_side, bool write_side);

/* ---- For waiting ----------------------------------------------------------------------------- */

/* What a pollable waits for. */
typedef enum net_poll_kind { NET_POLL_CONNECT, NET_POLL_READ, NET_POLL_WRITE } net_poll_kind;

/*
 * Whether that can go on now as far as it can be told without asking the system. If not, *out_poll
 * are the events of poll() that tell (0: none does, it is not ready before it is flushed).
 */
bool net_connection_ready(net_connection *connection, net_poll_kind kind, short *out_poll);

/* A wait for it took too long: its next transfer fails. */
void net_connection_time_out(net_connection *connection);

/* Sets an option, as net_options_set(). */
int net_connection_set_option(net_connection *connection, net_option option, uint64_t value);

/* ---- Names ----------------------------------------------------------------------------------- */

/*
 * The names that the connection stands for: those that were looked up in this run, are allowed, and
 * gave its address. TLS may be asked for any of them.
 *
 * out_name: the name of that index, in the form of net_name_normalize(); valid until the next
 * lookup. False if there are not so many.
 */
bool net_connection_name(const net_connection *connection, size_t index, const char **out_name);

/* Whether name (normalized) is one of them, or the connection's address as text. */
bool net_connection_has_name(const net_connection *connection, const char *name);

/* ---- Bytes ----------------------------------------------------------------------------------- */

/*
 * Reads from the socket itself (ciphertext of an attached connection). Counts the bytes and holds
 * the limits. room: at least 1; at most 1 MiB is read.
 */
net_io net_connection_receive(net_connection *connection, uint8_t *buffer, size_t room,
                              size_t *out_size);

/* Writes to the socket itself. Never raises SIGPIPE. */
net_io net_connection_send(net_connection *connection, const uint8_t *data, size_t size,
                           size_t *out_size);

/* What receive and send are to a filter or a TLS session. self is the connection. */
net_transport net_connection_transport(net_connection *connection);

/* How many bytes are there to be read from the socket: NET_IO_OK and at least 1, or why there are
 * none. */
net_io net_connection_available(net_connection *connection, size_t *out_size);

/* Reads plain bytes for the guest: through the filter if there is one. NET_IO_REFUSED if it is
 * attached. */
net_io net_connection_read(net_connection *connection, uint8_t *buffer, size_t room,
                           size_t *out_size);

/* Takes all of the bytes for the guest or none; what the system does not take now is kept and sent
 * later. size: at most what net_connection_writable() gave. */
net_io net_connection_write(net_connection *connection, const uint8_t *data, size_t size);

/* Whether the next transfer fails at once, which the guest should not wait for. */
bool net_connection_can_fail(const net_connection *connection);

/* How many bytes net_connection_write() takes now, 0 for none; 1 if it would fail. */
size_t net_connection_writable(net_connection *connection);

/*
 * Hands the socket over to TLS: from now on plain streams of the guest are refused, and the list of
 * connections has it as TLS.
 *
 * tls: owned by the connection from now on; tls_destroy(tls) is called when the connection is
 * closed or the run ends (it must not use the socket any more then).
 * False, and tls is still the caller's, if it is not connected, is attached, or plain bytes are
 * kept back.
 */
bool net_connection_attach(net_connection *connection, void *tls, void (*tls_destroy)(void *tls));

/* Has the list of connections say that eryx did TLS on it, though the guest carries the bytes. */
void net_connection_note_tls(net_connection *connection);

/* Takes TLS off again (unwrap): gives tls back to the caller, plain streams work again. */
void *net_connection_detach(net_connection *connection);

#endif
