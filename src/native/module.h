/*
 * Native extension modules of this process: shared objects that python/eryx/native has translated
 * from WebAssembly, opened and linked to the guest.
 *
 * A module is opened once and stays until the process ends, since sandboxes, saved tables and the
 * fault handler may know its code. So nothing here counts references.
 */
#ifndef ERYX_NATIVE_MODULE_H
#define ERYX_NATIVE_MODULE_H

#include "eryx/eryx.h"
#include "machine/guest_extension.h"

enum native_link_kind {
    NATIVE_LINK_VALUE,  /* a plain number */
    NATIVE_LINK_MEMORY, /* an offset from the memory base of the provider */
    NATIVE_LINK_TABLE,  /* an offset from the table base of the provider */
};

/* What a global is worth, once it is known where the modules are. */
typedef struct native_link {
    uint32_t kind;
    const eryx_native_module *provider; /* the module itself, or one that it needs */
    uint64_t value;
} native_link;

struct eryx_native_module {
    const guest_extension *extension;
    eryx_native_module *next; /* of all that are open */
    uint32_t slot;
    const eryx_native_module **needed; /* what has to be attached before, all of it, each once */
    size_t needed_count;
    native_link *links; /* one for each global */
    /* Its part of a table: its own entries, its exported functions, then functions of the guest
     * that have no place in the guest's table and whose address it takes. */
    wasm_rt_funcref_t *entries[2]; /* by guest_instance.metered */
    uint32_t entry_count;
    uint32_t memory_bytes; /* with the globals */
};

/* A function by name as a table index relative to the module's table base, or a variable relative
 * to its memory base. False if there is none. */
bool native_module_symbol(const eryx_native_module *module, const char *name, size_t size,
                          native_link *out_link);

/* The address of a variable of the guest, 0 if there is none. */
uint32_t native_guest_variable(const char *name);

/* For the child of a fork(). */
void native_module_after_fork(void);

#endif
