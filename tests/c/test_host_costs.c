/*
 * Every import of the guest in its worst case: one that has none here fails the test.
 * What eryx_host_ask() leads to is in test_tls_costs.c and live_native_costs.c, but for digests.
 */
#include "cost_rig.h"
#include "costs.h"
#include "fake_guest.h"
#include "guest_imports.h"
#include "imports/eryx_digests.h"
#include "imports/eryx_network.h"
#include "imports/eryx_tls.h"
#include "net/internal.h"
#include "protocol/callbacks.h"
#include "protocol/digests.h"
#include "protocol/files.h"
#include "secrets/secrets.h"
#include "vfs/vfs.h"

/* ---- Imports whose work does not depend on what they are given ------------------------------- */

#define PLAIN_IMPORTS(X)                                                                           \
    X(wasi_cli_stderr_get_stderr, g)                                                               \
    X(wasi_cli_stdin_get_stdin, g)                                                                 \
    X(wasi_cli_stdout_get_stdout, g)                                                               \
    X(wasi_clocks_monotonic_clock_subscribe_duration, g, NOTHING)                                  \
    X(wasi_io_streams_input_stream_subscribe, g, HANDLE_STDIN)                                     \
    X(wasi_io_streams_output_stream_subscribe, g, HANDLE_STDOUT)                                   \
    X(wasi_sockets_instance_network_instance_network, g)                                           \
    X(wasi_sockets_ip_name_lookup_resolve_address_stream_subscribe, g, NOTHING)                    \
    X(wasi_sockets_tcp_tcp_socket_is_listening, g, rig.socket)                                     \
    X(wasi_sockets_tcp_tcp_socket_subscribe, g, rig.socket)                                        \
    X(wasi_sockets_udp_incoming_datagram_stream_subscribe, g, NOTHING)                             \
    X(wasi_sockets_udp_outgoing_datagram_stream_subscribe, g, NOTHING)                             \
    X(wasi_sockets_udp_udp_socket_subscribe, g, NOTHING)                                           \
    X(wasi_clocks_monotonic_clock_now, g)                                                          \
    X(wasi_clocks_monotonic_clock_resolution, g)                                                   \
    X(eryx_host_exit, g, 0)                                                                        \
    X(eryx_host_processor_time, g)                                                                 \
    X(eryx_host_set_mode_of_new, g, 0600)                                                          \
    X(eryx_host_memory_limit, g)                                                                   \
    X(eryx_host_report_exit_code, g, 0)                                                            \
    X(eryx_host_watch_answers, g)                                                                  \
    X(eryx_host_thread_create, g, 0, 0)                                                            \
    X(eryx_host_thread_give_way, g, 0)                                                             \
    X(eryx_host_thread_interrupt, g, 1)                                                            \
    X(eryx_host_thread_poke, g)                                                                    \
    X(eryx_host_thread_state, g, 1)                                                                \
    X(eryx_host_thread_wait, g, 0, 0)                                                              \
    X(eryx_host_thread_wake, g, 0, UINT32_MAX)                                                     \
    X(wasi_cli_environment_get_arguments, g, RESULT)                                               \
    X(wasi_cli_environment_get_environment, g, RESULT)                                             \
    X(wasi_cli_exit_exit, g, NOTHING)                                                              \
    X(wasi_cli_terminal_input_drop_terminal_input, g, NOTHING)                                     \
    X(wasi_cli_terminal_output_drop_terminal_output, g, NOTHING)                                   \
    X(wasi_cli_terminal_stderr_get_terminal_stderr, g, RESULT)                                     \
    X(wasi_cli_terminal_stdin_get_terminal_stdin, g, RESULT)                                       \
    X(wasi_cli_terminal_stdout_get_terminal_stdout, g, RESULT)                                     \
    X(wasi_clocks_wall_clock_now, g, RESULT)                                                       \
    X(wasi_clocks_wall_clock_resolution, g, RESULT)                                                \
    X(wasi_filesystem_preopens_get_directories, g, RESULT)                                         \
    X(wasi_filesystem_types_descriptor_advise, g, rig.file, 0, 0, 0, RESULT)                       \
    X(wasi_filesystem_types_descriptor_append_via_stream, g, rig.file, RESULT)                     \
    X(wasi_filesystem_types_descriptor_get_flags, g, rig.file, RESULT)                             \
    X(wasi_filesystem_types_descriptor_metadata_hash, g, rig.file, RESULT)                         \
    X(wasi_filesystem_types_descriptor_read_via_stream, g, rig.file, 0, RESULT)                    \
    X(wasi_filesystem_types_descriptor_set_times, g, rig.file, 0, 0, 0, 0, 0, 0, RESULT)           \
    X(wasi_filesystem_types_descriptor_stat, g, rig.file, RESULT)                                  \
    X(wasi_filesystem_types_descriptor_sync, g, rig.file, RESULT)                                  \
    X(wasi_filesystem_types_descriptor_sync_data, g, rig.file, RESULT)                             \
    X(wasi_filesystem_types_descriptor_write_via_stream, g, rig.file, 0, RESULT)                   \
    X(wasi_io_error_drop_error, g, NOTHING)                                                        \
    X(wasi_io_poll_drop_pollable, g, HANDLE_STDOUT_READY)                                          \
    X(wasi_io_streams_drop_input_stream, g, HANDLE_STDIN)                                          \
    X(wasi_io_streams_drop_output_stream, g, HANDLE_STDOUT)                                        \
    X(wasi_io_streams_output_stream_blocking_flush, g, HANDLE_STDOUT, RESULT)                      \
    X(wasi_io_streams_output_stream_check_write, g, HANDLE_STDOUT, RESULT)                         \
    X(wasi_sockets_ip_name_lookup_drop_resolve_address_stream, g, NOTHING)                         \
    X(wasi_sockets_ip_name_lookup_resolve_address_stream_resolve_next_address, g, NOTHING, RESULT) \
    X(wasi_sockets_tcp_create_socket_create_tcp_socket, g, NOTHING, RESULT)                        \
    X(wasi_sockets_tcp_drop_tcp_socket, g, rig.socket)                                             \
    X(wasi_sockets_tcp_tcp_socket_accept, g, rig.socket, RESULT)                                   \
    X(wasi_sockets_tcp_tcp_socket_finish_bind, g, rig.socket, RESULT)                              \
    X(wasi_sockets_tcp_tcp_socket_finish_connect, g, rig.socket, RESULT)                           \
    X(wasi_sockets_tcp_tcp_socket_finish_listen, g, rig.socket, RESULT)                            \
    X(wasi_sockets_tcp_tcp_socket_hop_limit, g, rig.socket, RESULT)                                \
    X(wasi_sockets_tcp_tcp_socket_keep_alive_count, g, rig.socket, RESULT)                         \
    X(wasi_sockets_tcp_tcp_socket_keep_alive_enabled, g, rig.socket, RESULT)                       \
    X(wasi_sockets_tcp_tcp_socket_keep_alive_idle_time, g, rig.socket, RESULT)                     \
    X(wasi_sockets_tcp_tcp_socket_keep_alive_interval, g, rig.socket, RESULT)                      \
    X(wasi_sockets_tcp_tcp_socket_local_address, g, rig.socket, RESULT)                            \
    X(wasi_sockets_tcp_tcp_socket_receive_buffer_size, g, rig.socket, RESULT)                      \
    X(wasi_sockets_tcp_tcp_socket_remote_address, g, rig.socket, RESULT)                           \
    X(wasi_sockets_tcp_tcp_socket_send_buffer_size, g, rig.socket, RESULT)                         \
    X(wasi_sockets_tcp_tcp_socket_set_hop_limit, g, rig.socket, 0, RESULT)                         \
    X(wasi_sockets_tcp_tcp_socket_set_keep_alive_count, g, rig.socket, 0, RESULT)                  \
    X(wasi_sockets_tcp_tcp_socket_set_keep_alive_enabled, g, rig.socket, 0, RESULT)                \
    X(wasi_sockets_tcp_tcp_socket_set_keep_alive_idle_time, g, rig.socket, 0, RESULT)              \
    X(wasi_sockets_tcp_tcp_socket_set_keep_alive_interval, g, rig.socket, 0, RESULT)               \
    X(wasi_sockets_tcp_tcp_socket_set_listen_backlog_size, g, rig.socket, 0, RESULT)               \
    X(wasi_sockets_tcp_tcp_socket_set_receive_buffer_size, g, rig.socket, 0, RESULT)               \
    X(wasi_sockets_tcp_tcp_socket_set_send_buffer_size, g, rig.socket, 0, RESULT)                  \
    X(wasi_sockets_tcp_tcp_socket_shutdown, g, rig.socket, 0, RESULT)                              \
    X(wasi_sockets_tcp_tcp_socket_start_bind, g, rig.socket, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,   \
      0, RESULT)                                                                                   \
    X(wasi_sockets_tcp_tcp_socket_start_connect, g, rig.socket, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,   \
      0, 0, RESULT)                                                                                \
    X(wasi_sockets_tcp_tcp_socket_start_listen, g, rig.socket, RESULT)                             \
    X(wasi_sockets_udp_create_socket_create_udp_socket, g, NOTHING, RESULT)                        \
    X(wasi_sockets_udp_drop_incoming_datagram_stream, g, NOTHING)                                  \
    X(wasi_sockets_udp_drop_outgoing_datagram_stream, g, NOTHING)                                  \
    X(wasi_sockets_udp_drop_udp_socket, g, NOTHING)                                                \
    X(wasi_sockets_udp_incoming_datagram_stream_receive, g, NOTHING, 0, RESULT)                    \
    X(wasi_sockets_udp_outgoing_datagram_stream_check_send, g, NOTHING, RESULT)                    \
    X(wasi_sockets_udp_outgoing_datagram_stream_send, g, NOTHING, 0, 0, RESULT)                    \
    X(wasi_sockets_udp_udp_socket_finish_bind, g, NOTHING, RESULT)                                 \
    X(wasi_sockets_udp_udp_socket_local_address, g, NOTHING, RESULT)                               \
    X(wasi_sockets_udp_udp_socket_receive_buffer_size, g, NOTHING, RESULT)                         \
    X(wasi_sockets_udp_udp_socket_remote_address, g, NOTHING, RESULT)                              \
    X(wasi_sockets_udp_udp_socket_send_buffer_size, g, NOTHING, RESULT)                            \
    X(wasi_sockets_udp_udp_socket_set_receive_buffer_size, g, NOTHING, 0, RESULT)                  \
    X(wasi_sockets_udp_udp_socket_set_send_buffer_size, g, NOTHING, 0, RESULT)                     \
    X(wasi_sockets_udp_udp_socket_set_unicast_hop_limit, g, NOTHING, 0, RESULT)                    \
    X(wasi_sockets_udp_udp_socket_start_bind, g, NOTHING, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,   \
      RESULT)                                                                                      \
    X(wasi_sockets_udp_udp_socket_stream, g, NOTHING, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,       \
      RESULT)                                                                                      \
    X(wasi_sockets_udp_udp_socket_unicast_hop_limit, g, NOTHING, RESULT)

