/*
 * TLS as the guest sees it: what guest/python/_ssl.py asks of the host (protocol/tls.h).
 */
#ifndef ERYX_GUEST_TLS_H
#define ERYX_GUEST_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "machine/guest_instance.h"
#include "net/connection.h"
#include "protocol/tls.h"

typedef struct eryx_sandbox eryx_sandbox;

/* Does an operation; parameters and result as those of the import (protocol/ask.h). */
uint32_t tls_guest_operation(guest_instance *instance, uint32_t operation, uint32_t session,
                             uint32_t data, uint32_t size, uint32_t out, uint32_t room);

/*
 * Looks at plain bytes that the guest is about to send: if they are the first ones of a session
 * that the guest feeds itself, the list of connections says that this one has TLS. Costs nothing
 * while there is no such session.
 */
void guest_tls_look_at(eryx_sandbox *sandbox, net_connection *connection, const uint8_t *data,
                       size_t size);

/* Ends all sessions: the run is over. Before the network's end. Nothing if there are none. */
void guest_tls_end_run(eryx_sandbox *sandbox);

/* Frees the state that the sandbox has for it. */
void guest_tls_destroy(eryx_sandbox *sandbox);

#endif
