/*
 * The TLS sessions that a guest has open, by number: those that have taken over a connection, and
 * those that the guest feeds itself. What the guest asks of them is in imports/eryx_tls.c. Threads:
 * the one that uses the sandbox.
 */
#ifndef ERYX_NET_TLS_SESSIONS_H
#define ERYX_NET_TLS_SESSIONS_H

#include "net/connection.h"
#include "tls/session.h"

/* One of them. */
typedef struct tls_entry {
    struct tls_entry *next;
    uint32_t id;
    tls_session *session;       /* owned; NULL once the guest has let go of it */
    net_connection *connection; /* that it has taken over; NULL for a fed session, and once the
                                   connection is gone */
    uint64_t deadline_ns;       /* of the handshake */
} tls_entry;

/* All of a sandbox: made with the first, kept until it is destroyed. */
typedef struct tls_sessions {
    tls_entry *entries;
    uint32_t count;
    uint32_t last_id;
    tls_error error; /* of the last one that could not be opened */
} tls_sessions;

/* Without any session. NULL without memory or random numbers. */
tls_sessions *tls_sessions_create(void);

/* Ends all sessions and frees everything. NULL is allowed. */
void tls_sessions_destroy(tls_sessions *sessions);

/* Ends all sessions: the run is over. Before the network's end. NULL is allowed. */
void tls_sessions_end_run(tls_sessions *sessions);

/* Takes over an entry, whose session is there, and gives it a number that no other one has. */
void tls_sessions_add(tls_sessions *sessions, tls_entry *added);

/* The one with that number; NULL if there is none, or sessions is NULL. */
tls_entry *tls_sessions_find(const tls_sessions *sessions, uint32_t id);

/*
 * Ends one. Its connection stays without plain streams if the server was not told: what the guest
 * sent on it would not be what anybody expects.
 */
void tls_sessions_remove(tls_sessions *sessions, tls_entry *target);

/* How many are still of use. */
uint64_t tls_sessions_count_live(const tls_sessions *sessions);

/* For net_connection_attach(): the connection of an entry is about to be closed. */
void tls_sessions_connection_gone(void *entry);

/*
 * Looks at plain bytes that the guest is about to send: if they are the first ones of a session
 * that the guest feeds itself, the list of connections says that this one has TLS. Costs nothing
 * while there is no such session.
 */
void tls_sessions_look_at(const tls_sessions *sessions, net_connection *connection,
                          const uint8_t *data, size_t size);

#endif
