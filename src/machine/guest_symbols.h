/*
 * What native extension modules are linked to: the public functions and variables of the guest's
 * libpython, libc and so on. Written by toolchain/symbols.py as guest_symbols.c.
 *
 * Names are sorted by their bytes; offset n is that of name n in the text.
 */
#ifndef ERYX_GUEST_SYMBOLS_H
#define ERYX_GUEST_SYMBOLS_H

#include "wasm-rt.h"

/* A kind of function. text: a letter for each parameter, a space, one for the result if there is
 * one (i, j, f, d for i32, i64, f32, f64). */
typedef struct guest_signature {
    const char *text;
    wasm_rt_func_type_t type;
} guest_signature;

extern const guest_signature guest_signatures[];

extern const uint32_t guest_function_count;
extern const char guest_function_names[];
extern const uint32_t guest_function_name_offsets[];
extern const uint16_t guest_function_signatures[];             /* index into guest_signatures */
extern const wasm_rt_function_ptr_t *const guest_functions[2]; /* by guest_instance.metered */

extern const uint32_t guest_variable_count;
extern const char guest_variable_names[];
extern const uint32_t guest_variable_name_offsets[];
extern const uint32_t guest_variable_addresses[]; /* in guest memory */

#endif
