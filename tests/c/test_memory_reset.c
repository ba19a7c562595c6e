/* When the pages that a guest has written are known, and when they have to be found. */
#include "machine/memory_reset.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/page_faults.h"
#include "test.h"

enum { PAGES = 40, PAGE = 4096 };

static char path[] = "/tmp/eryx-test-reset-XXXXXX";
static uint8_t *contents; /* of the image */
static image opened;
static memory_map map;
static wasm_rt_memory_t memory;

static void make_image(void)
{
    contents = calloc(PAGES, MEMORY_PAGE_BYTES);
    ASSERT_NOT_NULL(contents);
    for (size_t i = 1; i < 300; i++) { /* there is nothing in the page at 0 */
        contents[i * PAGE + i] = (uint8_t)(i + 1);
    }
    int file = mkstemp(path);
    ASSERT_GE(file, 0);
    close(file);
    ASSERT_EQ(image_write(path, contents, PAGES * MEMORY_PAGE_BYTES, 77, NULL), ERYX_OK);
    ASSERT_EQ(image_open(path, &opened, NULL), ERYX_OK);
    unlink(path);
}

static void assert_memory_is(const uint8_t *expected)
{
    ASSERT_BYTES_EQ(memory.data + PAGE, memory.size - PAGE, expected + PAGE, memory.size - PAGE);
}

static void write_to(size_t page)
{
    memory.data[page * PAGE + 100] ^= 0xff;
}

static void reset(int way)
{
    ASSERT(memory_reset(&map, &memory, &opened));
    ASSERT_EQ(map.way, way);
}

/* The memory, which has two pages of its own, and is watched. */
static void begin(void)
{
    ASSERT(memory_create(&map, &opened, 0, &memory));
    memory_watch(&map);
    write_to(3);
    write_to(500);
    reset(MEMORY_FOUND);
    memory_watch(&map);
}

static void end(void)
{
    assert_memory_is(contents);
    memory_destroy(&map);
}

/* What a reset finds if pages are counted here; those that it can know it finds else. */
static int known(void)
{
    return page_faults_are_counted() ? MEMORY_KNOWN : MEMORY_FOUND;
}

static void test_pages_that_were_written_before_are_known(void)
{
    begin();
    for (int i = 0; i < 100; i++) {
        write_to(3);
        reset(known());
        ASSERT_EQ(memory.data[3 * PAGE + 100], contents[3 * PAGE + 100]);
        memory_watch(&map);
        write_to(500);
        reset(known());
        memory_watch(&map);
    }
    end();
}

static void test_a_page_that_is_written_for_the_first_time_is_found(void)
{
    begin();
    for (size_t page = 1; page < 300; page += 7) {
        write_to(page);
        write_to(3);
        reset(page == 3 ? known() : MEMORY_FOUND);
        ASSERT_EQ(memory.data[page * PAGE + 100], contents[page * PAGE + 100]);
        memory_watch(&map);
    }
    end();
}

static void test_a_page_that_the_kernel_writes_is_found(void)
{
    static const uint8_t text[] = "from the kernel";
    int ends[2];
    begin();
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(write(ends[1], text, sizeof text), sizeof text);
    ASSERT_EQ(read(ends[0], memory.data + 20 * PAGE, sizeof text), sizeof text);
    reset(MEMORY_FOUND);
    close(ends[0]);
    close(ends[1]);
    end();
}

static void test_memory_that_is_not_watched_is_looked_at(void)
{
    begin();
    reset(known());
    write_to(21);
    reset(MEMORY_FOUND);
    end();
}

static size_t written_elsewhere;

static void *use_elsewhere(void *nothing)
{
    memory_use(&map);
    write_to(written_elsewhere);
    return nothing;
}

static void run_thread(void *(*main)(void *))
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, main, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}

/* The one that resets has had no fault for it: to start a thread once more takes none. */
static void test_what_another_thread_has_written_is_found(void)
{
    begin();
    for (written_elsewhere = 30; written_elsewhere < 60; written_elsewhere++) {
        run_thread(use_elsewhere);
        memory_use(&map);
        reset(MEMORY_FOUND);
        assert_memory_is(contents);
        memory_watch(&map);
    }
    end();
}

