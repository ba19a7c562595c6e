#include "sandbox/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "base/options.h"
#include "base/status.h"
#include "guest_exports.h"
#include "machine/alarm.h"
#include "machine/guest_memory.h"
#include "machine/segment.h"
#include "machine/trap.h"
#include "machine/wall.h"
#include "net/tls_sessions.h"
#include "sandbox/determinism.h"
#include "sandbox/file_calls.h"
#include "sandbox/request.h"
#include "sandbox/run_enter.h"
#include "sandbox/threads.h"
#include "sandbox/use.h"
#include "secrets/secrets.h"
#include "vfs/changes.h"

/* How long a run that is over waits for its peers to take the rest of its bytes. */
#define LINGER_NS ((uint64_t)5000000000)

/* ---- On the guest's stack -------------------------------------------------------------------- */

static void leave(eryx_sandbox *sandbox, eryx_event event)
{
    guest_unwind unwind = guest_unwind_take(&sandbox->extended);
    sandbox->run.event = event;
    coroutine_leave(&sandbox->coroutine);
    guest_unwind_put(&sandbox->extended, unwind);
}

static void yield_output(eryx_sandbox *sandbox, int stream, const uint8_t *data, size_t size)
{
    if (size > 0) {
        eryx_event event = {.kind = ERYX_EVENT_OUTPUT};
        event.as.output.stream = stream;
        event.as.output.bytes = (eryx_bytes){data, size};
        leave(sandbox, event);
    }
}

/* Hands over what is held of a line. */
static void yield_held(eryx_sandbox *sandbox, int stream)
{
    line_holder *holder = &sandbox->run.lines[stream - 1];
    const size_t size = holder->size;
    holder->size = 0;
    yield_output(sandbox, stream, holder->bytes, size);
}

/* Hands whole lines over, and holds the rest back for a while if it is asked for. */
static void yield_lines(eryx_sandbox *sandbox, int stream, const uint8_t *data, size_t size)
{
    if (!sandbox->run.stream_lines) {
        yield_output(sandbox, stream, data, size);
        return;
    }
    if (size == 0) {
        return;
    }
    yield_held(sandbox, 3 - stream);
    line_holder *holder = &sandbox->run.lines[stream - 1];
    const size_t whole = lines_whole(data, size);
    if (whole > 0 && holder->size > 0 && lines_hold(holder, data, whole)) {
        yield_held(sandbox, stream);
    } else if (whole > 0) {
        yield_held(sandbox, stream);
        yield_output(sandbox, stream, data, whole);
    }
    if (!lines_hold(holder, data + whole, size - whole)) {
        yield_held(sandbox, stream);
        yield_output(sandbox, stream, data + whole, size - whole);
    }
}

void run_yield(eryx_sandbox *sandbox, eryx_event event)
{
    if (sandbox->run.lines[0].size + sandbox->run.lines[1].size > 0 &&
        !limits_are_over(&sandbox->timing, &sandbox->instance)) {
        yield_held(sandbox, 1);
        yield_held(sandbox, 2);
    }
    leave(sandbox, event);
}

void run_wait_event(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns)
{
    if (determinism_settles(sandbox, guest_ns, host_ns)) {
        return;
    }
    const bool own_clock = sandbox->determinism.on; /* then it does not move meanwhile */
    uint64_t wake_ns = own_clock || host_ns < guest_ns ? host_ns : guest_ns;
    uint64_t look_ns = limits_next_look_ns(&sandbox->timing);
    eryx_event event = {.kind = ERYX_EVENT_WAIT};
    event.as.wait.wake_ns = wake_ns < look_ns ? wake_ns : look_ns;
    event.as.wait.callbacks = (uint32_t)sandbox->callbacks.open_count;
    uint64_t *wake_ns_out = &event.as.wait.wake_ns;
    int net_fd = net_before_wait(sandbox->net, wake_ns_out);
    event.as.wait.input = sandbox->input.wanted;
    event.as.wait.fd = standard_input_before_wait(&sandbox->input, net_fd, wake_ns_out);
    run_yield(sandbox, event);
    standard_input_after_wait(&sandbox->input);
    net_after_wait(sandbox->net);
}

