/*
 * Permission bits of files, which WASI does not know. They are kept, and nobody looks at them.
 */
#ifndef ERYX_GUEST_FILE_MODE_H
#define ERYX_GUEST_FILE_MODE_H

#include <sys/stat.h>

/* Sets what files are made without from now on, and gives what it was: umask(). */
mode_t file_mode_set_mask(mode_t mask);

/* Sets the mode of what a path leads to, from an open directory or AT_FDCWD, or of an open file.
 * Give 0, or -1 and errno. */
int file_mode_change(int directory, const char *path, mode_t mode);
int file_mode_change_open(int file, mode_t mode);

/* The descriptor of the directory "/", which libc finds all others from. */
int file_root(void);

#endif
