#include "native/attach.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "machine/guest_code.h"
#include "machine/guest_host.h"
#include "machine/guest_memory.h"

/* No table has more entries than this. */
#define TABLE_MAX ((uint64_t)1 << 22)

/* So many tables that no sandbox has stay for the next, since making one takes longer than all else
 * about a sandbox. */
#define IDLE_TABLES 4

/* A wasm_rt_func_type_t is a SHA-256. */
enum { FUNCTION_TYPE_BYTES = 32 };

/*
 * A table for modules attached in a certain order: the guest's entries, then those of each module.
 * All sandboxes with that order and that variant of the guest's code share it.
 */
struct native_table {
    native_table *next; /* of all there are */
    size_t references;
    uint32_t size;
    bool metered;
    uint32_t count;
    struct native_place {
        const eryx_native_module *module;
        uint32_t base;
    } *places; /* count of them, behind the entries */
    wasm_rt_funcref_t entries[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static native_table *tables; /* what was released last is first among those without references */

void native_attach_after_fork(void)
{
    pthread_mutex_init(&lock, NULL);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void unlink_table(native_table *table)
{
    native_table **link = &tables;
    while (*link != table) {
        link = &(*link)->next;
    }
    *link = table->next;
}

static void push_table(native_table *table)
{
    table->next = tables;
    tables = table;
}

/* Takes the table out of the list that nobody has had for the longest; NULL if there are no more
 * than may stay. */
static native_table *take_idle(void)
{
    size_t idle = 0;
    native_table *oldest = NULL;
    for (native_table *table = tables; table != NULL; table = table->next) {
        if (table->references == 0) {
            idle++;
            oldest = table;
        }
    }
    if (idle <= IDLE_TABLES) {
        return NULL;
    }
    unlink_table(oldest);
    return oldest;
}

static void release_table(native_table *table)
{
    if (table == NULL) {
        return;
    }
    native_table *surplus = NULL;
    pthread_mutex_lock(&lock);
    if (--table->references == 0) {
        unlink_table(table);
        push_table(table);
        surplus = take_idle();
    }
    pthread_mutex_unlock(&lock);
    free(surplus);
}

/* Finds the place for a module behind so many entries; the size with it, more than TABLE_MAX if it
 * does not fit. */
static uint64_t place_module(const eryx_native_module *module, uint64_t size, uint32_t *out_base)
{
    uint64_t alignment = module->extension->table_alignment;
    uint64_t base = alignment > 1 ? (size + alignment - 1) / alignment * alignment : size;
    *out_base = (uint32_t)base;
    return base + module->entry_count;
}

static native_table *make_table(const eryx_native_module *const *modules, uint32_t count,
                                bool metered)
{
    uint32_t base;
    uint64_t size = guest_table_size;
    for (uint32_t i = 0; i < count; i++) {
        size = place_module(modules[i], size, &base);
        if (size > TABLE_MAX) {
            return NULL;
        }
    }
    size_t bytes = sizeof(native_table) + (size_t)size * sizeof(wasm_rt_funcref_t);
    native_table *table = calloc(1, bytes + count * sizeof(struct native_place));
    if (table == NULL) {
        return NULL;
    }
    table->size = (uint32_t)size;
    table->count = count;
    table->metered = metered;
    table->places = (struct native_place *)(table->entries + size);
    memcpy(table->entries, guest_tables[metered], guest_table_size * sizeof table->entries[0]);
    size = guest_table_size;
    for (uint32_t i = 0; i < count; i++) {
        const eryx_native_module *module = modules[i];
        size = place_module(module, size, &base);
        table->places[i] = (struct native_place){module, base};
        memcpy(table->entries + base, module->entries[metered],
               module->entry_count * sizeof table->entries[0]);
    }
    return table;
}

static bool is_table_of(const native_table *table, const eryx_native_module *const *modules,
                        uint32_t count, bool metered)
{
    if (table->count != count || table->metered != metered) {
        return false;
    }
    /* Tables of sandboxes that have loaded the same in another order begin alike, if at all. */
    for (uint32_t i = count; i-- > 0;) {
        if (table->places[i].module != modules[i]) {
            return false;
        }
    }
    return true;
}

/* A reference to the table for those modules, at least one; NULL without memory or room. */
static native_table *table_of(const eryx_native_module *const *modules, uint32_t count,
                              bool metered)
{
    pthread_mutex_lock(&lock);
    native_table *table = tables;
    while (table != NULL && !is_table_of(table, modules, count, metered)) {
        table = table->next;
    }
    if (table == NULL && (table = make_table(modules, count, metered)) != NULL) {
        push_table(table);
    }
    if (table != NULL) {
        table->references++;
    }
    pthread_mutex_unlock(&lock);
    return table;
}

static void list_modules(const native_table *table, const eryx_native_module **modules)
{
    for (uint32_t i = 0; table != NULL && i < table->count; i++) {
        modules[i] = table->places[i].module;
    }
}

/* A reference to the table that has one module more; NULL without memory or room. */
static native_table *extend_table(const native_table *earlier, const eryx_native_module *module,
                                  bool metered)
{
    const eryx_native_module *modules[NATIVE_RECORDS_MAX];
    uint32_t count = earlier != NULL ? earlier->count : 0;
    if (count == NATIVE_RECORDS_MAX) {
        return NULL;
    }
    list_modules(earlier, modules);
    modules[count] = module;
    return table_of(modules, count + 1, metered);
}

/* ---- Calls with other types ------------------------------------------------------------------ */

/* The function of a module that one of its table entries is; NULL if it is none of its own. */
static const guest_extension_function *own_function(const guest_extension *extension,
                                                    uint32_t number)
{
    if (number < extension->table_size) {
        uint32_t place = extension->table[number];
        return place != 0 ? &extension->functions[place - 1] : NULL;
    }
    number -= extension->table_size;
    return number < extension->export_count
               ? &extension->functions[extension->exports[number].value]
               : NULL;
}

/* Modules lie behind each other in a table that is not the guest's own. */
static const guest_extension_function *function_at(const wasm_rt_funcref_table_t *table,
                                                   uint32_t index, bool *out_metered)
{
    if (table->data == guest_tables[false] || table->data == guest_tables[true]) {
        return NULL;
    }
    const native_table *all =
        (const native_table *)((const char *)table->data - offsetof(native_table, entries));
    *out_metered = all->metered;
    for (uint32_t i = all->count; i-- > 0;) {
        const struct native_place *place = &all->places[i];
        if (index >= place->base) {
            return own_function(place->module->extension, index - place->base);
        }
    }
    return NULL;
}

GUEST_HOST_FUNCTION(guest_call_target);
wasm_rt_function_ptr_t host_guest_call_target(const wasm_rt_funcref_table_t *table,
                                              wasm_rt_func_type_t type, uint32_t index)
{
    if (index < table->size && table->data[index].func != NULL) {
        const wasm_rt_funcref_t *entry = &table->data[index];
        if (memcmp(type, entry->func_type, FUNCTION_TYPE_BYTES) == 0) {
            return entry->func;
        }
        bool metered = false;
        const guest_extension_function *function = function_at(table, index, &metered);
        for (uint32_t i = 0; function != NULL && i < GUEST_EXTENSION_ADAPTERS; i++) {
            const guest_extension_adapter *adapter = &function->adapters[i];
            if (adapter->type != NULL && memcmp(type, adapter->type, FUNCTION_TYPE_BYTES) == 0) {
                return adapter->code[metered];
            }
        }
    }
    wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
}

/* ---- Attached modules ------------------------------------------------------------------------ */

static bool has_module(const native_table *table, const eryx_native_module *module,
                       uint32_t *out_record)
{
    for (uint32_t i = 0; table != NULL && i < table->count; i++) {
        if (table->places[i].module == module) {
            *out_record = i;
            return true;
        }
    }
    return false;
}

/* ---- What a sandbox may have ----------------------------------------------------------------- */

static int compare_modules(const void *a, const void *b)
{
    const eryx_native_module *const *first = a;
    const eryx_native_module *const *second = b;
    return memcmp((*first)->extension->hash, (*second)->extension->hash, SHA256_BYTES);
}

static bool are_in_order(const eryx_native_module *const *modules, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare_modules(&modules[i - 1], &modules[i]) > 0) {
            return false;
        }
    }
    return true;
}

eryx_status native_allow(native_state *state, const eryx_native_module *const *modules,
                         size_t count, eryx_error *out_error)
{
    if (count == 0) {
        return ERYX_OK;
    }
    const eryx_native_module **copy = calloc(count, sizeof(const eryx_native_module *));
    if (copy == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        if (modules == NULL || modules[i] == NULL) {
            free(copy);
            return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a native module is missing");
        }
        copy[i] = modules[i];
    }
    if (!are_in_order(copy, count)) { /* as those of a factory are */
        qsort(copy, count, sizeof(const eryx_native_module *), compare_modules);
    }
    state->allowed = copy;
    state->allowed_count = count;
    return ERYX_OK;
}

void native_release(native_state *state, guest_extended *extended)
{
    free(state->allowed);
    state->allowed = NULL;
    state->allowed_count = 0;
    native_attachment none = {0};
    native_adopt(state, extended, &none);
}

/* ---- Attachments ----------------------------------------------------------------------------- */

void native_discard(native_attachment *attachment)
{
    release_table(attachment->table);
    free(attachment->bases);
    *attachment = (native_attachment){0};
}

/* Gives the guest's code the table of the sandbox. */
static void show_table(const native_state *state, guest_instance *instance)
{
    const native_table *table = state->table;
    instance->table = table != NULL
                          ? (wasm_rt_funcref_table_t){table->entries, table->size, table->size}
                          : (wasm_rt_funcref_table_t){guest_tables[instance->metered],
                                                      guest_table_size, guest_table_size};
}

bool native_choose_variant(native_state *state, guest_instance *instance, bool metered)
{
    native_table *earlier = state->table;
    if (earlier != NULL && earlier->metered != metered) {
        const eryx_native_module *modules[NATIVE_RECORDS_MAX];
        list_modules(earlier, modules);
        native_table *other = table_of(modules, earlier->count, metered);
        if (other == NULL) {
            return false;
        }
        state->table = other;
        release_table(earlier);
    }
    instance->metered = metered;
    show_table(state, instance);
    return true;
}

void native_adopt(native_state *state, guest_extended *extended, native_attachment *attachment)
{
    native_attachment earlier = {state->table, extended->bases};
    state->table = attachment->table;
    extended->bases = attachment->bases;
    show_table(state, &extended->instance);
    *attachment = (native_attachment){0};
    native_discard(&earlier);
}

bool native_find_allowed(const native_state *state, const uint8_t hash[SHA256_BYTES],
                         uint32_t *out_number)
{
    size_t low = 0;
    size_t high = state->allowed_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(state->allowed[middle]->extension->hash, hash, SHA256_BYTES);
        if (order == 0) {
            *out_number = (uint32_t)middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

/* Whether all that a module needs is there before it. */
static bool has_needed(const eryx_native_module *module, const bool *attached)
{
    for (size_t i = 0; i < module->needed_count; i++) {
        if (!attached[module->needed[i]->slot]) {
            return false;
        }
    }
    return true;
}

/* Of a list of so many; not more than there can be. */
static size_t directory_bytes(uint32_t count)
{
    count = count < NATIVE_RECORDS_MAX ? count : NATIVE_RECORDS_MAX;
    return offsetof(struct native_directory, records) + count * sizeof(struct native_record);
}

static eryx_status restore(const native_state *state, bool metered,
                           const struct native_directory *directory,
                           native_attachment *out_attachment, eryx_error *out_error)
{
    const eryx_native_module *modules[NATIVE_RECORDS_MAX];
    bool attached[GUEST_EXTENSION_SLOTS] = {false};
    uint32_t count = directory->count;
    if (count > NATIVE_RECORDS_MAX) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "the list of native modules in this state is damaged");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *hash = directory->records[i].hash;
        uint32_t number;
        modules[i] = native_find_allowed(state, hash, &number) ? state->allowed[number] : NULL;
        if (modules[i] == NULL || attached[modules[i]->slot] || !has_needed(modules[i], attached)) {
            return status_fail(ERYX_INITIALIZATION, out_error,
                               "this state needs the native module with the hash "
                               "%02x%02x%02x%02x%02x%02x…, which the sandbox may not load",
                               hash[0], hash[1], hash[2], hash[3], hash[4], hash[5]);
        }
        attached[modules[i]->slot] = true;
    }
    native_attachment attachment = {
        .table = table_of(modules, count, metered),
        .bases = calloc(GUEST_EXTENSION_SLOTS, sizeof *attachment.bases),
    };
    if (attachment.table == NULL || attachment.bases == NULL) {
        native_discard(&attachment);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error,
                           "no memory for the native modules of this state");
    }
    for (uint32_t i = 0; i < count; i++) {
        attachment.bases[modules[i]->slot] = (guest_extension_bases){
            directory->records[i].memory_base, attachment.table->places[i].base};
    }
    *out_attachment = attachment;
    return ERYX_OK;
}

