#include "sandbox/limits.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "guest_exports.h"
#include "machine/alarm.h"
#include "machine/guest_host.h"
#include "machine/guest_memory.h"
#include "machine/trap.h"
#include "protocol/run.h"
#include "sandbox/determinism.h"
#include "sandbox/run.h"
#include "sandbox/threads.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void limits_begin(limits_state *state, guest_instance *instance, const eryx_limits *limits,
                  uint64_t pause_every_ms)
{
    state->started_ns = 0;
    state->timeout_ns = clock_ms_to_ns(limits->execution_timeout_ms);
    state->deadline_ns = UINT64_MAX;
    state->stop = 0;
    state->wait_told = false;
    state->interruptible = true;
    state->interrupt = guest_at(0);
    state->cpu_timeout_ns = clock_ms_to_ns(limits->cpu_timeout_ms);
    state->cpu_earlier_ns += state->counts_cpu ? state->cpu_used_ns : state->inside_ns;
    state->cpu_used_ns = 0;
    state->inside_ns = 0;
    state->counts_cpu = state->cpu_timeout_ns != UINT64_MAX;
    state->inside = false;
    state->pause_every_ns = clock_ms_to_ns(pause_every_ms);
    state->next_pause_ns = UINT64_MAX;
    state->takes_turns = false;
    state->next_turn_ns = UINT64_MAX;
    atomic_store(&state->cancel, 0);
    atomic_store(&state->thread, 0);
    fuel_begin(&state->fuel, instance, limits->max_fuel);
}

uint64_t limits_fuel(const limits_state *state, const guest_instance *instance)
{
    return fuel_used(&state->fuel, instance);
}

uint64_t limits_duration_ns(const limits_state *state)
{
    return state->started_ns == 0 ? 0 : clock_now_ns() - state->started_ns;
}

/* ---- Stops ------------------------------------------------------------------------------------
 */

/* What the guest has used of the processor in this run; only if that is counted. */
static uint64_t cpu_used_ns(const limits_state *state)
{
    return state->cpu_used_ns +
           (state->inside ? clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - state->cpu_entered_ns : 0);
}

/* What the guest was inside for, by the clock. */
static uint64_t inside_ns(const limits_state *state)
{
    return state->inside_ns + (state->inside ? clock_now_ns() - state->entered_ns : 0);
}

static void count_cpu(limits_state *state)
{
    if (!state->counts_cpu) {
        state->cpu_used_ns = inside_ns(state);
        state->counts_cpu = true;
        state->cpu_entered_ns = state->inside ? clock_read_ns(CLOCK_THREAD_CPUTIME_ID) : 0;
    }
}

uint64_t limits_cpu_ns(limits_state *state)
{
    count_cpu(state);
    return state->cpu_earlier_ns + cpu_used_ns(state);
}

void limits_forget_cpu(limits_state *state)
{
    state->cpu_earlier_ns = 0;
    state->cpu_used_ns = 0;
    state->inside_ns = 0;
}

/* Sets the flags that have the interpreter raise, as protocol/run.h says. */
static void set_flags(const limits_state *state, guest_instance *instance)
{
    struct interrupt_flags flags;
    guest_read(instance, state->interrupt, &flags, sizeof flags);
    guest_store_u32(instance, guest_at(flags.kind), state->stop_kind);
    guest_store_u32(instance, guest_at(flags.signal), 1);
    guest_store_u32(instance, guest_at(flags.tripped), 1);
    uint32_t breaker = guest_load_u32(instance, guest_at(flags.eval_breaker));
    guest_store_u32(instance, guest_at(flags.eval_breaker), breaker | INTERRUPT_EVAL_BREAKER_BIT);
}

/* The guest may have been about to write to one of the flags when they were set. */
static void set_flags_again(const limits_state *state, guest_instance *instance)
{
    struct interrupt_flags flags;
    guest_read(instance, state->interrupt, &flags, sizeof flags);
    if (guest_load_u32(instance, guest_at(flags.kind)) == state->stop_kind) {
        set_flags(state, instance);
    }
}

static void begin_stop(limits_state *state, guest_instance *instance, uint64_t now, uint32_t stop,
                       uint32_t kind)
{
    state->stop = stop;
    state->stop_kind = kind;
    state->stopped_ns = now;
    uint64_t threads = threads_count(sandbox_of(instance));
    threads = threads < LIMITS_GRACE_THREADS ? threads : LIMITS_GRACE_THREADS;
    const uint64_t more_ns = threads * LIMITS_GRACE_OF_THREAD_NS;
    state->grace_ns = LIMITS_GRACE_NS + more_ns;
    if (stop == GUEST_TRAP_FUEL) {
        state->fuel.max = add_saturating(state->fuel.max, more_ns / FUEL_TURN_NS_PER_TICK);
    }
    if (state->interruptible && state->interrupt.offset != 0) {
        count_cpu(state);
        state->grace_cpu_ns = cpu_used_ns(state) + LIMITS_GRACE_RUN_NS + more_ns;
        set_flags(state, instance);
    }
}

