/* The backend of overlays: what is under a directory of memory and one of the host. */
#include <string.h>

#include "vfs/overlay_node.h"

/* A directory of the host is listed first, and then what only memory has: these cursors, which no
 * file system gives. */
#define MEMORY_CURSORS UINT64_C(0x7fffffff00000000)
#define MEMORY_CURSORS_END UINT64_C(0x7fffffffffffff00)

static vfs_error wrap(vfs_mount *mount, overlay_node *parent, memory_node *upper, vfs_node lower,
                      const char *name, size_t length, vfs_node *out_node)
{
    overlay_node *node;
    vfs_error error =
        overlay_node_create(parent->overlay, parent, upper, lower, name, length, &node);
    if (error == VFS_OK) {
        *out_node = (vfs_node){.mount = mount, .item = (uintptr_t)node, .type = node->type};
    }
    return error;
}

static void retain(vfs_node node)
{
    overlay_node_of(node)->references++;
}

static void release(vfs_node node)
{
    overlay_node_release(overlay_node_of(node));
}

static vfs_error find(vfs_node directory, const char *name, size_t length, vfs_node *out_node)
{
    overlay_node *holder = overlay_node_of(directory);
    const memory_entry *entry = overlay_entry(holder, name, length);
    vfs_node lower = {0};
    if (entry != NULL) {
        return overlay_is_whiteout(entry->node)
                   ? VFS_NO_ENTRY
                   : wrap(directory.mount, holder, entry->node, lower, name, length, out_node);
    }
    vfs_node place;
    if (!overlay_lower_directory(holder, &place)) {
        return VFS_NO_ENTRY;
    }
    vfs_error error = place.mount->backend->find(place, name, length, &lower);
    return error != VFS_OK ? error
                           : wrap(directory.mount, holder, NULL, lower, name, length, out_node);
}

static vfs_error parent(vfs_node directory, vfs_node *out_node)
{
    overlay_node *node = overlay_node_of(directory);
    vfs_overlay *overlay = node->overlay;
    if (node == overlay->root || node->upper == &overlay->top) {
        *out_node = vfs_node_retain(directory.mount->above);
        return VFS_OK;
    }
    overlay_node *above = node->parent;
    if (node->upper != NULL) {
        memory_node *upper = node->upper->directory.parent;
        if (upper == NULL) {
            return VFS_NO_ENTRY;
        }
        if (upper == &overlay->top) {
            above = overlay->root;
        } else if (above == NULL || above->upper != upper) {
            uintptr_t item; /* it was moved, or comes from a saved session */
            vfs_error error = vfs_overlay_node(overlay, upper, &item);
            if (error == VFS_OK) {
                *out_node = (vfs_node){directory.mount, item, VFS_TYPE_DIRECTORY};
            }
            return error;
        }
    }
    if (above == NULL) {
        return VFS_NO_ENTRY;
    }
    *out_node = vfs_node_retain((vfs_node){directory.mount, (uintptr_t)above, VFS_TYPE_DIRECTORY});
    return VFS_OK;
}

/* ---- What it is -------------------------------------------------------------------------------
 */

static void stat_node(vfs_node node, vfs_status *out_status)
{
    overlay_node *asked = overlay_node_of(node);
    vfs_node lower;
    vfs_status status;
    if (asked->upper == NULL) {
        asked->overlay->host.backend->stat(asked->lower, out_status);
        return;
    }
    vfs_memory_backend.stat(
        (vfs_node){.mount = node.mount, .item = (uintptr_t)asked->upper, .type = asked->type},
        out_status);
    if (asked->type == VFS_TYPE_FILE && overlay_has_host_contents(asked) &&
        overlay_lower(asked, &lower)) {
        lower.mount->backend->stat(lower, &status);
        out_status->size = status.size;
    }
}

static const char *link_target(vfs_node node, size_t *out_length)
{
    overlay_node *link = overlay_node_of(node);
    return link->upper != NULL ? vfs_memory_backend.link_target(
                                     overlay_in_memory(link->overlay, link->upper), out_length)
                               : link->overlay->host.backend->link_target(link->lower, out_length);
}

static vfs_error set_times(vfs_node node, const vfs_new_time *accessed,
                           const vfs_new_time *modified)
{
    overlay_node *changed = overlay_node_of(node);
    vfs_error error = overlay_ensure_upper(changed);
    return error != VFS_OK
               ? error
               : vfs_memory_backend.set_times(overlay_in_memory(changed->overlay, changed->upper),
                                              accessed, modified);
}

