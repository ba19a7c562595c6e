/* The backend of memory with a lock around each step. */
#include <stddef.h>

#include "base/forks.h"
#include "vfs/storage.h"

static eryx_storage *storage_of(vfs_node node)
{
    return (eryx_storage *)((char *)node.mount->storage - offsetof(eryx_storage, tree));
}

bool storage_lock(eryx_storage *storage)
{
    /* A thread that is not in this process may hold the lock for ever. */
    return storage->fork_generation == forks_generation() &&
           pthread_mutex_lock(&storage->lock) == 0;
}

void storage_unlock(eryx_storage *storage)
{
    pthread_mutex_unlock(&storage->lock);
}

/* Calls a function of the memory backend under the lock. */
#define LOCKED(node, error, call)                                                                  \
    eryx_storage *storage = storage_of(node);                                                      \
    vfs_error error = VFS_IO;                                                                      \
    if (storage_lock(storage)) {                                                                   \
        error = vfs_memory_backend.call;                                                           \
        storage_unlock(storage);                                                                   \
    }                                                                                              \
    return error

static void retain(vfs_node node)
{
    eryx_storage *storage = storage_of(node);
    if (storage_lock(storage)) {
        vfs_memory_backend.retain(node);
        storage_unlock(storage);
    }
}

static void release(vfs_node node)
{
    eryx_storage *storage = storage_of(node);
    if (storage_lock(storage)) {
        vfs_memory_backend.release(node);
        storage_unlock(storage);
    }
}

static vfs_error find(vfs_node directory, const char *name, size_t length, vfs_node *out_node)
{
    LOCKED(directory, error, find(directory, name, length, out_node));
}

static vfs_error parent(vfs_node directory, vfs_node *out_node)
{
    if (directory.item == directory.mount->root) {
        *out_node = vfs_node_retain(directory.mount->above); /* may lie in another storage */
        return VFS_OK;
    }
    LOCKED(directory, error, parent(directory, out_node));
}

static void stat_node(vfs_node node, vfs_status *out_status)
{
    eryx_storage *storage = storage_of(node);
    *out_status = (vfs_status){.type = node.type, .mode = vfs_usual_mode(node.type)};
    if (storage_lock(storage)) {
        vfs_memory_backend.stat(node, out_status);
        storage_unlock(storage);
    }
}

static vfs_error list(vfs_node directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                      bool *out_found)
{
    LOCKED(directory, error, list(directory, cursor, out_entry, out_found));
}

static vfs_error read_node(vfs_node node, uint64_t offset, uint8_t *buffer, size_t size,
                           size_t *out_got)
{
    LOCKED(node, error, read(node, offset, buffer, size, out_got));
}

/* Targets do not change. */
static const char *link_target(vfs_node node, size_t *out_length)
{
    return vfs_memory_backend.link_target(node, out_length);
}

static vfs_error write_node(vfs_node node, uint64_t offset, const uint8_t *data, size_t size,
                            size_t *out_done)
{
    LOCKED(node, error, write(node, offset, data, size, out_done));
}

static vfs_error set_size(vfs_node node, uint64_t size)
{
    LOCKED(node, error, set_size(node, size));
}

static vfs_error set_times(vfs_node node, const vfs_new_time *accessed,
                           const vfs_new_time *modified)
{
    LOCKED(node, error, set_times(node, accessed, modified));
}

static vfs_error set_mode(vfs_node node, uint16_t mode)
{
    LOCKED(node, error, set_mode(node, mode));
}

static vfs_error make(vfs_node directory, const char *name, size_t length, vfs_type type,
                      const char *target, size_t target_length, vfs_node *out_node)
{
    LOCKED(directory, error, make(directory, name, length, type, target, target_length, out_node));
}

static vfs_error link_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    LOCKED(directory, error, link(directory, name, length, node));
}

static vfs_error remove_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    LOCKED(directory, error, remove(directory, name, length, node));
}

static vfs_error rename_node(vfs_node old_directory, const char *old_name, size_t old_length,
                             vfs_node node, vfs_node new_directory, const char *new_name,
                             size_t new_length, const vfs_node *replaced)
{
    LOCKED(old_directory, error,
           rename(old_directory, old_name, old_length, node, new_directory, new_name, new_length,
                  replaced));
}

const vfs_backend storage_backend = {
    .retain = retain,
    .release = release,
    .find = find,
    .parent = parent,
    .stat = stat_node,
    .list = list,
    .read = read_node,
    .link_target = link_target,
    .write = write_node,
    .set_size = set_size,
    .set_times = set_times,
    .set_mode = set_mode,
    .make = make,
    .link = link_node,
    .remove = remove_node,
    .rename = rename_node,
};
