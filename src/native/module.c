#include "native/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "base/status.h"
#include "guest_build.h"
#include "machine/guest_code.h"
#include "machine/guest_symbols.h"
#include "machine/trap.h"
#include "protocol/native.h"

/* machine/coroutine_switch.S; not to be called from C. */
void guest_interrupted(void);

#define STRING(text) #text
#define STRING_OF(text) STRING(text)

/* All functions that a module can bring to a table. */
#define ENTRIES_MAX ((uint32_t)1 << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static eryx_native_module *open_modules;
static uint32_t next_slot;

void native_module_after_fork(void)
{
    pthread_mutex_init(&lock, NULL);
}

/* ---- Symbols of the guest -------------------------------------------------------------------- */

/* The place of a name in a sorted table; false if it is not there. */
static bool find_name(const char *names, const uint32_t *offsets, uint32_t count, const char *name,
                      uint32_t *out_place)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(names + offsets[middle], name);
        if (order == 0) {
            *out_place = middle;
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

static bool find_guest_function(const char *name, uint32_t *out_place)
{
    return find_name(guest_function_names, guest_function_name_offsets, guest_function_count, name,
                     out_place);
}

uint32_t native_guest_variable(const char *name)
{
    uint32_t place;
    return find_name(guest_variable_names, guest_variable_name_offsets, guest_variable_count, name,
                     &place)
               ? guest_variable_addresses[place]
               : 0;
}

/* The hash of a function type as the guest's own code has it, so that its quick comparison of
 * pointers succeeds. */
static wasm_rt_func_type_t guest_type(uint32_t signature_count, const char *signature,
                                      wasm_rt_func_type_t otherwise)
{
    for (uint32_t i = 0; i < signature_count; i++) {
        if (strcmp(guest_signatures[i].text, signature) == 0) {
            return guest_signatures[i].type;
        }
    }
    return otherwise;
}

static uint32_t count_guest_signatures(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < guest_function_count; i++) {
        uint32_t number = guest_function_signatures[i];
        count = number < count ? count : number + 1;
    }
    return count;
}

/* ---- Linking --------------------------------------------------------------------------------- */

/* What is known while a module is being opened. */
typedef struct linker {
    eryx_native_module *module;
    const char *path;
    eryx_error *error;
    uint32_t signature_count; /* of the guest */
} linker;

