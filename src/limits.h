/*
 * Time and fuel of a run. One counter in the generated code does three jobs: it counts fuel, and
 * when a slice of it is used up the clock, the cancel flag and the pause interval are looked at.
 *
 * Fuel is the number of loop heads passed (plus a share for bulk memory operations), so it is the
 * same for the same work; how long a slice is does not change it.
 *
 * A stop is soft at first: the interpreter is asked to raise an exception. If the guest has not
 * come to an end within the grace that follows, it is ended by a trap that it cannot catch.
 */
#ifndef ERYX_LIMITS_H
#define ERYX_LIMITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "eryx/eryx.h"
#include "guest_instance.h"

/* Between the soft stop and the trap; the second is for a stop because of fuel. */
#define LIMITS_GRACE_NS ((uint64_t)4000000)
#define LIMITS_GRACE_FUEL ((uint64_t)500000)

/* The guest gets so many ticks of the grace in any case, a few milliseconds at most: else a host
 * that the system does not let run for the length of the grace would lose the state of a session.
 */
#define LIMITS_GRACE_TICKS ((uint64_t)200000)

/* What a slice should last, and the bounds of its length. The upper one bounds how late a stop can
 * be when cheap loops give way to expensive ones; the lower one bounds what the looking costs. */
#define LIMITS_SLICE_NS 100000
#define LIMITS_SLICE_MIN 500
#define LIMITS_SLICE_MAX 100000

typedef struct limits_state {
    uint64_t started_ns;
    uint64_t deadline_ns;      /* CLOCK_MONOTONIC, UINT64_MAX for none */
    uint64_t hard_deadline_ns; /* end of the grace; UINT64_MAX while there was no soft stop */
    uint64_t grace_fuel;       /* fuel at which LIMITS_GRACE_TICKS of the grace are used */
    uint32_t stop;             /* guest_trap of the stop that is going on, 0 for none */
    uint64_t max_fuel;
    uint64_t fuel_booked; /* of the slices before the present one */
    int64_t slice;        /* ticks that the present one began with */
    uint64_t slice_began_ns;
    uint64_t pause_every_ns; /* 0 for never */
    uint64_t next_pause_ns;
    bool interruptible; /* the interpreter is far enough to be asked for an exception */
    atomic_uint cancel; /* set by any thread; also the futex that waits sleep on */
} limits_state;

/* Puts the counters and deadlines to the begin of a run; the cancel flag is cleared. */
void limits_begin(limits_state *state, guest_instance *instance, const eryx_limits *limits,
                  uint64_t pause_every_ms);

/* Fuel used so far in this run. */
uint64_t limits_fuel(const limits_state *state, const guest_instance *instance);

/*
 * Looks at the deadline and the cancel flag while the guest waits: begins the soft stop when it is
 * time, and asks for the trap when the grace is over. True if the guest should go on waiting.
 */
bool limits_check_wait(limits_state *state, guest_instance *instance);

/* The time at which a waiting guest has to be looked at again. */
uint64_t limits_next_look_ns(const limits_state *state);

/* Called through guest_tick() in coroutine_switch.S when a slice is used up. */
void limits_tick(guest_instance *instance);

/* Sets the cancel flag and wakes the host if it waits. Threads: any. */
void limits_cancel(limits_state *state);

/* Sleeps until wake_ns (CLOCK_MONOTONIC) or the descriptor is readable. */
void limits_poll(int fd, uint64_t wake_ns);

/* Sleeps until wake_ns (CLOCK_MONOTONIC) or a cancellation. */
void limits_sleep(limits_state *state, uint64_t wake_ns);

#endif
