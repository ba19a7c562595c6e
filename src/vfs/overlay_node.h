/* Nodes of an overlay, for the files of overlay*.c alone. */
#ifndef ERYX_VFS_OVERLAY_NODE_H
#define ERYX_VFS_OVERLAY_NODE_H

#include "vfs/overlay.h"

typedef struct overlay_node {
    size_t references;
    vfs_overlay *overlay;
    struct overlay_node *parent; /* counted; NULL for the root, and for what is open */
    memory_node *upper;          /* held; NULL if only the host has it */
    vfs_node lower;              /* held; no mount if there is none, or it was not looked for */
    vfs_type type;
    size_t name_length;
    char name[];
} overlay_node;

struct vfs_overlay {
    memory_tree *tree;
    vfs_mount host;
    vfs_mount memory; /* for the backend of memory */
    memory_node top;
    overlay_node *root;
    uint32_t device;
};

extern const vfs_backend vfs_overlay_backend;

static inline overlay_node *overlay_node_of(vfs_node node)
{
    return (overlay_node *)node.item;
}

/* A node of memory as its own backend sees it. */
static inline vfs_node overlay_in_memory(vfs_overlay *overlay, memory_node *node)
{
    return (vfs_node){.mount = &overlay->memory, .item = (uintptr_t)node, .type = node->type};
}

static inline bool overlay_is_whiteout(const memory_node *node)
{
    return node->type == VFS_TYPE_UNKNOWN;
}

/* Whether what is in a file, or a link, is still what the host has in it. */
static inline bool overlay_has_host_contents(const overlay_node *node)
{
    return node->upper == NULL || node->upper->origin != NULL;
}

/*
 * Makes a node with one holder.
 *
 * parent: gets one more; NULL for none. upper: is held; NULL for none.
 * lower: taken over, also on failure; no mount for none.
 * Errors: VFS_INSUFFICIENT_MEMORY.
 */
vfs_error overlay_node_create(vfs_overlay *overlay, overlay_node *parent, memory_node *upper,
                              vfs_node lower, const char *name, size_t length,
                              overlay_node **out_node);

/* Gives up one hold. NULL is allowed. */
void overlay_node_release(overlay_node *node);

/* Goes from the top of a volume to a path. out_node: held for the caller. */
vfs_error overlay_walk_host(vfs_mount *host, const char *path, vfs_node *out_node);

/* What the host has for a node; false if it is nothing. Belongs to the node. */
bool overlay_lower(overlay_node *node, vfs_node *out_lower);

/* The directory of the host that lies under one; false if there is none. */
bool overlay_lower_directory(overlay_node *directory, vfs_node *out_lower);

/* Whether the host has a name in the directory that lies under one. */
bool overlay_host_has(overlay_node *directory, const char *name, size_t length);

/* The name in the memory of a directory; NULL if there is none. */
memory_entry *overlay_entry(const overlay_node *directory, const char *name, size_t length);

/* The path of what has a name in a directory, "" for the top; freed by the caller. NULL without
 * memory. */
char *overlay_join(const char *directory, const char *name, size_t length);

/* The path in the host of what only the host has, from the directories that it lies in; freed by
 * the caller. NULL without memory, and if they are not known. */
char *overlay_host_path(const overlay_node *node);

/* Gives a node, and the directories that it lies in, nodes of memory. Errors: those of making them,
 * VFS_READ_ONLY for what is open for reading alone, VFS_NOT_PERMITTED for a device, VFS_NO_ENTRY if
 * it is not there any more. */
vfs_error overlay_ensure_upper(overlay_node *node);

/* Copies what the host has in a file to its node of memory, all or nothing. */
vfs_error overlay_copy_contents(overlay_node *node);

#endif
