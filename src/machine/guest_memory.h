/*
 * The one door between host and guest memory. Only these functions turn a guest_ptr into bytes; all
 * of them check, none relies on guard pages. Read a struct once into host memory, check the copy,
 * use it.
 *
 * A store or a load outside of guest memory asks for a trap (guest_leave_host() takes it) and does
 * nothing else; a load then gives zero. guest_slice() leaves the answer to its caller.
 */
#ifndef ERYX_MACHINE_GUEST_MEMORY_H
#define ERYX_MACHINE_GUEST_MEMORY_H

#include "machine/guest_instance.h"

static inline guest_ptr guest_at(uint32_t offset)
{
    return (guest_ptr){offset};
}

/* base + bytes; wraps like the guest's own arithmetic, checked when it is used. */
static inline guest_ptr guest_offset(guest_ptr base, uint32_t bytes)
{
    return (guest_ptr){base.offset + bytes};
}

/* Asks for a trap on return to the guest; the first one asked for stands. */
static inline void guest_ask_trap(guest_instance *instance, uint32_t trap)
{
    if (instance->pending_trap == WASM_RT_TRAP_NONE) {
        instance->pending_trap = trap;
    }
    instance->attention = 1;
}

/* Host view of size bytes at p; valid until the guest runs again. False (and *out_bytes untouched)
 * if any of it lies outside of guest memory, or in the page at 0 where none is. */
static inline bool guest_slice(guest_instance *instance, guest_ptr p, uint64_t size,
                               uint8_t **out_bytes)
{
    if (size > instance->memory.size || p.offset > instance->memory.size - size ||
        (p.offset < GUEST_LOWEST_ADDRESS && size != 0)) {
        return false;
    }
    *out_bytes = instance->memory.data + p.offset;
    return true;
}

/* Copies size bytes out of guest memory; on failure asks for a trap, zeroes the destination, gives
 * false. */
static inline bool guest_read(guest_instance *instance, guest_ptr p, void *out_copy, size_t size)
{
    uint8_t *bytes;
    if (!guest_slice(instance, p, size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        memset(out_copy, 0, size);
        return false;
    }
    memcpy(out_copy, bytes, size);
    return true;
}

/* Copies size bytes into guest memory; on failure asks for a trap and gives false. */
static inline bool guest_write(guest_instance *instance, guest_ptr p, const void *source,
                               size_t size)
{
    uint8_t *bytes;
    if (!guest_slice(instance, p, size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return false;
    }
    memcpy(bytes, source, size);
    return true;
}

static inline void guest_store_u8(guest_instance *instance, guest_ptr p, uint8_t value)
{
    guest_write(instance, p, &value, sizeof value);
}

static inline void guest_store_u32(guest_instance *instance, guest_ptr p, uint32_t value)
{
    guest_write(instance, p, &value, sizeof value);
}

static inline void guest_store_u64(guest_instance *instance, guest_ptr p, uint64_t value)
{
    guest_write(instance, p, &value, sizeof value);
}

static inline uint32_t guest_load_u32(guest_instance *instance, guest_ptr p)
{
    uint32_t value;
    guest_read(instance, p, &value, sizeof value);
    return value;
}

/*
 * Room in guest memory from the guest's own malloc(), for values that the canonical ABI returns;
 * libc frees them. Offset 0 if the guest has no memory left.
 *
 * Runs guest code on the present stack: it may end the run and never return, so its caller must not
 * hold anything that needs freeing.
 *
 * size: bytes, 0 allowed. The alignment is malloc()'s, enough for any value.
 */
guest_ptr guest_try_allocate(guest_instance *instance, uint32_t size);

/* The same for small values that have no way to report a failure: then asks for a trap. */
guest_ptr guest_allocate(guest_instance *instance, uint32_t size);

#endif
