/* Threads of a guest, hostile ones above all: whatever they do, the host goes on and the run ends.
 */
#include "base/clock.h"
#include "live.h"
#include "sandbox/sandbox.h"

/* Threads that wait for each other in every way, for some hundred changes. */
static const char busy_program[] =
    "import threading, queue, time\n"
    "lock, q, out = threading.Lock(), queue.SimpleQueue(), queue.Queue(4)\n"
    "barrier, condition, turn = threading.Barrier(6), threading.Condition(), 0\n"
    "def work(n):\n"
    "    global turn\n"
    "    for k in range(6):\n"
    "        with lock: q.put(n)\n"
    "        out.put(q.get())\n"
    "        barrier.wait()\n"
    "        with condition:\n"
    "            condition.wait_for(lambda: turn % 6 == n)\n"
    "            turn += 1\n"
    "            condition.notify_all()\n"
    "        if n == k: time.sleep(0.0002)\n"
    "threads = [threading.Thread(target=work, args=[n], daemon=True) for n in range(6)]\n"
    "for thread in threads: thread.start()\n"
    "total = sum(out.get() for _ in range(36))\n"
    "for thread in threads: thread.join()\n"
    "print(total, turn)\n";

static const char *const hostile_programs[] = {
    /* overflow, trap, exit, sleep for ever, hold locks, start threads, end in the middle */
    "def f(): f()\ndef body():\n    import sys\n    sys.setrecursionlimit(10**9)\n    f()",
    "def body():\n    os.abort()",
    "def body():\n    os._exit(3)",
    "def body():\n    time.sleep(1e9)",
    "def body():\n    lock.acquire(); time.sleep(1e9)",
    "def body():\n    start(body)",
    "def body():\n    while True: start(body)",
    "def body():\n    while True: pass",
    "def body():\n    while True:\n        try: time.sleep(1e9)\n        except BaseException: "
    "pass",
    "def body():\n    threading.Event().wait()",
    "def body():\n    sys.exit()",
    "def body():\n    1 / 0",
    "x = []\nfor _ in range(10**5): x = [x]\ndef body():\n    repr(x)",
    "def body():\n    x = [b'x' * 10**6 for _ in range(10**6)]",
};

static const char hostile_start[] =
    "import os, sys, threading, time, _thread\n"
    "lock = threading.Lock()\n"
    "def start(function):\n"
    "    try: threading.Thread(target=function, daemon=True).start()\n"
    "    except RuntimeError: time.sleep(0.001)\n";

static const char hostile_end[] = "\nfor _ in range(64): start(body)\ntime.sleep(0.02)\n";

static eryx_status run(eryx_sandbox *sandbox, const char *source, bool keep_state)
{
    eryx_run_options options = live_program(source);
    options.keep_state = keep_state;
    const eryx_result *result;
    return eryx_execute(sandbox, &options, &result, NULL);
}

static void assert_output(eryx_sandbox *sandbox, const char *expected)
{
    const eryx_result *result = eryx_sandbox_result(sandbox);
    ASSERT_NOT_NULL(result);
    ASSERT_EQ_U(result->standard_output.size, strlen(expected));
    ASSERT_EQ(memcmp(result->standard_output.data, expected, strlen(expected)), 0);
}

static eryx_sandbox *create_limited(uint64_t timeout_ms, uint64_t max_fuel)
{
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.execution_timeout_ms = timeout_ms;
    options.limits.max_fuel = max_fuel;
    return live_create(&options);
}

/* The sandbox is as good as new after a reset. */
static void assert_reset_works(eryx_sandbox *sandbox)
{
    ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
    ASSERT(sandbox->threads == NULL);
    ASSERT_EQ(run(sandbox, "import threading\nprint(threading.active_count())", false), ERYX_OK);
    assert_output(sandbox, "1\n");
}

static void test_threads_run(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    ASSERT_EQ(run(sandbox, busy_program, false), ERYX_OK);
    assert_output(sandbox, "90 36\n");
    eryx_sandbox_destroy(sandbox);
}

static void test_hostile_threads_end_with_their_run(void)
{
    char source[2048];
    for (size_t i = 0; i < sizeof hostile_programs / sizeof hostile_programs[0]; i++) {
        for (int keep_state = 0; keep_state < 2; keep_state++) {
            eryx_sandbox *sandbox = create_limited(300, ERYX_UNLIMITED);
            snprintf(source, sizeof source, "%s%s%s", hostile_start, hostile_programs[i],
                     hostile_end);
            uint64_t begin = clock_read_ns(CLOCK_MONOTONIC);
            run(sandbox, source, keep_state != 0);
            ASSERT(clock_read_ns(CLOCK_MONOTONIC) - begin < UINT64_C(20000000000));
            assert_reset_works(sandbox);
            eryx_sandbox_destroy(sandbox);
        }
    }
}

