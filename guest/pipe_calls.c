/* Functions of libc that read and write any descriptor, for those that are ends of pipes. */
#include <errno.h>
#include <unistd.h>

#include "pipes.h"
#include "replaced.h"

REPLACES ssize_t read(int file, void *bytes, size_t size)
{
    return pipes_has(file) ? pipes_read(file, bytes, size)
                           : __eryx_replaced_read(file, bytes, size);
}

REPLACES ssize_t pread(int file, void *bytes, size_t size, off_t position)
{
    if (pipes_has(file)) {
        errno = ESPIPE;
        return -1;
    }
    return __eryx_replaced_pread(file, bytes, size, position);
}

REPLACES ssize_t pwrite(int file, const void *bytes, size_t size, off_t position)
{
    if (pipes_has(file)) {
        errno = ESPIPE;
        return -1;
    }
    return __eryx_replaced_pwrite(file, bytes, size, position);
}
