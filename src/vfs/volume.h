/*
 * Directories and files of the host, for guests to see.
 *
 * Everything is reached from the descriptor of the volume by one plain name at a time, and links
 * are not followed by the kernel: no name that a guest gives or that somebody swaps meanwhile leads
 * out of the volume. Only regular files are ever opened for reading or writing.
 */
#ifndef ERYX_VFS_VOLUME_H
#define ERYX_VFS_VOLUME_H

#include <stdbool.h>

#include "base/descriptors.h"
#include "eryx/eryx.h"

/* Somebody else may have them as well: internal.h says what a volume is to those that mount it. */
typedef struct host_volume host_volume;

struct vfs_mount;

/*
 * Opens a directory or a regular file of the host.
 *
 * path: from the embedder, never from a guest; links in it are followed.
 * descriptors: what its files count to, which gets one more owner; NULL for the process alone.
 * out_volume: closed with host_volume_close() when no tree has it mounted any more.
 * Errors: INITIALIZATION (no such thing, or neither a directory nor a file; the message names the
 * path), OUT_OF_MEMORY.
 */
eryx_status host_volume_open(const char *path, bool read_only, descriptor_share *descriptors,
                             host_volume **out_volume, eryx_error *out_error);

/* Closes a volume; no file of it may be open. NULL is allowed. */
void host_volume_close(host_volume *volume);

/* The volume seen at a mount point; device, above and read_only are for the caller to fill in. */
struct vfs_mount host_volume_mount(const host_volume *volume);

#endif
