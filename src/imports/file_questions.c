#include "imports/file_questions.h"

#include <string.h>

#include "base/clock.h"
#include "sandbox/file_calls.h"
#include "sandbox/run.h"

/* A walk has a few hundred steps. */
enum { MOST_ATTEMPTS = 1000 };

file_operation file_operation_begin(guest_instance *instance)
{
    vfs *files = sandbox_of(instance)->files;
    file_operation operation = {.instance = instance, .provided = files->providers != NULL};
    if (operation.provided) {
        operation.moment =
            (provider_moment){.number = files->moment.number + 1, .began_ns = clock_now_ns()};
        vfs_provider_begin(files, &operation.moment);
    }
    return operation;
}

const char *file_operation_path(const file_operation *operation, const char *path, size_t length,
                                char *copy)
{
    if (!operation->provided || length > VFS_PATH_MAX) {
        return path; /* nobody waits, or it is refused at once */
    }
    memcpy(copy, path, length);
    return copy;
}

/* Waits for the answer to a question; VFS_OK if it is there. */
static vfs_error wait_for_answer(eryx_sandbox *sandbox, file_call *call)
{
    const uint64_t deadline_ns =
        add_saturating(clock_now_ns(), clock_ms_to_ns(sandbox->limits.callback_timeout_ms));
    eryx_event event = {.kind = ERYX_EVENT_FILES};
    const provider_question *question = &call->question;
    event.as.files.id = call->id;
    event.as.files.provider = question->provider;
    event.as.files.operation = (eryx_files_operation)question->operation;
    event.as.files.path = question->path;
    event.as.files.new_path = question->new_path;
    event.as.files.data = (eryx_bytes){question->data, question->size};
    run_yield(sandbox, event);
    while (!call->answered && clock_now_ns() < deadline_ns &&
           run_wait(sandbox, UINT64_MAX, deadline_ns)) {
    }
    if (!call->answered) {
        const provider_answer none = {.error = VFS_IO};
        (void)vfs_provider_answer(sandbox->files, &call->moment, question, &none);
        eryx_event expired = {.kind = ERYX_EVENT_CALLBACK_EXPIRED};
        expired.as.callback.id = call->id;
        if (run_goes_on(sandbox)) {
            run_yield(sandbox, expired);
        }
    }
    return call->result;
}

bool file_operation_asks(file_operation *operation, vfs_error *error)
{
    eryx_sandbox *sandbox = sandbox_of(operation->instance);
    if (*error != VFS_ASK) {
        return false;
    }
    provider_question question;
    if (!vfs_provider_take_question(sandbox->files, &question)) {
        *error = VFS_INSUFFICIENT_MEMORY;
        return false;
    }
    file_call *call = file_calls_open(sandbox, &question, &operation->moment);
    if (call == NULL || ++operation->attempts > MOST_ATTEMPTS ||
        limits_are_over(&sandbox->timing, operation->instance)) {
        if (call == NULL) {
            vfs_question_free(&question);
        } else {
            const provider_answer none = {.error = VFS_IO};
            (void)vfs_provider_answer(sandbox->files, &call->moment, &call->question, &none);
            file_calls_close(sandbox, call);
        }
        *error = call == NULL ? VFS_INSUFFICIENT_MEMORY : VFS_IO;
        return false;
    }
    *error = wait_for_answer(sandbox, call);
    file_calls_close(sandbox, call);
    vfs_provider_begin(sandbox->files, &operation->moment);
    return *error == VFS_OK;
}
