/* The network of a real guest: real sockets, servers on loopback in threads of this process. */
#include "live_network.h"

/* ---- Off, and rules -------------------------------------------------------------------------- */

static void test_off_by_default(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    unsigned before = open_descriptors();
    const char *output = run_in(sandbox, false,
                                "print(attempt(connect, %u))\n"
                                "print(attempt(socket.getaddrinfo, 'example.com', 80))\n"
                                "print(attempt(socket.socket, socket.AF_INET, socket.SOCK_DGRAM))",
                                80);
    ASSERT_STR_EQ(output,
                  "PermissionError: [Errno 2] the network is off in this sandbox: not permitted\n"
                  "PermissionError: [Errno 2] the network is off in this sandbox: not permitted\n"
                  "PermissionError: [Errno 2] the network is off in this sandbox: not permitted\n");
    const eryx_result *result = eryx_sandbox_result(sandbox);
    ASSERT_EQ(result->connection_count, 0);
    ASSERT_EQ(result->connections_total, 0);
    ASSERT_EQ(open_descriptors(), before);
    eryx_sandbox_destroy(sandbox);
}

static void test_refusals_name_the_rule(void)
{
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    used.network.allow_localhost = false;
    static const char *const blocked[] = {"93.184.*"};
    used.network.blocked_hosts = (eryx_texts){blocked, 1};
    const char *output = run_once(
        &used,
        "for host in ('127.0.0.1', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '0.0.0.0',\n"
        "             '::1', '::ffff:127.0.0.1', '::', '10.1.2.3', '169.254.169.254', "
        "'localhost',\n"
        "             'LOCALHOST.', '93.184.216.34', 'fd00::1', 'fe80::1', '100.64.0.1',\n"
        "             '224.0.0.1'):\n"
        "    print(attempt(connect, %u, host, 5))\n"
        "raw = socket.socket()\n"
        "print(attempt(raw.connect, ('127.0.0.1', 80)))\n"
        "raw.setblocking(False)\n"
        "print(attempt(raw.connect, ('127.0.0.1', 80)))\n",
        echo.port);
    static const char *const parts[] = {
        "address 127.0.0.1 is blocked: loopback\n",
        "address 0.0.0.0 is blocked: unspecified\n",
        "address ::1 is blocked: loopback\n",
        "address :: is blocked: unspecified\n",
        "address 10.1.2.3 is blocked: private network\n",
        "address 169.254.169.254 is blocked: link-local\n",
        "host 'localhost' is blocked: it is a name of the host itself\n",
        "address 93.184.216.34 is blocked by rule '93.184.*'\n",
        "address fd00::1 is blocked: unique local\n",
        "address fe80::1 is blocked: link-local\n",
        "address 100.64.0.1 is blocked: shared address space\n",
        "address 224.0.0.1 is blocked: multicast\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ASSERT_STR_CONTAINS(output, parts[i]);
    }
    size_t lines = 0;
    for (const char *line = output; *line != 0; line = strchr(line, '\n') + 1) {
        ASSERT(strncmp(line, "PermissionError: ", 17) == 0);
        lines++;
    }
    ASSERT_EQ(lines, 20);
    ASSERT_EQ(atomic_load(&echo.accepted), 0);
    server_stop(&echo);
}