eryx_status native_restore(const native_state *state, bool metered, const wasm_rt_memory_t *memory,
                           native_attachment *out_attachment, eryx_error *out_error)
{
    struct native_directory directory;
    uint32_t address = native_guest_variable(NATIVE_DIRECTORY_SYMBOL);
    *out_attachment = (native_attachment){0};
    guest_instance view = {.memory = *memory};
    guest_ptr at = guest_at(address);
    if (address == 0 || !guest_read(&view, at, &directory.count, sizeof directory.count) ||
        directory.count == 0 ||
        !guest_read(&view, at, &directory, directory_bytes(directory.count))) {
        return ERYX_OK;
    }
    return restore(state, metered, &directory, out_attachment, out_error);
}

/* Copies memory of a guest that has nothing but the image. */
static void read_image(const image *source, uint64_t offset, void *out_copy, size_t size)
{
    uint8_t *to = out_copy;
    while (size > 0) {
        uint64_t start = offset % IMAGE_PAGE_BYTES;
        size_t piece = (size_t)(IMAGE_PAGE_BYTES - start);
        piece = piece < size ? piece : size;
        const uint8_t *page = image_page(source, offset - start);
        if (page != NULL) {
            memcpy(to, page + start, piece);
        } else {
            memset(to, 0, piece);
        }
        to += piece;
        offset += piece;
        size -= piece;
    }
}

