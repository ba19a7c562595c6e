/*
 * How the file system is put together: mounts, each with a backend that knows its kind of tree, and
 * walks along a path through them. Only files of this folder include this.
 */
#ifndef ERYX_VFS_INTERNAL_H
#define ERYX_VFS_INTERNAL_H

#include <stdatomic.h>

#include "vfs/memory.h"
#include "vfs/question.h"
#include "vfs/vfs.h"

typedef struct vfs_mount vfs_mount;
typedef struct vfs_walk vfs_walk;
typedef struct vfs_overlay vfs_overlay;
typedef struct vfs_provider vfs_provider;

/* A file, directory, link or device. A value that is copied freely; whoever keeps one holds a count
 * on it (vfs_node_retain, vfs_node_release). */
typedef struct vfs_node {
    vfs_mount *mount;
    uintptr_t item; /* what the backend of the mount makes of it */
    vfs_type type;
} vfs_node;

/* Numbers of devices; those of what was added follow. */
enum {
    DEVICE_SYSTEM = 1,
    DEVICE_MEMORY = 2,
    DEVICE_STDLIB = 3,
    DEVICE_ADDED = 4,
};

/* Offset for vfs_backend.write: the end of the file. No real offset is that large. */
#define VFS_OFFSET_END UINT64_MAX

/* Largest length of a file that the off_t of a guest can express. */
#define VFS_FILE_SIZE_MAX ((uint64_t)INT64_MAX)

/*
 * One kind of tree. Directories are checked to be directories, and names to be plain and of a legal
 * length, before a backend sees them. A node that comes out is held for the caller.
 */
typedef struct vfs_backend {
    /* NULL if items live as long as their mount. */
    void (*retain)(vfs_node node);
    void (*release)(vfs_node node);

    vfs_error (*find)(vfs_node directory, const char *name, size_t length, vfs_node *out_node);
    uint32_t find_steps; /* that one such look-up counts as, above the one of its component */
    vfs_error (*parent)(vfs_node directory, vfs_node *out_node);
    void (*stat)(vfs_node node, vfs_status *out_status);
    vfs_error (*list)(vfs_node directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                      bool *out_found);
    vfs_error (*read)(vfs_node node, uint64_t offset, uint8_t *buffer, size_t size,
                      size_t *out_got);

    /* Target of a symbolic link, lives as long as the node is held; NULL if there are no links. */
    const char *(*link_target)(vfs_node node, size_t *out_length);

    /* NULL if nothing can be written. offset: may be VFS_OFFSET_END. */
    vfs_error (*write)(vfs_node node, uint64_t offset, const uint8_t *data, size_t size,
                       size_t *out_done);
    vfs_error (*set_size)(vfs_node node, uint64_t size);

    /* Gets a node that was found ready to be read and written, as the flags of vfs_open() say. NULL
     * if it always is. */
    vfs_error (*open)(vfs_node node, uint32_t flags);
    /* Gives what was written to whoever keeps it; again: also if that was refused before. NULL if
     * it is done already. */
    vfs_error (*flush)(vfs_node node, bool again);

    /* All of the following are NULL in a tree that cannot be changed. */
    vfs_error (*set_times)(vfs_node node, const vfs_new_time *accessed,
                           const vfs_new_time *modified);
    /* NULL also if it is not for a guest to change. */
    vfs_error (*set_mode)(vfs_node node, uint16_t mode);
    /* Makes what type says under a name that is not taken; target: of a symbolic link. */
    vfs_error (*make)(vfs_node directory, const char *name, size_t length, vfs_type type,
                      const char *target, size_t target_length, vfs_node *out_node);
    /* One more name, not taken, for a node of the same storage that is not a directory. */
    vfs_error (*link)(vfs_node directory, const char *name, size_t length, vfs_node node);
    /* Takes away the name of a node; VFS_NOT_EMPTY for a directory that has entries. */
    vfs_error (*remove)(vfs_node directory, const char *name, size_t length, vfs_node node);
    /* Moves a node of the same storage; replaced: what has the new name now, or NULL. */
    vfs_error (*rename)(vfs_node old_directory, const char *old_name, size_t old_length,
                        vfs_node node, vfs_node new_directory, const char *new_name,
                        size_t new_length, const vfs_node *replaced);
} vfs_backend;

struct vfs_mount {
    const vfs_backend *backend;
    void *storage;  /* what the backend works on; names and links stay within one storage */
    uintptr_t root; /* item that is seen at the mount point */
    vfs_type root_type;
    vfs_node above;  /* directory that the mount point lies in; needs no holding */
    uint32_t device; /* part of the identity of each node; one storage, one device */
    bool read_only;
    bool confines_links; /* its links do not lead out of it, nor does it take such ones */
    /* For one with other mounts under it: where those are found, and the place that it is at
     * itself; they are seen in its root. NULL for no others. */
    vfs_mount *system;
    uint32_t place;
};