#define PLAIN(name, ...)                                                                           \
    static void plain_##name(void)                                                                 \
    {                                                                                              \
        fresh_heap();                                                                              \
        COST_BEGIN();                                                                              \
        (void)name(__VA_ARGS__);                                                                   \
        COST_END();                                                                                \
    }
PLAIN_IMPORTS(PLAIN)

/* ---- Callbacks, reports, events -------------------------------------------------------------- */

/* So many bytes of the unit, as the value of an argument. */
static uint32_t put_json(const char *unit, uint32_t size)
{
    uint8_t *bytes = fake_guest_bytes(rig.guest, BYTES, BYTES_SIZE);
    const size_t unit_size = strlen(unit);
    memcpy(bytes, "{\"x\":[", 6);
    for (size_t at = 6; at + 2 < size; at++) {
        bytes[at] = (uint8_t)unit[(at - 6) % unit_size];
    }
    memcpy(bytes + size - 2, "]}", 2);
    return size;
}

static int32_t call_with(const char *unit, uint32_t size)
{
    eryx_sandbox *sandbox = &rig.guest->sandbox;
    callbacks_begin(&sandbox->callbacks, sandbox->limits.max_pending_callback_bytes);
    sandbox->callbacks.invocations = 0;
    put_json(unit, size);
    COST_BEGIN();
    const uint32_t result = eryx_host_call(g, PATH, 8, BYTES, size);
    COST_END();
    return (int32_t)result;
}

