/*
 * wasi:sockets: TCP clients. Without a network no socket can be made and no name looked up; that
 * answers access-denied, which libc turns into EACCES. Binding and listening are answered so in any
 * case.
 */
#include "imports/wasi_sockets.h"

#include <errno.h>

#include "guest_imports.h"
#include "imports/abi.h"
#include "imports/wasi_io.h"
#include "machine/guest_cost.h"
#include "sandbox/run.h"
#include "secrets/secrets.h"

/* wasi:sockets/network ip-address-family. */
enum { FAMILY_IPV4 = 0, FAMILY_IPV6 = 1 };

wasi_network_error wasi_network_error_of(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return WASI_NETWORK_ACCESS_DENIED;
    case EAGAIN:
        return WASI_NETWORK_WOULD_BLOCK;
    case ENOMEM:
    case ENOBUFS:
        return WASI_NETWORK_OUT_OF_MEMORY;
    case ETIMEDOUT:
        return WASI_NETWORK_TIMEOUT;
    case EMFILE:
    case ENFILE:
        return WASI_NETWORK_NEW_SOCKET_LIMIT;
    case EADDRNOTAVAIL:
        return WASI_NETWORK_ADDRESS_NOT_BINDABLE;
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
        return WASI_NETWORK_REMOTE_UNREACHABLE;
    case ECONNREFUSED:
        return WASI_NETWORK_CONNECTION_REFUSED;
    case ECONNRESET:
        return WASI_NETWORK_CONNECTION_RESET;
    case ECONNABORTED:
    case ENOTCONN:
    case EPIPE:
        return WASI_NETWORK_CONNECTION_ABORTED;
    case EINVAL:
    case EAFNOSUPPORT:
        return WASI_NETWORK_INVALID_ARGUMENT;
    default:
        return WASI_NETWORK_UNKNOWN;
    }
}

void wasi_store_network_error(guest_instance *instance, guest_ptr result, uint32_t payload,
                              wasi_network_error code)
{
    guest_store_u8(instance, result, 1);
    guest_store_u8(instance, guest_offset(result, payload), (uint8_t)code);
}

void wasi_store_network_status(guest_instance *instance, guest_ptr result, int error)
{
    if (error != 0) {
        wasi_store_network_error(instance, result, PAYLOAD_U8, wasi_network_error_of(error));
    } else {
        guest_store_u8(instance, result, 0);
    }
}

net_connection *wasi_connection(guest_instance *instance, uint32_t self, handle_kind kind,
                                bool *out_exists)
{
    const handle *found = handles_get(handles_of(instance), self, kind);
    *out_exists = found != NULL;
    if (found == NULL) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return NULL;
    }
    return found->object;
}

uint32_t wasi_sockets_instance_network_instance_network(guest_instance *instance)
{
    (void)instance;
    return HANDLE_NETWORK;
}

/* ---- Making and dropping --------------------------------------------------------------------- */

void wasi_sockets_tcp_create_socket_create_tcp_socket(guest_instance *instance,
                                                      uint32_t address_family, uint32_t result)
{
    guest_charge(instance, COST_SYSTEM_CALL);
    guest_ptr out = guest_at(result);
    net *network = sandbox_of(instance)->net;
    if (network == NULL) {
        wasi_store_network_error(instance, out, PAYLOAD_U32, WASI_NETWORK_ACCESS_DENIED);
        return;
    }
    if (address_family > FAMILY_IPV6) {
        wasi_store_network_error(instance, out, PAYLOAD_U32, WASI_NETWORK_NOT_SUPPORTED);
        return;
    }
    net_connection *connection = net_connection_create(network, address_family == FAMILY_IPV6);
    uint32_t index;
    if (connection == NULL) {
        wasi_store_network_error(instance, out, PAYLOAD_U32, WASI_NETWORK_OUT_OF_MEMORY);
        return;
    }
    if (!handles_add(handles_of(instance), HANDLE_TCP_SOCKET, connection, 0, &index)) {
        net_connection_release(connection);
        net_exhausted(network, "too many open files, sockets and timers: max_open_handles is %u",
                      handles_of(instance)->limit);
        wasi_store_network_error(instance, out, PAYLOAD_U32, WASI_NETWORK_NEW_SOCKET_LIMIT);
        return;
    }
    guest_store_u8(instance, out, 0);
    guest_store_u32(instance, guest_offset(out, PAYLOAD_U32), index);
}

void wasi_sockets_tcp_drop_tcp_socket(guest_instance *instance, uint32_t self)
{
    if (handles_get(handles_of(instance), self, HANDLE_TCP_SOCKET) == NULL) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    handles_remove(handles_of(instance), self);
}

/* ---- Connecting ------------------------------------------------------------------------------ */

