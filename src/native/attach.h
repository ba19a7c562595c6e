/*
 * Native extension modules in one sandbox: which ones it may have, which ones are attached, and its
 * table of functions.
 *
 * C code often casts functions to pointer types that have more parameters, such as that of a method
 * without arguments; on real machines the rest is ignored, in WebAssembly the call traps. Functions
 * of modules therefore have adapters for such types, which guest_call_target() finds.
 *
 * What is attached is listed in guest memory (protocol/native.h), so that a copy of that memory
 * carries it along; whoever puts memory into a sandbox attaches anew what is listed there.
 */
#ifndef ERYX_NATIVE_ATTACH_H
#define ERYX_NATIVE_ATTACH_H

#include "base/sha256.h"
#include "machine/guest_extension.h"
#include "machine/image.h"
#include "native/module.h"
#include "protocol/native.h"

typedef struct native_table native_table;

/* What belongs to the memory of a sandbox. All zeros: nothing is attached. */
typedef struct native_attachment {
    native_table *table;          /* counted reference; NULL for the guest's own */
    guest_extension_bases *bases; /* GUEST_EXTENSION_SLOTS of them; NULL while table is */
} native_attachment;

/* The part of a sandbox that is about native modules. All zeros: it may have none. */
typedef struct native_state {
    const eryx_native_module **allowed; /* owned array, sorted by hash */
    size_t allowed_count;
    native_table *table; /* as in native_attachment; the bases are a member of the sandbox */
    sha256 hash;         /* of the file that the guest is showing */
    char message[256];   /* why the last operation failed; "" if it did not */
} native_state;

/* Sets what the sandbox may attach. ERYX_OUT_OF_MEMORY, or INVALID_ARGUMENT for a NULL. */
eryx_status native_allow(native_state *state, const eryx_native_module *const *modules,
                         size_t count, eryx_error *out_error);

/*
 * Prepares what a memory lists, for native_adopt() or native_discard().
 *
 * metered: which variant of the guest's code is to run with it.
 * Errors: INITIALIZATION (a module that is listed is not available), OUT_OF_MEMORY.
 */
eryx_status native_restore(const native_state *state, bool metered, const wasm_rt_memory_t *memory,
                           native_attachment *out_attachment, eryx_error *out_error);

/* The same for the memory of an image, NULL for none; costs next to nothing if it lists none. */
eryx_status native_restore_image(const native_state *state, bool metered, const image *source,
                                 native_attachment *out_attachment, eryx_error *out_error);

/* Gives the sandbox another attachment and takes that over; the earlier one is freed. The guest
 * must not be running. */
void native_adopt(native_state *state, guest_extended *extended, native_attachment *attachment);

/* Lets the next code that runs be metered or not, and gives it the table for that. False without
 * memory; nothing has changed then. The guest must not be running. */
bool native_choose_variant(native_state *state, guest_instance *instance, bool metered);

void native_discard(native_attachment *attachment);

/* Frees everything. */
void native_release(native_state *state, guest_extended *extended);

/* Attaches an allowed module (which is not attached yet, but all that it needs is) at that place of
 * guest memory, writes its data there and adds it to the list. False with a message; nothing has
 * changed then but perhaps the place. */
bool native_attach(native_state *state, guest_extended *extended, const eryx_native_module *module,
                   uint32_t memory_base, uint32_t size, uint32_t *out_record);

/* The number of the allowed module with that hash; false if there is none. */
bool native_find_allowed(const native_state *state, const uint8_t hash[SHA256_BYTES],
                         uint32_t *out_number);

/* Which record a module has; false if it is not attached. */
bool native_find_record(const native_state *state, const eryx_native_module *module,
                        uint32_t *out_record);

/* The module of a record; NULL if there is none. */
const eryx_native_module *native_module_of(const native_state *state, uint32_t record);

/* The value of a symbol of an attached module in this sandbox. */
uint64_t native_link_value(const guest_extension_bases *bases, const native_link *link);

void native_attach_after_fork(void);

#endif
