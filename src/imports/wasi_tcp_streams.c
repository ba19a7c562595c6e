#include "imports/wasi_tcp_streams.h"

#include <errno.h>
#include <stdlib.h>

#include "imports/wasi_streams.h"
#include "machine/guest_cost.h"
#include "net/net.h"
#include "net/tls_sessions.h"
#include "sandbox/run.h"

/* Read at a time through a filter. */
#define FILTERED_BYTES ((size_t)64 << 10)

/* closed, or last-operation-failed: what is the matter is asked for with NETWORK_LAST_ERROR. */
static void store_end(guest_instance *instance, guest_ptr result, uint32_t payload, net_io state)
{
    if (state == NET_IO_CLOSED) {
        wasi_store_stream_closed(instance, result, payload);
    } else {
        wasi_store_stream_failure(instance, result, payload, VFS_IO);
    }
}

/* No bytes now. While the run is being stopped this is a failure: libc would wait and ask again
 * without an end. */
static void store_nothing(guest_instance *instance, guest_ptr result)
{
    if (sandbox_of(instance)->timing.stop != 0) {
        wasi_store_stream_failure(instance, result, PAYLOAD_U32, VFS_IO);
    } else {
        wasi_store_bytes(instance, result, guest_at(0), 0);
    }
}

/* Fills connection->input through the filter if there is nothing in it. */
static net_io fill_input(net_connection *connection)
{
    if (connection->input_size > 0) {
        return NET_IO_OK;
    }
    if (connection->input == NULL && (connection->input = malloc(FILTERED_BYTES)) == NULL) {
        return NET_IO_FAILED;
    }
    connection->input_begin = 0;
    return net_connection_read(connection, connection->input, FILTERED_BYTES,
                               &connection->input_size);
}

/* How many bytes a read gives now. */
static net_io available(net_connection *connection, size_t *out_size)
{
    if (connection->filter == NULL && !connection->attached && connection->far_number == 0) {
        return net_connection_available(connection, out_size);
    }
    net_io state = fill_input(connection);
    if (state == NET_IO_OK) {
        *out_size = connection->input_size;
    }
    return state;
}

static net_io take(net_connection *connection, uint8_t *bytes, size_t size, size_t *out_size)
{
    if (connection->filter == NULL && connection->far_number == 0) {
        return net_connection_read(connection, bytes, size, out_size);
    }
    size = size < connection->input_size ? size : connection->input_size;
    memcpy(bytes, connection->input + connection->input_begin, size);
    connection->input_begin += size;
    connection->input_size -= size;
    *out_size = size;
    return NET_IO_OK;
}

void wasi_tcp_read(guest_instance *instance, uint32_t self, uint32_t wanted, guest_ptr result)
{
    handle_table *handles = &sandbox_of(instance)->handles;
    net_connection *connection = handles_get(handles, self, HANDLE_TCP_INPUT)->object;
    size_t there = 0;
    guest_charge(instance, COST_SYSTEM_CALL);
    net_io state = NET_IO_FAILED;
    if (connection != NULL) {
        state = available(connection, &there);
    } else {
        net_set_errno(sandbox_of(instance)->net, ECONNABORTED);
    }
    if (state == NET_IO_AGAIN) {
        store_nothing(instance, result);
        return;
    }
    if (state != NET_IO_OK) {
        store_end(instance, result, PAYLOAD_U32, state);
        return;
    }
    if (wanted == 0) {
        wasi_store_bytes(instance, result, guest_at(0), 0);
        return;
    }
    uint32_t size = there < wanted ? (uint32_t)there : wanted;
    guest_ptr list = guest_try_allocate(instance, size);
    uint8_t *bytes;
    if (list.offset == 0) {
        wasi_store_stream_failure(instance, result, PAYLOAD_U32, VFS_INSUFFICIENT_MEMORY);
        return;
    }
    if (!guest_slice(instance, list, size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    const handle *found = handles_get(handles, self, HANDLE_TCP_INPUT);
    if (found == NULL || found->object == NULL) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    size_t got = 0;
    state = take(found->object, bytes, size, &got);
    if (state == NET_IO_OK || state == NET_IO_AGAIN) {
        wasi_store_bytes(instance, result, list, (uint32_t)got);
    } else {
        store_end(instance, result, PAYLOAD_U32, state);
    }
}

void wasi_tcp_check_write(guest_instance *instance, net_connection *connection, guest_ptr result)
{
    /* A failure is told by the write, which finds out more about it. */
    size_t room = connection != NULL ? net_connection_writable(connection) : 1;
    if (room == 0 && sandbox_of(instance)->timing.stop != 0) {
        wasi_store_stream_failure(instance, result, PAYLOAD_U64, VFS_IO);
        return;
    }
    guest_store_u8(instance, result, RESULT_OK);
    guest_store_u64(instance, guest_offset(result, PAYLOAD_U64), room);
}

void wasi_tcp_write(guest_instance *instance, net_connection *connection, const uint8_t *bytes,
                    uint32_t size, guest_ptr result)
{
    net_io state = NET_IO_FAILED;
    if (connection != NULL) {
        bool is_shut = connection->shut_write || connection->shut_write_pending;
        tls_sessions_look_at(sandbox_of(instance)->tls, connection, bytes, size);
        state = is_shut ? NET_IO_CLOSED : net_connection_write(connection, bytes, size);
    } else {
        net_set_errno(sandbox_of(instance)->net, ECONNABORTED);
    }
    if (state == NET_IO_OK || (state != NET_IO_AGAIN && size == 0)) {
        guest_store_u8(instance, result, RESULT_OK);
    } else if (state == NET_IO_AGAIN) {
        /* More than check-write has granted. */
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
    } else {
        store_end(instance, result, PAYLOAD_U32, state);
    }
}
