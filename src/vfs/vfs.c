#include "vfs/vfs.h"

#include <stdlib.h>
#include <string.h>

#include "vfs/changes.h"
#include "vfs/internal.h"

static void mount_memory(vfs *files, vfs_place place, memory_node *root)
{
    memory_root_init(root, &files->memory);
    files->mounts[place] = (vfs_mount){
        .backend = &vfs_memory_backend,
        .storage = &files->memory,
        .root = (uintptr_t)root,
        .root_type = VFS_TYPE_DIRECTORY,
        .above = files->root.node,
        .device = DEVICE_MEMORY,
    };
}

static void mount_stdlib(vfs *files, const archive *stdlib)
{
    files->mounts[PLACE_STDLIB] = (vfs_mount){
        .backend = &vfs_archive_backend,
        .storage = (void *)(uintptr_t)stdlib, /* the backend does not write to it */
        .root = ARCHIVE_ROOT,
        .root_type = VFS_TYPE_DIRECTORY,
        .above = files->root.node,
        .device = DEVICE_STDLIB,
        .read_only = true,
    };
}

vfs_error vfs_create(const archive *stdlib, const vfs_quota *quota, vfs **out_files)
{
    vfs *files = malloc(sizeof *files);
    if (files == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    files->system = (vfs_mount){.backend = &vfs_system_backend,
                                .storage = files,
                                .root = PLACE_ROOT,
                                .root_type = VFS_TYPE_DIRECTORY,
                                .device = DEVICE_SYSTEM,
                                .read_only = true};
    files->root = (vfs_file){
        .node = {.mount = &files->system, .item = PLACE_ROOT, .type = VFS_TYPE_DIRECTORY},
        .files = files,
        .references = 1,
        .flags = VFS_OPEN_READ,
    };
    for (vfs_place place = PLACE_ROOT; place < PLACE_COUNT; place++) {
        files->mounts[place].backend = NULL;
    }
    files->added = NULL;
    files->added_mounts = NULL;
    files->overlays = NULL;
    files->providers = NULL;
    files->question = (provider_question){0};
    files->moment = (provider_moment){0};
    files->stand_ins = NULL;
    files->watch = (tree_watch){0};
    files->source_watches = NULL;
    files->locks = NULL;
    files->lock_count = 0;
    files->lock_moment = 0;
    files->mode_of_new = VFS_MODE_USUAL;
    memory_tree_init(&files->memory, quota);
    mount_memory(files, PLACE_DATA, &files->data);
    mount_memory(files, PLACE_TMP, &files->tmp);
    if (stdlib != NULL) {
        mount_stdlib(files, stdlib);
    }
    *out_files = files;
    return VFS_OK;
}

void vfs_destroy(vfs *files)
{
    if (files == NULL) {
        return;
    }
    vfs_watch_stop(files);
    vfs_locks_release(files);
    memory_root_clear(&files->data);
    memory_root_clear(&files->tmp);
    vfs_end_mounts(files);
    free(files);
}

void vfs_set_quota(vfs *files, const vfs_quota *quota)
{
    files->memory.quota = *quota;
}

void vfs_set_mode_of_new(vfs *files, uint16_t mode)
{
    files->mode_of_new = mode;
}

vfs_usage vfs_get_usage(const vfs *files)
{
    return files->memory.used;
}

vfs_file *vfs_root(vfs *files)
{
    return &files->root;
}

vfs_error vfs_file_create(vfs *files, vfs_node node, uint32_t flags, vfs_file **out_file)
{
    vfs_file *file = malloc(sizeof *file);
    if (file == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    *file =
        (vfs_file){.node = vfs_node_retain(node), .files = files, .references = 1, .flags = flags};
    *out_file = file;
    return VFS_OK;
}

vfs_file *vfs_retain(vfs_file *file)
{
    file->references++;
    return file;
}

void vfs_close(vfs_file *file)
{
    if (file == NULL || file == &file->files->root || --file->references > 0) {
        return;
    }
    vfs_node_release(file->node);
    free(file);
}

uint32_t vfs_open_flags(const vfs_file *file)
{
    return file->flags;
}

vfs_type vfs_file_type(const vfs_file *file)
{
    return file->node.type;
}

uint64_t vfs_size(const vfs_file *file)
{
    vfs_status status;
    if (file->node.type != VFS_TYPE_FILE) {
        return 0;
    }
    file->node.mount->backend->stat(file->node, &status);
    return status.size;
}

/* Whether a file may be read or written, as flag says. */
static vfs_error check_access(const vfs_file *file, uint32_t flag)
{
    if (file->node.type == VFS_TYPE_DIRECTORY) {
        return VFS_IS_DIRECTORY;
    }
    if (file->node.type != VFS_TYPE_FILE && file->node.type != VFS_TYPE_CHARACTER_DEVICE) {
        return VFS_INVALID;
    }
    return (file->flags & flag) != 0 ? VFS_OK : VFS_BAD_DESCRIPTOR;
}

vfs_error vfs_read(vfs_file *file, uint64_t offset, uint8_t *buffer, size_t size, size_t *out_got)
{
    vfs_error error = check_access(file, VFS_OPEN_READ);
    if (error != VFS_OK) {
        return error;
    }
    return file->node.mount->backend->read(file->node, offset, buffer, size, out_got);
}

vfs_error vfs_write(vfs_file *file, uint64_t offset, const uint8_t *data, size_t size,
                    size_t *out_done)
{
    vfs_error error = check_access(file, VFS_OPEN_WRITE);
    if (error != VFS_OK) {
        return error;
    }
    if (offset > VFS_FILE_SIZE_MAX) {
        return VFS_FILE_TOO_LARGE;
    }
    return file->node.mount->backend->write(file->node, offset, data, size, out_done);
}

vfs_error vfs_append(vfs_file *file, const uint8_t *data, size_t size, size_t *out_done)
{
    vfs_error error = check_access(file, VFS_OPEN_WRITE);
    if (error != VFS_OK) {
        return error;
    }
    return file->node.mount->backend->write(file->node, VFS_OFFSET_END, data, size, out_done);
}

vfs_error vfs_set_size(vfs_file *file, uint64_t size)
{
    vfs_error error = check_access(file, VFS_OPEN_WRITE);
    if (error != VFS_OK) {
        return error;
    }
    return file->node.mount->backend->set_size(file->node, size);
}

vfs_error vfs_flush(vfs_file *file, bool again)
{
    const vfs_backend *backend = file->node.mount->backend;
    return backend->flush != NULL ? backend->flush(file->node, again) : VFS_OK;
}

vfs_error vfs_stat(vfs_file *file, vfs_status *out_status)
{
    file->node.mount->backend->stat(file->node, out_status);
    return VFS_OK;
}

vfs_error vfs_list(vfs_file *directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                   bool *out_found)
{
    if (directory->node.type != VFS_TYPE_DIRECTORY) {
        return VFS_NOT_DIRECTORY;
    }
    return vfs_list_all(directory->node, cursor, out_entry, out_found);
}
