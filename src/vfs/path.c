/*
 * What is done to files by path. Each function walks, checks what POSIX wants checked, and lets the
 * backend do it.
 */
#include <string.h>

#include "base/utf8.h"
#include "vfs/internal.h"

/* Opening for the last name of a walk that found nothing. */
static vfs_error make_file(vfs_walk *walk, uint32_t flags)
{
    if ((flags & VFS_OPEN_CREATE) == 0) {
        return VFS_NO_ENTRY;
    }
    if (walk->slash) {
        return VFS_IS_DIRECTORY;
    }
    if (!vfs_node_writable(walk->directory)) {
        return VFS_READ_ONLY;
    }
    vfs_error error = walk->directory.mount->backend->make(
        walk->directory, walk->name, walk->name_length, VFS_TYPE_FILE, NULL, 0, &walk->node);
    if (error == VFS_OK) {
        walk->found = true;
    }
    return error;
}

/* Gives what was just made the mode that was asked for. */
static void set_mode_of_new(const vfs *files, const vfs_walk *walk)
{
    const vfs_backend *backend = walk->node.mount->backend;
    if (files->mode_of_new != VFS_MODE_USUAL && backend->set_mode != NULL) {
        (void)backend->set_mode(walk->node, files->mode_of_new);
    }
}

/* Whether what is there may be opened with these flags. */
static vfs_error check_open(vfs_node node, uint32_t flags)
{
    if ((flags & VFS_OPEN_CREATE) != 0 && (flags & VFS_OPEN_EXCLUSIVE) != 0) {
        return VFS_EXIST;
    }
    if (node.type == VFS_TYPE_SYMBOLIC_LINK) {
        return VFS_LOOP;
    }
    bool changes = (flags & (VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE)) != 0;
    if (node.type == VFS_TYPE_DIRECTORY) {
        return changes || (flags & VFS_OPEN_CREATE) != 0 ? VFS_IS_DIRECTORY : VFS_OK;
    }
    if ((flags & VFS_OPEN_DIRECTORY) != 0) {
        return VFS_NOT_DIRECTORY;
    }
    if (changes && node.type == VFS_TYPE_FILE && !vfs_node_writable(node)) {
        return VFS_READ_ONLY;
    }
    return VFS_OK;
}

/* One attempt of vfs_open(). */
static vfs_error open_once(vfs_file *directory, const char *path, size_t length, uint32_t flags,
                           vfs_file **out_file)
{
    bool create = (flags & VFS_OPEN_CREATE) != 0;
    if (create && (flags & VFS_OPEN_DIRECTORY) != 0) {
        return VFS_INVALID;
    }
    bool exclusive = create && (flags & VFS_OPEN_EXCLUSIVE) != 0;
    vfs_walk walk;
    vfs_error error = vfs_walk_begin(directory, path, length,
                                     (flags & VFS_OPEN_FOLLOW) != 0 && !exclusive, &walk);
    if (error != VFS_OK) {
        return error;
    }
    bool made = !walk.found;
    error = made ? make_file(&walk, flags) : check_open(walk.node, flags);
    if (error == VFS_OK && !made && walk.node.mount->backend->open != NULL) {
        error = walk.node.mount->backend->open(walk.node, flags);
    }
    if (error != VFS_OK) {
        goto done;
    }
    vfs_file *file;
    error = vfs_file_create(directory->files, walk.node, flags & (VFS_OPEN_READ | VFS_OPEN_WRITE),
                            &file);
    if (error != VFS_OK) {
        if (made) {
            walk.directory.mount->backend->remove(walk.directory, walk.name, walk.name_length,
                                                  walk.node);
        }
        goto done;
    }
    if (made) {
        set_mode_of_new(directory->files, &walk);
    } else if ((flags & VFS_OPEN_TRUNCATE) != 0) {
        error = walk.node.mount->backend->set_size(walk.node, 0);
        if (error != VFS_OK) {
            vfs_close(file);
            goto done;
        }
    }
    *out_file = file;

done:
    vfs_walk_end(&walk);
    return error;
}

