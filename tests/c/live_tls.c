/* TLS of a real guest: a real server on loopback, and everything that can happen to a run on the
 * way. */
#include "live_network.h"

#include <signal.h>

#include "tls_identities.h"

static identity root, shown;
static eryx_bytes root_der;
static SSL_CTX *server_context;

/* No root of this machine counts. */
__attribute__((constructor)) static void forget_system_roots(void)
{
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
}

static void make_authority(void)
{
    unsigned char *der = NULL;
    root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    shown = make_identity((identity_options){
        .common_name = "server", .names = "DNS:localhost,IP:127.0.0.1", .issuer = &root});
    root_der.size = (size_t)i2d_X509(root.certificate, &der);
    root_der.data = der;
    server_context = SSL_CTX_new(TLS_server_method());
    ASSERT_EQ(SSL_CTX_use_certificate(server_context, shown.certificate), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey(server_context, shown.key), 1);
}

static void forget_authority(void)
{
    SSL_CTX_free(server_context);
    OPENSSL_free((void *)(uintptr_t)root_der.data);
    free_identity(&shown);
    free_identity(&root);
}

/* Echoes over TLS, and says goodbye when the client does. */
static void serve_tls(server *self, int fd)
{
    SSL *ssl = SSL_new(server_context);
    ASSERT_EQ(SSL_set_fd(ssl, fd), 1);
    if (SSL_accept(ssl) == 1) {
        static _Thread_local uint8_t bytes[1 << 14];
        int got;
        while ((got = SSL_read(ssl, bytes, sizeof bytes)) > 0) {
            atomic_fetch_add(&self->bytes, (unsigned long long)got);
            if (SSL_write(ssl, bytes, got) != got) {
                break;
            }
        }
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    ERR_clear_error();
}

/* Reads, and never answers. */
static void serve_silence(server *self, int fd)
{
    uint8_t bytes[4096];
    (void)self;
    while (recv(fd, bytes, sizeof bytes, 0) > 0) {
    }
}

static void trusting_case(network_case *made)
{
    case_init(made);
    made->network.root_certificates = &root_der;
    made->network.root_certificate_count = 1;
}

static const char connect_tls[] =
    "import ssl\n"
    "context = ssl.create_default_context()\n"
    "def secure(port, name='localhost'):\n"
    "    return context.wrap_socket(connect(port, 'localhost'), server_hostname=name)\n"
    "port = %u\n";

static const char *tls_program(const char *rest)
{
    static char program[8192];
    snprintf(program, sizeof program, "%s%s", connect_tls, rest);
    return program;
}

static void test_echo(void)
{
    server echo;
    server_start(&echo, serve_tls);
    network_case used;
    trusting_case(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    unsigned before = open_wait_descriptors();
    const char *output = run_in(sandbox, false,
                                tls_program("with secure(port) as s:\n"
                                            "    s.sendall(b'hello')\n"
                                            "    print(s.recv(100), s.version())\n"
                                            "    data = bytes(range(256)) * 4000\n"
                                            "    s.sendall(data[:300000])\n"
                                            "    got = b''\n"
                                            "    while len(got) < 300000:\n"
                                            "        got += s.recv(65536)\n"
                                            "    print(got == data[:300000])\n"
                                            "    s.unwrap()\n"),
                                echo.port);
    ASSERT_STR_EQ(output, "b'hello' TLSv1.3\nTrue\n");
    const eryx_result *result = eryx_sandbox_result(sandbox);
    ASSERT_EQ(result->connection_count, 1);
    ASSERT(result->connections[0].tls);
    ASSERT_STR_EQ(result->connections[0].host, "localhost");
    ASSERT(result->connections[0].bytes_out > 300000);
    ASSERT_EQ(open_wait_descriptors(), before);
    eryx_sandbox_destroy(sandbox);
    server_stop(&echo);
}

static void test_stream(void)
{
    server echo;
    server_start(&echo, serve_tls);
    network_case used;
    trusting_case(&used);
    const char *output =
        run_once(&used,
                 "import ssl\n"
                 "async def main():\n"
                 "    r, w = await asyncio.open_connection('localhost', %u, ssl=True)\n"
                 "    w.write(b'x' * 400000)\n"
                 "    print(len(await r.readexactly(400000)))\n"
                 "    w.close()\n"
                 "    await w.wait_closed()\n"
                 "asyncio.run(main())\n",
                 echo.port);
    ASSERT_STR_EQ(output, "400000\n");
    server_stop(&echo);
}

static void test_an_unknown_root(void)
{
    server echo;
    server_start(&echo, serve_tls);
    network_case used;
    case_init(&used);
    const char *output = run_once(&used,
                                  tls_program("context.check_hostname = False\n"
                                              "context.verify_mode = ssl.CERT_NONE\n"
                                              "print(attempt(secure, port))\n"),
                                  echo.port);
    ASSERT_STR_CONTAINS(output, "SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] "
                                "certificate verify failed: unable to get local issuer");
    ASSERT_EQ(atomic_load(&echo.bytes), 0);
    server_stop(&echo);
}

static void test_limits_of_the_network(void)
{
    server echo;
    server silence;
    server_start(&echo, serve_tls);
    server_start(&silence, serve_silence);
    network_case used;
    trusting_case(&used);
    used.network.max_bytes = 50000;
    const char *output = run_once(&used,
                                  tls_program("s = secure(port)\n"
                                              "def flood():\n"
                                              "    while True:\n"
                                              "        s.sendall(b'x' * 1000)\n"
                                              "        s.recv(1000)\n"
                                              "print(attempt(flood))\n"
                                              "print(attempt(s.send, b'x'))\n"),
                                  echo.port);
    ASSERT_STR_CONTAINS(output, "PermissionError");
    ASSERT_STR_CONTAINS(output, "max_bytes");

    trusting_case(&used);
    used.network.io_timeout_ms = 200;
    output =
        run_once(&used, tls_program("s = secure(port)\nprint(attempt(s.recv, 10))\n"), echo.port);
    ASSERT_STR_CONTAINS(output, "TimeoutError");

    trusting_case(&used);
    used.network.connect_timeout_ms = 200;
    output = run_once(&used, tls_program("print(attempt(secure, port))\n"), silence.port);
    ASSERT_STR_CONTAINS(output, "TimeoutError");
    server_stop(&silence);
    server_stop(&echo);
}

static void test_sessions_that_are_left_open(void)
{
    server echo;
    server_start(&echo, serve_tls);
    network_case used;
    trusting_case(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    unsigned before = open_wait_descriptors();
    ASSERT_STR_EQ(run_in(sandbox, true,
                         tls_program("kept = [secure(port) for turn in range(5)]\n"
                                     "bios = ssl.MemoryBIO(), ssl.MemoryBIO()\n"
                                     "fed = context.wrap_bio(*bios, server_hostname='localhost')\n"
                                     "print(attempt(fed.do_handshake)[:17])\n"),
                         echo.port),
                  "SSLWantReadError:\n");
    ASSERT_EQ(open_wait_descriptors(), before);
    /* Their numbers mean nothing in the next run, which has sessions of its own. */
    const char *output =
        run_in(sandbox, true,
               "new = secure(%u)\n"
               "for old in kept:\n"
               "    print(attempt(old.read, 1)[:5], attempt(old.write, b'x')[:5])\n"
               "print(attempt(fed.do_handshake))\n"
               "kept.clear(); del old, fed\n"
               "new.sendall(b'new')\n"
               "print(new.recv(10))\n",
               echo.port);
    ASSERT_STR_CONTAINS(output, "ConnectionAbortedError: ");
    ASSERT_STR_CONTAINS(output, "ended with the run that opened it\nb'new'\n");
    eryx_sandbox_destroy(sandbox);
    server_stop(&echo);
}

static void test_runs_that_are_cut(void)
{
    server echo;
    server silence;
    server_start(&echo, serve_tls);
    server_start(&silence, serve_silence);
    network_case used;
    trusting_case(&used);
    used.options.limits.execution_timeout_ms = 300;
    static const char *const programs[] = {
        "secure(port)\n",
        "s = secure(port)\nwhile True:\n    s.sendall(b'x' * 1000)\n    s.recv(1000)\n",
        "s = secure(port)\ns.recv(1)\n",
        "while True:\n    secure(port).close()\n",
        "async def main():\n"
        "    await asyncio.open_connection('localhost', port, ssl=True)\n"
        "    await asyncio.sleep(100)\n"
        "asyncio.run(main())\n",
    };
    unsigned before = open_wait_descriptors();
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        for (unsigned j = 0; j < 2; j++) {
            eryx_sandbox *sandbox = live_create(&used.options);
            char source[4096];
            size_t head = strlen(program_head);
            memcpy(source, program_head, head);
            snprintf(source + head, sizeof source - head, tls_program(programs[i]),
                     j == 0 ? echo.port : silence.port);
            eryx_run_options run = live_program(source);
            const eryx_result *result;
            eryx_error error = {{0}};
            eryx_execute(sandbox, &run, &result, &error);
            ASSERT(result->status == ERYX_TIMEOUT || result->status == ERYX_OK);
            eryx_sandbox_destroy(sandbox);
        }
    }
    ASSERT_EQ(open_wait_descriptors(), before);
    server_stop(&silence);
    server_stop(&echo);
}

/* The sandbox goes away in the middle of the run. */
static void test_destroyed_in_the_handshake(void)
{
    server silence;
    server_start(&silence, serve_silence);
    network_case used;
    trusting_case(&used);
    unsigned before = open_wait_descriptors();
    for (int steps = 1; steps < 8; steps++) {
        eryx_sandbox *sandbox = live_create(&used.options);
        char source[4096];
        size_t head = strlen(program_head);
        memcpy(source, program_head, head);
        snprintf(source + head, sizeof source - head, tls_program("secure(port)\n"), silence.port);
        eryx_run_options run = live_program(source);
        eryx_error error = {{0}};
        ASSERT_EQ(eryx_run_begin(sandbox, &run, &error), ERYX_OK);
        for (int i = 0; i < steps; i++) {
            eryx_event event;
            ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
            if (event.kind == ERYX_EVENT_WAIT) {
                eryx_sandbox_wait(sandbox, now_ms() * 1000000 + 20000000);
            }
        }
        eryx_sandbox_destroy(sandbox);
    }
    ASSERT_EQ(open_wait_descriptors(), before);
    server_stop(&silence);
}

/* TLS over memory that is near its end: MemoryError, and nothing worse. */
static void test_little_memory(void)
{
    server echo;
    server_start(&echo, serve_tls);
    network_case used;
    trusting_case(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    run_in(sandbox, false,
           tls_program("s = secure(port)\n"
                       "kept = []\n"
                       "size = 1 << 24\n"
                       "while size:\n"
                       "    try:\n"
                       "        kept.append(bytearray(size))\n"
                       "    except MemoryError:\n"
                       "        size //= 2\n"
                       "for turn in range(50):\n"
                       "    try:\n"
                       "        s.write(b'y' * 100)\n"
                       "        s.read(60000)\n"
                       "    except MemoryError:\n"
                       "        pass\n"
                       "kept.clear()\n"),
           echo.port);
    eryx_sandbox_destroy(sandbox);
    server_stop(&echo);
}

int main(int argc, char **argv)
{
    static const test_case cases[] = {TEST_CASE(test_echo),
                                      TEST_CASE(test_stream),
                                      TEST_CASE(test_an_unknown_root),
                                      TEST_CASE(test_limits_of_the_network),
                                      TEST_CASE(test_sessions_that_are_left_open),
                                      TEST_CASE(test_runs_that_are_cut),
                                      TEST_CASE(test_destroyed_in_the_handshake),
                                      TEST_CASE(test_little_memory)};
    signal(SIGPIPE, SIG_IGN); /* of the servers here; the host never raises it */
    make_authority();
    live_open();
    int status = test_run(cases, sizeof cases / sizeof cases[0], argc > 1 ? argv[1] : "");
    live_close();
    forget_authority();
    return status;
}
