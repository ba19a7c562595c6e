/* What the generated code offers besides its exports (toolchain/instrument.py writes it). */
#ifndef ERYX_GUEST_CODE_H
#define ERYX_GUEST_CODE_H

#include "guest_instance.h"

extern const uint64_t guest_initial_pages; /* memory of a guest that no image is made of yet */

/*
 * The guest's code exists twice: plain, and metered, which counts ticks. The function tables of
 * both have the same functions at the same places, so that a memory fits either: a sandbox can go
 * over from one to the other whenever none of its code is running.
 *
 * Indexed by guest_instance.metered; the same for all guests, never written.
 */
extern const wasm_rt_funcref_t *const guest_tables[2];
extern const uint32_t guest_table_size;

/* Sets the globals and copies the data segments into the memory of the instance. */
void guest_code_instantiate(guest_instance *instance);

#endif
