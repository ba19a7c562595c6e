/* The event protocol, limits and results with the real guest. */
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "live.h"

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const eryx_result *execute(eryx_sandbox *sandbox, const char *source, eryx_status expected)
{
    eryx_run_options options = live_program(source);
    const eryx_result *result = NULL;
    eryx_error error = {{0}};
    eryx_status status = eryx_execute(sandbox, &options, &result, &error);
    if (status != expected) {
        test_fail(__FILE__, __LINE__, "%s: status %s %s, stderr %.*s", source,
                  eryx_status_name(status), error.message,
                  result != NULL ? (int)result->standard_error.size : 0,
                  result != NULL ? (const char *)result->standard_error.data : "");
    }
    return result;
}

static void assert_output(const eryx_result *result, const char *expected)
{
    ASSERT_BYTES_EQ(result->standard_output.data, result->standard_output.size, expected,
                    strlen(expected));
}

static void test_output_and_result(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    const eryx_result *result =
        execute(sandbox, "print('hello')\nresult = {'a': [1, None]}", ERYX_OK);
    assert_output(result, "hello\n");
    ASSERT_BYTES_EQ(result->result_json.data, result->result_json.size, "{\"a\": [1, null]}", 16);
    ASSERT(!result->metered);
    ASSERT_EQ_U(result->fuel_consumed, 0);
    ASSERT_GT(result->duration_ns, 0);
    ASSERT_GT(result->peak_memory_bytes, 1 << 20);
    ASSERT(result == eryx_sandbox_result(sandbox));
    eryx_sandbox_destroy(sandbox);
}

static void test_uncaught_exception(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    const eryx_result *result = execute(sandbox, "print('before')\nint('x')", ERYX_EXECUTION);
    assert_output(result, "before\n");
    ASSERT_STR_EQ((const char *)result->exception_type.data, "ValueError");
    ASSERT_STR_CONTAINS((const char *)result->traceback.data, "File \"<user>\", line 2");
    ASSERT_STR_CONTAINS(result->message, "ValueError: invalid literal for int()");
    execute(sandbox, "print('goes on')", ERYX_OK);
    eryx_sandbox_destroy(sandbox);
}

static void test_state_is_kept_only_when_asked_for(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options = live_program("x = 41");
    options.keep_state = true;
    const eryx_result *result;
    ASSERT_EQ(eryx_execute(sandbox, &options, &result, NULL), ERYX_OK);
    assert_output(execute(sandbox, "print(x + 1)", ERYX_OK), "42\n");
    execute(sandbox, "x", ERYX_EXECUTION);
    ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
    ASSERT_NULL(eryx_sandbox_result(sandbox));
    execute(sandbox, "x", ERYX_EXECUTION);
    eryx_sandbox_destroy(sandbox);
}

static void test_timeout_ends_any_loop(void)
{
    const char *programs[] = {
        "print('so far')\nwhile True: pass",
        "print('so far')\nsum(range(10**12))",
        "print('so far')\nimport time\ntime.sleep(1e9)",
        "print('so far')\nwhile True:\n  try:\n    while True: pass\n  except BaseException: pass",
        "print('so far')\ntry:\n  while True: pass\nfinally:\n  while True: pass",
    };
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.execution_timeout_ms = 100;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        eryx_sandbox *sandbox = live_create(&options);
        uint64_t begin = now_ns();
        const eryx_result *result = execute(sandbox, programs[i], ERYX_TIMEOUT);
        uint64_t took_ms = (now_ns() - begin) / 1000000;
        ASSERT_GE_U(took_ms, 99);
        ASSERT_LE_U(took_ms, 250); /* generous: the machine may be loaded */
        assert_output(result, "so far\n");
        ASSERT_STR_EQ(result->message, "execution timed out after 100 ms");
        eryx_sandbox_destroy(sandbox);
    }
}

static void test_sandbox_must_be_reset_after_a_hard_stop(void)
{
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.max_fuel = 300000;
    eryx_sandbox *sandbox = live_create(&options);
    const char *stubborn = "while True:\n"
                           "    try:\n"
                           "        while True: pass\n"
                           "    except BaseException: pass\n";
    const eryx_result *result = execute(sandbox, stubborn, ERYX_RESOURCE_LIMIT);
    ASSERT_STR_CONTAINS(result->message, "fuel limit exceeded: ");
    ASSERT_STR_CONTAINS(result->message, "the limit is 300000");
    execute(sandbox, "1", ERYX_NEEDS_RESET);
    eryx_limits limits = options.limits;
    limits.max_fuel = ERYX_UNLIMITED;
    ASSERT_EQ(eryx_sandbox_set_limits(sandbox, &limits), ERYX_OK);
    ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
    ASSERT(!execute(sandbox, "1", ERYX_OK)->metered);
    eryx_sandbox_destroy(sandbox);
}