static void call_with_lists(void)
{
    ASSERT_EQ(call_with("[],", 1 << 20), CALL_TOO_LARGE);
}

static void call_with_a_text(void)
{
    ASSERT_GT(
        call_with("\"\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\",",
                  1 << 20),
        0);
}

static void call_that_is_too_large(void)
{
    ASSERT_EQ(call_with("1,", BYTES_SIZE), CALL_TOO_LARGE);
}

static void answer_of_the_largest_size(void)
{
    eryx_sandbox *sandbox = &rig.guest->sandbox;
    fresh_heap();
    callbacks_begin(&sandbox->callbacks, sandbox->limits.max_pending_callback_bytes);
    uint32_t id;
    ASSERT(callbacks_open(&sandbox->callbacks, UINT64_MAX, 0, &id));
    ASSERT(callbacks_answer(&sandbox->callbacks, id, ANSWER_VALUE, calloc(1, 1 << 20), 1 << 20));
    COST_BEGIN();
    eryx_host_answer(g, RESULT);
    COST_END();
}

static void wait_with_many_calls(void)
{
    eryx_sandbox *sandbox = &rig.guest->sandbox;
    callbacks_begin(&sandbox->callbacks, UINT64_MAX);
    for (int i = 0; i < CALLBACKS_MAX_OPEN; i++) {
        uint32_t id;
        ASSERT(callbacks_open(&sandbox->callbacks, UINT64_MAX, 0, &id));
    }
    COST_BEGIN();
    eryx_host_wait(g, 1000000);
    COST_END();
    callbacks_begin(&sandbox->callbacks, UINT64_MAX);
}

