/* What handles of each kind own, given back. */
#ifndef ERYX_SANDBOX_HANDLE_DROP_H
#define ERYX_SANDBOX_HANDLE_DROP_H

#include "machine/handles.h"

/*
 * Frees what a handle of any kind owns; the handle_drop of every sandbox's handle table. The handle
 * itself stays as it is; one without an object is allowed. Threads: the one that uses the sandbox.
 */
void handle_drop_object(handle *dropped);

#endif