eryx_status native_restore_image(const native_state *state, bool metered, const image *source,
                                 native_attachment *out_attachment, eryx_error *out_error)
{
    struct native_directory directory;
    uint32_t address = native_guest_variable(NATIVE_DIRECTORY_SYMBOL);
    *out_attachment = (native_attachment){0};
    if (address == 0 || source == NULL) {
        return ERYX_OK;
    }
    read_image(source, address, &directory.count, sizeof directory.count);
    if (directory.count == 0) {
        return ERYX_OK;
    }
    read_image(source, address, &directory, directory_bytes(directory.count));
    return restore(state, metered, &directory, out_attachment, out_error);
}

bool native_find_record(const native_state *state, const eryx_native_module *module,
                        uint32_t *out_record)
{
    return has_module(state->table, module, out_record);
}

const eryx_native_module *native_module_of(const native_state *state, uint32_t record)
{
    const native_table *table = state->table;
    return table != NULL && record < table->count ? table->places[record].module : NULL;
}

uint64_t native_link_value(const guest_extension_bases *bases, const native_link *link)
{
    const guest_extension_bases *provider = &bases[link->provider->slot];
    switch (link->kind) {
    case NATIVE_LINK_MEMORY:
        return provider->memory + (uint32_t)link->value;
    case NATIVE_LINK_TABLE:
        return provider->table + (uint32_t)link->value;
    default:
        return link->value;
    }
}