static void test_fuel_is_the_same_for_the_same_work(void)
{
    uint64_t fuel[3];
    for (int i = 0; i < 3; i++) {
        eryx_sandbox_options options;
        eryx_sandbox_options_init(&options);
        options.limits.metered = i != 1;
        options.limits.max_fuel = i != 0 ? 1000000000 : ERYX_UNLIMITED;
        eryx_sandbox *sandbox = live_create(&options);
        const eryx_result *result = execute(sandbox, "sum(x * x for x in range(10000))", ERYX_OK);
        ASSERT(result->metered);
        fuel[i] = result->fuel_consumed;
        ASSERT_GT(fuel[i], 10000);
        eryx_sandbox_destroy(sandbox);
    }
    ASSERT_EQ_U(fuel[0], fuel[1]);
    ASSERT_EQ_U(fuel[1], fuel[2]);
}

static void test_waiting_is_an_event(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options = live_program("import time; time.sleep(0.05); print('woke')");
    ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
    ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_BUSY);
    uint64_t begin = now_ns();
    eryx_event event;
    unsigned waits = 0;
    for (;;) {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        if (event.kind == ERYX_EVENT_DONE) {
            break;
        }
        ASSERT_EQ(event.kind, ERYX_EVENT_WAIT);
        ASSERT_GE_U(event.as.wait.wake_ns, begin);
        ASSERT_LE_U(event.as.wait.wake_ns, begin + 1000000000);
        waits++;
        eryx_sandbox_wait(sandbox, event.as.wait.wake_ns);
    }
    ASSERT_GE(waits, 1);
    ASSERT_GE_U(now_ns() - begin, 50000000);
    assert_output(eryx_sandbox_result(sandbox), "woke\n");
    ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_INVALID_ARGUMENT);
    eryx_sandbox_destroy(sandbox);
}

static void test_output_is_streamed(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options =
        live_program("import os, sys\nos.write(1, b'\\xe2\\x82')\nos.write(1, b'\\xac!')\n"
                     "print('err', file=sys.stderr)\nos.write(1, b'\\xe2')");
    options.stream_output = true;
    ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
    char streams[3][64] = {"", "", ""};
    eryx_event event = {.kind = ERYX_EVENT_PAUSE};
    while (event.kind != ERYX_EVENT_DONE) {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        if (event.kind == ERYX_EVENT_OUTPUT) {
            eryx_bytes bytes = event.as.output.bytes;
            char *text = streams[event.as.output.stream];
            size_t length = strlen(text);
            ASSERT(bytes.data[0] != 0x82 && bytes.data[0] != 0xac);
            memcpy(text + length, bytes.data, bytes.size);
            text[length + bytes.size] = 0;
        }
    }
    ASSERT_STR_EQ(streams[1], "\xe2\x82\xac!\xe2");
    ASSERT_STR_EQ(streams[2], "err\n");
    assert_output(eryx_sandbox_result(sandbox), "\xe2\x82\xac!\xe2");
    eryx_sandbox_destroy(sandbox);
}

static void test_pauses_come_while_the_guest_computes(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options = live_program("for i in range(3000000): pass");
    options.pause_every_ms = 1;
    ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
    unsigned pauses = 0;
    eryx_event event = {.kind = ERYX_EVENT_PAUSE};
    while (event.kind != ERYX_EVENT_DONE) {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        pauses += event.kind == ERYX_EVENT_PAUSE;
    }
    ASSERT_GT(pauses, 2);
    ASSERT_EQ(eryx_sandbox_result(sandbox)->status, ERYX_OK);
    eryx_sandbox_destroy(sandbox);
}

static void *cancel_soon(void *sandbox)
{
    usleep(30000);
    eryx_sandbox_cancel(sandbox);
    return NULL;
}

static void test_cancel_from_another_thread(void)
{
    const char *programs[] = {"while True: pass", "import time; time.sleep(60)"};
    for (int i = 0; i < 2; i++) {
        eryx_sandbox *sandbox = live_create(NULL);
        eryx_sandbox_cancel(sandbox); /* without a run: nothing */
        execute(sandbox, "1", ERYX_OK);
        pthread_t thread;
        uint64_t begin = now_ns();
        ASSERT_EQ(pthread_create(&thread, NULL, cancel_soon, sandbox), 0);
        execute(sandbox, programs[i], ERYX_CANCELLED);
        ASSERT_LE_U((now_ns() - begin) / 1000000, 230);
        pthread_join(thread, NULL);
        eryx_sandbox_destroy(sandbox);
    }
}

