/*
 * The guest's own native stack, and the switch between it and the host's.
 *
 * A coroutine is entered by coroutine_enter() on the host's stack and comes back there when it
 * leaves: for a while (coroutine_leave) or for good (coroutine_abandon, and the signal handler of
 * trap.c). A coroutine that was left for good is simply never entered again; nothing on its stack
 * is unwound.
 */
#ifndef ERYX_MACHINE_COROUTINE_H
#define ERYX_MACHINE_COROUTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/mappings.h"

/* Address space for the stack of one guest, and for one of its threads beside the first. Pages are
 * committed as they are touched. */
#define COROUTINE_STACK_BYTES ((size_t)64 << 20)
#define COROUTINE_THREAD_BYTES ((size_t)16 << 20)

typedef enum coroutine_size {
    COROUTINE_OF_GUEST,
    COROUTINE_OF_THREAD,
} coroutine_size;

/* Unmapped at both ends of a stack. A frame of generated code is far smaller. */
#define COROUTINE_GUARD_BYTES ((size_t)64 << 10)

/* Kept for host functions, which are not entered with less than this left. */
#define COROUTINE_RESERVE_BYTES ((size_t)256 << 10)

typedef struct coroutine_stack {
    struct coroutine_stack *next; /* in the pool */
    uint8_t *mapping;             /* guard, stack, guard */
    mapping_record *record;       /* in the book of the process */
    uint8_t *limit;               /* lowest usable byte */
    uint8_t *top;                 /* one past the highest */
    coroutine_size size;
    void *fiber; /* what ThreadSanitizer calls it; NULL without */
} coroutine_stack;

typedef struct coroutine {
    coroutine_stack *stack; /* NULL when there is no run */
    void *guest_sp;         /* where the guest was left */
    void *host_sp;          /* where the host entered */
} coroutine;

/* One of several stacks of a guest, while it runs on another. */
typedef struct coroutine_rest {
    coroutine_stack *stack; /* NULL for none */
    void *sp;               /* where it was left */
} coroutine_rest;

typedef void coroutine_main(void *argument);

/*
 * Takes a stack from the process-wide pool, or maps one, and prepares main(argument) to run on it.
 * main must not return: it ends with coroutine_abandon(), or is never changed to again.
 * False if there is no address space or memory. Threads: any.
 */
bool coroutine_create(coroutine *created, coroutine_main *main, void *argument);

/* The same for one more stack of a guest, to be changed to. */
bool coroutine_prepare(coroutine_rest *prepared, coroutine_size size, coroutine_main *main,
                       void *argument);

/* Gives the stack back whatever is on it. Allowed on an empty coroutine. */
void coroutine_destroy(coroutine *destroyed);

/* Host side: runs the guest until it leaves. */
void coroutine_enter(coroutine *entered);

/* Guest side: goes back to the host; returns when the host enters again. */
void coroutine_leave(coroutine *left);

/* Guest side: goes back to the host for good. */
__attribute__((noreturn)) void coroutine_abandon(coroutine *left);

/*
 * Guest side: goes on on another of its stacks, which is then the one that the host enters and
 * leaves; comes back when something changes to out_left, where the present one is put.
 */
void coroutine_change(coroutine *guest, coroutine_rest *out_left, const coroutine_rest *next);

/* Gives the stack back whatever is on it. Allowed on one that has none. */
void coroutine_forget(coroutine_rest *forgotten);

/* Unmaps the stacks of the pool. */
void coroutine_trim(void);

/* For the child of a fork(): the pool may have been in use by a thread that is no longer there;
 * begins a new one. */
void coroutine_after_fork(void);

/* coroutine_switch.S: the instruction at which a saved stack pointer can be continued. */
void coroutine_restore(void);

#endif
