/* The guest wants more memory, and may meet the limit of its sandbox. */
#include "machine/guest_host.h"
#include "machine/memory.h"
#include "sandbox/sandbox.h"

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
