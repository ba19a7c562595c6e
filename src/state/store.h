/* The files of a sandbox, and what is open of them, as bytes. */
#ifndef ERYX_STATE_STORE_H
#define ERYX_STATE_STORE_H

#include "state/files.h"

typedef struct live_bytes {
    uint8_t *data; /* allocated with malloc() */
    size_t size;
} live_bytes;

/*
 * include_storages: also those that the sandbox may write to.
 * Errors: OUT_OF_MEMORY, INVALID_ARGUMENT (a file is open of something that is not written).
 */
eryx_status live_store_write(vfs *files, const handle_table *handles, bool include_storages,
                             live_bytes *out_bytes, eryx_error *out_error);

/*
 * Makes the files anew. The bytes may say anything: whatever they are, what comes out is sound.
 *
 * mounts: what else the tree has; NULL for nothing.
 * include_storages: whether there may be some; each that is there gets a stand-in in the tree.
 * out_files, handles: the caller's. handles must be as after handles_init().
 * Errors: INITIALIZATION (malformed, more than the quotas or the handle limit allow, or storages
 * that are not among the mounts), OUT_OF_MEMORY.
 */
eryx_status live_store_read(const live_bytes *bytes, const archive *stdlib, vfs_mounts *mounts,
                            const vfs_quota *quota, bool include_storages, vfs **out_files,
                            handle_table *handles, eryx_error *out_error);

#endif
