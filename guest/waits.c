/*
 * Waiting for a time, and for nothing: libc's own would wait for ever where only another thread
 * could end the wait, and would wake those that sleep whenever anything happens outside.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>

#include "host.h"
#include "pipes.h"
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

/* Other files cannot wake who waits for a pipe: they are looked at so often. */
#define LOOK_NS UINT64_C(5000000)

/* poll() where pipes are among the files. */
static int poll_pipes(struct pollfd *files, nfds_t count, uint64_t deadline_ns)
{
    nfds_t others;
    struct pollfd *rest = malloc(count * sizeof *rest);
    if (rest == NULL) {
        errno = ENOMEM;
        return -1;
    }
    int ready;
    for (;;) {
        ready = pipes_look(files, count, &others);
        if (others > 0) {
            for (nfds_t i = 0; i < count; i++) {
                rest[i] = files[i];
                rest[i].fd = pipes_has(files[i].fd) ? -1 : files[i].fd;
            }
            int found = __eryx_replaced_poll(rest, count, 0);
            for (nfds_t i = 0; found > 0 && i < count; i++) {
                files[i].revents = rest[i].fd >= 0 ? rest[i].revents : files[i].revents;
            }
            ready = found < 0 ? found : ready + found;
        }
        uint64_t now = now_ns();
        if (ready != 0 || now >= deadline_ns) {
            break;
        }
        uint64_t until = others > 0 && deadline_ns > now + LOOK_NS ? now + LOOK_NS : deadline_ns;
        int error = pipes_wait(until);
        if (error != 0 && error != ETIMEDOUT) {
            errno = error;
            ready = -1;
            break;
        }
    }
    int error = errno;
    free(rest);
    errno = error;
    return ready;
}

static bool has_pipe(const struct pollfd *files, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++) {
        if (pipes_has(files[i].fd)) {
            return true;
        }
    }
    return false;
}

static uint64_t after_ms(int timeout_ms)
{
    return timeout_ms < 0 ? THREAD_WAITS_FOR_EVER : now_ns() + (uint64_t)timeout_ms * 1000000;
}

REPLACES int poll(struct pollfd *files, nfds_t count, int timeout_ms)
{
    if (count == 0 && timeout_ms < 0) {
        return wait_for_signals();
    }
    if (has_pipe(files, count)) {
        return poll_pipes(files, count, after_ms(timeout_ms));
    }
    return __eryx_replaced_poll(files, count, timeout_ms);
}

static int is_empty(const fd_set *files)
{
    return files == NULL || files->__nfds == 0;
}

static bool set_has_pipe(const fd_set *files)
{
    for (size_t i = 0; files != NULL && i < files->__nfds; i++) {
        if (pipes_has(files->__fds[i])) {
            return true;
        }
    }
    return false;
}

static nfds_t add_files(struct pollfd *entries, nfds_t count, const fd_set *files, short events)
{
    for (size_t i = 0; files != NULL && i < files->__nfds; i++) {
        entries[count++] = (struct pollfd){.fd = files->__fds[i], .events = events};
    }
    return count;
}

/* Leaves those in a set that are ready, from an entry on; gives the entry behind them. */
static nfds_t keep_ready(const struct pollfd *entries, nfds_t entry, fd_set *files, int *io_ready)
{
    size_t kept = 0;
    for (size_t i = 0; files != NULL && i < files->__nfds; i++, entry++) {
        if (entries[entry].revents != 0) {
            files->__fds[kept++] = entries[entry].fd;
            ++*io_ready;
        }
    }
    if (files != NULL) {
        files->__nfds = kept;
    }
    return entry;
}

/* select() where pipes are among the files; nothing exceptional ever happens to any. */
static int select_pipes(fd_set *readable, fd_set *writable, fd_set *exceptional,
                        const struct timeval *timeout)
{
    size_t most =
        (readable != NULL ? readable->__nfds : 0) + (writable != NULL ? writable->__nfds : 0);
    struct pollfd *entries = calloc(most + 1, sizeof *entries);
    if (entries == NULL) {
        errno = ENOMEM;
        return -1;
    }
    nfds_t count = add_files(entries, 0, readable, POLLIN);
    count = add_files(entries, count, writable, POLLOUT);
    uint64_t deadline_ns = THREAD_WAITS_FOR_EVER;
    if (timeout != NULL) {
        deadline_ns =
            now_ns() + (uint64_t)timeout->tv_sec * SECOND_NS + (uint64_t)timeout->tv_usec * 1000;
    }
    int ready = poll_pipes(entries, count, deadline_ns);
    if (ready >= 0) {
        ready = 0;
        keep_ready(entries, keep_ready(entries, 0, readable, &ready), writable, &ready);
        if (exceptional != NULL) {
            exceptional->__nfds = 0;
        }
    }
    int error = errno;
    free(entries);
    errno = error;
    return ready;
}

REPLACES int select(int limit, fd_set *restrict readable, fd_set *restrict writable,
                    fd_set *restrict exceptional, struct timeval *restrict timeout)
{
    if (timeout == NULL && is_empty(readable) && is_empty(writable) && is_empty(exceptional)) {
        return wait_for_signals();
    }
    if (set_has_pipe(readable) || set_has_pipe(writable)) {
        return select_pipes(readable, writable, exceptional, timeout);
    }
    return __eryx_replaced_select(limit, readable, writable, exceptional, timeout);
}