static void *reset_elsewhere(void *nothing)
{
    reset(MEMORY_FOUND);
    return nothing;
}

static void test_another_thread_does_not_know_the_pages(void)
{
    begin();
    write_to(23);
    run_thread(reset_elsewhere);
    end();
}

/* As mlockall() of any thread does: all pages become the memory's own, and no later write is a
 * fault. */
static void *populate(void *nothing)
{
#ifdef MADV_POPULATE_WRITE
    size_t size = (size_t)(memory.data - map.reservation) + memory.size;
    if (madvise(map.reservation, MEMORY_WITNESS_BYTES, MADV_POPULATE_WRITE) == 0 &&
        madvise(memory.data + PAGE, memory.size - PAGE, MADV_POPULATE_WRITE) == 0) {
        return map.reservation + size;
    }
#endif
    return nothing;
}

static void test_pages_that_the_system_has_written_are_found(void)
{
    begin();
    pthread_t thread;
    void *done;
    ASSERT_EQ(pthread_create(&thread, NULL, populate, NULL), 0);
    ASSERT_EQ(pthread_join(thread, &done), 0);
    for (size_t page = 24; page < 600; page++) {
        write_to(page);
    }
    reset(MEMORY_FOUND);
    assert_memory_is(contents);
    memory_watch(&map);
    write_to(3);
    reset(done != NULL ? MEMORY_FOUND : known()); /* once touched it says nothing any more */
    end();
}

/* The same by the call itself, where the system allows it. */
static void *lock_all(void *nothing)
{
    return mlockall(MCL_CURRENT) == 0 && munlockall() == 0 ? &map : nothing;
}

static void test_pages_that_were_locked_are_found(void)
{
    begin();
    pthread_t thread;
    void *locked;
    ASSERT_EQ(pthread_create(&thread, NULL, lock_all, NULL), 0);
    ASSERT_EQ(pthread_join(thread, &locked), 0);
    write_to(25);
    reset(MEMORY_FOUND);
    printf("mlockall() is %s here\n", locked != NULL ? "allowed" : "refused");
    end();
}

/* More than is worth copying. */
static void test_very_many_pages_are_dropped(void)
{
    enum { MANY = 100 };
    image large;
    uint8_t *zeros = calloc(MANY, MEMORY_PAGE_BYTES);
    ASSERT_NOT_NULL(zeros);
    char name[] = "/tmp/eryx-test-reset-XXXXXX";
    int file = mkstemp(name);
    ASSERT_GE(file, 0);
    close(file);
    ASSERT_EQ(image_write(name, zeros, MANY * MEMORY_PAGE_BYTES, 77, NULL), ERYX_OK);
    ASSERT_EQ(image_open(name, &large, NULL), ERYX_OK);
    unlink(name);
    ASSERT(memory_create(&map, &large, 0, &memory));
    memset(memory.data + PAGE, 0xff, memory.size - PAGE);
    ASSERT(memory_reset(&map, &memory, &large));
    ASSERT_EQ(map.way, MEMORY_DROPPED);
    assert_memory_is(zeros);
    memory_destroy(&map);
    image_close(&large);
    free(zeros);
}

static void test_faults_are_counted_here(void)
{
    uint64_t before, after;
    printf("page faults are %s here\n", page_faults_are_counted() ? "counted" : "not counted");
    ASSERT(page_faults_count(&before));
    ASSERT(page_faults_count(&after));
    ASSERT_GE_U(after, before);
}

static void close_image(void)
{
    image_close(&opened);
    free(contents);
}

TEST_MAIN(TEST_CASE(make_image), TEST_CASE(test_faults_are_counted_here),
          TEST_CASE(test_pages_that_were_written_before_are_known),
          TEST_CASE(test_a_page_that_is_written_for_the_first_time_is_found),
          TEST_CASE(test_a_page_that_the_kernel_writes_is_found),
          TEST_CASE(test_memory_that_is_not_watched_is_looked_at),
          TEST_CASE(test_what_another_thread_has_written_is_found),
          TEST_CASE(test_another_thread_does_not_know_the_pages),
          TEST_CASE(test_pages_that_the_system_has_written_are_found),
          TEST_CASE(test_pages_that_were_locked_are_found),
          TEST_CASE(test_very_many_pages_are_dropped), TEST_CASE(close_image))
