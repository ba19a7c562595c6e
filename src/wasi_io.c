/*
 * wasi:io: streams, pollables and the errors of streams.
 *
 * A host function may be left for good in guest_allocate(), run_output() and run_wait(), and guest
 * code that runs in the first may drop handles: nothing is owned across them, and handles are
 * looked up again.
 */
#include "wasi_io.h"

#include "guest_imports.h"
#include "guest_memory.h"
#include "run.h"
#include "wasi_filesystem.h"

/*
 * What check-write grants, and so the most that one write takes; also the most that one read gives.
 */
#define MAX_TRANSFER_BYTES ((uint32_t)1 << 20)

/* Entries of one poll. */
#define MAX_POLL_HANDLES 4096u

/* Tag of a result. */
enum { RESULT_OK = 0, RESULT_ERROR = 1 };

/* Tag of variant stream-error { last-operation-failed(own<error>), closed }. */
enum { STREAM_LAST_OPERATION_FAILED = 0, STREAM_CLOSED = 1 };

/* Where the payload of result<_, stream-error> and result<list<u8>, stream-error> is. */
#define PAYLOAD_U32 4u
/* The same of result<u64, stream-error>. */
#define PAYLOAD_U64 8u

static handle_table *handles_of(guest_instance *instance)
{
    return &sandbox_of(instance)->handles;
}

/* The answer to a handle that does not exist or is of the wrong kind. */
static void refuse_handle(guest_instance *instance)
{
    guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
}

void wasi_drop_handle(handle *dropped)
{
    switch (dropped->kind) {
    case HANDLE_DESCRIPTOR:
    case HANDLE_DIRECTORY_STREAM:
    case HANDLE_FILE_INPUT:
    case HANDLE_FILE_OUTPUT:
    case HANDLE_FILE_APPEND:
        wasi_filesystem_drop(dropped);
        break;
    case HANDLE_FREE:
    case HANDLE_STANDARD_INPUT:
    case HANDLE_STANDARD_OUTPUT:
    case HANDLE_NETWORK_INSTANCE:
    case HANDLE_POLLABLE_READY:
    case HANDLE_POLLABLE_TIMER:
    case HANDLE_IO_ERROR:
        break;
    }
}

static bool is_pollable(const handle *found)
{
    return found != NULL &&
           (found->kind == HANDLE_POLLABLE_READY || found->kind == HANDLE_POLLABLE_TIMER);
}

static bool is_input_stream(const handle *found)
{
    return found != NULL &&
           (found->kind == HANDLE_STANDARD_INPUT || found->kind == HANDLE_FILE_INPUT);
}

static bool is_output_stream(const handle *found)
{
    return found != NULL &&
           (found->kind == HANDLE_STANDARD_OUTPUT || found->kind == HANDLE_FILE_OUTPUT ||
            found->kind == HANDLE_FILE_APPEND);
}

/* ---- Dropping -------------------------------------------------------------------------------- */

void wasi_io_error_drop_error(guest_instance *instance, uint32_t self)
{
    if (handles_get(handles_of(instance), self, HANDLE_IO_ERROR) == NULL) {
        refuse_handle(instance);
        return;
    }
    handles_remove(handles_of(instance), self);
}

void wasi_io_poll_drop_pollable(guest_instance *instance, uint32_t self)
{
    if (!is_pollable(handles_find(handles_of(instance), self))) {
        refuse_handle(instance);
        return;
    }
    handles_remove(handles_of(instance), self);
}

void wasi_io_streams_drop_input_stream(guest_instance *instance, uint32_t self)
{
    if (!is_input_stream(handles_find(handles_of(instance), self))) {
        refuse_handle(instance);
        return;
    }
    handles_remove(handles_of(instance), self);
}

void wasi_io_streams_drop_output_stream(guest_instance *instance, uint32_t self)
{
    if (!is_output_stream(handles_find(handles_of(instance), self))) {
        refuse_handle(instance);
        return;
    }
    handles_remove(handles_of(instance), self);
}

