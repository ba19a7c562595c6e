/* The network of a real guest: names and their addresses, questions to the embedder, what is left
 * at the end of a run, and asyncio. */
#include <fcntl.h>
#include <sys/wait.h>

#include "live_network.h"

/* ---- Names ----------------------------------------------------------------------------------- */

static const dns_name names[] = {
    {"svc.test", {"127.0.0.1"}},
    {"rebind.test", {"93.184.216.34", "127.0.0.1"}},
    {"mixed.test", {"10.1.1.1"}},
    {"public.test", {"93.184.216.34"}},
    {NULL, {NULL}},
};

/* A case whose names come from that server. */
static void names_init(network_case *used, dns_server *dns, const char **address)
{
    dns_start(dns, names);
    case_init(used);
    *address = dns->text;
    used->network.dns_servers = (eryx_texts){address, 1};
    used->network.allow_localhost = false;
}

static void test_names_are_looked_up_and_checked(void)
{
    server echo;
    dns_server dns;
    network_case used;
    const char *address;
    const char *internal = "svc.test=127.0.0.1";
    server_start(&echo, serve_echo);
    names_init(&used, &dns, &address);
    used.network.internal_hosts = (eryx_texts){&internal, 1};
    eryx_sandbox *sandbox = live_create(&used.options);
    const char *output =
        run_in(sandbox, false,
               "port = %u\n"
               "print(attempt(connect, port, '127.0.0.1'))\n"
               "with connect(port, 'SVC.test.') as s:\n"
               "    s.sendall(b'name'); print(s.recv(4), s.getpeername()[0])\n"
               "print(socket.gethostbyname('svc.test'), socket.gethostbyname_ex('svc.test'))\n"
               "with connect(port, '127.0.0.1') as s:\n"
               "    s.sendall(b'addr'); print(s.recv(4))\n"
               "raw = socket.socket(); raw.connect(('svc.test', port)); raw.close()\n"
               "print(attempt(connect, port, '127.0.0.2'))\n"
               "print(attempt(socket.getaddrinfo, 'mixed.test', 80))\n"
               "print(attempt(socket.getaddrinfo, 'none.test', 80))\n"
               "print(attempt(socket.getaddrinfo, 'svc.test', 80, socket.AF_INET6))\n"
               "print(socket.getaddrinfo('public.test', 'https')[0][4])\n",
               echo.port);
    ASSERT_STR_EQ(
        output,
        "PermissionError: [Errno 2] address 127.0.0.1 is blocked: loopback\n"
        "b'name' 127.0.0.1\n"
        "127.0.0.1 ('svc.test', [], ['127.0.0.1'])\n"
        "b'addr'\n"
        "PermissionError: [Errno 2] address 127.0.0.2 is blocked: loopback\n"
        "PermissionError: [Errno 2] address 10.1.1.1 of host 'mixed.test' is blocked: private "
        "network\n"
        "gaierror: [Errno -2] Name does not resolve\n"
        "gaierror: [Errno -2] Name has no address of that family\n"
        "('93.184.216.34', 443)\n");
    const eryx_result *result = eryx_sandbox_result(sandbox);
    ASSERT_EQ(result->connection_count, 6);
    ASSERT_STR_EQ(result->connections[0].refusal, "address 127.0.0.1 is blocked: loopback");
    ASSERT_STR_EQ(result->connections[1].host, "svc.test");
    ASSERT_STR_EQ(result->connections[1].address, "127.0.0.1");
    ASSERT_STR_EQ(result->connections[5].host, "mixed.test");
    ASSERT_STR_EQ(result->connections[5].address, "10.1.1.1");

    /* What an earlier run has looked up counts no more. */
    ASSERT_STR_EQ(run_in(sandbox, false, "print(attempt(connect, %u, '127.0.0.1'))", echo.port),
                  "PermissionError: [Errno 2] address 127.0.0.1 is blocked: loopback\n");
    eryx_sandbox_destroy(sandbox);
    dns_stop(&dns);
    server_stop(&echo);
}

static void test_rebinding(void)
{
    server echo;
    dns_server dns;
    network_case used;
    const char *address;
    server_start(&echo, serve_echo);
    names_init(&used, &dns, &address);
    ASSERT_STR_EQ(run_once(&used,
                           "port = %u\n"
                           "print(socket.gethostbyname('rebind.test'))\n"
                           "print(attempt(connect, port, 'rebind.test'))\n"
                           "print(attempt(connect, port, '127.0.0.1'))\n",
                           echo.port),
                  "93.184.216.34\n"
                  "PermissionError: [Errno 2] address 127.0.0.1 of host 'rebind.test' is blocked: "
                  "loopback\n"
                  "PermissionError: [Errno 2] address 127.0.0.1 is blocked: loopback\n");
    ASSERT_EQ(atomic_load(&echo.accepted), 0);
    dns_stop(&dns);
    server_stop(&echo);
}