/* The export of that name, which has no NUL; NULL if there is none. They are sorted. */
static const guest_extension_export *find_name_in(const guest_extension_export *exports,
                                                  uint32_t count, const char *name, size_t size)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const char *text = exports[middle].name;
        int order = strncmp(text, name, size);
        if (order == 0 && text[size] == 0) {
            return &exports[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

bool native_module_symbol(const eryx_native_module *module, const char *name, size_t size,
                          native_link *out_link)
{
    const guest_extension *extension = module->extension;
    const guest_extension_export *found;
    if (memchr(name, 0, size) != NULL) {
        return false;
    }
    found = find_name_in(extension->exports, extension->export_count, name, size);
    if (found != NULL) {
        uint32_t number = (uint32_t)(found - extension->exports);
        *out_link = (native_link){NATIVE_LINK_TABLE, module, extension->table_size + number};
        return true;
    }
    found = find_name_in(extension->variables, extension->variable_count, name, size);
    if (found != NULL) {
        *out_link = (native_link){NATIVE_LINK_MEMORY, module, found->value};
        return true;
    }
    if (extension->start != 0 && size == strlen(NATIVE_START_SYMBOL) &&
        memcmp(NATIVE_START_SYMBOL, name, size) == 0) {
        *out_link = (native_link){NATIVE_LINK_TABLE, module,
                                  extension->table_size + extension->export_count};
        return true;
    }
    return false;
}

static bool find_export(const eryx_native_module *module, const char *name, uint32_t kind,
                        native_link *out_link)
{
    return native_module_symbol(module, name, strlen(name), out_link) && out_link->kind == kind;
}

/* In the modules that this one needs. */
static bool find_needed(const eryx_native_module *module, const char *name, uint32_t kind,
                        native_link *out_link)
{
    for (size_t i = 0; i < module->needed_count; i++) {
        if (find_export(module->needed[i], name, kind, out_link)) {
            return true;
        }
    }
    return false;
}

static void missing_function(guest_instance *instance)
{
    (void)instance;
    wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}

/* The exported function that a link is to; NULL if it is none of that module's own. */
static const guest_extension_function *function_of(const native_link *link)
{
    const guest_extension *provider = link->provider->extension;
    uint64_t number = link->value - provider->table_size;
    const guest_extension_function *function =
        number < provider->export_count ? &provider->functions[provider->exports[number].value]
                                        : NULL;
    return function != NULL && function->code[false] != NULL ? function : NULL;
}

/* Puts what an import calls into place, for the one variant of the guest's code and the other. */
static void set_import(const guest_extension *extension, uint32_t number,
                       wasm_rt_function_ptr_t plain, wasm_rt_function_ptr_t metered)
{
    extension->import_pointers[false][number] = plain;
    extension->import_pointers[true][number] = metered;
}

/* Finds what an import calls: a function of the guest, of what the module needs, or (C++ lets
 * others replace such ones) of the module itself. */
static eryx_status link_import(const linker *link, uint32_t number)
{
    const guest_extension *extension = link->module->extension;
    const guest_extension_import *import = &extension->imports[number];
    uint32_t place;
    native_link found;
    const char *signature;
    const guest_extension_function *function = NULL;
    if (find_guest_function(import->name, &place)) {
        signature = guest_signatures[guest_function_signatures[place]].text;
        set_import(extension, number, guest_functions[false][place], guest_functions[true][place]);
    } else if ((find_needed(link->module, import->name, NATIVE_LINK_TABLE, &found) ||
                find_export(link->module, import->name, NATIVE_LINK_TABLE, &found)) &&
               (function = function_of(&found)) != NULL) {
        signature = function->signature;
        set_import(extension, number, function->code[false], function->code[true]);
    } else if (import->weak) {
        set_import(extension, number, (wasm_rt_function_ptr_t)missing_function,
                   (wasm_rt_function_ptr_t)missing_function);
        return ERYX_OK;
    } else {
        return status_fail(ERYX_INITIALIZATION, link->error,
                           "%s: the native module needs the function %.200s, which nothing has",
                           link->path, import->name);
    }
    if (strcmp(signature, import->signature) != 0) {
        return status_fail(ERYX_INITIALIZATION, link->error,
                           "%s: the native module calls %.200s as (%s), but it is (%s)", link->path,
                           import->name, import->signature, signature);
    }
    return ERYX_OK;
}

/* Places a function of the guest in the module's part of the table unless it has an index. */
static eryx_status link_guest_pointer(eryx_native_module *module, uint32_t place,
                                      native_link *out_link)
{
    for (uint32_t i = 0; i < guest_table_size; i++) {
        if (guest_tables[false][i].func == guest_functions[false][place]) {
            *out_link = (native_link){NATIVE_LINK_VALUE, module, i};
            return ERYX_OK;
        }
    }
    const guest_signature *signature = &guest_signatures[guest_function_signatures[place]];
    for (int metered = 0; metered < 2; metered++) {
        module->entries[metered][module->entry_count] =
            (wasm_rt_funcref_t){signature->type, guest_functions[metered][place]};
    }
    *out_link = (native_link){NATIVE_LINK_TABLE, module, module->entry_count++};
    return ERYX_OK;
}

static eryx_status link_global(const linker *link, const guest_extension_global *global,
                               native_link *out_link)
{
    eryx_native_module *module = link->module;
    uint32_t place;
    bool pointer = global->kind == GUEST_GLOBAL_POINTER;
    switch (global->kind) {
    case GUEST_GLOBAL_CONSTANT:
        *out_link = (native_link){NATIVE_LINK_VALUE, module, global->value};
        return ERYX_OK;
    case GUEST_GLOBAL_MEMORY:
        *out_link = (native_link){NATIVE_LINK_MEMORY, module, global->value};
        return ERYX_OK;
    case GUEST_GLOBAL_TABLE:
        *out_link = (native_link){NATIVE_LINK_TABLE, module, global->value};
        return ERYX_OK;
    default:
        break;
    }
    uint32_t kind = pointer ? NATIVE_LINK_TABLE : NATIVE_LINK_MEMORY;
    if (find_export(module, global->name, kind, out_link)) {
        return ERYX_OK;
    }
    if (pointer && find_guest_function(global->name, &place)) {
        return link_guest_pointer(module, place, out_link);
    }
    uint32_t address = pointer ? 0 : native_guest_variable(global->name);
    if (address != 0 || (!find_needed(module, global->name, kind, out_link) && global->weak)) {
        *out_link = (native_link){NATIVE_LINK_VALUE, module, address};
        return ERYX_OK;
    }
    if (find_needed(module, global->name, kind, out_link)) {
        return ERYX_OK;
    }
    return status_fail(ERYX_INITIALIZATION, link->error,
                       "%s: the native module needs the %s %.200s, which nothing has", link->path,
                       pointer ? "function" : "variable", global->name);
}

/* Gives the module its next table entry: the function of that number plus one, 0 for none. */
static void add_entry(const linker *link, uint32_t number)
{
    eryx_native_module *module = link->module;
    const guest_extension *extension = module->extension;
    uint32_t place = module->entry_count++;
    if (number == 0) {
        return;
    }
    const guest_extension_function *function = &extension->functions[number - 1];
    wasm_rt_func_type_t type =
        guest_type(link->signature_count, function->signature, function->type);
    for (int metered = 0; metered < 2; metered++) {
        module->entries[metered][place] =
            (wasm_rt_funcref_t){type, function->code[metered] != NULL
                                          ? function->code[metered]
                                          : extension->import_pointers[metered][function->import]};
    }
}

/* Connects the module to the guest and to what it needs. */
static eryx_status link_module(linker *link)
{
    eryx_native_module *module = link->module;
    const guest_extension *extension = module->extension;
    for (uint32_t i = 0; i < extension->import_count; i++) {
        eryx_status status = link_import(link, i);
        if (status != ERYX_OK) {
            return status;
        }
    }
    for (uint32_t i = 0; i < extension->table_size; i++) {
        add_entry(link, extension->table[i]);
    }
    for (uint32_t i = 0; i < extension->export_count; i++) {
        add_entry(link, extension->exports[i].value + 1);
    }
    if (extension->start != 0) {
        add_entry(link, extension->start);
    }
    for (uint32_t i = 0; i < extension->global_count; i++) {
        eryx_status status = link_global(link, &extension->globals[i], &module->links[i]);
        if (status != ERYX_OK) {
            return status;
        }
    }
    return ERYX_OK;
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* The file must be one that only its owner, who is us or root, can have written, with that hash. */
static eryx_status check_file(const char *path, const uint8_t *digest, eryx_error *out_error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: %s", path, strerror(errno));
    }
    eryx_status status = ERYX_INITIALIZATION;
    struct stat attributes;
    if (fstat(descriptor, &attributes) != 0 || !S_ISREG(attributes.st_mode) ||
        (attributes.st_uid != geteuid() && attributes.st_uid != 0) ||
        (attributes.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        status_fail(status, out_error, "%s: not a file that only you can write", path);
        goto done;
    }
    sha256 hash;
    uint8_t found[SHA256_BYTES];
    uint8_t buffer[16384];
    ssize_t count;
    sha256_begin(&hash);
    while ((count = read(descriptor, buffer, sizeof buffer)) != 0) {
        if (count < 0 && errno != EINTR) {
            status_fail(status, out_error, "%s: %s", path, strerror(errno));
            goto done;
        }
        if (count > 0) {
            sha256_add(&hash, buffer, (size_t)count);
        }
    }
    sha256_end(&hash, found);
    if (memcmp(found, digest, sizeof found) != 0) {
        status_fail(status, out_error, "%s: the translated native module is damaged", path);
        goto done;
    }
    status = ERYX_OK;

done:
    close(descriptor);
    return status;
}

typedef struct code_search {
    uintptr_t inside; /* an address in the shared object */
    uintptr_t begin;
    uintptr_t end;
} code_search;

/* Finds the executable segment of the shared object that the address is in. */
static int find_code(struct dl_phdr_info *info, size_t size, void *argument)
{
    code_search *search = argument;
    uintptr_t code_begin = 0;
    uintptr_t code_end = 0;
    bool ours = false;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t begin = (uintptr_t)info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD) {
            ours = ours || search->inside - begin < segment->p_memsz;
            if ((segment->p_flags & PF_X) != 0) {
                code_begin = begin;
                code_end = begin + segment->p_memsz;
            }
        }
    }
    if (ours) {
        search->begin = code_begin;
        search->end = code_end;
    }
    return ours;
}

static const guest_extension *load(const char *path, eryx_error *out_error)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        status_fail(ERYX_INITIALIZATION, out_error, "%s: %s", path, dlerror());
        return NULL;
    }
    const guest_extension *extension = dlsym(library, STRING_OF(GUEST_EXTENSION_SYMBOL));
    if (extension == NULL || extension->version != GUEST_EXTENSION_VERSION) {
        status_fail(ERYX_WRONG_BUILD, out_error, "%s: not a native module of this eryx", path);
        return NULL;
    }
    if (strcmp(extension->build, GUEST_BUILD_ID_TEXT) != 0) {
        status_fail(ERYX_WRONG_BUILD, out_error,
                    "%s: the native module was translated for another build of eryx", path);
        return NULL;
    }
    return extension;
}

