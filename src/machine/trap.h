/*
 * Faults of the guest become traps; all other faults are the host's own business.
 *
 * The handler acts only if a guest runs on this thread, and either the address is in that guest's
 * memory reservation and the program counter in generated code, or the address is in the guard of
 * the guest's stack. Else the handler that was there before is called as if ours did not exist.
 */
#ifndef ERYX_MACHINE_TRAP_H
#define ERYX_MACHINE_TRAP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/coroutine.h"

struct guest_instance;

/* Where the faults of one guest may lie, and where to go on from there. */
typedef struct trap_scope {
    coroutine *guest;
    const uint8_t *memory; /* reservation */
    size_t memory_bytes;
    uint32_t trap;            /* out: wasm_rt_trap_t or guest_trap, 0 if the guest left by itself */
    struct trap_scope *outer; /* of the run on whose host stack this one was started */

    /* For the signal of alarm.h. */
    struct guest_instance *instance;                      /* NULL: the signal is not wanted */
    void (*interrupted)(struct guest_instance *instance); /* on the guest's stack; may leave */
    /* The trap that is due by now, 0 for none: for a guest that has no stack left for the above.
     * Called by the signal handler. */
    uint32_t (*overdue)(struct guest_instance *instance, uint64_t now_ns);
    volatile uint64_t look_ns; /* a timer that expires before is none of this guest's */

    sigset_t earlier_mask; /* put back at the end if it blocked one of ours */
    bool mask_changed;
} trap_scope;

/*
 * Makes this thread ready for guests: our handlers are in front (they may have been replaced
 * since), and there is a signal stack. False if the system refuses. Threads: any; cheap when
 * nothing is to be done.
 */
bool trap_prepare_thread(void);

/* Announces the guest that this thread is about to enter, and takes that back. They nest. The
 * signals that the guest's end depends on are not blocked in between, whatever the thread blocks.
 */
void trap_scope_begin(trap_scope *scope);
void trap_scope_end(trap_scope *scope);

/* The innermost scope of this thread, NULL outside of guests. */
trap_scope *trap_scope_current(void);

/* Guest side: leaves the guest of this thread for good, with that trap. */
__attribute__((noreturn)) void trap_raise(uint32_t trap);

/* For signal handlers: whether code is a guest's. */
bool trap_is_guest_code(uintptr_t pc);

/* For signal handlers: leaves the guest with a trap. registers: those of the context (greg_t),
 * which are changed. */
void trap_leave(trap_scope *scope, uint32_t trap, long long *registers);

/* Code of guests outside of this program, from begin up to end, for good. False if there is too
 * much already. Threads: one at a time; guests may be running. */
#define TRAP_CODE_MAX 1024
bool trap_add_code(uintptr_t begin, uintptr_t end);

/* For the child of a fork(): another thread may have been installing handlers. */
void trap_after_fork(void);

/* "memory access out of bounds" and so on, for people. Never freed. */
const char *trap_text(uint32_t trap);

#endif