/* Nothing is asked about names that the rules forbid: a lookup tells things to the outside. */
static void test_forbidden_names_are_not_asked_about(void)
{
    dns_server dns;
    network_case used;
    const char *address;
    const char *allowed = "*.good.test";
    names_init(&used, &dns, &address);
    used.network.allow_all_hosts = false;
    used.network.allowed_hosts = (eryx_texts){&allowed, 1};
    ASSERT_STR_EQ(run_once(&used,
                           "print(attempt(socket.getaddrinfo, 'secret.evil.test', %u))\n"
                           "async def main():\n"
                           "    loop = asyncio.get_running_loop()\n"
                           "    try:\n"
                           "        await loop.getaddrinfo('secret.evil.test', 80)\n"
                           "    except OSError as error:\n"
                           "        print(error)\n"
                           "asyncio.run(main())\n",
                           80),
                  "PermissionError: [Errno 2] host 'secret.evil.test' is not in the allowed list\n"
                  "[Errno 2] host 'secret.evil.test' is not in the allowed list\n");
    ASSERT_EQ(atomic_load(&dns.questions), 0);
    dns_stop(&dns);
}

static void test_a_silent_dns_server(void)
{
    dns_server dns;
    network_case used;
    const char *address;
    names_init(&used, &dns, &address);
    atomic_store(&dns.delay_ms, 100000);
    used.network.connect_timeout_ms = 100;
    ASSERT_STR_EQ(run_once(&used,
                           "print(attempt(socket.getaddrinfo, 'public.test', %u))\n"
                           "async def main():\n"
                           "    try:\n"
                           "        await asyncio.open_connection('public.test', 80)\n"
                           "    except OSError as error:\n"
                           "        print(error)\n"
                           "asyncio.run(main())\n",
                           80),
                  "gaierror: [Errno -3] Try again\n"
                  "[Errno -3] Temporary failure in name resolution\n");
    dns_stop(&dns);
}

/* ---- Questions to the embedder --------------------------------------------------------------- */

static void test_ask_on_connect(void)
{
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    used.network.ask_on_connect = true;
    eryx_sandbox *sandbox = live_create(&used.options);
    ASSERT_EQ(eryx_connect_answer(sandbox, true), ERYX_INVALID_ARGUMENT);
    char source[2048];
    snprintf(source, sizeof source,
             "%s\nfor port in (%u, %u, %u):\n"
             "    got = attempt(connect, port)\n"
             "    print(got if isinstance(got, str) else 'connected')\n"
             "print(attempt(connect, 80, '10.0.0.1'))\n",
             program_head, echo.port, echo.port, echo.port);
    eryx_run_options run = live_program(source);
    ASSERT_EQ(eryx_run_begin(sandbox, &run, NULL), ERYX_OK);
    eryx_event event;
    unsigned questions = 0;
    do {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        if (event.kind == ERYX_EVENT_CONNECT) {
            ASSERT_STR_EQ(event.as.connect.host, "127.0.0.1");
            ASSERT_STR_EQ(event.as.connect.address, "127.0.0.1");
            ASSERT_EQ(event.as.connect.port, echo.port);
            if (questions < 2) {
                ASSERT_EQ(eryx_connect_answer(sandbox, questions == 1), ERYX_OK);
            }
            questions++;
        } else {
            ASSERT_EQ(eryx_connect_answer(sandbox, true), ERYX_INVALID_ARGUMENT);
        }
        if (event.kind == ERYX_EVENT_WAIT) {
            eryx_sandbox_wait(sandbox, event.as.wait.wake_ns);
        }
    } while (event.kind != ERYX_EVENT_DONE);
    ASSERT_EQ(questions, 3);
    const eryx_result *result = eryx_sandbox_result(sandbox);
    char expected[1024];
    snprintf(expected, sizeof expected,
             "PermissionError: [Errno 2] connection to '127.0.0.1' port %u is not permitted by the "
             "host\nconnected\nPermissionError: [Errno 2] connection to '127.0.0.1' port %u is not "
             "permitted by the host\nPermissionError: [Errno 2] address 10.0.0.1 is blocked: "
             "private network\n",
             echo.port, echo.port);
    ASSERT_BYTES_EQ(result->standard_output.data, result->standard_output.size, expected,
                    strlen(expected));
    ASSERT_EQ(result->connection_count, 4);
    ASSERT(result->connections[0].refusal != NULL && result->connections[1].refusal == NULL);
    eryx_sandbox_destroy(sandbox);
    server_stop(&echo);
}

