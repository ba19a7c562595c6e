/* Switching to the guest, for the host side of a run. */
#ifndef ERYX_SANDBOX_RUN_ENTER_H
#define ERYX_SANDBOX_RUN_ENTER_H

#include "sandbox/sandbox.h"

/*
 * Lets the guest go on until it leaves; sandbox->run.event tells why. trap_prepare_thread() must
 * have been called on this thread.
 *
 * out_trap: the trap that ended it for good, also if its time was over before it could go on; 0 for
 * none. ERYX_INITIALIZATION if its memory cannot be pointed at; it was not entered then.
 */
eryx_status run_enter(eryx_sandbox *sandbox, uint32_t *out_trap);

#endif
