/* Storages: trees of files that embedder and sandboxes share. Include eryx/eryx.h. */
#ifndef ERYX_ERYX_STORAGE_H
#define ERYX_ERYX_STORAGE_H

#include "eryx/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A storage is one directory tree in memory. Sandboxes mount it and the embedder reads and writes
 * its files, all at the same time and from any threads. It lives until its last owner (embedder or
 * sandbox) lets go, and is not touched by eryx_sandbox_reset().
 *
 * Paths are UTF-8 and count from the top of the tree; a "/" before them makes no difference.
 * Symbolic links that guests made are followed, but never lead out of the tree.
 *
 * Every function may fail with ERYX_FILE_INVALID (NULL), ERYX_FILE_OUT_OF_MEMORY and, in a child
 * of the process that made the storage, ERYX_FILE_FORKED.
 */
typedef struct eryx_storage eryx_storage;

/*
 * What can go wrong with files of a storage: name, number, text, and the errno of the OSError that
 * the Python package raises for it (0: it raises another exception, see python/_eryx/storage.c).
 * Numbers never change their meaning.
 */
#define ERYX_FILE_ERROR_MAP(X)                                                                     \
    X(OK, 0, "success", 0)                                                                         \
    X(NOT_FOUND, 1, "no such file or directory", ENOENT)                                           \
    X(EXISTS, 2, "there is something under that name", EEXIST)                                     \
    X(IS_DIRECTORY, 3, "it is a directory", EISDIR)                                                \
    X(NOT_DIRECTORY, 4, "it is not a directory", ENOTDIR)                                          \
    X(NOT_EMPTY, 5, "the directory is not empty", ENOTEMPTY)                                       \
    X(NO_SPACE, 6, "the quota of the storage is used up", ENOSPC)                                  \
    X(NAME_TOO_LONG, 7, "the name is too long", ENAMETOOLONG)                                      \
    X(NOT_PERMITTED, 8, "the path leads out of the storage", EPERM)                                \
    X(LOOP, 9, "too many symbolic links", ELOOP)                                                   \
    X(INVALID, 10, "not a path, or not the bytes, of a storage", 0)                                \
    X(OUT_OF_MEMORY, 11, "the host is out of memory", 0)                                           \
    X(FORKED, 12, "the storage belongs to the parent of this process", 0)

typedef enum eryx_file_error {
#define ERYX_FILE_ERROR_ENUM(name, number, text, number_of_error) ERYX_FILE_##name = (number),
    ERYX_FILE_ERROR_MAP(ERYX_FILE_ERROR_ENUM)
#undef ERYX_FILE_ERROR_ENUM
} eryx_file_error;

/* The name of a file error, such as "NOT_FOUND"; "UNKNOWN" for other numbers. Never freed. */
ERYX_API const char *eryx_file_error_name(eryx_file_error error);

/* One English sentence for a file error, without a full stop. Never freed. */
ERYX_API const char *eryx_file_error_text(eryx_file_error error);

typedef struct eryx_storage_usage {
    uint64_t bytes; /* contents of files, by what is allocated */
    uint64_t entries;
    uint64_t max_bytes;
    uint64_t max_entries;
} eryx_storage_usage;

typedef enum eryx_storage_kind {
    ERYX_STORAGE_FILE = 0,
    ERYX_STORAGE_DIRECTORY = 1,
    ERYX_STORAGE_SYMBOLIC_LINK = 2,
} eryx_storage_kind;

typedef struct eryx_storage_entry {
    char name[256]; /* terminated */
    eryx_storage_kind kind;
} eryx_storage_entry;

/* Makes an empty storage with one owner. max_bytes: of all contents. max_entries: files,
 * directories and links, together.  */
ERYX_API eryx_file_error eryx_storage_create(uint64_t max_bytes, uint64_t max_entries,
                                             eryx_storage **out_storage);

/* One more owner. Returns the storage. */
ERYX_API eryx_storage *eryx_storage_retain(eryx_storage *storage);

/* Lets go of a storage; the last owner frees it. NULL is allowed. */
ERYX_API void eryx_storage_destroy(eryx_storage *storage);

/* Copies a whole file. out_data: freed by the caller with eryx_free(). */
ERYX_API eryx_file_error eryx_storage_read(eryx_storage *storage, const char *path,
                                           uint8_t **out_data, size_t *out_size);

/* Makes or replaces a file, with the directories that lead to it. Others see the old contents or
 * the new ones, nothing between; after an error the old ones. */
ERYX_API eryx_file_error eryx_storage_write(eryx_storage *storage, const char *path,
                                            const uint8_t *data, size_t size);

/* The entries of a directory, sorted by the bytes of their names. out_entries: freed by the caller
 * with eryx_free(). */
ERYX_API eryx_file_error eryx_storage_list(eryx_storage *storage, const char *path,
                                           eryx_storage_entry **out_entries, size_t *out_count);

/* Removes a file, a link or an empty directory. What a guest has open stays readable for it. */
ERYX_API eryx_file_error eryx_storage_remove(eryx_storage *storage, const char *path);

/* What it holds and what it may hold. */
ERYX_API eryx_file_error eryx_storage_get_usage(eryx_storage *storage,
                                                eryx_storage_usage *out_usage);

/* Makes a storage of its own with the same files and quota. Contents are shared until one side
 * changes them, so it takes time and memory by the number of entries. Files that have no name any
 * more are left out. */
ERYX_API eryx_file_error eryx_storage_fork(eryx_storage *storage, eryx_storage **out_storage);

/* All files as bytes with a version and a checksum. out_data: freed with eryx_free(). */
ERYX_API eryx_file_error eryx_storage_to_bytes(eryx_storage *storage, uint8_t **out_data,
                                               size_t *out_size);

/* The reverse; the bytes need not be trusted. ERYX_FILE_INVALID if they are damaged or of another
 * version, ERYX_FILE_NO_SPACE if they do not fit in the quota. */
ERYX_API eryx_file_error eryx_storage_from_bytes(const uint8_t *data, size_t size,
                                                 uint64_t max_bytes, uint64_t max_entries,
                                                 eryx_storage **out_storage);

#ifdef __cplusplus
}
#endif

#endif
