/* Switching to the guest, for the host side of a run. */
#ifndef ERYX_RUN_ENTER_H
#define ERYX_RUN_ENTER_H

#include "sandbox.h"

/* Lets the guest go on until it leaves; sandbox->event tells why. Gives the trap that ended it for
 * good, 0 for none. trap_prepare_thread() must have been called on this thread. */
uint32_t run_enter(eryx_sandbox *sandbox);

#endif
