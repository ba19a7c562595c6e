/* The import "ask": sends what the guest asks to the service that it names (protocol/ask.h). */
#include "guest_imports.h"
#include "imports/eryx_digests.h"
#include "imports/eryx_native.h"
#include "imports/eryx_network.h"
#include "imports/eryx_secrets.h"
#include "imports/eryx_tls.h"
#include "protocol/ask.h"

uint32_t eryx_host_ask(guest_instance *instance, uint32_t service, uint32_t operation,
                       uint32_t number, uint32_t data, uint32_t size, uint32_t out, uint32_t room)
{
    switch (service) {
    case ASK_TLS:
        return tls_guest_operation(instance, operation, number, data, size, out, room);
    case ASK_NETWORK:
        return net_guest_operation(instance, operation, number, data, size, out, room);
    case ASK_SECRETS:
        return eryx_secrets_operation(instance, operation, number, data, size, out, room);
    case ASK_NATIVE:
        return native_guest_operation(instance, operation, number, data, size, out, room);
    case ASK_DIGESTS:
        return eryx_digests_operation(instance, operation, number, data, size, out, room);
    default:
        return (uint32_t)ASK_UNKNOWN;
    }
}
