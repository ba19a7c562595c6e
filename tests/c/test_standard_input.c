/* What a run reads: bytes, or a descriptor that is read when it is asked for. */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/standard_input.h"
#include "test.h"

static standard_input input;
static int ends[2];

/* A run that reads a pipe, whose other end is ends[1]. */
static void begin_with_pipe(void)
{
    standard_input_init(&input);
    ASSERT_EQ(pipe(ends), 0);
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.standard_input_fd = ends[0];
    eryx_error error;
    ASSERT_EQ(standard_input_begin(&input, &options, &error), ERYX_OK);
    close(ends[0]); /* it has one of its own */
}

static void end(void)
{
    standard_input_end(&input, true);
    standard_input_destroy(&input);
    close(ends[1]);
}

static void put(const char *text)
{
    ASSERT_EQ(write(ends[1], text, strlen(text)), strlen(text));
}

static void test_nothing_is_the_end(void)
{
    standard_input_init(&input);
    ASSERT(standard_input_is_ready(&input));
    ASSERT_EQ(standard_input_fill(&input, 10), STANDARD_INPUT_END);
    standard_input_end(&input, true);
    standard_input_destroy(&input);
}

static void test_no_more_is_read_than_was_asked_for(void)
{
    begin_with_pipe();
    ASSERT_EQ(standard_input_fill(&input, 10), STANDARD_INPUT_NOT_YET);
    put("hello");
    ASSERT_EQ(standard_input_fill(&input, 2), STANDARD_INPUT_READY);
    ASSERT_EQ(input.size, 2);
    ASSERT_EQ(standard_input_fill(&input, 2), STANDARD_INPUT_READY); /* those are not taken yet */
    ASSERT_EQ(input.size, 2);
    input.position = 2;
    ASSERT_EQ(standard_input_fill(&input, 10), STANDARD_INPUT_READY);
    ASSERT_EQ(input.size, 3);
    ASSERT_EQ(memcmp(input.bytes, "llo", 3), 0);
    input.position = 3;
    ASSERT_EQ(standard_input_fill(&input, 10), STANDARD_INPUT_NOT_YET);
    close(ends[1]);
    ASSERT_EQ(standard_input_fill(&input, 10), STANDARD_INPUT_END);
    ASSERT_EQ(standard_input_fill(&input, 10), STANDARD_INPUT_END);
    ends[1] = -1;
    end();
}

static bool is_readable(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    return poll(&look, 1, 0) == 1;
}

static void test_wait_ends_with_input(void)
{
    uint64_t wake_ns = UINT64_MAX;
    begin_with_pipe();
    ASSERT_EQ(standard_input_before_wait(&input, -1, &wake_ns), -1); /* nobody waits for it */
    for (int round = 0; round < 3; round++) {
        ASSERT(!standard_input_is_ready(&input));
        int fd = standard_input_before_wait(&input, -1, &wake_ns);
        ASSERT(fd >= 0);
        ASSERT(!is_readable(fd));
        put("x");
        ASSERT(is_readable(fd));
        standard_input_after_wait(&input);
        ASSERT(standard_input_is_ready(&input));
        ASSERT_EQ(standard_input_fill(&input, 10), STANDARD_INPUT_READY);
        input.position = input.size;
    }
    ASSERT(wake_ns == UINT64_MAX);
    end();
}

static void test_wait_ends_with_what_else_is_waited_for(void)
{
    uint64_t wake_ns = UINT64_MAX;
    int other[2];
    ASSERT_EQ(pipe(other), 0);
    begin_with_pipe();
    ASSERT(!standard_input_is_ready(&input));
    int fd = standard_input_before_wait(&input, other[0], &wake_ns);
    ASSERT(fd != other[0]);
    ASSERT(!is_readable(fd));
    ASSERT_EQ(write(other[1], "x", 1), 1);
    ASSERT(is_readable(fd));
    standard_input_after_wait(&input);
    ASSERT_EQ(standard_input_before_wait(&input, other[0], &wake_ns), other[0]);
    end();
    close(other[0]);
    close(other[1]);
}

static void test_wait_ends_with_a_wake(void)
{
    uint64_t wake_ns = UINT64_MAX;
    begin_with_pipe();
    standard_input_wake(&input); /* nobody waits: nothing happens */
    ASSERT(!standard_input_is_ready(&input));
    int fd = standard_input_before_wait(&input, -1, &wake_ns);
    standard_input_wake(&input);
    ASSERT(is_readable(fd));
    standard_input_after_wait(&input);
    ASSERT(!is_readable(fd));
    end();
}

static void test_files_are_always_ready(void)
{
    static const char content[100 << 10] = "begin";
    int file = memfd_create("input", MFD_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    ASSERT(file >= 0);
    ASSERT_EQ(pwrite(file, content, sizeof content, 0), sizeof content);
    ASSERT(null >= 0);
    eryx_run_options options;
    eryx_run_options_init(&options);
    eryx_error error;
    standard_input_init(&input);
    options.standard_input_fd = file;
    ASSERT_EQ(standard_input_begin(&input, &options, &error), ERYX_OK);
    ASSERT(standard_input_is_ready(&input));
    ASSERT_EQ(standard_input_fill(&input, (size_t)1 << 30), STANDARD_INPUT_READY);
    ASSERT_EQ(input.size, 64 << 10);
    ASSERT_EQ(memcmp(input.bytes, "begin", 5), 0);
    options.standard_input_fd = null;
    ASSERT_EQ(standard_input_begin(&input, &options, &error), ERYX_OK);
    ASSERT(standard_input_is_ready(&input));
    ASSERT_EQ(standard_input_fill(&input, 10), STANDARD_INPUT_END);
    standard_input_end(&input, true);
    standard_input_destroy(&input);
    close(file);
    close(null);
}

static void test_refusals(void)
{
    eryx_run_options options;
    eryx_run_options_init(&options);
    eryx_error error;
    standard_input_init(&input);
    options.standard_input_fd = 9999;
    ASSERT_EQ(standard_input_begin(&input, &options, &error), ERYX_INVALID_ARGUMENT);
    options.standard_input_fd = 0;
    options.standard_input = (const uint8_t *)"x";
    options.standard_input_size = 1;
    ASSERT_EQ(standard_input_begin(&input, &options, &error), ERYX_INVALID_ARGUMENT);
    int directory = open("/", O_RDONLY | O_CLOEXEC);
    options.standard_input_size = 0;
    options.standard_input_fd = directory;
    ASSERT_EQ(standard_input_begin(&input, &options, &error), ERYX_OK);
    ASSERT_EQ(standard_input_fill(&input, 10), STANDARD_INPUT_FAILED);
    standard_input_end(&input, true);
    standard_input_destroy(&input);
    close(directory);
}

TEST_MAIN(TEST_CASE(test_nothing_is_the_end), TEST_CASE(test_no_more_is_read_than_was_asked_for),
          TEST_CASE(test_wait_ends_with_input),
          TEST_CASE(test_wait_ends_with_what_else_is_waited_for),
          TEST_CASE(test_wait_ends_with_a_wake), TEST_CASE(test_files_are_always_ready),
          TEST_CASE(test_refusals))
