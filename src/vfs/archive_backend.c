/*
 * Backend of a mounted archive: items are its entries, and nothing can be changed.
 */
#include <string.h>

#include "vfs/internal.h"

static const archive *archive_of(vfs_node node)
{
    return node.mount->storage;
}

static vfs_node node_at(vfs_mount *mount, uint32_t entry)
{
    return (vfs_node){
        .mount = mount,
        .item = entry,
        .type = archive_is_directory(mount->storage, entry) ? VFS_TYPE_DIRECTORY : VFS_TYPE_FILE,
    };
}

static vfs_error find_entry(vfs_node directory, const char *name, size_t length, vfs_node *out_node)
{
    uint32_t entry;
    if (!archive_find(archive_of(directory), (uint32_t)directory.item, name, length, &entry)) {
        return VFS_NO_ENTRY;
    }
    *out_node = node_at(directory.mount, entry);
    return VFS_OK;
}

static vfs_error parent_entry(vfs_node directory, vfs_node *out_node)
{
    if (directory.item == directory.mount->root) {
        *out_node = vfs_node_retain(directory.mount->above);
    } else {
        *out_node = node_at(directory.mount,
                            archive_parent(archive_of(directory), (uint32_t)directory.item));
    }
    return VFS_OK;
}

static void stat_entry(vfs_node node, vfs_status *out_status)
{
    vfs_time time = {.seconds = archive_time(archive_of(node))};
    uint64_t size;
    archive_data(archive_of(node), (uint32_t)node.item, &size);
    *out_status = (vfs_status){
        .type = node.type,
        .mode = vfs_usual_mode(node.type),
        .links = 1,
        .size = size,
        .identity = vfs_identity(node.mount, node.item),
        .accessed = time,
        .modified = time,
        .changed = time,
    };
}

/* The cursor is the number of children that were given. */
static vfs_error list_entry(vfs_node directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                            bool *out_found)
{
    uint32_t first;
    uint32_t count;
    archive_children(archive_of(directory), (uint32_t)directory.item, &first, &count);
    *out_found = *cursor < count;
    if (*out_found) {
        uint32_t entry = first + (uint32_t)*cursor;
        const char *name = archive_name(archive_of(directory), entry, &out_entry->name_length);
        memcpy(out_entry->name, name, out_entry->name_length);
        out_entry->type = node_at(directory.mount, entry).type;
        ++*cursor;
    }
    return VFS_OK;
}

static vfs_error read_entry(vfs_node node, uint64_t offset, uint8_t *buffer, size_t size,
                            size_t *out_got)
{
    uint64_t available;
    const uint8_t *data = archive_data(archive_of(node), (uint32_t)node.item, &available);
    size_t got = 0;
    if (offset < available) {
        got = available - offset < size ? (size_t)(available - offset) : size;
        memcpy(buffer, data + offset, got);
    }
    *out_got = got;
    return VFS_OK;
}

const vfs_backend vfs_archive_backend = {
    .find = find_entry,
    .parent = parent_entry,
    .stat = stat_entry,
    .list = list_entry,
    .read = read_entry,
};
