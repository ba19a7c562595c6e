/* What the files of served_*.c share. */
#ifndef ERYX_WORKER_SERVED_FILES_INTERNAL_H
#define ERYX_WORKER_SERVED_FILES_INTERNAL_H

#include "worker/served_files.h"

/* A node that the worker knows by its place here. */
typedef struct served_node {
    vfs_node node;   /* held; no mount for a free place */
    uint32_t given;  /* times that the worker was told of it; a root is not counted */
    uint32_t flags;  /* VFS_OPEN_READ and VFS_OPEN_WRITE, as it was opened */
    uint64_t serial; /* no other node has it */
} served_node;

/* A directory that locks a database, which the worker has made and not removed (vfs/locks.c). */
typedef struct served_lock {
    vfs_node directory; /* that it is in; held */
    uint64_t identity;
    size_t name_length;
    char name[VFS_NAME_MAX];
} served_lock;

struct served_files {
    vfs_mounts *mounts; /* counted */
    vfs_mount *roots;   /* by source; no backend for those that are not served */
    served_node *nodes; /* the roots first, by source */
    uint32_t count;
    uint32_t capacity;
    uint64_t last_serial;
    bool has_clock;    /* the guest has one of its own */
    uint64_t clock_ns; /* what it says */
    served_lock *locks;
    uint32_t lock_count;
    uint8_t *buffer; /* SERVICE_DATA_MAX; NULL before the first read */
};

/* Remembers a directory that was made, if it is one that locks a database. */
void served_locks_note(served_files *files, vfs_node directory, eryx_bytes name, vfs_node made);

/* Forgets one that is about to be removed. */
void served_locks_forget(served_files *files, vfs_node removed);

/* Removes those that are still there: their worker is gone. */
void served_locks_release(served_files *files);

#endif
