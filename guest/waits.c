/*
 * Waiting, where there is one thread.
 *
 * libpython waits for locks with condition variables and for files with poll(). What nobody else
 * can bring about ends the guest in libc, and libc's waits with a time limit know one clock only
 * and else do not wait at all. So these take their place.
 */
#define _POSIX_C_SOURCE 200809L
#include "module.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/select.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

/* What a condition variable holds that is initialised here; pthread_cond_t is larger. */
struct condition {
    uint32_t monotonic; /* whether its time limits are of that clock */
};

/* pthread_condattr_t: what pthread_condattr_setclock() keeps, by the number of the clock. */
struct condition_attributes {
    uint32_t monotonic;
};

EXPORT int pthread_cond_init(struct condition *condition,
                             const struct condition_attributes *attributes);
int pthread_cond_init(struct condition *condition, const struct condition_attributes *attributes)
{
    condition->monotonic = attributes != NULL && attributes->monotonic != 0;
    return 0;
}

/* Nobody signals the condition. This one comes back without it, which callers must be prepared
 * for, and then look for signals. */
EXPORT int pthread_cond_wait(struct condition *condition, void *mutex);
int pthread_cond_wait(struct condition *condition, void *mutex)
{
    (void)condition;
    (void)mutex;
    module_refuse_wait();
    return 0;
}

/* What is left until then, at most a year of it; zero if it is over. */
static struct timespec time_left(clockid_t clock, const struct timespec *until)
{
    enum { SECOND_NS = 1000000000, YEAR_S = 366 * 86400 };
    struct timespec now;
    clock_gettime(clock, &now);
    if (until->tv_sec > now.tv_sec + YEAR_S) {
        return (struct timespec){.tv_sec = YEAR_S};
    }
    int64_t left_ns =
        (until->tv_sec - now.tv_sec) * SECOND_NS + (int64_t)until->tv_nsec - now.tv_nsec;
    if (left_ns <= 0) {
        return (struct timespec){0};
    }
    return (struct timespec){.tv_sec = left_ns / SECOND_NS, .tv_nsec = (long)(left_ns % SECOND_NS)};
}

static int is_over(struct timespec left)
{
    return left.tv_sec == 0 && left.tv_nsec == 0;
}

/* Nobody signals this one either, so time passes. An interrupt ends it early. */
EXPORT int pthread_cond_timedwait(struct condition *condition, void *mutex,
                                  const struct timespec *until);
int pthread_cond_timedwait(struct condition *condition, void *mutex, const struct timespec *until)
{
    clockid_t clock = condition->monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    (void)mutex;
    struct timespec left = time_left(clock, until);
    if (!is_over(left)) {
        nanosleep(&left, NULL);
        left = time_left(clock, until);
    }
    return is_over(left) ? ETIMEDOUT : 0;
}

/* libc's own (toolchain/link.py). */
int __eryx_replaced_poll(struct pollfd *files, nfds_t count, int timeout_ms);
int __eryx_replaced_select(int limit, fd_set *readable, fd_set *writable, fd_set *exceptional,
                           struct timeval *timeout);

/* Of no file, without a time limit, this and select() would wait for signals. */
EXPORT int poll(struct pollfd *files, nfds_t count, int timeout_ms)
{
    if (count == 0 && timeout_ms < 0) {
        module_refuse_wait();
        errno = EINTR;
        return -1;
    }
    return __eryx_replaced_poll(files, count, timeout_ms);
}

static int is_empty(const fd_set *files)
{
    return files == NULL || files->__nfds == 0;
}

EXPORT int select(int limit, fd_set *restrict readable, fd_set *restrict writable,
                  fd_set *restrict exceptional, struct timeval *restrict timeout)
{
    if (timeout == NULL && is_empty(readable) && is_empty(writable) && is_empty(exceptional)) {
        module_refuse_wait();
        errno = EINTR;
        return -1;
    }
    return __eryx_replaced_select(limit, readable, writable, exceptional, timeout);
}
