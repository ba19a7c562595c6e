/*
 * The file system that one guest sees: a tree of mounts, all of them in memory or read-only.
 *
 *   /                read-only directory that holds the mount points
 *   /python-stdlib   the standard library, straight out of an archive that all sandboxes share
 *   /site-packages   read-only
 *   /data  /tmp      writable, in memory, under one quota
 *   /dev             null, zero, random, urandom
 *
 * No name that a guest gives ever reaches a path function of the host.
 *
 * Every function that can fail returns VFS_OK or an error, and sets its out_ parameters only when
 * it returns VFS_OK. A tree and its files belong to one thread at a time. Nothing here runs guest
 * code, so paths and data may be slices of guest memory.
 */
#ifndef ERYX_VFS_H
#define ERYX_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfs/archive.h"
#include "vfs/volume.h"

/* The numbers are those of error-code in wasi:filesystem/types@0.2.0. */
typedef enum vfs_error {
    VFS_OK = -1,
    VFS_ASK = -2, /* for the embedder to answer first (provider.h); never told a guest */
    VFS_ACCESS = 0,
    VFS_WOULD_BLOCK = 1,
    VFS_BAD_DESCRIPTOR = 3,
    VFS_BUSY = 4,
    VFS_QUOTA = 6, /* too many open files: EMFILE in the guest (live/image_build.c); contents over
                    * their limit are VFS_INSUFFICIENT_SPACE */
    VFS_EXIST = 7,
    VFS_FILE_TOO_LARGE = 8,
    VFS_ILLEGAL_BYTE_SEQUENCE = 9,
    VFS_INVALID = 12,
    VFS_IO = 13,
    VFS_IS_DIRECTORY = 14,
    VFS_LOOP = 15,
    VFS_TOO_MANY_LINKS = 16,
    VFS_NAME_TOO_LONG = 18,
    VFS_NO_ENTRY = 20,
    VFS_INSUFFICIENT_MEMORY = 22,
    VFS_INSUFFICIENT_SPACE = 23,
    VFS_NOT_DIRECTORY = 24,
    VFS_NOT_EMPTY = 25,
    VFS_UNSUPPORTED = 27,
    VFS_NOT_PERMITTED = 31,
    VFS_READ_ONLY = 33,
    VFS_INVALID_SEEK = 34,
    VFS_CROSS_DEVICE = 36,
} vfs_error;

/* The numbers are those of descriptor-type. */
typedef enum vfs_type {
    VFS_TYPE_UNKNOWN = 0,
    VFS_TYPE_CHARACTER_DEVICE = 2,
    VFS_TYPE_DIRECTORY = 3,
    VFS_TYPE_SYMBOLIC_LINK = 5,
    VFS_TYPE_FILE = 6,
} vfs_type;

/* How a file is opened. The numbers of the first two are those of descriptor-flags. */
enum vfs_open_flag {
    VFS_OPEN_READ = 1,
    VFS_OPEN_WRITE = 2,
    VFS_OPEN_CREATE = 1 << 8,     /* a regular file, if there is nothing under the path */
    VFS_OPEN_DIRECTORY = 1 << 9,  /* fail unless it is a directory */
    VFS_OPEN_EXCLUSIVE = 1 << 10, /* with CREATE: fail if there is something */
    VFS_OPEN_TRUNCATE = 1 << 11,
    VFS_OPEN_FOLLOW = 1 << 12, /* go through a symbolic link at the end of the path */
};

enum {
    VFS_NAME_MAX = 255,          /* bytes of one component */
    VFS_PATH_MAX = 4096,         /* bytes of a path, and of the target of a symbolic link */
    VFS_SYMBOLIC_LINKS_MAX = 40, /* followed in one walk */
    VFS_STEPS_MAX = 4096, /* of one walk: components, those of links included; one in a volume
                           * counts as several */
};

/* Permission bits. They are kept, and of what is made those that are asked for; nobody looks at
 * them. */
enum {
    VFS_MODE_FILE = 0644,
    VFS_MODE_DIRECTORY = 0755,
    VFS_MODE_DEVICE = 0666,
    VFS_MODE_LINK = 0777,
    VFS_MODE_MASK = 07777,
    VFS_MODE_USUAL = UINT16_MAX, /* for vfs_set_mode_of_new(): that of its type */
};

typedef struct vfs_quota {
    uint64_t max_bytes;   /* contents of files, by what is allocated; also the longest file */
    uint64_t max_entries; /* files, directories and links, together */
} vfs_quota;

typedef struct vfs_usage {
    uint64_t bytes;
    uint64_t entries;
} vfs_usage;

typedef struct vfs_time {
    uint64_t seconds;     /* since 1970 */
    uint32_t nanoseconds; /* below 1,000,000,000 */
} vfs_time;

typedef struct vfs_status {
    vfs_type type;
    uint16_t mode;     /* permission bits */
    uint64_t links;    /* names that it has */
    uint64_t size;     /* bytes; of a symbolic link those of its target */
    uint64_t identity; /* different for any two files of one tree, and never used again */
    vfs_time accessed;
    vfs_time modified;
    vfs_time changed;
} vfs_status;

