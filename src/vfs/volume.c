#include "vfs/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/host_file.h"
#include "base/status.h"
#include "base/uninitialized.h"
#include "base/utf8.h"
#include "vfs/internal.h"

/* What a node keeps besides its name: a descriptor that only stands for the thing (O_PATH), and
 * once it is opened, one to read and write it with. */
typedef struct host_node {
    atomic_size_t references;
    struct open_volume *volume;
    struct host_node *parent; /* counted; NULL for the root, and for what is open: no path leads up
                               * from there, and each parent would take a descriptor */
    vfs_type type;
    uint32_t descriptors; /* counted of those that it has */
    int path;             /* -1 once there is contents */
    int contents;         /* of a file, -1 before it is opened */
    DIR *directory;       /* being listed, or NULL */
    uint64_t position;
    char *target; /* of a link, terminated */
    size_t target_length;
    char name[]; /* that it was found under, terminated */
} host_node;

/* A volume of this process. */
typedef struct open_volume {
    host_volume shown;    /* first: what others know of it */
    pthread_mutex_t lock; /* of opening and listing, for a node may be open in several trees */
    descriptor_share *descriptors; /* counted; NULL for none */
    bool read_only;
    host_node *root;
} open_volume;

static host_node *node_of(vfs_node node)
{
    return (host_node *)node.item;
}

static vfs_error result_of(int returned)
{
    return returned == 0 ? VFS_OK : vfs_error_of_errno(errno);
}

/* ---- Nodes ------------------------------------------------------------------------------------
 */

static vfs_type type_of_mode(mode_t mode)
{
    return S_ISREG(mode)   ? VFS_TYPE_FILE
           : S_ISDIR(mode) ? VFS_TYPE_DIRECTORY
           : S_ISLNK(mode) ? VFS_TYPE_SYMBOLIC_LINK
                           : VFS_TYPE_UNKNOWN;
}

static void close_if_open(int descriptor)
{
    if (descriptor >= 0) {
        close(descriptor);
    }
}

static void release_node(host_node *node)
{
    while (node != NULL &&
           atomic_fetch_sub_explicit(&node->references, 1, memory_order_acq_rel) == 1) {
        host_node *parent = node->parent;
        descriptors_give(node->volume->descriptors, node->descriptors);
        if (node->directory != NULL) {
            closedir(node->directory);
        }
        close_if_open(node->path);
        close_if_open(node->contents);
        free(node->target);
        free(node);
        node = parent;
    }
}

static vfs_node hold(vfs_mount *mount, host_node *node)
{
    atomic_fetch_add_explicit(&node->references, 1, memory_order_relaxed);
    return (vfs_node){.mount = mount, .item = (uintptr_t)node, .type = node->type};
}

static void retain(vfs_node node)
{
    atomic_fetch_add_explicit(&node_of(node)->references, 1, memory_order_relaxed);
}

static void release(vfs_node node)
{
    release_node(node_of(node));
}

