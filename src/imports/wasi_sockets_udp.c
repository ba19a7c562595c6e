/*
 * wasi:sockets/udp: there is none. No socket can be made, which answers access-denied, so a guest
 * never holds a handle that any of the other functions accept, and a call of one is answered like
 * every wrong handle: with a trap.
 */
#include "guest_imports.h"
#include "imports/wasi_sockets.h"

void wasi_sockets_udp_create_socket_create_udp_socket(guest_instance *instance,
                                                      uint32_t address_family, uint32_t result)
{
    net *network = sandbox_of(instance)->net;
    (void)address_family;
    if (network != NULL) {
        net_refuse(network, "not permitted: a sandbox has no UDP, only TCP");
    }
    wasi_store_network_error(instance, guest_at(result), 4, WASI_NETWORK_ACCESS_DENIED);
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

#pragma GCC diagnostic pop
