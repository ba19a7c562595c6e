/*
 * The time of a run: deadline, cancellation, pauses, and the two stages in which a run is stopped.
 *
 * While the guest runs a signal comes at the next time that matters (machine/alarm.h), and is
 * followed by limits_interrupted(); while it waits, the host functions that wait look themselves.
 *
 * A stop is soft at first: the flags of the interpreter are set so that it raises an exception. If
 * the guest has not come to an end within the grace that follows, it is ended by a trap that it
 * cannot catch.
 */
#ifndef ERYX_SANDBOX_LIMITS_H
#define ERYX_SANDBOX_LIMITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "eryx/eryx.h"
#include "machine/guest_instance.h"
#include "sandbox/fuel.h"

/*
 * Between the soft stop and the trap. Of the first length the guest must have been let run for a
 * part, or a host that is short of processors would lose the state of sessions; the second holds
 * whatever the guest was given.
 */
#define LIMITS_GRACE_NS ((uint64_t)4000000)
#define LIMITS_GRACE_RUN_NS ((uint64_t)3000000)
#define LIMITS_GRACE_MOST_NS ((uint64_t)100000000)

/* So much longer for each thread that has to end as well, for so many at most. */
#define LIMITS_GRACE_OF_THREAD_NS ((uint64_t)200000)
#define LIMITS_GRACE_THREADS 128

typedef struct limits_state {
    uint64_t started_ns;     /* CLOCK_MONOTONIC at the first step; 0 before it */
    uint64_t timeout_ns;     /* of the limits; UINT64_MAX for none */
    uint64_t deadline_ns;    /* UINT64_MAX for none */
    uint64_t stopped_ns;     /* when the soft stop began */
    uint64_t grace_ns;       /* that follows: LIMITS_GRACE_NS, and more for threads */
    uint32_t stop;           /* guest_trap of the stop that is going on, 0 for none */
    uint32_t stop_kind;      /* interrupt_kind that goes with it */
    bool wait_told;          /* a wait was given up because of it */
    bool interruptible;      /* the interpreter is far enough to be asked for an exception */
    guest_ptr interrupt;     /* struct interrupt_flags of the guest */
    uint64_t cpu_timeout_ns; /* of the limits; UINT64_MAX for none */
    uint64_t cpu_used_ns;    /* by the guest in the steps before; only if counts_cpu */
    uint64_t cpu_entered_ns; /* the thread's processor time when it was entered */
    uint64_t grace_cpu_ns;   /* cpu_used_ns at which LIMITS_GRACE_RUN_NS are used */
    uint64_t cpu_earlier_ns; /* of the runs before */
    uint64_t entered_ns;     /* CLOCK_MONOTONIC when the guest was entered */
    uint64_t inside_ns; /* in the guest by that clock, in the steps before; unless counts_cpu */
    bool counts_cpu;
    bool inside;             /* a thread is in the guest */
    uint64_t pause_every_ns; /* 0 for never */
    uint64_t next_pause_ns;  /* counted from when the guest was entered */
    bool takes_turns;        /* there are threads */
    uint64_t next_turn_ns;   /* UINT64_MAX where fuel is the clock of turns, or without any */
    fuel_state fuel;
    atomic_uint cancel; /* set by any thread; also the futex that waits sleep on */
    atomic_int thread;  /* alarm_thread() of the one that is in the guest; 0 for none */
} limits_state;

/* Puts the counters and deadlines to the start of a run; the cancel flag is cleared. The time
 * begins with the first step. */
void limits_begin(limits_state *state, guest_instance *instance, const eryx_limits *limits,
                  uint64_t pause_every_ms);

/* Fuel used so far in this run. */
uint64_t limits_fuel(const limits_state *state, const guest_instance *instance);

/* Nanoseconds since the first step, 0 before it. */
uint64_t limits_duration_ns(const limits_state *state);

/*
 * Processor time in nanoseconds that the guest has used in this run and in those before, up to
 * limits_forget_cpu(). Never less than at an earlier call. What a run has used before its first
 * call is taken by the clock, as asking the system costs each step some time: it is then too much
 * by what other threads have taken of that. To be called while the guest runs.
 */
uint64_t limits_cpu_ns(limits_state *state);

/* The next run is the first one. */
void limits_forget_cpu(limits_state *state);

/*
 * The guest is about to be entered by this thread, and has come back. limits_enter() looks at the
 * time and gives the trap that ends the run if it is over (the guest is then not entered, and
 * limits_leave() not called), else 0; a soft stop that is due begins. out_look_ns: when the guest
 * has to be interrupted.
 */
uint32_t limits_enter(limits_state *state, guest_instance *instance, uint64_t *out_look_ns);
void limits_leave(limits_state *state);

/* Whether the run is over, so that it must not ask anything of the host any more; looks at the
 * time. It then also asks for the trap. */
bool limits_are_over(limits_state *state, guest_instance *instance);

/*
 * Looks at the deadline and the cancel flag while the guest waits: begins the soft stop when it is
 * time, and asks for the trap when the grace is over. True if the guest should go on waiting.
 */
bool limits_check_wait(limits_state *state, guest_instance *instance);

/* Whether a stop has begun that a wait of the first thread was not given up for yet; the wait then
 * is to be. */
bool limits_tell_stop(limits_state *state);

/* From now on, for this run, threads take turns: by the clock, or by fuel where that is counted. */
void limits_take_turns(limits_state *state, guest_instance *instance);

/* The time at which a waiting guest has to be looked at again. */
uint64_t limits_next_look_ns(const limits_state *state);

/* For trap_scope: looks at everything, on the guest's stack. May pause the run, or end it. */
void limits_interrupted(guest_instance *instance);

/* For trap_scope: the trap that is due by now, without changing anything. */
uint32_t limits_overdue(guest_instance *instance, uint64_t now_ns);

/* Sets the cancel flag, wakes the host if it waits and reaches the guest if it runs. Threads: any.
 */
void limits_cancel(limits_state *state);

/* Sleeps until wake_ns (CLOCK_MONOTONIC) or the descriptor is readable. */
void limits_poll(int fd, uint64_t wake_ns);

/* Sleeps until wake_ns (CLOCK_MONOTONIC) or a cancellation. */
void limits_sleep(limits_state *state, uint64_t wake_ns);

#endif
