/*
 * The canonical ABI of WebAssembly components, as far as all of wasi:* need it: tags of results and
 * options, and where their payloads are.
 */
#ifndef ERYX_IMPORTS_ABI_H
#define ERYX_IMPORTS_ABI_H

#include "machine/guest_memory.h"
#include "machine/handles.h"
#include "sandbox/sandbox.h"

/* Tags of result and option. */
enum { RESULT_OK = 0, RESULT_ERROR = 1 };
enum { OPTION_NONE = 0, OPTION_SOME = 1 };

/* Where the payload of a result is, by its alignment; an error-code lies there as well. */
enum { PAYLOAD_U8 = 1, PAYLOAD_U32 = 4, PAYLOAD_U64 = 8 };

/* Pointer of a list without elements: never followed, and the guest frees no such list. */
#define EMPTY_LIST 1u

/* What a guest holds. */
static inline handle_table *handles_of(guest_instance *instance)
{
    return &sandbox_of(instance)->handles;
}

/* The answer to a handle that does not exist or is of the wrong kind: the guest ends. */
static inline void refuse_handle(guest_instance *instance)
{
    guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
}

#endif