bool run_wait(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns)
{
    limits_state *timing = &sandbox->timing;
    if (sandbox->threads != NULL) {
        return threads_wait_outside(sandbox, guest_ns, host_ns);
    }
    if (!limits_check_wait(timing, &sandbox->instance)) {
        return false;
    }
    run_wait_event(sandbox, guest_ns, host_ns);
    return limits_check_wait(timing, &sandbox->instance);
}

bool run_goes_on(eryx_sandbox *sandbox)
{
    return limits_check_wait(&sandbox->timing, &sandbox->instance);
}

void run_pause(eryx_sandbox *sandbox)
{
    run_yield(sandbox, (eryx_event){.kind = ERYX_EVENT_PAUSE});
}

static void hand_over(eryx_sandbox *sandbox, int stream, const uint8_t *data, size_t size)
{
    output_append(&sandbox->output, stream, data, size);
    if (sandbox->run.stream_output && !limits_are_over(&sandbox->timing, &sandbox->instance)) {
        uint8_t first[4];
        size_t first_size;
        stream_feed(&sandbox->run.splitters[stream - 1], data, size, first, &first_size, &data,
                    &size);
        yield_lines(sandbox, stream, first, first_size);
        yield_lines(sandbox, stream, data, size);
    }
}

void run_output(eryx_sandbox *sandbox, int stream, const uint8_t *data, size_t size)
{
    if (secrets_scrub_output(sandbox->secrets, stream, &data, &size)) {
        hand_over(sandbox, stream, data, size);
    } else {
        sandbox->output.streams[stream - 1].dropped += size;
    }
}

void run_exit(eryx_sandbox *sandbox, int32_t exit_code)
{
    sandbox->run.exit_code = exit_code;
    guest_ask_trap(&sandbox->instance, GUEST_TRAP_EXIT);
}

/* Waits a while for connections to take what the guest has written. It is not part of the program
 * any more, so it is not stopped but given up. */
static void send_rest(eryx_sandbox *sandbox)
{
    uint64_t end_ns = clock_now_ns() + LINGER_NS;
    end_ns = end_ns < sandbox->timing.deadline_ns ? end_ns : sandbox->timing.deadline_ns;
    while (net_has_unsent(sandbox->net) && clock_now_ns() < end_ns &&
           atomic_load_explicit(&sandbox->timing.cancel, memory_order_relaxed) == 0) {
        eryx_event event = {.kind = ERYX_EVENT_WAIT};
        event.as.wait.wake_ns = end_ns;
        event.as.wait.fd = net_before_wait(sandbox->net, &event.as.wait.wake_ns);
        run_yield(sandbox, event);
        net_after_wait(sandbox->net);
    }
}

/* A program that guest memory has no room for ends as one that runs out of it. */
static void refuse_program(eryx_sandbox *sandbox)
{
    static const char type[] = "MemoryError";
    char text[96];
    int size = snprintf(text, sizeof text, "%s: no room for the program, the limit is %llu bytes\n",
                        type, (unsigned long long)sandbox->limits.max_memory_bytes);
    const uint8_t *bytes = (const uint8_t *)text;
    const size_t begin = sizeof type + 1; /* of the message */
    run_result *result = &sandbox->result;
    output_append(&sandbox->output, 2, bytes, (size_t)size);
    result_report(result, REPORT_EXCEPTION_TYPE, bytes, sizeof type - 1, 0);
    result_report(result, REPORT_EXCEPTION_MESSAGE, bytes + begin, (size_t)size - 1 - begin, 0);
    result_report(result, REPORT_TRACEBACK, bytes, (size_t)size, 0);
    sandbox->run.outcome = RUN_EXCEPTION;
}

