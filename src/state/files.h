/* Copies of the files of a sandbox, with what is open in them. */
#ifndef ERYX_STATE_FILES_H
#define ERYX_STATE_FILES_H

#include "eryx/eryx.h"
#include "state/storages.h"

typedef enum live_storages_use {
    LIVE_STORAGES_SHARE,    /* both trees have the same ones */
    LIVE_STORAGES_COPY,     /* the copy gets stand-ins of its own */
    LIVE_STORAGES_PUT_BACK, /* the copy has the storages, which get what the stand-ins hold */
} live_storages_use;

/*
 * Copies a tree of files together with the handles that are open in it.
 *
 * out_storages: only for LIVE_STORAGES_PUT_BACK: to be ended with live_storages_end(), before the
 *               files are destroyed. Until then the storages are as they were.
 * Errors: OUT_OF_MEMORY, with nothing changed.
 */
eryx_status live_files_copy(vfs *files, const handle_table *handles, live_storages_use use,
                            vfs **out_files, handle_table *out_handles, live_storages *out_storages,
                            eryx_error *out_error);

#endif
