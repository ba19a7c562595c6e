/*
 * TLS as the guest sees it: what guest/python/_ssl.py asks of the host (protocol/tls.h).
 */
#ifndef ERYX_IMPORTS_ERYX_TLS_H
#define ERYX_IMPORTS_ERYX_TLS_H

#include "machine/guest_instance.h"
#include "net/tls_sessions.h"
#include "protocol/tls.h"

/* Does an operation; parameters and result as those of the import (protocol/ask.h). */
uint32_t tls_guest_operation(guest_instance *instance, uint32_t operation, uint32_t session,
                             uint32_t data, uint32_t size, uint32_t out, uint32_t room);

struct secrets;

/* What an operation is given, and where it may write. */
typedef struct tls_operation_parts {
    uint32_t operation;
    uint32_t session;
    const uint8_t *data;
    size_t size;
    uint8_t *out;
    size_t room;
} tls_operation_parts;

/*
 * The same for whoever has the network of a guest, with sizes that are checked.
 *
 * network: NULL for none; sessions: where those of the sandbox are, NULL there before the first;
 * state: the secrets of the sandbox, NULL for none.
 */
int32_t tls_operation(net *network, tls_sessions **sessions, struct secrets *state,
                      const tls_operation_parts *parts);

/* Whether what it gives, if that is positive, is how many bytes it has written. */
bool tls_operation_gives_bytes(uint32_t operation);

#endif