/* A volume as its mounts know it: volume.c has those of this process, worker/far_files.c those that
 * another one has. */
struct host_volume {
    vfs_mount mount; /* device, above and read_only are for those who mount it */
    void (*close)(host_volume *volume);
};

/* Places of the fixed tree under all mounts (system.c). */
typedef enum vfs_place {
    PLACE_ROOT,
    PLACE_STDLIB,
    PLACE_SITE_PACKAGES,
    PLACE_DATA,
    PLACE_TMP,
    PLACE_DEV,
    PLACE_DEV_NULL,
    PLACE_DEV_ZERO,
    PLACE_DEV_RANDOM,
    PLACE_DEV_URANDOM,
    PLACE_COUNT,
} vfs_place;

struct vfs_file {
    vfs_node node;
    vfs *files;
    uint32_t references;
    uint32_t flags; /* VFS_OPEN_READ, VFS_OPEN_WRITE */
};

enum { VFS_NO_SOURCE = UINT32_MAX };

/* A place that is there only because something is mounted at it or under it; they are numbered from
 * PLACE_COUNT on. */
typedef struct vfs_extra_place {
    char *name; /* owned, not terminated */
    size_t name_length;
    uint32_t parent; /* place that it lies in */
    uint32_t source; /* what is mounted there, or VFS_NO_SOURCE */
} vfs_extra_place;

/* Something that is mounted: one of storage, packages and volume. */
typedef struct vfs_source {
    eryx_storage *storage;   /* counted */
    eryx_packages *packages; /* counted */
    host_volume *volume;     /* owned */
    bool provided;           /* by the embedder: nothing of the above */
    uint32_t provider;       /* its number */
    uint64_t cache_ns;
    bool overlay; /* of the volume: what is written stays in memory */
    uint32_t place;
    bool read_only;
} vfs_source;

struct vfs_mounts {
    atomic_size_t references;
    vfs_extra_place *places;
    uint32_t place_count;
    vfs_source *sources;
    uint32_t source_count;
};

/* A directory that locks a database (locks.c). */
typedef struct vfs_lock {
    char *path; /* from the root, owned, not terminated */
    size_t length;
    uint64_t identity;
    uint64_t moment; /* when it was made, see vfs_locks_moment() */
    uint64_t fork_generation;
} vfs_lock;

struct vfs {
    vfs_file root; /* open for as long as the tree lives */
    vfs_mount system;
    vfs_mount mounts[PLACE_COUNT]; /* what is mounted at a place; no backend for nothing */
    vfs_mounts *added;             /* counted; NULL for none */
    vfs_mount *added_mounts;       /* of its sources */
    vfs_overlay **overlays;        /* of its sources, NULL for others; NULL for none at all */
    vfs_provider **providers;      /* the same */
    provider_question question;    /* that the last attempt has left; no path for none */
    provider_moment moment;        /* of the present operation */
    eryx_storage **stand_ins;      /* shown for them, NULL or counted; NULL for none at all */
    vfs_lock *locks;               /* made through this tree, in storages and volumes */
    uint32_t lock_count;
    uint64_t lock_moment;       /* of a copy: when it was made */
    uint16_t mode_of_new;       /* VFS_MODE_USUAL: that of its type */
    memory_tree memory;         /* what is written, under /data and /tmp */
    tree_watch watch;           /* of these (changes.h) */
    tree_watch *source_watches; /* of the sources that are storages; NULL if none is watched */
    memory_node data;
    memory_node tmp;
};

extern const vfs_backend vfs_system_backend;  /* storage: vfs; item: vfs_place */
extern const vfs_backend vfs_archive_backend; /* storage: const archive; item: entry */
extern const vfs_backend vfs_memory_backend;  /* storage: memory_tree; item: memory_node */

/* Places and sources of the mounts that were added (mounts.c). */
uint32_t vfs_place_count(const vfs *files);
const char *vfs_place_name(const vfs *files, uint32_t place, size_t *out_length);
uint32_t vfs_place_parent(const vfs *files, uint32_t place);
vfs_mount *vfs_place_mount(vfs *files, uint32_t place); /* NULL for none */

/* Writes the path that a source is mounted at, terminated, into VFS_PATH_MAX + 1 bytes. Returns its
 * length. */
size_t vfs_source_path(const vfs_mounts *mounts, uint32_t source, char *out_path);

/* A number that no lock so far has exceeded, and every later one will, in this process. */
uint64_t vfs_locks_moment(void);

/* Remembers a directory that was made under a path, if it is one that locks a database and that
 * outlives the tree. One whose path takes a long walk is not: all of them are walked again when the
 * tree goes. */
void vfs_locks_note(vfs_file *base, const char *path, size_t length, const vfs_walk *made);

