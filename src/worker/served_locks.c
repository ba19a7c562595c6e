/*
 * Locks of databases that a worker has made and cannot give up any more (vfs/locks.c): a worker
 * that is there does it itself, the parent does it for one that is gone.
 */
#include <stdlib.h>
#include <string.h>

#include "worker/served_files_internal.h"

enum { MOST_LOCKS = 64 };

static uint64_t identity_of(vfs_node node)
{
    vfs_status status;
    node.mount->backend->stat(node, &status);
    return status.identity;
}

static void drop(served_files *files, uint32_t index)
{
    vfs_node_release(files->locks[index].directory);
    files->locks[index] = files->locks[--files->lock_count];
}

void served_locks_note(served_files *files, vfs_node directory, eryx_bytes name, vfs_node made)
{
    if (!vfs_is_lock_name((const char *)name.data, name.size)) {
        return;
    }
    if (files->locks == NULL) {
        files->locks = calloc(MOST_LOCKS, sizeof *files->locks);
    }
    if (files->locks == NULL) {
        return; /* it may be left behind; that is all */
    }
    if (files->lock_count == MOST_LOCKS) {
        drop(files, 0);
    }
    served_lock *lock = &files->locks[files->lock_count++];
    *lock = (served_lock){.directory = vfs_node_retain(directory),
                          .identity = identity_of(made),
                          .name_length = name.size};
    memcpy(lock->name, name.data, name.size);
}

void served_locks_forget(served_files *files, vfs_node removed)
{
    if (files->lock_count == 0 || removed.type != VFS_TYPE_DIRECTORY) {
        return;
    }
    const uint64_t identity = identity_of(removed);
    for (uint32_t i = 0; i < files->lock_count; i++) {
        if (files->locks[i].identity == identity) {
            drop(files, i);
            return;
        }
    }
}

void served_locks_release(served_files *files)
{
    while (files->lock_count > 0) {
        const served_lock *lock = &files->locks[0];
        vfs_node found;
        if (lock->directory.mount->backend->find(lock->directory, lock->name, lock->name_length,
                                                 &found) == VFS_OK) {
            vfs_lock_remove(lock->directory, lock->name, lock->name_length, found, lock->identity);
            vfs_node_release(found);
        }
        drop(files, 0);
    }
    free(files->locks);
    files->locks = NULL;
}
