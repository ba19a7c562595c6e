/*
 * Runs that can be repeated: a clock that moves with the guest's work and its sleeps, random
 * numbers of a seed, and answers that come in the order of the calls.
 *
 * What the guest sees of time is its own: nanoseconds that have passed, which are what it has
 * computed (by fuel), what it has slept (no sleep takes time), and what the embedder has added. The
 * deadline of a run and the ceilings of the network stay the host's.
 *
 * Answers of the embedder come at any time. The guest is handed them where it would wait and
 * nothing else can go on: always that to its oldest call, however long it takes, while the guest's
 * clock stands still.
 */
#ifndef ERYX_SANDBOX_DETERMINISM_H
#define ERYX_SANDBOX_DETERMINISM_H

#include "base/clock.h"
#include "sandbox/sandbox.h"
#include "vfs/memory.h"

/* Begins with a seed; options: NULL for a sandbox that is as any other. Errors: INVALID_ARGUMENT.
 */
eryx_status determinism_begin(determinism *state, const eryx_deterministic *options,
                              eryx_error *out_error);

/* Begins anew. */
void determinism_restart(determinism *state);

/* Of a fork: goes on from there with random numbers of its own. */
void determinism_fork(determinism *origin, determinism *out_fork);

/* Books what the run that ends has computed. */
void determinism_end_run(eryx_sandbox *sandbox);

/* The guest's monotonic clock, and what its files are stamped with: since 1970. */
uint64_t determinism_now_ns(const eryx_sandbox *sandbox);
uint64_t determinism_wall_ns(const eryx_sandbox *sandbox);

/* Has files of memory stamped with the guest's time, if it has its own, from now on in this thread;
 * gives what is to be put back by memory_use_clock(). */
memory_clock determinism_stamp_files(const eryx_sandbox *sandbox);

/* What the guest has computed for, by its own clock. */
uint64_t determinism_processor_ns(const eryx_sandbox *sandbox);

void determinism_fill(determinism *state, uint8_t *bytes, size_t size);

/*
 * The guest would wait, until that time of its own clock at most. True if it need not: its clock
 * was put there, or an answer can be taken. host_ns: until when it waits for something outside that
 * is no call; UINT64_MAX for nothing.
 */
bool determinism_settles(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns);

/* Whether a guest that looks for answers and never waits for them has looked often enough, which
 * this call counts: it is to wait then. */
bool determinism_is_impatient(eryx_sandbox *sandbox);

/* How many answers the guest may take. */
size_t determinism_answers(const eryx_sandbox *sandbox);

/* The guest's monotonic clock, of any sandbox. */
static inline uint64_t sandbox_now_ns(const eryx_sandbox *sandbox)
{
    return sandbox->determinism.on ? determinism_now_ns(sandbox) : clock_now_ns();
}

/* Answers that the guest may take, of any sandbox. */
static inline size_t sandbox_answers(const eryx_sandbox *sandbox)
{
    return sandbox->determinism.on ? determinism_answers(sandbox)
                                   : sandbox->callbacks.answered_count;
}

#endif
