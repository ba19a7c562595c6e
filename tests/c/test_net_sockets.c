/* The sockets of a guest that does what libc never does, against real servers. */
#include <unistd.h>

#include "fake_guest.h"
#include "guest_imports.h"
#include "imports/wasi_sockets.h"
#include "net/internal.h"
#include "net_servers.h"

enum {
    MEMORY = 1 << 20,
    RESULT = GUEST_LOWEST_ADDRESS + 64,
    LIST = RESULT + 64,
    BYTES = 8192,
    LIMIT = 64
};

static fake_guest *create(bool ask)
{
    fake_guest *guest = fake_guest_create(MEMORY, LIMIT);
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.allow_localhost = true;
    options.ask_on_connect = ask;
    net_policy *policy = NULL;
    ASSERT_EQ(net_policy_create(&options, &policy, NULL), ERYX_OK);
    ASSERT(net_create(policy, &guest->sandbox.net));
    net_begin_run(guest->sandbox.net);
    return guest;
}

static void start_connect(fake_guest *guest, uint32_t socket, uint16_t port)
{
    wasi_sockets_tcp_tcp_socket_start_connect(fake_guest_instance(guest), socket, HANDLE_NETWORK, 0,
                                              port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, RESULT);
}

static uint32_t make_socket(fake_guest *guest)
{
    wasi_sockets_tcp_create_socket_create_tcp_socket(fake_guest_instance(guest), 0, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 0);
    return fake_guest_u32(guest, RESULT + 4);
}

/* A connected socket and its streams. */
static void connect_to(fake_guest *guest, uint16_t port, uint32_t *out_socket, uint32_t *out_input,
                       uint32_t *out_output)
{
    guest_instance *instance = fake_guest_instance(guest);
    *out_socket = make_socket(guest);
    start_connect(guest, *out_socket, port);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 0);
    uint32_t ready = wasi_sockets_tcp_tcp_socket_subscribe(instance, *out_socket);
    wasi_io_poll_pollable_block(instance, ready);
    wasi_io_poll_drop_pollable(instance, ready);
    wasi_sockets_tcp_tcp_socket_finish_connect(instance, *out_socket, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 0);
    *out_input = fake_guest_u32(guest, RESULT + 4);
    *out_output = fake_guest_u32(guest, RESULT + 8);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
}

static void assert_traps(fake_guest *guest)
{
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
}

static void test_streams_live_on_without_the_socket(void)
{
    server echo;
    server_start(&echo, serve_echo);
    fake_guest *guest = create(false);
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t socket, input, output;
    connect_to(guest, echo.port, &socket, &input, &output);
    wasi_sockets_tcp_drop_tcp_socket(instance, socket);
    memcpy(fake_guest_bytes(guest, BYTES, 4), "ping", 4);
    wasi_io_streams_output_stream_check_write(instance, output, RESULT);
    ASSERT(fake_guest_u64(guest, RESULT + 8) >= 4);
    wasi_io_streams_output_stream_write(instance, output, BYTES, 4, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 0);
    wasi_io_streams_drop_output_stream(instance, output);
    uint32_t ready = wasi_io_streams_input_stream_subscribe(instance, input);
    wasi_io_poll_pollable_block(instance, ready);
    wasi_io_streams_input_stream_read(instance, input, 100, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 0);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 8), 4);
    ASSERT_BYTES_EQ(fake_guest_bytes(guest, fake_guest_u32(guest, RESULT + 4), 4), (size_t)4,
                    "ping", (size_t)4);
    wasi_io_streams_drop_input_stream(instance, input);
    /* The pollable is what holds the connection now. */
    wasi_io_poll_pollable_block(instance, ready);
    wasi_io_poll_drop_pollable(instance, ready);
    ASSERT_EQ(guest->sandbox.handles.live, 0);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    fake_guest_destroy(guest);
    server_stop(&echo);
}

static uint32_t stream_to_drop;

static void drop_while_allocating(fake_guest *guest)
{
    guest->on_allocate = NULL;
    wasi_io_streams_drop_input_stream(fake_guest_instance(guest), stream_to_drop);
}

/* Guest code that runs inside of a read takes the stream away. */
static void test_stream_dropped_within_its_read(void)
{
    server echo;
    server_start(&echo, serve_echo);
    fake_guest *guest = create(false);
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t socket, input, output;
    connect_to(guest, echo.port, &socket, &input, &output);
    wasi_io_streams_output_stream_write(instance, output, BYTES, 10, RESULT);
    uint32_t ready = wasi_io_streams_input_stream_subscribe(instance, input);
    wasi_io_poll_pollable_block(instance, ready);
    wasi_io_poll_drop_pollable(instance, ready);
    wasi_io_streams_drop_output_stream(instance, output);
    wasi_sockets_tcp_drop_tcp_socket(instance, socket);
    stream_to_drop = input;
    guest->on_allocate = drop_while_allocating;
    wasi_io_streams_input_stream_read(instance, input, 100, RESULT);
    assert_traps(guest);
    ASSERT_EQ(guest->sandbox.handles.live, 0);
    fake_guest_destroy(guest);
    server_stop(&echo);
}

