/* What the files of wasi:sockets share. */
#ifndef ERYX_IMPORTS_WASI_SOCKETS_H
#define ERYX_IMPORTS_WASI_SOCKETS_H

#include "machine/guest_memory.h"
#include "machine/handles.h"
#include "sandbox/sandbox.h"

/* wasi:sockets/network error-code. libc ends the guest at those that it does not expect
 * (invalid-state, not-in-progress), so these are never given. */
typedef enum wasi_network_error {
    WASI_NETWORK_UNKNOWN = 0,
    WASI_NETWORK_ACCESS_DENIED = 1,
    WASI_NETWORK_NOT_SUPPORTED = 2,
    WASI_NETWORK_INVALID_ARGUMENT = 3,
    WASI_NETWORK_OUT_OF_MEMORY = 4,
    WASI_NETWORK_TIMEOUT = 5,
    WASI_NETWORK_WOULD_BLOCK = 8,
    WASI_NETWORK_NEW_SOCKET_LIMIT = 10,
    WASI_NETWORK_ADDRESS_NOT_BINDABLE = 11,
    WASI_NETWORK_REMOTE_UNREACHABLE = 13,
    WASI_NETWORK_CONNECTION_REFUSED = 14,
    WASI_NETWORK_CONNECTION_RESET = 15,
    WASI_NETWORK_CONNECTION_ABORTED = 16,
    WASI_NETWORK_NAME_UNRESOLVABLE = 18,
    WASI_NETWORK_TEMPORARY_RESOLVER_FAILURE = 19,
    WASI_NETWORK_PERMANENT_RESOLVER_FAILURE = 20,
} wasi_network_error;

/* The code for an errno. */
wasi_network_error wasi_network_error_of(int error);

/* Stores error(code) of a result whose payload is so many bytes behind its start. */
void wasi_store_network_error(guest_instance *instance, guest_ptr result, uint32_t payload,
                              wasi_network_error code);

/* Stores ok of a result without a value, or error(errno) if error is not 0. */
void wasi_store_network_status(guest_instance *instance, guest_ptr result, int error);

/* The connection under a handle of that kind, NULL (and *out_exists true) for one whose run has
 * ended. Asks for a trap, and *out_exists is false, if there is no such handle. */
net_connection *wasi_connection(guest_instance *instance, uint32_t self, handle_kind kind,
                                bool *out_exists);

#endif
