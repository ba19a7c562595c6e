/* Trees of packages: archives that sandboxes see at /site-packages. */
#ifndef ERYX_VFS_PACKAGES_H
#define ERYX_VFS_PACKAGES_H

#include "eryx/eryx.h"
#include "vfs/internal.h"

/* One more owner; given back with eryx_packages_destroy(). NULL gives NULL. Threads: any. */
eryx_packages *packages_retain(eryx_packages *packages);

/* The tree seen at a mount point; device, above and read_only are for the caller to fill in. */
vfs_mount packages_mount(eryx_packages *packages);

#endif