/* ---- Pollables ------------------------------------------------------------------------------- */

/*
 * When a pollable is ready (monotonic nanoseconds, 0 for always); false if there is no such
 * pollable.
 */
static bool pollable_ready_ns(guest_instance *instance, uint32_t index, uint64_t *out_ready_ns)
{
    const handle *found = handles_find(handles_of(instance), index);
    if (!is_pollable(found)) {
        return false;
    }
    *out_ready_ns = found->kind == HANDLE_POLLABLE_TIMER ? found->value : 0;
    return true;
}

void wasi_io_poll_pollable_block(guest_instance *instance, uint32_t self)
{
    uint64_t ready_ns;
    if (!pollable_ready_ns(instance, self, &ready_ns)) {
        refuse_handle(instance);
        return;
    }
    while (ready_ns != 0 && run_clock_ns() < ready_ns) {
        if (!run_wait(sandbox_of(instance), ready_ns)) {
            return;
        }
    }
}

/*
 * Replaces the first entries of a list of handles by the indices of those that are ready. The list
 * stays as it is if none is ready; *out_wake_ns is then the time of the first that will be. False
 * if one of the handles is no pollable.
 */
static bool collect_ready(guest_instance *instance, uint32_t *list, uint32_t count,
                          uint32_t *out_ready, uint64_t *out_wake_ns)
{
    uint64_t now = 0;
    uint64_t wake_ns = UINT64_MAX;
    uint32_t ready = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t ready_ns;
        if (!pollable_ready_ns(instance, list[i], &ready_ns)) {
            return false;
        }
        if (ready_ns != 0 && now == 0) {
            now = run_clock_ns();
        }
        if (ready_ns <= now) {
            list[ready++] = i; /* ready <= i: the entry has been read */
        } else if (ready_ns < wake_ns) {
            wake_ns = ready_ns;
        }
    }
    *out_ready = ready;
    *out_wake_ns = wake_ns;
    return true;
}

/*
 * If the wait is given up because the run is being interrupted, the list that comes back is empty:
 * libc takes it for a poll in which nothing happened, and the interpreter then sees the
 * interruption.
 */
void wasi_io_poll_poll(guest_instance *instance, uint32_t list, uint32_t count, uint32_t result)
{
    uint32_t entries[MAX_POLL_HANDLES];
    uint32_t ready = 0;
    uint64_t wake_ns;
    if (count == 0 || count > MAX_POLL_HANDLES) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    if (!guest_read(instance, guest_at(list), entries, count * sizeof entries[0])) {
        return;
    }
    do {
        if (!collect_ready(instance, entries, count, &ready, &wake_ns)) {
            refuse_handle(instance);
            return;
        }
    } while (ready == 0 && run_wait(sandbox_of(instance), wake_ns));

    guest_ptr indices = guest_at(0);
    if (ready > 0) {
        uint32_t size = ready * (uint32_t)sizeof entries[0];
        indices = guest_allocate(instance, size);
        if (!guest_write(instance, indices, entries, size)) {
            return;
        }
    }
    guest_store_u32(instance, guest_at(result), indices.offset);
    guest_store_u32(instance, guest_offset(guest_at(result), 4), ready);
}

/* ---- Results of streams ---------------------------------------------------------------------- */

static void store_stream_closed(guest_instance *instance, guest_ptr result, uint32_t payload)
{
    guest_store_u8(instance, result, RESULT_ERROR);
    guest_store_u8(instance, guest_offset(result, payload), STREAM_CLOSED);
}

/*
 * last-operation-failed with an error that remembers the code; closed if there is no handle left
 * for it.
 */
