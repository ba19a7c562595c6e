/*
 * A read-only tree of files packed into one file (python/eryx/_archive.py writes it), mapped once
 * and shared by everything that reads it. Immutable after opening, so free to use from all threads.
 *
 * Little-endian layout:
 *   header   archive_header
 *   entries  archive_entry[entry_count]: breadth first from the root (entry 0), so that the
 *            children of a directory lie side by side; there they are sorted by the bytes of their
 *            names
 *   names    the names of the entries, UTF-8, not terminated
 *   data     contents of the files
 */
#ifndef ERYX_VFS_ARCHIVE_H
#define ERYX_VFS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ARCHIVE_ROOT = 0, /* the entry that everything hangs on */
    ARCHIVE_VERSION = 1,
    ARCHIVE_ERROR_SIZE = 256, /* bytes of the text buffer of archive_open() */
};

#define ARCHIVE_MAGIC "ERYXPACK"

typedef struct archive archive;

/*
 * Maps the file and checks all of it that is not contents: every offset, length and name, and that
 * the entries make one tree.
 *
 * path:        of the host, from the embedder, never from a guest.
 * out_archive: freed by the caller with archive_close().
 * out_error:   ARCHIVE_ERROR_SIZE bytes; on failure a terminated text that says what is wrong.
 * Returns false on failure, with nothing left open.
 */
bool archive_open(const char *path, archive **out_archive, char *out_error);

/* The same for an archive that lies in memory, which is copied. Messages have no path. */
bool archive_from_bytes(const uint8_t *data, uint64_t size, archive **out_archive, char *out_error);

/* Unmaps; whoever uses the archive must be gone. NULL is allowed. */
void archive_close(archive *opened);

/* Number of entries; they are 0 to count-1. At least 1. */
uint32_t archive_entry_count(const archive *opened);

/* The following take an entry below archive_entry_count(). */

bool archive_is_directory(const archive *opened, uint32_t entry);

/* The entry of that name in a directory; false if there is none or it is not a directory. */
bool archive_find(const archive *opened, uint32_t directory, const char *name, size_t length,
                  uint32_t *out_entry);

/* The directory that an entry lies in; the root lies in itself. */
uint32_t archive_parent(const archive *opened, uint32_t entry);

/* Children of a directory: *out_count entries from *out_first on; none for a file. */
void archive_children(const archive *opened, uint32_t directory, uint32_t *out_first,
                      uint32_t *out_count);

/* Name of an entry, not terminated; lives as long as the archive. */
const char *archive_name(const archive *opened, uint32_t entry, size_t *out_length);

/* Contents of a file; live as long as the archive. Size 0 for a directory. */
const uint8_t *archive_data(const archive *opened, uint32_t entry, uint64_t *out_size);

/* The one time stamp of everything in the archive, seconds since 1970. */
uint64_t archive_time(const archive *opened);

#endif
