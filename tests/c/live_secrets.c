/* Secrets in a real guest: it uses a value that is nowhere in its memory. */
#include "live_network.h"
#include "sandbox/sandbox.h"
#include "secrets/secrets.h"

#define VALUE "l1ve/secret+value"
#define VALUE_BASE64 "bDF2ZS9zZWNyZXQrdmFsdWU"

/* What the server was sent last. */
static char request[8192];
static atomic_size_t request_size;

/* Keeps a head, and sends it back in two pieces. */
static void serve_back(server *self, int fd)
{
    size_t size = 0;
    (void)self;
    while (size < sizeof request - 1) {
        ssize_t got = recv(fd, request + size, sizeof request - 1 - size, 0);
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
        request[size] = 0;
        if (strstr(request, "\r\n\r\n") != NULL) {
            char head[128];
            int head_size =
                snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
            send(fd, head, (size_t)head_size, MSG_NOSIGNAL);
            send(fd, request, size / 2, MSG_NOSIGNAL);
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
            send(fd, request + size / 2, size - size / 2, MSG_NOSIGNAL);
            break;
        }
    }
    atomic_store(&request_size, size);
}

static const char *const hosts[] = {"127.0.0.1"};
static const eryx_secret secret = {"KEY", {(const uint8_t *)VALUE, sizeof VALUE - 1}, {hosts, 1}};

static void secrets_case_init(network_case *made)
{
    case_init(made);
    made->options.secrets = &secret;
    made->options.secret_count = 1;
}

static bool is_in_memory(const eryx_sandbox *sandbox, const char *text, size_t size)
{
    const wasm_rt_memory_t *memory = &sandbox->instance.memory;
    return memmem(memory->data + GUEST_LOWEST_ADDRESS, memory->size - GUEST_LOWEST_ADDRESS, text,
                  size) != NULL;
}

static void assert_not_in_memory(const eryx_sandbox *sandbox)
{
    ASSERT(!is_in_memory(sandbox, VALUE, sizeof VALUE - 1));
    ASSERT(!is_in_memory(sandbox, VALUE_BASE64, sizeof VALUE_BASE64 - 1));
}

static const char get_program[] =
    "import os, base64\n"
    "def get(text, step=1000):\n"
    "    with connect(%u) as one:\n"
    "        data = text.encode()\n"
    "        for at in range(0, len(data), step):\n"
    "            one.sendall(data[at:at + step])\n"
    "        answer = b''\n"
    "        while piece := one.recv(100):\n"
    "            answer += piece\n"
    "        return answer.decode()\n"
    "key = os.environ['KEY']\n"
    "pair = base64.b64encode(f'u:{key}'.encode()).decode()\n"
    "print(get(f'GET / HTTP/1.1\\r\\nX: {key}\\r\\nAuthorization: Basic {pair}\\r\\n\\r\\n', 7))\n";