/* An ip-socket-address in its flat form; false if it is none. */
static bool take_address(const uint32_t words[12], net_address *out_address)
{
    net_address address = {.is_v6 = words[0] == FAMILY_IPV6};
    if (words[0] > FAMILY_IPV6 || words[1] > UINT16_MAX) {
        return false;
    }
    address.port = (uint16_t)words[1];
    if (address.is_v6) {
        for (int i = 0; i < 8; i++) {
            if (words[3 + i] > UINT16_MAX) {
                return false;
            }
            address.bytes[2 * i] = (uint8_t)(words[3 + i] >> 8);
            address.bytes[2 * i + 1] = (uint8_t)words[3 + i];
        }
        address.scope = words[11];
    } else {
        for (int i = 0; i < 4; i++) {
            if (words[2 + i] > UINT8_MAX) {
                return false;
            }
            address.bytes[i] = (uint8_t)words[2 + i];
        }
    }
    *out_address = address;
    return true;
}

/* Asks the embedder; may not come back. 0, EACCES, or ECONNABORTED if the run is being stopped. */
static int ask_embedder(eryx_sandbox *sandbox, const net_address *remote)
{
    eryx_event event = {.kind = ERYX_EVENT_CONNECT};
    net_connect_texts(sandbox->net, &event.as.connect.host, &event.as.connect.address);
    event.as.connect.port = remote->port;
    sandbox->run.connect_allowed = false;
    run_yield(sandbox, event);
    if (!run_goes_on(sandbox)) {
        return ECONNABORTED;
    }
    return sandbox->run.connect_allowed ? 0 : EACCES;
}

static int start_connect(eryx_sandbox *sandbox, net_connection *connection,
                         const net_address *remote)
{
    if (connection == NULL) {
        return ECONNABORTED;
    }
    if (connection->state != NET_NEW) {
        return EALREADY;
    }
    if (remote->is_v6 != connection->is_v6 || remote->port == 0) {
        return EINVAL;
    }
    int error = net_connection_check(connection, remote);
    if (error == 0 && net_get_limits(sandbox->net)->ask_on_connect) {
        error = ask_embedder(sandbox, remote);
        if (error == EACCES) {
            net_connection_denied(connection, remote);
        }
    }
    return error != 0 ? error : net_connection_start(connection, remote);
}

void wasi_sockets_tcp_tcp_socket_start_connect(guest_instance *instance, uint32_t self,
                                               uint32_t network, uint32_t w0, uint32_t w1,
                                               uint32_t w2, uint32_t w3, uint32_t w4, uint32_t w5,
                                               uint32_t w6, uint32_t w7, uint32_t w8, uint32_t w9,
                                               uint32_t w10, uint32_t w11, uint32_t result)
{
    guest_charge(instance, COST_SYSTEM_CALL);
    const uint32_t words[12] = {w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11};
    net_address remote;
    if (network != HANDLE_NETWORK || !take_address(words, &remote)) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    bool exists;
    net_connection *connection = wasi_connection(instance, self, HANDLE_TCP_SOCKET, &exists);
    if (exists) {
        int error = start_connect(sandbox_of(instance), connection, &remote);
        wasi_store_network_status(instance, guest_at(result), error);
    }
}

void wasi_sockets_tcp_tcp_socket_finish_connect(guest_instance *instance, uint32_t self,
                                                uint32_t result)
{
    guest_charge(instance, COST_SYSTEM_CALL);
    guest_ptr out = guest_at(result);
    eryx_sandbox *sandbox = sandbox_of(instance);
    bool exists;
    net_connection *connection = wasi_connection(instance, self, HANDLE_TCP_SOCKET, &exists);
    if (!exists) {
        return;
    }
    int error = ECONNABORTED;
    if (connection != NULL && connection->state != NET_NEW && !connection->has_streams) {
        error = net_connection_finish(connection);
    }
    /* libc would ask again and again, without an end, while the run is being stopped. */
    if (error == EAGAIN && sandbox->timing.stop != 0) {
        error = ECONNABORTED;
    }
    if (error == 0 && connection->filter == NULL && connection->far_number == 0 &&
        !secrets_new_filter(sandbox->secrets, sandbox->net, connection, NULL,
                            &connection->filter)) {
        error = ENOMEM;
    }
    if (error != 0) {
        wasi_store_network_error(instance, out, PAYLOAD_U32, wasi_network_error_of(error));
        return;
    }
    handle_table *handles = handles_of(instance);
    uint32_t input;
    uint32_t output;
    if (!handles_add(handles, HANDLE_TCP_INPUT, net_connection_retain(connection), 0, &input)) {
        net_connection_release(connection);
        wasi_store_network_error(instance, out, PAYLOAD_U32, WASI_NETWORK_OUT_OF_MEMORY);
        return;
    }
    if (!handles_add(handles, HANDLE_TCP_OUTPUT, net_connection_retain(connection), 0, &output)) {
        net_connection_release(connection);
        handles_remove(handles, input);
        wasi_store_network_error(instance, out, PAYLOAD_U32, WASI_NETWORK_OUT_OF_MEMORY);
        return;
    }
    connection->has_streams = true;
    guest_store_u8(instance, out, 0);
    guest_store_u32(instance, guest_offset(out, PAYLOAD_U32), input);
    guest_store_u32(instance, guest_offset(out, PAYLOAD_U32 + 4), output);
}

