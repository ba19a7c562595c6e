/*
 * wasi:filesystem: the calls of the guest brought to vfs/vfs.h, in the core form of the canonical
 * ABI.
 *
 * A host function may be left for good in guest_allocate(), and guest code that runs there may drop
 * handles: nothing is owned across it, and handles are looked up again.
 */
#include "base/uninitialized.h"
#include "guest_imports.h"
#include "imports/abi.h"
#include "imports/file_questions.h"
#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "protocol/files.h"
#include "sandbox/sandbox.h"
#include "secrets/secrets.h"
#include "vfs/vfs.h"

/* The most that one read gives. */
#define MAX_READ_BYTES ((uint64_t)1 << 20)

/* No more than so many of a path are looked at. */
#define MAX_PATH_BYTES 4096u

/* The most that one write takes: no call may keep the guest from its deadline for long. */
#define MAX_WRITE_BYTES ((uint32_t)1 << 20)

/* path-flags */
enum { PATH_SYMLINK_FOLLOW = 1 };

/* open-flags */
enum { OPEN_CREATE = 1, OPEN_DIRECTORY = 2, OPEN_EXCLUSIVE = 4, OPEN_TRUNCATE = 8 };

/* descriptor-flags; the other ones ask for what memory always gives */
enum { DESCRIPTOR_READ = 1, DESCRIPTOR_WRITE = 2, DESCRIPTOR_MUTATE_DIRECTORY = 32 };

/* The open file under a handle of that kind; NULL, and a trap, if there is no such handle. */
static vfs_file *file_of(guest_instance *instance, uint32_t index, handle_kind kind)
{
    const handle *found = handles_get(handles_of(instance), index, kind);
    if (found == NULL) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return NULL;
    }
    return found->object;
}

static vfs_file *descriptor_of(guest_instance *instance, uint32_t index)
{
    return file_of(instance, index, HANDLE_DESCRIPTOR);
}

/* A string that the guest passes; good until the guest runs. False, and a trap, if it is out of
 * bounds. */
