/*
 * Threads of the guest: what they wait with, and the words of guest memory that the host exchanges
 * when it lets another one run.
 *
 * thread_create(argument, stack) makes a thread that begins with eryx_guest_thread(argument), its
 * linear stack growing down from there; it gives a number, or 0 if there can be no more of them.
 * The first thread of a run has the number 0. thread_wait(key, deadline) waits for thread_wake(key,
 * count) or for that time (CLOCK_MONOTONIC, nanoseconds); keys are any numbers, addresses for one.
 * Threads change in these calls and in calls that wait for the outside, and nowhere else.
 */
#ifndef ERYX_PROTOCOL_THREADS_H
#define ERYX_PROTOCOL_THREADS_H

#include <stdint.h>

#define THREAD_WAITS_FOR_EVER UINT64_MAX

/* What ended a wait. */
enum thread_answer {
    THREAD_WOKEN = 0,
    THREAD_TIMED_OUT = 1,
    THREAD_INTERRUPTED = 2, /* an interrupt, or thread_interrupt() */
    THREAD_DEADLOCK = 3,    /* told to the first thread alone: nothing can ever wake any of them */
};

/* What thread_state() gives. */
enum thread_state {
    THREAD_GONE = 0,
    THREAD_GOES_ON = 1,  /* it runs, or would if it were let */
    THREAD_WAITS = 2,    /* for a time, or for something outside */
    THREAD_WAITS_ON = 3, /* for other threads alone */
};

/* Words that each thread has its own of; see struct interrupt_flags. */
#define THREAD_WORDS 4

#endif
