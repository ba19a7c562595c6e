#include "base/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/status.h"

bool host_file_may_reach(uint64_t end)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
           end <= limit.rlim_cur;
}

bool host_file_write(int descriptor, const void *data, uint64_t size)
{
    const uint8_t *from = data;
    off_t begin = lseek(descriptor, 0, SEEK_CUR);
    if (begin < 0) {
        return false;
    }
    if (!host_file_may_reach((uint64_t)begin + size)) {
        errno = EFBIG;
        return false;
    }
    while (size > 0) {
        ssize_t written = write(descriptor, from, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            from += written;
            size -= (uint64_t)written;
        }
    }
    return true;
}

bool host_file_read(int descriptor, void *out_data, uint64_t size, uint64_t offset)
{
    uint8_t *to = out_data;
    while (size > 0) {
        ssize_t got = pread(descriptor, to, size, (off_t)offset);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        if (got > 0) {
            to += got;
            offset += (uint64_t)got;
            size -= (uint64_t)got;
        }
    }
    return true;
}

eryx_status host_file_replace(const char *path, const void *data, uint64_t size, mode_t mode,
                              eryx_error *out_error)
{
    size_t room = strlen(path) + sizeof ".XXXXXX";
    char *temporary = malloc(room);
    if (temporary == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "%s: out of memory", path);
    }
    eryx_status status = ERYX_INITIALIZATION;
    snprintf(temporary, room, "%s.XXXXXX", path);
    int descriptor = mkostemp(temporary, O_CLOEXEC); /* for the owner only */
    if (descriptor < 0) {
        status_fail(status, out_error, "%s: %s", path, strerror(errno));
        goto done;
    }
    bool written = host_file_write(descriptor, data, size) && fchmod(descriptor, mode) == 0;
    int reason = errno;
    if (close(descriptor) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (written && rename(temporary, path) == 0) {
        status = ERYX_OK;
    } else {
        status_fail(status, out_error, "%s: %s", path, strerror(written ? errno : reason));
        unlink(temporary);
    }

done:
    free(temporary);
    return status;
}

bool host_file_status(int descriptor, struct stat *out_status)
{
    return syscall(SYS_fstat, descriptor, out_status) == 0;
}
