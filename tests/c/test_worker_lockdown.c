/* What a process can do after it has given up what a worker gives up. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "worker/lockdown.h"

/* Status of a child that is locked down and then does that; it exits with what it gives. */
static int status_of(int (*act)(void))
{
    const pid_t child = fork();
    if (child == 0) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || lockdown_begin(ends[0]) != NULL ||
            lockdown_complete() != NULL) {
            _exit(99);
        }
        _exit(act());
    }
    int status;
    ASSERT(waitpid(child, &status, 0) == child);
    return status;
}

#ifndef ERYX_WORKER_UNCONFINED

static bool is_killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

#endif

static int do_nothing(void)
{
    return 7;
}

static int use_memory(void)
{
    uint8_t *memory =
        mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memory[0] = 1;
    void *more = malloc(10 << 20);
    free(more);
    return memory[0];
}

static int open_a_file(void)
{
    return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES ? 1 : 2;
}

#ifndef ERYX_WORKER_UNCONFINED

static int make_a_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 1 : 2;
}

static int make_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? 1
               : 2;
}

static int raise_a_limit(void)
{
    const struct rlimit more = {.rlim_cur = 1, .rlim_max = 1};
    return setrlimit(RLIMIT_NOFILE, &more) != 0 ? 1 : 2;
}

#endif

static int look_at_limits(void)
{
    struct rlimit core, processes;
    return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 &&
                   getrlimit(RLIMIT_NPROC, &processes) == 0 && processes.rlim_max == 0
               ? 1
               : 2;
}

/* 3 is a socket or nothing; what else was open in this process is closed. */
static int count_descriptors(void)
{
    int open_ones = 0;
    for (int fd = 3; fd < 1024; fd++) {
        open_ones += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    }
    return open_ones;
}

static void test_what_a_worker_needs_goes_on(void)
{
    int status = status_of(do_nothing);
    ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = status_of(use_memory);
    ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    status = status_of(look_at_limits);
    ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void test_what_was_open_is_closed(void)
{
    const int spare = open("/dev/null", O_RDONLY);
    ASSERT(spare >= 0);
    const int status = status_of(count_descriptors);
    close(spare);
    /* The socket, and the file that tells which pages were written. */
    ASSERT(WIFEXITED(status) && WEXITSTATUS(status) >= 1 && WEXITSTATUS(status) <= 2);
}

#ifdef ERYX_WORKER_UNCONFINED

/* The filter of calls is off, so it is Landlock alone that refuses. */
static void test_files_are_refused(void)
{
    enum { CALL_CREATE_RULESET = 444 };
    const int status = status_of(open_a_file);
    if (syscall(CALL_CREATE_RULESET, NULL, 0, 1) < 1) {
        printf("no Landlock here\n");
        return;
    }
    ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

TEST_MAIN(TEST_CASE(test_what_a_worker_needs_goes_on), TEST_CASE(test_what_was_open_is_closed),
          TEST_CASE(test_files_are_refused))

#else

static void test_what_is_not_on_the_list_ends_it(void)
{
    int (*const acts[])(void) = {open_a_file, make_a_socket, make_code, raise_a_limit};
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        ASSERT(is_killed(status_of(acts[i])));
    }
}

TEST_MAIN(TEST_CASE(test_what_a_worker_needs_goes_on), TEST_CASE(test_what_was_open_is_closed),
          TEST_CASE(test_what_is_not_on_the_list_ends_it))

#endif
