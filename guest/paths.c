/*
 * Where paths begin. libc takes an empty path for the current directory, and has a current
 * directory that is as long as all that was ever given to chdir().
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "replaced.h"

/* libc has it, its headers have not. */
char *realpath(const char *restrict path, char *restrict resolved);

/* All functions of libc that take a path come here. */
REPLACES int __wasilibc_find_relpath_alloc(const char *path, const char **prefix, char **relative,
                                           size_t *relative_size, int may_grow)
{
    if (path[0] == 0) {
        errno = ENOENT;
        return -1;
    }
    return __eryx_replaced___wasilibc_find_relpath_alloc(path, prefix, relative, relative_size,
                                                         may_grow);
}

REPLACES int chdir(const char *path)
{
    char *resolved = realpath(path, NULL); /* ENOENT for an empty one */
    if (resolved == NULL) {
        return -1;
    }
    int result = __eryx_replaced_chdir(resolved);
    int error = errno;
    free(resolved);
    errno = error;
    return result;
}
