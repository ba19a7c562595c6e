/*
 * Threads inside the guest: pthread_create() and what belongs to it, over the threads of the host
 * (protocol/threads.h). One runs at a time, and another one only where a thread waits or gives way:
 * nothing here, in libc, or in the allocator is ever met in the middle by another thread, which is
 * why none of it has locks.
 */
#ifndef ERYX_GUEST_THREADS_H
#define ERYX_GUEST_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/run.h"

enum { THREAD_KEYS = 128 };

struct thread {
    struct thread *next; /* of those whose memory is free */
    uint32_t number;     /* the host's; 0 for the first thread */
    uint32_t stack_bytes;
    char *stack; /* lowest byte; NULL for the first thread */
    void *(*entry)(void *argument);
    void *argument;
    void *result;
    bool done;
    bool detached;
    bool stopping; /* its next wait ends at once, or the present one has */
    const void *keys[THREAD_KEYS];
};

/* The one that runs; the host sees to that. */
extern struct thread *thread_current;

/* How many there are beside the first. */
extern uint32_t thread_count;

/*
 * Waits for host_thread_wake() with the address, or for a time (CLOCK_MONOTONIC, nanoseconds). 0 if
 * it was woken, ETIMEDOUT also for a thread that is to stop, EINTR if the wait is to be given up
 * for a look at signals.
 */
int thread_wait(const void *address, uint64_t deadline_ns);

/* Nanoseconds of CLOCK_MONOTONIC at that time of a clock, THREAD_WAITS_FOR_EVER if it is too far
 * away. */
struct timespec;
uint64_t thread_deadline(int monotonic, const struct timespec *until);

/* Finds what differs from thread to thread and what the host needs to give turns, and writes it
 * down. Called once, when Python has started; false with an exception set. */
bool threads_describe(struct interrupt_flags *flags);

/* The first two members of the interpreter's lock behind which its conditions are; NULL before
 * threads_describe(). */
extern const struct gil_words *thread_gil;

/* Sets the limits of a thread state that CPython's recursion check compares with (in runtime.c). */
void runtime_limit_stack(void *thread_state, uint32_t base, uint32_t top);

#endif