/* Reads where a link leads, for as long as the node lives. */
static vfs_error read_target(host_node *node)
{
    UNINITIALIZED char target[VFS_PATH_MAX + 1];
    ssize_t length = readlinkat(node->path, "", target, sizeof target);
    if (length < 0) {
        return vfs_error_of_errno(errno);
    }
    if (length > VFS_PATH_MAX) {
        return VFS_NAME_TOO_LONG;
    }
    if (!utf8_is_valid(target, (size_t)length)) {
        return VFS_ILLEGAL_BYTE_SEQUENCE;
    }
    node->target = malloc((size_t)length + 1);
    if (node->target == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    memcpy(node->target, target, (size_t)length);
    node->target[length] = '\0';
    node->target_length = (size_t)length;
    return VFS_OK;
}

/*
 * Makes a node with one holder. Takes the descriptor over, also on failure.
 *
 * parent: NULL for the root, which is not counted.
 * is_contents: the descriptor is of a file and open for reading or writing, not with O_PATH.
 */
static vfs_error create_node(open_volume *volume, host_node *parent, const char *name,
                             size_t length, int descriptor, bool is_contents, host_node **out_node)
{
    struct stat found;
    vfs_error error = VFS_OK;
    host_node *node = malloc(sizeof *node + length + 1);
    if (node == NULL) {
        error = VFS_INSUFFICIENT_MEMORY;
    } else if (fstat(descriptor, &found) != 0) {
        error = vfs_error_of_errno(errno);
    }
    if (error != VFS_OK) {
        close(descriptor);
        free(node);
        return error;
    }
    *node = (host_node){.volume = volume,
                        .type = type_of_mode(found.st_mode),
                        .path = is_contents ? -1 : descriptor,
                        .contents = is_contents ? descriptor : -1};
    atomic_init(&node->references, 1);
    if (parent != NULL && !is_contents) {
        atomic_fetch_add_explicit(&parent->references, 1, memory_order_relaxed);
        node->parent = parent;
    }
    memcpy(node->name, name, length);
    node->name[length] = '\0';
    if (parent != NULL && descriptors_take(volume->descriptors, 1) != 0) {
        error = VFS_QUOTA;
    } else {
        node->descriptors = parent != NULL;
    }
    if (error == VFS_OK && node->type == VFS_TYPE_SYMBOLIC_LINK) {
        error = read_target(node);
    }
    if (error != VFS_OK) {
        release_node(node);
        return error;
    }
    *out_node = node;
    return VFS_OK;
}

/* A copy of a name that the kernel can take. */
typedef struct host_name {
    char text[VFS_NAME_MAX + 1];
} host_name;

static const char *terminate(host_name *copy, const char *name, size_t length)
{
    memcpy(copy->text, name, length);
    copy->text[length] = '\0';
    return copy->text;
}

/* Opens a plain name in a directory, not following a link under it. Older kernels, and filters that
 * do not know openat2(), lose nothing: one name cannot leave its directory. */
static int open_beneath(int directory, const char *name, int flags, mode_t mode)
{
    flags |= O_NOFOLLOW | O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY);
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags,
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long descriptor;
    int attempts = 16;
    do {
        descriptor = syscall(SYS_openat2, directory, name, &how, sizeof how);
    } while (descriptor < 0 && (errno == EINTR || (errno == EAGAIN && --attempts > 0)));
    if (descriptor < 0 && (errno == ENOSYS || errno == EPERM)) {
        descriptor = openat(directory, name, flags, mode);
    }
    return (int)descriptor;
}

static vfs_error find(vfs_node directory, const char *name, size_t length, vfs_node *out_node)
{
    host_name copy;
    host_node *holder = node_of(directory);
    int descriptor = open_beneath(holder->path, terminate(&copy, name, length), O_PATH, 0);
    if (descriptor < 0) {
        return vfs_error_of_errno(errno);
    }
    host_node *node;
    vfs_error error = create_node(holder->volume, holder, name, length, descriptor, false, &node);
    if (error == VFS_OK) {
        *out_node =
            (vfs_node){.mount = directory.mount, .item = (uintptr_t)node, .type = node->type};
    }
    return error;
}

static vfs_error parent(vfs_node directory, vfs_node *out_node)
{
    host_node *node = node_of(directory);
    if (node == node->volume->root) {
        *out_node = vfs_node_retain(directory.mount->above);
        return VFS_OK;
    }
    if (node->parent == NULL) {
        return VFS_NO_ENTRY;
    }
    *out_node = hold(directory.mount, node->parent);
    return VFS_OK;
}

static const char *link_target(vfs_node node, size_t *out_length)
{
    *out_length = node_of(node)->target_length;
    return node_of(node)->target;
}

/* ---- What it is -------------------------------------------------------------------------------
 */

static vfs_time time_of(struct timespec time)
{
    if (time.tv_sec < 0) {
        return (vfs_time){0};
    }
    return (vfs_time){.seconds = (uint64_t)time.tv_sec, .nanoseconds = (uint32_t)time.tv_nsec};
}

