/*
 * Storages as they were at a checkpoint of a sandbox in a worker: copies, which are put back when
 * the worker goes back to it. What was open of them is then what it was, too.
 */
#include <stdlib.h>

#include "vfs/storage.h"
#include "worker/served_files_internal.h"

/* One storage. */
typedef struct kept_storage {
    uint32_t source;     /* the first that shows it */
    eryx_storage *copy;  /* counted */
    memory_node **moved; /* by node of the worker: its copy, held; NULL for others */
    uint32_t moved_count;
} kept_storage;

struct served_kept {
    uint64_t *serials; /* by node of the worker, as it was then */
    kept_storage *storages;
    uint32_t count;
};

/* Whether a source is the first with its storage, and that can be written through some source. */
static bool is_kept(const vfs_mounts *mounts, uint32_t source)
{
    const eryx_storage *storage = mounts->sources[source].storage;
    bool is_writable = false;
    for (uint32_t i = 0; i < mounts->source_count; i++) {
        if (mounts->sources[i].storage == storage && i < source) {
            return false;
        }
        is_writable =
            is_writable || (mounts->sources[i].storage == storage && !mounts->sources[i].read_only);
    }
    return storage != NULL && is_writable;
}

/* The nodes of a storage that the worker holds, by number; NULL for others. */
static void find_held(const served_files *files, const eryx_storage *storage, memory_node **held)
{
    for (uint32_t i = 0; i < files->count; i++) {
        const vfs_node *node = &files->nodes[i].node;
        const bool is_of_it = i >= files->mounts->source_count && node->mount != NULL &&
                              node->mount->storage == &storage->tree;
        held[i] = is_of_it ? (memory_node *)node->item : NULL;
    }
}

static vfs_error keep_one(const served_files *files, uint32_t source, memory_node **held,
                          kept_storage *kept)
{
    eryx_storage *storage = files->mounts->sources[source].storage;
    const uint32_t count = files->count;
    *kept = (kept_storage){.source = source,
                           .moved = calloc(count + (size_t)1, sizeof(memory_node *)),
                           .moved_count = count};
    if (kept->moved == NULL || storage_create_like(storage, &kept->copy) != ERYX_FILE_OK) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    storage_copy copy;
    find_held(files, storage, held);
    const vfs_error error =
        storage_copy_begin(storage, kept->copy, held, kept->moved, count, &copy);
    if (error == VFS_OK) {
        storage_copy_end(&copy, true);
    }
    return error;
}

vfs_error served_files_keep(const served_files *files, served_kept **out_kept)
{
    served_kept *kept = calloc(1, sizeof *kept);
    memory_node **held = calloc(files->count + (size_t)1, sizeof(memory_node *));
    vfs_error error = kept == NULL || held == NULL ? VFS_INSUFFICIENT_MEMORY : VFS_OK;
    if (error == VFS_OK) {
        kept->storages = calloc(files->mounts->source_count + (size_t)1, sizeof *kept->storages);
        kept->serials = calloc(files->count + (size_t)1, sizeof *kept->serials);
        if (kept->storages == NULL || kept->serials == NULL) {
            error = VFS_INSUFFICIENT_MEMORY;
        }
    }
    for (uint32_t i = 0; error == VFS_OK && i < files->count; i++) {
        kept->serials[i] = files->nodes[i].serial;
    }
    for (uint32_t i = 0; error == VFS_OK && i < files->mounts->source_count; i++) {
        if (is_kept(files->mounts, i)) {
            error = keep_one(files, i, held, &kept->storages[kept->count++]);
        }
    }
    free(held);
    if (error != VFS_OK) {
        served_kept_free(kept);
        return error;
    }
    *out_kept = kept;
    return VFS_OK;
}

void served_kept_free(served_kept *kept)
{
    if (kept == NULL) {
        return;
    }
    for (uint32_t i = 0; i < kept->count; i++) {
        kept_storage *storage = &kept->storages[i];
        if (storage->moved != NULL && storage->copy != NULL) {
            storage_release_held(storage->copy, storage->moved, storage->moved_count);
        }
        free(storage->moved);
        eryx_storage_destroy(storage->copy);
    }
    free(kept->storages);
    free(kept->serials);
    free(kept);
}

/* Has the worker's numbers stand for what is in the storage now. */
static void replace_nodes(served_files *files, const served_kept *kept, uint32_t count,
                          memory_node **moved)
{
    for (uint32_t i = 0; i < count && i < files->count; i++) {
        served_node *node = &files->nodes[i];
        if (moved[i] == NULL || node->node.mount == NULL || node->serial != kept->serials[i]) {
            continue;
        }
        vfs_node put = node->node;
        put.item = (uintptr_t)moved[i];
        (void)vfs_node_retain(put);
        vfs_node_release(node->node);
        node->node = put;
    }
}

static vfs_error put_back_one(served_files *files, const served_kept *kept, uint32_t index)
{
    const kept_storage *storage = &kept->storages[index];
    eryx_storage *to = files->mounts->sources[storage->source].storage;
    memory_node **moved = calloc(storage->moved_count + (size_t)1, sizeof(memory_node *));
    storage_copy copy;
    if (moved == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    const vfs_error error =
        storage_copy_begin(storage->copy, to, storage->moved, moved, storage->moved_count, &copy);
    if (error == VFS_OK) {
        replace_nodes(files, kept, storage->moved_count, moved);
        storage_release_held(to, moved, storage->moved_count);
        storage_copy_end(&copy, true);
    }
    free(moved);
    return error;
}

vfs_error served_files_put_back(served_files *files, const served_kept *kept)
{
    vfs_error error = VFS_OK;
    for (uint32_t i = 0; error == VFS_OK && i < kept->count; i++) {
        error = put_back_one(files, kept, i);
    }
    return error;
}
