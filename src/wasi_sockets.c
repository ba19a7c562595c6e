/*
 * wasi:sockets, closed: no socket can be made and no name looked up, both answer access-denied,
 * which libc turns into EACCES. So a guest never holds a handle that any of the other functions
 * accept, and a call of one is answered like every wrong handle: with a trap.
 */
#include "guest_imports.h"
#include "guest_memory.h"
#include "handles.h"

/* wasi:sockets/network error-code. */
#define ERROR_CODE_ACCESS_DENIED 1

/* result<own<...>, error-code>: error(access-denied). */
static void store_access_denied(guest_instance *instance, uint32_t result)
{
    guest_store_u8(instance, guest_at(result), 1);
    guest_store_u8(instance, guest_offset(guest_at(result), 4), ERROR_CODE_ACCESS_DENIED);
}

uint32_t wasi_sockets_instance_network_instance_network(guest_instance *instance)
{
    (void)instance;
    return HANDLE_NETWORK;
}

void wasi_sockets_tcp_create_socket_create_tcp_socket(guest_instance *instance,
                                                      uint32_t address_family, uint32_t result)
{
    (void)address_family;
    store_access_denied(instance, result);
}

void wasi_sockets_udp_create_socket_create_udp_socket(guest_instance *instance,
                                                      uint32_t address_family, uint32_t result)
{
    (void)address_family;
    store_access_denied(instance, result);
}

void wasi_sockets_ip_name_lookup_resolve_addresses(guest_instance *instance, uint32_t network,
                                                   uint32_t name, uint32_t name_size,
                                                   uint32_t result)
{
    uint8_t *bytes;
    if (network != HANDLE_NETWORK) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    if (!guest_slice(instance, guest_at(name), name_size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    store_access_denied(instance, result);
}

/*
 * The functions that take a handle which nobody has, by the shape of their parameters: R is the
 * place of a result. Every one is declared in guest_imports.h, so a wrong shape does not compile.
 */
#define REFUSE(name, ...)                                                                          \
    void name(guest_instance *instance, __VA_ARGS__)                                               \
    {                                                                                              \
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);                                        \
    }

#define REFUSE_VALUE(name)                                                                         \
    uint32_t name(guest_instance *instance, uint32_t self)                                         \
    {                                                                                              \
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);                                        \
        return 0;                                                                                  \
    }

#define SELF uint32_t self
#define SELF_R uint32_t self, uint32_t result
#define SELF_U32_R uint32_t self, uint32_t value, uint32_t result
#define SELF_U64_R uint32_t self, uint64_t value, uint32_t result
#define SELF_LIST_R uint32_t self, uint32_t list, uint32_t list_size, uint32_t result
/*
 * self, two numbers and an ip-socket-address (or an option of one), flattened to their 13 words.
 */
#define SELF_ADDRESS_R                                                                             \
    uint32_t self, uint32_t w1, uint32_t w2, uint32_t w3, uint32_t w4, uint32_t w5, uint32_t w6,   \
        uint32_t w7, uint32_t w8, uint32_t w9, uint32_t w10, uint32_t w11, uint32_t w12,           \
        uint32_t w13, uint32_t result

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

REFUSE(wasi_sockets_tcp_drop_tcp_socket, SELF)
REFUSE(wasi_sockets_tcp_tcp_socket_start_bind, SELF_ADDRESS_R)
REFUSE(wasi_sockets_tcp_tcp_socket_finish_bind, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_start_connect, SELF_ADDRESS_R)
REFUSE(wasi_sockets_tcp_tcp_socket_finish_connect, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_start_listen, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_finish_listen, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_accept, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_shutdown, SELF_U32_R)
REFUSE_VALUE(wasi_sockets_tcp_tcp_socket_subscribe)
REFUSE_VALUE(wasi_sockets_tcp_tcp_socket_is_listening)
REFUSE(wasi_sockets_tcp_tcp_socket_local_address, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_remote_address, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_keep_alive_enabled, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_keep_alive_idle_time, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_keep_alive_interval, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_keep_alive_count, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_hop_limit, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_receive_buffer_size, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_send_buffer_size, SELF_R)
REFUSE(wasi_sockets_tcp_tcp_socket_set_listen_backlog_size, SELF_U64_R)
REFUSE(wasi_sockets_tcp_tcp_socket_set_keep_alive_enabled, SELF_U32_R)
REFUSE(wasi_sockets_tcp_tcp_socket_set_keep_alive_idle_time, SELF_U64_R)
REFUSE(wasi_sockets_tcp_tcp_socket_set_keep_alive_interval, SELF_U64_R)
REFUSE(wasi_sockets_tcp_tcp_socket_set_keep_alive_count, SELF_U32_R)
REFUSE(wasi_sockets_tcp_tcp_socket_set_hop_limit, SELF_U32_R)
REFUSE(wasi_sockets_tcp_tcp_socket_set_receive_buffer_size, SELF_U64_R)
REFUSE(wasi_sockets_tcp_tcp_socket_set_send_buffer_size, SELF_U64_R)

REFUSE(wasi_sockets_udp_drop_udp_socket, SELF)
REFUSE(wasi_sockets_udp_udp_socket_start_bind, SELF_ADDRESS_R)
REFUSE(wasi_sockets_udp_udp_socket_finish_bind, SELF_R)
REFUSE(wasi_sockets_udp_udp_socket_stream, SELF_ADDRESS_R)
REFUSE_VALUE(wasi_sockets_udp_udp_socket_subscribe)
REFUSE(wasi_sockets_udp_udp_socket_local_address, SELF_R)
REFUSE(wasi_sockets_udp_udp_socket_remote_address, SELF_R)
REFUSE(wasi_sockets_udp_udp_socket_unicast_hop_limit, SELF_R)
REFUSE(wasi_sockets_udp_udp_socket_receive_buffer_size, SELF_R)
REFUSE(wasi_sockets_udp_udp_socket_send_buffer_size, SELF_R)
REFUSE(wasi_sockets_udp_udp_socket_set_unicast_hop_limit, SELF_U32_R)
REFUSE(wasi_sockets_udp_udp_socket_set_receive_buffer_size, SELF_U64_R)
REFUSE(wasi_sockets_udp_udp_socket_set_send_buffer_size, SELF_U64_R)

REFUSE(wasi_sockets_udp_drop_incoming_datagram_stream, SELF)
REFUSE(wasi_sockets_udp_incoming_datagram_stream_receive, SELF_U64_R)
REFUSE_VALUE(wasi_sockets_udp_incoming_datagram_stream_subscribe)

REFUSE(wasi_sockets_udp_drop_outgoing_datagram_stream, SELF)
REFUSE(wasi_sockets_udp_outgoing_datagram_stream_check_send, SELF_R)
REFUSE(wasi_sockets_udp_outgoing_datagram_stream_send, SELF_LIST_R)
REFUSE_VALUE(wasi_sockets_udp_outgoing_datagram_stream_subscribe)

REFUSE(wasi_sockets_ip_name_lookup_drop_resolve_address_stream, SELF)
REFUSE(wasi_sockets_ip_name_lookup_resolve_address_stream_resolve_next_address, SELF_R)
REFUSE_VALUE(wasi_sockets_ip_name_lookup_resolve_address_stream_subscribe)

#pragma GCC diagnostic pop
