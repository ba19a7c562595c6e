/*
 * write() that knows why it failed.
 *
 * libc writes files through WASI streams, and a stream's error is nothing but EIO to it. The host
 * takes a failed write back whole, so it can be done over at its position, which fails with the
 * true reason (ENOSPC, EFBIG) or writes the part that fits.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

__attribute__((visibility("default"))) ssize_t write(int file, const void *bytes, size_t size)
{
    struct iovec vector = {(void *)(uintptr_t)bytes, size};
    ssize_t written = writev(file, &vector, 1);
    if (written >= 0 || errno != EIO) {
        return written;
    }
    off_t position = lseek(file, 0, SEEK_CUR); /* the end, for a file that is appended to */
    if (position < 0) {
        errno = EIO;
        return -1;
    }
    written = pwrite(file, bytes, size, position);
    if (written > 0) {
        lseek(file, position + written, SEEK_SET);
    }
    return written;
}
