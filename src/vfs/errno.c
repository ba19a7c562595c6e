/* What a guest is told of an error of the host's system. */
#include <errno.h>

#include "vfs/internal.h"

vfs_error vfs_error_of_errno(int number)
{
    switch (number) {
    case EACCES:
        return VFS_ACCESS;
    case EAGAIN:
        return VFS_WOULD_BLOCK;
    case EBADF:
        return VFS_BAD_DESCRIPTOR;
    case EBUSY:
    case ETXTBSY:
        return VFS_BUSY;
    case EDQUOT:
    case ENOSPC:
        return VFS_INSUFFICIENT_SPACE;
    case EEXIST:
        return VFS_EXIST;
    case EFBIG:
    case EOVERFLOW:
        return VFS_FILE_TOO_LARGE;
    case EILSEQ:
        return VFS_ILLEGAL_BYTE_SEQUENCE;
    case EINVAL:
        return VFS_INVALID;
    case EISDIR:
        return VFS_IS_DIRECTORY;
    case ELOOP:
        return VFS_LOOP;
    case EMFILE:
    case ENFILE:
        return VFS_QUOTA;
    case EMLINK:
        return VFS_TOO_MANY_LINKS;
    case ENAMETOOLONG:
        return VFS_NAME_TOO_LONG;
    case ENOENT:
    case ESTALE:
        return VFS_NO_ENTRY;
    case ENOMEM:
        return VFS_INSUFFICIENT_MEMORY;
    case ENOTDIR:
        return VFS_NOT_DIRECTORY;
    case ENOTEMPTY:
        return VFS_NOT_EMPTY;
    case EOPNOTSUPP:
    case ENOSYS:
        return VFS_UNSUPPORTED;
    case EPERM:
        return VFS_NOT_PERMITTED;
    case EROFS:
        return VFS_READ_ONLY;
    case EXDEV:
        return VFS_CROSS_DEVICE;
    default:
        return VFS_IO;
    }
}