static void store_stream_failure(guest_instance *instance, guest_ptr result, uint32_t payload,
                                 vfs_error code)
{
    uint32_t error;
    if (!handles_add(handles_of(instance), HANDLE_IO_ERROR, NULL, (uint64_t)code, &error)) {
        store_stream_closed(instance, result, payload);
        return;
    }
    guest_store_u8(instance, result, RESULT_ERROR);
    guest_store_u8(instance, guest_offset(result, payload), STREAM_LAST_OPERATION_FAILED);
    guest_store_u32(instance, guest_offset(result, payload + 4), error);
}

static void store_bytes(guest_instance *instance, guest_ptr result, guest_ptr bytes, uint32_t size)
{
    guest_store_u8(instance, result, RESULT_OK);
    guest_store_u32(instance, guest_offset(result, PAYLOAD_U32), bytes.offset);
    guest_store_u32(instance, guest_offset(result, PAYLOAD_U32 + 4), size);
}

/* ---- Input streams --------------------------------------------------------------------------- */

/* Bytes of stdin that a read of so many may give now. */
static uint32_t standard_input_available(const eryx_sandbox *sandbox, uint32_t wanted)
{
    size_t left = sandbox->standard_input.size - sandbox->standard_input_read;
    return left < wanted ? (uint32_t)left : wanted;
}

