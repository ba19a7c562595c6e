#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "file_mode.h"
#include "pipes.h"
#include "protocol/files.h"
#include "replaced.h"

enum { STREAMS = 3, MOST_FILES = 1024 };

/* libc's: an entry of its table, which of a standard stream begins so; NULL if there is none. */
struct entry {
    const struct {
        int stream;
    } *data;
};
const struct entry *descriptor_table_get_ref(int file);

/* libc's: puts the three standard streams into places that are free. */
int __wasilibc_init_stdio(void);

/* libc's: for numbers that are both taken. The other file is closed. */
int __wasilibc_fd_renumber(int file, int number);

/* For each descriptor the number of the stream that it is a copy of, and one. */
static uint8_t copies[MOST_FILES] = {1, 2, 3};

static int stream_of(int file)
{
    return file >= 0 && file < MOST_FILES ? copies[file] - 1 : -1;
}

/* One more descriptor of a standard stream, also if none is left; -1 and errno on failure. */
static int copy_stream(int stream)
{
    bool was_free[MOST_FILES];
    int made = -1;
    for (int i = 0; i < MOST_FILES; i++) {
        was_free[i] = descriptor_table_get_ref(i) == NULL;
    }
    const bool done = __wasilibc_init_stdio() >= 0;
    for (int i = 0; i < MOST_FILES; i++) {
        const struct entry *entry = was_free[i] ? descriptor_table_get_ref(i) : NULL;
        if (entry != NULL && done && made < 0 && entry->data->stream == stream) {
            made = i;
        } else if (entry != NULL) {
            __eryx_replaced_close(i);
        }
    }
    if (made < 0) {
        errno = EMFILE;
        return -1;
    }
    copies[made] = (uint8_t)(stream + 1);
    return made;
}

void descriptors_close(int file)
{
    if (stream_of(file) >= 0) {
        copies[file] = 0;
    }
}

/* Has a place of the table taken, by a file that is not used; false and errno if it cannot be. */
static bool take_place(int number)
{
    bool taken[MOST_FILES] = {false};
    int file;
    do {
        file = open("/dev/null", O_RDONLY);
        if (file >= 0 && file < MOST_FILES) {
            taken[file] = true;
        }
    } while (file >= 0 && file < MOST_FILES && file != number);
    for (int i = 0; i < MOST_FILES; i++) {
        if (taken[i] && i != number) {
            close(i);
        }
    }
    errno = EMFILE;
    return file == number;
}

/* Gives a file another number, and closes what has that now; -1 and errno on failure. */
static int move(int file, int number)
{
    const int stream = stream_of(file);
    if (number < 0 || number >= MOST_FILES || number == file_root()) {
        errno = EBADF;
        return -1;
    }
    if (descriptor_table_get_ref(number) == NULL) {
        if (!take_place(number)) {
            return -1;
        }
    } else {
        descriptors_close(number);
        pipes_close(number);
        fsync(number);
    }
    if (__wasilibc_fd_renumber(file, number) != 0) {
        return -1;
    }
    copies[number] = (uint8_t)(stream + 1);
    if (stream >= 0) {
        copies[file] = 0;
    }
    pipes_move(file, number);
    return 0;
}

/* One more descriptor of a file, a directory or a device, at the same position. */
static int copy_file(int file, const struct stat *status)
{
    char path[sizeof "/" FILE_AGAIN + 16];
    snprintf(path, sizeof path, "/" FILE_AGAIN "%" PRIx64, (uint64_t)status->st_ino);
    const int flags = fcntl(file, F_GETFL);
    const int made = open(path, O_RDWR | O_CLOEXEC | (flags >= 0 ? flags & O_APPEND : 0));
    if (made < 0 || !S_ISREG(status->st_mode)) {
        return made;
    }
    const off_t position = lseek(file, 0, SEEK_CUR);
    if (position < 0 || lseek(made, position, SEEK_SET) < 0) {
        const int error = errno;
        close(made);
        errno = error;
        return -1;
    }
    return made;
}

REPLACES int dup(int file)
{
    struct stat status;
    if (fstat(file, &status) != 0) {
        return -1;
    }
    if (pipes_has(file)) {
        return pipes_copy(file);
    }
    if (stream_of(file) >= 0) {
        return copy_stream(stream_of(file));
    }
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISCHR(status.st_mode)) {
        return copy_file(file, &status);
    }
    errno = ENOTSUP;
    return -1;
}

REPLACES int dup2(int file, int number)
{
    const int made = dup(file);
    if (made < 0 || made == number) {
        return made;
    }
    if (file == number) {
        close(made);
        return number;
    }
    if (move(made, number) != 0) {
        const int error = errno;
        close(made);
        errno = error;
        return -1;
    }
    return number;
}

void descriptors_restore_streams(void)
{
    for (int stream = 0; stream < STREAMS; stream++) {
        if (stream_of(stream) != stream) {
            int made = copy_stream(stream);
            if (made >= 0 && made != stream && move(made, stream) != 0) {
                close(made);
            }
        }
    }
}
