#include "vfs/overlay_node.h"

#include <stdlib.h>
#include <string.h>

enum { COPY_STEP = 65536 };

/* ---- Nodes ------------------------------------------------------------------------------------
 */

void overlay_node_release(overlay_node *node)
{
    while (node != NULL && --node->references == 0) {
        overlay_node *parent = node->parent;
        if (node->upper != NULL) {
            vfs_memory_backend.release(overlay_in_memory(node->overlay, node->upper));
        }
        if (node->lower.mount != NULL) {
            vfs_node_release(node->lower);
        }
        free(node);
        node = parent;
    }
}

static void hold_upper(overlay_node *node, memory_node *upper)
{
    vfs_memory_backend.retain(overlay_in_memory(node->overlay, upper));
    node->upper = upper;
}

/* parent: NULL for none. upper: NULL for none. lower: taken over, also on failure; no mount for
 * none. */
vfs_error overlay_node_create(vfs_overlay *overlay, overlay_node *parent, memory_node *upper,
                              vfs_node lower, const char *name, size_t length,
                              overlay_node **out_node)
{
    overlay_node *node = malloc(sizeof *node + length);
    if (node == NULL) {
        if (lower.mount != NULL) {
            vfs_node_release(lower);
        }
        return VFS_INSUFFICIENT_MEMORY;
    }
    *node = (overlay_node){.references = 1,
                           .overlay = overlay,
                           .parent = parent,
                           .lower = lower,
                           .type = upper != NULL ? upper->type : lower.type,
                           .name_length = length};
    if (length > 0) {
        memcpy(node->name, name, length);
    }
    if (parent != NULL) {
        parent->references++;
    }
    if (upper != NULL) {
        hold_upper(node, upper);
    }
    *out_node = node;
    return VFS_OK;
}

/* Goes from the top of a volume to a path. out_node: held. */
vfs_error overlay_walk_host(vfs_mount *host, const char *path, vfs_node *out_node)
{
    vfs_node node =
        vfs_node_retain((vfs_node){.mount = host, .item = host->root, .type = host->root_type});
    while (*path != '\0') {
        const size_t length = strcspn(path, "/");
        vfs_node next;
        vfs_error error = VFS_NOT_DIRECTORY;
        if (length > VFS_NAME_MAX) {
            error = VFS_NAME_TOO_LONG;
        } else if (node.type == VFS_TYPE_DIRECTORY) {
            error = host->backend->find(node, path, length, &next);
        }
        vfs_node_release(node);
        if (error != VFS_OK) {
            return error;
        }
        node = next;
        path += length + (path[length] == '/');
    }
    *out_node = node;
    return VFS_OK;
}

/* What the host has for a node; false if it is nothing. Belongs to the node. */
bool overlay_lower(overlay_node *node, vfs_node *out_lower)
{
    if (node->lower.mount == NULL) {
        if (node->upper == NULL || node->upper->origin == NULL) {
            return false;
        }
        if (overlay_walk_host(&node->overlay->host, node->upper->origin, &node->lower) != VFS_OK) {
            node->lower.mount = NULL;
            return false;
        }
    }
    *out_lower = node->lower;
    return true;
}

/* The directory of the host that lies under one; false if there is none. A directory of memory
 * without an origin has none, whatever was there before. */
bool overlay_lower_directory(overlay_node *directory, vfs_node *out_lower)
{
    if (directory->upper != NULL && directory->upper->origin == NULL) {
        return false;
    }
    return overlay_lower(directory, out_lower) && out_lower->type == VFS_TYPE_DIRECTORY;
}

bool overlay_host_has(overlay_node *directory, const char *name, size_t length)
{
    vfs_node lower;
    vfs_node found;
    if (!overlay_lower_directory(directory, &lower) ||
        lower.mount->backend->find(lower, name, length, &found) != VFS_OK) {
        return false;
    }
    vfs_node_release(found);
    return true;
}

memory_entry *overlay_entry(const overlay_node *directory, const char *name, size_t length)
{
    return directory->upper != NULL ? memory_directory_find(directory->upper, name, length) : NULL;
}

/* ---- Nodes of memory for what the host has ----------------------------------------------------
 */

/* The path in the host of what has a name in a directory there; freed by the caller. */
char *overlay_join(const char *directory, const char *name, size_t length)
{
    const size_t size = strlen(directory);
    char *path = malloc(size + length + 2);
    if (path != NULL) {
        memcpy(path, directory, size);
        path[size] = '/';
        memcpy(path + size + (size > 0), name, length);
        path[size + (size > 0) + length] = '\0';
    }
    return path;
}

