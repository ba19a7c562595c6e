/*
 * stat() that gives the inode of what a symbolic link leads to.
 *
 * libc asks the host for the identity of a file apart from its status, and then without following
 * links, so st_ino would be the link's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* libc's own: fstatat() with and without a directory. */
int __wasilibc_stat(const char *path, struct stat *status, int flags);
int __wasilibc_nocwd_fstatat(int directory, const char *path, struct stat *status, int flags);

static int libc_status(int directory, const char *path, struct stat *status, int flags)
{
    return directory == AT_FDCWD ? __wasilibc_stat(path, status, flags)
                                 : __wasilibc_nocwd_fstatat(directory, path, status, flags);
}

EXPORT int fstatat(int directory, const char *restrict path, struct stat *restrict status,
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
            fstat(file, &found);
            close(file);
        }
        errno = earlier_error; /* what cannot be opened keeps the link's inode */
    }
    *status = found;
    return 0;
}

EXPORT int stat(const char *restrict path, struct stat *restrict status)
{
    return fstatat(AT_FDCWD, path, status, 0);
}
