#include "sandbox/fuel.h"

#include "base/clock.h"

static void begin_stretch(fuel_state *state, guest_instance *instance)
{
    uint64_t left = state->max > state->booked ? state->max - state->booked : 0;
    left = state->turn != 0 && state->turn < left ? state->turn : left;
    state->stretch = left > INT64_MAX ? INT64_MAX : (int64_t)left;
    instance->ticks = state->stretch;
}

void fuel_begin(fuel_state *state, guest_instance *instance, uint64_t max_fuel)
{
    *state = (fuel_state){.max = max_fuel};
    begin_stretch(state, instance);
}

uint64_t fuel_used(const fuel_state *state, const guest_instance *instance)
{
    return add_saturating(state->booked, (uint64_t)state->stretch - (uint64_t)instance->ticks);
}

void fuel_take_turns(fuel_state *state, guest_instance *instance, uint64_t turn)
{
    state->booked = fuel_used(state, instance);
    state->turn = turn;
    begin_stretch(state, instance);
}

fuel_verdict fuel_book(fuel_state *state, guest_instance *instance)
{
    fuel_verdict verdict = FUEL_LEFT;
    state->booked = fuel_used(state, instance);
    if (state->booked >= state->max) {
        verdict = state->spent ? FUEL_OVER : FUEL_SPENT;
        state->spent = true;
        state->max = add_saturating(state->max, FUEL_GRACE);
    }
    begin_stretch(state, instance);
    return verdict;
}
