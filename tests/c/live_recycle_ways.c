/*
 * Nothing of one sandbox is seen by the next, whichever way the system has to tell which pages were
 * written: programs and stores fill memory with a pattern in all ways that a guest has, and the
 * recycled memory is searched for it.
 *
 * Each way 10,000 times with ERYX_TEST_FULL=1, else a sample.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#include "live.h"
#include "machine/page_faults.h"
#include "sandbox/sandbox.h"

/* ---- The system that is played ----------------------------------------------------------------
 */

static bool has_counts; /* of page faults */
static bool has_scan;   /* PAGEMAP_SCAN */

static int play_ioctl(int file, unsigned long request, void *argument)
{
    if (!has_scan) {
        errno = ENOTTY;
        return -1;
    }
    return ioctl(file, request, argument);
}

#define ioctl(file, request, argument) play_ioctl(file, request, argument)
#include "../../src/machine/dirty_pages.c"
#undef ioctl

#define page_faults_are_counted page_faults_are_counted_here
#include "../../src/machine/page_faults.c"
#undef page_faults_are_counted

bool page_faults_are_counted(void)
{
    return has_counts && page_faults_are_counted_here();
}

/* ---- The pattern ------------------------------------------------------------------------------
 */

/* In no program as it is written here: a program's text is in its memory as well. */
#define PATTERN "FROM-AN-EARLIER-GUEST"
#define PROGRAM(code)                                                                              \
    "p = bytes(b ^ 1 for b in b'GSNL,@O,D@SMHDS,FTDRU')\nassert len(p) == 21\nt = "                \
    "p.decode()\n" code

static const char *const programs[] = {
    /* Small ones, which need no more memory than the image has. */
    PROGRAM("x = [t * n for n in range(1, 30)]"),
    PROGRAM("x = {t + str(n): p for n in range(20)}\nprint(t)"),
    PROGRAM("class C: a = t\nx = C()\nx.b = p\ndef f(a=t): return a + t\ny = f()"),
    /* Objects of all sizes, and tables. */
    PROGRAM("x = {t + str(n): p * n for n in range(100)}; y = set(x); z = tuple(x)"),
    PROGRAM("x = bytearray(p) * 3000; y = memoryview(x); z = [x[:n] for n in range(0, 4000, 50)]"),
    /* What the interpreter keeps: names, modules, types, functions, code, caches. */
    PROGRAM("import sys\nfor m in list(sys.modules.values()): setattr(m, t.replace('-', '_'), t)"),
    PROGRAM("import sys\nx = [sys.intern(t + str(n)) for n in range(50)]"),
    PROGRAM("class C: __doc__ = t\nC.a = t\nx = type(t, (C,), {t: p})\ndef f(a=t): return a + t\n"
            "f.b = p"),
    PROGRAM("x = [compile('x = ' + repr(t * 3), t, 'exec') for n in range(5)]"),
    PROGRAM("import re, struct\nre.compile(t)\nstruct.calcsize('21s')\nx = struct.pack('21s', p)"),
    PROGRAM("import os, random, sys\nos.environ[t] = t\nrandom.seed(p)\nsys.argv.append(t)"),
    /* Files, streams, and what is still going on at the end. */
    PROGRAM("open('/data/' + t, 'wb').write(p * 500)\nopen('/tmp/x', 'wb').write(p)\nprint(t * 9)"),
    PROGRAM("import sys\nx = sys.stdin.buffer.read()\nf = open('/data/y', 'w')\nf.write(t)"),
    PROGRAM("def g(a):\n  b = a + t\n  yield b\nx = g(t)\nnext(x)\ny = open\ndef h(): raise "
            "ValueError(t)\ntry: h()\nexcept ValueError as e: z = e"),
    PROGRAM("import asyncio\nasync def f(): await asyncio.sleep(60, t)\nx = f()\nx.send(None)"),
    /* Deep stacks, and growth. */
    PROGRAM("def f(n, a): return f(n + 1, a + t[:1])\nf(0, t)"),
    PROGRAM("import json\nx = '[' * 400 + '\"' + t + '\"' + ']' * 400\nfor n in range(9): "
            "json.loads(x)"),
    PROGRAM("x = bytearray(p) * 150000"),
    PROGRAM("x = [bytearray(p) * 3000 for n in range(60)]"),
    /* Ends of all kinds. */
    PROGRAM("raise KeyError(t)"),
    PROGRAM("import os\nx = t * 20\nos.abort()"),
    PROGRAM("import sys\nx = t * 20\nsys.exit(t)"),
    PROGRAM("import time\nx = t * 20\ntime.sleep(60)"), /* dropped in the middle of it */
};

