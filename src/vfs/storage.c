#include "vfs/storage.h"

#include <stdlib.h>
#include <string.h>

#include "base/forks.h"

/* How often a file is looked up again when guests make and remove it meanwhile. */
enum { ATTEMPTS = 64 };

eryx_file_error storage_file_error(vfs_error error)
{
    switch (error) {
    case VFS_OK:
        return ERYX_FILE_OK;
    case VFS_NO_ENTRY:
        return ERYX_FILE_NOT_FOUND;
    case VFS_EXIST:
        return ERYX_FILE_EXISTS;
    case VFS_IS_DIRECTORY:
        return ERYX_FILE_IS_DIRECTORY;
    case VFS_NOT_DIRECTORY:
        return ERYX_FILE_NOT_DIRECTORY;
    case VFS_NOT_EMPTY:
        return ERYX_FILE_NOT_EMPTY;
    case VFS_INSUFFICIENT_SPACE:
    case VFS_FILE_TOO_LARGE:
        return ERYX_FILE_NO_SPACE;
    case VFS_NAME_TOO_LONG:
        return ERYX_FILE_NAME_TOO_LONG;
    case VFS_NOT_PERMITTED:
        return ERYX_FILE_NOT_PERMITTED;
    case VFS_LOOP:
        return ERYX_FILE_LOOP;
    case VFS_INSUFFICIENT_MEMORY:
        return ERYX_FILE_OUT_OF_MEMORY;
    default:
        return ERYX_FILE_INVALID;
    }
}

/* ---- Making and letting go --------------------------------------------------------------------
 */

eryx_file_error eryx_storage_create(uint64_t max_bytes, uint64_t max_entries,
                                    eryx_storage **out_storage)
{
    if (out_storage == NULL) {
        return ERYX_FILE_INVALID;
    }
    eryx_storage *storage = calloc(1, sizeof *storage);
    if (storage == NULL) {
        return ERYX_FILE_OUT_OF_MEMORY;
    }
    if (pthread_mutex_init(&storage->lock, NULL) != 0) {
        free(storage);
        return ERYX_FILE_OUT_OF_MEMORY;
    }
    vfs_quota quota = {.max_bytes = max_bytes, .max_entries = max_entries};
    atomic_init(&storage->references, 1);
    storage->fork_generation = forks_generation();
    memory_tree_init(&storage->tree, &quota);
    memory_root_init(&storage->root, &storage->tree);
    vfs *view = &storage->view;
    view->system = storage_mount(storage);
    view->root = (vfs_file){
        .node = {.mount = &view->system, .item = view->system.root, .type = VFS_TYPE_DIRECTORY},
        .files = view,
        .references = 1,
        .flags = VFS_OPEN_READ,
    };
    view->system.above = view->root.node;
    *out_storage = storage;
    return ERYX_FILE_OK;
}

vfs_mount storage_mount(eryx_storage *storage)
{
    return (vfs_mount){.backend = &storage_backend,
                       .storage = &storage->tree,
                       .root = (uintptr_t)&storage->root,
                       .root_type = VFS_TYPE_DIRECTORY};
}

eryx_storage *eryx_storage_retain(eryx_storage *storage)
{
    atomic_fetch_add_explicit(&storage->references, 1, memory_order_relaxed);
    return storage;
}

