/* What the other WASI files need of wasi:filesystem. */
#ifndef ERYX_WASI_FILESYSTEM_H
#define ERYX_WASI_FILESYSTEM_H

#include "machine/handles.h"

/*
 * Frees what a handle of a descriptor, a directory stream or a file stream owns. The handle itself
 * stays as it is; a handle without an object is allowed.
 */
void wasi_filesystem_drop(handle *dropped);

#endif
