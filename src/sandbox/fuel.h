/*
 * Fuel: how much work a run has done, the same for the same work. It is the number of loop heads
 * and recursive calls that the generated code has passed, plus shares for bulk memory operations
 * and for what host functions did. Counted down in guest_instance.ticks.
 */
#ifndef ERYX_SANDBOX_FUEL_H
#define ERYX_SANDBOX_FUEL_H

#include <stdbool.h>
#include <stdint.h>

#include "machine/guest_instance.h"

/* Left to a guest that has used its fuel up, for what the exception makes it do. */
#define FUEL_GRACE ((uint64_t)500000)

/* Where fuel is the clock of turns: what a tick stands for, about as long as it takes. */
#define FUEL_TURN_NS_PER_TICK 5

typedef struct fuel_state {
    uint64_t max;    /* UINT64_MAX for no limit */
    uint64_t booked; /* of the stretches before the present one */
    int64_t stretch; /* ticks that the present one began with */
    uint64_t turn;   /* ticks of a stretch at most; 0 for any number */
    bool spent;      /* max was reached; FUEL_GRACE has been added to it */
} fuel_state;

/* Begins a run. */
void fuel_begin(fuel_state *state, guest_instance *instance, uint64_t max_fuel);

/* Fuel used so far in this run. */
uint64_t fuel_used(const fuel_state *state, const guest_instance *instance);

/* From now on the ticks are used up at least every so many. */
void fuel_take_turns(fuel_state *state, guest_instance *instance, uint64_t turn);

typedef enum fuel_verdict {
    FUEL_LEFT,
    FUEL_SPENT, /* just now: the guest is to be told, and has FUEL_GRACE left */
    FUEL_OVER,  /* the grace as well */
} fuel_verdict;

/* Books what was used and lets the guest go on with what is left; to be called when the ticks are
 * used up. */
fuel_verdict fuel_book(fuel_state *state, guest_instance *instance);

#endif