/* A run that is cancelled while the embedder is asked. */
static void test_cancel_at_a_question(void)
{
    network_case used;
    case_init(&used);
    used.network.ask_on_connect = true;
    eryx_sandbox *sandbox = live_create(&used.options);
    eryx_run_options run = live_program("import socket\n"
                                        "socket.create_connection(('127.0.0.1', 80))");
    ASSERT_EQ(eryx_run_begin(sandbox, &run, NULL), ERYX_OK);
    eryx_event event;
    do {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        if (event.kind == ERYX_EVENT_CONNECT) {
            eryx_sandbox_cancel(sandbox);
        }
    } while (event.kind != ERYX_EVENT_DONE);
    ASSERT_EQ(eryx_sandbox_result(sandbox)->status, ERYX_CANCELLED);
    eryx_sandbox_destroy(sandbox);
}

/* ---- What is left ---------------------------------------------------------------------------- */

static const char opening[] = "port = %u\n"
                              "s = connect(port)\n"
                              "s.sendall(b'x'); print(s.recv(1))\n"
                              "loop = asyncio.new_event_loop()\n"
                              "pending = socket.socket(); pending.setblocking(False)\n";

static const char using_dead_sockets[] =
    "port = %u\n"
    "for use in (lambda: s.recv(1), lambda: s.send(b'x'), s.getpeername, s.getsockname,\n"
    "            lambda: s.shutdown(socket.SHUT_RDWR), lambda: s.getsockopt(socket.SOL_SOCKET,\n"
    "            socket.SO_KEEPALIVE), lambda: pending.connect(('127.0.0.1', port))):\n"
    "    got = attempt(use)\n"
    "    assert got.startswith('ConnectionAbortedError'), got\n"
    "import select\n"
    "print(len(select.select([s], [s], [], 5)[0]))\n"
    "s.close(); pending.close()\n"
    "t = connect(port); t.sendall(b'new'); print(t.recv(3))\n";

static void wait_for_end(server *of, unsigned count)
{
    uint64_t end = now_ms() + 10000;
    while (atomic_load(&of->ended) < count && now_ms() < end) {
        usleep(1000);
    }
    ASSERT_EQ(atomic_load(&of->ended), count);
}

static void test_sockets_end_with_the_run(void)
{
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    ASSERT_STR_EQ(run_in(sandbox, true, opening, echo.port), "b'x'\n");
    wait_for_end(&echo, 1);
    ASSERT_STR_EQ(run_in(sandbox, true, using_dead_sockets, echo.port), "1\nb'new'\n");
    ASSERT_EQ(eryx_sandbox_result(sandbox)->status, ERYX_OK);
    eryx_sandbox_destroy(sandbox);
    server_stop(&echo);
}

static void test_sockets_are_dead_in_copies(void)
{
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    char path[] = "/tmp/eryx-network-XXXXXX";
    int file = mkstemp(path);
    ASSERT(file >= 0);
    close(file);
    eryx_error error = {{0}};
    eryx_sandbox *sandbox = live_create(&used.options);
    ASSERT_STR_EQ(run_in(sandbox, true, opening, echo.port), "b'x'\n");
    eryx_sandbox *fork = NULL;
    eryx_checkpoint *checkpoint = NULL;
    ASSERT_EQ(eryx_sandbox_fork(sandbox, &fork, &error), ERYX_OK);
    ASSERT_EQ(eryx_checkpoint_create(sandbox, false, &checkpoint, &error), ERYX_OK);
    ASSERT_EQ(eryx_sandbox_save(sandbox, path, false, &error), ERYX_OK);
    ASSERT_STR_EQ(run_in(fork, true, using_dead_sockets, echo.port), "1\nb'new'\n");
    eryx_sandbox_destroy(fork);
    ASSERT_STR_EQ(run_in(sandbox, true, using_dead_sockets, echo.port), "1\nb'new'\n");
    ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoint, &error), ERYX_OK);
    ASSERT_STR_EQ(run_in(sandbox, true, using_dead_sockets, echo.port), "1\nb'new'\n");
    eryx_checkpoint_destroy(checkpoint);
    eryx_sandbox_destroy(sandbox);

    eryx_sandbox *loaded = live_create(&used.options);
    eryx_sandbox_load(loaded, path, &error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_STR_EQ(run_in(loaded, true, using_dead_sockets, echo.port), "1\nb'new'\n");
    eryx_sandbox_destroy(loaded);

    /* A sandbox without a network may be put into the state of one with it. */
    loaded = live_create(NULL);
    ASSERT_EQ(eryx_sandbox_load(loaded, path, &error), ERYX_OK);
    ASSERT_STR_EQ(run_in(loaded, true, "print(attempt(s.recv, 1)); print(attempt(connect, %u))", 1),
                  "PermissionError: [Errno 2] the network is off in this sandbox: not permitted\n"
                  "PermissionError: [Errno 2] the network is off in this sandbox: not permitted\n");
    eryx_sandbox_destroy(loaded);
    unlink(path);
    server_stop(&echo);
}

