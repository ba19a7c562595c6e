/*
 * Copies of the files of a sandbox with the handles that are open in them. Contents are shared
 * until one side changes them. Volumes are not copied, and storages only if that is asked for
 * (storages.h): both sandboxes have them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "state/files.h"
#include "vfs/overlay.h"
#include "vfs/provider.h"

/* A directory and its copy. */
typedef struct pair {
    memory_node *from;
    memory_node *to;
} pair;

typedef struct copier {
    vfs *from;
    vfs *to;
    pair *directories; /* in the order in which they were met; grows while it is gone through */
    size_t count;
    size_t capacity;
    live_storages storages;
} copier;

static bool add_directory(copier *work, memory_node *from, memory_node *to)
{
    if (work->count == work->capacity) {
        size_t capacity = work->capacity > 0 ? 2 * work->capacity : 16;
        pair *directories = realloc(work->directories, capacity * sizeof *directories);
        if (directories == NULL) {
            return false;
        }
        work->directories = directories;
        work->capacity = capacity;
    }
    work->directories[work->count++] = (pair){from, to};
    return true;
}

static void copy_attributes(const memory_node *from, memory_node *to)
{
    to->number = from->number;
    to->mode = from->mode;
    to->accessed = from->accessed;
    to->modified = from->modified;
    to->changed = from->changed;
}

/* A copy without a name; a directory is still empty. NULL without memory. */
static memory_node *copy_node(vfs *files, memory_node *from)
{
    bool is_link = from->type == VFS_TYPE_SYMBOLIC_LINK;
    memory_node *to;
    if (memory_node_create(&files->memory, from->type, is_link ? from->link.target : NULL,
                           is_link ? from->link.length : 0, &to) != VFS_OK) {
        return NULL;
    }
    if (from->type == VFS_TYPE_FILE && memory_file_share(from, to) != VFS_OK) {
        memory_node_free(to);
        return NULL;
    }
    if (from->origin != NULL &&
        memory_node_set_origin(to, from->origin, strlen(from->origin)) != VFS_OK) {
        memory_node_free(to);
        return NULL;
    }
    copy_attributes(from, to);
    from->copy = to;
    return to;
}

/* Adds a name, and the node if this is the first one of it. */
static bool copy_entry(copier *work, const memory_entry *entry, memory_node *directory)
{
    memory_node *from = entry->node;
    memory_node *to = from->copy;
    if (to == NULL) {
        to = copy_node(work->to, from);
        if (to == NULL) {
            return false;
        }
    }
    if (memory_node_add_name(directory, entry->name, entry->name_length, to) != VFS_OK) {
        if (to->links == 0) {
            from->copy = NULL;
            memory_node_free(to);
        }
        return false;
    }
    copy_attributes(from, to);
    return from->type != VFS_TYPE_DIRECTORY || add_directory(work, from, to);
}

/* Copies all that is under the roots. What was copied before a failure is in the new tree. */
static bool copy_trees(copier *work)
{
    memory_node *root;
    for (uint32_t i = 0; (root = vfs_own_root(work->from, i)) != NULL; i++) {
        root->copy = vfs_own_root(work->to, i);
        if (!add_directory(work, root, root->copy)) {
            return false;
        }
    }
    for (size_t i = 0; i < work->count; i++) {
        pair directory = work->directories[i];
        uint64_t cursor = 0;
        const memory_entry *entry;
        while ((entry = memory_directory_next(directory.from, &cursor)) != NULL) {
            /* Entries keep their cursors, so that listings that are going on stay right. */
            directory.to->directory.last_cursor = cursor - 1;
            if (!copy_entry(work, entry, directory.to)) {
                return false;
            }
        }
        directory.to->directory.last_cursor = directory.from->directory.last_cursor;
        copy_attributes(directory.from, directory.to);
    }
    return true;
}

