/*
 * The network against hostile input. By the first byte: texts of addresses, names and patterns with
 * rules over them, or a guest that calls the imports of sockets, streams and polls in any order,
 * with a real server at the other end. Only that server may ever be connected to.
 */
#include <arpa/inet.h>
#include <unistd.h>

#include "fuzz.h"

#include "fake_guest.h"
#include "guest_imports.h"
#include "imports/eryx_network.h"
#include "net_servers.h"

enum { MEMORY = 128 * 1024, LIMIT = 24, MAX_CALLS = 200, TEXT = GUEST_LOWEST_ADDRESS + 2048 };

static fuzz_input input;

/* ---- Texts ----------------------------------------------------------------------------------- */

/* Mostly of characters that addresses and names are made of. */
static size_t draw_text(char *out_text, size_t room)
{
    static const char usual[] = "0123456789abcdefxX.:*-%/";
    size_t size = fuzz_below(&input, (uint32_t)room);
    for (size_t i = 0; i < size; i++) {
        out_text[i] = fuzz_below(&input, 16) == 0 ? (char)fuzz_number(&input, 1)
                                                  : usual[fuzz_below(&input, sizeof usual - 1)];
    }
    out_text[size] = 0;
    return size;
}

/* What the system takes for an address is one for us, and the same. */
static void check_address(const char *text, size_t size)
{
    net_address address;
    struct in_addr v4;
    struct in6_addr v6;
    bool parsed = net_address_parse(text, size, &address);
    if (strlen(text) == size && strpbrk(text, " \t\n\v\f\r") == NULL && inet_aton(text, &v4) != 0) {
        FUZZ_REQUIRE(parsed && !address.is_v6 && memcmp(address.bytes, &v4, 4) == 0);
    }
    if (strlen(text) == size && inet_pton(AF_INET6, text, &v6) == 1) {
        FUZZ_REQUIRE(parsed && address.is_v6 && memcmp(address.bytes, &v6, 16) == 0);
    }
    if (parsed) {
        char usual[NET_ADDRESS_TEXT_SIZE];
        net_address again;
        net_address_text(&address, usual);
        FUZZ_REQUIRE(net_address_parse(usual, strlen(usual), &again));
        FUZZ_REQUIRE(memcmp(again.bytes, address.bytes, 16) == 0);
    }
    net_block block;
    if (strlen(text) == size && net_block_parse(text, &block)) {
        net_address inside = {.is_v6 = block.is_v6};
        memcpy(inside.bytes, block.bytes, 16);
        FUZZ_REQUIRE(net_block_contains(&block, &inside));
    }
}

/* The plain definition of a pattern; for short ones. */
static bool matches_plainly(const char *pattern, const char *name)
{
    if (*pattern == '*') {
        return matches_plainly(pattern + 1, name) ||
               (*name != 0 && matches_plainly(pattern, name + 1));
    }
    return *pattern == *name && (*name == 0 || matches_plainly(pattern + 1, name + 1));
}

static void check_pattern(void)
{
    static const char letters[] = "ab.*";
    char pattern[9] = "";
    char name[13] = "";
    uint32_t pattern_size = fuzz_below(&input, sizeof pattern);
    uint32_t name_size = fuzz_below(&input, sizeof name);
    for (uint32_t i = 0; i < pattern_size; i++) {
        pattern[i] = letters[fuzz_below(&input, 4)];
    }
    for (uint32_t i = 0; i < name_size; i++) {
        name[i] = letters[fuzz_below(&input, 3)];
    }
    const char *problem;
    net_pattern parsed;
    if (!net_pattern_parse(pattern, &parsed, &problem)) {
        FUZZ_REQUIRE(problem != NULL);
        return;
    }
    FUZZ_REQUIRE(net_pattern_matches_name(&parsed, name) == matches_plainly(parsed.text, name));
    net_pattern_free(&parsed);
}

/* A name in its usual form stays as it is, and no text gets past the rules to an inner address. */
static void check_name(net_policy *policy, const char *text, size_t size)
{
    char name[NET_MAX_NAME + 1];
    char again[NET_MAX_NAME + 1];
    char reason[NET_REASON_SIZE];
    if (!net_name_normalize((const uint8_t *)text, size, name, reason)) {
        FUZZ_REQUIRE(reason[0] != 0);
        return;
    }
    FUZZ_REQUIRE(net_name_normalize((const uint8_t *)name, strlen(name), again, reason));
    FUZZ_REQUIRE(strcmp(name, again) == 0);
    static net_own own = {.next_read_ns = UINT64_MAX};
    bool allowed = net_policy_allows_name(policy, &own, name, reason);
    net_address address;
    struct in_addr v4;
    FUZZ_REQUIRE(inet_aton(name, &v4) == 0 || net_address_parse(name, strlen(name), &address));
    if (allowed && net_address_parse(name, strlen(name), &address)) {
        FUZZ_REQUIRE(net_address_internal(&address) == NULL);
    }
}

