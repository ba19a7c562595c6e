#include "gate.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

/* After so long, who has the lock is not about to give it up; and nobody waits longer for it. */
#define WORTH_WAITING_NS 50000

/* When the thread came back that seems to have the interpreter lock; 0 for none. */
static _Atomic uint64_t since_ns;

/* The value that this thread has put there. */
static _Thread_local uint64_t own_ns;

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

PyThreadState *gate_give_up(void)
{
    PyThreadState *thread = PyEval_SaveThread();
    if (own_ns != 0) {
        uint64_t expected = own_ns;
        own_ns = 0;
        (void)atomic_compare_exchange_strong_explicit(&since_ns, &expected, 0, memory_order_release,
                                                      memory_order_relaxed);
    }
    return thread;
}

void gate_take(PyThreadState *thread)
{
    uint64_t now = now_ns();
    const uint64_t end = now + WORTH_WAITING_NS;
    while (now < end) {
        uint64_t since = atomic_load_explicit(&since_ns, memory_order_relaxed);
        if ((since == 0 || since + WORTH_WAITING_NS < now) &&
            atomic_compare_exchange_weak_explicit(&since_ns, &since, now, memory_order_acquire,
                                                  memory_order_relaxed)) {
            own_ns = now;
            break;
        }
        __builtin_ia32_pause();
        now = now_ns();
    }
    PyEval_RestoreThread(thread);
}