static int any_descriptor(const host_node *node)
{
    return node->path >= 0 ? node->path : node->contents;
}

/* Number of a file within the volume; the host's own would not leave room for the mount's. */
static uint64_t number_of(const struct stat *found)
{
    uint64_t number = (uint64_t)found->st_ino;
    uint64_t device = (uint64_t)found->st_dev * UINT64_C(0x9e3779b97f4a7c15);
    return (number ^ number >> 48 ^ device >> 16) & ((UINT64_C(1) << 48) - 1);
}

static void stat_node(vfs_node node, vfs_status *out_status)
{
    struct stat found;
    *out_status = (vfs_status){.type = node.type, .mode = vfs_usual_mode(node.type)};
    if (fstat(any_descriptor(node_of(node)), &found) == 0) {
        *out_status = (vfs_status){
            .type = node.type,
            .mode = found.st_mode & VFS_MODE_MASK,
            .links = (uint64_t)found.st_nlink,
            .size = node.type == VFS_TYPE_FILE            ? (uint64_t)found.st_size
                    : node.type == VFS_TYPE_SYMBOLIC_LINK ? node_of(node)->target_length
                                                          : 0,
            .identity = vfs_identity(node.mount, number_of(&found)),
            .accessed = time_of(found.st_atim),
            .modified = time_of(found.st_mtim),
            .changed = time_of(found.st_ctim),
        };
    }
}

static struct timespec new_time(const vfs_new_time *time)
{
    switch (time->kind) {
    case VFS_TIME_NOW:
        return (struct timespec){.tv_nsec = UTIME_NOW};
    case VFS_TIME_SET:
        return (struct timespec){.tv_sec = (time_t)(time->time.seconds & INT64_MAX),
                                 .tv_nsec = (long)time->time.nanoseconds};
    case VFS_TIME_KEEP:
        break;
    }
    return (struct timespec){.tv_nsec = UTIME_OMIT};
}

