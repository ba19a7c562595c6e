/*
 * The state that the translated guest code works on, one per sandbox. toolchain/instrument.py makes
 * the generated code use this struct in place of the one that wasm2c lays out.
 */
#ifndef ERYX_GUEST_INSTANCE_H
#define ERYX_GUEST_INSTANCE_H

#include "wasm-rt.h"

/* Ends of a guest that WebAssembly does not know; they go where a wasm_rt_trap_t goes. */
enum guest_trap {
    GUEST_TRAP_EXIT = 100,  /* the guest asked to exit; its code is in the run */
    GUEST_TRAP_TIMEOUT,     /* the deadline and the grace after it are over */
    GUEST_TRAP_CPU_TIMEOUT, /* the same of cpu_timeout_ms */
    GUEST_TRAP_CANCELLED,
    GUEST_TRAP_FUEL,
};

/* Nothing of a guest lies below this address, and nothing is mapped there (toolchain/layout.py). */
#define GUEST_LOWEST_ADDRESS 4096u

/* An offset into guest memory: a number that the guest chose, never a pointer. */
typedef struct guest_ptr {
    uint32_t offset;
} guest_ptr;

/* Whose code runs on the guest's stack. */
enum guest_place {
    GUEST_IN_GUEST,
    GUEST_IN_HOST,  /* a host function that the guest has called */
    GUEST_IN_ALLOC, /* the guest's allocator, called by a host function: may not call the host */
};

typedef struct guest_instance {
    int64_t ticks;                /* left before guest_interrupted() is called */
    uint32_t stack_pointer;       /* __stack_pointer, the only global of the linked module */
    uint32_t pending_trap;        /* wasm_rt_trap_t or guest_trap that a host function asked for */
    volatile uint32_t attention;  /* guest_attend() is wanted; also set by a signal (alarm.h) */
    uint32_t place;               /* guest_place */
    const uint8_t *stack_reserve; /* host functions must not be entered below this address */
    wasm_rt_memory_t memory;
    wasm_rt_funcref_table_t table;
    bool metered; /* which of the two variants of the guest's code it runs (guest_code.h) */
} guest_instance;

/*
 * Where a call through the table goes if the type that the caller wants is not the very one that
 * the entry has: the function of the entry if the types are equal all the same, or what stands in
 * for it (native/attach.h). Else the guest ends with a trap.
 */
__attribute__((cold, noinline)) wasm_rt_function_ptr_t
guest_call_target(const wasm_rt_funcref_table_t *table, wasm_rt_func_type_t type, uint32_t index);

/* What guest_interrupted() needs of the guest's stack, and all that it calls; less than the stack's
 * guard. */
#define GUEST_INTERRUPT_BYTES (24 << 10)

/*
 * Takes so many ticks off. When they are used up, guest_interrupted() (coroutine_switch.S) is
 * called from behind the function, past the red zone and with all registers as they are: to the
 * compiler this is one instruction that changes the count, so that it optimises the code around it
 * as it does without, and a profile of the one fits the other. Is there no room for that, generated
 * code meets the guard and not the host.
 *
 * Only code that is compiled with ERYX_METERED counts.
 */
#ifdef ERYX_METERED
#define GUEST_CHARGE(instance, count)                                                              \
    __asm__ volatile("subq %1, %0\n\t"                                                             \
                     "js 771f\n"                                                                   \
                     "772:\n\t"                                                                    \
                     ".subsection 1\n"                                                             \
                     "771:\n\t"                                                                    \
                     "testb %%al, -%c2-256(%%rsp)\n\t"                                             \
                     "leaq -128(%%rsp), %%rsp\n\t"                                                 \
                     "callq guest_interrupted\n\t"                                                 \
                     "jmp 772b\n\t"                                                                \
                     ".previous"                                                                   \
                     : "+m"((instance)->ticks)                                                     \
                     : "er"((int64_t)(count)), "i"(GUEST_INTERRUPT_BYTES)                          \
                     : "cc")
#else
#define GUEST_CHARGE(instance, count) ((void)0)
#endif

/* Stands at loop heads, before calls through the table, and in cycles of calls
 * (toolchain/call_graph.py). */
#define GUEST_TICK(instance) GUEST_CHARGE(instance, 1)

/* Left of the native stack where CPython's own recursion check reports its limit as reached: enough
 * to unwind, and for C recursion that has no check. */
#define GUEST_STACK_SPARE ((size_t)8 << 20)

/*
 * The limit that CPython's recursion check compares the linear stack with (toolchain/recursion.py
 * puts this around its loads). Deep C recursion hardly uses the linear stack but a lot of the
 * native one; when that runs short the limit is one that the linear stack pointer is always below.
 *
 * Not __builtin_frame_address(): it would cost the interpreter loop a register.
 */
static inline uint32_t guest_stack_limit(const guest_instance *instance, uint32_t limit)
{
    const uint8_t *stack;
    __asm__("movq %%rsp, %0" : "=r"(stack));
    return UNLIKELY(stack < instance->stack_reserve + GUEST_STACK_SPARE) ? 0x40000000u : limit;
}

#define GUEST_STACK_LIMIT(instance, limit) guest_stack_limit(instance, limit)

/* One tick for so many bytes of memory.copy and memory.fill. */
#define GUEST_BULK_BYTES_PER_TICK 256

/* Takes the trap that was asked for, looks at deadlines and pauses (sandbox/limits.h). May not
 * return. */
__attribute__((cold, noinline)) void guest_attend(guest_instance *instance);

/* Between two pieces of long work: a look at whether it is to go on. */
static inline void guest_attend_if_asked(guest_instance *instance)
{
    if (UNLIKELY(instance->attention != 0)) {
        guest_attend(instance);
    }
}

/*
 * Around every call from the guest to a host function (generated guest_imports.c): leaves the host
 * function room on the guest stack, and takes the trap that it asked for once it has returned, so
 * that no host function is ever cut short while it holds something. What the guest does while a
 * host function has it allocate may not call the host again, which is in the middle of something.
 */
static inline void guest_enter_host(guest_instance *instance)
{
    if (UNLIKELY((const uint8_t *)__builtin_frame_address(0) < instance->stack_reserve)) {
        wasm_rt_trap(WASM_RT_TRAP_EXHAUSTION);
    }
    if (UNLIKELY(instance->place != GUEST_IN_GUEST)) {
        wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
    }
    instance->place = GUEST_IN_HOST;
}

static inline void guest_leave_host(guest_instance *instance)
{
    instance->place = GUEST_IN_GUEST;
    guest_attend_if_asked(instance);
}

#endif