static void run_main(void *argument)
{
    eryx_sandbox *sandbox = argument;
    guest_instance *instance = &sandbox->instance;
    uint32_t size = (uint32_t)sandbox->run.request_size;
    guest_ptr request = guest_at(guest_export_eryx_guest_alloc(instance, size));
    if (request.offset == 0) {
        refuse_program(sandbox);
    } else {
        guest_write(instance, request, sandbox->run.request, size);
        if (sandbox->timing.stop == 0) { /* else its time is over before it has begun */
            sandbox->needs_entropy = false;
            sandbox->timing.interrupt = guest_at(guest_export_eryx_guest_interrupt_flags(instance));
            sandbox->run.outcome = guest_export_eryx_guest_run(instance, request.offset, size);
        }
        sandbox->timing.interruptible = false;
        guest_export_eryx_guest_free(instance, request.offset);
    }
    send_rest(sandbox);
    for (int stream = 1; stream <= 2; stream++) {
        uint8_t held[PLACEHOLDER_SIZE];
        size_t held_size = secrets_flush_output(sandbox->secrets, stream, held);
        if (held_size > 0) {
            hand_over(sandbox, stream, held, held_size);
        }
        uint8_t rest[4];
        size_t rest_size = stream_flush(&sandbox->run.splitters[stream - 1], rest);
        yield_lines(sandbox, stream, rest, rest_size);
        yield_held(sandbox, stream);
    }
    coroutine_abandon(&sandbox->coroutine);
}

/* ---- On the host's stack --------------------------------------------------------------------- */

static eryx_status begin(eryx_sandbox *sandbox, const eryx_run_options *options,
                         eryx_error *out_error)
{
    if (sandbox->state == SANDBOX_RUNNING) {
        return status_fail(ERYX_BUSY, out_error, "a run is going on in this sandbox");
    }
    if (sandbox->state == SANDBOX_BROKEN) {
        return status_fail(ERYX_NEEDS_RESET, out_error, "%s", eryx_status_text(ERYX_NEEDS_RESET));
    }
    eryx_status status = wall_check(&sandbox->map, &sandbox->instance.memory, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    run_state *run = &sandbox->run;
    sandbox_clear_run(sandbox);
    run->stream_output = options->stream_output;
    run->keep_state = options->keep_state;
    run->stream_lines = options->stream_lines;
    run->max_display_bytes = options->max_display_bytes;
    uint32_t flags = sandbox->needs_entropy ? REQUEST_NEEDS_ENTROPY : 0;
    flags |= sandbox->secrets != NULL ? REQUEST_HAS_SECRETS : 0;
    if (!request_build(options, flags, &run->request, &run->request_size)) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    if (run->request_size > UINT32_MAX) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "the program is larger than 4 GiB");
    }
    if (threads_count(sandbox) > 0 && sandbox->instance.metered != sandbox_is_metered(sandbox)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "threads of the runs before are alive: %s; whether fuel is counted can "
                           "only change without any",
                           threads_names(sandbox));
    }
    if (!alarm_install()) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "the signal by which guests are stopped cannot be handled");
    }
    if (!coroutine_create(&sandbox->coroutine, run_main, sandbox)) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "%s", memory_shortage());
    }
    if (!native_choose_variant(&sandbox->native, &sandbox->instance, sandbox_is_metered(sandbox))) {
        coroutine_destroy(&sandbox->coroutine);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    status = standard_input_begin(&sandbox->input, options, out_error);
    if (status != ERYX_OK) {
        coroutine_destroy(&sandbox->coroutine);
        return status;
    }
    result_clear(&sandbox->result);
    vfs_watch_begin(sandbox->files);
    output_begin(&sandbox->output, sandbox->limits.max_output_bytes);
    callbacks_begin(&sandbox->callbacks, sandbox->limits.max_pending_callback_bytes);
    secrets_begin_run(sandbox->secrets);
    net_begin_run(sandbox->net);
    sandbox->instance.pending_trap = WASM_RT_TRAP_NONE;
    guest_unwind_take(&sandbox->extended); /* a trap has left it where it was */
    sandbox->instance.attention = 0;
    sandbox->instance.place = GUEST_IN_GUEST;
    sandbox->instance.stack_reserve = sandbox->coroutine.stack->limit + COROUTINE_RESERVE_BYTES;
    limits_begin(&sandbox->timing, &sandbox->instance, &sandbox->limits, options->pause_every_ms);
    threads_begin_run(sandbox);
    sandbox->state = SANDBOX_RUNNING;
    return ERYX_OK;
}