/* Forgets what earlier copies were made, of all nodes under the roots. */
static bool forget_copies(copier *work)
{
    memory_node *root;
    for (uint32_t i = 0; (root = vfs_own_root(work->from, i)) != NULL; i++) {
        if (!add_directory(work, root, NULL)) {
            return false;
        }
    }
    for (size_t i = 0; i < work->count; i++) {
        uint64_t cursor = 0;
        const memory_entry *entry;
        const memory_node *directory = work->directories[i].from;
        while ((entry = memory_directory_next(directory, &cursor)) != NULL) {
            entry->node->copy = NULL;
            if (entry->node->type == VFS_TYPE_DIRECTORY &&
                !add_directory(work, entry->node, NULL)) {
                return false;
            }
        }
    }
    work->count = 0;
    return true;
}

/* ---- Open files ------------------------------------------------------------------------------ */

/* The mount of the copy that is where one of the original is; NULL if there is none. */
static vfs_mount *same_mount(const copier *work, const vfs_mount *mount)
{
    if (mount == &work->from->system) {
        return &work->to->system;
    }
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        if (mount == &work->from->mounts[i]) {
            return &work->to->mounts[i];
        }
    }
    for (size_t i = 0; work->from->added != NULL && i < work->from->added->source_count; i++) {
        if (mount == &work->from->added_mounts[i]) {
            return &work->to->added_mounts[i];
        }
    }
    return NULL;
}

/* A file that is open and has lost its names. */
static memory_node *copy_nameless(copier *work, memory_node *from)
{
    if (from->copy == NULL) {
        memory_node *to = copy_node(work->to, from);
        if (to != NULL) {
            to->nameless = true;
            work->to->memory.used.entries++;
        }
        return to;
    }
    return from->copy;
}

/* Frees a copy that has neither a name nor, yet, a holder. */
static void release_unheld(const vfs *files, vfs_node node)
{
    if (node.mount->storage == &files->memory) {
        memory_node *copy = (memory_node *)node.item; /* not of an overlay: those hold theirs */
        if (copy->links == 0 && copy->references == 0) {
            memory_node_free(copy);
        }
    }
}

/* The same file of an overlay, whose memory has been copied. NULL without memory. */
static vfs_file *copy_overlay_file(copier *work, const vfs_file *from, memory_node *upper,
                                   vfs_mount *mount)
{
    vfs_node node = {.mount = mount, .type = from->node.type};
    vfs_file *file = NULL;
    if (upper != NULL) {
        upper->references++; /* or it would be free if the next step fails */
    }
    if (vfs_overlay_copy_node(from->node, upper, mount->storage, &node.item) == VFS_OK) {
        if (vfs_file_create(work->to, node, from->flags, &file) != VFS_OK) {
            file = NULL;
        }
        vfs_node_release(node);
    }
    if (upper != NULL && --upper->references == 0 && upper->links == 0) {
        memory_node_free(upper);
    }
    return file;
}

/* The same file of a provider, with the same contents. NULL without memory. */
static vfs_file *copy_provided_file(copier *work, const vfs_file *from, vfs_mount *mount)
{
    vfs_node node = {.mount = mount, .type = from->node.type};
    vfs_file *file = NULL;
    if (vfs_provider_copy_node(from->node, mount->storage, &node.item) == VFS_OK) {
        if (vfs_file_create(work->to, node, from->flags, &file) != VFS_OK) {
            file = NULL;
        }
        vfs_node_release(node);
    }
    return file;
}

/* The same file, open in the copy. NULL without memory. */
static vfs_file *copy_file(copier *work, uint32_t index, const vfs_file *from)
{
    vfs_node node = from->node;
    node.mount = same_mount(work, from->node.mount);
    if (node.mount == NULL) {
        return NULL;
    }
    memory_node *original = vfs_own_node(work->from, from->node);
    memory_node *copy = NULL;
    if (original != NULL) {
        copy = original->links == 0 ? copy_nameless(work, original) : original->copy;
        if (copy == NULL) {
            return NULL;
        }
    }
    if (vfs_is_provider(node.mount)) {
        return copy_provided_file(work, from, node.mount);
    }
    if (vfs_is_overlay(node.mount)) {
        return copy_overlay_file(work, from, copy, node.mount);
    }
    if (copy != NULL) {
        node.item = (uintptr_t)copy;
    } else if (work->storages.moved != NULL && work->storages.moved[index] != NULL) {
        node.item = (uintptr_t)work->storages.moved[index];
    }
    vfs_file *file;
    if (vfs_file_create(work->to, node, from->flags, &file) == VFS_OK) {
        return file;
    }
    release_unheld(work->to, node);
    return NULL;
}

