/*
 * Fuel for the work that host functions do. Whatever a guest can make the host do more of costs
 * more: a function that works on an amount which the guest chose charges for it, before the work.
 *
 * The charge depends on what was asked for alone, never on time, so fuel stays the same for the
 * same program. It is taken at the next look at the ticks; how long one call may take is bounded by
 * the function itself.
 */
#ifndef ERYX_MACHINE_GUEST_COST_H
#define ERYX_MACHINE_GUEST_COST_H

#include "machine/guest_instance.h"

/* Bytes that one tick of work covers: about ten nanoseconds. */
enum guest_cost {
    COST_BYTES_COPIED = GUEST_BULK_BYTES_PER_TICK,
    COST_BYTES_READ = 16,   /* looked at one by one, or enciphered */
    COST_BYTES_RANDOM = 4,  /* asked of the kernel in small pieces */
    COST_BYTES_DECODED = 1, /* certificates and the like, by OpenSSL */
    COST_SYSTEM_CALL = 50,  /* ticks of a system call */
    COST_KEY = 20000,       /* ticks of an operation with a key */
};

/* Charges so many ticks. */
static inline void guest_charge(guest_instance *instance, uint64_t ticks)
{
    const uint64_t most = (uint64_t)1 << 40; /* so that no row of charges overflows */
    instance->ticks -= (int64_t)(ticks < most ? ticks : most);
}

/* Charges for a call that works on so many bytes; bytes_per_tick: COST_BYTES_... */
static inline void guest_charge_work(guest_instance *instance, uint64_t bytes,
                                     enum guest_cost bytes_per_tick)
{
    guest_charge(instance, 1 + bytes / (uint64_t)bytes_per_tick);
}

#endif