static void test_calls_out_of_order(void)
{
    server echo;
    server_start(&echo, serve_echo);
    fake_guest *guest = create(false);
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t socket = make_socket(guest);
    /* Nothing of these may be invalid-state or not-in-progress, at which libc ends the guest. */
    wasi_sockets_tcp_tcp_socket_finish_connect(instance, socket, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 4), WASI_NETWORK_CONNECTION_ABORTED);
    wasi_sockets_tcp_tcp_socket_remote_address(instance, socket, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 4), WASI_NETWORK_CONNECTION_ABORTED);
    wasi_sockets_tcp_tcp_socket_shutdown(instance, socket, 2, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 1), WASI_NETWORK_CONNECTION_ABORTED);
    wasi_sockets_tcp_tcp_socket_start_listen(instance, socket, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 1), WASI_NETWORK_ACCESS_DENIED);
    start_connect(guest, socket, 0);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 1), WASI_NETWORK_INVALID_ARGUMENT);
    start_connect(guest, socket, echo.port);
    start_connect(guest, socket, echo.port);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 1);
    uint32_t ready = wasi_sockets_tcp_tcp_socket_subscribe(instance, socket);
    wasi_io_poll_pollable_block(instance, ready);
    wasi_sockets_tcp_tcp_socket_finish_connect(instance, socket, RESULT);
    uint32_t input = fake_guest_u32(guest, RESULT + 4);
    uint32_t output = fake_guest_u32(guest, RESULT + 8);
    wasi_sockets_tcp_tcp_socket_finish_connect(instance, socket, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 1);
    /* Handles of one kind where another is wanted. */
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    wasi_io_streams_input_stream_read(instance, output, 1, RESULT);
    assert_traps(guest);
    wasi_io_streams_output_stream_write(instance, input, BYTES, 1, RESULT);
    assert_traps(guest);
    wasi_io_poll_pollable_block(instance, input);
    assert_traps(guest);
    wasi_io_poll_drop_pollable(instance, socket);
    assert_traps(guest);
    wasi_sockets_tcp_tcp_socket_shutdown(instance, ready, 0, RESULT);
    assert_traps(guest);
    wasi_sockets_tcp_tcp_socket_shutdown(instance, socket, 3, RESULT);
    assert_traps(guest);
    wasi_sockets_tcp_tcp_socket_start_connect(instance, socket, HANDLE_ROOT, 0, 80, 127, 0, 0, 1, 0,
                                              0, 0, 0, 0, 0, RESULT);
    assert_traps(guest);
    wasi_sockets_tcp_tcp_socket_start_connect(instance, socket, HANDLE_NETWORK, 2, 80, 127, 0, 0, 1,
                                              0, 0, 0, 0, 0, 0, RESULT);
    assert_traps(guest);
    wasi_sockets_tcp_tcp_socket_start_connect(instance, socket, HANDLE_NETWORK, 0, 80, 256, 0, 0, 1,
                                              0, 0, 0, 0, 0, 0, RESULT);
    assert_traps(guest);
    fake_guest_destroy(guest);
    server_stop(&echo);
}

/* More is written than check-write has granted. */
static void test_writing_without_a_grant_traps(void)
{
    server silent;
    server_start(&silent, serve_nothing);
    fake_guest *guest = create(false);
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t socket, input, output;
    connect_to(guest, silent.port, &socket, &input, &output);
    uint32_t trap = WASM_RT_TRAP_NONE;
    for (int i = 0; i < 1000 && trap == WASM_RT_TRAP_NONE; i++) {
        wasi_io_streams_output_stream_write(instance, output, BYTES, 1 << 19, RESULT);
        trap = fake_guest_take_trap(guest);
    }
    ASSERT_EQ(trap, WASM_RT_TRAP_UNREACHABLE);
    wasi_io_streams_output_stream_check_write(instance, output, RESULT);
    ASSERT_EQ(fake_guest_u64(guest, RESULT + 8), 0);
    fake_guest_destroy(guest);
    server_stop(&silent);
}

