/* What has changed of the files that a sandbox has in memory, from one moment to another. */
#ifndef ERYX_VFS_CHANGES_H
#define ERYX_VFS_CHANGES_H

#include "eryx/eryx.h"
#include "vfs/vfs.h"

/* Begins to watch /data, /tmp and the storages that can be written, instead of what was watched
 * before. Without memory nothing is told of the storages. */
void vfs_watch_begin(vfs *files);

/*
 * Ends to watch, and gives what is different.
 *
 * Returns a list for the caller to free with eryx_changes_destroy(), or NULL if nothing is.
 */
eryx_changes *vfs_watch_end(vfs *files);

/*
 * What is written in an overlay, and not as the host has it.
 *
 * path: where it is mounted.
 * out_changes: for the caller to free; NULL if nothing is.
 * Errors: VFS_NO_ENTRY (none is mounted there).
 */
vfs_error vfs_overlay_changes(vfs *files, const char *path, eryx_changes **out_changes);

/* Forgets what is written in an overlay. Errors as above. */
vfs_error vfs_overlay_discard(vfs *files, const char *path);

/* Ends to watch. */
void vfs_watch_stop(vfs *files);

#endif