vfs_error vfs_open(vfs_file *directory, const char *path, size_t length, uint32_t flags,
                   vfs_file **out_file)
{
    vfs_error error = open_once(directory, path, length, flags, out_file);
    /* In a tree that others use as well a file may come into being between look and make. */
    for (int i = 0; i < 8 && error == VFS_EXIST && (flags & VFS_OPEN_EXCLUSIVE) == 0; i++) {
        error = open_once(directory, path, length, flags, out_file);
    }
    return error;
}

/* A walk to something that must be there. */
static vfs_error walk_to(vfs_file *directory, const char *path, size_t length, bool follow,
                         vfs_walk *out_walk)
{
    vfs_error error = vfs_walk_begin(directory, path, length, follow, out_walk);
    if (error == VFS_OK && !out_walk->found) {
        vfs_walk_end(out_walk);
        return VFS_NO_ENTRY;
    }
    return error;
}

/* A walk to a name that is to be made, in a directory that can be changed. */
static vfs_error walk_to_free_name(vfs_file *directory, const char *path, size_t length,
                                   vfs_walk *out_walk)
{
    vfs_error error = vfs_walk_begin(directory, path, length, false, out_walk);
    if (error != VFS_OK) {
        return error;
    }
    if (out_walk->found) {
        error = VFS_EXIST;
    } else if (!vfs_node_writable(out_walk->directory)) {
        error = VFS_READ_ONLY;
    }
    if (error != VFS_OK) {
        vfs_walk_end(out_walk);
    }
    return error;
}

vfs_error vfs_stat_at(vfs_file *directory, const char *path, size_t length, bool follow,
                      vfs_status *out_status)
{
    vfs_walk walk;
    vfs_error error = walk_to(directory, path, length, follow, &walk);
    if (error != VFS_OK) {
        return error;
    }
    walk.node.mount->backend->stat(walk.node, out_status);
    vfs_walk_end(&walk);
    return VFS_OK;
}

static vfs_error set_node_times(vfs_node node, const vfs_new_time *accessed,
                                const vfs_new_time *modified)
{
    const uint32_t second = 1000000000;
    if ((accessed->kind == VFS_TIME_SET && accessed->time.nanoseconds >= second) ||
        (modified->kind == VFS_TIME_SET && modified->time.nanoseconds >= second)) {
        return VFS_INVALID;
    }
    if (!vfs_node_writable(node)) {
        return VFS_READ_ONLY;
    }
    return node.mount->backend->set_times(node, accessed, modified);
}

vfs_error vfs_set_times(vfs_file *file, const vfs_new_time *accessed, const vfs_new_time *modified)
{
    return set_node_times(file->node, accessed, modified);
}

vfs_error vfs_set_times_at(vfs_file *directory, const char *path, size_t length, bool follow,
                           const vfs_new_time *accessed, const vfs_new_time *modified)
{
    vfs_walk walk;
    vfs_error error = walk_to(directory, path, length, follow, &walk);
    if (error != VFS_OK) {
        return error;
    }
    error = set_node_times(walk.node, accessed, modified);
    vfs_walk_end(&walk);
    return error;
}

static vfs_error set_node_mode(vfs_node node, uint32_t mode)
{
    if (!vfs_node_writable(node)) {
        return VFS_READ_ONLY;
    }
    const vfs_backend *backend = node.mount->backend;
    return backend->set_mode != NULL ? backend->set_mode(node, (uint16_t)(mode & VFS_MODE_MASK))
                                     : VFS_OK;
}

vfs_error vfs_set_mode(vfs_file *file, uint32_t mode)
{
    return set_node_mode(file->node, mode);
}

vfs_error vfs_set_mode_at(vfs_file *directory, const char *path, size_t length, uint32_t mode)
{
    vfs_walk walk;
    vfs_error error = walk_to(directory, path, length, true, &walk);
    if (error != VFS_OK) {
        return error;
    }
    error = set_node_mode(walk.node, mode);
    vfs_walk_end(&walk);
    return error;
}