void wasi_sockets_tcp_tcp_socket_shutdown(guest_instance *instance, uint32_t self, uint32_t how,
                                          uint32_t result)
{
    guest_charge(instance, COST_SYSTEM_CALL);
    bool exists;
    net_connection *connection = wasi_connection(instance, self, HANDLE_TCP_SOCKET, &exists);
    if (!exists) {
        return;
    }
    if (how > 2) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    int error = ENOTCONN;
    if (connection != NULL) {
        error = net_connection_shutdown(connection, how != 1, how != 0);
    }
    wasi_store_network_status(instance, guest_at(result), error);
}

uint32_t wasi_sockets_tcp_tcp_socket_subscribe(guest_instance *instance, uint32_t self)
{
    bool exists;
    net_connection *connection = wasi_connection(instance, self, HANDLE_TCP_SOCKET, &exists);
    return exists ? wasi_subscribe_connection(instance, connection, NET_POLL_CONNECT) : 0;
}

/* ---- Addresses ------------------------------------------------------------------------------- */

static void store_u16(guest_instance *instance, guest_ptr p, uint16_t value)
{
    guest_write(instance, p, &value, sizeof value);
}

/* ok(ip-socket-address). */
static void store_address(guest_instance *instance, guest_ptr result, const net_address *address)
{
    guest_ptr payload = guest_offset(result, 8);
    guest_store_u8(instance, result, 0);
    guest_store_u8(instance, guest_offset(result, 4), address->is_v6 ? FAMILY_IPV6 : FAMILY_IPV4);
    store_u16(instance, payload, address->port);
    if (!address->is_v6) {
        guest_write(instance, guest_offset(payload, 2), address->bytes, 4);
        return;
    }
    guest_store_u32(instance, guest_offset(payload, 4), 0);
    for (uint32_t i = 0; i < 8; i++) {
        uint16_t part = (uint16_t)(address->bytes[2 * i] << 8 | address->bytes[2 * i + 1]);
        store_u16(instance, guest_offset(payload, 8 + 2 * i), part);
    }
    guest_store_u32(instance, guest_offset(payload, 24), address->scope);
}

static void give_address(guest_instance *instance, uint32_t self, bool remote, uint32_t result)
{
    bool exists;
    const net_connection *connection = wasi_connection(instance, self, HANDLE_TCP_SOCKET, &exists);
    if (!exists) {
        return;
    }
    if (connection == NULL || connection->state != NET_CONNECTED) {
        wasi_store_network_error(instance, guest_at(result), PAYLOAD_U32,
                                 WASI_NETWORK_CONNECTION_ABORTED);
        return;
    }
    store_address(instance, guest_at(result), remote ? &connection->remote : &connection->local);
}

void wasi_sockets_tcp_tcp_socket_local_address(guest_instance *instance, uint32_t self,
                                               uint32_t result)
{
    give_address(instance, self, false, result);
}

void wasi_sockets_tcp_tcp_socket_remote_address(guest_instance *instance, uint32_t self,
                                                uint32_t result)
{
    give_address(instance, self, true, result);
}

/* ---- Options --------------------------------------------------------------------------------- */

static void set_option(guest_instance *instance, uint32_t self, net_option option, uint64_t value,
                       uint32_t result)
{
    bool exists;
    net_connection *connection = wasi_connection(instance, self, HANDLE_TCP_SOCKET, &exists);
    if (exists) {
        int error = connection == NULL ? ECONNABORTED
                                       : net_connection_set_option(connection, option, value);
        wasi_store_network_status(instance, guest_at(result), error);
    }
}

/* Stores ok(value) with that many bytes; 1, 4 or 8. */
static void get_option(guest_instance *instance, uint32_t self, net_option option, uint32_t size,
                       uint64_t unit, uint32_t result)
{
    bool exists;
    const net_connection *connection = wasi_connection(instance, self, HANDLE_TCP_SOCKET, &exists);
    if (!exists) {
        return;
    }
    if (connection == NULL) {
        wasi_store_network_error(instance, guest_at(result), size, WASI_NETWORK_CONNECTION_ABORTED);
        return;
    }
    uint64_t value =
        unit * net_options_get(&connection->options, connection->fd, connection->is_v6, option);
    guest_store_u8(instance, guest_at(result), 0);
    guest_write(instance, guest_offset(guest_at(result), size), &value, size);
}

