/* What a tree of files wants to know of the embedder (provider.h). */
#ifndef ERYX_VFS_QUESTION_H
#define ERYX_VFS_QUESTION_H

#include <stddef.h>
#include <stdint.h>

/* The numbers are those of eryx_files_operation. */
typedef enum provider_operation {
    PROVIDER_STAT = 1,
    PROVIDER_LIST = 2,
    PROVIDER_READ = 3,
    PROVIDER_WRITE = 4,
    PROVIDER_REMOVE = 5,
    PROVIDER_RENAME = 6,
    PROVIDER_MAKE_DIRECTORY = 7,
} provider_operation;

/* One question. Owned by the tree until somebody takes it. */
typedef struct provider_question {
    provider_operation operation;
    uint32_t provider; /* number among those of the sandbox */
    char *path;        /* from the top, "" for it; owned */
    char *new_path;    /* of a rename, owned; else NULL */
    uint8_t *data;     /* to be written, owned; else NULL */
    size_t size;
} provider_question;

/* An operation of the guest, from its first attempt to its last. */
typedef struct provider_moment {
    uint64_t number; /* of the operation */
    uint64_t began_ns;
} provider_moment;

#endif