/* Reset, rollback and destroy in the middle of a run close what it has open. */
static void test_a_dropped_run_leaves_nothing(void)
{
    server silent;
    server_start(&silent, serve_nothing);
    network_case used;
    case_init(&used);
    unsigned before = open_wait_descriptors();
    eryx_sandbox *sandbox = live_create(&used.options);
    eryx_checkpoint *checkpoint = NULL;
    run_in(sandbox, true, "x = %u", 1);
    ASSERT_EQ(eryx_checkpoint_create(sandbox, false, &checkpoint, NULL), ERYX_OK);
    for (unsigned round = 0; round < 3; round++) {
        char source[256];
        snprintf(source, sizeof source,
                 "import socket\nsocket.create_connection(('127.0.0.1', %u)).recv(1)\n",
                 silent.port);
        eryx_run_options run = live_program(source);
        ASSERT_EQ(eryx_run_begin(sandbox, &run, NULL), ERYX_OK);
        eryx_event event;
        while (atomic_load(&silent.accepted) == round) {
            ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
            ASSERT_EQ(event.kind, ERYX_EVENT_WAIT);
            usleep(1000);
        }
        if (round == 0) {
            ASSERT_EQ(eryx_sandbox_rollback(sandbox, checkpoint, NULL), ERYX_OK);
        } else if (round == 1) {
            ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
        } else {
            eryx_sandbox_destroy(sandbox);
        }
        wait_for_end(&silent, round + 1);
        ASSERT_EQ(open_wait_descriptors(), before);
    }
    eryx_checkpoint_destroy(checkpoint);
    server_stop(&silent);
}

/* A child of the host's process that lets go of the sandbox leaves the parent's connection alone.
 */
static void test_a_forked_process_does_not_disturb(void)
{
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    char source[512];
    snprintf(
        source, sizeof source,
        "import socket, time\ns = socket.create_connection(('127.0.0.1', %u))\n"
        "s.sendall(b'before'); print(s.recv(6))\ntime.sleep(0.05)\n"
        "s.sendall(b'after'); print(s.recv(5), len(s.recv(1 << 20) if s.shutdown(1) else b''))\n",
        echo.port);
    eryx_run_options run = live_program(source);
    run.stream_output = true;
    ASSERT_EQ(eryx_run_begin(sandbox, &run, NULL), ERYX_OK);
    eryx_event event;
    bool forked = false;
    do {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        if (event.kind == ERYX_EVENT_OUTPUT && !forked) {
            forked = true;
            pid_t child = fork();
            ASSERT(child >= 0);
            if (child == 0) {
                eryx_sandbox_cancel(sandbox);
                bool refused = eryx_run_step(sandbox, &event) == ERYX_FORKED;
                eryx_sandbox_destroy(sandbox);
                _exit(refused ? 0 : 1);
            }
            int status;
            ASSERT_EQ(waitpid(child, &status, 0), child);
            ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        } else if (event.kind == ERYX_EVENT_WAIT) {
            eryx_sandbox_wait(sandbox, event.as.wait.wake_ns);
        }
    } while (event.kind != ERYX_EVENT_DONE);
    const eryx_result *result = eryx_sandbox_result(sandbox);
    static const char expected[] = "b'before'\nb'after' 0\n";
    ASSERT_BYTES_EQ(result->standard_output.data, result->standard_output.size, expected,
                    strlen(expected));
    eryx_sandbox_destroy(sandbox);
    server_stop(&echo);
}

