/*
 * os.pipe(): bytes from one thread of the program to another, or to itself. WASI has no pipes, so
 * they are memory of the guest, and go along with it into forks and saved sessions.
 *
 * An end is a descriptor of libc like any other, whose file is never used: read(), write(), close()
 * and the functions that tell of descriptors ask here first.
 */
#ifndef ERYX_GUEST_PIPES_H
#define ERYX_GUEST_PIPES_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Makes a pipe; -1 and errno on failure. */
int pipes_make(int out_ends[2]);

/* One more descriptor of the same end; -1 and errno on failure. The descriptor is an end. */
int pipes_copy(int file);

/* Whether a descriptor is an end of a pipe. */
bool pipes_has(int file);

/* As read() and write() have it; the descriptor is an end. Wait for other threads. */
ssize_t pipes_read(int file, void *bytes, size_t size);
ssize_t pipes_write(int file, const void *bytes, size_t size);

/* Says that an end has another descriptor now; of no effect for others. */
void pipes_move(int from, int to);

/* Forgets that a descriptor is an end; of no effect for others. */
void pipes_close(int file);

/* What fstat() tells of an end beside what the file has. */
void pipes_describe(int file, struct stat *io_status);

/* Fills in what has happened at the entries that are ends of pipes. Gives how many of them are
 * ready; out_others: how many are no pipes. */
int pipes_look(struct pollfd *files, nfds_t count, nfds_t *out_others);

/* Waits until something happens in a pipe, or for a time (CLOCK_MONOTONIC, nanoseconds). 0, or an
 * errno. */
int pipes_wait(uint64_t deadline_ns);

#endif
