/* Native extension modules as the guest sees them (protocol/native.h). */
#include "imports/eryx_native.h"

#include <stdio.h>
#include <string.h>

#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "native/attach.h"
#include "sandbox/sandbox.h"

#define FAILED ((uint32_t)NATIVE_FAILED)

/* One call can show so much of a file at most. */
#define BYTES_MAX ((uint32_t)1 << 20)

static uint32_t fail(eryx_sandbox *sandbox, const char *text)
{
    snprintf(sandbox->native.message, sizeof sandbox->native.message, "%s", text);
    return FAILED;
}

static uint32_t find(eryx_sandbox *sandbox)
{
    native_state *state = &sandbox->native;
    uint8_t hash[SHA256_BYTES];
    sha256_end(&state->hash, hash);
    uint32_t number;
    if (native_find_allowed(state, hash, &number)) {
        return number;
    }
    return fail(sandbox, state->allowed_count == 0
                             ? "this sandbox may not load native modules"
                             : "not one of the native modules that this sandbox may load");
}

/* The number of a module among the allowed ones; false if it is not. */
static bool number_of(const native_state *state, const eryx_native_module *module,
                      uint32_t *out_number)
{
    return native_find_allowed(state, module->extension->hash, out_number) &&
           state->allowed[*out_number] == module;
}

static const eryx_native_module *missing_for(const eryx_sandbox *sandbox,
                                             const eryx_native_module *module)
{
    uint32_t record;
    for (size_t i = 0; i < module->needed_count; i++) {
        if (!native_find_record(&sandbox->native, module->needed[i], &record)) {
            return module->needed[i];
        }
    }
    return NULL;
}

/* The first that is not attached of what a module needs and the module itself; NULL if all are. */
static const eryx_native_module *first_missing(const eryx_sandbox *sandbox,
                                               const eryx_native_module *module)
{
    const eryx_native_module *other;
    uint32_t record;
    if (native_find_record(&sandbox->native, module, &record)) {
        return NULL;
    }
    while ((other = missing_for(sandbox, module)) != NULL) {
        module = other;
    }
    return module;
}

static uint32_t next(eryx_sandbox *sandbox, const eryx_native_module *module, guest_ptr out,
                     uint32_t room)
{
    const eryx_native_module *missing = first_missing(sandbox, module);
    if (missing == NULL) {
        return NATIVE_NONE;
    }
    uint32_t number;
    if (!number_of(&sandbox->native, missing, &number)) {
        return fail(sandbox, "it needs another native module that this sandbox may not load");
    }
    struct native_needs needs = {missing->memory_bytes, missing->extension->memory_alignment};
    if (room < sizeof needs || !guest_write(&sandbox->instance, out, &needs, sizeof needs)) {
        return fail(sandbox, "no room for what the native module needs");
    }
    return number;
}

static uint32_t attach(eryx_sandbox *sandbox, const eryx_native_module *module, guest_ptr memory,
                       uint32_t size)
{
    uint32_t record;
    if (native_find_record(&sandbox->native, module, &record)) {
        return fail(sandbox, "the native module is attached already");
    }
    guest_charge_work(&sandbox->instance, module->memory_bytes, COST_BYTES_COPIED);
    return native_attach(&sandbox->native, &sandbox->extended, module, memory.offset, size, &record)
               ? record
               : FAILED;
}

static uint32_t symbol(eryx_sandbox *sandbox, uint32_t record, guest_ptr name, uint32_t size)
{
    const eryx_native_module *module = native_module_of(&sandbox->native, record);
    uint8_t *text;
    native_link link;
    if (module == NULL || !guest_slice(&sandbox->instance, name, size, &text) ||
        !native_module_symbol(module, (const char *)text, size, &link)) {
        return 0;
    }
    return (uint32_t)native_link_value(sandbox->extended.bases, &link);
}

static uint32_t bytes(eryx_sandbox *sandbox, guest_ptr data, uint32_t size)
{
    uint8_t *shown;
    if (size > BYTES_MAX || !guest_slice(&sandbox->instance, data, size, &shown)) {
        return fail(sandbox, "no such bytes");
    }
    sha256_add(&sandbox->native.hash, shown, size);
    guest_charge_work(&sandbox->instance, size, COST_BYTES_READ);
    return 0;
}

static uint32_t message(eryx_sandbox *sandbox, guest_ptr out, uint32_t room)
{
    size_t size = strlen(sandbox->native.message);
    size = size < room ? size : room;
    return guest_write(&sandbox->instance, out, sandbox->native.message, size) ? (uint32_t)size : 0;
}

uint32_t native_guest_operation(guest_instance *instance, uint32_t operation, uint32_t number,
                                uint32_t data, uint32_t size, uint32_t out, uint32_t room)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    native_state *state = &sandbox->native;
    const eryx_native_module *module =
        number < state->allowed_count ? state->allowed[number] : NULL;
    switch (operation) {
    case NATIVE_BEGIN:
        sha256_begin(&state->hash);
        return 0;
    case NATIVE_BYTES:
        return bytes(sandbox, guest_at(data), size);
    case NATIVE_FIND:
        return find(sandbox);
    case NATIVE_SYMBOL:
        return symbol(sandbox, number, guest_at(data), size);
    case NATIVE_MESSAGE:
        return message(sandbox, guest_at(out), room);
    default:
        break;
    }
    if (module == NULL) {
        return fail(sandbox, "there is no such native module");
    }
    switch (operation) {
    case NATIVE_NEXT:
        return next(sandbox, module, guest_at(out), room);
    case NATIVE_ATTACH:
        return attach(sandbox, module, guest_at(data), size);
    case NATIVE_RECORD:
        return native_find_record(&sandbox->native, module, &number)
                   ? number
                   : fail(sandbox, "the native module is not attached");
    default:
        return fail(sandbox, "there is no such operation");
    }
}
