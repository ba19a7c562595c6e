/*
 * write() that knows why it failed, and where a file is that is read as well.
 *
 * libc writes files through WASI streams, and a stream's error is nothing but EIO to it. The host
 * takes a failed write back whole, so it can be done over at its position, which fails with the
 * true reason (ENOSPC, EFBIG) or writes the part that fits.
 */
#include "file_position.h"

#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pipes.h"
#include "replaced.h"

/* What a failed write does over, and leaves the file behind it, with streams that begin there. */
static ssize_t write_with_reason(int file, const void *bytes, size_t size)
{
    /* libc's: the end, for a file that is appended to. */
    off_t position = __eryx_replaced_lseek(file, 0, SEEK_CUR);
    if (position < 0) {
        errno = EIO;
        return -1;
    }
    ssize_t written = __eryx_replaced_pwrite(file, bytes, size, position);
    if (written > 0) {
        lseek(file, position + written, SEEK_SET);
    }
    return written;
}

REPLACES ssize_t write(int file, const void *bytes, size_t size)
{
    if (pipes_has(file)) {
        return pipes_write(file, bytes, size);
    }
    int earlier_error = errno;
    bool shared = file_position_is_shared(file);
    if (shared) {
        file_position_share(file); /* it may have been read since it was written */
    }
    errno = earlier_error;
    struct iovec vector = {(void *)(uintptr_t)bytes, size};
    ssize_t written = writev(file, &vector, 1);
    if (written < 0 && errno == EIO) {
        return write_with_reason(file, bytes, size);
    }
    if (shared && written > 0) {
        file_position_share(file);
    }
    return written;
}