/* ---- Attaching ------------------------------------------------------------------------------- */

/* Writes data segments and globals; memory is all of the module's, host view. */
static bool write_memory(const eryx_native_module *module, const guest_extension_bases *bases,
                         uint8_t *memory)
{
    const guest_extension *extension = module->extension;
    memset(memory, 0, module->memory_bytes);
    for (uint32_t i = 0; i < extension->data_count; i++) {
        const guest_extension_data *data = &extension->data[i];
        if (data->offset > extension->memory_size ||
            data->size > extension->memory_size - data->offset) {
            return false;
        }
        memcpy(memory + data->offset, data->bytes, data->size);
    }
    uint8_t *global = memory + (module->memory_bytes - (uint64_t)extension->global_count * 8);
    for (uint32_t i = 0; i < extension->global_count; i++, global += 8) {
        uint64_t value = native_link_value(bases, &module->links[i]);
        memcpy(global, &value, sizeof value);
    }
    return true;
}

static bool fail(native_state *state, const char *text)
{
    snprintf(state->message, sizeof state->message, "%s", text);
    return false;
}

bool native_attach(native_state *state, guest_extended *extended, const eryx_native_module *module,
                   uint32_t memory_base, uint32_t size, uint32_t *out_record)
{
    guest_instance *instance = &extended->instance;
    uint32_t directory = native_guest_variable(NATIVE_DIRECTORY_SYMBOL);
    uint8_t *memory;
    if (directory == 0 || size < module->memory_bytes ||
        !guest_slice(instance, guest_at(memory_base), module->memory_bytes, &memory)) {
        return fail(state, "the memory for the native module is too small");
    }
    for (size_t i = 0; i < module->needed_count; i++) {
        uint32_t record;
        if (!has_module(state->table, module->needed[i], &record)) {
            return fail(state, "what the native module needs is not attached");
        }
    }
    if (extended->bases == NULL) {
        extended->bases = calloc(GUEST_EXTENSION_SLOTS, sizeof *extended->bases);
        if (extended->bases == NULL) {
            return fail(state, "the host is out of memory");
        }
    }
    native_table *table = extend_table(state->table, module, instance->metered);
    if (table == NULL) {
        return fail(state, "there is no room for another native module");
    }
    uint32_t number = table->count - 1;
    guest_extension_bases *bases = extended->bases;
    bases[module->slot] = (guest_extension_bases){memory_base, table->places[number].base};
    if (!write_memory(module, bases, memory)) {
        release_table(table);
        return fail(state, "the native module has data outside of its memory");
    }
    struct native_record record = {.memory_base = memory_base};
    memcpy(record.hash, module->extension->hash, sizeof record.hash);
    guest_ptr at = guest_at(directory + (uint32_t)offsetof(struct native_directory, records) +
                            number * (uint32_t)sizeof record);
    if (!guest_write(instance, at, &record, sizeof record)) {
        release_table(table);
        return fail(state, "there is no list of native modules");
    }
    guest_store_u32(instance, guest_at(directory), table->count);
    native_table *earlier = state->table;
    state->table = table;
    show_table(state, instance);
    release_table(earlier);
    *out_record = number;
    return true;
}
