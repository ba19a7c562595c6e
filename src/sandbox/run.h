/*
 * A run seen from inside: what host functions, which execute on the guest's stack, may ask of it.
 *
 * A host function that waits, allocates in the guest or ends the guest may never be returned to: it
 * must not hold a lock or own memory while it calls one of these.
 */
#ifndef ERYX_SANDBOX_RUN_H
#define ERYX_SANDBOX_RUN_H

#include "sandbox/sandbox.h"

/*
 * Suspends the guest until the host steps it again, which should be at guest_ns by the guest's
 * clock (sandbox_now_ns()), at host_ns by CLOCK_MONOTONIC (both are the same where runs are not
 * repeatable; UINT64_MAX for no end) or at the run's deadline, and may be earlier. host_ns also
 * says that something outside is waited for that is no call. Returns false when the wait is to be
 * given up: the run is over or is being interrupted; the host function then returns to the guest at
 * once.
 */
bool run_wait(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns);

/* The same for all threads together, whatever a stop says: hands the event over. */
void run_wait_event(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns);

/* Looks at the deadline and at a cancellation after run_yield(). False as for run_wait(). */
bool run_goes_on(eryx_sandbox *sandbox);

/* Hands an event to the host; comes back when the host steps on. */
void run_yield(eryx_sandbox *sandbox, eryx_event event);

/* Gives the host a turn although the guest has more to compute. */
void run_pause(eryx_sandbox *sandbox);

/* Takes over what the guest writes; stream is 1 or 2. Hands it to the host at once if output is
 * streamed. */
void run_output(eryx_sandbox *sandbox, int stream, const uint8_t *data, size_t size);

/* Ends the guest with that code once the present host function has returned. */
void run_exit(eryx_sandbox *sandbox, int32_t exit_code);

#endif
