/*
 * wasi:random: the host's entropy, never a generator of our own, so that no two sandboxes share a
 * state; but where runs are to be repeatable.
 */
#include <sys/random.h>
#include <sys/types.h>

#include "guest_imports.h"
#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "sandbox/determinism.h"

/* Of one call: libc asks for 256 bytes at most, and this takes the kernel a fraction of a
 * millisecond. */
#define MAX_RANDOM_BYTES ((uint64_t)64 << 10)

/* getrandom() with up to so many bytes is neither cut short nor interrupted. */
#define RANDOM_CHUNK_BYTES 256u

/* False if the kernel has no entropy to give, which no supported one ever says. */
static bool fill_random(uint8_t *bytes, size_t size)
{
    while (size > 0) {
        size_t chunk = size < RANDOM_CHUNK_BYTES ? size : RANDOM_CHUNK_BYTES;
        ssize_t filled = getrandom(bytes, chunk, 0);
        if (filled <= 0) {
            return false;
        }
        bytes += filled;
        size -= (size_t)filled;
    }
    return true;
}

static bool fill(determinism *state, uint8_t *bytes, size_t size)
{
    if (state->on) {
        determinism_fill(state, bytes, size);
        return true;
    }
    return fill_random(bytes, size);
}

void wasi_random_random_get_random_bytes(guest_instance *instance, uint64_t size, uint32_t result)
{
    guest_ptr list = guest_at(0);
    if (size > MAX_RANDOM_BYTES) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    guest_charge_work(instance, size, COST_BYTES_RANDOM);
    if (size > 0) {
        uint8_t *bytes;
        list = guest_allocate(instance, (uint32_t)size);
        if (!guest_slice(instance, list, size, &bytes) ||
            !fill(&sandbox_of(instance)->determinism, bytes, (size_t)size)) {
            guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
            return;
        }
    }
    guest_store_u32(instance, guest_at(result), list.offset);
    guest_store_u32(instance, guest_offset(guest_at(result), 4), (uint32_t)size);
}