/* What vfs_set_times() does to one time. */
typedef struct vfs_new_time {
    enum { VFS_TIME_KEEP, VFS_TIME_NOW, VFS_TIME_SET } kind;
    vfs_time time; /* for VFS_TIME_SET */
} vfs_new_time;

typedef struct vfs_directory_entry {
    vfs_type type;
    size_t name_length;
    char name[VFS_NAME_MAX]; /* not terminated */
} vfs_directory_entry;

typedef struct vfs vfs;

/* An open file, directory or device: something to read, write, or begin a path at. */
typedef struct vfs_file vfs_file;

/*
 * Makes the tree of a new sandbox. stdlib is borrowed and must outlive the tree; NULL leaves
 * /python-stdlib empty. Costs one allocation. Fails with VFS_INSUFFICIENT_MEMORY.
 */
vfs_error vfs_create(const archive *stdlib, const vfs_quota *quota, vfs **out_files);

/* Frees the tree with all that is in it. All files but vfs_root() must be closed. NULL is fine. */
void vfs_destroy(vfs *files);

/*
 * What is mounted in a tree besides its fixed parts. Made once, then shared by trees, also of
 * different threads, and not changed any more.
 */
typedef struct vfs_mounts vfs_mounts;

/* An empty set with one owner. Fails with VFS_INSUFFICIENT_MEMORY. */
vfs_error vfs_mounts_create(vfs_mounts **out_mounts);

/* One more owner. Returns the set; NULL gives NULL. */
vfs_mounts *vfs_mounts_retain(vfs_mounts *mounts);

/* Gives up one owner's share; the last one frees the set. NULL is allowed. */
void vfs_mounts_release(vfs_mounts *mounts);

/*
 * Adds a storage, which gets one more owner, or a volume, which is taken over on success.
 *
 * path: absolute and plain, and not where the fixed tree has something, but for /data and /tmp and
 *       what lies under them. VFS_INVALID if it is not so, VFS_EXIST if there is another one,
 *       VFS_NAME_TOO_LONG, VFS_INSUFFICIENT_MEMORY. One may lie under another: it hides what that
 *       one has there, and so do the directories on the way to it, which hold nothing else.
 */
vfs_error vfs_mounts_add_storage(vfs_mounts *mounts, const char *path, eryx_storage *storage,
                                 bool read_only);
vfs_error vfs_mounts_add_volume(vfs_mounts *mounts, const char *path, host_volume *volume,
                                bool read_only);

/* The same for a directory of the host that is read alone: what a guest writes there stays in the
 * memory of its tree (overlay.h). VFS_NOT_DIRECTORY if it is none. */
vfs_error vfs_mounts_add_provider(vfs_mounts *mounts, const char *path, uint32_t number,
                                  bool read_only, uint64_t cache_ns);
vfs_error vfs_mounts_add_overlay(vfs_mounts *mounts, const char *path, host_volume *volume);

/* Adds a tree of packages, which gets one more owner, read-only at /site-packages. VFS_EXIST if
 * there is one, VFS_INSUFFICIENT_MEMORY. */
vfs_error vfs_mounts_add_packages(vfs_mounts *mounts, eryx_packages *packages);

/* The path of a file that another mount lies under, which cannot be, into VFS_PATH_MAX + 1 bytes.
 * False if there is none. */
bool vfs_mounts_find_file_above(const vfs_mounts *mounts, char *out_path);

/* Mounts all of a set, which gets one more owner, in a new tree. NULL is nothing. Fails with
 * VFS_INSUFFICIENT_MEMORY. */
vfs_error vfs_use_mounts(vfs *files, vfs_mounts *mounts);

/* The set that a tree uses, or NULL; belongs to the tree. */
vfs_mounts *vfs_get_mounts(const vfs *files);

/* Sets limits for what is allocated from now on; what is there already stays. */
void vfs_set_quota(vfs *files, const vfs_quota *quota);

/* What the writable part holds now; never fails. */
vfs_usage vfs_get_usage(const vfs *files);

/* The open directory "/"; belongs to the tree, closing it does nothing. */
vfs_file *vfs_root(vfs *files);

/*
 * Opens what a path leads to.
 *
 * directory: where the path begins. The walk never leaves that directory: an absolute path, or ".."
 *            above it, is VFS_NOT_PERMITTED; above "/" there is "/". An absolute symbolic link
 *            counts from "/" and so works only if the walk began at "/".
 * path:      length bytes of UTF-8, not terminated.
 * flags:     of vfs_open_flag. Writing to a directory is VFS_IS_DIRECTORY.
 * out_file:  closed by the caller with vfs_close().
 */
vfs_error vfs_open(vfs_file *directory, const char *path, size_t length, uint32_t flags,
                   vfs_file **out_file);

/* One more owner of an open file; each calls vfs_close(). Returns the file. */
vfs_file *vfs_retain(vfs_file *file);