static void read_standard_input(guest_instance *instance, uint32_t wanted, guest_ptr result)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    uint32_t size = standard_input_available(sandbox, wanted);
    if (size == 0) {
        store_stream_closed(instance, result, PAYLOAD_U32);
        return;
    }
    guest_ptr list = guest_allocate(instance, size);
    uint8_t *bytes;
    if (!guest_slice(instance, list, size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    size = standard_input_available(sandbox, size);
    memcpy(bytes, sandbox->standard_input.data + sandbox->standard_input_read, size);
    sandbox->standard_input_read += size;
    store_bytes(instance, result, list, size);
}

/* Upper bound of the bytes that a read at the position of a file stream may give; 0 at the end. */
static vfs_error file_available(const handle *stream, uint64_t *out_available)
{
    uint8_t probe;
    size_t got = 0;
    vfs_error failed = vfs_read(stream->object, stream->value, &probe, sizeof probe, &got);
    if (failed != VFS_OK) {
        return failed;
    }
    uint64_t size = vfs_size(stream->object);
    if (got == 0) {
        *out_available = 0;
    } else if (size > stream->value) {
        *out_available = size - stream->value;
    } else {
        *out_available = MAX_TRANSFER_BYTES; /* a device, which has no size */
    }
    return VFS_OK;
}

static void read_file(guest_instance *instance, uint32_t self, uint32_t wanted, guest_ptr result)
{
    const handle *stream = handles_get(handles_of(instance), self, HANDLE_FILE_INPUT);

    /*
     * At the end nothing may be allocated, since the guest frees no answer that is closed or empty.
     */
    uint64_t available;
    vfs_error failed = file_available(stream, &available);
    if (failed != VFS_OK) {
        store_stream_failure(instance, result, PAYLOAD_U32, failed);
        return;
    }
    if (available == 0) {
        store_stream_closed(instance, result, PAYLOAD_U32);
        return;
    }
    uint32_t size = available < wanted ? (uint32_t)available : wanted;
    guest_ptr list = guest_try_allocate(instance, size);
    if (list.offset == 0) {
        store_stream_failure(instance, result, PAYLOAD_U32, VFS_INSUFFICIENT_MEMORY);
        return;
    }
    uint8_t *bytes;
    if (!guest_slice(instance, list, size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    handle *found = handles_get(handles_of(instance), self, HANDLE_FILE_INPUT);
    if (found == NULL) {
        refuse_handle(instance);
        return;
    }
    size_t got = 0;
    failed = vfs_read(found->object, found->value, bytes, size, &got);
    if (failed != VFS_OK) {
        store_stream_failure(instance, result, PAYLOAD_U32, failed);
        return;
    }
    found->value += got;
    store_bytes(instance, result, list, (uint32_t)got);
}

void wasi_io_streams_input_stream_read(guest_instance *instance, uint32_t self, uint64_t size,
                                       uint32_t result)
{
    const handle *stream = handles_find(handles_of(instance), self);
    if (!is_input_stream(stream)) {
        refuse_handle(instance);
        return;
    }
    uint32_t wanted = size < MAX_TRANSFER_BYTES ? (uint32_t)size : MAX_TRANSFER_BYTES;
    if (wanted == 0) {
        store_bytes(instance, guest_at(result), guest_at(0), 0);
    } else if (stream->kind == HANDLE_STANDARD_INPUT) {
        read_standard_input(instance, wanted, guest_at(result));
    } else {
        read_file(instance, self, wanted, guest_at(result));
    }
}

/* Every stream is always ready, so they share the pollables that are always there. */
uint32_t wasi_io_streams_input_stream_subscribe(guest_instance *instance, uint32_t self)
{
    if (!is_input_stream(handles_find(handles_of(instance), self))) {
        refuse_handle(instance);
        return 0;
    }
    return HANDLE_STDIN_READY;
}

/* ---- Output streams -------------------------------------------------------------------------- */

void wasi_io_streams_output_stream_check_write(guest_instance *instance, uint32_t self,
                                               uint32_t result)
{
    if (!is_output_stream(handles_find(handles_of(instance), self))) {
        refuse_handle(instance);
        return;
    }
    guest_store_u8(instance, guest_at(result), RESULT_OK);
    guest_store_u64(instance, guest_offset(guest_at(result), PAYLOAD_U64), MAX_TRANSFER_BYTES);
}

/*
 * Writes all of it and moves the position on, or fails with position and size of the file as they
 * were: the guest is not told how much was written, so it must be able to do it over.
 */
static vfs_error write_file(handle *stream, const uint8_t *bytes, size_t size)
{
    uint64_t earlier_size = vfs_size(stream->object);
    uint64_t position = stream->kind == HANDLE_FILE_APPEND ? earlier_size : stream->value;
    while (size > 0) {
        size_t done = 0;
        vfs_error failed = vfs_write(stream->object, position, bytes, size, &done);
        if (failed == VFS_OK && done == 0) {
            failed = VFS_IO;
        }
        if (failed != VFS_OK) {
            if (vfs_size(stream->object) > earlier_size) {
                vfs_set_size(stream->object, earlier_size);
            }
            return failed;
        }
        position += done;
        bytes += done;
        size -= done;
    }
    stream->value = position;
    return VFS_OK;
}

void wasi_io_streams_output_stream_write(guest_instance *instance, uint32_t self, uint32_t list,
                                         uint32_t size, uint32_t result)
{
    handle *stream = handles_find(handles_of(instance), self);
    uint8_t *bytes;
    if (!is_output_stream(stream) || size > MAX_TRANSFER_BYTES) {
        refuse_handle(instance);
        return;
    }
    if (!guest_slice(instance, guest_at(list), size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    if (stream->kind == HANDLE_STANDARD_OUTPUT) {
        run_output(sandbox_of(instance), (int)stream->value, bytes, size);
    } else {
        vfs_error failed = write_file(stream, bytes, size);
        if (failed != VFS_OK) {
            store_stream_failure(instance, guest_at(result), PAYLOAD_U32, failed);
            return;
        }
    }
    guest_store_u8(instance, guest_at(result), RESULT_OK);
}

void wasi_io_streams_output_stream_blocking_flush(guest_instance *instance, uint32_t self,
                                                  uint32_t result)
{
    if (!is_output_stream(handles_find(handles_of(instance), self))) {
        refuse_handle(instance);
        return;
    }
    guest_store_u8(instance, guest_at(result), RESULT_OK);
}

uint32_t wasi_io_streams_output_stream_subscribe(guest_instance *instance, uint32_t self)
{
    if (!is_output_stream(handles_find(handles_of(instance), self))) {
        refuse_handle(instance);
        return 0;
    }
    return HANDLE_STDOUT_READY;
}
