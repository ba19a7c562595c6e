/*
 * A file storage that outlives sandboxes: one directory tree in memory, which any number of
 * sandboxes and the embedder use at the same time.
 *
 * One lock guards the tree. It is held for one step of a file operation, not for a walk: what a
 * step relies on is looked up again by the backend, under the lock.
 */
#ifndef ERYX_STORAGE_H
#define ERYX_STORAGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "eryx/eryx.h"
#include "vfs_internal.h"

struct eryx_storage {
    atomic_size_t references;
    uint64_t fork_generation; /* of the process that made it */
    pthread_mutex_t lock;
    memory_tree tree;
    memory_node root;
    /* What the embedder's calls walk in; every sandbox has a mount of its own. */
    vfs view;
};

extern const vfs_backend storage_backend; /* storage: memory_tree of an eryx_storage */

/* The storage seen at a mount point; device, above and read_only are for the caller to fill in. */
vfs_mount storage_mount(eryx_storage *storage);

/* For what needs several steps in one. False, without the lock, in a fork of the process. */
bool storage_lock(eryx_storage *storage);
void storage_unlock(eryx_storage *storage);

/* What the embedder is told about a failed operation. */
eryx_file_error storage_file_error(vfs_error error);

#endif