enum { PROGRAM_COUNT = sizeof programs / sizeof programs[0], SMALL_COUNT = 3 };

static unsigned random_state = 1;

static unsigned random_below(unsigned end)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 8) % end;
}

/* There is nothing in the page at 0. */
enum { FIRST_PAGE = GUEST_LOWEST_ADDRESS / IMAGE_PAGE_BYTES };

static void fill_page(const eryx_sandbox *sandbox, uint64_t page)
{
    uint8_t *bytes = sandbox->instance.memory.data + page * IMAGE_PAGE_BYTES;
    for (size_t at = page % 64; at + sizeof PATTERN < IMAGE_PAGE_BYTES; at += 64) {
        memcpy(bytes + at, PATTERN, sizeof PATTERN);
    }
}

/* Stores as a guest makes them that has left Python behind: to pages that no program writes, and to
 * those that each one does. */
static void store(const eryx_sandbox *sandbox)
{
    for (unsigned count = random_below(40); count > 0; count--) {
        unsigned pages = (unsigned)(sandbox->instance.memory.size / IMAGE_PAGE_BYTES);
        fill_page(sandbox, FIRST_PAGE + random_below(pages - FIRST_PAGE));
    }
}

static void store_to_own_pages(const eryx_sandbox *sandbox)
{
    const memory_map *map = &sandbox->map;
    for (size_t i = 0; i < map->own_count; i++) {
        uint64_t first = (uint64_t)(map->own_pages[i].start - sandbox->instance.memory.data);
        for (uint64_t at = 0; at < map->own_pages[i].size; at += IMAGE_PAGE_BYTES) {
            fill_page(sandbox, (first + at) / IMAGE_PAGE_BYTES);
        }
    }
}

/* ---- Runs -------------------------------------------------------------------------------------
 */

/* Up to its end, or to its first wait. */
static void run(eryx_sandbox *sandbox, const char *source)
{
    eryx_run_options options = live_program(source);
    options.keep_state = random_below(2) != 0;
    options.standard_input = (const uint8_t *)PATTERN;
    options.standard_input_size = sizeof PATTERN;
    eryx_event event = {.kind = ERYX_EVENT_PAUSE};
    ASSERT_EQ(eryx_run_begin(sandbox, &options, NULL), ERYX_OK);
    while (event.kind != ERYX_EVENT_DONE && event.kind != ERYX_EVENT_WAIT) {
        ASSERT_EQ(eryx_run_step(sandbox, &event), ERYX_OK);
    }
}

/* The programs above are written right, so that they leave what they are to. */
static void test_programs_leave_the_pattern(void)
{
    for (size_t i = 0; i < PROGRAM_COUNT; i++) {
        eryx_sandbox *sandbox = live_create(NULL);
        run(sandbox, programs[i]);
        const wasm_rt_memory_t *memory = &sandbox->instance.memory;
        if (memmem(memory->data + GUEST_LOWEST_ADDRESS, memory->size - GUEST_LOWEST_ADDRESS,
                   PATTERN, sizeof PATTERN - 1) == NULL) {
            test_fail(__FILE__, __LINE__, "%s\nleaves nothing", programs[i]);
        }
        eryx_sandbox_destroy(sandbox);
    }
}

static void assert_page(const image *source, const uint8_t *page, uint64_t offset)
{
    static const uint8_t zeros[IMAGE_PAGE_BYTES];
    const uint8_t *original = image_page(source, offset);
    if (memcmp(page, original != NULL ? original : zeros, IMAGE_PAGE_BYTES) != 0) {
        test_fail(__FILE__, __LINE__, "page %llx differs from the image%s",
                  (unsigned long long)offset,
                  memmem(page, IMAGE_PAGE_BYTES, PATTERN, 8) != NULL ? ": the pattern" : "");
    }
}