static void check_texts(void)
{
    eryx_network_options options;
    eryx_network_options_init(&options);
    char pattern[64];
    const char *const patterns[] = {pattern};
    draw_text(pattern, sizeof pattern);
    options.blocked_hosts = (eryx_texts){patterns, 1};
    net_policy *policy = NULL;
    if (net_policy_create(&options, &policy, NULL) != ERYX_OK) {
        options.blocked_hosts.count = 0;
        FUZZ_REQUIRE(net_policy_create(&options, &policy, NULL) == ERYX_OK);
    }
    for (int i = 0; i < 50 && input.left > 0; i++) {
        char text[300];
        size_t size = draw_text(text, fuzz_below(&input, 4) == 0 ? sizeof text : 40);
        check_address(text, size);
        check_name(policy, text, size);
        check_pattern();
    }
    net_policy_release(policy);
    options.blocked_hosts.count = 0;
    options.dns_servers = (eryx_texts){patterns, 1};
    if (net_policy_create(&options, &policy, NULL) == ERYX_OK) {
        net_policy_release(policy);
    }
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static server echo;

/* In guest memory, 64 bytes apart. */
static const char *const names[] = {"127.0.0.1", "localhost", "::1", "10.0.0.1"};

static uint32_t any_offset(void)
{
    return fuzz_below(&input, 8) == 0
               ? MEMORY - fuzz_below(&input, 64)
               : GUEST_LOWEST_ADDRESS - 64 + fuzz_below(&input, TEXT + 64 - GUEST_LOWEST_ADDRESS);
}

static uint32_t any_handle(void)
{
    return fuzz_below(&input, 8) == 0 ? fuzz_below(&input, HANDLE_FIRST_DYNAMIC)
                                      : HANDLE_FIRST_DYNAMIC + fuzz_below(&input, 2 * LIMIT);
}

static void call_connect(guest_instance *g)
{
    bool is_v6 = fuzz_below(&input, 8) == 0;
    uint32_t words[12] = {
        is_v6, fuzz_below(&input, 4) != 0 ? echo.port : fuzz_below(&input, 70000), 127, 0, 0, 1};
    if (is_v6) {
        memset(words + 2, 0, sizeof words - 2 * sizeof words[0]);
        words[10] = 1;
    }
    if (fuzz_below(&input, 8) == 0) {
        words[fuzz_below(&input, 12)] = (uint32_t)fuzz_number(&input, 4);
    }
    wasi_sockets_tcp_tcp_socket_start_connect(
        g, any_handle(), HANDLE_NETWORK, words[0], words[1], words[2], words[3], words[4], words[5],
        words[6], words[7], words[8], words[9], words[10], words[11], any_offset());
}

static void call_option(guest_instance *g, uint32_t which)
{
    uint32_t self = any_handle();
    uint64_t value = fuzz_number(&input, 8);
    uint32_t result = any_offset();
    switch (which % 8) {
    case 0:
        wasi_sockets_tcp_tcp_socket_set_keep_alive_enabled(g, self, (uint32_t)value, result);
        break;
    case 1:
        wasi_sockets_tcp_tcp_socket_set_keep_alive_idle_time(g, self, value, result);
        break;
    case 2:
        wasi_sockets_tcp_tcp_socket_set_keep_alive_count(g, self, (uint32_t)value, result);
        break;
    case 3:
        wasi_sockets_tcp_tcp_socket_set_receive_buffer_size(g, self, value, result);
        break;
    case 4:
        wasi_sockets_tcp_tcp_socket_hop_limit(g, self, result);
        break;
    case 5:
        wasi_sockets_tcp_tcp_socket_keep_alive_interval(g, self, result);
        break;
    case 6:
        wasi_sockets_tcp_tcp_socket_local_address(g, self, result);
        break;
    default:
        wasi_sockets_tcp_tcp_socket_remote_address(g, self, result);
        break;
    }
}

static void call_any(fake_guest *guest)
{
    guest_instance *g = fake_guest_instance(guest);
    uint32_t which = fuzz_below(&input, 24);
    switch (which) {
    case 0:
    case 1:
        wasi_sockets_tcp_create_socket_create_tcp_socket(g, fuzz_below(&input, 3), any_offset());
        break;
    case 2:
    case 3:
        call_connect(g);
        break;
    case 4:
    case 5:
        wasi_sockets_tcp_tcp_socket_finish_connect(g, any_handle(), any_offset());
        break;
    case 6:
        wasi_sockets_tcp_tcp_socket_subscribe(g, any_handle());
        break;
    case 7:
        wasi_sockets_tcp_tcp_socket_shutdown(g, any_handle(), fuzz_below(&input, 4), any_offset());
        break;
    case 8:
        wasi_sockets_tcp_drop_tcp_socket(g, any_handle());
        break;
    case 9:
        if (fuzz_below(&input, 2) == 0) {
            const uint32_t name = fuzz_below(&input, 4);
            wasi_sockets_ip_name_lookup_resolve_addresses(
                g, HANDLE_NETWORK, GUEST_LOWEST_ADDRESS + 64 * name, (uint32_t)strlen(names[name]),
                any_offset());
            break;
        }
        wasi_sockets_ip_name_lookup_resolve_addresses(g, HANDLE_NETWORK, any_offset(),
                                                      fuzz_below(&input, 40), any_offset());
        break;
    case 10:
        wasi_sockets_ip_name_lookup_resolve_address_stream_resolve_next_address(g, any_handle(),
                                                                                any_offset());
        break;
    case 11:
        wasi_sockets_ip_name_lookup_resolve_address_stream_subscribe(g, any_handle());
        break;
    case 12:
        wasi_sockets_ip_name_lookup_drop_resolve_address_stream(g, any_handle());
        break;
    case 13:
        wasi_io_poll_pollable_block(g, any_handle());
        break;
    case 14:
        wasi_io_poll_poll(g, any_offset(), fuzz_below(&input, 12), any_offset());
        break;
    case 15:
        wasi_io_poll_drop_pollable(g, any_handle());
        break;
    case 16:
        wasi_io_streams_input_stream_read(g, any_handle(), fuzz_number(&input, 3), any_offset());
        break;
    case 17:
        wasi_io_streams_output_stream_write(g, any_handle(), any_offset(),
                                            fuzz_below(&input, 70000), any_offset());
        break;
    case 18:
        wasi_io_streams_output_stream_check_write(g, any_handle(), any_offset());
        break;
    case 19:
        wasi_io_streams_input_stream_subscribe(g, any_handle());
        wasi_io_streams_output_stream_subscribe(g, any_handle());
        break;
    case 20:
        wasi_io_streams_drop_input_stream(g, any_handle());
        break;
    case 21:
        wasi_io_streams_drop_output_stream(g, any_handle());
        break;
    case 22:
        net_guest_operation(g, fuzz_below(&input, 7), any_handle(), any_offset(),
                            fuzz_below(&input, 64), any_offset(), fuzz_below(&input, 64));
        break;
    default:
        call_option(g, fuzz_below(&input, 8));
        break;
    }
}

/* Guest code that runs while the host waits for its allocation. */
static void allocate_hostile(fake_guest *guest)
{
    guest->heap_next = FAKE_GUEST_HEAP;
    if (fuzz_below(&input, 4) == 0) {
        guest->on_allocate = NULL;
        call_any(guest);
        fake_guest_take_trap(guest);
        guest->on_allocate = allocate_hostile;
    }
    guest->refuse_allocation = fuzz_below(&input, 16) == 0;
}

static void answer(fake_guest *guest, const eryx_event *event)
{
    if (event->kind == ERYX_EVENT_CONNECT) {
        guest->sandbox.run.connect_allowed = event->as.connect.port == echo.port;
    }
}

static void check_limits(fake_guest *guest)
{
    const handle_table *handles = &guest->sandbox.handles;
    const eryx_connection *list;
    size_t count;
    uint64_t total;
    FUZZ_REQUIRE(handles->live <= handles_most(handles));
    net_list(guest->sandbox.net, &list, &count, &total);
    FUZZ_REQUIRE(count <= total);
    for (size_t i = 0; i < count; i++) {
        FUZZ_REQUIRE(!list[i].connected || list[i].port == echo.port);
    }
}

static void check_calls(void)
{
    const char *const resolver[] = {"127.0.0.1:9"};
    fake_guest *guest = fake_guest_create(MEMORY, LIMIT);
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.allow_localhost = true;
    options.allow_all_hosts = false;
    options.ask_on_connect = true;
    options.max_connections = 4;
    options.dns_servers = (eryx_texts){resolver, 1};
    net_policy *policy = NULL;
    FUZZ_REQUIRE(net_policy_create(&options, &policy, NULL) == ERYX_OK);
    FUZZ_REQUIRE(net_create(policy, &guest->sandbox.net));
    net_begin_run(guest->sandbox.net);
    guest->on_allocate = allocate_hostile;
    guest->on_yield = answer;
    guest->patience_ms = 1;
    for (size_t i = 0; i < 4; i++) {
        memcpy(fake_guest_bytes(guest, (uint32_t)(GUEST_LOWEST_ADDRESS + 64 * i), 16), names[i],
               strlen(names[i]));
    }
    for (int i = 0; i < MAX_CALLS && input.left > 0; i++) {
        if (fuzz_below(&input, 4) == 0) {
            uint32_t index = any_handle();
            memcpy(
                fake_guest_bytes(guest, (GUEST_LOWEST_ADDRESS + fuzz_below(&input, 2044)) & ~3u, 4),
                &index, 4);
        }
        call_any(guest);
        fake_guest_take_trap(guest);
        if (fuzz_below(&input, 64) == 0) {
            net_end_run(guest->sandbox.net, &guest->sandbox.handles);
            check_limits(guest);
            net_begin_run(guest->sandbox.net);
        }
    }
    net_end_run(guest->sandbox.net, &guest->sandbox.handles);
    check_limits(guest);
    fake_guest_destroy(guest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (echo.port == 0) {
        server_start(&echo, serve_echo);
    }
    input = (fuzz_input){data, size};
    if (fuzz_below(&input, 2) == 0) {
        check_texts();
    } else {
        check_calls();
    }
    return 0;
}