/* A task of a session that was waiting for a lookup when its run ended: the lookup fails. */
static void test_lookups_end_with_the_run(void)
{
    dns_server dns;
    network_case used;
    const char *address;
    names_init(&used, &dns, &address);
    atomic_store(&dns.delay_ms, 100000);
    eryx_sandbox *sandbox = live_create(&used.options);
    run_in(sandbox, true,
           "port = %u\n"
           "loop = asyncio.new_event_loop()\n"
           "task = loop.create_task(loop.getaddrinfo('public.test', port))\n"
           "loop.run_until_complete(asyncio.sleep(0.01))\n",
           80);
    ASSERT_EQ(eryx_sandbox_result(sandbox)->status, ERYX_OK);
    ASSERT_STR_EQ(run_in(sandbox, true,
                         "try:\n"
                         "    loop.run_until_complete(task)\n"
                         "except OSError as error:\n"
                         "    print(error, %u)\n",
                         80),
                  "[Errno -3] Temporary failure in name resolution 80\n");
    eryx_sandbox_destroy(sandbox);
    dns_stop(&dns);
}

/* ---- asyncio --------------------------------------------------------------------------------- */

static void test_asyncio_streams(void)
{
    server echo;
    dns_server dns;
    network_case used;
    const char *address;
    server_start(&echo, serve_echo);
    names_init(&used, &dns, &address);
    used.network.max_connections = 50;
    used.network.block_internal = false;
    atomic_store(&dns.delay_ms, 60);
    ASSERT_STR_EQ(
        run_once(
            &used,
            "port = %u\n"
            "turns = 0\n"
            "async def tick():\n"
            "    global turns\n"
            "    while True:\n"
            "        turns += 1\n"
            "        await asyncio.sleep(0.005)\n"
            "async def one(i):\n"
            "    r, w = await asyncio.open_connection('127.0.0.1', port)\n"
            "    data = bytes([i]) * (1000 * i + 1)\n"
            "    w.write(data); await w.drain(); w.write_eof()\n"
            "    back = await r.read()\n"
            "    w.close(); await w.wait_closed()\n"
            "    return back == data\n"
            "async def main():\n"
            "    ticker = asyncio.create_task(tick())\n"
            "    loop = asyncio.get_running_loop()\n"
            "    found = await loop.getaddrinfo('public.test', 443)\n"
            "    print(found[0][4], turns > 3)\n"
            "    print(all(await asyncio.gather(*(one(i) for i in range(40)))))\n"
            "    s = socket.socket(); s.setblocking(False)\n"
            "    await loop.sock_connect(s, ('svc.test', port))\n"
            "    await loop.sock_sendall(s, b'low'); print(await loop.sock_recv(s, 9))\n"
            "    s.close()\n"
            "    try:\n"
            "        async with asyncio.timeout(0.05):\n"
            "            r, w = await asyncio.open_connection('127.0.0.1', port)\n"
            "            await r.read()\n"
            "    except TimeoutError:\n"
            "        print('late')\n"
            "    cut = asyncio.create_task(loop.getaddrinfo('none.test', 80))\n"
            "    await asyncio.sleep(0); cut.cancel()\n"
            "    print((await asyncio.gather(cut, return_exceptions=True))[0].__class__.__name__)\n"
            "    ticker.cancel()\n"
            "asyncio.run(main())\n",
            echo.port),
        "('93.184.216.34', 443) True\nTrue\nb'low'\nlate\nCancelledError\n");
    dns_stop(&dns);
    server_stop(&echo);
}