/* Fuel ends the run at every place that it comes to, a change of threads or not. */
static void test_a_stop_may_come_anywhere(void)
{
    eryx_sandbox *sandbox = create_limited(60000, UINT64_C(1) << 40);
    ASSERT_EQ(run(sandbox, busy_program, false), ERYX_OK);
    const uint64_t all = eryx_sandbox_result(sandbox)->fuel_consumed;
    eryx_sandbox_destroy(sandbox);
    const uint64_t steps = getenv("ERYX_TEST_FULL") != NULL ? 3000 : 60;
    for (uint64_t i = 1; i < steps; i++) {
        sandbox = create_limited(60000, all * i / steps);
        /* Some work depends on the clock: near its end a program may have enough. */
        eryx_status status = run(sandbox, busy_program, i % 2 != 0);
        ASSERT(status == ERYX_RESOURCE_LIMIT || (status == ERYX_OK && i > steps / 2));
        eryx_sandbox_destroy(sandbox);
    }
}

/* The same by a cancellation after so many events. */
static void test_a_cancellation_may_come_anywhere(void)
{
    for (int after = 0; after < 40; after++) {
        eryx_sandbox *sandbox = live_create(NULL);
        eryx_run_options options = live_program(busy_program);
        options.pause_every_ms = 1;
        ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
        eryx_event event = {.kind = ERYX_EVENT_PAUSE};
        for (int n = 0; event.kind != ERYX_EVENT_DONE; n++) {
            if (n == after) {
                eryx_sandbox_cancel(sandbox);
            }
            ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
            if (event.kind == ERYX_EVENT_WAIT) {
                eryx_sandbox_wait(sandbox, event.as.wait.wake_ns);
            }
        }
        assert_reset_works(sandbox);
        eryx_sandbox_destroy(sandbox);
    }
}

static void test_fuel_is_the_clock_of_turns(void)
{
    static const char program[] =
        "import threading\n"
        "order, n = [], 0\n"
        "def spin(k):\n"
        "    for i in range(200000):\n"
        "        if i % 1000 == 0: order.append(k)\n"
        "threads = [threading.Thread(target=spin, args=[k]) for k in range(5)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
        "changes = sum(a != b for a, b in zip(order, order[1:]))\n"
        "import zlib\n"
        "print(changes > 5, zlib.crc32(bytes(order)))\n";
    char first[64] = "";
    uint64_t fuel = 0;
    for (int i = 0; i < 4; i++) {
        eryx_sandbox *sandbox = create_limited(60000, UINT64_C(1) << 40);
        ASSERT_EQ(run(sandbox, program, false), ERYX_OK);
        const eryx_result *result = eryx_sandbox_result(sandbox);
        ASSERT(result->standard_output.size < sizeof first);
        if (i == 0) {
            memcpy(first, result->standard_output.data, result->standard_output.size);
            ASSERT_EQ(strncmp(first, "True", 4), 0);
            fuel = result->fuel_consumed;
        }
        assert_output(sandbox, first);
        ASSERT_EQ_U(result->fuel_consumed, fuel);
        eryx_sandbox_destroy(sandbox);
    }
}

/* Whoever owns guest memory may change all of it between two steps. */
static void test_forged_memory_harms_the_guest_alone(void)
{
    const int seeds = getenv("ERYX_TEST_FULL") != NULL ? 2000 : 60;
    for (int seed = 1; seed <= seeds; seed++) {
        uint64_t state = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15);
        eryx_sandbox *sandbox = create_limited(200, ERYX_UNLIMITED);
        eryx_run_options options = live_program(busy_program);
        options.pause_every_ms = 1;
        ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
        eryx_event event = {.kind = ERYX_EVENT_PAUSE};
        while (event.kind != ERYX_EVENT_DONE) {
            ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
            wasm_rt_memory_t *memory = &sandbox->instance.memory;
            for (int i = 0; i < 20; i++) {
                state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                uint64_t at = (state >> 20) % (memory->size - 4 - GUEST_LOWEST_ADDRESS);
                uint32_t word = (uint32_t)(state >> 32);
                /* Static data and what is allocated late are where threads are kept. */
                at = i % 2 == 0 ? GUEST_LOWEST_ADDRESS + at : memory->size - 4 - at % (4 << 20);
                memcpy(memory->data + at, &word, sizeof word);
            }
            struct interrupt_flags flags;
            uint64_t place = sandbox->timing.interrupt.offset;
            if (place != 0 && place <= memory->size - sizeof flags && seed % 3 == 0) {
                memset(&flags, seed, sizeof flags);
                memcpy(memory->data + place, &flags, sizeof flags);
            }
            if (event.kind == ERYX_EVENT_WAIT) {
                eryx_sandbox_wait(sandbox, event.as.wait.wake_ns);
            }
        }
        assert_reset_works(sandbox);
        eryx_sandbox_destroy(sandbox);
    }
}

