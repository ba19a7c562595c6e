/*
 * wasi:clocks. Timers are pollables that wasi_io.c waits for.
 */
#include <time.h>

#include "base/clock.h"
#include "guest_imports.h"
#include "machine/guest_memory.h"
#include "sandbox/determinism.h"

/* A record datetime { seconds: u64, nanoseconds: u32 } as a result at that place. */
static void store_datetime(guest_instance *instance, guest_ptr result, uint64_t seconds,
                           uint32_t nanoseconds)
{
    guest_store_u64(instance, result, seconds);
    guest_store_u32(instance, guest_offset(result, 8), nanoseconds);
}

static uint32_t add_timer(guest_instance *instance, uint64_t wake_ns)
{
    uint32_t index;
    if (!handles_add(&sandbox_of(instance)->handles, HANDLE_POLLABLE_TIMER, NULL, wake_ns,
                     &index)) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return 0;
    }
    return index;
}

uint64_t wasi_clocks_monotonic_clock_now(guest_instance *instance)
{
    return sandbox_now_ns(sandbox_of(instance));
}

uint64_t wasi_clocks_monotonic_clock_resolution(guest_instance *instance)
{
    (void)instance;
    return 1;
}

uint32_t wasi_clocks_monotonic_clock_subscribe_duration(guest_instance *instance,
                                                        uint64_t duration_ns)
{
    uint64_t now = sandbox_now_ns(sandbox_of(instance));
    return add_timer(instance, duration_ns > UINT64_MAX - now ? UINT64_MAX : now + duration_ns);
}

void wasi_clocks_wall_clock_now(guest_instance *instance, uint32_t result)
{
    const eryx_sandbox *sandbox = sandbox_of(instance);
    if (sandbox->determinism.on) {
        uint64_t now_ns = determinism_wall_ns(sandbox);
        store_datetime(instance, guest_at(result), now_ns / CLOCK_NS_PER_SECOND,
                       (uint32_t)(now_ns % CLOCK_NS_PER_SECOND));
        return;
    }
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    /* The type has no room for times before 1970. */
    uint64_t seconds = now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec;
    store_datetime(instance, guest_at(result), seconds, (uint32_t)now.tv_nsec);
}

void wasi_clocks_wall_clock_resolution(guest_instance *instance, uint32_t result)
{
    store_datetime(instance, guest_at(result), 0, 1);
}
