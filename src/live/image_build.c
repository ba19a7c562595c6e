/* Build time: starts a guest from nothing and writes the image of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "guest_exports.h"
#include "machine/guest_code.h"
#include "machine/trap.h"
#include "protocol/callbacks.h"
#include "sandbox/run.h"
#include "sandbox/run_enter.h"

/* Memory that programs find free. What they take beyond the image is new to each sandbox and costs
 * it faults; this is recycled with the rest (machine/memory_reset.c). Zero as it is, it takes no
 * room in the file. */
#define FREE_BYTES ((uint32_t)2 << 20)

/* False if the guest is given no memory. */
static bool make_room(guest_instance *instance)
{
    uint32_t room = guest_export_eryx_guest_alloc(instance, FREE_BYTES);
    guest_export_eryx_guest_free(instance, room);
    return room != 0;
}

static void start_main(void *argument)
{
    eryx_sandbox *sandbox = argument;
    guest_code_instantiate(&sandbox->instance);
    guest_export_eryx_link_start(&sandbox->instance);
    sandbox->run.outcome = guest_export_eryx_guest_start(&sandbox->instance);
    if (sandbox->run.outcome == 0 && !make_room(&sandbox->instance)) {
        sandbox->run.outcome = 1;
    }
    coroutine_abandon(&sandbox->coroutine);
}

/* The guest makes calls before the image is taken, so that the first of a sandbox is fast. */
static void answer_null(eryx_sandbox *sandbox, uint32_t id)
{
    static const char json[] = "null";
    uint8_t *data = malloc(sizeof json - 1);
    if (data != NULL) {
        memcpy(data, json, sizeof json - 1);
        callbacks_answer(&sandbox->callbacks, id, ANSWER_VALUE, data, sizeof json - 1);
    }
}

static eryx_status start_guest(eryx_sandbox *sandbox, eryx_error *out_error)
{
    if (!trap_prepare_thread() || !coroutine_create(&sandbox->coroutine, start_main, sandbox)) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "no memory for a guest stack");
    }
    sandbox->instance.stack_reserve = sandbox->coroutine.stack->limit + COROUTINE_RESERVE_BYTES;
    output_begin(&sandbox->output, sandbox->limits.max_output_bytes);
    callbacks_begin(&sandbox->callbacks, sandbox->limits.max_pending_callback_bytes);
    limits_begin(&sandbox->timing, &sandbox->instance, &sandbox->limits, 0);
    sandbox->timing.interruptible = false;
    eryx_status status;
    uint32_t trap;
    do {
        sandbox->run.event = (eryx_event){.kind = ERYX_EVENT_DONE};
        status = run_enter(sandbox, &trap);
        if (sandbox->run.event.kind == ERYX_EVENT_WAIT) {
            limits_sleep(&sandbox->timing, sandbox->run.event.as.wait.wake_ns);
        } else if (sandbox->run.event.kind == ERYX_EVENT_CALLBACK) {
            answer_null(sandbox, sandbox->run.event.as.callback.id);
        }
    } while (status == ERYX_OK && trap == WASM_RT_TRAP_NONE &&
             sandbox->run.event.kind != ERYX_EVENT_DONE);
    coroutine_destroy(&sandbox->coroutine);
    if (status != ERYX_OK) {
        return status_fail(status, out_error, "%s", eryx_status_text(status));
    }
    eryx_bytes written = output_finish(&sandbox->output, 2);
    size_t shown = written.size < 400 ? written.size : 400;
    const char *tail = (const char *)written.data + (written.size - shown);
    if (trap != WASM_RT_TRAP_NONE) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "the guest crashed at its start: %s\n%.*s", trap_text(trap), (int)shown,
                           tail);
    }
    if (sandbox->run.outcome != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "the guest did not start\n%.*s",
                           (int)shown, tail);
    }
    if (sandbox->handles.live != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "the started guest holds %u open handles, which an image cannot keep",
                           sandbox->handles.live);
    }
    return ERYX_OK;
}

/*
 * Has the guest's libc say EMFILE where WASI, which has no word for that, says that a quota is used
 * up: the host means open files and sockets by it, and nothing else. The numbers of errno are in
 * constant tables, one for each function that translates, in the order of error-code.
 */
static eryx_status name_errors(const wasm_rt_memory_t *memory, eryx_error *out_error)
{
    static const uint32_t table[] = {2, 6, 7, 8, 10, 16, 19, 20, 22, 25, 26, 27, 28, 29};
    const size_t quota = 6; /* in error-code, and so in a table */
    const uint32_t emfile = 33;
    uint32_t count = 0;
    for (uint64_t at = GUEST_LOWEST_ADDRESS; at + sizeof table <= memory->size;
         at += sizeof table[0]) {
        if (memcmp(memory->data + at, table, sizeof table) == 0) {
            memcpy(memory->data + at + quota * sizeof emfile, &emfile, sizeof emfile);
            count++;
        }
    }
    return count > 0 ? ERYX_OK
                     : status_fail(ERYX_INITIALIZATION, out_error,
                                   "the tables of errors are not in the guest's memory");
}

/* Reads the file once, so that nobody has to who opens it. */
static eryx_status check_written(const char *image_path, eryx_error *out_error)
{
    image written;
    eryx_status status = image_open(image_path, &written, out_error);
    if (status == ERYX_OK) {
        if (!image_is_whole(&written)) {
            status = status_fail(ERYX_INITIALIZATION, out_error, "%s: it was not written as it is",
                                 image_path);
        }
        image_close(&written);
    }
    return status;
}

eryx_status eryx_image_build(const char *stdlib_path, const char *image_path, eryx_error *out_error)
{
    if (stdlib_path == NULL || image_path == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "both paths are needed");
    }
    eryx_engine *engine;
    eryx_status status = engine_create_bare(stdlib_path, &engine, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.execution_timeout_ms = ERYX_UNLIMITED;
    options.limits.max_memory_bytes = ERYX_UNLIMITED;
    eryx_sandbox *sandbox;
    status = eryx_sandbox_create(engine, &options, &sandbox, out_error);
    if (status != ERYX_OK) {
        goto done_engine;
    }
    const wasm_rt_memory_t *memory = &sandbox->instance.memory;
    status = start_guest(sandbox, out_error);
    if (status == ERYX_OK) {
        status = name_errors(memory, out_error);
    }
    if (status == ERYX_OK) {
        status = image_write(image_path, memory->data, memory->size,
                             sandbox->instance.stack_pointer, out_error);
    }
    if (status == ERYX_OK) {
        status = check_written(image_path, out_error);
    }
    eryx_sandbox_destroy(sandbox);
done_engine:
    eryx_engine_destroy(engine);
    return status;
}