static vfs_error set_times(vfs_node node, const vfs_new_time *accessed,
                           const vfs_new_time *modified)
{
    const struct timespec times[2] = {new_time(accessed), new_time(modified)};
    return result_of(
        utimensat(any_descriptor(node_of(node)), "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
}

/* ---- Listing ----------------------------------------------------------------------------------
 */

static bool is_listed(const char *name)
{
    size_t length = strlen(name);
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && length <= VFS_NAME_MAX &&
           utf8_is_valid(name, length);
}

static vfs_type type_of_entry(const host_node *directory, const struct dirent *entry)
{
    struct stat found;
    switch (entry->d_type) {
    case DT_REG:
        return VFS_TYPE_FILE;
    case DT_DIR:
        return VFS_TYPE_DIRECTORY;
    case DT_LNK:
        return VFS_TYPE_SYMBOLIC_LINK;
    case DT_UNKNOWN:
        if (fstatat(directory->path, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0) {
            return type_of_mode(found.st_mode);
        }
        return VFS_TYPE_UNKNOWN;
    default:
        return VFS_TYPE_UNKNOWN;
    }
}

static vfs_error open_listing(host_node *node)
{
    if (node->directory != NULL) {
        return VFS_OK;
    }
    descriptor_share *share = node->volume->descriptors;
    if (descriptors_take(share, 1) != 0) {
        return VFS_QUOTA;
    }
    int descriptor = openat(node->path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        descriptors_give(share, 1);
        return vfs_error_of_errno(errno);
    }
    node->directory = fdopendir(descriptor);
    if (node->directory == NULL) {
        close(descriptor);
        descriptors_give(share, 1);
        return VFS_INSUFFICIENT_MEMORY;
    }
    node->descriptors++;
    node->position = 0;
    return VFS_OK;
}

static void close_listing(host_node *node)
{
    closedir(node->directory);
    node->directory = NULL;
    node->descriptors--;
    descriptors_give(node->volume->descriptors, 1);
}

/* The cursor is the position after the entry that was given last. */
static vfs_error list_locked(host_node *node, uint64_t *cursor, vfs_directory_entry *out_entry,
                             bool *out_found)
{
    vfs_error error = open_listing(node);
    if (error != VFS_OK) {
        return error;
    }
    if (*cursor == 0) {
        rewinddir(node->directory);
    } else if (*cursor != node->position) {
        seekdir(node->directory, (long)*cursor);
    }
    const struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(node->directory);
    } while (entry != NULL && !is_listed(entry->d_name));
    if (entry == NULL) {
        error = errno == 0 ? VFS_OK : vfs_error_of_errno(errno);
        *out_found = false;
        /* The descriptor is given back; another look at the end begins anew from the cursor. */
        close_listing(node);
        return error;
    }
    out_entry->type = type_of_entry(node, entry);
    out_entry->name_length = strlen(entry->d_name);
    memcpy(out_entry->name, entry->d_name, out_entry->name_length);
    *out_found = true;
    *cursor = (uint64_t)entry->d_off;
    node->position = *cursor;
    return VFS_OK;
}

static vfs_error list(vfs_node directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                      bool *out_found)
{
    host_node *node = node_of(directory);
    pthread_mutex_lock(&node->volume->lock);
    vfs_error error = list_locked(node, cursor, out_entry, out_found);
    pthread_mutex_unlock(&node->volume->lock);
    return error;
}

/* ---- Contents ---------------------------------------------------------------------------------
 */

static bool is_same_file(int left, int right)
{
    struct stat first;
    struct stat second;
    return fstat(left, &first) == 0 && fstat(right, &second) == 0 &&
           first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

/* Opens what a node stands for: through /proc, and where there is none by its name, if it is still
 * the same. The node is a regular file, so this neither blocks nor starts anything. */
static int reopen(const host_node *node, int flags)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", node->path);
    int descriptor = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor >= 0 || errno != ENOENT || node->parent == NULL) {
        return descriptor;
    }
    descriptor = open_beneath(node->parent->path, node->name, flags | O_NONBLOCK, 0);
    if (descriptor >= 0 && !is_same_file(descriptor, node->path)) {
        close(descriptor);
        errno = ENOENT;
        return -1;
    }
    return descriptor;
}

static vfs_error open_locked(host_node *node, uint32_t flags)
{
    bool writes = (flags & (VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE)) != 0;
    if (node->contents >= 0) {
        return VFS_OK;
    }
    if (writes && node->volume->read_only) {
        return VFS_READ_ONLY;
    }
    int access = !writes ? O_RDONLY : (flags & VFS_OPEN_READ) != 0 ? O_RDWR : O_WRONLY;
    int descriptor = reopen(node, access);
    if (descriptor < 0) {
        return vfs_error_of_errno(errno);
    }
    node->contents = descriptor;
    close(node->path);
    node->path = -1;
    return VFS_OK;
}

static vfs_error open_node(vfs_node node, uint32_t flags)
{
    host_node *opened = node_of(node);
    bool is_directory = opened->type == VFS_TYPE_DIRECTORY;
    if (!is_directory && opened->type != VFS_TYPE_FILE) {
        return VFS_NOT_PERMITTED; /* a device, a pipe, a socket */
    }
    if (opened == opened->volume->root) {
        return VFS_OK; /* a mounted file is open from the start, for all who open it */
    }
    host_node *parent = NULL;
    pthread_mutex_lock(&opened->volume->lock);
    vfs_error error = is_directory ? VFS_OK : open_locked(opened, flags);
    if (error == VFS_OK) {
        parent = opened->parent;
        opened->parent = NULL;
    }
    pthread_mutex_unlock(&opened->volume->lock);
    release_node(parent);
    return error;
}

static vfs_error read_node(vfs_node node, uint64_t offset, uint8_t *buffer, size_t size,
                           size_t *out_got)
{
    if (offset > VFS_FILE_SIZE_MAX) {
        *out_got = 0;
        return VFS_OK;
    }
    size_t done = 0;
    while (done < size && offset + done <= VFS_FILE_SIZE_MAX) {
        ssize_t got =
            pread(node_of(node)->contents, buffer + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && done == 0) {
            return vfs_error_of_errno(errno);
        }
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
    }
    *out_got = done;
    return VFS_OK;
}

static vfs_error write_node(vfs_node node, uint64_t offset, const uint8_t *data, size_t size,
                            size_t *out_done)
{
    int contents = node_of(node)->contents;
    bool appends = offset == VFS_OFFSET_END;
    struct stat found;
    if (appends) {
        if (fstat(contents, &found) != 0) {
            return vfs_error_of_errno(errno);
        }
        offset = (uint64_t)found.st_size;
    }
    if (size == 0) {
        *out_done = 0;
        return VFS_OK;
    }
    if (offset > VFS_FILE_SIZE_MAX - size || !host_file_may_reach(offset + size)) {
        return VFS_FILE_TOO_LARGE;
    }
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    ssize_t done;
    do {
        done = appends ? pwritev2(contents, &part, 1, (off_t)offset, RWF_APPEND)
                       : pwrite(contents, data, size, (off_t)offset);
        if (done < 0 && appends && errno == EOPNOTSUPP) {
            done = pwrite(contents, data, size, (off_t)offset);
        }
    } while (done < 0 && errno == EINTR);
    if (done < 0) {
        return vfs_error_of_errno(errno);
    }
    *out_done = (size_t)done;
    return VFS_OK;
}

static vfs_error set_size(vfs_node node, uint64_t size)
{
    if (size > VFS_FILE_SIZE_MAX || !host_file_may_reach(size)) {
        return VFS_FILE_TOO_LARGE;
    }
    return result_of(ftruncate(node_of(node)->contents, (off_t)size));
}

/* ---- Names ------------------------------------------------------------------------------------
 */

/* Makes a regular file and keeps it open. */
static vfs_error make_file(host_node *directory, const char *name, size_t length,
                           host_node **out_node)
{
    int descriptor =
        open_beneath(directory->path, name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0666);
    if (descriptor < 0) {
        return vfs_error_of_errno(errno);
    }
    return create_node(directory->volume, directory, name, length, descriptor, true, out_node);
}

static vfs_error make(vfs_node directory, const char *name, size_t length, vfs_type type,
                      const char *target, size_t target_length, vfs_node *out_node)
{
    host_name copy;
    host_node *holder = node_of(directory);
    terminate(&copy, name, length);
    if (type == VFS_TYPE_FILE) {
        host_node *node;
        vfs_error error = make_file(holder, copy.text, length, &node);
        if (error == VFS_OK) {
            *out_node = (vfs_node){.mount = directory.mount, .item = (uintptr_t)node, .type = type};
        }
        return error;
    }
    if (type == VFS_TYPE_DIRECTORY) {
        if (mkdirat(holder->path, copy.text, 0777) != 0) {
            return vfs_error_of_errno(errno);
        }
    } else {
        char path[VFS_PATH_MAX + 1];
        memcpy(path, target, target_length);
        path[target_length] = '\0';
        if (symlinkat(path, holder->path, copy.text) != 0) {
            return vfs_error_of_errno(errno);
        }
    }
    return find(directory, name, length, out_node);
}

static vfs_error link_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    host_name copy;
    const host_node *linked = node_of(node);
    if (linked->type != VFS_TYPE_FILE || linked == linked->volume->root) {
        return VFS_NOT_PERMITTED;
    }
    if (linked->parent == NULL) {
        return VFS_NO_ENTRY;
    }
    return result_of(linkat(linked->parent->path, linked->name, node_of(directory)->path,
                            terminate(&copy, name, length), 0));
}