void eryx_storage_destroy(eryx_storage *storage)
{
    if (storage == NULL ||
        atomic_fetch_sub_explicit(&storage->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (storage->fork_generation != forks_generation()) {
        return; /* another thread of the parent may have been at work in it: leave it as it is */
    }
    memory_root_clear(&storage->root);
    pthread_mutex_destroy(&storage->lock);
    free(storage);
}

void storage_free_discards(eryx_storage *storage)
{
    bool more = true;
    while (more && storage_lock(storage)) {
        memory_discard_step(&storage->tree);
        more = storage->tree.discards != NULL;
        storage_unlock(storage);
    }
}

void eryx_free(void *data)
{
    free(data);
}

/* ---- Paths ------------------------------------------------------------------------------------
 */

/* Checks the arguments that all functions have, and gives the path as the walk wants it. */
static eryx_file_error begin(const eryx_storage *storage, const char **path, size_t *out_length)
{
    if (storage == NULL || *path == NULL) {
        return ERYX_FILE_INVALID;
    }
    if (storage->fork_generation != forks_generation()) {
        return ERYX_FILE_FORKED;
    }
    while (**path == '/') {
        ++*path;
    }
    if (**path == '\0') {
        *path = ".";
    }
    *out_length = strnlen(*path, VFS_PATH_MAX + 1);
    return ERYX_FILE_OK;
}

static memory_node *node_of(vfs_node node)
{
    return (memory_node *)node.item;
}

static vfs_error make_parents(eryx_storage *storage, const char *path, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (path[i] != '/') {
            continue;
        }
        vfs_error error = vfs_make_directory(&storage->view.root, path, i);
        if (error != VFS_OK && error != VFS_EXIST) {
            return error;
        }
    }
    return VFS_OK;
}

/* ---- Files ------------------------------------------------------------------------------------
 */

/* Copies the contents of a file at one moment. Under the lock they are only shared: guests wait for
 * it. */
static vfs_error copy_contents(eryx_storage *storage, const memory_node *file, uint8_t **out_data,
                               size_t *out_size)
{
    static const vfs_quota everything = {UINT64_MAX, UINT64_MAX};
    memory_tree tree;
    memory_tree_init(&tree, &everything);
    memory_node shared = {.tree = &tree, .type = VFS_TYPE_FILE};
    if (!storage_lock(storage)) {
        return VFS_IO;
    }
    vfs_error error = memory_file_share(file, &shared);
    storage_unlock(storage);
    size_t size = (size_t)shared.file.size;
    uint8_t *data = error == VFS_OK ? malloc(size > 0 ? size : 1) : NULL;
    if (data != NULL) {
        memory_file_read(&shared, 0, data, size, out_size);
        *out_data = data;
    } else if (error == VFS_OK) {
        error = VFS_INSUFFICIENT_MEMORY;
    }
    memory_file_free(&shared);
    memory_discard_all(&tree);
    return error;
}

eryx_file_error eryx_storage_read(eryx_storage *storage, const char *path, uint8_t **out_data,
                                  size_t *out_size)
{
    size_t length;
    eryx_file_error failure = begin(storage, &path, &length);
    if (failure != ERYX_FILE_OK || out_data == NULL || out_size == NULL) {
        return failure != ERYX_FILE_OK ? failure : ERYX_FILE_INVALID;
    }
    vfs_walk walk;
    vfs_error error = vfs_walk_begin(&storage->view.root, path, length, true, &walk);
    if (error != VFS_OK) {
        return storage_file_error(error);
    }
    if (!walk.found) {
        error = VFS_NO_ENTRY;
    } else if (walk.node.type != VFS_TYPE_FILE) {
        error = VFS_IS_DIRECTORY;
    } else {
        error = copy_contents(storage, node_of(walk.node), out_data, out_size);
    }
    vfs_walk_end(&walk);
    return storage_file_error(error);
}

/* A new file that appears with all its contents. */
static vfs_error make_file(vfs_walk *walk, memory_tree *tree, const uint8_t *data, size_t size)
{
    memory_node *file;
    vfs_error error = memory_node_create(tree, VFS_TYPE_FILE, NULL, 0, &file);
    if (error != VFS_OK) {
        return error;
    }
    error = memory_file_replace(file, data, size);
    if (error == VFS_OK) {
        error = memory_node_add_name(node_of(walk->directory), walk->name, walk->name_length, file);
    }
    if (error != VFS_OK) {
        memory_node_free(file);
    }
    return error;
}

/* VFS_WOULD_BLOCK: somebody else was faster, walk again. */
static vfs_error write_found(eryx_storage *storage, vfs_walk *walk, const uint8_t *data,
                             size_t size)
{
    if (walk->slash || (walk->found && walk->node.type != VFS_TYPE_FILE)) {
        return VFS_IS_DIRECTORY;
    }
    if (!storage_lock(storage)) {
        return VFS_IO;
    }
    vfs_error error;
    tree_before_change(&storage->tree);
    if (!walk->found) {
        error = make_file(walk, &storage->tree, data, size);
        error = error == VFS_EXIST ? VFS_WOULD_BLOCK : error;
    } else if (node_of(walk->node)->links == 0) {
        error = VFS_WOULD_BLOCK;
    } else {
        error = memory_file_replace(node_of(walk->node), data, size);
    }
    storage_unlock(storage);
    return error;
}

eryx_file_error eryx_storage_write(eryx_storage *storage, const char *path, const uint8_t *data,
                                   size_t size)
{
    size_t length;
    eryx_file_error failure = begin(storage, &path, &length);
    if (failure != ERYX_FILE_OK || (data == NULL && size > 0)) {
        return failure != ERYX_FILE_OK ? failure : ERYX_FILE_INVALID;
    }
    vfs_error error = VFS_WOULD_BLOCK;
    for (int i = 0; i < ATTEMPTS && error == VFS_WOULD_BLOCK; i++) {
        vfs_walk walk;
        error = vfs_walk_begin(&storage->view.root, path, length, true, &walk);
        if (error == VFS_NO_ENTRY && i < ATTEMPTS - 1) {
            error = make_parents(storage, path, length);
            if (error == VFS_OK) {
                i = ATTEMPTS / 2 > i ? ATTEMPTS / 2 : i; /* the name may never come to be */
                error = VFS_WOULD_BLOCK;
            }
        } else if (error == VFS_OK) {
            error = write_found(storage, &walk, data, size);
            vfs_walk_end(&walk);
        }
    }
    storage_free_discards(storage);
    return storage_file_error(error == VFS_WOULD_BLOCK ? VFS_NO_ENTRY : error);
}

eryx_file_error eryx_storage_remove(eryx_storage *storage, const char *path)
{
    size_t length;
    eryx_file_error failure = begin(storage, &path, &length);
    if (failure != ERYX_FILE_OK) {
        return failure;
    }
    vfs_error error = vfs_unlink(&storage->view.root, path, length);
    if (error == VFS_IS_DIRECTORY) {
        error = vfs_remove_directory(&storage->view.root, path, length);
    }
    storage_free_discards(storage);
    return storage_file_error(error);
}

/* ---- Directories ------------------------------------------------------------------------------
 */

static int compare_entries(const void *left, const void *right)
{
    return strcmp(((const eryx_storage_entry *)left)->name,
                  ((const eryx_storage_entry *)right)->name);
}

/* Adds an entry to an array whose size is the next power of two. */
static vfs_error add_entry(eryx_storage_entry **entries, size_t count,
                           const vfs_directory_entry *found)
{
    if ((count & (count - 1)) == 0) {
        size_t capacity = count == 0 ? 1 : count * 2;
        eryx_storage_entry *more = realloc(*entries, capacity * sizeof *more);
        if (more == NULL) {
            return VFS_INSUFFICIENT_MEMORY;
        }
        *entries = more;
    }
    eryx_storage_entry *entry = &(*entries)[count];
    memcpy(entry->name, found->name, found->name_length);
    entry->name[found->name_length] = '\0';
    entry->kind = found->type == VFS_TYPE_DIRECTORY       ? ERYX_STORAGE_DIRECTORY
                  : found->type == VFS_TYPE_SYMBOLIC_LINK ? ERYX_STORAGE_SYMBOLIC_LINK
                                                          : ERYX_STORAGE_FILE;
    return VFS_OK;
}

eryx_file_error eryx_storage_list(eryx_storage *storage, const char *path,
                                  eryx_storage_entry **out_entries, size_t *out_count)
{
    size_t length;
    eryx_file_error failure = begin(storage, &path, &length);
    if (failure != ERYX_FILE_OK || out_entries == NULL || out_count == NULL) {
        return failure != ERYX_FILE_OK ? failure : ERYX_FILE_INVALID;
    }
    vfs_file *directory;
    vfs_error error = vfs_open(&storage->view.root, path, length,
                               VFS_OPEN_READ | VFS_OPEN_DIRECTORY | VFS_OPEN_FOLLOW, &directory);
    if (error != VFS_OK) {
        return storage_file_error(error);
    }
    eryx_storage_entry *entries = NULL;
    size_t count = 0;
    uint64_t cursor = 0;
    for (;;) {
        vfs_directory_entry found;
        bool is_found;
        error = vfs_list(directory, &cursor, &found, &is_found);
        if (error != VFS_OK || !is_found) {
            break;
        }
        error = add_entry(&entries, count, &found);
        if (error != VFS_OK) {
            break;
        }
        count++;
    }
    vfs_close(directory);
    if (error != VFS_OK) {
        free(entries);
        return storage_file_error(error);
    }
    if (count > 1) {
        qsort(entries, count, sizeof *entries, compare_entries);
    }
    *out_entries = entries;
    *out_count = count;
    return ERYX_FILE_OK;
}

/* ---- All of it --------------------------------------------------------------------------------
 */

eryx_file_error eryx_storage_get_usage(eryx_storage *storage, eryx_storage_usage *out_usage)
{
    if (storage == NULL || out_usage == NULL) {
        return ERYX_FILE_INVALID;
    }
    if (!storage_lock(storage)) {
        return ERYX_FILE_FORKED;
    }
    *out_usage = (eryx_storage_usage){
        .bytes = storage->tree.used.bytes,
        .entries = storage->tree.used.entries,
        .max_bytes = storage->tree.quota.max_bytes,
        .max_entries = storage->tree.quota.max_entries,
    };
    storage_unlock(storage);
    return ERYX_FILE_OK;
}

eryx_file_error storage_create_like(eryx_storage *storage, eryx_storage **out_storage)
{
    eryx_storage_usage usage;
    eryx_file_error error = eryx_storage_get_usage(storage, &usage);
    if (error != ERYX_FILE_OK) {
        return error;
    }
    return eryx_storage_create(usage.max_bytes, usage.max_entries, out_storage);
}

eryx_file_error eryx_storage_fork(eryx_storage *storage, eryx_storage **out_storage)
{
    if (storage == NULL || out_storage == NULL) {
        return ERYX_FILE_INVALID;
    }
    eryx_storage *copy;
    eryx_file_error failure = eryx_storage_create(0, 0, &copy);
    if (failure != ERYX_FILE_OK) {
        return failure;
    }
    if (!storage_lock(storage)) {
        eryx_storage_destroy(copy);
        return ERYX_FILE_FORKED;
    }
    memory_tree_copy_accounts(&copy->tree, &storage->tree);
    vfs_error error = memory_copy(&storage->root, &copy->root);
    storage_unlock(storage);
    if (error != VFS_OK) {
        eryx_storage_destroy(copy);
        return storage_file_error(error);
    }
    *out_storage = copy;
    return ERYX_FILE_OK;
}
