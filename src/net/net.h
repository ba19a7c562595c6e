/*
 * The network of one sandbox: its rules, the connections and lookups of the present run, what they
 * have used up, and the epoll descriptor that the host waits on for all of them.
 *
 * Nothing is there before the guest first looks up a name or connects, and everything is gone when
 * the run has ended. Threads: the one that uses the sandbox.
 */
#ifndef ERYX_NET_H
#define ERYX_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/descriptors.h"
#include "eryx/eryx.h"
#include "machine/handles.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/far.h"
#include "net/policy.h"

/* Longest text of a refusal, terminated. */
#define NET_REFUSAL_SIZE 512u

/* Connections and refusals of a run that are listed in its result. */
#define NET_MAX_LISTED 1000u

/* Addresses whose names are remembered in a run. */
#define NET_MAX_KNOWN_ADDRESSES 4096u

typedef struct net net;

/*
 * The network state of a sandbox under that policy; nothing is opened yet.
 *
 * policy: one reference of the caller's is taken over, also on failure.
 * out_net: owned by the caller, freed with net_destroy().
 * Returns false without memory.
 */
bool net_create(net_policy *policy, net **out_net);

/* Makes sockets count to a share, which gets one more owner. Called once, before anything is
 * opened; without it they count for the process alone. */
void net_share_descriptors(net *network, descriptor_share *share);

/* Has somebody else do all of it from now on; taken over. Called once for each network of a worker,
 * before a guest runs. */
void net_use_far(net *network, net_far far);

/* Whether somebody else does it, or is to. NULL gives false. */
bool net_is_far(const net *network);

/* Makes a network whose connections somebody else has, once net_use_far() was called. limits: those
 * that the guest has to keep here. False without memory. */
bool net_create_far(const net_limits *limits, net **out_net);

/* The limits of a network. */
const net_limits *net_get_limits(const net *network);

/* One with the same limits, for a copy of the sandbox. False without memory. */
bool net_create_like(const net *network, net **out_net);

/* Asks what the network was told with net_use_far(). False if nobody answers. */
bool net_ask_far(net *network, const net_far_question *question, net_far_answer *out_answer);

/* Ends what goes on and frees it. NULL is allowed. No handle may refer to it any more. */
void net_destroy(net *network);

/* The rules, for another sandbox with the same (net_policy_retain()). */
net_policy *net_get_policy(const net *network);

/* Puts the counters of a run to its start. run_deadline_ns: CLOCK_MONOTONIC. NULL is allowed. */
void net_begin_run(net *network);

/*
 * Closes all connections and lookups, and the epoll descriptor. Handles of the table that refer to
 * them stay and are dead: their object is NULL. The list of connections stays until the next
 * net_begin_run(). NULL is allowed.
 */
void net_end_run(net *network, handle_table *handles);

/* What the rules said no to last in this run, for people; "" if nothing. Sets nothing. network:
 * NULL for a sandbox without a network, which has a text as well. */
const char *net_last_refusal(const net *network);

/* Remembers a refusal for net_last_refusal(), and EACCES; format as for printf(). NULL is allowed.
 */
__attribute__((format(printf, 2, 3))) void net_refuse(net *network, const char *format, ...);

/* Remembers that something is used up, and EMFILE; format as for printf(). NULL is allowed. */
__attribute__((format(printf, 2, 3))) void net_exhausted(net *network, const char *format, ...);

/* Remembers the errno of a failure. NULL is allowed. */
void net_set_errno(net *network, int error);

/* The errno of the last failure of a connection's stream, 0 if there was none; see
 * NETWORK_LAST_ERROR. */
int net_last_errno(const net *network);

/* ---- Connections ----------------------------------------------------------------------------- */

/*
 * The open connection of this sandbox with these two ends; NULL if there is none. Both ends must
 * fit, as a guest may have many connections to one server. Valid until the guest runs again; take a
 * reference with net_connection_retain() to keep it.
 */
net_connection *net_find_connection(net *network, const net_address *local,
                                    const net_address *remote);

/* What ERYX_EVENT_CONNECT shows of the connect that was checked last. */
void net_connect_texts(const net *network, const char **out_host, const char **out_address);

/*
 * Checks the name of a server that the guest wants to do TLS with against the rules, as the name of
 * a lookup is checked. False, and the reason in net_last_refusal(), if it is not allowed.
 * name: size bytes, not terminated; anything may be in it.
 */
bool net_allows_name(net *network, const uint8_t *name, size_t size);

/* Connections and refusals of the run; see eryx_result. Valid until net_begin_run() or
 * net_destroy(). NULL gives none. */
void net_list(net *network, const eryx_connection **out_connections, size_t *out_count,
              uint64_t *out_total);

/*
 * Writes down in the list that the value of a secret was sent, or that a request was refused
 * because of one. An entry is made for a connection that is not listed.
 *
 * network: NULL is allowed. connection: NULL for TLS over what the guest sends itself. host: its
 * name for people. name: of the secret; NULL with refusal, which is NULL for none.
 */
void net_log_secret(net *network, net_connection *connection, const char *host, const char *name,
                    const char *refusal);

/* ---- Waiting --------------------------------------------------------------------------------- */

/*
 * Before the guest is left for a wait: the descriptor that becomes readable when a lookup or an
 * armed connection can go on, -1 if there is nothing of that kind; *io_wake_ns (CLOCK_MONOTONIC) is
 * lowered to when one of them has to be looked at whatever happens.
 */
int net_before_wait(net *network, uint64_t *io_wake_ns);

/* After it: takes what has happened, and goes on with lookups and with bytes that are still to be
 * sent. NULL is allowed. */
void net_after_wait(net *network);

/* Makes that descriptor readable. Threads: any, also while another uses the sandbox. NULL is
 * allowed. */
void net_wake(net *network);

/* When a wait for connections that begins now takes too long (CLOCK_MONOTONIC). */
uint64_t net_io_ceiling_ns(const net *network);

/* Whether bytes that the guest has written have not been handed to the system yet. */
bool net_has_unsent(net *network);

#endif
