/*
 * Waiting for a time, and for nothing: libc's own would wait for ever where only another thread
 * could end the wait, and would wake those that sleep whenever anything happens outside.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/select.h>
#include <time.h>

#include "host.h"
#include "replaced.h"
#include "threads.h"

/* libc's own (toolchain/link.py). */
int __eryx_replaced_poll(struct pollfd *files, nfds_t count, int timeout_ms);
int __eryx_replaced_select(int limit, fd_set *readable, fd_set *writable, fd_set *exceptional,
                           struct timeval *timeout);

/* What nobody wakes. */
static const char nothing;

enum { SECOND_NS = 1000000000, RELATIVE = 0 };

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* 0, or EINTR and what is left. */
static int sleep_until(uint64_t deadline_ns, struct timespec *out_left)
{
    if (thread_wait(&nothing, deadline_ns) != EINTR) {
        return 0;
    }
    uint64_t now = now_ns();
    uint64_t left_ns = deadline_ns > now ? deadline_ns - now : 0;
    if (out_left != NULL) {
        out_left->tv_sec = (time_t)(left_ns / SECOND_NS);
        out_left->tv_nsec = (long)(left_ns % SECOND_NS);
    }
    return EINTR;
}

static int is_time(const struct timespec *time)
{
    return time->tv_nsec >= 0 && time->tv_nsec < SECOND_NS && time->tv_sec >= 0;
}

REPLACES int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                             struct timespec *left)
{
    if (!is_time(request)) {
        return EINVAL;
    }
    if (flags != RELATIVE) {
        return sleep_until(thread_deadline(clock == CLOCK_MONOTONIC, request), NULL);
    }
    if (request->tv_sec == 0 && request->tv_nsec == 0) {
        host_thread_give_way(0);
        return 0;
    }
    uint64_t now = now_ns();
    uint64_t most_s = (INT64_MAX - now) / SECOND_NS - 1;
    uint64_t deadline_ns =
        (uint64_t)request->tv_sec > most_s
            ? INT64_MAX
            : now + (uint64_t)request->tv_sec * SECOND_NS + (uint64_t)request->tv_nsec;
    return sleep_until(deadline_ns, left);
}

REPLACES int nanosleep(const struct timespec *request, struct timespec *left)
{
    int failed = clock_nanosleep(CLOCK_MONOTONIC, RELATIVE, request, left);
    errno = failed != 0 ? failed : errno;
    return failed != 0 ? -1 : 0;
}

REPLACES int sched_yield(void);
int sched_yield(void)
{
    host_thread_give_way(0);
    return 0;
}

/* Of no file, without a time limit, this and select() would wait for signals. */
static int wait_for_signals(void)
{
    thread_wait(&nothing, THREAD_WAITS_FOR_EVER);
    errno = EINTR;
    return -1;
}

REPLACES int poll(struct pollfd *files, nfds_t count, int timeout_ms)
{
    if (count == 0 && timeout_ms < 0) {
        return wait_for_signals();
    }
    return __eryx_replaced_poll(files, count, timeout_ms);
}

static int is_empty(const fd_set *files)
{
    return files == NULL || files->__nfds == 0;
}

REPLACES int select(int limit, fd_set *restrict readable, fd_set *restrict writable,
                    fd_set *restrict exceptional, struct timeval *restrict timeout)
{
    if (timeout == NULL && is_empty(readable) && is_empty(writable) && is_empty(exceptional)) {
        return wait_for_signals();
    }
    return __eryx_replaced_select(limit, readable, writable, exceptional, timeout);
}
