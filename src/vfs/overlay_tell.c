/*
 * What an overlay has that is not as the host has it: the two trees are gone through side by side,
 * where something was written. Without recursion, for a guest decides how deep a tree is.
 */
#include <stdlib.h>
#include <string.h>

#include "vfs/overlay_node.h"

/* A directory that is being gone through. */
typedef struct level {
    overlay_node *directory; /* held */
    vfs_node host;           /* what the host has under the same path, held; no mount for nothing */
    bool natural;            /* what lies under the directory is that */
    bool host_is_next;       /* the names of the overlay are done */
    uint64_t cursor;
    size_t path_length;
} level;

typedef struct teller {
    vfs_mount mount; /* of the overlay */
    overlay_tell *tell;
    void *context;
    bool complete;
    bool more; /* wanted */
    level *levels;
    size_t depth;
    size_t capacity;
    char path[VFS_PATH_MAX];
} teller;

/* Takes both holds over, also on failure. */
static bool push(teller *work, overlay_node *directory, vfs_node host, bool natural, size_t length)
{
    if (work->depth == work->capacity) {
        const size_t capacity = work->capacity == 0 ? 16 : work->capacity * 2;
        level *levels = realloc(work->levels, capacity * sizeof *levels);
        if (levels == NULL) {
            overlay_node_release(directory);
            if (host.mount != NULL) {
                vfs_node_release(host);
            }
            return false;
        }
        work->levels = levels;
        work->capacity = capacity;
    }
    work->levels[work->depth++] =
        (level){.directory = directory, .host = host, .natural = natural, .path_length = length};
    return true;
}

static void pop(teller *work)
{
    level *top = &work->levels[--work->depth];
    overlay_node_release(top->directory);
    if (top->host.mount != NULL) {
        vfs_node_release(top->host);
    }
}

/* Adds a name to the path of a level; false if that becomes too long. */
static bool extend(teller *work, const level *top, const vfs_directory_entry *entry,
                   size_t *out_length)
{
    size_t length = top->path_length;
    if (length + 1 + entry->name_length > VFS_PATH_MAX) {
        work->complete = false;
        return false;
    }
    if (length > 0) {
        work->path[length++] = '/';
    }
    memcpy(work->path + length, entry->name, entry->name_length);
    *out_length = length + entry->name_length;
    return true;
}

static void tell_one(teller *work, size_t length, tree_difference what, vfs_type type,
                     uint64_t size, const memory_node *node, const char *origin)
{
    work->more = work->tell(work->context, work->path, length, what, type, size, node, origin);
    work->complete = work->complete && work->more;
}

/* Tells of what is new or another one. host_type: what the host has there, if it has anything. */
static void tell_of_found(teller *work, size_t length, overlay_node *found, bool host_has,
                          vfs_type host_type)
{
    if (found->type == VFS_TYPE_DIRECTORY && host_has && host_type == VFS_TYPE_DIRECTORY) {
        return;
    }
    const tree_difference what = host_has ? TREE_CHANGED : TREE_MADE;
    const vfs_node node = {.mount = &work->mount, .item = (uintptr_t)found, .type = found->type};
    vfs_status status;
    vfs_overlay_backend.stat(node, &status);
    if (found->type == VFS_TYPE_DIRECTORY || !overlay_has_host_contents(found)) {
        tell_one(work, length, what, found->type, status.size, found->upper, NULL);
        return;
    }
    char *origin = overlay_host_path(found);
    const char *path = found->upper != NULL ? found->upper->origin : origin;
    if (path == NULL) {
        work->complete = false;
    } else {
        tell_one(work, length, what, found->type, status.size, NULL, path);
    }
    free(origin);
}

/* Looks at one name of the overlay. False without memory. */
static bool look_at(teller *work, const vfs_directory_entry *entry)
{
    const level *top = &work->levels[work->depth - 1];
    const vfs_node directory = {
        .mount = &work->mount, .item = (uintptr_t)top->directory, .type = VFS_TYPE_DIRECTORY};
    size_t length;
    vfs_node node;
    if (!extend(work, top, entry, &length) ||
        vfs_overlay_backend.find(directory, entry->name, entry->name_length, &node) != VFS_OK) {
        return true;
    }
    overlay_node *found = overlay_node_of(node);
    const bool same = top->natural && found->upper == NULL;
    vfs_node host = {0};
    bool host_has =
        !same && top->host.mount != NULL &&
        top->host.mount->backend->find(top->host, entry->name, entry->name_length, &host) == VFS_OK;
    bool natural = false;
    if (!same && top->natural && found->upper->origin != NULL) {
        work->path[length < VFS_PATH_MAX ? length : VFS_PATH_MAX - 1] = '\0';
        natural = length < VFS_PATH_MAX && strcmp(found->upper->origin, work->path) == 0;
    }
    if (same || (natural && found->type != VFS_TYPE_DIRECTORY)) {
        if (host_has) {
            vfs_node_release(host);
        }
        overlay_node_release(found);
        return true;
    }
    if (!natural) {
        tell_of_found(work, length, found, host_has, host.type);
    }
    if (host_has && host.type != VFS_TYPE_DIRECTORY) {
        vfs_node_release(host);
        host_has = false;
    }
    if (found->type != VFS_TYPE_DIRECTORY) {
        if (host_has) {
            vfs_node_release(host);
        }
        overlay_node_release(found);
        return true;
    }
    return push(work, found, host_has ? host : (vfs_node){0}, natural, length);
}

