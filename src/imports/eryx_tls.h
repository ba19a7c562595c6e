/*
 * TLS as the guest sees it: what guest/python/_ssl.py asks of the host (protocol/tls.h).
 */
#ifndef ERYX_IMPORTS_ERYX_TLS_H
#define ERYX_IMPORTS_ERYX_TLS_H

#include "machine/guest_instance.h"
#include "protocol/tls.h"

/* Does an operation; parameters and result as those of the import (protocol/ask.h). */
uint32_t tls_guest_operation(guest_instance *instance, uint32_t operation, uint32_t session,
                             uint32_t data, uint32_t size, uint32_t out, uint32_t room);

#endif
