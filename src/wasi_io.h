/*
 * What the other WASI files need of wasi:io.
 */
#ifndef ERYX_WASI_IO_H
#define ERYX_WASI_IO_H

#include "handles.h"

/*
 * Frees what a handle of any kind owns; the handle_drop of every sandbox's handle table. The handle
 * itself stays as it is. Threads: the one that uses the sandbox.
 */
void wasi_drop_handle(handle *dropped);

#endif
