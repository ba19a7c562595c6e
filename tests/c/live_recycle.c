/* Memory that goes from one guest to the next is the image's, to the byte. */
#include <sys/wait.h>
#include <unistd.h>

#include "live.h"
#include "machine/memory_pressure.h"
#include "sandbox/sandbox.h"

/* In place of what the system says (machine/memory_pressure.c). */
static bool test_memory_is_short;

bool memory_is_short(void)
{
    return test_memory_is_short;
}

static const char *const hostile_programs[] = {
    "x = 1",
    "marker = ('RECYCLED' + '-MARKER') * 1000",
    "marker = [('RECYCLED' + '-MARKER') * 100000 for _ in range(40)]",
    "open('/data/file', 'w').write(('RECYCLED' + '-MARKER') * 100)",
    "import sys\nfor m in list(sys.modules.values()):\n  m.__dict__['marker'] = 'RECYCLED' + "
    "'-MARKER'",
    "import os\nmarker = bytearray(b'RECYCLED') + b'-MARKER'\nos.abort()",
    "def f(n, marker='RECYCLED' + '-MARKER'): return f(n + 1, marker * 2)\nf(0)",
    "import threading, time\nmarker = 'RECYCLED' + '-MARKER'\nfor _ in range(64): "
    "threading.Thread(target=time.sleep, args=[1e6], name=marker * 99, daemon=True).start()",
    "import os, threading\nfor _ in range(9): threading.Thread(target=os.abort).start()",
};

static void assert_memory_is_image(eryx_sandbox *sandbox)
{
    const image *source = &sandbox->engine->image;
    const wasm_rt_memory_t *memory = &sandbox->instance.memory;
    static const uint8_t zeros[IMAGE_PAGE_BYTES];
    ASSERT_EQ_U(memory->size, source->memory_pages * MEMORY_PAGE_BYTES);
    for (uint64_t at = GUEST_LOWEST_ADDRESS; at < memory->size; at += IMAGE_PAGE_BYTES) {
        const uint8_t *original = image_page(source, at);
        if (memcmp(memory->data + at, original != NULL ? original : zeros, IMAGE_PAGE_BYTES) != 0) {
            test_fail(__FILE__, __LINE__, "page %llx differs from the image",
                      (unsigned long long)at);
        }
    }
    ASSERT_EQ(sandbox->instance.stack_pointer, source->stack_pointer);
}

static void run(eryx_sandbox *sandbox, const char *source)
{
    eryx_run_options options = live_program(source);
    const eryx_result *result;
    ASSERT_NE(eryx_execute(sandbox, &options, &result, NULL), ERYX_NEEDS_RESET);
}

static void test_nothing_is_left_for_the_next_sandbox(void)
{
    for (size_t i = 0; i < sizeof hostile_programs / sizeof hostile_programs[0]; i++) {
        eryx_sandbox *first = live_create(NULL);
        const uint8_t *place = first->map.reservation;
        run(first, hostile_programs[i]);
        eryx_sandbox_destroy(first);
        eryx_sandbox *second = live_create(NULL);
        ASSERT(second->map.reservation == place);
        assert_memory_is_image(second);
        eryx_sandbox_destroy(second);
    }
}

static void test_nothing_is_left_by_reset(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    for (size_t i = 0; i < sizeof hostile_programs / sizeof hostile_programs[0]; i++) {
        run(sandbox, hostile_programs[i]);
        ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
        assert_memory_is_image(sandbox);
    }
    eryx_sandbox_destroy(sandbox);
}

static void test_nothing_is_left_of_a_suspended_run(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    eryx_run_options options = live_program("import time\nmarker = 'x' * 10**6\ntime.sleep(60)");
    eryx_event event;
    ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
    ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
    eryx_sandbox_destroy(sandbox);
    sandbox = live_create(NULL);
    assert_memory_is_image(sandbox);
    eryx_sandbox_destroy(sandbox);
}

static void test_pages_behind_the_image_are_gone(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    uint64_t size = sandbox->instance.memory.size;
    run(sandbox, "x = bytearray(b'RECYCLED') * 10**6");
    ASSERT_GT(sandbox->instance.memory.size, size);
    ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
    ASSERT_EQ_U(sandbox->instance.memory.size, size);
    sandbox->instance.memory.max_pages = 65536;
    ASSERT(memory_grow(&sandbox->instance.memory, 1000));
    for (uint64_t at = size; at < sandbox->instance.memory.size; at++) {
        ASSERT_EQ(sandbox->instance.memory.data[at], 0);
    }
    eryx_sandbox_destroy(sandbox);
}