/* Large writes go to the kernel; of what a peer does not read the host keeps little. */
static void test_writes_are_as_large_as_the_kernel_has_room(void)
{
    server silent;
    server_start(&silent, serve_nothing);
    fake_guest *guest = create(false);
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t socket, input, output;
    connect_to(guest, silent.port, &socket, &input, &output);
    const net_connection *connection = handles_find(&guest->sandbox.handles, socket)->object;
    uint64_t largest = 0;
    for (int i = 0; i < 1000; i++) {
        wasi_io_streams_output_stream_check_write(instance, output, RESULT);
        uint64_t room = fake_guest_u64(guest, RESULT + 8);
        if (room == 0) {
            break;
        }
        ASSERT(room >= NET_WRITE_BYTES && room <= NET_WRITE_MOST_BYTES);
        largest = room > largest ? room : largest;
        uint32_t size = (uint32_t)(room < MEMORY - BYTES ? room : MEMORY - BYTES);
        wasi_io_streams_output_stream_write(instance, output, BYTES, size, RESULT);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
        ASSERT(connection->unsent_size <= NET_WRITE_BYTES);
    }
    ASSERT_EQ(fake_guest_u64(guest, RESULT + 8), 0);
    ASSERT(largest > NET_WRITE_BYTES);
    fake_guest_destroy(guest);
    server_stop(&silent);
}

/* One poll with the same entry many times, with timers, and with ends that are known. */
static void test_poll_of_mixed_entries(void)
{
    server echo;
    server_start(&echo, serve_echo);
    fake_guest *guest = create(false);
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t socket, input, output;
    connect_to(guest, echo.port, &socket, &input, &output);
    uint32_t readable = wasi_io_streams_input_stream_subscribe(instance, input);
    uint32_t writable = wasi_io_streams_output_stream_subscribe(instance, output);
    uint32_t timer = wasi_clocks_monotonic_clock_subscribe_duration(instance, 1000000000000u);
    const uint32_t entries[] = {readable, timer, readable, writable, writable, timer};
    memcpy(fake_guest_bytes(guest, LIST, sizeof entries), entries, sizeof entries);
    wasi_io_poll_poll(instance, LIST, 6, RESULT);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 4), 2);
    uint32_t indices = fake_guest_u32(guest, RESULT);
    ASSERT_EQ(fake_guest_u32(guest, indices), 3);
    ASSERT_EQ(fake_guest_u32(guest, indices + 4), 4);
    wasi_io_streams_output_stream_write(instance, output, BYTES, 1, RESULT);
    wasi_io_poll_poll(instance, LIST, 3, RESULT);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 4), 2);
    indices = fake_guest_u32(guest, RESULT);
    ASSERT_EQ(fake_guest_u32(guest, indices), 0);
    ASSERT_EQ(fake_guest_u32(guest, indices + 4), 2);
    net_end_run(guest->sandbox.net, &guest->sandbox.handles);
    wasi_io_poll_poll(instance, LIST, 6, RESULT);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 4), 4);
    wasi_io_streams_input_stream_read(instance, input, 1, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 1);
    wasi_io_streams_output_stream_write(instance, output, BYTES, 1, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 1);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    fake_guest_destroy(guest);
    server_stop(&echo);
}

static void allow(fake_guest *guest, const eryx_event *event)
{
    ASSERT_EQ(event->kind, ERYX_EVENT_CONNECT);
    ASSERT_STR_EQ(event->as.connect.host, "127.0.0.1");
    guest->sandbox.run.connect_allowed = event->as.connect.port == 7;
}

static void test_the_embedder_is_asked(void)
{
    fake_guest *guest = create(true);
    guest->on_yield = allow;
    uint32_t socket = make_socket(guest);
    start_connect(guest, socket, 9);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 1), WASI_NETWORK_ACCESS_DENIED);
    ASSERT_STR_CONTAINS(net_last_refusal(guest->sandbox.net), "port 9 is not permitted");
    ASSERT_EQ(net_last_errno(guest->sandbox.net), EACCES);
    start_connect(guest, socket, 7);
    ASSERT(fake_guest_u8(guest, RESULT) == 0 ||
           fake_guest_u8(guest, RESULT + 1) == WASI_NETWORK_CONNECTION_REFUSED);
    ASSERT_EQ(guest->yields, 2);
    fake_guest_destroy(guest);
}

static void test_finding_a_connection(void)
{
    server echo;
    server_start(&echo, serve_echo);
    fake_guest *guest = create(false);
    uint32_t sockets[2], inputs[2], outputs[2];
    net *network = guest->sandbox.net;
    for (int i = 0; i < 2; i++) {
        connect_to(guest, echo.port, &sockets[i], &inputs[i], &outputs[i]);
    }
    for (int i = 0; i < 2; i++) {
        const net_connection *one = handles_find(&guest->sandbox.handles, sockets[i])->object;
        net_address local = one->local;
        net_address remote = one->remote;
        ASSERT(net_find_connection(network, &local, &remote) == one);
        remote.port++;
        ASSERT(net_find_connection(network, &local, &remote) == NULL);
        ASSERT(net_find_connection(network, &remote, &local) == NULL);
        ASSERT(net_connection_has_name(one, "127.0.0.1"));
        ASSERT(!net_connection_has_name(one, "localhost"));
    }
    fake_guest_destroy(guest);
    server_stop(&echo);
}