/* Gives up one owner's share; the last one closes the file, and frees its contents if it has no
 * name left. NULL is allowed. */
void vfs_close(vfs_file *file);

/* VFS_OPEN_READ and VFS_OPEN_WRITE as the file was opened. */
uint32_t vfs_open_flags(const vfs_file *file);

/* What the file is; does not change while it is open. */
vfs_type vfs_file_type(const vfs_file *file);

/* Present size in bytes; 0 for a directory or a device. */
uint64_t vfs_size(const vfs_file *file);

/*
 * Copies up to size bytes at offset into buffer. *out_got is below size only at the end of the
 * file, where it may be 0. VFS_BAD_DESCRIPTOR if not open for reading, VFS_IS_DIRECTORY for a
 * directory.
 */
vfs_error vfs_read(vfs_file *file, uint64_t offset, uint8_t *buffer, size_t size, size_t *out_got);

/*
 * Writes size bytes at offset; a gap before it reads as zeros and takes no room. *out_done is below
 * size if the quota or memory went short on the way; if nothing at all can be written that is an
 * error: VFS_INSUFFICIENT_SPACE, VFS_INSUFFICIENT_MEMORY, VFS_FILE_TOO_LARGE, VFS_BAD_DESCRIPTOR
 * (not open for writing) or VFS_IS_DIRECTORY.
 */
vfs_error vfs_write(vfs_file *file, uint64_t offset, const uint8_t *data, size_t size,
                    size_t *out_done);

/* vfs_write() at the present end of the file. */
vfs_error vfs_append(vfs_file *file, const uint8_t *data, size_t size, size_t *out_done);

/* Cuts the file or extends it with a gap. Errors as those of vfs_write(). */
vfs_error vfs_set_size(vfs_file *file, uint64_t size);

/* Gives what was written to whoever keeps it; again: also if that was refused before, and nothing
 * has been written since. */
vfs_error vfs_flush(vfs_file *file, bool again);

/* Type, size, times of an open file. */
vfs_error vfs_stat(vfs_file *file, vfs_status *out_status);

/* Sets the access and modification times of an open file. */
vfs_error vfs_set_times(vfs_file *file, const vfs_new_time *accessed, const vfs_new_time *modified);

/*
 * The next entry of an open directory. *cursor is 0 to begin with and is moved on by each call.
 * Entries that are there from the first call to the last are given exactly once, whatever is added
 * or removed meanwhile. *out_found is false at the end; "." and ".." are not listed.
 */
vfs_error vfs_list(vfs_file *directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                   bool *out_found);

/* As vfs_stat(), by path. follow: go through a symbolic link at the end. */
vfs_error vfs_stat_at(vfs_file *directory, const char *path, size_t length, bool follow,
                      vfs_status *out_status);

/* As vfs_set_times(), by path. */
vfs_error vfs_set_times_at(vfs_file *directory, const char *path, size_t length, bool follow,
                           const vfs_new_time *accessed, const vfs_new_time *modified);

/*
 * Sets the permission bits of a file, or of what a path leads to through all links; only those of
 * VFS_MODE_MASK are taken. VFS_READ_ONLY where nothing can be changed; in a volume nothing happens.
 */
vfs_error vfs_set_mode(vfs_file *file, uint32_t mode);
vfs_error vfs_set_mode_at(vfs_file *directory, const char *path, size_t length, uint32_t mode);

/* What files and directories that are made from now on in memory have as their permission bits. */
void vfs_set_mode_of_new(vfs *files, uint16_t mode);

/* Makes an empty directory. */
vfs_error vfs_make_directory(vfs_file *directory, const char *path, size_t length);

/* Makes a symbolic link; target is not looked at until the link is followed. */
vfs_error vfs_make_symbolic_link(vfs_file *directory, const char *target, size_t target_length,
                                 const char *path, size_t length);

/* Gives a file one more name. VFS_NOT_PERMITTED for directories, VFS_CROSS_DEVICE between mounts
 * that do not share a storage. */
vfs_error vfs_make_link(vfs_file *old_directory, const char *old_path, size_t old_length,
                        bool follow, vfs_file *new_directory, const char *new_path,
                        size_t new_length);

/* Copies the target of a symbolic link, at most VFS_PATH_MAX bytes and not terminated, into
 * out_target. VFS_INVALID if it is not a link. */
vfs_error vfs_read_link(vfs_file *directory, const char *path, size_t length, char *out_target,
                        size_t *out_target_length);

/* Takes away a name that is not a directory's. The contents live until the last close. */
vfs_error vfs_unlink(vfs_file *directory, const char *path, size_t length);

/* Removes an empty directory. */
vfs_error vfs_remove_directory(vfs_file *directory, const char *path, size_t length);

/* Renames, over a file or an empty directory if there is one of the same sort. A directory
 * cannot be moved into itself (VFS_INVALID). */
vfs_error vfs_rename(vfs_file *old_directory, const char *old_path, size_t old_length,
                     vfs_file *new_directory, const char *new_path, size_t new_length);

#endif
