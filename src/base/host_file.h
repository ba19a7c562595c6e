/* Files of the host that the library itself writes. */
#ifndef ERYX_BASE_HOST_FILE_H
#define ERYX_BASE_HOST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "eryx/eryx.h"

/* Whether a file may be so long. To go over RLIMIT_FSIZE sends a signal that ends the process. */
bool host_file_may_reach(uint64_t end);

/* Writes all of it where the file is. False, with errno, if the system refuses. */
bool host_file_write(int descriptor, const void *data, uint64_t size);

/* Reads so many bytes from an offset, wherever the file's position is. False if there are fewer, or
 * with errno. Threads: any. */
bool host_file_read(int descriptor, void *out_data, uint64_t size, uint64_t offset);

/*
 * Makes a file, or puts another in its place; it appears under its name when it is complete.
 *
 * mode: who may do what with it.
 * Errors: INITIALIZATION (the message names the file), OUT_OF_MEMORY; nothing is left then.
 */
eryx_status host_file_replace(const char *path, const void *data, uint64_t size, mode_t mode,
                              eryx_error *out_error);

/* fstat() by the system call of that name, which a worker process may do: newer C libraries use one
 * that takes a path. False with errno. */
bool host_file_status(int descriptor, struct stat *out_status);

#endif