static void assert_is_image(const eryx_sandbox *sandbox, bool is_whole)
{
    const image *source = &sandbox->engine->image;
    const wasm_rt_memory_t *memory = &sandbox->instance.memory;
    static dirty_range ranges[1 << 16];
    size_t count = 0;
    bool scans = has_scan;
    ASSERT_EQ_U(memory->size, source->memory_pages * MEMORY_PAGE_BYTES);
    ASSERT_EQ(sandbox->instance.stack_pointer, source->stack_pointer);
    has_scan = true; /* to look is not what is tried here */
    bool found = dirty_pages_find(memory->data, memory->size, ranges, 1 << 16, &count);
    has_scan = scans;
    if (is_whole || !found) {
        ranges[0] =
            (dirty_range){memory->data + GUEST_LOWEST_ADDRESS, memory->size - GUEST_LOWEST_ADDRESS};
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < ranges[i].size; at += IMAGE_PAGE_BYTES) {
            uint8_t *page = ranges[i].start + at;
            assert_page(source, page, (uint64_t)(page - memory->data));
        }
    }
}

/* Behind the image there are zeros. */
static void assert_growth_is_empty(eryx_sandbox *sandbox)
{
    wasm_rt_memory_t *memory = &sandbox->instance.memory;
    uint64_t size = memory->size;
    ASSERT(memory_grow(memory, 64));
    ASSERT_NULL(memmem(memory->data + size, 64 * MEMORY_PAGE_BYTES, PATTERN, 8));
    for (uint64_t at = size; at < memory->size; at += 8) {
        uint64_t word;
        memcpy(&word, memory->data + at, sizeof word);
        ASSERT_EQ_U(word, 0);
    }
}

/* Runs like the one before, and all others in turn; then searches. */
static void recycle(unsigned count, unsigned *ways)
{
    const char *usual = programs[random_below(SMALL_COUNT)];
    for (unsigned i = 0; i < count; i++) {
        eryx_sandbox *sandbox = live_create(NULL);
        ways[sandbox->map.way]++;
        if (i % 100 == 99) {
            assert_is_image(sandbox, true);
            assert_growth_is_empty(sandbox);
            usual = programs[random_below(SMALL_COUNT)];
        }
        if (i % 4 == 3) {
            run(sandbox, programs[random_below(PROGRAM_COUNT)]);
            store(sandbox);
        } else {
            run(sandbox, usual);
            store_to_own_pages(sandbox);
        }
        if (i % 10 == 9 && sandbox->state != SANDBOX_RUNNING) {
            ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
            assert_is_image(sandbox, false);
            run(sandbox, usual);
            store_to_own_pages(sandbox);
        }
        eryx_sandbox_destroy(sandbox);
        sandbox = live_create(NULL);
        ways[sandbox->map.way]++;
        assert_is_image(sandbox, false);
        eryx_sandbox_destroy(sandbox);
    }
}

static unsigned round_count(void)
{
    return (unsigned)(10000 / test_step(25));
}

static void test_where_page_faults_are_counted(void)
{
    unsigned ways[4] = {0};
    has_counts = true;
    has_scan = true;
    recycle(round_count(), ways);
    printf("known %u, found %u, dropped %u\n", ways[MEMORY_KNOWN], ways[MEMORY_FOUND],
           ways[MEMORY_DROPPED]);
    ASSERT(!page_faults_are_counted() || ways[MEMORY_KNOWN] > round_count() / 4);
    ASSERT_GT(ways[MEMORY_FOUND], round_count() / 10);
}

static void test_where_they_are_counted_but_there_is_no_scan(void)
{
    unsigned ways[4] = {0};
    has_counts = true;
    has_scan = false;
    recycle(round_count(), ways);
    ASSERT(!page_faults_are_counted() || ways[MEMORY_KNOWN] > round_count() / 4);
}

static void test_where_the_kernel_has_the_scan_alone(void)
{
    unsigned ways[4] = {0};
    has_counts = false;
    has_scan = true;
    eryx_engine_trim(live_engine);
    recycle(round_count(), ways);
    ASSERT_EQ(ways[MEMORY_KNOWN], 0);
    ASSERT_GT(ways[MEMORY_FOUND], round_count() / 4);
}

static void test_where_there_are_entries_of_pages_alone(void)
{
    unsigned ways[4] = {0};
    has_counts = false;
    has_scan = false;
    recycle(round_count(), ways);
    ASSERT_EQ(ways[MEMORY_KNOWN], 0);
    ASSERT_GT(ways[MEMORY_FOUND], round_count() / 4);
}

