#include "machine/wall.h"

#include <cpuid.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/status.h"
#include "machine/alarm.h"
#include "machine/coroutine.h"
#include "machine/guest_instance.h"
#include "machine/memory.h"
#include "machine/segment.h"
#include "machine/trap.h"

/* wall_probe.S, in the section of generated code. */
void wall_probe_load(uint64_t offset);         /* one byte through the segment register */
void wall_probe_stack(const uint8_t *address); /* one byte of the stack */
void wall_probe_loop(uint64_t rounds);         /* ends by itself after so many */

/* A loop that nothing stops goes on for about a second. */
#define LOOP_ROUNDS ((uint64_t)1 << 31)

typedef struct probe {
    coroutine guest;
    enum { PROBE_LOAD, PROBE_STACK, PROBE_LOOP } kind;
    uint64_t offset; /* of PROBE_LOAD */
} probe;

/* Not __builtin_cpu_supports(): what it looks at is not in every compiler's library. */
static bool is_new_enough(void)
{
    const unsigned needed = bit_SSSE3 | bit_SSE4_2 | bit_POPCNT;
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) == 1 && (ecx & needed) == needed;
}

eryx_status wall_check_system(eryx_error *out_error)
{
    if (!is_new_enough()) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "this processor is too old: x86-64-v2 is needed (SSE4.2 and POPCNT)");
    }
    if (!segment_works()) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "the GS segment base cannot be set here (arch_prctl(ARCH_SET_GS) fails, "
                           "as it does in gVisor and under some seccomp filters), so guests could "
                           "not be kept in their memory");
    }
    return ERYX_OK;
}

static void probe_main(void *argument)
{
    probe *probed = argument;
    switch (probed->kind) {
    case PROBE_LOAD:
        wall_probe_load(probed->offset);
        break;
    case PROBE_STACK:
        wall_probe_stack(probed->guest.stack->limit - 1);
        break;
    case PROBE_LOOP:
        wall_probe_loop(LOOP_ROUNDS);
        break;
    }
    coroutine_abandon(&probed->guest);
}

static void end_loop(guest_instance *instance)
{
    (void)instance;
    trap_raise(GUEST_TRAP_TIMEOUT);
}

static uint32_t not_overdue(guest_instance *instance, uint64_t now_ns)
{
    (void)instance;
    (void)now_ns;
    return WASM_RT_TRAP_NONE;
}

/* Runs one probe; false if it could not be run or did not end with that trap. */
static bool ends_with(probe *probed, const memory_map *map, guest_instance *instance, uint32_t trap)
{
    if (!coroutine_create(&probed->guest, probe_main, probed)) {
        return false;
    }
    trap_scope scope = {.guest = &probed->guest,
                        .memory = map->reservation,
                        .memory_bytes = MEMORY_MAPPING_BYTES,
                        .instance = instance,
                        .interrupted = end_loop,
                        .overdue = not_overdue,
                        .look_ns = probed->kind == PROBE_LOOP ? 0 : UINT64_MAX};
    void *earlier;
    bool ended = false;
    trap_scope_begin(&scope);
    if (segment_exchange(instance->memory.data, &earlier)) {
        if (probed->kind == PROBE_LOOP) {
            alarm_set(0);
        }
        coroutine_enter(&probed->guest);
        ended = segment_exchange(earlier, &earlier) && scope.trap == trap;
    }
    trap_scope_end(&scope);
    coroutine_destroy(&probed->guest);
    return ended;
}

/* What does not hold; NULL if all does. */
static const char *find_fault(const memory_map *map, const wasm_rt_memory_t *memory)
{
    coroutine trial; /* its stack is kept for the probes */
    if (!coroutine_create(&trial, probe_main, NULL)) {
        return memory_shortage();
    }
    coroutine_destroy(&trial);
    guest_instance instance = {.memory = *memory};
    const uint64_t outside[] = {0,
                                GUEST_LOWEST_ADDRESS - 1,
                                memory->size,
                                (uint64_t)UINT32_MAX + 1,
                                MEMORY_RESERVED_BYTES,
                                MEMORY_RESERVED_BYTES + MEMORY_GUARD_BYTES - 1,
                                UINT64_MAX};
    probe probed = {.kind = PROBE_LOAD, .offset = GUEST_LOWEST_ADDRESS};
    if (!ends_with(&probed, map, &instance, WASM_RT_TRAP_NONE)) {
        return "guests do not reach their memory";
    }
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        probed = (probe){.kind = PROBE_LOAD, .offset = outside[i]};
        if (!ends_with(&probed, map, &instance, WASM_RT_TRAP_OOB)) {
            return "what lies outside of a guest's memory is within its reach";
        }
    }
    probed = (probe){.kind = PROBE_STACK};
    if (!ends_with(&probed, map, &instance, WASM_RT_TRAP_EXHAUSTION)) {
        return "a guest's stack has no guard";
    }
    probed = (probe){.kind = PROBE_LOOP};
    if (!ends_with(&probed, map, &instance, GUEST_TRAP_TIMEOUT)) {
        return "timers of threads send no signal, so guests could not be stopped";
    }
    return NULL;
}

static pthread_mutex_t check_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool holds;

eryx_status wall_check(const memory_map *map, const wasm_rt_memory_t *memory, eryx_error *out_error)
{
    if (atomic_load_explicit(&holds, memory_order_acquire)) {
        return ERYX_OK;
    }
    const char *fault = NULL;
    pthread_mutex_lock(&check_lock);
    if (!atomic_load_explicit(&holds, memory_order_relaxed)) {
        fault = trap_prepare_thread() ? find_fault(map, memory)
                                      : "signal handlers or timers cannot be set up for guests";
        atomic_store_explicit(&holds, fault == NULL, memory_order_release);
    }
    pthread_mutex_unlock(&check_lock);
    return fault == NULL ? ERYX_OK : status_fail(ERYX_INITIALIZATION, out_error, "%s", fault);
}

void wall_after_fork(void)
{
    pthread_mutex_init(&check_lock, NULL);
}
