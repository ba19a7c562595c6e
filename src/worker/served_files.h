/*
 * The files that a sandbox in a worker has from its parent, on the parent's side: volumes and
 * storages, and the nodes of these that the worker has been told of. Each step is checked as if a
 * guest had made it, for a guest may have.
 */
#ifndef ERYX_WORKER_SERVED_FILES_H
#define ERYX_WORKER_SERVED_FILES_H

#include "vfs/internal.h"
#include "worker/service.h"

typedef struct served_files served_files;

/* mounts: of which volumes and storages are served; gets one more owner. NULL without memory. */
served_files *served_files_create(vfs_mounts *mounts);

/* Closes all that is open. NULL is allowed. */
void served_files_destroy(served_files *files);

/* Describes the mounts to the worker (protocol.h). */
void served_files_describe(const served_files *files, message_writer *writer);

/* The storages that can be written as they are now, for a checkpoint. */
typedef struct served_kept served_kept;

/* out_kept: freed with served_kept_free(). Errors: those of storage_copy_begin(). */
vfs_error served_files_keep(const served_files *files, served_kept **out_kept);

/* Puts them back, also with what the worker has open of them. Errors as above; some may be back. */
vfs_error served_files_put_back(served_files *files, const served_kept *kept);

/* NULL is allowed. */
void served_kept_free(served_kept *kept);

/* Takes a question and writes the parts of its answer; NULL for what has none. False if the
 * worker says what it should not. */
bool served_files_take(served_files *files, const message *from, message_writer *writer);

#endif
