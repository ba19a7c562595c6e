/*
 * A file storage that outlives sandboxes: one directory tree in memory, which any number of
 * sandboxes and the embedder use at the same time.
 *
 * One lock guards the tree. It is held for one step of a file operation, not for a walk: what a
 * step relies on is looked up again by the backend, under the lock.
 */
#ifndef ERYX_VFS_STORAGE_H
#define ERYX_VFS_STORAGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "eryx/eryx.h"
#include "vfs/internal.h"

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

/* Makes an empty storage with the quota of another. */
eryx_file_error storage_create_like(eryx_storage *storage, eryx_storage **out_storage);

/* For what needs several steps in one. False, without the lock, in a fork of the process. */
bool storage_lock(eryx_storage *storage);
void storage_unlock(eryx_storage *storage);

/* Gives back what files have lost and what is freed step by step, not holding the lock for long. */
void storage_free_discards(eryx_storage *storage);

/* What a storage is about to hold, beside what it holds; not counted in its usage yet. It must not
 * be moved in memory, for what is in the root knows where that is. */
typedef struct storage_copy {
    eryx_storage *to; /* borrowed */
    memory_node root;
    vfs_quota quota;
    vfs_usage used;
    uint64_t metadata;
} storage_copy;

/*
 * Copies all that a storage holds to beside what another one holds, which may be in use. It is
 * not seen there before storage_copy_end(). Contents are shared. The quota is not looked at.
 *
 * held, out_held: count nodes of from that the caller holds, NULL for none, and their copies, each
 *                 held once; to be given back with storage_release_held().
 * out_copy: ended with storage_copy_end(), whose caller keeps to alive.
 * Errors: VFS_INSUFFICIENT_MEMORY, VFS_INSUFFICIENT_SPACE (link targets and tables above what any
 * storage may have), VFS_IO (made before a fork of the process); nothing is changed then.
 */
vfs_error storage_copy_begin(eryx_storage *from, eryx_storage *to, memory_node *const *held,
                             memory_node **out_held, size_t count, storage_copy *out_copy);

/* Makes the copy what the storage holds, or drops it. What was there before goes; files of it that
 * somebody has open live on without a name. Does nothing if it has ended. */
void storage_copy_end(storage_copy *copy, bool use);

/* Gives up one hold on each node that is of the storage, and forgets it; others stay. */
void storage_release_held(eryx_storage *storage, memory_node **held, size_t count);

/* What the embedder is told about a failed operation. */
eryx_file_error storage_file_error(vfs_error error);

#endif
