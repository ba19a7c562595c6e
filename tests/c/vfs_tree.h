/*
 * Short forms of vfs/vfs.h for tests: paths as C strings, from "/" of one tree.
 */
#ifndef ERYX_VFS_TREE_H
#define ERYX_VFS_TREE_H

#include "archive_builder.h"
#include "test.h"
#include "vfs/vfs.h"

enum {
    TREE_READ = VFS_OPEN_READ | VFS_OPEN_FOLLOW,
    TREE_WRITE = VFS_OPEN_READ | VFS_OPEN_WRITE | VFS_OPEN_FOLLOW,
    TREE_CREATE = TREE_WRITE | VFS_OPEN_CREATE,
    TREE_TRUNCATE = TREE_CREATE | VFS_OPEN_TRUNCATE,
    TREE_EXCLUSIVE = TREE_CREATE | VFS_OPEN_EXCLUSIVE,
    TREE_DIRECTORY = TREE_READ | VFS_OPEN_DIRECTORY,
};

/* A tree with the sample archive, if there is one to be mounted. */
static inline vfs *tree_create(const archive *stdlib, uint64_t max_bytes, uint64_t max_entries)
{
    vfs *files;
    vfs_quota quota = {.max_bytes = max_bytes, .max_entries = max_entries};
    ASSERT_EQ(vfs_create(stdlib, &quota, &files), VFS_OK);
    return files;
}

static inline vfs_error tree_open(vfs *files, const char *path, uint32_t flags, vfs_file **out_file)
{
    return vfs_open(vfs_root(files), path, strlen(path), flags, out_file);
}

/* Opens what must open. */
static inline vfs_file *tree_get(vfs *files, const char *path, uint32_t flags)
{
    vfs_file *file;
    vfs_error error = tree_open(files, path, flags, &file);
    if (error != VFS_OK) {
        test_fail(__FILE__, __LINE__, "opening %s: error %d", path, (int)error);
    }
    return file;
}

/* Opens and closes. */
static inline vfs_error tree_try(vfs *files, const char *path, uint32_t flags)
{
    vfs_file *file;
    vfs_error error = tree_open(files, path, flags, &file);
    if (error == VFS_OK) {
        vfs_close(file);
    }
    return error;
}

static inline vfs_error tree_mkdir(vfs *files, const char *path)
{
    return vfs_make_directory(vfs_root(files), path, strlen(path));
}

static inline vfs_error tree_rmdir(vfs *files, const char *path)
{
    return vfs_remove_directory(vfs_root(files), path, strlen(path));
}

static inline vfs_error tree_unlink(vfs *files, const char *path)
{
    return vfs_unlink(vfs_root(files), path, strlen(path));
}

static inline vfs_error tree_rename(vfs *files, const char *from, const char *to)
{
    return vfs_rename(vfs_root(files), from, strlen(from), vfs_root(files), to, strlen(to));
}

static inline vfs_error tree_link(vfs *files, const char *from, const char *to)
{
    return vfs_make_link(vfs_root(files), from, strlen(from), false, vfs_root(files), to,
                         strlen(to));
}

static inline vfs_error tree_symlink(vfs *files, const char *target, const char *path)
{
    return vfs_make_symbolic_link(vfs_root(files), target, strlen(target), path, strlen(path));
}

static inline vfs_error tree_stat(vfs *files, const char *path, vfs_status *out_status)
{
    return vfs_stat_at(vfs_root(files), path, strlen(path), true, out_status);
}

static inline vfs_error tree_lstat(vfs *files, const char *path, vfs_status *out_status)
{
    return vfs_stat_at(vfs_root(files), path, strlen(path), false, out_status);
}

/* Makes or overwrites a file. */
static inline vfs_error tree_put(vfs *files, const char *path, const char *text)
{
    vfs_file *file;
    size_t done = 0;
    vfs_error error = tree_open(files, path, TREE_TRUNCATE, &file);
    if (error != VFS_OK) {
        return error;
    }
    error = vfs_write(file, 0, (const uint8_t *)text, strlen(text), &done);
    if (error == VFS_OK) {
        ASSERT_EQ_U(done, strlen(text));
    }
    vfs_close(file);
    return error;
}

/* That a file holds exactly that text. */
static inline void tree_expect(vfs *files, const char *path, const char *text)
{
    vfs_file *file = tree_get(files, path, TREE_READ);
    uint8_t buffer[4096];
    size_t got;
    ASSERT_EQ(vfs_read(file, 0, buffer, sizeof buffer, &got), VFS_OK);
    ASSERT_BYTES_EQ(buffer, got, text, strlen(text));
    vfs_close(file);
}

/* The names of a directory, joined with spaces. */
static inline const char *tree_list(vfs *files, const char *path)
{
    static char names[4096];
    vfs_file *directory = tree_get(files, path, TREE_DIRECTORY);
    size_t length = 0;
    uint64_t cursor = 0;
    for (;;) {
        vfs_directory_entry entry;
        bool found;
        ASSERT_EQ(vfs_list(directory, &cursor, &entry, &found), VFS_OK);
        if (!found) {
            break;
        }
        ASSERT_LT(length + entry.name_length + 2, sizeof names);
        if (length > 0) {
            names[length++] = ' ';
        }
        memcpy(names + length, entry.name, entry.name_length);
        length += entry.name_length;
    }
    names[length] = 0;
    vfs_close(directory);
    return names;
}

#endif