static unsigned destroyed;

static void destroy_tls(void *tls)
{
    ASSERT(tls == &destroyed);
    destroyed++;
}

/* TLS has the socket: the guest's own streams get nothing of it, until it is taken off. */
static void test_attached_connections_refuse_plain_bytes(void)
{
    server echo;
    server_start(&echo, serve_echo);
    fake_guest *guest = create(false);
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t socket, input, output;
    connect_to(guest, echo.port, &socket, &input, &output);
    net_connection *connection = handles_find(&guest->sandbox.handles, socket)->object;
    ASSERT(net_connection_attach(connection, &destroyed, destroy_tls));
    ASSERT(!net_connection_attach(connection, &destroyed, destroy_tls));
    wasi_io_streams_output_stream_write(instance, output, BYTES, 4, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 1);
    ASSERT_EQ(net_last_errno(guest->sandbox.net), EACCES);
    wasi_io_streams_input_stream_read(instance, input, 4, RESULT);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 1);
    size_t sent;
    ASSERT_EQ(net_connection_send(connection, (const uint8_t *)"tls!", 4, &sent), NET_IO_OK);
    ASSERT_EQ(sent, 4);
    ASSERT(net_connection_detach(connection) == &destroyed);
    uint32_t ready = wasi_io_streams_input_stream_subscribe(instance, input);
    wasi_io_poll_pollable_block(instance, ready);
    wasi_io_streams_input_stream_read(instance, input, 4, RESULT);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 8), 4);
    ASSERT_EQ(destroyed, 0);
    ASSERT(net_connection_attach(connection, &destroyed, destroy_tls));
    net_end_run(guest->sandbox.net, &guest->sandbox.handles);
    ASSERT_EQ(destroyed, 1);
    const eryx_connection *list;
    size_t count;
    uint64_t total;
    net_list(guest->sandbox.net, &list, &count, &total);
    ASSERT_EQ(count, 1);
    ASSERT(list[0].tls && list[0].bytes_in == 4 && list[0].bytes_out == 4);
    fake_guest_destroy(guest);
    server_stop(&echo);
}

/* However many addresses a run looks up, only the newest are remembered. */
static void test_known_names_are_bounded(void)
{
    fake_guest *guest = create(false);
    net *network = guest->sandbox.net;
    net_address address = {.bytes = {93}};
    for (uint32_t i = 0; i < 2 * NET_MAX_KNOWN_ADDRESSES + 7; i++) {
        char name[32];
        snprintf(name, sizeof name, "name%u.example", i);
        address.bytes[2] = (uint8_t)(i >> 8);
        address.bytes[3] = (uint8_t)i;
        ASSERT(net_remember(network, &address, name));
        ASSERT(net_remember(network, &address, name));
        ASSERT_STR_EQ(net_known_name(network, &address, 0), name);
        ASSERT(net_known_name(network, &address, 1) == NULL);
    }
    ASSERT_EQ(network->known_count, NET_MAX_KNOWN_ADDRESSES);
    address.bytes[2] = address.bytes[3] = 0;
    ASSERT(net_known_name(network, &address, 0) == NULL);
    address.bytes[3] = 255;
    address.bytes[2] = 31;
    ASSERT_STR_EQ(net_known_name(network, &address, 0), "name8191.example");
    ASSERT(net_remember(network, &address, "other.example"));
    ASSERT_STR_EQ(net_known_name(network, &address, 0), "other.example");
    ASSERT_STR_EQ(net_known_name(network, &address, 1), "name8191.example");
    fake_guest_destroy(guest);
}

TEST_MAIN(TEST_CASE(test_streams_live_on_without_the_socket),
          TEST_CASE(test_stream_dropped_within_its_read), TEST_CASE(test_calls_out_of_order),
          TEST_CASE(test_writing_without_a_grant_traps),
          TEST_CASE(test_writes_are_as_large_as_the_kernel_has_room),
          TEST_CASE(test_poll_of_mixed_entries), TEST_CASE(test_the_embedder_is_asked),
          TEST_CASE(test_finding_a_connection),
          TEST_CASE(test_attached_connections_refuse_plain_bytes),
          TEST_CASE(test_known_names_are_bounded))