static void report(uint32_t field, uint32_t size)
{
    COST_BEGIN();
    eryx_host_report(g, field, BYTES, size);
    COST_END();
}

static void report_a_result(void)
{
    report(REPORT_RESULT_JSON, 16 << 20);
}

static void report_a_result_that_is_too_large(void)
{
    report(REPORT_RESULT_JSON, BYTES_SIZE);
}

static void report_a_traceback(void)
{
    report(REPORT_TRACEBACK, BYTES_SIZE);
}

static void trace_lists(void)
{
    put_json("[],", 1 << 20);
    COST_BEGIN();
    eryx_host_trace(g, BYTES, 1 << 20);
    COST_END();
}

static void trace_that_is_too_large(void)
{
    COST_BEGIN();
    eryx_host_trace(g, BYTES, BYTES_SIZE);
    COST_END();
}

/* ---- Streams, polls, random numbers ---------------------------------------------------------- */

static void write_standard_output(void)
{
    fresh_heap();
    COST_BEGIN();
    wasi_io_streams_output_stream_write(g, HANDLE_STDOUT, BYTES, 1 << 20, RESULT);
    COST_END();
}

static void write_file_stream(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_write_via_stream(g, rig.file, 0, RESULT);
    expect_ok();
    const uint32_t stream = fake_guest_u32(rig.guest, RESULT + 4);
    COST_BEGIN();
    wasi_io_streams_output_stream_write(g, stream, BYTES, 1 << 20, RESULT);
    COST_END();
    wasi_io_streams_drop_output_stream(g, stream);
}

static void read_file_stream(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_read_via_stream(g, rig.file, 0, RESULT);
    expect_ok();
    const uint32_t stream = fake_guest_u32(rig.guest, RESULT + 4);
    COST_BEGIN();
    wasi_io_streams_input_stream_read(g, stream, UINT64_MAX, RESULT);
    COST_END();
    wasi_io_streams_drop_input_stream(g, stream);
}

static void read_random_device(void)
{
    fresh_heap();
    const uint32_t device = open_path("dev/urandom", 0);
    wasi_filesystem_types_descriptor_read_via_stream(g, device, 0, RESULT);
    expect_ok();
    const uint32_t stream = fake_guest_u32(rig.guest, RESULT + 4);
    COST_BEGIN();
    wasi_io_streams_input_stream_read(g, stream, UINT64_MAX, RESULT);
    COST_END();
    wasi_io_streams_drop_input_stream(g, stream);
    wasi_filesystem_types_drop_descriptor(g, device);
}

/* Timers, of which a guest may have so many. */
static void poll_many(void)
{
    fresh_heap();
    uint32_t timers[LIMIT - 16];
    const uint32_t count = sizeof timers / sizeof timers[0];
    for (uint32_t i = 0; i < count; i++) {
        timers[i] = wasi_clocks_monotonic_clock_subscribe_duration(g, i + 1000);
    }
    uint8_t *list = fake_guest_bytes(rig.guest, BYTES, 4096 * 4);
    for (uint32_t i = 0; i < 4096; i++) {
        memcpy(list + 4 * i, &timers[i % count], 4);
    }
    COST_BEGIN();
    wasi_io_poll_poll(g, BYTES, 4096, RESULT);
    COST_END();
    for (uint32_t i = 0; i < count; i++) {
        wasi_io_poll_drop_pollable(g, timers[i]);
    }
    memset(list, 'x', 4096 * 4);
}