/* Nodes without names are in no directory; see forget_copies(). */
static void forget_nameless(const vfs *files, const handle_table *handles)
{
    for (uint32_t i = 0; i < handles->used; i++) {
        const handle *open = &handles->dynamic[i];
        if (handle_has_file(open)) {
            const vfs_file *file = open->object;
            memory_node *node = vfs_own_node(files, file->node);
            if (node != NULL) {
                node->copy = node->links == 0 ? NULL : node->copy;
            }
        }
    }
}

/* out_handles: as after handles_init() with the drop function and the limit of the original. */
static bool copy_handles(copier *work, const handle_table *handles, handle_table *out_handles)
{
    if (handles->used == 0) {
        return true;
    }
    handle *dynamic = calloc(handles->used, sizeof *dynamic);
    if (dynamic == NULL) {
        return false;
    }
    out_handles->dynamic = dynamic;
    out_handles->capacity = handles->used;
    for (uint32_t i = 0; i < handles->used; i++) {
        handle copy = handles->dynamic[i];
        if (handle_has_file(&copy)) {
            copy.object = copy_file(work, i, copy.object);
            if (copy.object == NULL) {
                return false;
            }
        }
        dynamic[i] = copy;
        out_handles->used = i + 1;
    }
    out_handles->first_free = handles->first_free;
    out_handles->live = handles->live;
    out_handles->sockets = handles->sockets;
    return true;
}

/* Directories of overlays that are open, and that only the host has, become some of memory. */
static bool settle_overlays(const handle_table *handles)
{
    for (uint32_t i = 0; i < handles->used; i++) {
        const handle *open = &handles->dynamic[i];
        if (handle_has_file(open)) {
            const vfs_file *file = open->object;
            if (vfs_is_overlay(file->node.mount) && vfs_overlay_settle(file->node) != VFS_OK) {
                return false;
            }
        }
    }
    return true;
}

eryx_status live_files_copy(vfs *files, const handle_table *handles, live_storages_use use,
                            vfs **out_files, handle_table *out_handles, live_storages *out_storages,
                            eryx_error *out_error)
{
    static const vfs_quota everything = {UINT64_MAX, UINT64_MAX};
    const archive *stdlib = files->mounts[PLACE_STDLIB].storage;
    copier work = {.from = files};
    handle_table copies;
    handles_init(&copies, handles->limit, handles->drop);
    if (!settle_overlays(handles)) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error,
                           "there is no room for the directories of an overlay that are open");
    }
    forget_nameless(files, handles);
    bool done = vfs_create(stdlib, &everything, &work.to) == VFS_OK &&
                vfs_use_mounts(work.to, vfs_get_mounts(files)) == VFS_OK;
    if (done && use == LIVE_STORAGES_COPY) {
        done = live_storages_stand_in(work.to) == VFS_OK;
    }
    if (done && use != LIVE_STORAGES_SHARE) {
        done = live_storages_begin(files, handles, work.to, &work.storages) == VFS_OK;
    }
    if (done) {
        done = forget_copies(&work) && copy_trees(&work) && copy_handles(&work, handles, &copies);
    }
    free(work.directories);
    live_storages_release_moved(&work.storages);
    if (!done) {
        handles_clear(&copies);
        live_storages_end(&work.storages, false);
        vfs_destroy(work.to);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    work.to->memory.last_number = files->memory.last_number;
    work.to->memory.quota = files->memory.quota;
    work.to->lock_moment = vfs_locks_moment();
    copies.fixed[HANDLE_ROOT].object = vfs_root(work.to);
    if (use == LIVE_STORAGES_COPY) {
        live_storages_end(&work.storages, true);
    } else if (use == LIVE_STORAGES_PUT_BACK) {
        *out_storages = work.storages;
    }
    *out_files = work.to;
    *out_handles = copies;
    return ERYX_OK;
}