static vfs_error remove_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    host_name copy;
    return result_of(unlinkat(node_of(directory)->path, terminate(&copy, name, length),
                              node.type == VFS_TYPE_DIRECTORY ? AT_REMOVEDIR : 0));
}

static vfs_error rename_node(vfs_node old_directory, const char *old_name, size_t old_length,
                             vfs_node node, vfs_node new_directory, const char *new_name,
                             size_t new_length, const vfs_node *replaced)
{
    (void)node;
    (void)replaced;
    host_name old_copy;
    host_name new_copy;
    return result_of(
        renameat(node_of(old_directory)->path, terminate(&old_copy, old_name, old_length),
                 node_of(new_directory)->path, terminate(&new_copy, new_name, new_length)));
}

static const vfs_backend host_backend = {
    .retain = retain,
    .release = release,
    .find = find,
    .find_steps = 15, /* system calls in place of a look at memory */
    .parent = parent,
    .stat = stat_node,
    .list = list,
    .read = read_node,
    .link_target = link_target,
    .write = write_node,
    .set_size = set_size,
    .open = open_node,
    .set_times = set_times,
    .make = make,
    .link = link_node,
    .remove = remove_node,
    .rename = rename_node,
};

/* ---- Volumes ----------------------------------------------------------------------------------
 */

