#include "sandbox/file_calls.h"

#include <errno.h>
#include <stdlib.h>

#include "sandbox/sandbox.h"
#include "sandbox/use.h"

file_call *file_calls_open(eryx_sandbox *sandbox, const provider_question *question,
                           const provider_moment *moment)
{
    file_call *call = malloc(sizeof *call);
    if (call != NULL && sandbox->callbacks.last_id < INT32_MAX) {
        *call = (file_call){.next = sandbox->run.file_calls,
                            .id = ++sandbox->callbacks.last_id,
                            .result = VFS_IO,
                            .moment = *moment,
                            .question = *question};
        sandbox->run.file_calls = call;
        return call;
    }
    free(call);
    return NULL;
}

void file_calls_close(eryx_sandbox *sandbox, file_call *call)
{
    file_call **link = &sandbox->run.file_calls;
    while (*link != NULL && *link != call) {
        link = &(*link)->next;
    }
    if (*link == call) {
        *link = call->next;
    }
    vfs_question_free(&call->question);
    free(call);
}

void file_calls_clear(eryx_sandbox *sandbox)
{
    while (sandbox->run.file_calls != NULL) {
        file_calls_close(sandbox, sandbox->run.file_calls);
    }
}

static vfs_type type_of(eryx_storage_kind kind)
{
    return kind == ERYX_STORAGE_DIRECTORY       ? VFS_TYPE_DIRECTORY
           : kind == ERYX_STORAGE_FILE          ? VFS_TYPE_FILE
           : kind == ERYX_STORAGE_SYMBOLIC_LINK ? VFS_TYPE_SYMBOLIC_LINK
                                                : VFS_TYPE_UNKNOWN;
}

/* Hands an answer in. False without memory. */
static bool take(eryx_sandbox *sandbox, file_call *call, const eryx_files_answer *answer)
{
    provider_entry *entries = calloc(answer->entry_count + 1, sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < answer->entry_count; i++) {
        const eryx_files_entry *entry = &answer->entries[i];
        entries[i] =
            (provider_entry){.name = entry->name != NULL ? entry->name : "",
                             .type = type_of(entry->kind),
                             .size = entry->size,
                             .modified = {.seconds = entry->modified_seconds,
                                          .nanoseconds = entry->modified_nanoseconds % 1000000000}};
    }
    const provider_answer taken = {
        .error = answer->error_number == 0 ? VFS_OK : vfs_error_of_errno(answer->error_number),
        .entries = entries,
        .entry_count = answer->entry_count,
        .data = answer->data,
        .size = answer->size};
    call->result = vfs_provider_answer(sandbox->files, &call->moment, &call->question, &taken);
    call->answered = true;
    free(entries);
    return true;
}

eryx_status eryx_answer_files(eryx_sandbox *sandbox, uint32_t id, const eryx_files_answer *answer)
{
    if (answer == NULL || (answer->entries == NULL && answer->entry_count > 0) ||
        (answer->data == NULL && answer->size > 0)) {
        return ERYX_INVALID_ARGUMENT;
    }
    eryx_status status = use_begin(sandbox, NULL);
    if (status != ERYX_OK) {
        return status;
    }
    file_call *call = sandbox->run.file_calls;
    while (call != NULL && (call->id != id || call->answered)) {
        call = call->next;
    }
    if (call == NULL || sandbox->state != SANDBOX_RUNNING) {
        status = ERYX_INVALID_ARGUMENT;
    } else if (!take(sandbox, call, answer)) {
        status = ERYX_OUT_OF_MEMORY;
    }
    use_end(sandbox);
    return status;
}
