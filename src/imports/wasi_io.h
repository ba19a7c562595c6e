/*
 * What the other WASI files need of wasi:io.
 */
#ifndef ERYX_WASI_IO_H
#define ERYX_WASI_IO_H

#include "machine/guest_instance.h"
#include "machine/handles.h"
#include "net/connection.h"

/*
 * Frees what a handle of any kind owns; the handle_drop of every sandbox's handle table. The handle
 * itself stays as it is. Threads: the one that uses the sandbox.
 */
void wasi_drop_handle(handle *dropped);

/* A new pollable of a connection (NULL for one whose run has ended: always ready). Asks for a trap
 * if there is no handle left for it, which the guest has no way to be told. */
uint32_t wasi_subscribe_connection(guest_instance *instance, net_connection *connection,
                                   net_poll_kind kind);

#endif