static void block_on_a_timer(void)
{
    const uint32_t timer = wasi_clocks_monotonic_clock_subscribe_duration(g, 1000);
    COST_BEGIN();
    wasi_io_poll_pollable_block(g, timer);
    COST_END();
    wasi_io_poll_drop_pollable(g, timer);
}

static void most_random_bytes(void)
{
    fresh_heap();
    COST_BEGIN();
    wasi_random_random_get_random_bytes(g, 64 << 10, RESULT);
    COST_END();
    ASSERT_EQ(fake_guest_take_trap(rig.guest), WASM_RT_TRAP_NONE);
}

static void most_rounds_of_a_password(void)
{
    enum { SIZE = DIGESTS_KEY_BYTES + 128 };
    memset(fake_guest_bytes(rig.guest, BYTES, SIZE), 1, SIZE);
    COST_BEGIN();
    const uint32_t written = eryx_digests_operation(g, DIGESTS_SHA512, DIGESTS_MOST_ROUNDS, BYTES,
                                                    SIZE, BYTES + SIZE, 128);
    COST_END();
    ASSERT_EQ(written, 128);
}

static void too_many_random_bytes(void)
{
    fresh_heap();
    COST_BEGIN();
    wasi_random_random_get_random_bytes(g, 128 << 20, RESULT);
    COST_END();
    fake_guest_take_trap(rig.guest);
}

