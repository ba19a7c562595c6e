/*
 * The addresses of this machine, public ones among them: services that listen on all interfaces are
 * reached under each of them. Threads: the one that uses the sandbox.
 */
#ifndef ERYX_NET_OWN_H
#define ERYX_NET_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

/* They are read when they are first asked for, and again when they are older than a second. Zeroed
 * at its start. */
typedef struct net_own {
    net_address *addresses;
    size_t count;
    uint64_t next_read_ns;
    net_address learned; /* of net_own_learn(), */
    bool has_learned;    /* if there was one */
} net_own;

/* Whether an address, plain or mapped, is one of them. False as well if they can't be read. */
bool net_own_has(net_own *own, const net_address *address);

/* Remembers an address that turned out to be one of them, though no interface has it. */
void net_own_learn(net_own *own, const net_address *address);

/* Frees what it holds; it is then as after zeroing. */
void net_own_free(net_own *own);

#endif
