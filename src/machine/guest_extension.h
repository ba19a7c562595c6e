/*
 * What a translated native extension module shows to the host: the one symbol of its shared object.
 * python/eryx/native writes the C code that fills this in.
 *
 * The functions of a module take the same guest_instance as those of the guest. What is different
 * in every sandbox, its two bases, they find by the slot of the module behind the instance; its
 * globals lie in guest memory, at the end of the module's own. Its code exists twice, plain and
 * metered, as that of the guest does (guest_code.h); so do arrays [2], by guest_instance.metered.
 */
#ifndef ERYX_GUEST_EXTENSION_H
#define ERYX_GUEST_EXTENSION_H

#include "guest_instance.h"

#define GUEST_EXTENSION_VERSION 6
#define GUEST_EXTENSION_SYMBOL eryx_guest_extension

/* Modules that one process can have open. */
#define GUEST_EXTENSION_SLOTS 512

typedef struct guest_extension_bases {
    uint32_t memory; /* __memory_base */
    uint32_t table;  /* __table_base */
} guest_extension_bases;

/* Where a function goes on that has caught something: rip, rsp, and what calls keep. */
typedef struct guest_registers {
    uint64_t kept[8];
} guest_registers;

/*
 * Exceptions of WebAssembly (python/eryx/native/_unwind.py). They are thrown and caught by code of
 * modules alone; on their way they leave functions of the guest, never one of the host.
 */
typedef struct guest_unwind {
    guest_registers *target; /* in a frame of this stack that is there; NULL: a throw is a trap */
    uint32_t tag;            /* of what was thrown last, and its value */
    uint32_t value;
} guest_unwind;

/* An instance as the modules see it; bases is an array by slot. */
typedef struct guest_extended {
    guest_instance instance;
    guest_extension_bases *bases;
    guest_unwind unwind;
} guest_extended;

/*
 * The host takes this away before it enters guest code, leaves the guest's stack or begins a run,
 * and puts it back when it is where it was: so a throw never goes to a frame below which there are
 * frames of the host, to another stack, or to a frame that is gone.
 */
static inline guest_unwind guest_unwind_take(guest_extended *extended)
{
    guest_unwind taken = extended->unwind;
    extended->unwind = (guest_unwind){0};
    return taken;
}

static inline void guest_unwind_put(guest_extended *extended, guest_unwind taken)
{
    extended->unwind = taken;
}

/* The function with more parameters, which it does not look at. */
typedef struct guest_extension_adapter {
    wasm_rt_func_type_t type; /* NULL for none */
    wasm_rt_function_ptr_t code[2];
} guest_extension_adapter;

/* Methods without arguments get two parameters, most that are written in C want one. */
#define GUEST_EXTENSION_ADAPTERS 2

/* A function that can be called through the table. */
typedef struct guest_extension_function {
    const char *signature; /* see guest_symbols.h */
    wasm_rt_func_type_t type;
    wasm_rt_function_ptr_t code[2]; /* NULL: it is an import */
    uint32_t import;
    guest_extension_adapter adapters[GUEST_EXTENSION_ADAPTERS];
} guest_extension_function;

typedef struct guest_extension_import {
    const char *name;
    const char *signature;
    bool weak; /* may be missing; a call of it then traps */
} guest_extension_import;

typedef struct guest_extension_export {
    const char *name;
    uint32_t value; /* number in functions, or offset from the memory base */
} guest_extension_export;

enum guest_extension_global_kind {
    GUEST_GLOBAL_CONSTANT, /* value */
    GUEST_GLOBAL_MEMORY,   /* the memory base plus value */
    GUEST_GLOBAL_TABLE,    /* the table base plus value */
    GUEST_GLOBAL_ADDRESS,  /* of the variable of that name */
    GUEST_GLOBAL_POINTER,  /* to the function of that name */
};

/* Eight bytes of guest memory each, at the end of the module's own. */
typedef struct guest_extension_global {
    uint32_t kind;
    bool weak; /* a missing one is 0 */
    const char *name;
    uint64_t value;
} guest_extension_global;

typedef struct guest_extension_data {
    uint32_t offset; /* from the memory base */
    uint32_t size;
    const uint8_t *bytes;
} guest_extension_data;

typedef struct guest_extension {
    uint32_t version;
    uint32_t flags;
    const char *build;   /* GUEST_BUILD_ID_TEXT of the guest that it was translated for */
    const uint8_t *hash; /* SHA-256 of the file as the guest has it, 32 bytes */

    uint32_t memory_size; /* without the globals */
    uint32_t memory_alignment;
    uint32_t table_size;
    uint32_t table_alignment;
    uint32_t start; /* number in functions plus one; 0 for none */

    uint32_t function_count;
    uint32_t import_count;
    uint32_t export_count; /* of functions */
    uint32_t variable_count;
    uint32_t global_count;
    uint32_t data_count;
    const guest_extension_function *functions;
    const uint32_t *table; /* table_size numbers in functions plus one, 0 for an empty place */
    const guest_extension_import *imports;
    const guest_extension_export *exports; /* these and variables: sorted by the bytes of names */
    const guest_extension_export *variables;
    const guest_extension_global *globals;
    const guest_extension_data *data;

    /* Filled in by the host before any of the code runs. */
    uint32_t *slot;
    wasm_rt_function_ptr_t *import_pointers[2]; /* import_count each */
    wasm_rt_function_ptr_t *interrupted;
    wasm_rt_function_ptr_t *attend;
    wasm_rt_function_ptr_t *trap;
    wasm_rt_function_ptr_t *grow;
    wasm_rt_function_ptr_t *call_target;
} guest_extension;

#endif
