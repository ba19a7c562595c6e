#include "sandbox/use.h"

#include "base/forks.h"
#include "base/status.h"
#include "machine/memory_reset.h"

static eryx_status refuse(eryx_status status, eryx_error *out_error)
{
    return status_fail(status, out_error, "%s", eryx_status_text(status));
}

eryx_status use_begin(eryx_sandbox *sandbox, eryx_error *out_error)
{
    if (sandbox == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "no sandbox was given");
    }
    if (sandbox->fork_generation != forks_generation()) {
        return refuse(ERYX_FORKED, out_error);
    }
    if (atomic_flag_test_and_set_explicit(&sandbox->in_use, memory_order_acquire)) {
        return refuse(ERYX_BUSY, out_error);
    }
    memory_use(&sandbox->map);
    return ERYX_OK;
}

void use_end(eryx_sandbox *sandbox)
{
    atomic_flag_clear_explicit(&sandbox->in_use, memory_order_release);
}
