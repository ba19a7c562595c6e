/*
 * dup() and dup2(), which WASI has not.
 *
 * libc has a table of descriptors, and no way to give one file two of them. Files are opened once
 * more (protocol/files.h), and have positions of their own then. The standard streams libc can put
 * into its table again: their handles are there for good, whatever is closed
 * (src/machine/handles.h).
 */
#ifndef ERYX_GUEST_DESCRIPTORS_H
#define ERYX_GUEST_DESCRIPTORS_H

/* As POSIX has them, but for the position; ENOTSUP for sockets. */
int dup(int file);
int dup2(int file, int number);

/* Notes that a descriptor is about to be closed. */
void descriptors_close(int file);

/* Puts the standard streams to 0, 1 and 2 if an earlier run has closed or replaced one. */
void descriptors_restore_streams(void);

#endif