/* Whether the grace of the present stop is over. */
static bool grace_is_over(const limits_state *state, uint64_t now)
{
    if (!state->interruptible || now - state->stopped_ns >= LIMITS_GRACE_MOST_NS) {
        return true;
    }
    if (state->interrupt.offset == 0) {
        return now - state->stopped_ns >= state->grace_ns; /* the program has not begun */
    }
    if (state->stop == GUEST_TRAP_FUEL) {
        return now >= add_saturating(state->deadline_ns, state->grace_ns); /* else by fuel */
    }
    return now - state->stopped_ns >= state->grace_ns && cpu_used_ns(state) >= state->grace_cpu_ns;
}

/* Begins a soft stop if there is a reason. True if the grace is over. */
static bool look(limits_state *state, guest_instance *instance, uint64_t now)
{
    if (state->stop == 0) {
        if (atomic_load_explicit(&state->cancel, memory_order_relaxed) != 0) {
            begin_stop(state, instance, now, GUEST_TRAP_CANCELLED, INTERRUPT_CANCEL);
        } else if (now >= state->deadline_ns) {
            begin_stop(state, instance, now, GUEST_TRAP_TIMEOUT, INTERRUPT_TIMEOUT);
        } else if (state->cpu_timeout_ns != UINT64_MAX &&
                   cpu_used_ns(state) >= state->cpu_timeout_ns) {
            begin_stop(state, instance, now, GUEST_TRAP_CPU_TIMEOUT, INTERRUPT_TIMEOUT);
        }
    }
    return state->stop != 0 && grace_is_over(state, now);
}

/* When the guest has to be looked at again that is running now. */
static uint64_t next_interrupt_ns(const limits_state *state, uint64_t now)
{
    if (state->stop != 0) {
        return now + ALARM_AGAIN_NS;
    }
    uint64_t next = earlier(state->deadline_ns, state->next_pause_ns);
    next = earlier(next, state->next_turn_ns);
    if (state->cpu_timeout_ns != UINT64_MAX) {
        uint64_t used = cpu_used_ns(state);
        uint64_t left = state->cpu_timeout_ns > used ? state->cpu_timeout_ns - used : 0;
        next = earlier(next, add_saturating(now, left));
    }
    return next;
}

/* ---- Steps ------------------------------------------------------------------------------------
 */

static void start_clock(limits_state *state, uint64_t now)
{
    state->started_ns = now;
    state->deadline_ns = add_saturating(now, state->timeout_ns);
}

uint32_t limits_enter(limits_state *state, guest_instance *instance, uint64_t *out_look_ns)
{
    eryx_assert(!state->inside);
    uint64_t now = clock_now_ns();
    if (state->started_ns == 0) {
        start_clock(state, now);
    }
    /* Before the flag is looked at: who sets it later finds the thread. */
    atomic_store(&state->thread, alarm_thread());
    if (look(state, instance, now)) {
        atomic_store(&state->thread, 0);
        return state->stop;
    }
    if (state->pause_every_ns != 0) {
        state->next_pause_ns = add_saturating(now, state->pause_every_ns);
    }
    if (state->counts_cpu) {
        state->cpu_entered_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
    }
    state->entered_ns = now;
    state->inside = true;
    *out_look_ns = next_interrupt_ns(state, now);
    return WASM_RT_TRAP_NONE;
}

void limits_leave(limits_state *state)
{
    if (state->counts_cpu) {
        state->cpu_used_ns = cpu_used_ns(state);
    } else {
        state->inside_ns = inside_ns(state);
    }
    state->inside = false;
    atomic_store(&state->thread, 0);
}

/* ---- On the guest's stack ---------------------------------------------------------------------
 */

bool limits_tell_stop(limits_state *state)
{
    bool tell = state->stop != 0 && !state->wait_told;
    state->wait_told = state->wait_told || tell;
    return tell;
}

static uint64_t turn_ticks(guest_instance *instance)
{
    return threads_interval_ns(sandbox_of(instance)) / FUEL_TURN_NS_PER_TICK;
}

void limits_take_turns(limits_state *state, guest_instance *instance)
{
    state->takes_turns = true;
    if (instance->metered) {
        fuel_take_turns(&state->fuel, instance, turn_ticks(instance));
        return;
    }
    state->next_turn_ns = add_saturating(clock_now_ns(), threads_interval_ns(sandbox_of(instance)));
    trap_scope *scope = trap_scope_current();
    if (scope != NULL && scope->instance == instance && state->next_turn_ns < scope->look_ns) {
        scope->look_ns = state->next_turn_ns;
        alarm_set(scope->look_ns);
    }
}

/* Whether whoever computes is to give way now. */
static bool is_turn(limits_state *state, guest_instance *instance, bool ticks_used_up, uint64_t now)
{
    if (!state->takes_turns || threads_count(sandbox_of(instance)) == 0) {
        state->next_turn_ns = UINT64_MAX;
        return false;
    }
    if (instance->metered) {
        state->fuel.turn = turn_ticks(instance);
        return ticks_used_up;
    }
    if (now < state->next_turn_ns) {
        return false;
    }
    state->next_turn_ns = add_saturating(now, threads_interval_ns(sandbox_of(instance)));
    return true;
}