static void look_up_a_long_name(void)
{
    fresh_heap();
    COST_BEGIN();
    wasi_sockets_ip_name_lookup_resolve_addresses(g, HANDLE_NETWORK, BYTES, BYTES_SIZE, RESULT);
    COST_END();
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void read_most(void)
{
    fresh_heap();
    COST_BEGIN();
    wasi_filesystem_types_descriptor_read(g, rig.file, UINT64_MAX, 0, RESULT);
    COST_END();
    expect_ok();
}

static void read_zeros(void)
{
    fresh_heap();
    const uint32_t device = open_path("dev/zero", 0);
    COST_BEGIN();
    wasi_filesystem_types_descriptor_read(g, device, UINT64_MAX, 0, RESULT);
    COST_END();
    wasi_filesystem_types_drop_descriptor(g, device);
}

static void write_most(void)
{
    fresh_heap();
    COST_BEGIN();
    wasi_filesystem_types_descriptor_write(g, rig.file, BYTES, BYTES_SIZE, 0, RESULT);
    COST_END();
    expect_ok();
}

static void write_new(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_set_size(g, rig.file, 0, RESULT);
    COST_BEGIN();
    wasi_filesystem_types_descriptor_write(g, rig.file, BYTES, BYTES_SIZE, 0, RESULT);
    COST_END();
    expect_ok();
    grow_file(rig.file);
}

static void write_far_out(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_set_size(g, rig.file, 0, RESULT);
    COST_BEGIN();
    wasi_filesystem_types_descriptor_write(g, rig.file, BYTES, 1, max_file_bytes - (1 << 20),
                                           RESULT);
    COST_END();
    grow_file(rig.file);
}

static void grow_a_file(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_set_size(g, rig.file, 0, RESULT);
    COST_BEGIN();
    wasi_filesystem_types_descriptor_set_size(g, rig.file, max_file_bytes - (1 << 20), RESULT);
    COST_END();
    grow_file(rig.file);
}

static void shrink_a_file(void)
{
    fresh_heap();
    grow_file(rig.file);
    COST_BEGIN();
    wasi_filesystem_types_descriptor_set_size(g, rig.file, 0, RESULT);
    COST_END();
    expect_ok();
    grow_file(rig.file);
}

/* The last handle of a large file without a name. */
static void drop_a_large_file(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_set_size(g, rig.file, 0, RESULT);
    const uint32_t file = open_path("tmp/other", 1);
    grow_file(file);
    wasi_filesystem_types_descriptor_unlink_file_at(g, HANDLE_ROOT, PATH,
                                                    put_path(PATH, "tmp/other"), RESULT);
    expect_ok();
    COST_BEGIN();
    wasi_filesystem_types_drop_descriptor(g, file);
    COST_END();
    grow_file(rig.file);
}

static void unlink_a_large_file(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_set_size(g, rig.file, 0, RESULT);
    const uint32_t file = open_path("tmp/other", 1);
    grow_file(file);
    wasi_filesystem_types_drop_descriptor(g, file);
    const uint32_t size = put_path(PATH, "tmp/other");
    COST_BEGIN();
    wasi_filesystem_types_descriptor_unlink_file_at(g, HANDLE_ROOT, PATH, size, RESULT);
    COST_END();
    expect_ok();
    grow_file(rig.file);
}

static void open_large_and_empty_it(void)
{
    fresh_heap();
    grow_file(rig.file);
    const uint32_t size = put_path(PATH, "tmp/large");
    COST_BEGIN();
    wasi_filesystem_types_descriptor_open_at(g, HANDLE_ROOT, 1, PATH, size, 8, 3, RESULT);
    COST_END();
    expect_ok();
    wasi_filesystem_types_drop_descriptor(g, fake_guest_u32(rig.guest, RESULT + 4));
    grow_file(rig.file);
}

static void replace_a_large_file(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_set_size(g, rig.file, 0, RESULT);
    const uint32_t file = open_path("tmp/other", 1);
    grow_file(file);
    wasi_filesystem_types_drop_descriptor(g, file);
    wasi_filesystem_types_drop_descriptor(g, open_path("tmp/new", 1));
    const uint32_t size = put_path(PATH, "tmp/new");
    const uint32_t to_size = put_path(OTHER_PATH, "tmp/other");
    COST_BEGIN();
    wasi_filesystem_types_descriptor_rename_at(g, HANDLE_ROOT, PATH, size, HANDLE_ROOT, OTHER_PATH,
                                               to_size, RESULT);
    COST_END();
    expect_ok();
    wasi_filesystem_types_descriptor_unlink_file_at(g, HANDLE_ROOT, OTHER_PATH, to_size, RESULT);
    grow_file(rig.file);
}

static void list_many(void)
{
    fresh_heap();
    COST_BEGIN();
    wasi_filesystem_types_descriptor_read_directory(g, rig.many, RESULT);
    COST_END();
    expect_ok();
    wasi_filesystem_types_drop_directory_entry_stream(g, fake_guest_u32(rig.guest, RESULT + 4));
}

static void next_of_many(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_read_directory(g, rig.many, RESULT);
    expect_ok();
    const uint32_t stream = fake_guest_u32(rig.guest, RESULT + 4);
    COST_BEGIN();
    wasi_filesystem_types_directory_entry_stream_read_directory_entry(g, stream, RESULT);
    COST_END();
    wasi_filesystem_types_drop_directory_entry_stream(g, stream);
}

static void forget_a_list_of_many(void)
{
    fresh_heap();
    wasi_filesystem_types_descriptor_read_directory(g, rig.many, RESULT);
    expect_ok();
    const uint32_t stream = fake_guest_u32(rig.guest, RESULT + 4);
    COST_BEGIN();
    wasi_filesystem_types_drop_directory_entry_stream(g, stream);
    COST_END();
}

static void add_to_many(void)
{
    fresh_heap();
    const uint32_t size = put_path(PATH, "tmp/many/another-directory");
    COST_BEGIN();
    wasi_filesystem_types_descriptor_create_directory_at(g, HANDLE_ROOT, PATH, size, RESULT);
    COST_END();
    expect_ok();
    wasi_filesystem_types_descriptor_remove_directory_at(g, HANDLE_ROOT, PATH, size, RESULT);
    expect_ok();
}

static void set_mode_with_many_open(void)
{
    enum { MOST = 4096 };
    uint32_t open[MOST];
    uint32_t count = 0;
    fresh_heap();
    const uint32_t size = put_path(PATH, "tmp");
    for (; count < MOST; count++) {
        wasi_filesystem_types_descriptor_open_at(g, HANDLE_ROOT, 0, PATH, size, 0, 1, RESULT);
        if (fake_guest_bytes(rig.guest, RESULT, 1)[0] != 0) {
            break;
        }
        open[count] = guest_load_u32(g, guest_at(RESULT + 4));
    }
    COST_BEGIN();
    ASSERT_EQ(eryx_host_set_open_mode(g, 0, 0600), FILE_MISSING);
    COST_END();
    while (count > 0) {
        wasi_filesystem_types_drop_descriptor(g, open[--count]);
    }
}

/* A path that is as long as it may be, and one that is far longer. */
static uint32_t put_longest_path(uint32_t offset)
{
    char path[4096];
    for (size_t i = 0; i < sizeof path - 1; i++) {
        path[i] = "a/../"[i % 5];
    }
    memcpy(path, "tmp/", 4);
    path[sizeof path - 1] = 0;
    return put_path(offset, path);
}

/* Each function of paths with the bomb, then with the longest path. */
#define PATH_CASES(name, ...)                                                                      \
    static void bomb_##name(void)                                                                  \
    {                                                                                              \
        fresh_heap();                                                                              \
        const uint32_t at = PATH;                                                                  \
        const uint32_t size = put_path(at, bomb);                                                  \
        COST_BEGIN();                                                                              \
        (void)name(__VA_ARGS__);                                                                   \
        COST_END();                                                                                \
    }                                                                                              \
    static void long_##name(void)                                                                  \
    {                                                                                              \
        fresh_heap();                                                                              \
        const uint32_t at = PATH;                                                                  \
        const uint32_t size = put_longest_path(at);                                                \
        COST_BEGIN();                                                                              \
        (void)name(__VA_ARGS__);                                                                   \
        COST_END();                                                                                \
    }                                                                                              \
    static void huge_##name(void)                                                                  \
    {                                                                                              \
        fresh_heap();                                                                              \
        const uint32_t at = BYTES;                                                                 \
        const uint32_t size = BYTES_SIZE;                                                          \
        COST_BEGIN();                                                                              \
        (void)name(__VA_ARGS__);                                                                   \
        COST_END();                                                                                \
    }

#define PATH_IMPORTS(X)                                                                            \
    X(eryx_host_set_mode, g, at, size, 0600)                                                       \
    X(wasi_filesystem_types_descriptor_create_directory_at, g, HANDLE_ROOT, at, size, RESULT)      \
    X(wasi_filesystem_types_descriptor_link_at, g, HANDLE_ROOT, 1, at, size, HANDLE_ROOT, at,      \
      size, RESULT)                                                                                \
    X(wasi_filesystem_types_descriptor_metadata_hash_at, g, HANDLE_ROOT, 1, at, size, RESULT)      \
    X(wasi_filesystem_types_descriptor_open_at, g, HANDLE_ROOT, 1, at, size, 0, 1, RESULT)         \
    X(wasi_filesystem_types_descriptor_readlink_at, g, HANDLE_ROOT, at, size, RESULT)              \
    X(wasi_filesystem_types_descriptor_remove_directory_at, g, HANDLE_ROOT, at, size, RESULT)      \
    X(wasi_filesystem_types_descriptor_rename_at, g, HANDLE_ROOT, at, size, HANDLE_ROOT, at, size, \
      RESULT)                                                                                      \
    X(wasi_filesystem_types_descriptor_set_times_at, g, HANDLE_ROOT, 1, at, size, 1, 0, 0, 1, 0,   \
      0, RESULT)                                                                                   \
    X(wasi_filesystem_types_descriptor_stat_at, g, HANDLE_ROOT, 1, at, size, RESULT)               \
    X(wasi_filesystem_types_descriptor_symlink_at, g, HANDLE_ROOT, at, size, at, size, RESULT)     \
    X(wasi_filesystem_types_descriptor_unlink_file_at, g, HANDLE_ROOT, at, size, RESULT)
PATH_IMPORTS(PATH_CASES)

/* ---- All of them ----------------------------------------------------------------------------- */

#define PLAIN_CASE(name, ...) {#name, "any", plain_##name},
#define PATH_CASE(name, ...)                                                                       \
    {#name, "39 links that go to and fro", bomb_##name},                                           \
        {#name, "4,095 bytes of path", long_##name}, {#name, "60 MiB of path", huge_##name},

static const cost_case all[] = {
    PLAIN_IMPORTS(PLAIN_CASE)
        PATH_IMPORTS(PATH_CASE){"eryx_host_call", "1 MiB of lists", call_with_lists},
    {"eryx_host_set_open_mode", "all handles open", set_mode_with_many_open},
    {"eryx_host_call", "1 MiB of texts", call_with_a_text},
    {"eryx_host_call", "60 MiB", call_that_is_too_large},
    {"eryx_host_answer", "1 MiB", answer_of_the_largest_size},
    {"eryx_host_wait", "10,000 calls", wait_with_many_calls},
    {"eryx_host_report", "a result of 16 MiB", report_a_result},
    {"eryx_host_report", "a result of 60 MiB", report_a_result_that_is_too_large},
    {"eryx_host_report", "a traceback of 60 MiB", report_a_traceback},
    {"eryx_host_trace", "1 MiB of lists", trace_lists},
    {"eryx_host_trace", "60 MiB", trace_that_is_too_large},
    {"wasi_io_streams_output_stream_write", "1 MiB of output", write_standard_output},
    {"wasi_io_streams_output_stream_write", "1 MiB of a file", write_file_stream},
    {"wasi_io_streams_input_stream_read", "a large file", read_file_stream},
    {"wasi_io_streams_input_stream_read", "/dev/urandom", read_random_device},
    {"wasi_io_poll_poll", "4,096 timers", poll_many},
    {"wasi_io_poll_pollable_block", "a timer", block_on_a_timer},
    {"DIGESTS_SHA512", "2,048 rounds of SHA-512", most_rounds_of_a_password},
    {"wasi_random_random_get_random_bytes", "64 KiB", most_random_bytes},
    {"wasi_random_random_get_random_bytes", "128 MiB", too_many_random_bytes},
    {"wasi_sockets_ip_name_lookup_resolve_addresses", "60 MiB of name", look_up_a_long_name},
    {"wasi_filesystem_types_descriptor_read", "a large file", read_most},
    {"wasi_filesystem_types_descriptor_read", "/dev/zero", read_zeros},
    {"wasi_filesystem_types_descriptor_write", "60 MiB over others", write_most},
    {"wasi_filesystem_types_descriptor_write", "60 MiB into an empty file", write_new},
    {"wasi_filesystem_types_descriptor_write", "one byte after 63 MiB", write_far_out},
    {"wasi_filesystem_types_descriptor_set_size", "from 0 to 63 MiB", grow_a_file},
    {"wasi_filesystem_types_descriptor_set_size", "from 60 MiB to 0", shrink_a_file},
    {"wasi_filesystem_types_drop_descriptor", "of 60 MiB without a name", drop_a_large_file},
    {"wasi_filesystem_types_descriptor_unlink_file_at", "of 60 MiB", unlink_a_large_file},
    {"wasi_filesystem_types_descriptor_open_at", "cuts 60 MiB off", open_large_and_empty_it},
    {"wasi_filesystem_types_descriptor_rename_at", "over 60 MiB", replace_a_large_file},
    {"wasi_filesystem_types_descriptor_read_directory", "15,000 entries", list_many},
    {"wasi_filesystem_types_directory_entry_stream_read_directory_entry", "15,000 entries",
     next_of_many},
    {"wasi_filesystem_types_drop_directory_entry_stream", "15,000 entries", forget_a_list_of_many},
    {"wasi_filesystem_types_descriptor_create_directory_at", "beside 15,000", add_to_many},
};
enum { COUNT = sizeof all / sizeof all[0] };

static void test_every_import_has_a_case(void)
{
    char *header = cost_read_file(ERYX_GUEST_INCLUDE, "guest_imports.h");
    size_t found = 0;
    for (const char *at = header; (at = strstr(at, "(guest_instance *")) != NULL; at++) {
        const char *name = at;
        while (name > header && name[-1] != ' ') {
            name--;
        }
        char copy[128];
        snprintf(copy, sizeof copy, "%.*s", (int)(at - name), name);
        bool is_elsewhere = strcmp(copy, "eryx_host_ask") == 0;
        if (!is_elsewhere && !cost_has_case(all, COUNT, copy)) {
            test_fail(__FILE__, __LINE__, "the import %s has no case", copy);
        }
        found++;
    }
    ASSERT_GT(found, 100);
    free(header);
}

static void test_no_import_takes_long(void)
{
    begin();
    cost_check_all(all, COUNT);
    finish();
}

/* Ticks that a case takes, at least. */
static void expect_charge(void (*run)(void), int64_t least)
{
    g->ticks = 0;
    run();
    ASSERT_LE(g->ticks, -least);
    const int64_t first = g->ticks;
    g->ticks = 0;
    run();
    ASSERT_EQ(g->ticks, first); /* the same for the same call */
}

static void test_work_costs_fuel(void)
{
    begin();
    expect_charge(call_with_a_text, 50000);
    expect_charge(trace_lists, 50000);
    expect_charge(report_a_result, 50000);
    expect_charge(answer_of_the_largest_size, 4000);
    expect_charge(most_rounds_of_a_password, 80000);
    expect_charge(most_random_bytes, 16000);
    expect_charge(read_most, 4000);
    expect_charge(write_most, 4000);
    expect_charge(write_standard_output, 4000);
    expect_charge(read_file_stream, 4000);
    expect_charge(poll_many, 4000);
    expect_charge(long_wasi_filesystem_types_descriptor_stat_at, 4000);
    finish();
}

TEST_MAIN(TEST_CASE(test_every_import_has_a_case), TEST_CASE(test_no_import_takes_long),
          TEST_CASE(test_work_costs_fuel))
