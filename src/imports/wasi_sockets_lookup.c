/* wasi:sockets/ip-name-lookup. */
#include "guest_imports.h"
#include "imports/abi.h"
#include "imports/wasi_sockets.h"
#include "machine/guest_cost.h"
#include "net/lookup.h"
#include "sandbox/run.h"

/* More bytes than that are not a name of a host, whatever they are. */
#define MAX_NAME_BYTES 4096u

static wasi_network_error error_of(net_lookup_status status)
{
    switch (status) {
    case NET_LOOKUP_REFUSED:
        return WASI_NETWORK_ACCESS_DENIED;
    case NET_LOOKUP_TOO_MANY:
        return WASI_NETWORK_NEW_SOCKET_LIMIT;
    case NET_LOOKUP_NOT_FOUND:
        return WASI_NETWORK_NAME_UNRESOLVABLE;
    case NET_LOOKUP_TEMPORARY:
        return WASI_NETWORK_TEMPORARY_RESOLVER_FAILURE;
    case NET_LOOKUP_NO_MEMORY:
        return WASI_NETWORK_OUT_OF_MEMORY;
    case NET_LOOKUP_PENDING:
        return WASI_NETWORK_WOULD_BLOCK;
    case NET_LOOKUP_DONE:
    case NET_LOOKUP_FAILED:
        break;
    }
    return WASI_NETWORK_PERMANENT_RESOLVER_FAILURE;
}

void wasi_sockets_ip_name_lookup_resolve_addresses(guest_instance *instance, uint32_t network,
                                                   uint32_t name, uint32_t name_size,
                                                   uint32_t result)
{
    guest_charge(instance, COST_SYSTEM_CALL);
    guest_ptr out = guest_at(result);
    net *state = sandbox_of(instance)->net;
    uint8_t *bytes;
    if (network != HANDLE_NETWORK) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    if (!guest_slice(instance, guest_at(name), name_size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    if (state == NULL) {
        wasi_store_network_error(instance, out, 4, WASI_NETWORK_ACCESS_DENIED);
        return;
    }
    net_lookup *lookup;
    uint32_t index;
    net_lookup_status status = net_lookup_start(
        state, bytes, name_size < MAX_NAME_BYTES ? name_size : MAX_NAME_BYTES, &lookup);
    if (status != NET_LOOKUP_DONE && status != NET_LOOKUP_PENDING) {
        wasi_store_network_error(instance, out, 4, error_of(status));
        return;
    }
    if (!handles_add(handles_of(instance), HANDLE_LOOKUP, lookup, 0, &index)) {
        net_lookup_release(lookup);
        net_exhausted(state, "too many open files, sockets and timers: max_open_handles is %u",
                      handles_of(instance)->limit);
        wasi_store_network_error(instance, out, 4, WASI_NETWORK_NEW_SOCKET_LIMIT);
        return;
    }
    guest_store_u8(instance, out, 0);
    guest_store_u32(instance, guest_offset(out, 4), index);
}

void wasi_sockets_ip_name_lookup_drop_resolve_address_stream(guest_instance *instance,
                                                             uint32_t self)
{
    if (handles_get(handles_of(instance), self, HANDLE_LOOKUP) == NULL) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    handles_remove(handles_of(instance), self);
}

uint32_t wasi_sockets_ip_name_lookup_resolve_address_stream_subscribe(guest_instance *instance,
                                                                      uint32_t self)
{
    const handle *found = handles_get(handles_of(instance), self, HANDLE_LOOKUP);
    uint32_t index = 0;
    if (found == NULL) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return 0;
    }
    net_lookup *lookup = found->object;
    if (lookup != NULL) {
        net_lookup_retain(lookup);
    }
    if (!handles_add(handles_of(instance), HANDLE_POLLABLE_LOOKUP, lookup, 0, &index)) {
        net_lookup_release(lookup);
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
    }
    return index;
}

/* ok(some(address)) of result<option<ip-address>, error-code>. */
static void store_address(guest_instance *instance, guest_ptr out, const net_address *address)
{
    guest_store_u8(instance, out, 0);
    guest_store_u8(instance, guest_offset(out, 2), 1);
    guest_store_u8(instance, guest_offset(out, 4), address->is_v6 ? 1 : 0);
    if (!address->is_v6) {
        guest_write(instance, guest_offset(out, 6), address->bytes, 4);
        return;
    }
    for (uint32_t i = 0; i < 8; i++) {
        uint16_t part = (uint16_t)(address->bytes[2 * i] << 8 | address->bytes[2 * i + 1]);
        guest_write(instance, guest_offset(out, 6 + 2 * i), &part, sizeof part);
    }
}

void wasi_sockets_ip_name_lookup_resolve_address_stream_resolve_next_address(
    guest_instance *instance, uint32_t self, uint32_t result)
{
    guest_ptr out = guest_at(result);
    const handle *found = handles_get(handles_of(instance), self, HANDLE_LOOKUP);
    if (found == NULL) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    net_lookup *lookup = found->object;
    net_lookup_status status =
        lookup != NULL ? net_lookup_get_status(lookup) : NET_LOOKUP_TEMPORARY;
    /* libc would ask again and again, without an end, while the run is being stopped. */
    if (status == NET_LOOKUP_PENDING && sandbox_of(instance)->timing.stop != 0) {
        status = NET_LOOKUP_TEMPORARY;
    }
    if (status != NET_LOOKUP_DONE) {
        wasi_store_network_error(instance, out, 2, error_of(status));
        return;
    }
    net_address address;
    if (net_lookup_next(lookup, &address)) {
        store_address(instance, out, &address);
    } else {
        guest_store_u8(instance, out, 0);
        guest_store_u8(instance, guest_offset(out, 2), 0);
    }
}
