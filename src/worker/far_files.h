/*
 * Files that the parent of a worker has, as mounts of a sandbox there: each step is asked of the
 * parent (service.h).
 */
#ifndef ERYX_WORKER_FAR_FILES_H
#define ERYX_WORKER_FAR_FILES_H

#include "vfs/internal.h"
#include "worker/asking.h"

/* What the files of one sandbox have in common. */
typedef struct far_files far_files;

/* asks: gets one more owner. NULL without memory. */
far_files *far_files_create(asking *asks);

/* Gives up the maker's share: it lives as long as its volumes. NULL is allowed. */
void far_files_release(far_files *files);

/* What is to be known of a volume of the parent. */
typedef struct far_volume_options {
    uint32_t number;  /* of its root, as a node */
    uint32_t storage; /* of the first volume with the same storage, itself if there is none */
    vfs_type root_type;
    bool is_storage; /* it is in memory: modes can be set, and links may lead out of it */
} far_volume_options;

/* A volume of it, which vfs_mounts_add_volume() takes; NULL without memory. */
host_volume *far_volume_create(far_files *files, const far_volume_options *options);

#endif