/* A poll for sockets ends when a callback is answered, and the host is not asked over and over. */
static void test_sockets_and_callbacks_in_one_loop(void)
{
    server silent;
    server_start(&silent, serve_nothing);
    network_case used;
    case_init(&used);
    used.options.limits.callback_timeout_ms = 300;
    eryx_sandbox *sandbox = live_create(&used.options);
    char source[1024];
    snprintf(source, sizeof source,
             "import asyncio\n"
             "async def main():\n"
             "    r, w = await asyncio.open_connection('127.0.0.1', %u)\n"
             "    reading = asyncio.create_task(r.read())\n"
             "    print(await fetch(), await fetch())\n"
             "    try:\n"
             "        await fetch()\n"
             "    except TimeoutError as error:\n"
             "        print(error)\n"
             "    reading.cancel()\n"
             "asyncio.run(main())\n",
             silent.port);
    eryx_run_options run = live_program(source);
    run.callbacks = "[{\"name\":\"fetch\",\"description\":\"\",\"schema\":{}}]";
    ASSERT_EQ(eryx_run_begin(sandbox, &run, NULL), ERYX_OK);
    uint32_t open = 0;
    unsigned calls = 0;
    unsigned waits = 0;
    unsigned expired = 0;
    eryx_event event;
    do {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        if (event.kind == ERYX_EVENT_CALLBACK) {
            open = event.as.callback.id;
            calls++;
        } else if (event.kind == ERYX_EVENT_CALLBACK_EXPIRED) {
            expired++;
            open = 0;
        } else if (event.kind == ERYX_EVENT_WAIT) {
            waits++;
            if (open != 0 && calls <= 2) {
                usleep(50000);
                ASSERT_EQ(eryx_callback_return(sandbox, open, "7", 1), ERYX_OK);
                open = 0;
            } else {
                eryx_sandbox_wait(sandbox, event.as.wait.wake_ns);
            }
        }
    } while (event.kind != ERYX_EVENT_DONE);
    const eryx_result *result = eryx_sandbox_result(sandbox);
    static const char expected[] = "7 7\ncallback 'fetch' timed out after 300 ms\n";
    ASSERT_BYTES_EQ(result->standard_output.data, result->standard_output.size, expected,
                    strlen(expected));
    ASSERT_EQ(result->status, ERYX_OK);
    ASSERT_EQ(expired, 1);
    ASSERT(waits < 30);
    eryx_sandbox_destroy(sandbox);
    server_stop(&silent);
}

/* Many sandboxes that wait for sockets on one thread. What has come while a read was looking is
 * given whole: one of a few hundred reads gave the first byte only. */
static void test_many_sandboxes_on_one_thread(void)
{
    enum { COUNT = 50 };
    server echo;
    server_start(&echo, serve_echo);
    network_case used;
    case_init(&used);
    eryx_sandbox *sandboxes[COUNT];
    struct pollfd fds[COUNT];
    bool done[COUNT] = {false};
    char source[512];
    snprintf(source, sizeof source,
             "import socket\ns = socket.create_connection(('127.0.0.1', %u))\n"
             "for i in range(20):\n    s.sendall(b'ping')\n    got = s.recv(4)\n    assert got == "
             "b'ping', (i, got, s.getsockname(), s.getpeername())\n",
             echo.port);
    eryx_run_options run = live_program(source);
    for (size_t i = 0; i < COUNT; i++) {
        sandboxes[i] = live_create(&used.options);
        ASSERT_EQ(eryx_run_begin(sandboxes[i], &run, NULL), ERYX_OK);
        fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    }
    size_t left = COUNT;
    while (left > 0) {
        for (size_t i = 0; i < COUNT; i++) {
            if (done[i] || (fds[i].fd >= 0 && fds[i].revents == 0)) {
                continue;
            }
            eryx_event event;
            ASSERT_EQ(eryx_run_step(sandboxes[i], &event), ERYX_OK);
            fds[i].fd = event.kind == ERYX_EVENT_WAIT ? event.as.wait.fd : -1;
            if (event.kind == ERYX_EVENT_DONE) {
                ASSERT_STR_EQ(eryx_sandbox_result(sandboxes[i])->message, "");
                done[i] = true;
                left--;
            }
        }
        poll(fds, COUNT, left > 0 ? 1000 : 0);
    }
    for (size_t i = 0; i < COUNT; i++) {
        eryx_sandbox_destroy(sandboxes[i]);
    }
    server_stop(&echo);
}

int main(int argc, char **argv)
{
    static const test_case cases[] = {
        TEST_CASE(test_names_are_looked_up_and_checked),
        TEST_CASE(test_rebinding),
        TEST_CASE(test_forbidden_names_are_not_asked_about),
        TEST_CASE(test_a_silent_dns_server),
        TEST_CASE(test_ask_on_connect),
        TEST_CASE(test_cancel_at_a_question),
        TEST_CASE(test_sockets_end_with_the_run),
        TEST_CASE(test_sockets_are_dead_in_copies),
        TEST_CASE(test_a_dropped_run_leaves_nothing),
        TEST_CASE(test_a_forked_process_does_not_disturb),
        TEST_CASE(test_lookups_end_with_the_run),
        TEST_CASE(test_asyncio_streams),
        TEST_CASE(test_sockets_and_callbacks_in_one_loop),
        TEST_CASE(test_many_sandboxes_on_one_thread),
    };
    live_open();
    int status = test_run(cases, sizeof cases / sizeof cases[0], argc > 1 ? argv[1] : "");
    live_close();
    return status;
}
