/* Questions about files of providers, from the guest's operation to the embedder's answer. */
#ifndef ERYX_SANDBOX_FILE_CALLS_H
#define ERYX_SANDBOX_FILE_CALLS_H

#include "vfs/provider.h"

typedef struct file_call {
    struct file_call *next;
    uint32_t id;
    bool answered;
    vfs_error result; /* of the answer */
    provider_moment moment;
    provider_question question; /* owned */
} file_call;

/* Adds a question, which is taken over on success. NULL without memory. */
file_call *file_calls_open(eryx_sandbox *sandbox, const provider_question *question,
                           const provider_moment *moment);

/* Takes a question out and frees it. */
void file_calls_close(eryx_sandbox *sandbox, file_call *call);

/* Forgets all of them. */
void file_calls_clear(eryx_sandbox *sandbox);

#endif