eryx_status eryx_run_begin(eryx_sandbox *sandbox, const eryx_run_options *options,
                           eryx_error *out_error)
{
    eryx_run_options own;
    eryx_run_options_init(&own);
    if (options == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a run needs options");
    }
    eryx_status status = options_take("eryx_run_options", options, &own, sizeof own, out_error);
    if (status == ERYX_OK && own.source == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a run needs a source");
    }
    if (status == ERYX_OK) {
        status = use_begin(sandbox, out_error);
    }
    if (status == ERYX_OK) {
        status = begin(sandbox, &own, out_error);
        use_end(sandbox);
    }
    return status;
}

static const char *field_text(const run_result *result, uint32_t field)
{
    return result->fields[field].data != NULL ? (const char *)result->fields[field].data : "";
}

/* How the run ended, for people and by number. */
static eryx_status conclude(eryx_sandbox *sandbox, uint32_t trap)
{
    run_result *result = &sandbox->result;
    char *message = result->message;
    const size_t room = sizeof result->message;
    uint32_t stop = sandbox->timing.stop != 0 ? sandbox->timing.stop : trap;
    switch (stop) {
    case GUEST_TRAP_TIMEOUT:
        snprintf(message, room, "execution timed out after %llu ms",
                 (unsigned long long)sandbox->limits.execution_timeout_ms);
        return ERYX_TIMEOUT;
    case GUEST_TRAP_CPU_TIMEOUT:
        snprintf(message, room, "execution timed out: it used the processor for %llu ms",
                 (unsigned long long)sandbox->limits.cpu_timeout_ms);
        return ERYX_TIMEOUT;
    case GUEST_TRAP_CANCELLED:
        snprintf(message, room, "%s", eryx_status_text(ERYX_CANCELLED));
        return ERYX_CANCELLED;
    case GUEST_TRAP_FUEL:
        snprintf(message, room, "fuel limit exceeded: %llu used, the limit is %llu",
                 (unsigned long long)result->view.fuel_consumed,
                 (unsigned long long)sandbox->limits.max_fuel);
        return ERYX_RESOURCE_LIMIT;
    case WASM_RT_TRAP_NONE:
    case GUEST_TRAP_EXIT:
        break;
    default:
        snprintf(message, room, "the guest crashed: %s", trap_text(stop));
        return ERYX_CRASHED;
    }
    if (trap == GUEST_TRAP_EXIT || sandbox->run.outcome == RUN_EXIT) {
        if (sandbox->run.exit_code == 0) {
            return ERYX_OK;
        }
        snprintf(message, room, "the program exited with code %d", sandbox->run.exit_code);
        return ERYX_EXECUTION;
    }
    if (sandbox->run.outcome == RUN_OK) {
        return ERYX_OK;
    }
    const char *text = field_text(result, REPORT_EXCEPTION_MESSAGE);
    snprintf(message, room, "%s%s%s", field_text(result, REPORT_EXCEPTION_TYPE),
             text[0] != 0 ? ": " : "", text);
    return ERYX_EXECUTION;
}

/* What was held back of a guest that has ended in the middle of it. */
static void append_held_output(eryx_sandbox *sandbox)
{
    for (int stream = 1; stream <= 2; stream++) {
        uint8_t held[PLACEHOLDER_SIZE];
        size_t size = secrets_flush_output(sandbox->secrets, stream, held);
        if (size > 0) {
            output_append(&sandbox->output, stream, held, size);
        }
    }
}

