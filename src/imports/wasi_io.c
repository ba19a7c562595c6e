/*
 * wasi:io: streams and their errors.
 *
 * A host function may be left for good in guest_allocate(), run_output() and run_wait(), and guest
 * code that runs in the first may drop handles: nothing is owned across them, and handles are
 * looked up again.
 */
#include "imports/wasi_io.h"

#include "guest_imports.h"
#include "imports/abi.h"
#include "imports/wasi_streams.h"
#include "imports/wasi_tcp_streams.h"
#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "net/lookup.h"
#include "sandbox/run.h"
#include "secrets/secrets.h"

/*
 * What check-write grants, and so the most that one write takes; also the most that one read gives.
 */
#define MAX_TRANSFER_BYTES ((uint32_t)1 << 20)

static bool is_input_stream(const handle *found)
{
    return found != NULL && (found->kind == HANDLE_STANDARD_INPUT ||
                             found->kind == HANDLE_FILE_INPUT || found->kind == HANDLE_TCP_INPUT);
}

static bool is_output_stream(const handle *found)
{
    return found != NULL &&
           (found->kind == HANDLE_STANDARD_OUTPUT || found->kind == HANDLE_FILE_OUTPUT ||
            found->kind == HANDLE_FILE_APPEND || found->kind == HANDLE_TCP_OUTPUT);
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

/* ---- Results of streams ---------------------------------------------------------------------- */

void wasi_store_stream_closed(guest_instance *instance, guest_ptr result, uint32_t payload)
{
    guest_store_u8(instance, result, RESULT_ERROR);
    guest_store_u8(instance, guest_offset(result, payload), STREAM_CLOSED);
}

/*
 * last-operation-failed with an error that remembers the code; closed if there is no handle left
 * for it.
 */
void wasi_store_stream_failure(guest_instance *instance, guest_ptr result, uint32_t payload,
                               vfs_error code)
{
    uint32_t error;
    if (!handles_add(handles_of(instance), HANDLE_IO_ERROR, NULL, (uint64_t)code, &error)) {
        wasi_store_stream_closed(instance, result, payload);
        return;
    }
    guest_store_u8(instance, result, RESULT_ERROR);
    guest_store_u8(instance, guest_offset(result, payload), STREAM_LAST_OPERATION_FAILED);
    guest_store_u32(instance, guest_offset(result, payload + 4), error);
}

void wasi_store_bytes(guest_instance *instance, guest_ptr result, guest_ptr bytes, uint32_t size)
{
    guest_store_u8(instance, result, RESULT_OK);
    guest_store_u32(instance, guest_offset(result, PAYLOAD_U32), bytes.offset);
    guest_store_u32(instance, guest_offset(result, PAYLOAD_U32 + 4), size);
}

/* ---- Input streams --------------------------------------------------------------------------- */

static void read_standard_input(guest_instance *instance, uint32_t wanted, guest_ptr result)
{
    standard_input *input = &sandbox_of(instance)->input;
    switch (standard_input_fill(input, wanted)) {
    case STANDARD_INPUT_READY:
        break;
    case STANDARD_INPUT_END:
        wasi_store_stream_closed(instance, result, PAYLOAD_U32);
        return;
    case STANDARD_INPUT_NOT_YET:
        if (sandbox_of(instance)->timing.stop != 0) {
            /* The wait is given up, and libc must not begin another: the interpreter has to see
             * the exception that is due. */
            wasi_store_stream_closed(instance, result, PAYLOAD_U32);
        } else {
            wasi_store_bytes(instance, result, guest_at(0), 0);
        }
        return;
    case STANDARD_INPUT_FAILED:
        wasi_store_stream_failure(instance, result, PAYLOAD_U32, VFS_IO);
        return;
    }
    size_t left = input->size - input->position;
    uint32_t size = left < wanted ? (uint32_t)left : wanted;
    guest_ptr list = guest_allocate(instance, size);
    uint8_t *bytes;
    if (!guest_slice(instance, list, size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    left = input->size - input->position; /* the guest's allocator may have read */
    size = left < size ? (uint32_t)left : size;
    guest_charge_work(instance, size, COST_BYTES_COPIED);
    memcpy(bytes, input->bytes + input->position, size);
    input->position += size;
    wasi_store_bytes(instance, result, list, size);
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
        wasi_store_stream_failure(instance, result, PAYLOAD_U32, failed);
        return;
    }
    if (available == 0) {
        wasi_store_stream_closed(instance, result, PAYLOAD_U32);
        return;
    }
    uint32_t size = available < wanted ? (uint32_t)available : wanted;
    guest_charge_work(instance, size, COST_BYTES_COPIED);
    guest_ptr list = guest_try_allocate(instance, size);
    if (list.offset == 0) {
        wasi_store_stream_failure(instance, result, PAYLOAD_U32, VFS_INSUFFICIENT_MEMORY);
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
        wasi_store_stream_failure(instance, result, PAYLOAD_U32, failed);
        return;
    }
    found->value += got;
    wasi_store_bytes(instance, result, list, (uint32_t)got);
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
    if (stream->kind == HANDLE_TCP_INPUT) {
        wasi_tcp_read(instance, self, wanted, guest_at(result));
    } else if (wanted == 0) {
        wasi_store_bytes(instance, guest_at(result), guest_at(0), 0);
    } else if (stream->kind == HANDLE_STANDARD_INPUT) {
        read_standard_input(instance, wanted, guest_at(result));
    } else {
        read_file(instance, self, wanted, guest_at(result));
    }
}

/* Other streams than those of connections share the pollables that are always there; all but that
 * of stdin are always ready. */
uint32_t wasi_io_streams_input_stream_subscribe(guest_instance *instance, uint32_t self)
{
    const handle *stream = handles_find(handles_of(instance), self);
    if (!is_input_stream(stream)) {
        refuse_handle(instance);
        return 0;
    }
    if (stream->kind == HANDLE_TCP_INPUT) {
        return wasi_subscribe_connection(instance, stream->object, NET_POLL_READ);
    }
    return HANDLE_STDIN_READY;
}

/* ---- Output streams -------------------------------------------------------------------------- */

void wasi_io_streams_output_stream_check_write(guest_instance *instance, uint32_t self,
                                               uint32_t result)
{
    const handle *stream = handles_find(handles_of(instance), self);
    if (!is_output_stream(stream)) {
        refuse_handle(instance);
        return;
    }
    if (stream->kind == HANDLE_TCP_OUTPUT) {
        wasi_tcp_check_write(instance, stream->object, guest_at(result));
        return;
    }
    guest_store_u8(instance, guest_at(result), RESULT_OK);
    guest_store_u64(instance, guest_offset(guest_at(result), PAYLOAD_U64), MAX_TRANSFER_BYTES);
}

/*
 * Writes all of it and moves the position on, or fails with position and size of the file as they
 * were: the guest is not told how much was written, so it must be able to do it over.
 */
static vfs_error write_file(eryx_sandbox *sandbox, handle *stream, const uint8_t *bytes,
                            size_t size)
{
    if (!secrets_scrub_file(sandbox->secrets, &bytes, size)) {
        return VFS_INSUFFICIENT_MEMORY;
    }
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
    guest_charge_work(instance, size, COST_BYTES_COPIED);
    if (stream->kind == HANDLE_TCP_OUTPUT) {
        wasi_tcp_write(instance, stream->object, bytes, size, guest_at(result));
        return;
    }
    if (stream->kind == HANDLE_STANDARD_OUTPUT) {
        run_output(sandbox_of(instance), (int)stream->value, bytes, size);
    } else {
        vfs_error failed = write_file(sandbox_of(instance), stream, bytes, size);
        if (failed != VFS_OK) {
            wasi_store_stream_failure(instance, guest_at(result), PAYLOAD_U32, failed);
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
    const handle *stream = handles_find(handles_of(instance), self);
    if (!is_output_stream(stream)) {
        refuse_handle(instance);
        return 0;
    }
    if (stream->kind == HANDLE_TCP_OUTPUT) {
        return wasi_subscribe_connection(instance, stream->object, NET_POLL_WRITE);
    }
    return HANDLE_STDOUT_READY;
}
