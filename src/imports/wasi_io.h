/*
 * What the other WASI files need of wasi:io.
 */
#ifndef ERYX_IMPORTS_WASI_IO_H
#define ERYX_IMPORTS_WASI_IO_H

#include "machine/guest_instance.h"
#include "net/connection.h"

/* A new pollable of a connection (NULL for one whose run has ended: always ready). Asks for a trap
 * if there is no handle left for it, which the guest has no way to be told. */
uint32_t wasi_subscribe_connection(guest_instance *instance, net_connection *connection,
                                   net_poll_kind kind);

#endif
