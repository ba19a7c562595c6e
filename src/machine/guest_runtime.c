/* What the generated code calls: wasm-rt.h, and the guest's own allocator. */
#include "guest_exports.h"
#include "machine/guest_host.h"
#include "machine/guest_memory.h"
#include "machine/memory.h"
#include "machine/trap.h"
#include "sandbox/run.h"

GUEST_HOST_FUNCTION(wasm_rt_trap);
void host_wasm_rt_trap(wasm_rt_trap_t trap)
{
    trap_raise(trap);
}

GUEST_HOST_FUNCTION(wasm_rt_grow_memory);
uint64_t host_wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint64_t delta_pages)
{
    uint64_t earlier = memory->pages;
    if (!memory_grow(memory, delta_pages)) {
        guest_instance *instance =
            (guest_instance *)((uint8_t *)memory - offsetof(guest_instance, memory));
        sandbox_of(instance)->run.memory_limit_hit = true;
        return UINT32_MAX;
    }
    return earlier;
}

guest_ptr guest_try_allocate(guest_instance *instance, uint32_t size)
{
    uint32_t place = instance->place;
    instance->place = GUEST_IN_ALLOC;
    guest_ptr block = guest_at(guest_export_eryx_guest_alloc(instance, size));
    instance->place = place;
    return block;
}

guest_ptr guest_allocate(guest_instance *instance, uint32_t size)
{
    guest_ptr block = guest_try_allocate(instance, size);
    if (block.offset == 0 && size != 0) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
    }
    return block;
}
