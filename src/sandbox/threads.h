/*
 * Threads of a guest. Each has a native stack of its own over the one instance, and one of them
 * runs at a time: they change where one waits (for another, for a time, for something outside),
 * where one ends, and where one gives way; guest code is never interrupted by another guest thread.
 *
 * What is kept of them is the host's. From the guest come numbers and keys alone, which may be any.
 *
 * The functions are for the guest's stack unless said otherwise. Threads (of the host): the one
 * that uses the sandbox.
 */
#ifndef ERYX_SANDBOX_THREADS_H
#define ERYX_SANDBOX_THREADS_H

#include "sandbox/sandbox.h"

/* More than these a sandbox never has, whatever the limit says: waking all of them takes their
 * square. */
#define THREADS_MOST 1024

/* Makes a thread (protocol/threads.h). 0 if there can be no more, or without memory. */
uint32_t threads_create(eryx_sandbox *sandbox, uint32_t argument, uint32_t stack_pointer);

/* Waits for threads_wake() with the same key, or for a time. Gives a thread_answer. */
uint32_t threads_wait(eryx_sandbox *sandbox, uint32_t key, uint64_t deadline_ns);

/* Lets those go on that wait with the key, at most so many, the first that waits first. Gives how
 * many these are. */
uint32_t threads_wake(eryx_sandbox *sandbox, uint32_t key, uint32_t most);

/* For run_wait(), where there are several: lets the others run meanwhile. */
bool threads_wait_outside(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns);

/* Lets all others that can run have a turn, and looks at what those outside wait for. may_wait:
 * where nobody can run, waits once until that may have changed. */
void threads_give_way(eryx_sandbox *sandbox, bool may_wait);

/* Ends the wait of a thread; of no effect for a number that none has. */
void threads_interrupt(eryx_sandbox *sandbox, uint32_t number);

/* A thread_state. */
uint32_t threads_state(const eryx_sandbox *sandbox, uint32_t number);

/* Ends the waits of threads for something outside that began with threads_watch(), or that will
 * begin with an earlier one. */
void threads_poke(eryx_sandbox *sandbox);

/* The next wait of this thread for something outside also ends by threads_poke() from now on, and
 * by an answer of the embedder. threads_poked() tells whether it is to; a thread that does not
 * watch is never poked. */
void threads_watch(eryx_sandbox *sandbox);
bool threads_watches(const eryx_sandbox *sandbox);
bool threads_poked(const eryx_sandbox *sandbox);
void threads_unwatch(eryx_sandbox *sandbox);

/* Whether any thread waits that watches. */
bool threads_anyone_watches(const eryx_sandbox *sandbox);

/* The names of those that the last run has left, as the guest told them: for messages, never long.
 * Host's stack. */
const char *threads_names(const eryx_sandbox *sandbox);

/* How many there are beside the first. Any stack. */
uint32_t threads_count(const eryx_sandbox *sandbox);

/* In limits_interrupted(): whoever computes is asked to give way if anyone else may be able to run.
 */
void threads_turn(eryx_sandbox *sandbox, uint64_t now_ns);

/* A stop has begun: the first thread is let out of its wait. */
void threads_tell_stop(eryx_sandbox *sandbox);

/* Nanoseconds between two turns. */
uint64_t threads_interval_ns(eryx_sandbox *sandbox);

/* Host's stack, while no run is going on: a new first thread will run; those that are left from
 * the run before go on beside it. */
void threads_begin_run(eryx_sandbox *sandbox);

/* Host's stack: there are none any more, whatever they were doing. */
void threads_end(eryx_sandbox *sandbox);

#endif