static void test_where_the_kernel_tells_nothing(void)
{
    unsigned ways[4] = {0};
    has_counts = true;
    has_scan = true;
    eryx_engine_trim(live_engine);
    struct rlimit before = live_hide_pages();
    recycle(round_count(), ways);
    live_see_pages(before);
    ASSERT_EQ(ways[MEMORY_KNOWN] + ways[MEMORY_FOUND], 0);
    ASSERT_GT(ways[MEMORY_DROPPED], round_count());
}

/* ---- Threads ----------------------------------------------------------------------------------
 */

typedef struct thread_step {
    eryx_sandbox *sandbox;
    const char *source;
} thread_step;

static void *run_step(void *argument)
{
    const thread_step *step = argument;
    run(step->sandbox, step->source);
    store(step->sandbox);
    return NULL;
}

static void *destroy_step(void *argument)
{
    const thread_step *step = argument;
    eryx_sandbox_destroy(step->sandbox);
    return NULL;
}

static void run_thread(void *(*main)(void *), thread_step *step)
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, main, step), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}

/* Made by one thread, used by another, dropped by a third. */
static void test_where_threads_hand_sandboxes_on(void)
{
    has_counts = true;
    has_scan = true;
    for (unsigned i = 0; i < round_count() / 4; i++) {
        thread_step step = {live_create(NULL), programs[random_below(PROGRAM_COUNT)]};
        switch (i % 3) {
        case 0: /* this one in the end */
            run_thread(run_step, &step);
            eryx_sandbox_destroy(step.sandbox);
            break;
        case 1: /* this one first */
            run_step(&step);
            run_thread(destroy_step, &step);
            break;
        default:
            run_thread(run_step, &step);
            run_thread(destroy_step, &step);
        }
        eryx_sandbox *next = live_create(NULL);
        ASSERT_EQ(next->map.way == MEMORY_KNOWN, false);
        assert_is_image(next, i % 50 == 49);
        eryx_sandbox_destroy(next);
    }
}

static atomic_bool failed;

/* Each thread with sandboxes of its own, whose memory goes from thread to thread. */
static void *recycle_in_thread(void *nothing)
{
    for (unsigned i = 0; i < round_count() / 4; i++) {
        eryx_sandbox *sandbox = NULL;
        const eryx_result *result;
        eryx_run_options options = live_program(programs[i % 12]);
        const image *source = &live_engine->image;
        if (eryx_sandbox_create(live_engine, NULL, &sandbox, NULL) != ERYX_OK) {
            atomic_store(&failed, true);
            return nothing;
        }
        for (uint64_t at = GUEST_LOWEST_ADDRESS; at < source->memory_pages * MEMORY_PAGE_BYTES;
             at += 97 * 4096) {
            if (memmem(sandbox->instance.memory.data + at, 4096, PATTERN, 8) != NULL) {
                atomic_store(&failed, true);
            }
        }
        (void)eryx_execute(sandbox, &options, &result, NULL);
        fill_page(sandbox, FIRST_PAGE + (i * 97) % (source->memory_pages * 16 - FIRST_PAGE));
        eryx_sandbox_destroy(sandbox);
    }
    return nothing;
}

static void test_where_threads_take_turns_with_memory(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    has_counts = true;
    has_scan = true;
    for (int i = 0; i < THREADS; i++) {
        ASSERT_EQ(pthread_create(&threads[i], NULL, recycle_in_thread, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        ASSERT_EQ(pthread_join(threads[i], NULL), 0);
    }
    ASSERT(!atomic_load(&failed));
    eryx_sandbox *sandboxes[MEMORY_CACHE_CAPACITY];
    for (int i = 0; i < MEMORY_CACHE_CAPACITY; i++) {
        sandboxes[i] = live_create(NULL);
        assert_is_image(sandboxes[i], true);
    }
    for (int i = 0; i < MEMORY_CACHE_CAPACITY; i++) {
        eryx_sandbox_destroy(sandboxes[i]);
    }
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_programs_leave_the_pattern),
          TEST_CASE(test_where_page_faults_are_counted),
          TEST_CASE(test_where_they_are_counted_but_there_is_no_scan),
          TEST_CASE(test_where_the_kernel_has_the_scan_alone),
          TEST_CASE(test_where_there_are_entries_of_pages_alone),
          TEST_CASE(test_where_the_kernel_tells_nothing),
          TEST_CASE(test_where_threads_hand_sandboxes_on),
          TEST_CASE(test_where_threads_take_turns_with_memory), TEST_CASE(live_close))