static void finish(eryx_sandbox *sandbox, uint32_t trap)
{
    coroutine_destroy(&sandbox->coroutine);
    sandbox->state = trap == WASM_RT_TRAP_NONE ? SANDBOX_READY : SANDBOX_BROKEN;
    if (sandbox->threads != NULL && (trap != WASM_RT_TRAP_NONE || !sandbox->run.keep_state)) {
        /* What they leave in memory no later program could live with. */
        sandbox->state = threads_count(sandbox) > 0 ? SANDBOX_BROKEN : sandbox->state;
        threads_end(sandbox);
    }
    run_result *result = &sandbox->result;
    eryx_result *view = &result->view;
    view->duration_ns = limits_duration_ns(&sandbox->timing);
    view->metered = sandbox->instance.metered;
    view->fuel_consumed = view->metered ? limits_fuel(&sandbox->timing, &sandbox->instance) : 0;
    view->peak_memory_bytes = sandbox->instance.memory.size;
    view->callback_invocations = sandbox->callbacks.invocations;
    determinism_end_run(sandbox);
    callbacks_begin(&sandbox->callbacks, 0);
    file_calls_clear(sandbox);
    tls_sessions_end_run(sandbox->tls);
    standard_input_end(&sandbox->input, true);
    net_end_run(sandbox->net, &sandbox->handles);
    net_list(sandbox->net, &view->connections, &view->connection_count, &view->connections_total);
    append_held_output(sandbox);
    lines_clear(&sandbox->run.lines[0]);
    lines_clear(&sandbox->run.lines[1]);
    view->memory_limit_hit = sandbox->run.memory_limit_hit;
    view->exit_code = sandbox->run.exit_code;
    view->standard_output = output_finish(&sandbox->output, 1);
    view->standard_error = output_finish(&sandbox->output, 2);
    view->standard_output_dropped = sandbox->output.streams[0].dropped;
    view->standard_error_dropped = sandbox->output.streams[1].dropped;
    view->result_json = result->fields[REPORT_RESULT_JSON];
    view->result_error = result->fields[REPORT_RESULT_ERROR];
    view->exception_type = result->fields[REPORT_EXCEPTION_TYPE];
    view->exception_message = result->fields[REPORT_EXCEPTION_MESSAGE];
    view->traceback = result->fields[REPORT_TRACEBACK];
    view->threads_json = result->fields[REPORT_THREADS];
    view->value_json = result->fields[REPORT_VALUE_JSON];
    view->value_repr = result->fields[REPORT_VALUE_REPR];
    view->displays = result->fields[REPORT_DISPLAY];
    view->displays_dropped = result->displays_dropped;
    view->changes = vfs_watch_end(sandbox->files);
    view->status = conclude(sandbox, trap);
    view->message = result->message;
    result->available = true;
}

static eryx_status step(eryx_sandbox *sandbox, eryx_event *out_event)
{
    if (sandbox->state != SANDBOX_RUNNING) {
        return ERYX_INVALID_ARGUMENT;
    }
    if (!trap_prepare_thread()) {
        return ERYX_INITIALIZATION;
    }
    sandbox->run.event = (eryx_event){.kind = ERYX_EVENT_DONE};
    uint32_t trap;
    eryx_status status = run_enter(sandbox, &trap);
    if (status != ERYX_OK) {
        return status;
    }
    if (sandbox->run.event.kind == ERYX_EVENT_DONE || trap != WASM_RT_TRAP_NONE) {
        finish(sandbox, trap);
        sandbox->run.event = (eryx_event){.kind = ERYX_EVENT_DONE};
    }
    *out_event = sandbox->run.event;
    return ERYX_OK;
}

