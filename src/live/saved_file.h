/* Saved sandboxes in files that are open already: eryx_sandbox_save() and eryx_sandbox_load() where
 * nothing can be opened. */
#ifndef ERYX_LIVE_SAVED_FILE_H
#define ERYX_LIVE_SAVED_FILE_H

#include "sandbox/sandbox.h"

/* Writes the present state, without storages, at the position of a descriptor. Errors as those of
 * eryx_sandbox_save(); the file may hold a part of it then. */
eryx_status saved_file_write(eryx_sandbox *sandbox, int descriptor, eryx_error *out_error);

/* Goes on from the state in a file, read from the position of a descriptor. name: what messages
 * call it. Errors as those of eryx_sandbox_load(). */
eryx_status saved_file_read(eryx_sandbox *sandbox, int descriptor, const char *name,
                            eryx_error *out_error);

#endif
