/* What the parts of the network share: the insides of struct net. */
#ifndef ERYX_NET_INTERNAL_H
#define ERYX_NET_INTERNAL_H

#include "base/wait_set.h"
#include "net/net.h"

/* Lookups that may be going on at a time. */
#define NET_MAX_LOOKUPS 64u

/* Entries of the list beyond NET_MAX_LISTED, of connections with secrets alone. */
#define NET_MAX_LISTED_WITH_SECRETS 256u

/* What one write takes, and so what may be unsent; more, up to the second number, only of what the
 * kernel takes at once. */
#define NET_WRITE_BYTES ((size_t)64 << 10)
#define NET_WRITE_MOST_BYTES ((size_t)1 << 20)

/* An address that a lookup gave, and the name. */
typedef struct net_known {
    net_address address;
    char *name;
} net_known;

/* A connection as eryx_result lists it. */
typedef struct net_log_entry {
    char *host;
    char *refusal; /* NULL for none */
    char *secrets; /* names, with commas between; NULL for none */
    char *secret_refusal;
    char address[NET_ADDRESS_TEXT_SIZE];
    eryx_connection view; /* its texts are set when it is shown */
} net_log_entry;

typedef struct net_resolver net_resolver;

struct net {
    net_policy *policy;
    const net_limits *limits;
    uint64_t fork_generation;      /* of the process that made it */
    descriptor_share *descriptors; /* counted; NULL for none */

    bool is_far; /* all that follows but the limits and texts is somebody else's */
    net_far far; /* ask is NULL before it is there */
    net_limits far_limits;
    uint32_t far_open;  /* connections and lookups that somebody else has for this */
    bool far_was_used;  /* in this run */
    int far_descriptor; /* that is waited for; -1 for none */

    wait_set waiting; /* for connections, lookups and cancellation */

    net_connection *connections; /* all that have a system socket */
    uint64_t open_count;         /* of them */
    uint64_t total_count;        /* connects of this run */
    uint64_t bytes;              /* of this run, both ways */
    uint64_t next_id;            /* of a connection; never 0 */

    net_own own; /* read with the first address that may be public */

    net_resolver *resolver; /* made with the first lookup */
    uint32_t lookup_count;  /* that are going on */
    uint64_t lookups_total; /* of this run */

    net_known *known; /* a ring when it is full */
    uint32_t known_count;
    uint32_t known_next;

    net_log_entry *log;
    uint32_t log_count;
    uint32_t log_allocated;
    uint64_t log_total;
    uint64_t begun_ns; /* the run, CLOCK_MONOTONIC */
    eryx_connection *log_view;

    char refusal[NET_REFUSAL_SIZE];
    int last_errno;
    char connect_host[NET_MAX_NAME + 1]; /* texts of ERYX_EVENT_CONNECT */
    char connect_address[NET_ADDRESS_TEXT_SIZE];
};

/* Tag of descriptors in the epoll set, besides WAIT_SET_TAG; other numbers are ids of
 * connections. */
#define NET_TAG_RESOLVER ((uint64_t)1 << 63) /* with the descriptor in the lower half */

/* True in the process that made the sandbox; in its children the epoll set is the parent's. */
bool net_is_ours(const net *network);

/* The epoll descriptor, made if there is none; -1 if it can't be. */
int net_epoll(net *network);

/* CLOCK_MONOTONIC in so many milliseconds, UINT64_MAX when that is too far. */
uint64_t net_deadline_ns(uint64_t milliseconds);

/* Remembers that an allowed name gave that address. Forgets the oldest when there are too many.
 * False without memory. */
bool net_remember(net *network, const net_address *address, const char *name);

/* The name of that index (0 for the newest) that gave the address; NULL if there are not so many.
 */
const char *net_known_name(const net *network, const net_address *address, size_t index);

/* Whether an address may be connected to, under one of the names that gave it or as it is. */
bool net_allows_address(net *network, const net_address *address, char out_reason[NET_REASON_SIZE]);

/* Lists a connection or a refusal. Gives the place in the list plus one; 0 if it is not listed.
 * refusal: NULL for none. address: NULL for none. */
uint32_t net_log(net *network, const char *host, const net_address *address, const char *refusal);

/* Says of an entry that was listed as a connection that it was refused. entry: as net_log() gave
 * it. */
void net_log_refusal(net *network, uint32_t entry, const char *refusal);

/* Closes the system's socket; the connection itself stays. */
void net_connection_close(net_connection *connection);

/* Frees a connection that is closed and that nobody has any more. */
void net_connection_free(net_connection *connection);

/* Whether bytes of the guest have not been handed to the system yet. */
bool net_connection_has_unsent(const net_connection *connection);

/* Has the filter of a plain connection, if there is one, settle its output (see net_filter). */
void net_connection_settle(net_connection *connection, bool at_end);

/* Sends what can be sent of the bytes that are kept. */
void net_connection_flush(net_connection *connection);

/* ---- What somebody else has (far.c): as the functions of connection.h and lookup.h ----------- */

bool net_far_open(net_connection *connection);
void net_far_close(net_connection *connection);
int net_far_check(net_connection *connection, const net_address *remote);
void net_far_denied(net_connection *connection, const net_address *remote);
int net_far_start(net_connection *connection, const net_address *remote);
int net_far_finish(net_connection *connection);
int net_far_shutdown(net_connection *connection, bool read_side, bool write_side);
bool net_far_ready(net_connection *connection, net_poll_kind kind, short *out_poll);
void net_far_time_out(net_connection *connection);
void net_far_set_option(net_connection *connection, net_option option, uint64_t value);
net_io net_far_read(net_connection *connection, uint8_t *buffer, size_t room, size_t *out_size);
net_io net_far_write(net_connection *connection, const uint8_t *data, size_t size);
size_t net_far_writable(net_connection *connection);
int net_far_before_wait(net *network, uint64_t *io_wake_ns);
void net_far_after_wait(net *network);
bool net_far_has_unsent(net *network);

/* ---- The resolver (lookup.c) ------------------------------------------------------------- */

/* Gives all lookups up and frees it; their callbacks are called. NULL is allowed. */
void net_resolver_destroy(net_resolver *resolver);

/* Lowers *io_wake_ns to when the resolver has to be looked at. NULL is allowed. */
void net_resolver_wake(net_resolver *resolver, uint64_t *io_wake_ns);

/* Goes on with lookups: that descriptor is ready for these EPOLL events; -1 for timeouts only. */
void net_resolver_process(net_resolver *resolver, int fd, uint32_t events);

#endif
