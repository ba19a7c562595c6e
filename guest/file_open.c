/*
 * open(), mkdir() and close(): what WASI does not know of them.
 *
 * Files that are made have the permission bits that were asked for, less the umask. Without one of
 * O_RDONLY, O_WRONLY and O_RDWR, which are all zero elsewhere, a file is opened for reading. And
 * what programs close that is not theirs, as in os.closerange(3, 256), is not the root of all
 * files.
 */
#include "file_mode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"
#include "host.h"
#include "pipes.h"
#include "replaced.h"

enum {
    FILE_MODE = 0644, /* what the host gives without being asked */
    DIRECTORY_MODE = 0755,
    MODE_BITS = 07777,
    MANY_FILES = 256,           /* open at a time */
    FILE_MEMORY_BYTES = 1 << 20 /* the buffers of one, and what else Python takes at a time */
};

static mode_t mask = 022;

mode_t file_mode_set_mask(mode_t new_mask)
{
    mode_t old = mask;
    mask = new_mask & 0777;
    return old;
}

/* Tells the host which mode what is made next has; false if it is the usual one. */
static bool begin_mode(mode_t asked, mode_t usual)
{
    mode_t mode = asked & MODE_BITS & ~mask;
    if (mode == usual) {
        return false;
    }
    host_set_mode_of_new(mode);
    return true;
}

static void end_mode(bool begun)
{
    if (begun) {
        host_set_mode_of_new(FILE_MODE_USUAL);
    }
}

/* Whether there is memory for the buffers of one more file. */
static bool has_memory(void)
{
    void *volatile block = malloc(FILE_MEMORY_BYTES);
    free(block);
    return block != NULL;
}

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    if ((flags & O_ACCMODE) == 0) {
        flags |= O_RDONLY;
    }
    bool begun = (flags & O_CREAT) != 0 && begin_mode(mode, FILE_MODE);
    int file = directory == AT_FDCWD || path[0] == '/'
                   ? __wasilibc_open_nomode(path, flags)
                   : __wasilibc_nocwd_openat_nomode(directory, path, flags);
    end_mode(begun);
    if (file >= MANY_FILES && !has_memory()) {
        close(file);
        errno = EMFILE; /* rather than a MemoryError when the file gets its buffer */
        return -1;
    }
    return file;
}

REPLACES int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_at(AT_FDCWD, path, flags, mode);
}

REPLACES int openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_at(directory, path, flags, mode);
}

/* The open directory "/", and the path from it, which is good until the next call. */
static int find_from_root(const char *path, char **out_relative)
{
    static char *relative;
    static size_t size;
    const char *prefix;
    int root = __wasilibc_find_relpath_alloc(path, &prefix, &relative, &size, 1);
    *out_relative = relative;
    return root;
}

REPLACES int mkdirat(int directory, const char *path, mode_t mode)
{
    char *relative = (char *)(uintptr_t)path;
    if (directory == AT_FDCWD || path[0] == '/') {
        directory = find_from_root(path, &relative);
        if (directory < 0) {
            errno = ENOENT;
            return -1;
        }
    }
    bool begun = begin_mode(mode, DIRECTORY_MODE);
    int result = __wasilibc_nocwd_mkdirat_nomode(directory, relative);
    end_mode(begun);
    return result;
}

REPLACES int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int file_root(void)
{
    static int root = -1;
    if (root < 0) {
        char *relative;
        root = find_from_root("/", &relative);
    }
    return root;
}

REPLACES int close(int file)
{
    if (file == file_root()) {
        errno = EBADF;
        return -1;
    }
    descriptors_close(file);
    pipes_close(file);
    /* The host gives what was written to whoever keeps it; that it is refused is told here. */
    int refused = fsync(file) == 0 ? 0 : errno;
    int result = __eryx_replaced_close(file);
    if (result == 0 && refused != 0 && refused != EBADF && refused != EINVAL &&
        refused != ENOTSUP) {
        errno = refused;
        return -1;
    }
    return result;
}

/* 0, or -1 and errno. */
static int result_of(uint32_t outcome)
{
    if (outcome == FILE_DONE) {
        return 0;
    }
    errno = outcome == FILE_READ_ONLY ? EROFS : ENOENT;
    return -1;
}

int file_mode_change_open(int file, mode_t mode)
{
    struct stat status;
    if (fstat(file, &status) != 0) {
        return -1;
    }
    return result_of(host_set_open_mode(status.st_ino, mode & MODE_BITS));
}

int file_mode_change(int directory, const char *path, mode_t mode)
{
    struct stat status;
    char *relative;
    if (fstatat(directory, path, &status, 0) != 0) {
        return -1;
    }
    if (directory == AT_FDCWD || path[0] == '/') {
        if (find_from_root(path, &relative) < 0) {
            return -1;
        }
        return result_of(host_set_mode(relative, strlen(relative), mode & MODE_BITS));
    }
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    int result = file_mode_change_open(file, mode);
    int error = errno;
    close(file);
    errno = error;
    return result;
}
