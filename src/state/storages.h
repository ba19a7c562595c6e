/*
 * The storages that go along with a copy of the files of a sandbox.
 *
 * In a copy that is kept (checkpoint, saved session) a storage of its own stands in for each
 * storage that the sandbox may write to. When the copy is put back, what the stand-in holds becomes
 * what the storage holds.
 */
#ifndef ERYX_STATE_STORAGES_H
#define ERYX_STATE_STORAGES_H

#include "machine/handles.h"
#include "vfs/storage.h"

typedef struct live_storages {
    storage_copy *copies; /* not seen in the storages before live_storages_end() */
    uint32_t count;
    memory_node **moved; /* by handle: the copy of the node that is open, held; NULL for others */
    size_t handle_count;
} live_storages;

/* Lets new, empty storages stand in for those that can be written. Errors:
 * VFS_INSUFFICIENT_MEMORY. */
vfs_error live_storages_stand_in(vfs *files);

/* Whether some storage has a stand-in. */
bool live_storages_any(const vfs *files);

/* The storage that is shown for a source of a tree; NULL if the source is not a storage. */
eryx_storage *live_storages_shown(const vfs *files, uint32_t source);

/* Whether it is the first of the sources with its storage, and that can be written somewhere. */
bool live_storages_is_writable(const vfs *files, uint32_t source);

/* The first source with the same storage that is not read-only; there must be one. */
uint32_t live_storages_place(const vfs *files, uint32_t source);

/*
 * Copies every storage that is shown in one tree and not in the other, where both have the same
 * mounts, to what the other one shows in its place.
 *
 * handles: open in from.
 * out_storages: to be ended while the tree `to` lives.
 * Errors as those of storage_copy_begin(), with nothing changed.
 */
vfs_error live_storages_begin(vfs *from, const handle_table *handles, vfs *to,
                              live_storages *out_storages);

/* Gives up the hold on nodes that were moved, when all handles have theirs. */
void live_storages_release_moved(live_storages *storages);

/* Makes the copies what the storages hold, or drops them. Allowed on one of zeros. */
void live_storages_end(live_storages *storages, bool use);

#endif
