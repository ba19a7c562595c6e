/*
 * A sandbox without a guest in it, for tests of host functions: linear memory from malloc (so that
 * a sanitizer sees every byte out of bounds), a guest_allocate() that hands out one piece behind
 * the other, and run_*() functions that record what is asked of them and work with a clock of their
 * own.
 */
#ifndef ERYX_FAKE_GUEST_H
#define ERYX_FAKE_GUEST_H

#include "machine/guest_memory.h"
#include "sandbox/sandbox.h"

/* Where guest_allocate() begins; everything below is the test's own. */
#define FAKE_GUEST_HEAP 32768u

typedef struct fake_guest {
    eryx_sandbox sandbox; /* first, so that an instance is its fake guest */
    uint32_t heap_next;
    unsigned allocations;   /* calls of guest_allocate() that were granted */
    bool refuse_allocation; /* guest_allocate() fails like a guest without memory */
    void (*on_allocate)(struct fake_guest *guest); /* called inside guest_allocate(); may be NULL */

    unsigned waits;           /* calls of run_wait() */
    uint64_t waited_for_ns;   /* argument of the last one */
    unsigned early_wakes;     /* so many calls of run_wait() come back before their time */
    unsigned interrupt_after; /* run_wait() gives up from this call on; 0 for never */

    int patience_ms; /* how long run_wait() waits for the network before the clock jumps; 50 */
    unsigned yields; /* calls of run_yield() */
    void (*on_yield)(struct fake_guest *guest, const eryx_event *event); /* may be NULL */

    uint8_t *output[3]; /* what came through run_output(), by stream */
    size_t output_size[3];

    bool exited;
    int32_t exit_code;
} fake_guest;

/* The clock that clock_now_ns() reads; run_wait() moves it on. */
extern uint64_t fake_clock_ns;

/* A guest with that many bytes of memory, all 0xa5, and a full handle table. Never fails. */
fake_guest *fake_guest_create(uint32_t memory_bytes, uint32_t handle_limit);

/* Frees it and all handles. */
void fake_guest_destroy(fake_guest *guest);

/* Gives it a copy of bytes to read from its standard input. */
void fake_guest_give_input(fake_guest *guest, const uint8_t *bytes, size_t size);

/* The instance of a fake guest. */
guest_instance *fake_guest_instance(fake_guest *guest);

/* The trap that was asked for since the last call, WASM_RT_TRAP_NONE for none. */
uint32_t fake_guest_take_trap(fake_guest *guest);

/* Reads of guest memory that end the test if they are out of bounds. */
uint8_t fake_guest_u8(fake_guest *guest, uint32_t offset);
uint32_t fake_guest_u32(fake_guest *guest, uint32_t offset);
uint64_t fake_guest_u64(fake_guest *guest, uint32_t offset);

/* Host view of so many bytes of guest memory. */
uint8_t *fake_guest_bytes(fake_guest *guest, uint32_t offset, uint32_t size);

#endif