static void test_value_is_used_and_not_had(void)
{
    server back;
    network_case used;
    server_start(&back, serve_back);
    secrets_case_init(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    const char *output = run_in(sandbox, true, get_program, back.port);
    ASSERT_STR_CONTAINS(request, "\r\nX: " VALUE "\r\n");
    ASSERT_STR_CONTAINS(request, "Basic dTps");
    ASSERT_STR_CONTAINS(output, "\r\nX: *****************\r\n");
    ASSERT_NULL(strstr(output, VALUE));
    assert_not_in_memory(sandbox);
    /* The scan finds what is there. */
    const char *placeholder = sandbox->secrets->placeholders.texts[0];
    ASSERT(is_in_memory(sandbox, placeholder, PLACEHOLDER_SIZE));
    eryx_sandbox *fork;
    ASSERT_EQ(eryx_sandbox_fork(sandbox, &fork, NULL), ERYX_OK);
    eryx_sandbox_destroy(sandbox);
    request[0] = 0;
    output = run_in(fork, true, "print(get(f'GET / HTTP/1.1\\r\\nX: {key}\\r\\n\\r\\n'))", 0);
    ASSERT_STR_CONTAINS(request, "\r\nX: " VALUE "\r\n");
    ASSERT_NULL(strstr(output, VALUE));
    assert_not_in_memory(fork);
    eryx_sandbox_destroy(fork);
    server_stop(&back);
}

static void test_reset_makes_new_placeholders(void)
{
    network_case used;
    secrets_case_init(&used);
    used.options.scrub = 0;
    eryx_sandbox *sandbox = live_create(&used.options);
    char first[PLACEHOLDER_SIZE + 2];
    const char *program = "import os; print(os.environ['KEY'])";
    snprintf(first, sizeof first, "%s", run_in(sandbox, false, program, 0));
    ASSERT_STR_EQ(run_in(sandbox, false, program, 0), first);
    ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
    ASSERT_NE(strcmp(run_in(sandbox, false, program, 0), first), 0);
    eryx_sandbox_destroy(sandbox);
}

/* A run that is stopped while a head is held, destroyed in the middle, or that traps. */
static void test_runs_that_do_not_end_well(void)
{
    static const char *const programs[] = {
        "import os\none = connect(%u)\n"
        "one.sendall(f\"GET / HTTP/1.1\\r\\nX: {os.environ['KEY']}\\r\\n\".encode())\n",
        "import os\none = connect(%u)\n"
        "one.sendall(f\"GET / HTTP/1.1\\r\\nX: {os.environ['KEY']}\\r\\n\\r\\n\".encode())\n"
        "one.recv(1)\n",
    };
    static const char *const ends[] = {"while True: pass", "os.abort()", "time.sleep(60)", "1 / 0"};
    server back;
    server_start(&back, serve_back);
    for (size_t i = 0; i < 8; i++) {
        network_case used;
        secrets_case_init(&used);
        used.options.limits.execution_timeout_ms = 300;
        eryx_sandbox *sandbox = live_create(&used.options);
        char program[1024];
        snprintf(program, sizeof program, "%s%s", programs[i / 4], ends[i % 4]);
        run_in(sandbox, true, program, back.port);
        ASSERT_NE(eryx_sandbox_result(sandbox)->status, ERYX_OK);
        assert_not_in_memory(sandbox);
        eryx_sandbox_destroy(sandbox);
    }
    network_case used;
    secrets_case_init(&used);
    eryx_sandbox *sandbox = live_create(&used.options);
    char source[2048];
    size_t head = (size_t)snprintf(source, sizeof source, "%s", program_head);
    snprintf(source + head, sizeof source - head, programs[1], back.port);
    strcat(source, "time.sleep(60)");
    eryx_run_options options = live_program(source);
    eryx_event event;
    ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
    for (int waits = 0; waits < 3;) {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        ASSERT_EQ(event.kind, ERYX_EVENT_WAIT);
        waits++;
        eryx_sandbox_wait(sandbox, event.as.wait.wake_ns < UINT64_MAX ? 1 : 0);
    }
    assert_not_in_memory(sandbox);
    eryx_sandbox_destroy(sandbox);
    server_stop(&back);
}

static void test_what_is_written_is_scrubbed(void)
{
    network_case used;
    secrets_case_init(&used);
    used.options.scrub |= ERYX_SCRUB_RESULT;
    eryx_sandbox *sandbox = live_create(&used.options);
    const char *output =
        run_in(sandbox, false,
               "import os, sys\nkey = os.environ['KEY']\nresult = [key]\n"
               "open('/data/f', 'w').write(key)\nprint(key, open('/data/f').read(), end=' ')\n"
               "sys.stdout.flush()\nos.write(1, key[:10].encode())\nos.write(1, key[10:].encode())"
               "\nos.write(1, b'e')",
               0);
    ASSERT_STR_EQ(output, "[REDACTED] [REDACTED]********************************** [REDACTED]e");
    const eryx_result *result = eryx_sandbox_result(sandbox);
    ASSERT_BYTES_EQ(result->result_json.data, result->result_json.size, "[\"[REDACTED]\"]", 14);
    run_in(sandbox, false, "import os\nraise KeyError(os.environ['KEY'])", 0);
    result = eryx_sandbox_result(sandbox);
    ASSERT_STR_EQ(result->message, "KeyError: '[REDACTED]'");
    ASSERT_NULL(memmem(result->traceback.data, result->traceback.size, "eryx_secret_", 12));
    eryx_sandbox_destroy(sandbox);
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_value_is_used_and_not_had),
          TEST_CASE(test_reset_makes_new_placeholders), TEST_CASE(test_runs_that_do_not_end_well),
          TEST_CASE(test_what_is_written_is_scrubbed), TEST_CASE(live_close))