static bool string_argument(guest_instance *instance, uint32_t offset, uint32_t length,
                            const char **out_text)
{
    uint8_t *bytes;
    if (!guest_slice(instance, guest_at(offset), length, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return false;
    }
    guest_charge(instance, COST_SYSTEM_CALL + (length < MAX_PATH_BYTES ? length : MAX_PATH_BYTES));
    *out_text = (const char *)bytes;
    return true;
}

/* A descriptor and a path from it. False if the call is to be given up. */
static bool path_arguments(guest_instance *instance, uint32_t self, uint32_t offset,
                           uint32_t length, vfs_file **out_directory, const char **out_path)
{
    *out_directory = descriptor_of(instance, self);
    return *out_directory != NULL && string_argument(instance, offset, length, out_path);
}

static void store_error(guest_instance *instance, guest_ptr result, uint32_t payload,
                        vfs_error error)
{
    guest_store_u8(instance, result, RESULT_ERROR);
    guest_store_u8(instance, guest_offset(result, payload), (uint8_t)error);
}

/* result<_, error-code> */
static void store_outcome(guest_instance *instance, uint32_t result, vfs_error error)
{
    if (error == VFS_OK) {
        guest_store_u8(instance, guest_at(result), RESULT_OK);
    } else {
        store_error(instance, guest_at(result), PAYLOAD_U8, error);
    }
}

/* result<u32, error-code>, also for handles. */
static void store_u32(guest_instance *instance, guest_ptr result, uint32_t value)
{
    guest_store_u8(instance, result, RESULT_OK);
    guest_store_u32(instance, guest_offset(result, PAYLOAD_U32), value);
}

/* --- handles --- */

/* Whether one more handle may be held; asked before something is done that a refusal would not
 * undo. */
static vfs_error check_handles(guest_instance *instance)
{
    const handle_table *table = handles_of(instance);
    return table->live < table->limit ? VFS_OK : VFS_QUOTA;
}

/* Hands a file over to a new handle, or closes it, and answers result<handle, error-code>. */
static void store_new_handle(guest_instance *instance, uint32_t result, handle_kind kind,
                             vfs_file *file, uint64_t value)
{
    uint32_t index;
    vfs_error full = check_handles(instance);
    if (!handles_add(handles_of(instance), kind, file, value, &index)) {
        vfs_close(file);
        store_error(instance, guest_at(result), PAYLOAD_U32,
                    full != VFS_OK ? full : VFS_INSUFFICIENT_MEMORY);
        return;
    }
    store_u32(instance, guest_at(result), index);
}

/* Has what was written to a descriptor given to whoever keeps it. */
static vfs_error settle(guest_instance *instance, uint32_t self, bool again)
{
    vfs_error error;
    file_operation operation = file_operation_begin(instance);
    do {
        const handle *open = handles_get(handles_of(instance), self, HANDLE_DESCRIPTOR);
        error = open != NULL ? vfs_flush(open->object, again) : VFS_BAD_DESCRIPTOR;
    } while (file_operation_asks(&operation, &error));
    return error;
}

static void drop(guest_instance *instance, uint32_t self, handle_kind kind)
{
    if (file_of(instance, self, kind) == NULL) {
        return;
    }
    if (kind == HANDLE_DESCRIPTOR && settle(instance, self, false) == VFS_BAD_DESCRIPTOR) {
        return; /* another thread has dropped it meanwhile */
    }
    handles_remove(handles_of(instance), self);
}

void wasi_filesystem_types_drop_descriptor(guest_instance *instance, uint32_t self)
{
    drop(instance, self, HANDLE_DESCRIPTOR);
}

void wasi_filesystem_types_drop_directory_entry_stream(guest_instance *instance, uint32_t self)
{
    drop(instance, self, HANDLE_DIRECTORY_STREAM);
}

/* list<tuple<own<descriptor>, string>> with one element, for the root. */
void wasi_filesystem_preopens_get_directories(guest_instance *instance, uint32_t result)
{
    static const char root_path[] = {'/'};
    guest_ptr list = guest_allocate(instance, 12);
    guest_ptr path = guest_allocate(instance, sizeof root_path);
    if (instance->pending_trap != WASM_RT_TRAP_NONE) {
        return;
    }
    guest_write(instance, path, root_path, sizeof root_path);
    guest_store_u32(instance, list, HANDLE_ROOT);
    guest_store_u32(instance, guest_offset(list, 4), path.offset);
    guest_store_u32(instance, guest_offset(list, 8), sizeof root_path);
    guest_store_u32(instance, guest_at(result), list.offset);
    guest_store_u32(instance, guest_at(result + 4), 1);
}

/* --- opening --- */

static uint32_t open_flags(uint32_t path_flags, uint32_t flags, uint32_t descriptor_flags)
{
    uint32_t open = 0;
    open |= (path_flags & PATH_SYMLINK_FOLLOW) != 0 ? VFS_OPEN_FOLLOW : 0u;
    open |= (flags & OPEN_CREATE) != 0 ? VFS_OPEN_CREATE : 0u;
    open |= (flags & OPEN_DIRECTORY) != 0 ? VFS_OPEN_DIRECTORY : 0u;
    open |= (flags & OPEN_EXCLUSIVE) != 0 ? VFS_OPEN_EXCLUSIVE : 0u;
    open |= (flags & OPEN_TRUNCATE) != 0 ? VFS_OPEN_TRUNCATE : 0u;
    open |= (descriptor_flags & DESCRIPTOR_READ) != 0 ? VFS_OPEN_READ : 0u;
    open |= (descriptor_flags & DESCRIPTOR_WRITE) != 0 ? VFS_OPEN_WRITE : 0u;
    return open;
}

/* Which open file a path of protocol/files.h names; false if it is another path. */
static bool is_again(const char *path, size_t length, uint64_t *out_identity)
{
    const size_t prefix = sizeof FILE_AGAIN - 1;
    if (length <= prefix || length > prefix + 16 || memcmp(path, FILE_AGAIN, prefix) != 0) {
        return false;
    }
    uint64_t identity = 0;
    for (size_t i = prefix; i < length; i++) {
        uint8_t digit = (uint8_t)path[i];
        if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'))) {
            return false;
        }
        identity = identity << 4 | (uint64_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    *out_identity = identity;
    return true;
}

/* One more owner of an open file or directory: of that handle which may do most. */
static vfs_error open_again(guest_instance *instance, uint64_t identity, vfs_file **out_file)
{
    const handle_table *table = handles_of(instance);
    const uint32_t access = VFS_OPEN_READ | VFS_OPEN_WRITE;
    vfs_file *found = NULL;
    guest_charge(instance, (uint64_t)COST_SYSTEM_CALL * (1 + table->used));
    for (uint32_t i = 0; i < table->used; i++) {
        vfs_status status;
        const handle *open = &table->dynamic[i];
        if (open->kind != HANDLE_DESCRIPTOR) {
            continue;
        }
        if ((found == NULL ||
             (vfs_open_flags(open->object) & access) > (vfs_open_flags(found) & access)) &&
            vfs_stat(open->object, &status) == VFS_OK && status.identity == identity) {
            found = open->object;
        }
    }
    if (found == NULL) {
        return VFS_BAD_DESCRIPTOR;
    }
    *out_file = vfs_retain(found);
    return VFS_OK;
}

void wasi_filesystem_types_descriptor_open_at(guest_instance *instance, uint32_t self,
                                              uint32_t path_flags, uint32_t path,
                                              uint32_t path_length, uint32_t flags,
                                              uint32_t descriptor_flags, uint32_t result)
{
    vfs_file *directory;
    const char *text;
    if (!path_arguments(instance, self, path, path_length, &directory, &text)) {
        return;
    }
    vfs_file *file;
    vfs_error error = check_handles(instance);
    uint64_t identity;
    if (error == VFS_OK && is_again(text, path_length, &identity)) {
        error = open_again(instance, identity, &file);
    } else if (error == VFS_OK) {
        ASK_PROVIDERS(instance, self, opened,
                      vfs_open(directory, text, path_length,
                               open_flags(path_flags, flags, descriptor_flags), &file));
        error = opened;
    }
    if (error != VFS_OK) {
        store_error(instance, guest_at(result), PAYLOAD_U32, error);
        return;
    }
    store_new_handle(instance, result, HANDLE_DESCRIPTOR, file, 0);
}

/* A stream over what a descriptor has open; access: what it must be open for. */
static void open_stream(guest_instance *instance, uint32_t self, uint32_t access, handle_kind kind,
                        uint64_t offset, uint32_t result)
{
    vfs_file *file = descriptor_of(instance, self);
    if (file == NULL) {
        return;
    }
    vfs_error error = VFS_OK;
    if (vfs_file_type(file) == VFS_TYPE_DIRECTORY) {
        error = VFS_IS_DIRECTORY;
    } else if ((vfs_open_flags(file) & access) == 0) {
        error = VFS_BAD_DESCRIPTOR;
    }
    if (error != VFS_OK) {
        store_error(instance, guest_at(result), PAYLOAD_U32, error);
        return;
    }
    store_new_handle(instance, result, kind, vfs_retain(file), offset);
}

void wasi_filesystem_types_descriptor_read_via_stream(guest_instance *instance, uint32_t self,
                                                      uint64_t offset, uint32_t result)
{
    open_stream(instance, self, VFS_OPEN_READ, HANDLE_FILE_INPUT, offset, result);
}

void wasi_filesystem_types_descriptor_write_via_stream(guest_instance *instance, uint32_t self,
                                                       uint64_t offset, uint32_t result)
{
    open_stream(instance, self, VFS_OPEN_WRITE, HANDLE_FILE_OUTPUT, offset, result);
}

void wasi_filesystem_types_descriptor_append_via_stream(guest_instance *instance, uint32_t self,
                                                        uint32_t result)
{
    open_stream(instance, self, VFS_OPEN_WRITE, HANDLE_FILE_APPEND, 0, result);
}

/* --- contents --- */

/* How much a read of that file may give; an error if it may not be read. */
static vfs_error readable_bytes(vfs_file *file, uint64_t length, uint64_t offset,
                                uint64_t *out_bytes)
{
    uint8_t nothing;
    size_t got;
    vfs_error error = vfs_read(file, offset, &nothing, 0, &got);
    if (error != VFS_OK) {
        return error;
    }
    uint64_t bytes = length < MAX_READ_BYTES ? length : MAX_READ_BYTES;
    if (vfs_file_type(file) == VFS_TYPE_FILE) {
        uint64_t size = vfs_size(file);
        uint64_t left = offset < size ? size - offset : 0;
        bytes = bytes < left ? bytes : left;
    }
    *out_bytes = bytes;
    return VFS_OK;
}

/* result<tuple<list<u8>, bool>, error-code> */
void wasi_filesystem_types_descriptor_read(guest_instance *instance, uint32_t self, uint64_t length,
                                           uint64_t offset, uint32_t result)
{
    vfs_file *file = descriptor_of(instance, self);
    if (file == NULL) {
        return;
    }
    guest_ptr answer = guest_at(result);
    uint64_t wanted;
    vfs_error error = readable_bytes(file, length, offset, &wanted);
    guest_ptr list = guest_at(EMPTY_LIST);
    size_t got = 0;
    guest_charge_work(instance, error == VFS_OK ? wanted : 0, COST_BYTES_COPIED);
    if (error == VFS_OK && wanted > 0) {
        list = guest_try_allocate(instance, (uint32_t)wanted);
        if (list.offset == 0) {
            store_error(instance, answer, PAYLOAD_U32, VFS_INSUFFICIENT_MEMORY);
            return;
        }
        uint8_t *bytes;
        if (!guest_slice(instance, list, wanted, &bytes)) {
            guest_ask_trap(instance, WASM_RT_TRAP_OOB);
            return;
        }
        file = descriptor_of(instance, self);
        if (file == NULL) {
            return;
        }
        error = vfs_read(file, offset, bytes, (size_t)wanted, &got);
    }
    if (error != VFS_OK) {
        store_error(instance, answer, PAYLOAD_U32, error);
        return;
    }
    store_u32(instance, answer, list.offset);
    guest_store_u32(instance, guest_offset(answer, PAYLOAD_U32 + 4), (uint32_t)got);
    guest_store_u8(instance, guest_offset(answer, PAYLOAD_U32 + 8), length > 0 && got == 0);
}

/* result<u64, error-code> */
void wasi_filesystem_types_descriptor_write(guest_instance *instance, uint32_t self, uint32_t data,
                                            uint32_t size, uint64_t offset, uint32_t result)
{
    vfs_file *file = descriptor_of(instance, self);
    if (file == NULL) {
        return;
    }
    uint8_t *bytes;
    if (!guest_slice(instance, guest_at(data), size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    size_t done;
    uint32_t taken = size < MAX_WRITE_BYTES ? size : MAX_WRITE_BYTES;
    const uint8_t *data_bytes = bytes;
    guest_charge_work(instance, taken, COST_BYTES_COPIED);
    vfs_error error = secrets_scrub_file(sandbox_of(instance)->secrets, &data_bytes, taken)
                          ? vfs_write(file, offset, data_bytes, taken, &done)
                          : VFS_INSUFFICIENT_MEMORY;
    if (error != VFS_OK) {
        store_error(instance, guest_at(result), PAYLOAD_U64, error);
        return;
    }
    guest_store_u8(instance, guest_at(result), RESULT_OK);
    guest_store_u64(instance, guest_offset(guest_at(result), PAYLOAD_U64), done);
}

void wasi_filesystem_types_descriptor_set_size(guest_instance *instance, uint32_t self,
                                               uint64_t size, uint32_t result)
{
    vfs_file *file = descriptor_of(instance, self);
    if (file != NULL) {
        guest_charge(instance, COST_SYSTEM_CALL);
        store_outcome(instance, result, vfs_set_size(file, size));
    }
}

void wasi_filesystem_types_descriptor_advise(guest_instance *instance, uint32_t self,
                                             uint64_t offset, uint64_t length, uint32_t advice,
                                             uint32_t result)
{
    (void)offset;
    (void)length;
    (void)advice;
    if (descriptor_of(instance, self) != NULL) {
        store_outcome(instance, result, VFS_OK);
    }
}

void wasi_filesystem_types_descriptor_sync(guest_instance *instance, uint32_t self, uint32_t result)
{
    if (descriptor_of(instance, self) != NULL) {
        store_outcome(instance, result, settle(instance, self, true));
    }
}

void wasi_filesystem_types_descriptor_sync_data(guest_instance *instance, uint32_t self,
                                                uint32_t result)
{
    wasi_filesystem_types_descriptor_sync(instance, self, result);
}

/* --- what a file is --- */

/* result<descriptor-flags, error-code> */
void wasi_filesystem_types_descriptor_get_flags(guest_instance *instance, uint32_t self,
                                                uint32_t result)
{
    const vfs_file *file = descriptor_of(instance, self);
    if (file == NULL) {
        return;
    }
    uint32_t flags = vfs_open_flags(file);
    uint8_t answer = (flags & VFS_OPEN_READ) != 0 ? DESCRIPTOR_READ : 0;
    answer |= (flags & VFS_OPEN_WRITE) != 0 ? DESCRIPTOR_WRITE : 0;
    /* Whether something can be changed is up to the place, not to the descriptor. */
    answer |= vfs_file_type(file) == VFS_TYPE_DIRECTORY ? DESCRIPTOR_MUTATE_DIRECTORY : 0;
    guest_store_u8(instance, guest_at(result), RESULT_OK);
    guest_store_u8(instance, guest_offset(guest_at(result), PAYLOAD_U8), answer);
}

/* option<datetime> */
static void store_some_time(guest_instance *instance, guest_ptr option, vfs_time time)
{
    guest_store_u8(instance, option, OPTION_SOME);
    guest_store_u64(instance, guest_offset(option, 8), time.seconds);
    guest_store_u32(instance, guest_offset(option, 16), time.nanoseconds);
}

/* result<descriptor-stat, error-code> */
static void store_status(guest_instance *instance, uint32_t result, vfs_error error,
                         const vfs_status *status)
{
    if (error != VFS_OK) {
        store_error(instance, guest_at(result), PAYLOAD_U64, error);
        return;
    }
    guest_ptr record = guest_offset(guest_at(result), PAYLOAD_U64);
    guest_store_u8(instance, guest_at(result), RESULT_OK);
    guest_store_u8(instance, record, (uint8_t)status->type);
    guest_store_u64(instance, guest_offset(record, 8),
                    status->links | (uint64_t)status->mode << FILE_MODE_SHIFT);
    guest_store_u64(instance, guest_offset(record, 16), status->size);
    store_some_time(instance, guest_offset(record, 24), status->accessed);
    store_some_time(instance, guest_offset(record, 48), status->modified);
    store_some_time(instance, guest_offset(record, 72), status->changed);
}

/* Stores a status, or what comes of one. */
typedef void store_of_status(guest_instance *instance, uint32_t result, vfs_error error,
                             const vfs_status *status);

static void stat_open(guest_instance *instance, uint32_t self, uint32_t result,
                      store_of_status *store)
{
    vfs_file *file = descriptor_of(instance, self);
    if (file != NULL) {
        vfs_status status;
        vfs_error error = vfs_stat(file, &status);
        store(instance, result, error, &status);
    }
}

static void stat_path(guest_instance *instance, uint32_t self, uint32_t path_flags, uint32_t path,
                      uint32_t path_length, uint32_t result, store_of_status *store)
{
    vfs_file *directory;
    const char *text;
    if (path_arguments(instance, self, path, path_length, &directory, &text)) {
        vfs_status status;
        ASK_PROVIDERS(instance, self, error,
                      vfs_stat_at(directory, text, path_length,
                                  (path_flags & PATH_SYMLINK_FOLLOW) != 0, &status));
        store(instance, result, error, &status);
    }
}

void wasi_filesystem_types_descriptor_stat(guest_instance *instance, uint32_t self, uint32_t result)
{
    stat_open(instance, self, result, store_status);
}

void wasi_filesystem_types_descriptor_stat_at(guest_instance *instance, uint32_t self,
                                              uint32_t path_flags, uint32_t path,
                                              uint32_t path_length, uint32_t result)
{
    stat_path(instance, self, path_flags, path, path_length, result, store_status);
}

/* result<metadata-hash-value, error-code>. What libc makes st_ino of is the lower half, so that
 * alone tells files apart; the upper half only spreads it. */
static void store_hash(guest_instance *instance, uint32_t result, vfs_error error,
                       const vfs_status *status)
{
    if (error != VFS_OK) {
        store_error(instance, guest_at(result), PAYLOAD_U64, error);
        return;
    }
    guest_ptr record = guest_offset(guest_at(result), PAYLOAD_U64);
    guest_store_u8(instance, guest_at(result), RESULT_OK);
    guest_store_u64(instance, record, status->identity);
    guest_store_u64(instance, guest_offset(record, 8),
                    status->identity * UINT64_C(0x9e3779b97f4a7c15));
}

void wasi_filesystem_types_descriptor_metadata_hash(guest_instance *instance, uint32_t self,
                                                    uint32_t result)
{
    stat_open(instance, self, result, store_hash);
}

void wasi_filesystem_types_descriptor_metadata_hash_at(guest_instance *instance, uint32_t self,
                                                       uint32_t path_flags, uint32_t path,
                                                       uint32_t path_length, uint32_t result)
{
    stat_path(instance, self, path_flags, path, path_length, result, store_hash);
}

/* variant new-timestamp. False, and a trap, for a case that it does not have. */
static bool new_time_argument(guest_instance *instance, uint32_t tag, uint64_t seconds,
                              uint32_t nanoseconds, vfs_new_time *out_time)
{
    switch (tag) {
    case 0:
        out_time->kind = VFS_TIME_KEEP;
        return true;
    case 1:
        out_time->kind = VFS_TIME_NOW;
        return true;
    case 2:
        *out_time = (vfs_new_time){.kind = VFS_TIME_SET,
                                   .time = {.seconds = seconds, .nanoseconds = nanoseconds}};
        return true;
    default:
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return false;
    }
}

void wasi_filesystem_types_descriptor_set_times(guest_instance *instance, uint32_t self,
                                                uint32_t accessed_tag, uint64_t accessed_seconds,
                                                uint32_t accessed_nanoseconds,
                                                uint32_t modified_tag, uint64_t modified_seconds,
                                                uint32_t modified_nanoseconds, uint32_t result)
{
    vfs_file *file = descriptor_of(instance, self);
    vfs_new_time accessed;
    vfs_new_time modified;
    if (file == NULL ||
        !new_time_argument(instance, accessed_tag, accessed_seconds, accessed_nanoseconds,
                           &accessed) ||
        !new_time_argument(instance, modified_tag, modified_seconds, modified_nanoseconds,
                           &modified)) {
        return;
    }
    store_outcome(instance, result, vfs_set_times(file, &accessed, &modified));
}

void wasi_filesystem_types_descriptor_set_times_at(guest_instance *instance, uint32_t self,
                                                   uint32_t path_flags, uint32_t path,
                                                   uint32_t path_length, uint32_t accessed_tag,
                                                   uint64_t accessed_seconds,
                                                   uint32_t accessed_nanoseconds,
                                                   uint32_t modified_tag, uint64_t modified_seconds,
                                                   uint32_t modified_nanoseconds, uint32_t result)
{
    vfs_file *directory;
    const char *text;
    vfs_new_time accessed;
    vfs_new_time modified;
    if (!path_arguments(instance, self, path, path_length, &directory, &text) ||
        !new_time_argument(instance, accessed_tag, accessed_seconds, accessed_nanoseconds,
                           &accessed) ||
        !new_time_argument(instance, modified_tag, modified_seconds, modified_nanoseconds,
                           &modified)) {
        return;
    }
    ASK_PROVIDERS(instance, self, error,
                  vfs_set_times_at(directory, text, path_length,
                                   (path_flags & PATH_SYMLINK_FOLLOW) != 0, &accessed, &modified));
    store_outcome(instance, result, error);
}

/* --- directories --- */

/* The handle's object is the open directory, its value the cursor of vfs_list(). */
void wasi_filesystem_types_descriptor_read_directory(guest_instance *instance, uint32_t self,
                                                     uint32_t result)
{
    vfs_file *file = descriptor_of(instance, self);
    if (file == NULL) {
        return;
    }
    if (vfs_file_type(file) != VFS_TYPE_DIRECTORY) {
        store_error(instance, guest_at(result), PAYLOAD_U32, VFS_NOT_DIRECTORY);
        return;
    }
    store_new_handle(instance, result, HANDLE_DIRECTORY_STREAM, vfs_retain(file), 0);
}

/* result<option<directory-entry>, error-code> */
void wasi_filesystem_types_directory_entry_stream_read_directory_entry(guest_instance *instance,
                                                                       uint32_t self,
                                                                       uint32_t result)
{
    handle *stream = handles_get(handles_of(instance), self, HANDLE_DIRECTORY_STREAM);
    if (stream == NULL) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    vfs_directory_entry entry;
    bool found;
    vfs_error error;
    file_operation operation = file_operation_begin(instance);
    do {
        stream = handles_get(handles_of(instance), self, HANDLE_DIRECTORY_STREAM);
        error = stream != NULL ? vfs_list(stream->object, &stream->value, &entry, &found)
                               : VFS_BAD_DESCRIPTOR;
    } while (file_operation_asks(&operation, &error));
    guest_ptr answer = guest_at(result);
    if (error != VFS_OK) {
        store_error(instance, answer, PAYLOAD_U32, error);
        return;
    }
    guest_ptr option = guest_offset(answer, PAYLOAD_U32);
    if (!found) {
        guest_store_u8(instance, answer, RESULT_OK);
        guest_store_u8(instance, option, OPTION_NONE);
        return;
    }
    guest_ptr name = guest_allocate(instance, (uint32_t)entry.name_length);
    if (!guest_write(instance, name, entry.name, entry.name_length)) {
        return;
    }
    guest_store_u8(instance, answer, RESULT_OK);
    guest_store_u8(instance, option, OPTION_SOME);
    guest_store_u8(instance, guest_offset(option, 4), (uint8_t)entry.type);
    guest_store_u32(instance, guest_offset(option, 8), name.offset);
    guest_store_u32(instance, guest_offset(option, 12), (uint32_t)entry.name_length);
}

/* What is done with a path alone. */
typedef vfs_error change_of_path(vfs_file *directory, const char *path, size_t length);

static void change_path(guest_instance *instance, uint32_t self, uint32_t path,
                        uint32_t path_length, uint32_t result, change_of_path *change)
{
    vfs_file *directory;
    const char *text;
    if (path_arguments(instance, self, path, path_length, &directory, &text)) {
        ASK_PROVIDERS(instance, self, error, change(directory, text, path_length));
        store_outcome(instance, result, error);
    }
}

void wasi_filesystem_types_descriptor_create_directory_at(guest_instance *instance, uint32_t self,
                                                          uint32_t path, uint32_t path_length,
                                                          uint32_t result)
{
    change_path(instance, self, path, path_length, result, vfs_make_directory);
}

void wasi_filesystem_types_descriptor_remove_directory_at(guest_instance *instance, uint32_t self,
                                                          uint32_t path, uint32_t path_length,
                                                          uint32_t result)
{
    change_path(instance, self, path, path_length, result, vfs_remove_directory);
}

void wasi_filesystem_types_descriptor_unlink_file_at(guest_instance *instance, uint32_t self,
                                                     uint32_t path, uint32_t path_length,
                                                     uint32_t result)
{
    change_path(instance, self, path, path_length, result, vfs_unlink);
}

void wasi_filesystem_types_descriptor_rename_at(guest_instance *instance, uint32_t self,
                                                uint32_t old_path, uint32_t old_length,
                                                uint32_t new_descriptor, uint32_t new_path,
                                                uint32_t new_length, uint32_t result)
{
    vfs_file *old_directory;
    vfs_file *new_directory;
    const char *old_text;
    const char *new_text;
    if (path_arguments(instance, self, old_path, old_length, &old_directory, &old_text) &&
        path_arguments(instance, new_descriptor, new_path, new_length, &new_directory, &new_text)) {
        ASK_PROVIDERS_OF_BOTH(
            instance, self, new_descriptor, error,
            vfs_rename(old_directory, old_text, old_length, new_directory, new_text, new_length));
        store_outcome(instance, result, error);
    }
}

/* --- links --- */

void wasi_filesystem_types_descriptor_link_at(guest_instance *instance, uint32_t self,
                                              uint32_t path_flags, uint32_t old_path,
                                              uint32_t old_length, uint32_t new_descriptor,
                                              uint32_t new_path, uint32_t new_length,
                                              uint32_t result)
{
    vfs_file *old_directory;
    vfs_file *new_directory;
    const char *old_text;
    const char *new_text;
    if (path_arguments(instance, self, old_path, old_length, &old_directory, &old_text) &&
        path_arguments(instance, new_descriptor, new_path, new_length, &new_directory, &new_text)) {
        ASK_PROVIDERS_OF_BOTH(instance, self, new_descriptor, error,
                              vfs_make_link(old_directory, old_text, old_length,
                                            (path_flags & PATH_SYMLINK_FOLLOW) != 0, new_directory,
                                            new_text, new_length));
        store_outcome(instance, result, error);
    }
}

void wasi_filesystem_types_descriptor_symlink_at(guest_instance *instance, uint32_t self,
                                                 uint32_t target, uint32_t target_length,
                                                 uint32_t path, uint32_t path_length,
                                                 uint32_t result)
{
    vfs_file *directory;
    const char *text;
    const char *target_text;
    if (path_arguments(instance, self, path, path_length, &directory, &text) &&
        string_argument(instance, target, target_length, &target_text)) {
        ASK_PROVIDERS(
            instance, self, error,
            vfs_make_symbolic_link(directory, target_text, target_length, text, path_length));
        store_outcome(instance, result, error);
    }
}

/* result<string, error-code> */
void wasi_filesystem_types_descriptor_readlink_at(guest_instance *instance, uint32_t self,
                                                  uint32_t path, uint32_t path_length,
                                                  uint32_t result)
{
    vfs_file *directory;
    const char *text;
    if (!path_arguments(instance, self, path, path_length, &directory, &text)) {
        return;
    }
    UNINITIALIZED char target[VFS_PATH_MAX];
    size_t length;
    ASK_PROVIDERS(instance, self, error,
                  vfs_read_link(directory, text, path_length, target, &length));
    if (error != VFS_OK) {
        store_error(instance, guest_at(result), PAYLOAD_U32, error);
        return;
    }
    guest_ptr copy = guest_allocate(instance, (uint32_t)length);
    if (!guest_write(instance, copy, target, length)) {
        return;
    }
    store_u32(instance, guest_at(result), copy.offset);
    guest_store_u32(instance, guest_offset(guest_at(result), PAYLOAD_U32 + 4), (uint32_t)length);
}
