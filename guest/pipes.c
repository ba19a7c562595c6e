#define _GNU_SOURCE
#include "pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "module.h"
#include "threads.h"

enum {
    PIPE_BYTES = 65536, /* as Linux has it */
    ATOMIC_BYTES = 4096,
    MOST_FILES = 1024,
};

struct pipe {
    unsigned readers; /* ends that are open */
    unsigned writers;
    size_t begin; /* of what is in it */
    size_t size;
    char bytes[PIPE_BYTES];
};

struct end {
    struct pipe *pipe; /* NULL: the descriptor is no end */
    bool writes;
};

static struct end *ends; /* by descriptor; NULL until there was a pipe */

/* Whatever waits for pipes waits for this. */
static const char change;

static void tell_change(void)
{
    if (thread_count > 0) {
        host_thread_wake(&change, UINT32_MAX);
    }
}

static struct end *end_of(int file)
{
    return ends != NULL && file >= 0 && file < MOST_FILES && ends[file].pipe != NULL ? &ends[file]
                                                                                     : NULL;
}

/* How many ends there are of this kind. */
static unsigned *count_of(const struct end *end)
{
    return end->writes ? &end->pipe->writers : &end->pipe->readers;
}

bool pipes_has(int file)
{
    return end_of(file) != NULL;
}

static int open_end(int flags)
{
    int file = open("/dev/null", flags);
    if (file >= MOST_FILES) {
        close(file);
        errno = EMFILE;
        return -1;
    }
    return file;
}

int pipes_make(int out_ends[2])
{
    if (ends == NULL && (ends = calloc(MOST_FILES, sizeof *ends)) == NULL) {
        errno = ENOMEM;
        return -1;
    }
    struct pipe *made = calloc(1, sizeof *made);
    int reader = made != NULL ? open_end(O_RDONLY) : -1;
    int writer = reader >= 0 ? open_end(O_WRONLY) : -1;
    if (writer < 0) {
        int error = made != NULL ? errno : ENOMEM;
        if (reader >= 0) {
            close(reader);
        }
        free(made);
        errno = error;
        return -1;
    }
    made->readers = 1;
    made->writers = 1;
    ends[reader] = (struct end){.pipe = made, .writes = false};
    ends[writer] = (struct end){.pipe = made, .writes = true};
    out_ends[0] = reader;
    out_ends[1] = writer;
    return 0;
}

int pipes_copy(int file)
{
    int made = open_end(ends[file].writes ? O_WRONLY : O_RDONLY);
    if (made >= 0) {
        ends[made] = ends[file];
        *count_of(&ends[made]) += 1;
    }
    return made;
}

void pipes_move(int from, int to)
{
    if (pipes_has(from)) {
        ends[to] = ends[from];
        ends[from].pipe = NULL;
    }
}

void pipes_close(int file)
{
    struct end *end = end_of(file);
    if (end == NULL) {
        return;
    }
    struct pipe *pipe = end->pipe;
    *count_of(end) -= 1;
    end->pipe = NULL;
    if (pipe->readers == 0 && pipe->writers == 0) {
        free(pipe);
    }
    tell_change();
}

int pipes_wait(uint64_t deadline_ns)
{
    return thread_wait(&change, deadline_ns);
}

static bool is_blocking(int file)
{
    int flags = fcntl(file, F_GETFL);
    return flags < 0 || (flags & O_NONBLOCK) == 0;
}

/* Waits before a transfer is tried again; false with errno if it is not to be. */
static bool try_later(int file)
{
    int error = is_blocking(file) ? pipes_wait(THREAD_WAITS_FOR_EVER) : EAGAIN;
    if (error != 0) {
        errno = error;
        return false;
    }
    if (!pipes_has(file)) {
        errno = EBADF; /* closed by another thread meanwhile */
        return false;
    }
    return true;
}

ssize_t pipes_read(int file, void *bytes, size_t size)
{
    if (ends[file].writes) {
        errno = EBADF;
        return -1;
    }
    while (ends[file].pipe->size == 0 && size > 0) {
        if (ends[file].pipe->writers == 0) {
            return 0;
        }
        if (!try_later(file)) {
            return -1;
        }
    }
    struct pipe *pipe = ends[file].pipe;
    size_t count = size < pipe->size ? size : pipe->size;
    size_t first = PIPE_BYTES - pipe->begin;
    first = first < count ? first : count;
    if (count > 0) {
        memcpy(bytes, pipe->bytes + pipe->begin, first);
        memcpy((char *)bytes + first, pipe->bytes, count - first);
        pipe->begin = (pipe->begin + count) % PIPE_BYTES;
        pipe->size -= count;
        tell_change();
    }
    return (ssize_t)count;
}

ssize_t pipes_write(int file, const void *bytes, size_t size)
{
    if (!ends[file].writes) {
        errno = EBADF;
        return -1;
    }
    size_t least = size <= ATOMIC_BYTES ? size : 1;
    size_t written = 0;
    while (written < size) {
        struct pipe *pipe = ends[file].pipe;
        if (pipe->readers == 0) {
            errno = EPIPE;
            return written > 0 ? (ssize_t)written : -1;
        }
        size_t room = PIPE_BYTES - pipe->size;
        size_t count = size - written < room ? size - written : room;
        if (count < least) {
            if (written > 0 && !is_blocking(file)) {
                break;
            }
            if (!try_later(file)) {
                return written > 0 && errno != EBADF ? (ssize_t)written : -1;
            }
            continue;
        }
        size_t place = (pipe->begin + pipe->size) % PIPE_BYTES;
        size_t first = PIPE_BYTES - place;
        first = first < count ? first : count;
        memcpy(pipe->bytes + place, (const char *)bytes + written, first);
        memcpy(pipe->bytes, (const char *)bytes + written + first, count - first);
        pipe->size += count;
        written += count;
        tell_change();
    }
    return (ssize_t)written;
}

void pipes_describe(int file, struct stat *io_status)
{
    if (pipes_has(file)) {
        io_status->st_mode = S_IFIFO | 0600;
        io_status->st_size = 0;
        io_status->st_nlink = 1;
    }
}

static short events_of(const struct end *end)
{
    const struct pipe *pipe = end->pipe;
    if (end->writes) {
        bool has_room = PIPE_BYTES - pipe->size >= ATOMIC_BYTES;
        return (short)((has_room ? POLLOUT : 0) | (pipe->readers > 0 ? 0 : POLLERR));
    }
    return (short)((pipe->size > 0 ? POLLIN : 0) | (pipe->writers > 0 ? 0 : POLLHUP));
}

int pipes_look(struct pollfd *files, nfds_t count, nfds_t *out_others)
{
    int ready = 0;
    *out_others = 0;
    for (nfds_t i = 0; i < count; i++) {
        const struct end *end = end_of(files[i].fd);
        if (end != NULL) {
            files[i].revents = (short)(events_of(end) & (files[i].events | POLLERR | POLLHUP));
            ready += files[i].revents != 0;
        } else {
            ++*out_others;
        }
    }
    return ready;
}
