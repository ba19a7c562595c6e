#include "base/threads.h"

#include <stdatomic.h>

static atomic_uint_fast64_t last_number;

/* initial-exec: looked at in every call of the API. */
static _Thread_local uint64_t number __attribute__((tls_model("initial-exec")));

uint64_t threads_number(void)
{
    if (number == 0) {
        number = atomic_fetch_add_explicit(&last_number, 1, memory_order_relaxed) + 1;
    }
    return number;
}
