/*
 * What the guest's Python asks of the network besides WASI (protocol/network.h).
 */
#ifndef ERYX_IMPORTS_ERYX_NETWORK_H
#define ERYX_IMPORTS_ERYX_NETWORK_H

#include "machine/guest_instance.h"
#include "protocol/network.h"
#include "sandbox/sandbox.h"

/* Whether a lookup that the guest watches is done; lowers *io_wake_ns to when one has had its time.
 * Costs nothing where there are neither sockets nor lookups. */
bool net_guest_has_news(eryx_sandbox *sandbox, uint64_t *io_wake_ns);

/* Does an operation; parameters and result as those of the import (protocol/ask.h). */
uint32_t net_guest_operation(guest_instance *instance, uint32_t operation, uint32_t number,
                             uint32_t data, uint32_t size, uint32_t out, uint32_t room);

#endif