bool limits_are_over(limits_state *state, guest_instance *instance)
{
    bool over = look(state, instance, clock_now_ns());
    if (over) {
        guest_ask_trap(instance, state->stop);
    }
    return over;
}

bool limits_check_wait(limits_state *state, guest_instance *instance)
{
    uint64_t now = clock_now_ns();
    if (look(state, instance, now)) {
        guest_ask_trap(instance, state->stop);
        return false;
    }
    if (state->stop == 0) {
        return true;
    }
    /* The first time the guest is let out of its wait, to see the exception; and it does not wait
     * any more in what may be left of the grace for it to run. */
    bool goes_on = state->wait_told && now - state->stopped_ns < state->grace_ns;
    state->wait_told = true;
    return goes_on;
}

uint64_t limits_next_look_ns(const limits_state *state)
{
    return state->stop != 0 ? state->stopped_ns + state->grace_ns : state->deadline_ns;
}

uint32_t limits_overdue(guest_instance *instance, uint64_t now_ns)
{
    const limits_state *state = &sandbox_of(instance)->timing;
    if (state->stop != 0) {
        return grace_is_over(state, now_ns) ? state->stop : (uint32_t)WASM_RT_TRAP_NONE;
    }
    if (atomic_load_explicit(&state->cancel, memory_order_relaxed) != 0) {
        return GUEST_TRAP_CANCELLED;
    }
    return now_ns >= state->deadline_ns ? (uint32_t)GUEST_TRAP_TIMEOUT
                                        : (uint32_t)WASM_RT_TRAP_NONE;
}

/* What is to be done when the ticks are used up. */
static void take_fuel(limits_state *state, guest_instance *instance)
{
    fuel_verdict verdict = fuel_book(&state->fuel, instance);
    if (verdict == FUEL_OVER) {
        trap_raise(state->stop != 0 ? state->stop : (uint32_t)GUEST_TRAP_FUEL);
    }
    if (verdict == FUEL_SPENT && state->stop == 0) {
        begin_stop(state, instance, clock_now_ns(), GUEST_TRAP_FUEL, INTERRUPT_FUEL);
        if (grace_is_over(state, state->stopped_ns)) {
            trap_raise(GUEST_TRAP_FUEL);
        }
    }
}

void limits_interrupted(guest_instance *instance)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    limits_state *state = &sandbox->timing;
    bool ticks_used_up = instance->ticks < 0;
    instance->attention = 0;
    if (ticks_used_up) {
        take_fuel(state, instance);
    }
    uint64_t now = clock_now_ns();
    bool was_stopping = state->stop != 0;
    if (look(state, instance, now)) {
        trap_raise(state->stop);
    }
    if (was_stopping) {
        set_flags_again(state, instance);
    }
    if (state->stop != 0) {
        threads_tell_stop(sandbox);
    }
    if (is_turn(state, instance, ticks_used_up, now)) {
        threads_turn(sandbox, sandbox_now_ns(sandbox));
    }
    uint64_t not_before = 0;
    if (instance->place != GUEST_IN_GUEST) {
        instance->attention = 1; /* for the rest, once the host function returns */
        not_before = now + ALARM_AGAIN_NS;
    } else if (now >= state->next_pause_ns) {
        run_pause(sandbox);
        now = clock_now_ns();
    }
    trap_scope *scope = trap_scope_current();
    uint64_t next = next_interrupt_ns(state, now);
    scope->look_ns = next > not_before ? next : not_before;
    alarm_set(scope->look_ns);
}

GUEST_HOST_FUNCTION(guest_attend);
void host_guest_attend(guest_instance *instance)
{
    if (instance->pending_trap != WASM_RT_TRAP_NONE) {
        trap_raise(instance->pending_trap);
    }
    limits_interrupted(instance);
}

/* ---- From outside -----------------------------------------------------------------------------
 */

void limits_cancel(limits_state *state)
{
    atomic_store(&state->cancel, 1);
    syscall(SYS_futex, (void *)&state->cancel, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    int thread = atomic_load(&state->thread);
    if (thread != 0) {
        alarm_ring(thread);
    }
}

void limits_sleep(limits_state *state, uint64_t wake_ns)
{
    struct timespec wake = {.tv_sec = (time_t)(wake_ns / 1000000000),
                            .tv_nsec = (long)(wake_ns % 1000000000)};
    /* FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time. Being woken early is allowed. */
    syscall(SYS_futex, (void *)&state->cancel, FUTEX_WAIT_BITSET_PRIVATE, 0,
            wake_ns == UINT64_MAX ? NULL : &wake, NULL, FUTEX_BITSET_MATCH_ANY);
}

void limits_poll(int fd, uint64_t wake_ns)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    uint64_t now_ns = clock_now_ns();
    uint64_t left_ns = wake_ns > now_ns ? wake_ns - now_ns : 0;
    struct timespec left = {.tv_sec = (time_t)(left_ns / 1000000000),
                            .tv_nsec = (long)(left_ns % 1000000000)};
    ppoll(&look, 1, wake_ns == UINT64_MAX ? NULL : &left, NULL);
}