static void test_a_suspended_run_can_be_dropped(void)
{
    for (int i = 0; i < 50; i++) {
        eryx_sandbox *sandbox = live_create(NULL);
        eryx_run_options options = live_program("import time; time.sleep(60)");
        eryx_event event;
        ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
        ASSERT_EQ(event.kind, ERYX_EVENT_WAIT);
        if (i % 2 == 0) {
            ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
            execute(sandbox, "1", ERYX_OK);
        }
        eryx_sandbox_destroy(sandbox);
    }
}

static void test_memory_limit_is_a_memory_error(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    const eryx_result *result =
        execute(sandbox, "try:\n  'a' * 10**9\nexcept MemoryError:\n  print('caught')", ERYX_OK);
    assert_output(result, "caught\n");
    ASSERT(result->memory_limit_hit);
    ASSERT(!execute(sandbox, "'a' * 10**6", ERYX_OK)->memory_limit_hit);
    eryx_sandbox_destroy(sandbox);
}

static void test_exit_and_abort_end_the_guest_only(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    ASSERT_EQ(execute(sandbox, "import sys; sys.exit(3)", ERYX_EXECUTION)->exit_code, 3);
    execute(sandbox, "import sys; sys.exit()", ERYX_OK);
    ASSERT_EQ(execute(sandbox, "import os; os._exit(4)", ERYX_EXECUTION)->exit_code, 4);
    ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
    execute(sandbox, "import os; os.abort()", ERYX_CRASHED);
    eryx_sandbox_destroy(sandbox);
}

static void test_child_of_a_fork_is_told(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        eryx_run_options options = live_program("1");
        const eryx_result *result;
        bool refused = eryx_execute(sandbox, &options, &result, NULL) == ERYX_FORKED &&
                       eryx_sandbox_reset(sandbox, NULL) == ERYX_FORKED;
        eryx_sandbox_destroy(sandbox);
        _exit(refused ? 0 : 1);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    execute(sandbox, "1", ERYX_OK);
    eryx_sandbox_destroy(sandbox);
}

static void test_wrong_arguments(void)
{
    eryx_error error;
    eryx_engine *none = NULL;
    eryx_engine_options engine_options = {.struct_size = 1};
    ASSERT_EQ(eryx_engine_create(&engine_options, &none, &error), ERYX_INVALID_ARGUMENT);
    eryx_engine_options_init(&engine_options);
    engine_options.image_path = "/nonexistent";
    engine_options.stdlib_path = getenv("ERYX_STDLIB");
    ASSERT_EQ(eryx_engine_create(&engine_options, &none, &error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "/nonexistent");
    ASSERT_NULL(none);
    eryx_sandbox *sandbox = NULL;
    ASSERT_EQ(eryx_sandbox_create(NULL, NULL, &sandbox, &error), ERYX_INVALID_ARGUMENT);
    eryx_sandbox_options options = {.struct_size = 1};
    ASSERT_EQ(eryx_sandbox_create(live_engine, &options, &sandbox, &error), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(eryx_run_begin(NULL, NULL, &error), ERYX_INVALID_ARGUMENT);
    eryx_event event;
    ASSERT_EQ(eryx_run_step(NULL, &event), ERYX_INVALID_ARGUMENT);
    eryx_sandbox_destroy(NULL);
    eryx_engine_destroy(NULL);
    eryx_sandbox_cancel(NULL);
    ASSERT_NULL(eryx_sandbox_result(NULL));
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_output_and_result),
          TEST_CASE(test_uncaught_exception), TEST_CASE(test_state_is_kept_only_when_asked_for),
          TEST_CASE(test_timeout_ends_any_loop),
          TEST_CASE(test_sandbox_must_be_reset_after_a_hard_stop),
          TEST_CASE(test_fuel_is_the_same_for_the_same_work), TEST_CASE(test_waiting_is_an_event),
          TEST_CASE(test_output_is_streamed), TEST_CASE(test_pauses_come_while_the_guest_computes),
          TEST_CASE(test_cancel_from_another_thread),
          TEST_CASE(test_a_suspended_run_can_be_dropped),
          TEST_CASE(test_memory_limit_is_a_memory_error),
          TEST_CASE(test_exit_and_abort_end_the_guest_only),
          TEST_CASE(test_child_of_a_fork_is_told), TEST_CASE(test_wrong_arguments),
          TEST_CASE(live_close))
