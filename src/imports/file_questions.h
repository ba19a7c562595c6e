/*
 * Operations on files that the embedder may have to answer something for (vfs/provider.h):
 *
 *     file_operation operation = file_operation_begin(instance);
 *     do {
 *         error = vfs_open(...);
 *     } while (file_operation_asks(&operation, &error));
 *
 * Each attempt has to look up anew what it works on: the guest's other threads run meanwhile. It
 * may not come back from there, so nothing may be held.
 */
#ifndef ERYX_IMPORTS_FILE_QUESTIONS_H
#define ERYX_IMPORTS_FILE_QUESTIONS_H

#include "base/uninitialized.h"
#include "machine/guest_instance.h"
#include "vfs/provider.h"

typedef struct file_operation {
    guest_instance *instance;
    bool provided; /* there may be questions at all */
    uint32_t attempts;
    provider_moment moment;
} file_operation;

file_operation file_operation_begin(guest_instance *instance);

/* Whether to try again: what was asked for is there. *error is what the guest is to be told else.
 */
bool file_operation_asks(file_operation *operation, vfs_error *error);

/* The path of an operation, as it stays while other threads of the guest run: libc has one place
 * for the paths of all of them. copy: VFS_PATH_MAX bytes, used if need be. */
const char *file_operation_path(const file_operation *operation, const char *path, size_t length,
                                char *copy);

/* The above for `directory`, what the descriptor self has open, and its `path_length` bytes of
 * `text`; declares error. */
#define ASK_PROVIDERS(instance, self, error, call)                                                 \
    vfs_error error;                                                                               \
    UNINITIALIZED char kept_path[VFS_PATH_MAX];                                                    \
    file_operation operation = file_operation_begin(instance);                                     \
    text = file_operation_path(&operation, text, path_length, kept_path);                          \
    do {                                                                                           \
        directory = descriptor_of(instance, self);                                                 \
        error = directory == NULL ? VFS_BAD_DESCRIPTOR : (call);                                   \
    } while (file_operation_asks(&operation, &error))

/* The same for two, which begin with old_ and new_. */
#define ASK_PROVIDERS_OF_BOTH(instance, self, new_self, error, call)                               \
    vfs_error error;                                                                               \
    UNINITIALIZED char old_kept[VFS_PATH_MAX];                                                     \
    UNINITIALIZED char new_kept[VFS_PATH_MAX];                                                     \
    file_operation operation = file_operation_begin(instance);                                     \
    old_text = file_operation_path(&operation, old_text, old_length, old_kept);                    \
    new_text = file_operation_path(&operation, new_text, new_length, new_kept);                    \
    do {                                                                                           \
        old_directory = descriptor_of(instance, self);                                             \
        new_directory = descriptor_of(instance, new_self);                                         \
        error = old_directory == NULL || new_directory == NULL ? VFS_BAD_DESCRIPTOR : (call);      \
    } while (file_operation_asks(&operation, &error))

#endif
