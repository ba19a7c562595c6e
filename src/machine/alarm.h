/*
 * A signal that reaches a guest in whatever code it runs, so that a deadline holds, a cancellation
 * is seen and a pause comes although the guest itself never looks.
 *
 * Each thread that runs guests has a timer whose signal comes to that thread. Where the signal
 * finds generated code, that code goes on with a call of trap_scope.interrupted, as if it had made
 * it itself; all registers are kept. Elsewhere (in a host function, in libc) the instance is marked
 * instead, which is looked at when the guest is gone back to, and the signal comes again soon.
 *
 * The signal is a real-time one that nobody else has a handler for, unless the embedder chose one;
 * signals of that number that are not ours go to the handler that was there before. The handler is
 * installed when the first guest runs.
 */
#ifndef ERYX_MACHINE_ALARM_H
#define ERYX_MACHINE_ALARM_H

#include <stdbool.h>
#include <stdint.h>

/* How long after a signal that found no generated code the next one comes. */
#define ALARM_AGAIN_NS ((uint64_t)1000000)

/* Puts the handler in place, also if it has been replaced since. False if the system refuses, or if
 * there is no free signal. Threads: any. */
bool alarm_install(void);

/* Makes a timer for this thread, and puts the handler in place the first time. False as above.
 * Threads: any; costs nothing when there is one. */
bool alarm_prepare_thread(void);

/* The signal, 0 before alarm_install() has succeeded. Threads: any. */
int alarm_signal(void);

/*
 * Chooses the signal, before the first guest runs: SIGRTMIN to SIGRTMAX, or 0 for a free one. False
 * if that is no such number or there is a signal already. Threads: any.
 */
bool alarm_choose_signal(int number);

/*
 * Has the signal come to this thread at that time (CLOCK_MONOTONIC, nanoseconds; UINT64_MAX: never)
 * if it has a scope then (trap.h). It may come earlier, too, and is then of no effect; so setting a
 * later time than the present one costs nothing.
 */
void alarm_set(uint64_t at_ns);

/* Has no signal come to this thread because of an earlier alarm_set(). */
void alarm_clear(void);

/* The calling thread, for alarm_ring(). */
int alarm_thread(void);

/* Sends the signal to a thread of this process; harmless if it has ended or runs no guest. */
void alarm_ring(int thread);

/* For the child of a fork(): timers are not inherited. */
void alarm_after_fork(void);

#endif