static void test_bad_names_are_refused(void)
{
    network_case used;
    case_init(&used);
    used.network.allow_all_hosts = false;
    const char *output =
        run_once(&used,
                 "for name in (b'b\\xc3\\xbccher.example', 'a' * 300 + '.example',\n"
                 "             'good.example\\0.evil', 'evil.example', 'a b'):\n"
                 "    try:\n"
                 "        print(socket.getaddrinfo(name, 80))\n"
                 "    except (OSError, UnicodeError) as error:\n"
                 "        print(type(error).__name__, error)\n",
                 0);
    ASSERT_STR_CONTAINS(output, "PermissionError [Errno 2] the host name is not ASCII");
    ASSERT_STR_CONTAINS(output, "gaierror [Errno -2] the host name has a zero byte");
    ASSERT_STR_CONTAINS(output, "host 'evil.example' is not in the allowed list");
    ASSERT_STR_CONTAINS(output, "a character that is not allowed: 0x20");
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void test_echo_and_counters(void)
{
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    unsigned before = open_wait_descriptors();
    const char *output =
        run_in(sandbox, false,
               "port = %u\n"
               "with connect(port) as s:\n"
               "    assert s.getpeername() == ('127.0.0.1', port), s.getpeername()\n"
               "    assert s.getsockname()[0] == '127.0.0.1'\n"
               "    s.sendall(b'hello')\n"
               "    print(s.recv(100))\n"
               "    s.settimeout(20)\n"
               "    data = bytes(range(256)) * 4096\n"
               "    got = bytearray()\n"
               "    s.sendall(data[:200000])\n"
               "    while len(got) < 200000:\n"
               "        view = memoryview(bytearray(70000))\n"
               "        n = s.recv_into(view)\n"
               "        got += view[:n]\n"
               "    print(got == data[:200000])\n"
               "    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
               "    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
               "    print(s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))\n"
               "    file = s.makefile('rwb')\n"
               "    file.write(b'line\\nmore\\n'); file.flush()\n"
               "    print(file.readline(), file.readline())\n"
               "    s.shutdown(socket.SHUT_WR)\n"
               "    print(file.read(), attempt(s.send, b'x'))\n"
               "print(attempt(socket.create_server, ('127.0.0.1', 0)))\n",
               echo.port);
    ASSERT_STR_EQ(
        output, "b'hello'\nTrue\n1\nb'line\\n' b'more\\n'\nb'' BrokenPipeError: [Errno 64] Broken "
                "pipe\nPermissionError: [Errno 2] not permitted: a sandbox has no servers (bind, "
                "listen, accept) (while attempting to bind on address ('127.0.0.1', 0))\n");
    const eryx_result *result = eryx_sandbox_result(sandbox);
    ASSERT_EQ(result->connection_count, 1);
    ASSERT_EQ(result->connections_total, 1);
    const eryx_connection *connection = &result->connections[0];
    ASSERT_STR_EQ(connection->host, "127.0.0.1");
    ASSERT_STR_EQ(connection->address, "127.0.0.1");
    ASSERT_EQ(connection->port, echo.port);
    ASSERT_EQ(connection->bytes_in, 200015);
    ASSERT_EQ(connection->bytes_out, 200015);
    ASSERT(connection->connected && !connection->tls && connection->refusal == NULL);
    ASSERT(connection->duration_ns > 0);
    ASSERT_EQ(open_wait_descriptors(), before);
    eryx_sandbox_destroy(sandbox);
    server_stop(&echo);
}

static void test_one_read_is_bounded(void)
{
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    const char *output = run_once(&used,
                                  "s = connect(%u)\n"
                                  "s.settimeout(30)\n"
                                  "s.setblocking(False)\n"
                                  "left, back, largest = 6 << 20, 6 << 20, 0\n"
                                  "import select\n"
                                  "while back:\n"
                                  "    r, w, _ = select.select([s], [s] if left else [], [], 30)\n"
                                  "    if w:\n"
                                  "        left -= s.send(b'x' * min(left, 1 << 18))\n"
                                  "    if r:\n"
                                  "        got = len(s.recv(1 << 24))\n"
                                  "        back -= got\n"
                                  "        largest = max(largest, got)\n"
                                  "print(left, back, 0 < largest <= 1 << 20)\n",
                                  echo.port);
    ASSERT_STR_EQ(output, "0 0 True\n");
    server_stop(&echo);
}

static void test_ipv6(void)
{
    server echo;
    if (!server_listen(&echo, true, 8)) {
        fprintf(stderr, "no ::1 here\n");
        return;
    }
    echo.serve = serve_echo;
    ASSERT_EQ(pthread_create(&echo.thread, NULL, server_accept, &echo), 0);
    network_case used;
    case_init(&used);
    const char *output = run_once(&used,
                                  "port = %u\n"
                                  "s = connect(port, '::1')\n"
                                  "s.sendall(b'six'); print(s.recv(9), s.getpeername())\n"
                                  "t = socket.socket(socket.AF_INET6)\n"
                                  "t.connect(('::1', port)); t.sendall(b'x'); print(t.recv(1))\n",
                                  echo.port);
    char expected[100];
    snprintf(expected, sizeof expected, "b'six' ('::1', %u, 0, 0)\nb'x'\n", echo.port);
    ASSERT_STR_EQ(output, expected);
    server_stop(&echo);
}

static void test_reset_end_and_refused_port(void)
{
    server reset;
    server_start(&reset, serve_reset);
    network_case used;
    case_init(&used);
    const char *output = run_once(&used,
                                  "s = connect(%u)\n"
                                  "s.sendall(b'x')\n"
                                  "print(attempt(s.recv, 10))\n"
                                  "s.close()\n"
                                  "print(attempt(connect, 1, '127.0.0.1', 5))\n"
                                  "t = socket.socket()\n"
                                  "print(attempt(t.connect, ('127.0.0.1', 1)))\n"
                                  "print(attempt(t.recv, 1))\n"
                                  "print(t.connect_ex(('127.0.0.1', 1)) != 0)\n",
                                  reset.port);
    ASSERT_STR_EQ(output, "ConnectionResetError: [Errno 15] Connection reset by peer\n"
                          "ConnectionRefusedError: [Errno 14] Connection refused\n"
                          "ConnectionRefusedError: [Errno 14] Connection refused\n"
                          "OSError: [Errno 53] Socket not connected\n"
                          "True\n");
    server_stop(&reset);
}

/* What sendall() has taken arrives although the program ends at once and the peer is slow. */
static void test_rest_is_sent_at_the_end(void)
{
    server sink;
    server_start(&sink, serve_sink);
    network_case used;
    case_init(&used);
    for (int closes = 0; closes < 2; closes++) {
        atomic_store(&sink.bytes, 0);
        ASSERT_STR_EQ(run_once(&used,
                               closes ? "s = connect(%u)\ns.sendall(b'x' * (8 << 20))\ns.close()"
                                      : "s = connect(%u)\ns.sendall(b'x' * (8 << 20))\n",
                               sink.port),
                      "");
        uint64_t end = now_ms() + 10000;
        while (atomic_load(&sink.bytes) < 8 << 20 && now_ms() < end) {
            usleep(1000);
        }
        ASSERT_EQ(atomic_load(&sink.bytes), 8 << 20);
    }
    server_stop(&sink);
}

/* ---- Time ------------------------------------------------------------------------------------ */

/* A server whose queue is full: connects to it hang. */
static int fill_queue(server *full)
{
    ASSERT(server_listen(full, false, 0));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(full->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void test_ceilings_of_the_host(void)
{
    server silent;
    server full;
    server_start(&silent, serve_nothing);
    int first = fill_queue(&full);
    network_case used;
    case_init(&used);
    used.network.connect_timeout_ms = 100;
    used.network.io_timeout_ms = 100;
    ASSERT_STR_EQ(run_once(&used,
                           "s = connect(%u)\n"
                           "print(attempt(s.recv, 1))\n"
                           "s.settimeout(100)\n"
                           "print(attempt(s.recv, 1))\n"
                           "s.settimeout(0.02)\n"
                           "print(attempt(s.recv, 1))\n"
                           "s.settimeout(None)\n"
                           "print(attempt(s.sendall, b'x' * (64 << 20)))\n",
                           silent.port),
                  "TimeoutError: [Errno 73] Connection timed out\n"
                  "TimeoutError: [Errno 73] Connection timed out\n"
                  "TimeoutError: timed out\n"
                  "TimeoutError: [Errno 73] Connection timed out\n");
    ASSERT_STR_EQ(run_once(&used,
                           "port = %u\n"
                           "print(attempt(connect, port))\n"
                           "print(attempt(connect, port, '127.0.0.1', 100))\n"
                           "print(attempt(connect, port, '127.0.0.1', 0.02))\n",
                           full.port),
                  "TimeoutError: [Errno 73] Operation timed out\n"
                  "TimeoutError: [Errno 73] Operation timed out\n"
                  "TimeoutError: timed out\n");
    close(first);
    server_stop(&full);
    server_stop(&silent);
}

static const dns_name no_names[] = {{NULL, {NULL}}};

/* A run that is cut in the middle of a wait ends in time and leaves nothing open. */
static void test_timeout_in_every_wait(void)
{
    static const char *const programs[] = {
        "s = connect(%u); s.recv(1)",
        "s = connect(%u); s.settimeout(60); s.recv(1)",
        "s = connect(%u)\nwhile True:\n    attempt(s.recv, 1)\n",
        "s = connect(%u); s.sendall(b'x' * (64 << 20))",
        "async def main():\n"
        "    r, w = await asyncio.open_connection('127.0.0.1', %u)\n"
        "    await r.read()\n"
        "asyncio.run(main())",
        "import select; s = connect(%u); select.select([s], [], [])",
    };
    server silent;
    server full;
    dns_server dns;
    dns_start(&dns, no_names);
    atomic_store(&dns.delay_ms, 100000);
    server_start(&silent, serve_nothing);
    int first = fill_queue(&full);
    network_case used;
    case_init(&used);
    const char *const servers[] = {dns.text};
    used.network.dns_servers = (eryx_texts){servers, 1};
    used.options.limits.execution_timeout_ms = 150;
    unsigned before = open_wait_descriptors();
    for (size_t i = 0; i < sizeof programs / sizeof programs[0] + 4; i++) {
        const size_t count = sizeof programs / sizeof programs[0];
        const char *program = i < count        ? programs[i]
                              : i == count     ? "connect(%u)"
                              : i == count + 1 ? "connect(%u, '127.0.0.1', 60)"
                              : i == count + 2
                                  ? "socket.getaddrinfo('slow.example', %u)"
                                  : "async def main():\n"
                                    "    await asyncio.open_connection('slow.example', %u)\n"
                                    "asyncio.run(main())";
        eryx_sandbox *sandbox = live_create(&used.options);
        uint64_t begin = now_ms();
        run_in(sandbox, false, program, i < count ? silent.port : full.port);
        ASSERT_EQ(eryx_sandbox_result(sandbox)->status, ERYX_TIMEOUT);
        ASSERT(now_ms() - begin < 5000);
        ASSERT_EQ(open_wait_descriptors(), before);
        eryx_sandbox_destroy(sandbox);
    }
    close(first);
    server_stop(&full);
    server_stop(&silent);
    dns_stop(&dns);
}

static void *cancel_soon(void *argument)
{
    usleep(100000);
    eryx_sandbox_cancel(argument);
    return NULL;
}

static void test_cancel_wakes_a_wait_for_a_socket(void)
{
    server silent;
    server_start(&silent, serve_nothing);
    network_case used;
    case_init(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, cancel_soon, sandbox), 0);
    uint64_t begin = now_ms();
    run_in(sandbox, false, "connect(%u).recv(1)", silent.port);
    pthread_join(thread, NULL);
    ASSERT_EQ(eryx_sandbox_result(sandbox)->status, ERYX_CANCELLED);
    ASSERT(now_ms() - begin < 10000);
    eryx_sandbox_destroy(sandbox);
    server_stop(&silent);
}

/* The host is not woken while nothing happens. */
static void test_waiting_is_not_busy(void)
{
    server silent;
    server_start(&silent, serve_nothing);
    network_case used;
    case_init(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    char source[512];
    snprintf(source, sizeof source,
             "import socket\ns = socket.create_connection(('127.0.0.1', %u), 0.4)\n"
             "try:\n    s.recv(1)\nexcept TimeoutError:\n    print('late')\n",
             silent.port);
    eryx_run_options run = live_program(source);
    ASSERT_EQ(eryx_run_begin(sandbox, &run, NULL), ERYX_OK);
    unsigned waits = 0;
    eryx_event event;
    do {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        if (event.kind == ERYX_EVENT_WAIT) {
            ASSERT(event.as.wait.fd >= 0);
            waits++;
            eryx_sandbox_wait(sandbox, event.as.wait.wake_ns);
        }
    } while (event.kind != ERYX_EVENT_DONE);
    ASSERT_EQ(eryx_sandbox_result(sandbox)->status, ERYX_OK);
    ASSERT(waits < 20);
    eryx_sandbox_destroy(sandbox);
    server_stop(&silent);
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static void test_limits(void)
{
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    used.network.max_connections = 2;
    used.network.max_total_connections = 5;
    used.network.max_bytes = 10;
    eryx_sandbox *sandbox = live_create(&used.options);
    static const char program[] = "port = %u\n"
                                  "a, b = connect(port), connect(port)\n"
                                  "print(attempt(connect, port))\n"
                                  "b.close()\n"
                                  "for _ in range(3):\n"
                                  "    b = connect(port); b.close()\n"
                                  "print(attempt(connect, port))\n"
                                  "a.sendall(b'12345'); print(a.recv(2), a.recv(9))\n"
                                  "print(attempt(a.recv, 1)); print(attempt(a.send, b'x'))\n";
    for (int round = 0; round < 2; round++) {
        ASSERT_STR_EQ(
            run_in(sandbox, true, program, echo.port),
            "OSError: [Errno 33] connection limit reached: max_connections is 2\n"
            "OSError: [Errno 33] connection limit reached: max_total_connections is 5\n"
            "b'12' b'345'\n"
            "PermissionError: [Errno 2] the limit max_bytes of the network is reached: 10 "
            "bytes\n"
            "PermissionError: [Errno 2] the limit max_bytes of the network is reached: 10 "
            "bytes\n");
        const eryx_result *result = eryx_sandbox_result(sandbox);
        ASSERT_EQ(result->connection_count, 7);
        ASSERT_STR_EQ(result->connections[2].refusal,
                      "connection limit reached: max_connections is 2");
    }
    eryx_sandbox_destroy(sandbox);
    server_stop(&echo);
}

static void test_many_connects_in_a_loop(void)
{
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    used.network.max_total_connections = 3000;
    eryx_sandbox *sandbox = live_create(&used.options);
    unsigned before = open_wait_descriptors();
    ASSERT_STR_EQ(run_in(sandbox, false,
                         "port = %u\n"
                         "count = 0\n"
                         "for _ in range(10000):\n"
                         "    try:\n"
                         "        connect(port).close()\n"
                         "        count += 1\n"
                         "    except OSError:\n"
                         "        pass\n"
                         "print(count)",
                         echo.port),
                  "3000\n");
    const eryx_result *result = eryx_sandbox_result(sandbox);
    ASSERT_EQ(result->connection_count, 1000);
    ASSERT_EQ(result->connections_total, 10000);
    ASSERT_EQ(open_wait_descriptors(), before);
    eryx_sandbox_destroy(sandbox);
    server_stop(&echo);
}

/* Sockets that are made and never used cost handles, and end in an error, not in a crash. */
static void test_unused_sockets_meet_the_handle_limit(void)
{
    network_case used;
    case_init(&used);
    used.options.limits.max_open_handles = 100;
    const char *output = run_once(&used,
                                  "port = %u\n"
                                  "held = []\n"
                                  "def fill():\n"
                                  "    while True:\n"
                                  "        held.append(socket.socket())\n"
                                  "print(attempt(fill), 50 < len(held) <= 100)\n"
                                  "held.clear()\n"
                                  "print(socket.socket().fileno() > 0)\n",
                                  0);
    ASSERT_STR_CONTAINS(output, "OSError: [Errno 33] too many open files, sockets and timers: "
                                "max_open_handles is 100 True\nTrue\n");
}

int main(int argc, char **argv)
{
    static const test_case cases[] = {
        TEST_CASE(test_off_by_default),
        TEST_CASE(test_refusals_name_the_rule),
        TEST_CASE(test_bad_names_are_refused),
        TEST_CASE(test_echo_and_counters),
        TEST_CASE(test_one_read_is_bounded),
        TEST_CASE(test_ipv6),
        TEST_CASE(test_reset_end_and_refused_port),
        TEST_CASE(test_rest_is_sent_at_the_end),
        TEST_CASE(test_ceilings_of_the_host),
        TEST_CASE(test_timeout_in_every_wait),
        TEST_CASE(test_cancel_wakes_a_wait_for_a_socket),
        TEST_CASE(test_waiting_is_not_busy),
        TEST_CASE(test_limits),
        TEST_CASE(test_many_connects_in_a_loop),
        TEST_CASE(test_unused_sockets_meet_the_handle_limit),
    };
    live_open();
    int status = test_run(cases, sizeof cases / sizeof cases[0], argc > 1 ? argv[1] : "");
    live_close();
    return status;
}