static vfs_error set_mode(vfs_node node, uint16_t mode)
{
    overlay_node *changed = overlay_node_of(node);
    vfs_error error = overlay_ensure_upper(changed);
    return error != VFS_OK ? error
                           : vfs_memory_backend.set_mode(
                                 overlay_in_memory(changed->overlay, changed->upper), mode);
}

/* The next name that the host has, and that is not taken away; its type is that of what lies over
 * it. */
static vfs_error list_lower(overlay_node *directory, vfs_node lower, uint64_t *cursor,
                            vfs_directory_entry *out_entry, bool *out_found)
{
    for (;;) {
        vfs_error error = lower.mount->backend->list(lower, cursor, out_entry, out_found);
        if (error != VFS_OK || !*out_found) {
            return error;
        }
        const memory_entry *entry =
            overlay_entry(directory, out_entry->name, out_entry->name_length);
        if (entry == NULL) {
            return VFS_OK;
        }
        if (!overlay_is_whiteout(entry->node)) {
            out_entry->type = entry->node->type;
            return VFS_OK;
        }
    }
}

/* The next name that only memory has. */
static vfs_error list_upper(overlay_node *directory, uint64_t *cursor,
                            vfs_directory_entry *out_entry, bool *out_found)
{
    uint64_t place = *cursor - MEMORY_CURSORS;
    const memory_entry *entry;
    *out_found = false;
    while (directory->upper != NULL && place < MEMORY_CURSORS_END - MEMORY_CURSORS &&
           (entry = memory_directory_next(directory->upper, &place)) != NULL) {
        if (!overlay_is_whiteout(entry->node) &&
            !overlay_host_has(directory, entry->name, entry->name_length)) {
            out_entry->type = entry->node->type;
            out_entry->name_length = entry->name_length;
            memcpy(out_entry->name, entry->name, entry->name_length);
            *out_found = true;
            break;
        }
    }
    *cursor = MEMORY_CURSORS + place;
    return VFS_OK;
}

static vfs_error list(vfs_node node, uint64_t *cursor, vfs_directory_entry *out_entry,
                      bool *out_found)
{
    overlay_node *directory = overlay_node_of(node);
    vfs_node lower;
    if (*cursor < MEMORY_CURSORS || *cursor >= MEMORY_CURSORS_END) {
        if (overlay_lower_directory(directory, &lower)) {
            vfs_error error = list_lower(directory, lower, cursor, out_entry, out_found);
            if (error != VFS_OK || *out_found) {
                return error;
            }
        }
        *cursor = MEMORY_CURSORS;
    }
    return list_upper(directory, cursor, out_entry, out_found);
}

static vfs_error check_empty(vfs_node directory)
{
    uint64_t cursor = 0;
    vfs_directory_entry entry;
    bool found;
    vfs_error error = list(directory, &cursor, &entry, &found);
    return error != VFS_OK ? error : found ? VFS_NOT_EMPTY : VFS_OK;
}

/* ---- Contents ---------------------------------------------------------------------------------
 */

static vfs_error open_node(vfs_node node, uint32_t flags)
{
    overlay_node *opened = overlay_node_of(node);
    if (opened->type == VFS_TYPE_DIRECTORY) {
        return VFS_OK;
    }
    if (opened->type != VFS_TYPE_FILE) {
        return VFS_NOT_PERMITTED; /* a device, a pipe, a socket */
    }
    vfs_error error = VFS_OK;
    if ((flags & (VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE)) != 0) {
        error = overlay_ensure_upper(opened);
    }
    if (error == VFS_OK && overlay_has_host_contents(opened) && (flags & VFS_OPEN_TRUNCATE) == 0) {
        vfs_node lower;
        error = overlay_lower(opened, &lower) && lower.type == VFS_TYPE_FILE
                    ? lower.mount->backend->open(lower, VFS_OPEN_READ)
                    : VFS_NO_ENTRY;
    }
    if (error == VFS_OK) {
        overlay_node_release(opened->parent); /* whose descriptors are free again */
        opened->parent = NULL;
    }
    return error;
}

static vfs_error read_node(vfs_node node, uint64_t offset, uint8_t *buffer, size_t size,
                           size_t *out_got)
{
    overlay_node *file = overlay_node_of(node);
    vfs_node lower;
    if (!overlay_has_host_contents(file)) {
        return vfs_memory_backend.read(overlay_in_memory(file->overlay, file->upper), offset,
                                       buffer, size, out_got);
    }
    if (!overlay_lower(file, &lower) || lower.type != VFS_TYPE_FILE) {
        return VFS_NO_ENTRY;
    }
    vfs_error error = lower.mount->backend->open(lower, VFS_OPEN_READ);
    return error != VFS_OK ? error
                           : lower.mount->backend->read(lower, offset, buffer, size, out_got);
}

