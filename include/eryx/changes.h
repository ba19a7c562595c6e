/* What a run made, changed and removed of its files in memory. Include eryx/eryx.h. */
#ifndef ERYX_ERYX_CHANGES_H
#define ERYX_ERYX_CHANGES_H

#include "eryx/storage.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A list, sorted by path, with the contents that the files have: what becomes of the sandbox later
 * makes no difference. Contents are shared with it until one side changes them. Never changes.
 * Threads: any.
 */
typedef struct eryx_changes eryx_changes;

typedef enum eryx_change_kind {
    ERYX_CHANGE_MADE = 0,
    ERYX_CHANGE_CHANGED = 1,
    ERYX_CHANGE_REMOVED = 2,
} eryx_change_kind;

typedef struct eryx_change {
    const char *path; /* as the guest has it, from "/", terminated; lives as long as the list */
    eryx_change_kind change;
    eryx_storage_kind kind; /* that it has; if it was removed, that it had */
    uint64_t size;          /* of a file; 0 for others and what was removed */
} eryx_change;

/* One more owner. Returns the list. NULL is allowed. */
ERYX_API eryx_changes *eryx_changes_retain(eryx_changes *changes);

/* Lets go of a list; the last owner frees it. NULL is allowed. */
ERYX_API void eryx_changes_destroy(eryx_changes *changes);

/* How many there are; 0 for NULL. */
ERYX_API size_t eryx_changes_count(const eryx_changes *changes);

/* Whether some are missing: after 65,536, after 4 MiB of paths, those with paths of more than 4,096
 * bytes, and without memory. False for NULL. */
ERYX_API bool eryx_changes_truncated(const eryx_changes *changes);

/* One of them; NULL if there are not so many. Lives as long as the list. */
ERYX_API const eryx_change *eryx_changes_get(const eryx_changes *changes, size_t index);

/*
 * Copies what a file of the list holds, or the target of a link. out_data: freed by the caller with
 * eryx_free(). Errors: ERYX_FILE_NOT_FOUND (no such index, or it was removed),
 * ERYX_FILE_IS_DIRECTORY (it is a directory), ERYX_FILE_OUT_OF_MEMORY, ERYX_FILE_INVALID (NULL).
 */
ERYX_API eryx_file_error eryx_changes_read(const eryx_changes *changes, size_t index,
                                           uint8_t **out_data, size_t *out_size);

#ifdef __cplusplus
}
#endif

#endif
