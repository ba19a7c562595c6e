/* One position for reading and writing, of which libc's streams have one each. */
#ifndef ERYX_GUEST_FILE_POSITION_H
#define ERYX_GUEST_FILE_POSITION_H

#include <stdbool.h>
#include <unistd.h>

/* Whether a file was opened for reading and writing, or to append to it, so that libc may be wrong
 * about where it is; false, and errno changed, if it is none. */
bool file_position_is_shared(int file);

/* Closes the streams of a file, so that the next ones begin where the last one is. Changes errno
 * if that fails. */
void file_position_share(int file);

#endif
