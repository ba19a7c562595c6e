/* One thread at a time, and only in the process that made the sandbox. */
#ifndef ERYX_SANDBOX_USE_H
#define ERYX_SANDBOX_USE_H

#include "sandbox/sandbox.h"

/* Claims the sandbox for this call. Errors: INVALID_ARGUMENT (NULL), FORKED, BUSY. */
eryx_status use_begin(eryx_sandbox *sandbox, eryx_error *out_error);

/* Gives it back. */
void use_end(eryx_sandbox *sandbox);

#endif
