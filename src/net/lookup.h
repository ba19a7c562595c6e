/* Lookups of names: checked, done by c-ares without blocking, and their addresses checked. */
#ifndef ERYX_NET_LOOKUP_H
#define ERYX_NET_LOOKUP_H

#include "net/net.h"

/* How a lookup stands. */
typedef enum net_lookup_status {
    NET_LOOKUP_DONE = 0,
    NET_LOOKUP_PENDING,
    NET_LOOKUP_REFUSED,   /* a rule forbids the name or all of its addresses: net_last_refusal() */
    NET_LOOKUP_TOO_MANY,  /* a limit: net_last_refusal() */
    NET_LOOKUP_NOT_FOUND, /* no such name, or no address of it */
    NET_LOOKUP_TEMPORARY, /* no answer in time */
    NET_LOOKUP_FAILED,    /* the servers can't be used or answer with an error */
    NET_LOOKUP_NO_MEMORY,
} net_lookup_status;

typedef struct net_lookup net_lookup;

/*
 * Begins to look a name up; a text that is an address is its own answer.
 *
 * name: size bytes that the guest gave; anything may be in them.
 * out_lookup: set for NET_LOOKUP_DONE and NET_LOOKUP_PENDING only; let go with
 * net_lookup_release().
 */
net_lookup_status net_lookup_start(net *network, const uint8_t *name, size_t size,
                                   net_lookup **out_lookup);

/* One more owner; lets go: the last owner gives it up. NULL is allowed. */
net_lookup *net_lookup_retain(net_lookup *lookup);
void net_lookup_release(net_lookup *lookup);

/* How it stands now; a pending one that has had its time is NET_LOOKUP_TEMPORARY from then on. */
net_lookup_status net_lookup_get_status(net_lookup *lookup);

/* When it has had its time (CLOCK_MONOTONIC). */
uint64_t net_lookup_deadline_ns(const net_lookup *lookup);

/* Takes the next address of one that is done, in the order in which they should be tried. False
 * after the last one. */
bool net_lookup_next(net_lookup *lookup, net_address *out_address);

#endif
