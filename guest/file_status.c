/*
 * stat() that knows permission bits, the owner, and the inode of what a symbolic link leads to.
 *
 * WASI has no permission bits: the host puts them above the number of links (protocol/files.h). It
 * has no owners either: all files are the program's. And libc asks the host for the identity of a
 * file apart from its status, without following links, so st_ino would be the link's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipes.h"
#include "protocol/files.h"
#include "replaced.h"

/* The user and the group that the program is (python/_eryx_runtime/identity.py). */
enum { OWNER = 1000 };

static void complete(struct stat *status)
{
    status->st_uid = OWNER;
    status->st_gid = OWNER;
    status->st_mode |= (mode_t)(status->st_nlink >> FILE_MODE_SHIFT);
    status->st_nlink &= ((nlink_t)1 << FILE_MODE_SHIFT) - 1;
}

static int libc_status(int directory, const char *path, struct stat *status, int flags)
{
    return directory == AT_FDCWD ? __wasilibc_stat(path, status, flags)
                                 : __wasilibc_nocwd_fstatat(directory, path, status, flags);
}

REPLACES int fstatat(int directory, const char *restrict path, struct stat *restrict status,
                     int flags)
{
    struct stat found;
    if (libc_status(directory, path, &found, AT_SYMLINK_NOFOLLOW) != 0) {
        return -1;
    }
    if (S_ISLNK(found.st_mode) && (flags & AT_SYMLINK_NOFOLLOW) == 0) {
        if (libc_status(directory, path, &found, 0) != 0) {
            return -1;
        }
        int earlier_error = errno;
        int file = openat(directory, path, O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            __eryx_replaced_fstat(file, &found);
            close(file);
        }
        errno = earlier_error; /* what cannot be opened keeps the link's inode */
    }
    complete(&found);
    *status = found;
    return 0;
}

REPLACES int stat(const char *restrict path, struct stat *restrict status)
{
    return fstatat(AT_FDCWD, path, status, 0);
}

REPLACES int lstat(const char *restrict path, struct stat *restrict status)
{
    return fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

/* The program may do all, as root may, but run a file that nobody may run. */
REPLACES int faccessat(int directory, const char *path, int mode, int flags)
{
    struct stat status;
    if (fstatat(directory, path, &status, flags & AT_SYMLINK_NOFOLLOW) != 0) {
        return -1;
    }
    if ((mode & X_OK) != 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111) == 0) {
        errno = EACCES;
        return -1;
    }
    return 0;
}

REPLACES int access(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, 0);
}

REPLACES int fstat(int file, struct stat *status)
{
    if (__eryx_replaced_fstat(file, status) != 0) {
        return -1;
    }
    complete(status);
    pipes_describe(file, status);
    return 0;
}