eryx_status run_enter(eryx_sandbox *sandbox, uint32_t *out_trap)
{
    trap_scope scope = {.guest = &sandbox->coroutine,
                        .memory = sandbox->map.reservation,
                        .memory_bytes = MEMORY_MAPPING_BYTES,
                        .instance = &sandbox->instance,
                        .interrupted = limits_interrupted,
                        .overdue = limits_overdue,
                        .look_ns = UINT64_MAX};
    eryx_status status = ERYX_OK;
    uint64_t look_ns;
    trap_scope_begin(&scope); /* before the time is looked at, so that no signal is lost */
    *out_trap = limits_enter(&sandbox->timing, &sandbox->instance, &look_ns);
    if (*out_trap != WASM_RT_TRAP_NONE) {
        goto done;
    }
    void *earlier_base;
    if (!segment_exchange(sandbox->instance.memory.data, &earlier_base)) {
        status = ERYX_INITIALIZATION;
        goto done_leave;
    }
    scope.look_ns = look_ns;
    alarm_set(look_ns);
    sandbox->memory_used = true;
    memory_clock files_clock = determinism_stamp_files(sandbox);
    coroutine_enter(&sandbox->coroutine);
    memory_use_clock(files_clock);
    void *guest_base;
    bool restored = segment_exchange(earlier_base, &guest_base);
    eryx_assert(restored && guest_base == sandbox->instance.memory.data);
    (void)restored;
    *out_trap = scope.trap;
done_leave:
    limits_leave(&sandbox->timing);
done:
    trap_scope_end(&scope);
    return status;
}

eryx_status eryx_run_step(eryx_sandbox *sandbox, eryx_event *out_event)
{
    if (out_event == NULL) {
        return ERYX_INVALID_ARGUMENT;
    }
    eryx_status status = use_begin(sandbox, NULL);
    if (status == ERYX_OK) {
        status = step(sandbox, out_event);
        use_end(sandbox);
    }
    return status;
}

eryx_status eryx_connect_answer(eryx_sandbox *sandbox, bool allow)
{
    eryx_status status = use_begin(sandbox, NULL);
    if (status == ERYX_OK) {
        if (sandbox->state == SANDBOX_RUNNING && sandbox->run.event.kind == ERYX_EVENT_CONNECT) {
            sandbox->run.connect_allowed = allow;
        } else {
            status = ERYX_INVALID_ARGUMENT;
        }
        use_end(sandbox);
    }
    return status;
}

eryx_status eryx_sandbox_connections(eryx_sandbox *sandbox, const eryx_connection **out_connections,
                                     size_t *out_count, uint64_t *out_total)
{
    eryx_status status = use_begin(sandbox, NULL);
    if (status == ERYX_OK) {
        net_list(sandbox->net, out_connections, out_count, out_total);
        use_end(sandbox);
    }
    return status;
}

void eryx_sandbox_wait(eryx_sandbox *sandbox, uint64_t wake_ns)
{
    if (sandbox == NULL) {
        return;
    }
    const eryx_event *event = &sandbox->run.event;
    if (event->kind == ERYX_EVENT_WAIT && event->as.wait.fd >= 0) {
        /* A cancellation makes it readable, too. */
        limits_poll(event->as.wait.fd, wake_ns);
    } else {
        limits_sleep(&sandbox->timing, wake_ns);
    }
}

eryx_status eryx_execute(eryx_sandbox *sandbox, const eryx_run_options *options,
                         const eryx_result **out_result, eryx_error *out_error)
{
    if (out_result == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "there is no place for the result");
    }
    eryx_status status = eryx_run_begin(sandbox, options, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    eryx_event event = {.kind = ERYX_EVENT_PAUSE};
    while (event.kind != ERYX_EVENT_DONE) {
        status = eryx_run_step(sandbox, &event);
        if (status != ERYX_OK) {
            return status_fail(status, out_error, "%s", eryx_status_text(status));
        }
        if (event.kind == ERYX_EVENT_WAIT) {
            eryx_sandbox_wait(sandbox, event.as.wait.wake_ns);
        } else if (event.kind == ERYX_EVENT_FILES) {
            const eryx_files_answer none = {.error_number = EIO};
            eryx_answer_files(sandbox, event.as.files.id, &none);
        } else if (event.kind == ERYX_EVENT_CALLBACK) {
            eryx_callback_raise(sandbox, event.as.callback.id, "NotImplementedError",
                                "eryx_execute() has no callbacks; use eryx_run_step()");
        }
    }
    *out_result = &sandbox->result.view;
    return sandbox->result.view.status;
}
