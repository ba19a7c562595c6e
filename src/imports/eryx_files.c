/*
 * Host functions for what WASI does not know of files: their permission bits (module "eryx:host";
 * see protocol/files.h).
 */
#include "guest_imports.h"
#include "imports/file_questions.h"
#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "protocol/files.h"
#include "sandbox/determinism.h"
#include "vfs/vfs.h"

/* No more than so many bytes of a path are looked at. */
#define MAX_PATH_BYTES 4096u

static uint32_t outcome(vfs_error error)
{
    return error == VFS_OK ? FILE_DONE : error == VFS_READ_ONLY ? FILE_READ_ONLY : FILE_MISSING;
}

uint32_t eryx_host_set_mode(guest_instance *instance, uint32_t path, uint32_t size, uint32_t mode)
{
    uint8_t *bytes;
    if (!guest_slice(instance, guest_at(path), size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return FILE_MISSING;
    }
    guest_charge(instance, COST_SYSTEM_CALL + (size < MAX_PATH_BYTES ? size : MAX_PATH_BYTES));
    vfs *files = sandbox_of(instance)->files;
    vfs_error error;
    file_operation operation = file_operation_begin(instance);
    UNINITIALIZED char kept[VFS_PATH_MAX];
    const char *text = file_operation_path(&operation, (const char *)bytes, size, kept);
    do {
        error = vfs_set_mode_at(vfs_root(files), text, size, mode);
    } while (file_operation_asks(&operation, &error));
    return outcome(error);
}

/* libc does not tell which handle a descriptor of its own stands for. Any that has the file open
 * will do. */
uint32_t eryx_host_set_open_mode(guest_instance *instance, uint64_t identity, uint32_t mode)
{
    const handle_table *table = &sandbox_of(instance)->handles;
    guest_charge(instance, (uint64_t)COST_SYSTEM_CALL * (1 + table->used));
    for (uint32_t i = 0; i < table->used; i++) {
        vfs_status status;
        const handle *open = &table->dynamic[i];
        if (open->kind == HANDLE_DESCRIPTOR && vfs_stat(open->object, &status) == VFS_OK &&
            status.identity == identity) {
            return outcome(vfs_set_mode(open->object, mode));
        }
    }
    return FILE_MISSING;
}

void eryx_host_set_mode_of_new(guest_instance *instance, uint32_t mode)
{
    vfs_set_mode_of_new(sandbox_of(instance)->files, mode == FILE_MODE_USUAL
                                                         ? VFS_MODE_USUAL
                                                         : (uint16_t)(mode & VFS_MODE_MASK));
}

uint64_t eryx_host_processor_time(guest_instance *instance)
{
    guest_charge(instance, COST_SYSTEM_CALL);
    eryx_sandbox *sandbox = sandbox_of(instance);
    return sandbox->determinism.on ? determinism_processor_ns(sandbox)
                                   : limits_cpu_ns(&sandbox->timing);
}