char *overlay_host_path(const overlay_node *node)
{
    if (node->upper != NULL || node->parent == NULL) {
        return NULL;
    }
    char *path = overlay_join("", node->name, node->name_length);
    const overlay_node *directory = node->parent;
    for (; path != NULL && directory != NULL && directory->upper == NULL;
         directory = directory->parent) {
        char *name = overlay_join("", directory->name, directory->name_length);
        char *longer = name != NULL ? overlay_join(name, path, strlen(path)) : NULL;
        free(name);
        free(path);
        path = longer;
    }
    if (path == NULL || directory == NULL || directory->upper->origin == NULL) {
        free(path);
        return NULL;
    }
    char *whole = overlay_join(directory->upper->origin, path, strlen(path));
    free(path);
    return whole;
}

static vfs_error make_upper_at(overlay_node *node, memory_node *directory, const char *path)
{
    vfs_overlay *overlay = node->overlay;
    const bool is_link = node->type == VFS_TYPE_SYMBOLIC_LINK;
    size_t target_length = 0;
    const char *target =
        is_link ? overlay->host.backend->link_target(node->lower, &target_length) : NULL;
    memory_node *made;
    vfs_error error = memory_node_create(overlay->tree, node->type, target, target_length, &made);
    if (error == VFS_OK && !is_link) {
        error = memory_node_set_origin(made, path, strlen(path));
        if (error != VFS_OK) {
            memory_node_free(made);
        }
    }
    if (error != VFS_OK) {
        return error;
    }
    const vfs_time modified = directory->modified;
    const vfs_time changed = directory->changed;
    error = memory_node_add_name(directory, node->name, node->name_length, made);
    if (error != VFS_OK) {
        memory_node_free(made);
        return error;
    }
    directory->modified = modified;
    directory->changed = changed;
    vfs_status status;
    overlay->host.backend->stat(node->lower, &status);
    made->mode = status.mode;
    made->accessed = status.accessed;
    made->modified = status.modified;
    made->changed = status.changed;
    hold_upper(node, made);
    return VFS_OK;
}

