/* The streams of TCP connections, for wasi_io.c, which has found the handle to be one. */
#ifndef ERYX_IMPORTS_WASI_TCP_STREAMS_H
#define ERYX_IMPORTS_WASI_TCP_STREAMS_H

#include "machine/guest_memory.h"
#include "net/connection.h"

/* input-stream.read of at most so many bytes (0: asks whether it is open). May not come back. */
void wasi_tcp_read(guest_instance *instance, uint32_t self, uint32_t wanted, guest_ptr result);

/* The functions of output-stream. connection: NULL for one whose run has ended. */
void wasi_tcp_check_write(guest_instance *instance, net_connection *connection, guest_ptr result);
void wasi_tcp_write(guest_instance *instance, net_connection *connection, const uint8_t *bytes,
                    uint32_t size, guest_ptr result);

#endif