static eryx_native_module *find_open(const guest_extension *extension)
{
    for (eryx_native_module *at = open_modules; at != NULL; at = at->next) {
        if (at->extension == extension) {
            return at;
        }
    }
    return NULL;
}

static void add_needed(eryx_native_module *module, const eryx_native_module *other, bool *seen)
{
    if (!seen[other->slot]) {
        seen[other->slot] = true;
        module->needed[module->needed_count++] = other;
    }
}

/* Lists what the module needs and what that needs: ways to the same module may be very many. */
static bool list_needed(eryx_native_module *module, const eryx_native_module *const *needed,
                        size_t count)
{
    bool seen[GUEST_EXTENSION_SLOTS] = {false};
    module->needed = calloc((size_t)next_slot + 1, sizeof(const eryx_native_module *));
    if (module->needed == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        add_needed(module, needed[i], seen);
        for (size_t j = 0; j < needed[i]->needed_count; j++) {
            add_needed(module, needed[i]->needed[j], seen);
        }
    }
    return true;
}

static eryx_status create(const char *path, const guest_extension *extension,
                          const eryx_native_module *const *needed, size_t needed_count,
                          eryx_native_module **out_module, eryx_error *out_error)
{
    uint64_t memory =
        ((uint64_t)extension->memory_size + 7) / 8 * 8 + (uint64_t)extension->global_count * 8;
    uint64_t entries =
        (uint64_t)extension->table_size + extension->export_count + 1 + extension->global_count;
    if (entries > ENTRIES_MAX || memory > UINT32_MAX / 2) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: the native module is too large",
                           path);
    }
    if (next_slot == GUEST_EXTENSION_SLOTS) {
        return status_fail(ERYX_RESOURCE_LIMIT, out_error,
                           "%s: this process has opened %d native modules already", path,
                           GUEST_EXTENSION_SLOTS);
    }
    eryx_native_module *module = calloc(1, sizeof *module);
    if (module == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    module->extension = extension;
    module->memory_bytes = (uint32_t)memory;
    module->entries[false] = calloc((size_t)entries, sizeof *module->entries[false]);
    module->entries[true] = calloc((size_t)entries, sizeof *module->entries[true]);
    module->links = calloc((size_t)extension->global_count + 1, sizeof *module->links);
    linker link = {module, path, out_error, count_guest_signatures()};
    eryx_status status = ERYX_OUT_OF_MEMORY;
    if (module->entries[false] == NULL || module->entries[true] == NULL || module->links == NULL ||
        !list_needed(module, needed, needed_count)) {
        status_fail(status, out_error, "out of memory");
        goto fail;
    }
    *extension->interrupted = (wasm_rt_function_ptr_t)guest_interrupted;
    *extension->attend = (wasm_rt_function_ptr_t)guest_attend;
    *extension->trap = (wasm_rt_function_ptr_t)wasm_rt_trap;
    *extension->grow = (wasm_rt_function_ptr_t)wasm_rt_grow_memory;
    *extension->call_target = (wasm_rt_function_ptr_t)guest_call_target;
    *extension->slot = next_slot;
    status = link_module(&link);
    if (status != ERYX_OK) {
        goto fail;
    }
    code_search search = {.inside = (uintptr_t)extension};
    dl_iterate_phdr(find_code, &search);
    if (search.begin == 0 || !trap_add_code(search.begin, search.end)) {
        status = status_fail(ERYX_INITIALIZATION, out_error, "%s: there is no code in it", path);
        goto fail;
    }
    module->slot = next_slot++;
    *out_module = module;
    return ERYX_OK;

fail:
    free(module->needed);
    free(module->links);
    free(module->entries[false]);
    free(module->entries[true]);
    free(module);
    return status;
}

eryx_status eryx_native_module_open(const char *path, const uint8_t digest[32],
                                    const eryx_native_module *const *needed, size_t needed_count,
                                    const eryx_native_module **out_module, eryx_error *out_error)
{
    if (path == NULL || digest == NULL || out_module == NULL ||
        (needed_count > 0 && needed == NULL)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "a native module needs a path and a hash");
    }
    eryx_status status = check_file(path, digest, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    pthread_mutex_lock(&lock);
    const guest_extension *extension = load(path, out_error);
    eryx_native_module *module = NULL;
    if (extension == NULL) {
        status = ERYX_INITIALIZATION;
    } else if ((module = find_open(extension)) == NULL) {
        status = create(path, extension, needed, needed_count, &module, out_error);
        if (status == ERYX_OK) {
            module->next = open_modules;
            open_modules = module;
        }
    }
    pthread_mutex_unlock(&lock);
    if (status == ERYX_OK) {
        *out_module = module;
    }
    return status;
}

const uint8_t *eryx_native_module_hash(const eryx_native_module *module)
{
    return module->extension->hash;
}