static void test_no_more_is_kept_than_the_cache_holds(void)
{
    enum { COUNT = 3 * MEMORY_CACHE_CAPACITY };
    eryx_sandbox *sandboxes[COUNT];
    for (int i = 0; i < COUNT; i++) {
        sandboxes[i] = live_create(NULL);
        run(sandboxes[i], "x = 1");
    }
    eryx_engine *engine = sandboxes[0]->engine;
    for (int i = 0; i < COUNT; i++) {
        eryx_sandbox_destroy(sandboxes[i]);
    }
    ASSERT_EQ(engine->cache.count, MEMORY_CACHE_CAPACITY);
    eryx_engine_trim(engine);
    ASSERT_EQ(engine->cache.count, 0);
    eryx_engine_trim(NULL);
}

static void test_nothing_is_left_where_the_kernel_does_not_tell(void)
{
    for (size_t i = 0; i < sizeof hostile_programs / sizeof hostile_programs[0]; i++) {
        eryx_sandbox *sandbox = live_create(NULL);
        run(sandbox, hostile_programs[i]);
        struct rlimit before = live_hide_pages();
        eryx_sandbox_destroy(sandbox);
        live_see_pages(before);
        sandbox = live_create(NULL);
        assert_memory_is_image(sandbox);
        eryx_sandbox_destroy(sandbox);
    }
}

/* Sandboxes that have run, all at once and then gone. */
static void fill_cache(void)
{
    eryx_sandbox *sandboxes[MEMORY_CACHE_CAPACITY];
    for (int i = 0; i < MEMORY_CACHE_CAPACITY; i++) {
        sandboxes[i] = live_create(NULL);
        run(sandboxes[i], "x = 1");
    }
    for (int i = 0; i < MEMORY_CACHE_CAPACITY; i++) {
        eryx_sandbox_destroy(sandboxes[i]);
    }
}

static void test_nothing_is_kept_while_memory_is_short(void)
{
    fill_cache();
    ASSERT_EQ(live_engine->cache.count, MEMORY_CACHE_CAPACITY);
    eryx_engine *of_most = live_engine;
    live_open(); /* another engine */
    eryx_sandbox *sandbox = live_create(NULL);
    run(sandbox, "x = 1");
    test_memory_is_short = true;
    eryx_sandbox_destroy(sandbox);
    test_memory_is_short = false;
    ASSERT_EQ(of_most->cache.count, 0);
    ASSERT_EQ(live_engine->cache.count, 0);
    live_close();
    live_engine = of_most;
    fill_cache();
    ASSERT_EQ(live_engine->cache.count, MEMORY_CACHE_CAPACITY);
}

/* Address space of this process in bytes. */
static rlim_t address_space(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ASSERT_NOT_NULL(file);
    ASSERT_EQ(fscanf(file, "%llu", &pages), 1);
    fclose(file);
    return (rlim_t)(pages * IMAGE_PAGE_BYTES);
}

/* An engine could not make a sandbox because of what another one kept. */
static void test_all_is_given_back_when_the_system_refuses(void)
{
    fill_cache();
    eryx_engine *of_most = live_engine;
    live_open();
    struct rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
    struct rlimit tight = {.rlim_cur = address_space() + MEMORY_RESERVED_BYTES / 2,
                           .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_AS, &tight), 0);
    eryx_sandbox *sandbox = live_create(NULL);
    run(sandbox, "x = 1");
    ASSERT_EQ(of_most->cache.count, 0);
    ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
    eryx_sandbox_destroy(sandbox);
    live_close();
    live_engine = of_most;
}

static void test_child_of_a_fork_has_memory_of_its_own(void)
{
    eryx_sandbox *sandbox = live_create(NULL);
    run(sandbox, "x = 1");
    eryx_sandbox_destroy(sandbox);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 3; i++) {
            sandbox = live_create(NULL);
            assert_memory_is_image(sandbox);
            run(sandbox, hostile_programs[1]);
            eryx_sandbox_destroy(sandbox);
        }
        _exit(0);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    sandbox = live_create(NULL);
    assert_memory_is_image(sandbox);
    eryx_sandbox_destroy(sandbox);
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_nothing_is_left_for_the_next_sandbox),
          TEST_CASE(test_nothing_is_left_by_reset),
          TEST_CASE(test_nothing_is_left_of_a_suspended_run),
          TEST_CASE(test_pages_behind_the_image_are_gone),
          TEST_CASE(test_child_of_a_fork_has_memory_of_its_own),
          TEST_CASE(test_nothing_is_left_where_the_kernel_does_not_tell),
          TEST_CASE(test_nothing_is_kept_while_memory_is_short),
          TEST_CASE(test_all_is_given_back_when_the_system_refuses),
          TEST_CASE(test_no_more_is_kept_than_the_cache_holds), TEST_CASE(live_close))