bool vfs_target_is_confined(const char *target, size_t length)
{
    const char *end = target + length;
    if (length > 0 && target[0] == '/') {
        return false;
    }
    for (const char *name = target; name < end;) {
        const char *slash = memchr(name, '/', (size_t)(end - name));
        const char *name_end = slash != NULL ? slash : end;
        if (name_end - name == 2 && memcmp(name, "..", 2) == 0) {
            return false;
        }
        name = name_end + 1;
    }
    return true;
}

static vfs_error make(vfs_walk *walk, vfs_type type, const char *target, size_t target_length)
{
    vfs_error error = walk->directory.mount->backend->make(
        walk->directory, walk->name, walk->name_length, type, target, target_length, &walk->node);
    walk->found = error == VFS_OK;
    return error;
}

vfs_error vfs_make_directory(vfs_file *directory, const char *path, size_t length)
{
    vfs_walk walk;
    vfs_error error = walk_to_free_name(directory, path, length, &walk);
    if (error != VFS_OK) {
        return error;
    }
    error = make(&walk, VFS_TYPE_DIRECTORY, NULL, 0);
    if (error == VFS_OK) {
        set_mode_of_new(directory->files, &walk);
        vfs_locks_note(directory, path, length, &walk);
    }
    vfs_walk_end(&walk);
    return error;
}

vfs_error vfs_make_symbolic_link(vfs_file *directory, const char *target, size_t target_length,
                                 const char *path, size_t length)
{
    if (target_length == 0) {
        return VFS_NO_ENTRY;
    }
    if (target_length > VFS_PATH_MAX) {
        return VFS_NAME_TOO_LONG;
    }
    if (memchr(target, '\0', target_length) != NULL) {
        return VFS_INVALID;
    }
    if (!utf8_is_valid(target, target_length)) {
        return VFS_ILLEGAL_BYTE_SEQUENCE;
    }
    vfs_walk walk;
    vfs_error error = walk_to_free_name(directory, path, length, &walk);
    if (error != VFS_OK) {
        return error;
    }
    if (walk.slash) {
        error = VFS_NO_ENTRY;
    } else if (walk.directory.mount->confines_links &&
               !vfs_target_is_confined(target, target_length)) {
        error = VFS_NOT_PERMITTED;
    } else {
        error = make(&walk, VFS_TYPE_SYMBOLIC_LINK, target, target_length);
    }
    vfs_walk_end(&walk);
    return error;
}

vfs_error vfs_make_link(vfs_file *old_directory, const char *old_path, size_t old_length,
                        bool follow, vfs_file *new_directory, const char *new_path,
                        size_t new_length)
{
    vfs_walk old_walk;
    vfs_error error = walk_to(old_directory, old_path, old_length, follow, &old_walk);
    if (error != VFS_OK) {
        return error;
    }
    vfs_walk new_walk;
    error = walk_to_free_name(new_directory, new_path, new_length, &new_walk);
    if (error != VFS_OK) {
        goto end_old;
    }
    if (old_walk.node.type == VFS_TYPE_DIRECTORY) {
        error = VFS_NOT_PERMITTED;
    } else if (old_walk.node.mount->storage != new_walk.directory.mount->storage) {
        error = VFS_CROSS_DEVICE;
    } else if (new_walk.slash) {
        error = VFS_NO_ENTRY;
    } else {
        error = new_walk.directory.mount->backend->link(new_walk.directory, new_walk.name,
                                                        new_walk.name_length, old_walk.node);
    }
    vfs_walk_end(&new_walk);
end_old:
    vfs_walk_end(&old_walk);
    return error;
}

vfs_error vfs_read_link(vfs_file *directory, const char *path, size_t length, char *out_target,
                        size_t *out_target_length)
{
    vfs_walk walk;
    vfs_error error = walk_to(directory, path, length, false, &walk);
    if (error != VFS_OK) {
        return error;
    }
    size_t target_length;
    const char *target = NULL;
    if (walk.node.type == VFS_TYPE_SYMBOLIC_LINK) {
        target = walk.node.mount->backend->link_target(walk.node, &target_length);
    }
    if (target != NULL && walk.node.mount->confines_links && target[0] == '/') {
        error = VFS_NOT_PERMITTED; /* the path of something outside is not for the guest to know */
    } else if (target != NULL) {
        memcpy(out_target, target, target_length);
        *out_target_length = target_length;
    } else {
        error = VFS_INVALID;
    }
    vfs_walk_end(&walk);
    return error;
}