/* Makes the node of memory of one whose directory has one. */
static vfs_error make_upper(overlay_node *node)
{
    if (node->parent == NULL) {
        return VFS_READ_ONLY; /* it is open for reading alone */
    }
    if (node->type == VFS_TYPE_UNKNOWN) {
        return VFS_NOT_PERMITTED; /* a device, a pipe, a socket */
    }
    memory_node *directory = node->parent->upper;
    if (directory->origin == NULL) {
        return VFS_NO_ENTRY;
    }
    char *path = overlay_join(directory->origin, node->name, node->name_length);
    if (path == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    memory_entry *entry = overlay_entry(node->parent, node->name, node->name_length);
    vfs_error error = VFS_OK;
    if (entry == NULL) {
        error = make_upper_at(node, directory, path);
    } else if (entry->node->type == node->type && entry->node->origin != NULL &&
               strcmp(entry->node->origin, path) == 0) {
        hold_upper(node, entry->node);
    } else {
        error = VFS_NO_ENTRY;
    }
    free(path);
    return error;
}

vfs_error overlay_ensure_upper(overlay_node *node)
{
    while (node->upper == NULL) {
        overlay_node *first = node;
        while (first->parent != NULL && first->parent->upper == NULL) {
            first = first->parent;
        }
        vfs_error error = make_upper(first);
        if (error != VFS_OK) {
            return error;
        }
    }
    return VFS_OK;
}

/* Copies what the host has in a file to its node of memory, all or nothing. */
vfs_error overlay_copy_contents(overlay_node *node)
{
    memory_node *upper = node->upper;
    vfs_node lower;
    vfs_status status;
    if (!overlay_lower(node, &lower) || lower.type != VFS_TYPE_FILE) {
        return VFS_NO_ENTRY;
    }
    vfs_error error = lower.mount->backend->open(lower, VFS_OPEN_READ);
    if (error != VFS_OK) {
        return error;
    }
    lower.mount->backend->stat(lower, &status);
    if (status.size > memory_room(upper->tree)) {
        return VFS_INSUFFICIENT_SPACE;
    }
    uint8_t *buffer = malloc(COPY_STEP);
    if (buffer == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    uint64_t offset = 0;
    size_t got = COPY_STEP;
    while (error == VFS_OK && got == COPY_STEP) {
        size_t done = 0;
        error = lower.mount->backend->read(lower, offset, buffer, COPY_STEP, &got);
        if (error == VFS_OK && got > 0) {
            error = memory_file_write(upper, offset, buffer, got, &done);
            if (error == VFS_OK && done < got) {
                error = VFS_INSUFFICIENT_SPACE;
            }
        }
        offset += got;
    }
    free(buffer);
    if (error != VFS_OK) {
        memory_file_free(upper);
        return error;
    }
    memory_node_drop_origin(upper);
    return VFS_OK;
}

/* ---- Overlays ---------------------------------------------------------------------------------
 */

vfs_error vfs_overlay_create(memory_tree *tree, host_volume *volume, uint32_t device,
                             vfs_overlay **out_overlay)
{
    vfs_overlay *overlay = calloc(1, sizeof *overlay);
    if (overlay == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    overlay->tree = tree;
    overlay->device = device;
    overlay->host = host_volume_mount(volume);
    overlay->host.device = device + 1;
    overlay->host.read_only = true;
    memory_root_init(&overlay->top, tree);
    overlay->memory = (vfs_mount){.backend = &vfs_memory_backend,
                                  .storage = tree,
                                  .root = (uintptr_t)&overlay->top,
                                  .root_type = VFS_TYPE_DIRECTORY};
    const vfs_node lower = vfs_node_retain((vfs_node){
        .mount = &overlay->host, .item = overlay->host.root, .type = overlay->host.root_type});
    vfs_error error =
        overlay_node_create(overlay, NULL, &overlay->top, lower, "", 0, &overlay->root);
    if (error == VFS_OK) {
        error = memory_node_set_origin(&overlay->top, "", 0);
    }
    if (error != VFS_OK) {
        vfs_overlay_destroy(overlay);
        return error;
    }
    *out_overlay = overlay;
    return VFS_OK;
}

void vfs_overlay_destroy(vfs_overlay *overlay)
{
    if (overlay != NULL) {
        overlay_node_release(overlay->root);
        memory_node_drop_origin(&overlay->top);
        memory_root_clear(&overlay->top);
        free(overlay);
    }
}

vfs_mount vfs_overlay_mount(vfs_overlay *overlay)
{
    return (vfs_mount){.backend = &vfs_overlay_backend,
                       .storage = overlay,
                       .root = (uintptr_t)overlay->root,
                       .root_type = VFS_TYPE_DIRECTORY,
                       .device = overlay->device,
                       .confines_links = true};
}

bool vfs_is_overlay(const vfs_mount *mount)
{
    return mount->backend == &vfs_overlay_backend;
}

memory_node *vfs_overlay_memory(vfs_overlay *overlay)
{
    return &overlay->top;
}

memory_node *vfs_overlay_upper(vfs_node node)
{
    return node.mount->backend == &vfs_overlay_backend ? overlay_node_of(node)->upper : NULL;
}

vfs_error vfs_overlay_node(vfs_overlay *overlay, memory_node *upper, uintptr_t *out_item)
{
    overlay_node *node;
    if (upper == &overlay->top) {
        overlay->root->references++;
        *out_item = (uintptr_t)overlay->root;
        return VFS_OK;
    }
    vfs_error error = overlay_node_create(overlay, NULL, upper, (vfs_node){0}, "", 0, &node);
    if (error == VFS_OK) {
        *out_item = (uintptr_t)node;
    }
    return error;
}

vfs_error vfs_overlay_copy_node(vfs_node node, memory_node *upper, vfs_overlay *to,
                                uintptr_t *out_item)
{
    const overlay_node *from = overlay_node_of(node);
    if (upper != NULL) {
        return vfs_overlay_node(to, upper, out_item);
    }
    if (from->type != VFS_TYPE_FILE) {
        return VFS_READ_ONLY;
    }
    vfs_node lower = vfs_node_retain(from->lower); /* open, for whoever has it */
    lower.mount = &to->host;
    overlay_node *copy;
    vfs_error error = overlay_node_create(to, NULL, NULL, lower, "", 0, &copy);
    if (error == VFS_OK) {
        *out_item = (uintptr_t)copy;
    }
    return error;
}

vfs_error vfs_overlay_settle(vfs_node node)
{
    overlay_node *open = overlay_node_of(node);
    return open->type == VFS_TYPE_DIRECTORY ? overlay_ensure_upper(open) : VFS_OK;
}