#define SECOND_NS 1000000000u

/* A duration in whole seconds, at least one. */
static uint64_t seconds(uint64_t nanoseconds)
{
    return nanoseconds / SECOND_NS + (nanoseconds % SECOND_NS != 0 ? 1 : 0);
}

/* Functions that get and set an option whose value has that many bytes. */
#define OPTION(name, option, type, size, unit, convert)                                            \
    void wasi_sockets_tcp_tcp_socket_##name(guest_instance *instance, uint32_t self,               \
                                            uint32_t result)                                       \
    {                                                                                              \
        get_option(instance, self, option, size, unit, result);                                    \
    }                                                                                              \
    void wasi_sockets_tcp_tcp_socket_set_##name(guest_instance *instance, uint32_t self,           \
                                                type value, uint32_t result)                       \
    {                                                                                              \
        set_option(instance, self, option, convert(value), result);                                \
    }

OPTION(keep_alive_enabled, NET_OPTION_KEEP_ALIVE, uint32_t, PAYLOAD_U8, 1, )
OPTION(keep_alive_idle_time, NET_OPTION_KEEP_IDLE, uint64_t, PAYLOAD_U64, SECOND_NS, seconds)
OPTION(keep_alive_interval, NET_OPTION_KEEP_INTERVAL, uint64_t, PAYLOAD_U64, SECOND_NS, seconds)
OPTION(keep_alive_count, NET_OPTION_KEEP_COUNT, uint32_t, PAYLOAD_U32, 1, )
OPTION(hop_limit, NET_OPTION_HOP_LIMIT, uint32_t, PAYLOAD_U8, 1, )
OPTION(receive_buffer_size, NET_OPTION_RECEIVE_BUFFER, uint64_t, PAYLOAD_U64, 1, )
OPTION(send_buffer_size, NET_OPTION_SEND_BUFFER, uint64_t, PAYLOAD_U64, 1, )

/* ---- Servers, which there are none of -------------------------------------------------------- */

static void refuse_server(guest_instance *instance, uint32_t self, uint32_t payload,
                          uint32_t result)
{
    bool exists;
    wasi_connection(instance, self, HANDLE_TCP_SOCKET, &exists);
    if (exists) {
        net_refuse(sandbox_of(instance)->net,
                   "not permitted: a sandbox has no servers (bind, listen, accept)");
        wasi_store_network_error(instance, guest_at(result), payload, WASI_NETWORK_ACCESS_DENIED);
    }
}

void wasi_sockets_tcp_tcp_socket_start_bind(guest_instance *instance, uint32_t self,
                                            uint32_t network, uint32_t w0, uint32_t w1, uint32_t w2,
                                            uint32_t w3, uint32_t w4, uint32_t w5, uint32_t w6,
                                            uint32_t w7, uint32_t w8, uint32_t w9, uint32_t w10,
                                            uint32_t w11, uint32_t result)
{
    (void)network, (void)w0, (void)w1, (void)w2, (void)w3, (void)w4, (void)w5, (void)w6;
    (void)w7, (void)w8, (void)w9, (void)w10, (void)w11;
    refuse_server(instance, self, PAYLOAD_U8, result);
}

void wasi_sockets_tcp_tcp_socket_finish_bind(guest_instance *instance, uint32_t self,
                                             uint32_t result)
{
    refuse_server(instance, self, PAYLOAD_U8, result);
}

void wasi_sockets_tcp_tcp_socket_start_listen(guest_instance *instance, uint32_t self,
                                              uint32_t result)
{
    refuse_server(instance, self, PAYLOAD_U8, result);
}

void wasi_sockets_tcp_tcp_socket_finish_listen(guest_instance *instance, uint32_t self,
                                               uint32_t result)
{
    refuse_server(instance, self, PAYLOAD_U8, result);
}

void wasi_sockets_tcp_tcp_socket_accept(guest_instance *instance, uint32_t self, uint32_t result)
{
    refuse_server(instance, self, PAYLOAD_U32, result);
}

void wasi_sockets_tcp_tcp_socket_set_listen_backlog_size(guest_instance *instance, uint32_t self,
                                                         uint64_t value, uint32_t result)
{
    (void)value;
    refuse_server(instance, self, PAYLOAD_U8, result);
}

uint32_t wasi_sockets_tcp_tcp_socket_is_listening(guest_instance *instance, uint32_t self)
{
    bool exists;
    wasi_connection(instance, self, HANDLE_TCP_SOCKET, &exists);
    return 0;
}