static vfs_error write_node(vfs_node node, uint64_t offset, const uint8_t *data, size_t size,
                            size_t *out_done)
{
    overlay_node *file = overlay_node_of(node);
    if (file->upper == NULL) {
        return VFS_BAD_DESCRIPTOR;
    }
    vfs_error error = file->upper->origin != NULL ? overlay_copy_contents(file) : VFS_OK;
    return error != VFS_OK ? error
                           : vfs_memory_backend.write(overlay_in_memory(file->overlay, file->upper),
                                                      offset, data, size, out_done);
}

static vfs_error set_size(vfs_node node, uint64_t size)
{
    overlay_node *file = overlay_node_of(node);
    if (file->upper == NULL) {
        return VFS_BAD_DESCRIPTOR;
    }
    vfs_error error = VFS_OK;
    if (file->upper->origin != NULL && size > 0) {
        error = overlay_copy_contents(file);
    } else if (file->upper->origin != NULL) {
        memory_node_drop_origin(file->upper);
    }
    return error != VFS_OK
               ? error
               : vfs_memory_backend.set_size(overlay_in_memory(file->overlay, file->upper), size);
}

/* ---- Names ------------------------------------------------------------------------------------
 */

static void remove_entry(vfs_overlay *overlay, memory_node *directory, const memory_entry *entry)
{
    char name[VFS_NAME_MAX];
    const size_t length = entry->name_length;
    memcpy(name, entry->name, length);
    (void)vfs_memory_backend.remove(overlay_in_memory(overlay, directory), name, length,
                                    overlay_in_memory(overlay, entry->node));
}

/* Says that there is nothing under a name. free_of_charge: in the place of a node that has just
 * lost it. */
static vfs_error add_whiteout(vfs_overlay *overlay, memory_node *directory, const char *name,
                              size_t length, bool free_of_charge)
{
    memory_node *whiteout;
    vfs_error error = memory_node_create(overlay->tree, VFS_TYPE_UNKNOWN, NULL, 0, &whiteout);
    if (error != VFS_OK) {
        return error;
    }
    const uint64_t most = overlay->tree->quota.max_entries;
    if (free_of_charge) {
        overlay->tree->quota.max_entries = UINT64_MAX;
    }
    error = memory_node_add_name(directory, name, length, whiteout);
    overlay->tree->quota.max_entries = most;
    if (error != VFS_OK) {
        memory_node_free(whiteout);
    }
    return error;
}

/* Takes a whiteout away; *out_was says whether there was one. */
static void lift_whiteout(overlay_node *directory, const char *name, size_t length, bool *out_was)
{
    const memory_entry *entry = overlay_entry(directory, name, length);
    *out_was = entry != NULL && overlay_is_whiteout(entry->node);
    if (*out_was) {
        remove_entry(directory->overlay, directory->upper, entry);
    }
}

static void put_whiteout_back(overlay_node *directory, const char *name, size_t length, bool was)
{
    if (was) {
        (void)add_whiteout(directory->overlay, directory->upper, name, length, true);
    }
}

/* A directory that is empty may hold whiteouts. */
static void clear_whiteouts(vfs_overlay *overlay, memory_node *directory)
{
    uint64_t cursor = 0;
    const memory_entry *entry;
    while ((entry = memory_directory_next(directory, &cursor)) != NULL) {
        if (overlay_is_whiteout(entry->node)) {
            remove_entry(overlay, directory, entry);
        }
    }
}

static vfs_error make(vfs_node directory, const char *name, size_t length, vfs_type type,
                      const char *target, size_t target_length, vfs_node *out_node)
{
    overlay_node *holder = overlay_node_of(directory);
    vfs_error error = overlay_ensure_upper(holder);
    if (error != VFS_OK) {
        return error;
    }
    bool was;
    vfs_node made;
    lift_whiteout(holder, name, length, &was);
    error = vfs_memory_backend.make(overlay_in_memory(holder->overlay, holder->upper), name, length,
                                    type, target, target_length, &made);
    if (error == VFS_OK) {
        error = wrap(directory.mount, holder, (memory_node *)made.item, (vfs_node){0}, name, length,
                     out_node);
        if (error != VFS_OK) {
            (void)vfs_memory_backend.remove(overlay_in_memory(holder->overlay, holder->upper), name,
                                            length, made);
        }
        vfs_memory_backend.release(made);
    }
    if (error != VFS_OK) {
        put_whiteout_back(holder, name, length, was);
    }
    return error;
}

