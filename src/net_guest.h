/*
 * What the guest's Python asks of the network besides WASI, through the import "tls" of
 * guest/protocol.h: operations from NETWORK_FIRST_OPERATION on.
 */
#ifndef ERYX_NET_GUEST_H
#define ERYX_NET_GUEST_H

#include "guest_instance.h"
#include "sandbox.h"

#define NETWORK_FIRST_OPERATION 100u

enum network_operation {
    NETWORK_LAST_REFUSAL = 100, /* writes the text of the last refusal, "" for none */
    NETWORK_LAST_ERROR = 101, /* writes the name of the errno of the last failure ("ECONNRESET") */
    NETWORK_LOOKUP = 102, /* begins to look the name in data up; gives its id, or a network_failure.
                             The guest watches it like a callback: see NETWORK_LOOKUP_RESULT. */
    NETWORK_LOOKUP_RESULT = 103, /* session: the id. Writes the addresses, separated by spaces, and
                                    forgets it; or gives a network_failure */
    NETWORK_LOOKUP_FORGET = 104, /* session: the id */
};

/* What an operation gives in place of a size. */
enum network_failure {
    NETWORK_UNKNOWN = -1, /* no such operation or id */
    NETWORK_PENDING = -2,
    NETWORK_REFUSED = -3, /* NETWORK_LAST_REFUSAL tells why */
    NETWORK_NOT_FOUND = -4,
    NETWORK_TEMPORARY = -5,
    NETWORK_FAILED = -6,
    NETWORK_NO_MEMORY = -7,
};

/* Whether a lookup that the guest watches is done; lowers *io_wake_ns to when one has had its time.
 * Costs nothing where there are neither sockets nor lookups. */
bool net_guest_has_news(eryx_sandbox *sandbox, uint64_t *io_wake_ns);

/* Does an operation; parameters and result as those of the import (guest/protocol.h). */
uint32_t net_guest_operation(guest_instance *instance, uint32_t operation, uint32_t session,
                             uint32_t data, uint32_t size, uint32_t out, uint32_t room);

#endif
