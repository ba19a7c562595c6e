/*
 * The functions of the host that generated code calls with whatever is left of its stack. Each
 * begins, as generated code still, with a look at whether there is GUEST_INTERRUPT_BYTES of room:
 * so it is the guest that meets the guard, never the host.
 */
#ifndef ERYX_MACHINE_GUEST_HOST_H
#define ERYX_MACHINE_GUEST_HOST_H

#include "machine/guest_instance.h"

#define GUEST_HOST_TEXT(text) #text
#define GUEST_HOST_TEXT_OF(text) GUEST_HOST_TEXT(text)
#define GUEST_HOST_PROBE "testb %al, -" GUEST_HOST_TEXT_OF(GUEST_INTERRUPT_BYTES) "(%rsp)\n"

/* Defines such a function, in the file of host_NAME, which is what it does. */
#define GUEST_HOST_FUNCTION(name)                                                                  \
    __asm__(".pushsection eryx_guest_text, \"ax\", @progbits\n"                                    \
            ".globl " #name "\n.hidden " #name "\n.type " #name ", @function\n" #name              \
            ":\n" GUEST_HOST_PROBE "jmp host_" #name "\n"                                          \
            ".size " #name ", . - " #name "\n.popsection")

void host_guest_attend(guest_instance *instance);

wasm_rt_function_ptr_t host_guest_call_target(const wasm_rt_funcref_table_t *table,
                                              wasm_rt_func_type_t type, uint32_t index);

uint64_t host_wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint64_t delta_pages);

__attribute__((noreturn)) void host_wasm_rt_trap(wasm_rt_trap_t trap);

#endif
