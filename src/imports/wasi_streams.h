/* What wasi_io.c, wasi_poll.c and wasi_tcp_streams.c share: pollables and the results of streams.
 */
#ifndef ERYX_IMPORTS_WASI_STREAMS_H
#define ERYX_IMPORTS_WASI_STREAMS_H

#include "imports/abi.h"
#include "machine/guest_memory.h"
#include "machine/handles.h"
#include "vfs/vfs.h"

/* Tag of variant stream-error { last-operation-failed(own<error>), closed }. */
enum { STREAM_LAST_OPERATION_FAILED = 0, STREAM_CLOSED = 1 };

/* Whether a handle (NULL allowed) is a pollable. */
bool wasi_is_pollable(const handle *found);

/* error(closed), the payload so many bytes behind the start of the result. */
void wasi_store_stream_closed(guest_instance *instance, guest_ptr result, uint32_t payload);

/* last-operation-failed with an error that remembers the code; closed if there is no handle left
 * for it. */
void wasi_store_stream_failure(guest_instance *instance, guest_ptr result, uint32_t payload,
                               vfs_error code);

/* ok(bytes): a list that guest_allocate() gave. */
void wasi_store_bytes(guest_instance *instance, guest_ptr result, guest_ptr bytes, uint32_t size);

#endif