/* Looks at one name of the host: is it there still? */
static void look_at_host(teller *work, const vfs_directory_entry *entry)
{
    const level *top = &work->levels[work->depth - 1];
    const vfs_node directory = {
        .mount = &work->mount, .item = (uintptr_t)top->directory, .type = VFS_TYPE_DIRECTORY};
    size_t length;
    vfs_node node;
    const vfs_error error =
        vfs_overlay_backend.find(directory, entry->name, entry->name_length, &node);
    if (error == VFS_OK) {
        vfs_node_release(node);
    } else if (error == VFS_NO_ENTRY && extend(work, top, entry, &length)) {
        tell_one(work, length, TREE_REMOVED, entry->type, 0, NULL, NULL);
    }
}

/* One step; false without memory. */
static bool step(teller *work)
{
    level *top = &work->levels[work->depth - 1];
    vfs_directory_entry entry;
    bool found = false;
    vfs_error error;
    if (!top->host_is_next) {
        const vfs_node directory = {
            .mount = &work->mount, .item = (uintptr_t)top->directory, .type = VFS_TYPE_DIRECTORY};
        error = vfs_overlay_backend.list(directory, &top->cursor, &entry, &found);
        work->complete = work->complete && error == VFS_OK;
        if (error == VFS_OK && found) {
            return look_at(work, &entry);
        }
        top->host_is_next = true;
        top->cursor = 0;
        return true;
    }
    if (top->host.mount != NULL) {
        error = top->host.mount->backend->list(top->host, &top->cursor, &entry, &found);
        work->complete = work->complete && error == VFS_OK;
        if (error == VFS_OK && found) {
            look_at_host(work, &entry);
            return true;
        }
    }
    pop(work);
    return true;
}

bool vfs_overlay_tell(vfs_overlay *overlay, overlay_tell *tell, void *context)
{
    teller work = {.mount = vfs_overlay_mount(overlay),
                   .tell = tell,
                   .context = context,
                   .complete = true,
                   .more = true};
    vfs_node host;
    bool done = overlay_walk_host(&overlay->host, "", &host) == VFS_OK;
    if (done) {
        overlay->root->references++;
        done = push(&work, overlay->root, host, true, 0);
    }
    while (done && work.depth > 0 && work.more) {
        done = step(&work);
    }
    while (work.depth > 0) {
        pop(&work);
    }
    free(work.levels);
    return done && work.complete;
}

static vfs_error copy_target(vfs_node link, uint8_t **out_data, size_t *out_size)
{
    size_t length;
    const char *target = link.mount->backend->link_target(link, &length);
    uint8_t *data = malloc(length + 1);
    if (data == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    memcpy(data, target, length);
    *out_data = data;
    *out_size = length;
    return VFS_OK;
}

vfs_error vfs_read_origin(host_volume *volume, const char *path, uint8_t **out_data,
                          size_t *out_size)
{
    vfs_mount host = host_volume_mount(volume);
    vfs_node node;
    vfs_status status;
    vfs_error error = overlay_walk_host(&host, path, &node);
    if (error != VFS_OK) {
        return error;
    }
    if (node.type == VFS_TYPE_SYMBOLIC_LINK) {
        error = copy_target(node, out_data, out_size);
        vfs_node_release(node);
        return error;
    }
    error =
        node.type == VFS_TYPE_FILE ? host.backend->open(node, VFS_OPEN_READ) : VFS_NOT_PERMITTED;
    if (error == VFS_OK) {
        host.backend->stat(node, &status);
        uint8_t *data = status.size < SIZE_MAX ? malloc((size_t)status.size + 1) : NULL;
        error = data == NULL ? VFS_INSUFFICIENT_MEMORY
                             : host.backend->read(node, 0, data, (size_t)status.size, out_size);
        if (error == VFS_OK) {
            *out_data = data;
        } else {
            free(data);
        }
    }
    vfs_node_release(node);
    return error;
}