/* Forgets a directory that is about to be removed: somebody else may make another one under the
 * same name, which the system may even give the same number. */
void vfs_locks_forget(vfs *files, const vfs_walk *removed);

/* Hands the locks from up to a moment over to another tree, which has none. */
void vfs_locks_move(vfs *from, vfs *to, uint64_t moment);

/* Whether a directory of that name may lock a database. */
bool vfs_is_lock_name(const char *name, size_t length);

/* Removes a directory under a name if it is a lock of that identity, and its database is there. */
void vfs_lock_remove(vfs_node directory, const char *name, size_t length, vfs_node lock,
                     uint64_t identity);

/* Removes the locks that are still there. */
void vfs_locks_release(vfs *files);

/* The roots of what is in the tree's own memory: of /data, of /tmp, and of the overlays in the
 * order of their sources. NULL after the last. */
memory_node *vfs_own_root(vfs *files, uint32_t index);

/* The node of the tree's own memory that a node is or stands for; NULL if it is of something else.
 */
memory_node *vfs_own_node(const vfs *files, vfs_node node);

/* Gives up what vfs_use_mounts() and vfs_stand_in() took. */
void vfs_end_mounts(vfs *files);

/*
 * Shows another storage, which gets one more owner, wherever the storage of a source is mounted in
 * a tree; nothing may be open in it. Fails with VFS_INSUFFICIENT_MEMORY.
 */
vfs_error vfs_stand_in(vfs *files, uint32_t source, eryx_storage *other);

/*
 * Looks a name up in a directory, or lists it, with the places that lie in it. A place hides what
 * the directory itself has under that name. As the functions of vfs_backend. (system.c)
 */
vfs_error vfs_find(vfs_node directory, const char *name, size_t length, vfs_node *out_node);
vfs_error vfs_list_all(vfs_node directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                       bool *out_found);

/* Name, parent and type of a place of the fixed tree (system.c). */
const char *vfs_system_name(uint32_t place);
uint32_t vfs_system_parent(uint32_t place);

static inline vfs_node vfs_node_retain(vfs_node node)
{
    if (node.mount->backend->retain != NULL) {
        node.mount->backend->retain(node);
    }
    return node;
}

static inline void vfs_node_release(vfs_node node)
{
    if (node.mount->backend->release != NULL) {
        node.mount->backend->release(node);
    }
}

static inline bool vfs_node_same(vfs_node left, vfs_node right)
{
    return left.mount->storage == right.mount->storage && left.item == right.item;
}

/* The permission bits that something has of which nobody has said any. */
static inline uint16_t vfs_usual_mode(vfs_type type)
{
    return type == VFS_TYPE_DIRECTORY          ? VFS_MODE_DIRECTORY
           : type == VFS_TYPE_SYMBOLIC_LINK    ? VFS_MODE_LINK
           : type == VFS_TYPE_CHARACTER_DEVICE ? VFS_MODE_DEVICE
                                               : VFS_MODE_FILE;
}

/* True if the tree that a node lies in can be changed. */
static inline bool vfs_node_writable(vfs_node node)
{
    return node.mount->backend->make != NULL && !node.mount->read_only;
}

static inline uint64_t vfs_identity(const vfs_mount *mount, uint64_t number)
{
    return (uint64_t)mount->device << 48 | number;
}

/* What a path came down to. */
struct vfs_walk {
    vfs_node node; /* if found */
    bool found;
    bool named;         /* false if the path ended in "." or "..": node is found, and that is all */
    bool slash;         /* the path ended in "/": what is made under it must be a directory */
    vfs_node directory; /* if named: where the last name is or would be */
    uint32_t steps;     /* that it took, see VFS_STEPS_MAX */
    size_t name_length;
    char name[VFS_NAME_MAX];
};

/*
 * Walks along a path (vfs_open() has the rules). That nothing has the last name is not an error
 * here. The caller ends it with vfs_walk_end() if the result is VFS_OK.
 */
vfs_error vfs_walk_begin(vfs_file *base, const char *path, size_t length, bool follow,
                         vfs_walk *out_walk);

void vfs_walk_end(vfs_walk *walk);

/* Whether something may be the name of an entry, or the target of a link, as guests can make them.
 */
bool vfs_name_is_plain(const char *name, size_t length);
bool vfs_target_is_plain(const char *target, size_t length);

/* Whether the target of a link stays where it is, wherever that is moved to. */
bool vfs_target_is_confined(const char *target, size_t length);

/* The error for a number of errno (errno.c); VFS_IO for those that a guest has no use for. */
vfs_error vfs_error_of_errno(int number);

/* Makes an open file out of a node, holding it once more. */
vfs_error vfs_file_create(vfs *files, vfs_node node, uint32_t flags, vfs_file **out_file);

#endif
