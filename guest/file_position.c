/*
 * lseek() that is true for files that are written and read.
 *
 * libc reads and writes through streams, each of which goes on from where it was opened. It leaves
 * them open where it believes that the position stays, as it does after seeking from the end, and
 * it takes the end for the position of a file that is appended to, wherever that is being read.
 */
#include "file_position.h"

#include <errno.h>
#include <fcntl.h>

#include "pipes.h"
#include "replaced.h"

#undef lseek /* a macro, too */

/* Closes the streams: only a position that differs from the last one does. */
static off_t set_position(int file, off_t position)
{
    __eryx_replaced_lseek(file, position + 1, SEEK_SET);
    return __eryx_replaced_lseek(file, position, SEEK_SET);
}

REPLACES off_t lseek(int file, off_t offset, int whence)
{
    if (pipes_has(file)) {
        errno = ESPIPE;
        return -1;
    }
    int flags = fcntl(file, F_GETFL);
    bool appends = flags > 0 && (flags & O_APPEND) != 0;
    if (appends) {
        fcntl(file, F_SETFL, flags & ~O_APPEND);
    }
    off_t position = __eryx_replaced_lseek(file, offset, whence);
    if (position >= 0 && whence == SEEK_END) {
        position = set_position(file, position);
    }
    if (appends) {
        fcntl(file, F_SETFL, flags);
    }
    return position;
}

/* What lseek() of nothing from where it is becomes where the header's macro is used. */
REPLACES off_t __wasilibc_tell(int file)
{
    if (pipes_has(file)) {
        errno = ESPIPE;
        return -1;
    }
    return __eryx_replaced___wasilibc_tell(file);
}

bool file_position_is_shared(int file)
{
    int flags = fcntl(file, F_GETFL);
    return flags >= 0 && ((flags & O_ACCMODE) == O_RDWR || (flags & O_APPEND) != 0);
}

void file_position_share(int file)
{
    /* libc's: the end, for a file that is appended to. */
    off_t position = __eryx_replaced_lseek(file, 0, SEEK_CUR);
    if (position >= 0) {
        set_position(file, position);
    }
}
