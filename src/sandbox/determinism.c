#include "sandbox/determinism.h"

#include <string.h>

#include "base/options.h"
#include "base/status.h"
#include "sandbox/threads.h"
#include "sandbox/use.h"

/* The guest's clock begins here, so that no time is before the beginning. */
#define BEGIN_NS (UINT64_C(1000) * CLOCK_NS_PER_SECOND)

/* Thousands of years do not overflow. */
#define MOST_PASSED_NS (UINT64_MAX / 4)

/* Looks at answers without a wait, after which a guest that goes on like that waits. */
enum { PATIENCE = 100 };

/* SplitMix64: each number of a counter, mixed. */
static uint64_t next_random(uint64_t *io_state)
{
    uint64_t value = *io_state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static const eryx_deterministic default_options = {
    .struct_size = sizeof default_options,
    .start_ns = UINT64_C(1767225600) * CLOCK_NS_PER_SECOND,
    .tick_ns = FUEL_TURN_NS_PER_TICK,
};

void eryx_deterministic_init_sized(eryx_deterministic *options, size_t size)
{
    options_init(options, size, &default_options, sizeof default_options);
}

eryx_status determinism_begin(determinism *state, const eryx_deterministic *options,
                              eryx_error *out_error)
{
    *state = (determinism){.on = false};
    if (options == NULL) {
        return ERYX_OK;
    }
    eryx_deterministic own = default_options;
    eryx_status status = options_take("eryx_deterministic", options, &own, sizeof own, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    if (own.tick_ns > CLOCK_NS_PER_SECOND || own.start_ns > UINT64_MAX / 4) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "a clock that begins at %llu ns and takes %llu ns for a unit of fuel",
                           (unsigned long long)own.start_ns, (unsigned long long)own.tick_ns);
    }
    *state = (determinism){
        .on = true, .seed = own.seed, .start_ns = own.start_ns, .tick_ns = own.tick_ns};
    determinism_restart(state);
    return ERYX_OK;
}

void determinism_restart(determinism *state)
{
    state->random = state->seed;
    state->worked_ns = 0;
    state->passed_ns = 0;
    atomic_store(&state->later_ns, 0);
    state->looks = 0;
    state->answer_ready = false;
}

void determinism_fork(determinism *origin, determinism *out_fork)
{
    *out_fork = *origin;
    if (origin->on) {
        out_fork->seed = out_fork->random = next_random(&origin->random);
    }
}

/* False if the clock cannot go so far. */
static bool advance(determinism *state, uint64_t nanoseconds)
{
    if (nanoseconds > MOST_PASSED_NS || state->passed_ns > MOST_PASSED_NS - nanoseconds) {
        return false;
    }
    state->passed_ns += nanoseconds;
    return true;
}

/* The same, where the guest waits next. */
static bool advance_later(determinism *state, uint64_t nanoseconds)
{
    uint64_t before = atomic_load(&state->later_ns);
    do {
        if (nanoseconds > MOST_PASSED_NS || before > MOST_PASSED_NS - nanoseconds) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&state->later_ns, &before, before + nanoseconds));
    return true;
}

/* The guest waits, or its run is over. */
static void advance_now(determinism *state)
{
    if (atomic_load_explicit(&state->later_ns, memory_order_relaxed) > 0) {
        (void)advance(state, atomic_exchange(&state->later_ns, 0));
    }
}

static uint64_t worked_ns(const eryx_sandbox *sandbox)
{
    const determinism *state = &sandbox->determinism;
    uint64_t fuel =
        sandbox->state == SANDBOX_RUNNING ? limits_fuel(&sandbox->timing, &sandbox->instance) : 0;
    return state->worked_ns + fuel * state->tick_ns;
}

void determinism_end_run(eryx_sandbox *sandbox)
{
    determinism *state = &sandbox->determinism;
    state->worked_ns += limits_fuel(&sandbox->timing, &sandbox->instance) * state->tick_ns;
    advance_now(state);
    state->looks = 0;
    state->answer_ready = false;
}

uint64_t determinism_now_ns(const eryx_sandbox *sandbox)
{
    return BEGIN_NS + sandbox->determinism.passed_ns + worked_ns(sandbox);
}

uint64_t determinism_wall_ns(const eryx_sandbox *sandbox)
{
    return sandbox->determinism.start_ns + (determinism_now_ns(sandbox) - BEGIN_NS);
}

static uint64_t wall_ns(const void *sandbox)
{
    return determinism_wall_ns(sandbox);
}

memory_clock determinism_stamp_files(const eryx_sandbox *sandbox)
{
    const bool own = sandbox->determinism.on;
    return memory_use_clock((memory_clock){own ? wall_ns : NULL, sandbox});
}

uint64_t determinism_processor_ns(const eryx_sandbox *sandbox)
{
    return worked_ns(sandbox);
}

void determinism_fill(determinism *state, uint8_t *bytes, size_t size)
{
    while (size > 0) {
        uint64_t number = next_random(&state->random);
        size_t part = size < sizeof number ? size : sizeof number;
        memcpy(bytes, &number, part);
        bytes += part;
        size -= part;
    }
}

/* Lets the guest take the answer to its oldest call, if it is there. */
static bool release(eryx_sandbox *sandbox)
{
    callback_table *table = &sandbox->callbacks;
    sandbox->determinism.answer_ready = callbacks_put_oldest_first(table);
    return sandbox->determinism.answer_ready;
}

bool determinism_settles(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns)
{
    determinism *state = &sandbox->determinism;
    const callback_table *table = &sandbox->callbacks;
    if (!state->on) {
        return false;
    }
    advance_now(state);
    const bool has_calls = table->open_count + table->answered_count > 0;
    if (has_calls && !state->answer_ready && threads_anyone_watches(sandbox)) {
        return release(sandbox);
    }
    if (guest_ns == UINT64_MAX || host_ns != UINT64_MAX) {
        return false;
    }
    uint64_t now_ns = determinism_now_ns(sandbox);
    uint64_t left_ns = guest_ns > now_ns ? guest_ns - now_ns : 0;
    return advance(state, left_ns); /* a sleep for longer than that has no end */
}

bool determinism_is_impatient(eryx_sandbox *sandbox)
{
    determinism *state = &sandbox->determinism;
    const callback_table *table = &sandbox->callbacks;
    if (!state->on || table->open_count + table->answered_count == 0) {
        return false;
    }
    state->looks = state->looks >= PATIENCE ? 0 : state->looks + 1;
    return state->looks == 0;
}

size_t determinism_answers(const eryx_sandbox *sandbox)
{
    return sandbox->determinism.answer_ready ? 1 : 0;
}

eryx_status eryx_sandbox_advance_clock(eryx_sandbox *sandbox, uint64_t nanoseconds)
{
    eryx_status status = use_begin(sandbox, NULL);
    if (status != ERYX_OK && status != ERYX_BUSY) {
        return status;
    }
    /* How far a guest is that computes meanwhile is chance, so its clock waits for it. */
    determinism *state = &sandbox->determinism;
    const bool later = status == ERYX_BUSY || sandbox->state == SANDBOX_RUNNING;
    const bool done =
        state->on && (later ? advance_later(state, nanoseconds) : advance(state, nanoseconds));
    if (status == ERYX_OK) {
        use_end(sandbox);
    }
    return done ? ERYX_OK : ERYX_INVALID_ARGUMENT;
}
