#include "limits.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest_exports.h"
#include "guest_memory.h"
#include "protocol.h"
#include "run.h"
#include "trap.h"

static uint64_t milliseconds(uint64_t count)
{
    const uint64_t factor = 1000000;
    return count > UINT64_MAX / factor ? UINT64_MAX : count * factor;
}

/* a + b, UINT64_MAX when that is too large. */
static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Books what the present slice has used and begins the next, no longer than the fuel that is left.
 */
static void begin_slice(limits_state *state, guest_instance *instance, int64_t length)
{
    uint64_t used = (uint64_t)(state->slice - instance->ticks);
    state->fuel_booked = add_saturating(state->fuel_booked, used);
    uint64_t left = state->max_fuel > state->fuel_booked ? state->max_fuel - state->fuel_booked : 0;
    state->slice = (uint64_t)length < left ? length : (int64_t)left;
    instance->ticks = state->slice;
}

void limits_begin(limits_state *state, guest_instance *instance, const eryx_limits *limits,
                  uint64_t pause_every_ms)
{
    uint64_t now = run_clock_ns();
    state->started_ns = now;
    state->deadline_ns = add_saturating(now, milliseconds(limits->execution_timeout_ms));
    state->hard_deadline_ns = UINT64_MAX;
    state->stop = 0;
    state->max_fuel = limits->max_fuel;
    state->fuel_booked = 0;
    state->slice = 0;
    instance->ticks = 0;
    state->slice_began_ns = now;
    state->pause_every_ns = milliseconds(pause_every_ms);
    state->next_pause_ns =
        pause_every_ms == 0 ? UINT64_MAX : add_saturating(now, state->pause_every_ns);
    state->interruptible = true;
    atomic_store(&state->cancel, 0);
    begin_slice(state, instance, LIMITS_SLICE_MIN);
}

uint64_t limits_fuel(const limits_state *state, const guest_instance *instance)
{
    return add_saturating(state->fuel_booked, (uint64_t)(state->slice - instance->ticks));
}

static void begin_stop(limits_state *state, guest_instance *instance, uint64_t now, uint32_t stop,
                       uint32_t kind)
{
    state->stop = stop;
    state->grace_fuel = state->fuel_booked;
    if (!state->interruptible) {
        state->hard_deadline_ns = now;
        return;
    }
    state->hard_deadline_ns = add_saturating(now, LIMITS_GRACE_NS);
    state->grace_fuel = add_saturating(state->fuel_booked, LIMITS_GRACE_TICKS);
    guest_export_eryx_guest_interrupt(instance, kind);
}

/* Begins a soft stop if there is a reason. True if the grace is over. */
static bool look(limits_state *state, guest_instance *instance, uint64_t now)
{
    if (state->stop == 0) {
        if (atomic_load_explicit(&state->cancel, memory_order_relaxed) != 0) {
            begin_stop(state, instance, now, GUEST_TRAP_CANCELLED, INTERRUPT_CANCEL);
        } else if (now >= state->deadline_ns) {
            begin_stop(state, instance, now, GUEST_TRAP_TIMEOUT, INTERRUPT_TIMEOUT);
        }
    }
    return state->stop != 0 && now >= state->hard_deadline_ns;
}

bool limits_check_wait(limits_state *state, guest_instance *instance)
{
    bool was_stopping = state->stop != 0;
    if (look(state, instance, run_clock_ns())) {
        /* Until its ticks are used as well the guest goes on, but it does not wait any more. */
        if (limits_fuel(state, instance) >= state->grace_fuel) {
            guest_ask_trap(instance, state->stop);
        }
        return false;
    }
    /* The first time the guest is let out of its wait, to see the exception. */
    return was_stopping || state->stop == 0;
}

uint64_t limits_next_look_ns(const limits_state *state)
{
    return state->stop != 0 ? state->hard_deadline_ns : state->deadline_ns;
}

void limits_tick(guest_instance *instance)
{
    if ((const uint8_t *)__builtin_frame_address(0) < instance->stack_reserve) {
        trap_raise(WASM_RT_TRAP_EXHAUSTION);
    }
    eryx_sandbox *sandbox = sandbox_of(instance);
    limits_state *state = &sandbox->timing;
    int64_t length = state->slice;
    uint64_t now = run_clock_ns();
    uint64_t elapsed = now - state->slice_began_ns;
    if (elapsed > 2 * LIMITS_SLICE_NS) {
        length = (int64_t)((uint64_t)length * LIMITS_SLICE_NS / elapsed);
    } else if (elapsed < LIMITS_SLICE_NS) {
        length *= 2;
    }
    length = length < LIMITS_SLICE_MIN ? LIMITS_SLICE_MIN : length;
    length = length > LIMITS_SLICE_MAX ? LIMITS_SLICE_MAX : length;
    begin_slice(state, instance, length);
    if (state->fuel_booked >= state->max_fuel) {
        if (state->stop != 0) {
            trap_raise(state->stop);
        }
        state->max_fuel = add_saturating(state->max_fuel, LIMITS_GRACE_FUEL);
        begin_stop(state, instance, now, GUEST_TRAP_FUEL, INTERRUPT_FUEL);
        begin_slice(state, instance, length);
    }
    if (look(state, instance, now) && state->fuel_booked >= state->grace_fuel) {
        trap_raise(state->stop);
    }
    if (now >= state->next_pause_ns) {
        run_pause(sandbox);
        now = run_clock_ns();
        state->next_pause_ns = add_saturating(now, state->pause_every_ns);
    }
    state->slice_began_ns = now;
}

void limits_cancel(limits_state *state)
{
    atomic_store(&state->cancel, 1);
    syscall(SYS_futex, (void *)&state->cancel, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
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
    uint64_t now_ns = run_clock_ns();
    uint64_t left_ns = wake_ns > now_ns ? wake_ns - now_ns : 0;
    struct timespec left = {.tv_sec = (time_t)(left_ns / 1000000000),
                            .tv_nsec = (long)(left_ns % 1000000000)};
    ppoll(&look, 1, wake_ns == UINT64_MAX ? NULL : &left, NULL);
}
