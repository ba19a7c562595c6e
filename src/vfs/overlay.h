/*
 * A directory of the host that is read, under a tree of memory that is written.
 *
 * Nodes of memory lie over what the host has. One that stands for something of the host knows its
 * path there (memory_node.origin): the contents of a file until it is written to, and of a
 * directory what lies under it. One without hides all that the host has under its name, and one of
 * VFS_TYPE_UNKNOWN, a whiteout, says that there is nothing.
 */
#ifndef ERYX_VFS_OVERLAY_H
#define ERYX_VFS_OVERLAY_H

#include "vfs/internal.h"

/*
 * Makes one in which nothing is written yet.
 *
 * tree: that its nodes are charged to; must live as long.
 * volume: a directory; borrowed, must live as long.
 * device: of its mount; the one after it is that of what only the host has.
 * Errors: VFS_INSUFFICIENT_MEMORY.
 */
vfs_error vfs_overlay_create(memory_tree *tree, host_volume *volume, uint32_t device,
                             vfs_overlay **out_overlay);

/* Frees it with all that is written; what is open of it must be closed. NULL is allowed. */
void vfs_overlay_destroy(vfs_overlay *overlay);

/* The overlay seen at a mount point; above is for the caller to fill in. */
vfs_mount vfs_overlay_mount(vfs_overlay *overlay);

/* Whether a mount is one of an overlay; its storage is the overlay then. */
bool vfs_is_overlay(const vfs_mount *mount);

/* The root of what is written; belongs to the overlay. */
memory_node *vfs_overlay_memory(vfs_overlay *overlay);

/* The node of memory that a node stands for, NULL if only the host has it. Is not held. */
memory_node *vfs_overlay_upper(vfs_node node);

/*
 * Gives a node of another overlay of the same volume, whose memory is a copy of the one of this
 * node.
 *
 * upper: the copy of its node of memory; NULL if it has none.
 * out_item: held once for the caller.
 * Errors: VFS_INSUFFICIENT_MEMORY, VFS_READ_ONLY (a directory that only the host has).
 */
vfs_error vfs_overlay_copy_node(vfs_node node, memory_node *upper, vfs_overlay *to,
                                uintptr_t *out_item);

/* Gives a node of memory that lies in the overlay as one of it, as above. */
vfs_error vfs_overlay_node(vfs_overlay *overlay, memory_node *upper, uintptr_t *out_item);

/* Gives a directory that is open, and that only the host has so far, a node of memory. Errors as
 * those of making a directory. */
vfs_error vfs_overlay_settle(vfs_node node);

/*
 * Tells of all that is not as the host has it.
 *
 * tell: false to be told no more. path: within the overlay. node: of memory, NULL if it is gone or
 * only the host has it; size: of a file; origin: where the host has the contents of a file, NULL if
 * they are in the node. Returns false if something was left out.
 */
typedef bool overlay_tell(void *context, const char *path, size_t length, tree_difference what,
                          vfs_type type, uint64_t size, const memory_node *node,
                          const char *origin);
bool vfs_overlay_tell(vfs_overlay *overlay, overlay_tell *tell, void *context);

/*
 * Reads a whole file of a volume, or the target of a link, by its path there, without following
 * links.
 *
 * out_data: freed by the caller with free().
 * Errors: those of opening and reading it, VFS_INSUFFICIENT_MEMORY.
 */
vfs_error vfs_read_origin(host_volume *volume, const char *path, uint8_t **out_data,
                          size_t *out_size);

#endif
