#include "fake_guest.h"
#include "guest_imports.h"
#include "test.h"

enum { RESULT = GUEST_LOWEST_ADDRESS + 64, MEMORY = 65536, ACCESS_DENIED = 1 };

static void assert_access_denied(fake_guest *guest)
{
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 1);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 4), ACCESS_DENIED);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 5), 0xa5);
    memset(fake_guest_bytes(guest, RESULT, 8), 0xa5, 8);
}

static void test_no_socket_can_be_made(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    guest_instance *instance = fake_guest_instance(guest);
    for (uint32_t family = 0; family < 3; family++) {
        wasi_sockets_tcp_create_socket_create_tcp_socket(instance, family, RESULT);
        assert_access_denied(guest);
        wasi_sockets_udp_create_socket_create_udp_socket(instance, family, RESULT);
        assert_access_denied(guest);
    }
    ASSERT_EQ(guest->sandbox.handles.live, 0);
    fake_guest_destroy(guest);
}

static void test_no_name_can_be_looked_up(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t network = wasi_sockets_instance_network_instance_network(instance);
    ASSERT_EQ(network, HANDLE_NETWORK);
    wasi_sockets_ip_name_lookup_resolve_addresses(instance, network, RESULT + 64, 11, RESULT);
    assert_access_denied(guest);
    wasi_sockets_ip_name_lookup_resolve_addresses(instance, network, MEMORY - 10, 11, RESULT);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_OOB);
    wasi_sockets_ip_name_lookup_resolve_addresses(instance, HANDLE_STDIN, RESULT + 64, 11, RESULT);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
    wasi_sockets_tcp_create_socket_create_tcp_socket(instance, 0, MEMORY - 4);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_OOB);
    fake_guest_destroy(guest);
}

/* One of each shape; that every function is there is what the link checks. */
static void test_functions_on_sockets_trap(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    guest_instance *instance = fake_guest_instance(guest);
    for (uint32_t self = 0; self < 20; self++) {
        wasi_sockets_tcp_drop_tcp_socket(instance, self);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
        wasi_sockets_udp_drop_udp_socket(instance, self);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
        wasi_sockets_tcp_tcp_socket_start_connect(instance, self, HANDLE_NETWORK, 0, 0, 0, 0, 0, 0,
                                                  0, 0, 0, 0, 0, 0, RESULT);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
        wasi_sockets_tcp_tcp_socket_accept(instance, self, RESULT);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
        wasi_sockets_tcp_tcp_socket_shutdown(instance, self, 0, RESULT);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
        wasi_sockets_udp_udp_socket_set_send_buffer_size(instance, self, 1, RESULT);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
        wasi_sockets_udp_outgoing_datagram_stream_send(instance, self, 0, 0, RESULT);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
        ASSERT_EQ(wasi_sockets_tcp_tcp_socket_subscribe(instance, self), 0);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
    }
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 0xa5);
    fake_guest_destroy(guest);
}

TEST_MAIN(TEST_CASE(test_no_socket_can_be_made), TEST_CASE(test_no_name_can_be_looked_up),
          TEST_CASE(test_functions_on_sockets_trap))