/* Opens the root; a file for reading and, if that is allowed, writing. */
static vfs_error open_root(open_volume *volume, const char *path)
{
    int descriptor = open(path, O_PATH | O_CLOEXEC);
    if (descriptor < 0) {
        return vfs_error_of_errno(errno);
    }
    host_node *root;
    vfs_error error = create_node(volume, NULL, "", 0, descriptor, false, &root);
    if (error != VFS_OK) {
        return error;
    }
    uint32_t access = VFS_OPEN_READ | (volume->read_only ? 0u : (uint32_t)VFS_OPEN_WRITE);
    if (root->type == VFS_TYPE_FILE) {
        error = open_locked(root, access);
    } else if (root->type != VFS_TYPE_DIRECTORY) {
        error = VFS_UNSUPPORTED;
    }
    if (error != VFS_OK) {
        release_node(root);
        return error;
    }
    volume->root = root;
    return VFS_OK;
}

static const char *reason(vfs_error error)
{
    switch (error) {
    case VFS_NO_ENTRY:
    case VFS_NOT_DIRECTORY:
        return "no such file or directory";
    case VFS_UNSUPPORTED:
        return "neither a directory nor a regular file";
    case VFS_ACCESS:
    case VFS_NOT_PERMITTED:
        return "permission denied";
    case VFS_READ_ONLY:
        return "the file system is read-only";
    case VFS_QUOTA:
        return "too many open files";
    default:
        return "cannot be opened";
    }
}

static void close_volume(host_volume *shown)
{
    open_volume *volume = (open_volume *)shown;
    release_node(volume->root);
    descriptors_share_release(volume->descriptors);
    pthread_mutex_destroy(&volume->lock);
    free(volume);
}

eryx_status host_volume_open(const char *path, bool read_only, descriptor_share *descriptors,
                             host_volume **out_volume, eryx_error *out_error)
{
    open_volume *volume = calloc(1, sizeof *volume);
    if (volume == NULL || pthread_mutex_init(&volume->lock, NULL) != 0) {
        free(volume);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    volume->read_only = read_only;
    volume->descriptors = descriptors_share_retain(descriptors);
    vfs_error error = open_root(volume, path);
    if (error != VFS_OK) {
        descriptors_share_release(volume->descriptors);
        pthread_mutex_destroy(&volume->lock);
        free(volume);
        if (error == VFS_INSUFFICIENT_MEMORY) {
            return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        }
        return status_fail(ERYX_INITIALIZATION, out_error, "volume %s: %s", path, reason(error));
    }
    volume->shown = (host_volume){.mount = {.backend = &host_backend,
                                            .storage = volume,
                                            .root = (uintptr_t)volume->root,
                                            .root_type = volume->root->type,
                                            .confines_links = true},
                                  .close = close_volume};
    *out_volume = &volume->shown;
    return ERYX_OK;
}

void host_volume_close(host_volume *volume)
{
    if (volume != NULL) {
        volume->close(volume);
    }
}

vfs_mount host_volume_mount(const host_volume *volume)
{
    return volume->mount;
}