/* Numbers, addresses and keys that no thread has. */
static void test_forged_numbers_are_of_no_effect(void)
{
    static const char program[] =
        "import _eryx, threading, time\n"
        "event = threading.Event()\n"
        "threads = [threading.Thread(target=event.wait) for _ in range(4)]\n"
        "for t in threads: t.start()\n"
        "for ident in (0, 4, 1024, 5 << 20, 6 << 20, threads[0].ident + 4, threads[0].ident - "
        "4096):\n"
        "    _eryx.thread_state(ident)\n"
        "    _eryx.stop_thread(ident, SystemExit)\n"
        "event.set()\n"
        "for t in threads: t.join()\n"
        "print('done')\n";
    eryx_sandbox *sandbox = create_limited(2000, ERYX_UNLIMITED);
    run(sandbox, program, false);
    assert_reset_works(sandbox);
    run(sandbox, "import _eryx\n_eryx.thread_state(0xfffffff0)", false);
    ASSERT_EQ(eryx_sandbox_result(sandbox)->status, ERYX_CRASHED);
    assert_reset_works(sandbox);
    run(sandbox, "import _eryx\n_eryx.stop_thread(0xfffffff0, SystemExit)", false);
    assert_reset_works(sandbox);
    eryx_sandbox_destroy(sandbox);
}

static void test_threads_that_are_left(void)
{
    static const char leaves[] = "import threading, time\n"
                                 "threading.Thread(target=time.sleep, args=[1e6], daemon=True, "
                                 "name='rests').start()\n";
    eryx_error error = {{0}};
    eryx_sandbox *sandbox = live_create(NULL);
    ASSERT_EQ(run(sandbox, leaves, true), ERYX_OK);
    ASSERT_NOT_NULL(sandbox->threads);
    ASSERT_NOT_NULL(eryx_sandbox_result(sandbox)->threads_json.data);
    eryx_sandbox *fork;
    ASSERT_EQ(eryx_sandbox_fork(sandbox, &fork, &error), ERYX_INVALID_ARGUMENT);
    ASSERT_STR_EQ(error.message, "threads are alive, whose stacks cannot be copied: rests");
    ASSERT_EQ(run(sandbox, "print(threading.active_count())", true), ERYX_OK);
    assert_output(sandbox, "2\n");
    /* Whether fuel is counted cannot change under them. */
    eryx_limits limits;
    eryx_limits_init(&limits);
    limits.metered = true;
    ASSERT_EQ(eryx_sandbox_set_limits(sandbox, &limits), ERYX_OK);
    ASSERT_EQ(run(sandbox, "x = 1", true), ERYX_INVALID_ARGUMENT);
    limits.metered = false;
    ASSERT_EQ(eryx_sandbox_set_limits(sandbox, &limits), ERYX_OK);
    ASSERT_EQ(run(sandbox, "x = 1", true), ERYX_OK);
    assert_reset_works(sandbox);
    /* A program of its own that leaves some needs a reset before the next. */
    ASSERT_EQ(run(sandbox, leaves, false), ERYX_OK);
    ASSERT(sandbox->threads == NULL);
    ASSERT_EQ(run(sandbox, "x = 1", false), ERYX_NEEDS_RESET);
    assert_reset_works(sandbox);
    ASSERT_EQ(run(sandbox, leaves, true), ERYX_OK);
    eryx_sandbox_destroy(sandbox); /* with one that is alive */
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_threads_run),
          TEST_CASE(test_hostile_threads_end_with_their_run),
          TEST_CASE(test_a_stop_may_come_anywhere),
          TEST_CASE(test_a_cancellation_may_come_anywhere),
          TEST_CASE(test_fuel_is_the_clock_of_turns),
          TEST_CASE(test_forged_memory_harms_the_guest_alone),
          TEST_CASE(test_forged_numbers_are_of_no_effect), TEST_CASE(test_threads_that_are_left),
          TEST_CASE(live_close))