/* Removes what a walk found; the checks that depend on its type are done. */
static vfs_error remove_found(vfs_walk *walk)
{
    if (!vfs_node_writable(walk->directory)) {
        return VFS_READ_ONLY;
    }
    /* What is found in a directory may be the root of another mount. */
    if (walk->node.mount != walk->directory.mount) {
        return VFS_BUSY;
    }
    return walk->directory.mount->backend->remove(walk->directory, walk->name, walk->name_length,
                                                  walk->node);
}

vfs_error vfs_unlink(vfs_file *directory, const char *path, size_t length)
{
    vfs_walk walk;
    vfs_error error = walk_to(directory, path, length, false, &walk);
    if (error != VFS_OK) {
        return error;
    }
    error = walk.node.type == VFS_TYPE_DIRECTORY ? VFS_IS_DIRECTORY : remove_found(&walk);
    vfs_walk_end(&walk);
    return error;
}

vfs_error vfs_remove_directory(vfs_file *directory, const char *path, size_t length)
{
    vfs_walk walk;
    vfs_error error = walk_to(directory, path, length, false, &walk);
    if (error != VFS_OK) {
        return error;
    }
    if (walk.node.type != VFS_TYPE_DIRECTORY) {
        error = VFS_NOT_DIRECTORY;
    } else {
        error = walk.named ? remove_found(&walk) : VFS_INVALID;
    }
    if (error == VFS_OK) {
        vfs_locks_forget(directory->files, &walk);
    }
    vfs_walk_end(&walk);
    return error;
}

/* Checks what can be known without looking into the directories. */
static vfs_error check_rename(const vfs_walk *old_walk, const vfs_walk *new_walk)
{
    if (!old_walk->named || !new_walk->named) {
        return VFS_BUSY;
    }
    if (!vfs_node_writable(old_walk->directory) || !vfs_node_writable(new_walk->directory)) {
        return VFS_READ_ONLY;
    }
    if (old_walk->node.mount != old_walk->directory.mount ||
        (new_walk->found && new_walk->node.mount != new_walk->directory.mount)) {
        return VFS_BUSY;
    }
    if (old_walk->directory.mount->storage != new_walk->directory.mount->storage) {
        return VFS_CROSS_DEVICE;
    }
    bool moves_directory = old_walk->node.type == VFS_TYPE_DIRECTORY;
    if (new_walk->slash && !moves_directory) {
        return VFS_NOT_DIRECTORY;
    }
    if (new_walk->found && moves_directory != (new_walk->node.type == VFS_TYPE_DIRECTORY)) {
        return moves_directory ? VFS_NOT_DIRECTORY : VFS_IS_DIRECTORY;
    }
    return VFS_OK;
}

vfs_error vfs_rename(vfs_file *old_directory, const char *old_path, size_t old_length,
                     vfs_file *new_directory, const char *new_path, size_t new_length)
{
    vfs_walk old_walk;
    vfs_error error = walk_to(old_directory, old_path, old_length, false, &old_walk);
    if (error != VFS_OK) {
        return error;
    }
    vfs_walk new_walk;
    error = vfs_walk_begin(new_directory, new_path, new_length, false, &new_walk);
    if (error != VFS_OK) {
        goto end_old;
    }
    error = check_rename(&old_walk, &new_walk);
    /* Two names of one file: POSIX wants nothing done. */
    bool same = new_walk.found && vfs_node_same(old_walk.node, new_walk.node);
    if (error == VFS_OK && !same) {
        error = old_walk.directory.mount->backend->rename(
            old_walk.directory, old_walk.name, old_walk.name_length, old_walk.node,
            new_walk.directory, new_walk.name, new_walk.name_length,
            new_walk.found ? &new_walk.node : NULL);
    }
    vfs_walk_end(&new_walk);
end_old:
    vfs_walk_end(&old_walk);
    return error;
}