static vfs_error link_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    overlay_node *holder = overlay_node_of(directory);
    overlay_node *linked = overlay_node_of(node);
    vfs_error error = overlay_ensure_upper(holder);
    if (error == VFS_OK) {
        error = overlay_ensure_upper(linked);
    }
    if (error != VFS_OK) {
        return error;
    }
    bool was;
    lift_whiteout(holder, name, length, &was);
    error = vfs_memory_backend.link(overlay_in_memory(holder->overlay, holder->upper), name, length,
                                    overlay_in_memory(holder->overlay, linked->upper));
    if (error != VFS_OK) {
        put_whiteout_back(holder, name, length, was);
    }
    return error;
}

static vfs_error remove_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    overlay_node *holder = overlay_node_of(directory);
    const overlay_node *gone = overlay_node_of(node);
    vfs_overlay *overlay = holder->overlay;
    vfs_error error = gone->type == VFS_TYPE_DIRECTORY ? check_empty(node) : VFS_OK;
    if (error == VFS_OK) {
        error = overlay_ensure_upper(holder);
    }
    if (error != VFS_OK) {
        return error;
    }
    const bool hides = overlay_host_has(holder, name, length);
    const memory_entry *entry = overlay_entry(holder, name, length);
    if (entry != NULL) {
        if (entry->node != gone->upper) {
            return VFS_NO_ENTRY;
        }
        if (entry->node->type == VFS_TYPE_DIRECTORY) {
            clear_whiteouts(overlay, entry->node);
        }
        error = vfs_memory_backend.remove(overlay_in_memory(overlay, holder->upper), name, length,
                                          overlay_in_memory(overlay, gone->upper));
        if (error != VFS_OK) {
            return error;
        }
    }
    return hides ? add_whiteout(overlay, holder->upper, name, length, entry != NULL) : VFS_OK;
}

static vfs_error rename_node(vfs_node old_directory, const char *old_name, size_t old_length,
                             vfs_node node, vfs_node new_directory, const char *new_name,
                             size_t new_length, const vfs_node *replaced)
{
    overlay_node *from = overlay_node_of(old_directory);
    overlay_node *to = overlay_node_of(new_directory);
    overlay_node *moved = overlay_node_of(node);
    vfs_overlay *overlay = from->overlay;
    const bool replaces_directory = replaced != NULL && replaced->type == VFS_TYPE_DIRECTORY;
    vfs_error error = overlay_ensure_upper(to);
    if (error == VFS_OK) {
        error = overlay_ensure_upper(moved);
    }
    if (error == VFS_OK) {
        error = overlay_ensure_upper(from);
    }
    if (error != VFS_OK) {
        return error;
    }
    memory_entry *entry = overlay_entry(to, new_name, new_length);
    if (entry != NULL && entry->node == moved->upper) {
        return VFS_OK; /* two names of one file, or the same one */
    }
    if (replaces_directory) {
        error = check_empty(*replaced);
        if (error != VFS_OK) {
            return error;
        }
    }
    bool was;
    lift_whiteout(to, new_name, new_length, &was);
    entry = overlay_entry(to, new_name, new_length);
    if (entry != NULL && entry->node->type == VFS_TYPE_DIRECTORY) {
        clear_whiteouts(overlay, entry->node);
    }
    const bool hides = overlay_host_has(from, old_name, old_length);
    error = vfs_memory_backend.rename(overlay_in_memory(overlay, from->upper), old_name, old_length,
                                      overlay_in_memory(overlay, moved->upper),
                                      overlay_in_memory(overlay, to->upper), new_name, new_length,
                                      NULL);
    if (error != VFS_OK) {
        put_whiteout_back(to, new_name, new_length, was);
        return error;
    }
    return hides ? add_whiteout(overlay, from->upper, old_name, old_length, true) : VFS_OK;
}

const vfs_backend vfs_overlay_backend = {
    .retain = retain,
    .release = release,
    .find = find,
    .find_steps = 15, /* as in a volume */
    .parent = parent,
    .stat = stat_node,
    .list = list,
    .read = read_node,
    .link_target = link_target,
    .write = write_node,
    .set_size = set_size,
    .open = open_node,
    .set_times = set_times,
    .set_mode = set_mode,
    .make = make,
    .link = link_node,
    .remove = remove_node,
    .rename = rename_node,
};
