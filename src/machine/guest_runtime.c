/* What the generated code calls: wasm-rt.h, and the guest's own allocator. */
#include "guest_exports.h"
#include "machine/guest_extension.h"
#include "machine/guest_host.h"
#include "machine/guest_memory.h"
#include "machine/trap.h"

GUEST_HOST_FUNCTION(wasm_rt_trap);
void host_wasm_rt_trap(wasm_rt_trap_t trap)
{
    trap_raise(trap);
}

guest_ptr guest_try_allocate(guest_instance *instance, uint32_t size)
{
    guest_extended *extended = (guest_extended *)instance;
    uint32_t place = instance->place;
    guest_unwind unwind = guest_unwind_take(extended);
    instance->place = GUEST_IN_ALLOC;
    guest_ptr block = guest_at(guest_export_eryx_guest_alloc(instance, size));
    instance->place = place;
    guest_unwind_put(extended, unwind);
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
