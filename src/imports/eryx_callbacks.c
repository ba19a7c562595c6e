/* Callbacks and tracing as the guest sees them (module "eryx:host", see protocol/callbacks.h). */
#include "base/clock.h"
#include "guest_imports.h"
#include "imports/eryx_network.h"
#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "protocol/callbacks.h"
#include "sandbox/determinism.h"
#include "sandbox/run.h"
#include "sandbox/threads.h"
#include "secrets/secrets.h"

static uint64_t call_deadline_ns(const eryx_sandbox *sandbox)
{
    return add_saturating(clock_now_ns(), clock_ms_to_ns(sandbox->limits.callback_timeout_ms));
}

/* The host's parser may take as long for arguments as max_callback_bytes allows: one unit for so
 * many bytes of it, which is 5 ms for a mebibyte, and a third of a millisecond in any case. */
#define BYTES_PER_WORK 4
#define WORK_ALWAYS ((uint64_t)1 << 14)
#define TICKS_PER_WORK 2

/* Most that the guest may hand over of its events at a time; it does so after a few hundred. */
#define MAX_TRACE_BYTES ((uint32_t)1 << 20)
#define MAX_TRACE_WORK ((uint64_t)1 << 16)

/* Whether arguments may be given to a parser: short, flat and few enough. */
static bool is_bearable(const eryx_json_cost *cost, uint64_t max_bytes)
{
    return cost->depth <= ERYX_JSON_DEPTH_MAX && cost->digits <= ERYX_JSON_DIGITS_MAX &&
           (cost->work <= max_bytes / BYTES_PER_WORK || cost->work <= WORK_ALWAYS);
}

uint32_t eryx_host_call(guest_instance *instance, uint32_t name, uint32_t name_size,
                        uint32_t arguments, uint32_t arguments_size)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    callback_table *table = &sandbox->callbacks;
    uint8_t *name_bytes;
    uint8_t *argument_bytes;
    if (!guest_slice(instance, guest_at(name), name_size, &name_bytes) ||
        !guest_slice(instance, guest_at(arguments), arguments_size, &argument_bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return 0;
    }
    if (table->invocations >= sandbox->limits.max_callback_invocations) {
        return (uint32_t)CALL_LIMIT;
    }
    if (limits_are_over(&sandbox->timing, instance)) {
        return 0;
    }
    table->invocations++;
    const uint64_t max_bytes = sandbox->limits.max_callback_bytes;
    if (name_size > CALLBACKS_MAX_NAME || arguments_size > max_bytes) {
        return (uint32_t)CALL_TOO_LARGE;
    }
    guest_charge_work(instance, arguments_size, COST_BYTES_READ);
    eryx_bytes shown_name = {name_bytes, name_size};
    eryx_bytes shown_arguments = {argument_bytes, arguments_size};
    if (!secrets_scrub(sandbox->secrets, ERYX_SCRUB_CALLBACKS, 0, &shown_name.data,
                       &shown_name.size) ||
        !secrets_scrub(sandbox->secrets, ERYX_SCRUB_CALLBACKS, 1, &shown_arguments.data,
                       &shown_arguments.size)) {
        return (uint32_t)CALL_NO_MEMORY;
    }
    const eryx_json_cost cost = eryx_json_measure(shown_arguments.data, shown_arguments.size);
    if (!is_bearable(&cost, max_bytes)) {
        return (uint32_t)CALL_TOO_LARGE;
    }
    uint32_t id;
    if (!callbacks_open(table, call_deadline_ns(sandbox),
                        cost.memory_bytes + name_size + shown_arguments.size, &id)) {
        return (uint32_t)CALL_NO_MEMORY;
    }
    guest_charge(instance, cost.work * TICKS_PER_WORK);
    eryx_event event = {.kind = ERYX_EVENT_CALLBACK};
    event.as.callback.id = id;
    event.as.callback.name = shown_name;
    event.as.callback.arguments = shown_arguments;
    event.as.callback.memory_bytes = cost.memory_bytes;
    run_yield(sandbox, event);
    return id;
}

uint32_t eryx_host_wait(guest_instance *instance, uint64_t timeout_ns)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    const callback_table *table = &sandbox->callbacks;
    uint64_t end_ns = add_saturating(sandbox_now_ns(sandbox), timeout_ns);
    if (timeout_ns == 0 && determinism_is_impatient(sandbox)) {
        end_ns = UINT64_MAX;
    }
    bool waits = timeout_ns > 0 || end_ns == UINT64_MAX;
    if (!threads_watches(sandbox)) {
        threads_watch(sandbox);
    }
    callbacks_expire(sandbox);
    while (sandbox_answers(sandbox) == 0 && waits && !threads_poked(sandbox)) {
        uint64_t deadline_ns = callbacks_next_deadline(table);
        if (net_guest_has_news(sandbox, &deadline_ns)) {
            break;
        }
        bool go_on = run_wait(sandbox, end_ns, deadline_ns);
        callbacks_expire(sandbox);
        if (!go_on || sandbox_now_ns(sandbox) >= end_ns) {
            break;
        }
    }
    threads_unwatch(sandbox);
    return (uint32_t)sandbox_answers(sandbox);
}

void eryx_host_watch_answers(guest_instance *instance)
{
    threads_watch(sandbox_of(instance));
}

uint32_t eryx_host_answer(guest_instance *instance, uint32_t out)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    callback_table *table = &sandbox->callbacks;
    if (sandbox_answers(sandbox) == 0) {
        return 0;
    }
    const callback_call *first = callbacks_first_answer(table);
    guest_ptr data = guest_at(0);
    guest_charge_work(instance, first->size, COST_BYTES_COPIED);
    if (first->size > 0) {
        /* The guest allocates on its own stack meanwhile, but nothing there takes answers. */
        data = guest_try_allocate(instance, (uint32_t)first->size);
        if (data.offset != 0) {
            guest_write(instance, data, first->data, first->size);
        }
    }
    bool lost = first->size > 0 && data.offset == 0;
    struct callback_answer answer = {.id = first->id,
                                     .status = lost ? ANSWER_NO_MEMORY : first->status,
                                     .data = data.offset,
                                     .size = lost ? 0 : (uint32_t)first->size};
    callbacks_take(table);
    sandbox->determinism.answer_ready = false;
    guest_write(instance, guest_at(out), &answer, sizeof answer);
    return 1;
}

void eryx_host_trace(guest_instance *instance, uint32_t events, uint32_t size)
{
    uint8_t *bytes;
    if (!guest_slice(instance, guest_at(events), size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    static const char lost[] = "[{\"event\":\"truncated\"}]";
    const eryx_bytes lost_json = {(const uint8_t *)lost, sizeof lost - 1};
    eryx_event event = {.kind = ERYX_EVENT_TRACE};
    eryx_bytes json = {bytes, size};
    if (size > MAX_TRACE_BYTES) {
        json = lost_json;
    }
    guest_charge_work(instance, json.size, COST_BYTES_READ);
    if (!secrets_scrub(sandbox_of(instance)->secrets, ERYX_SCRUB_CALLBACKS, 0, &json.data,
                       &json.size)) {
        return;
    }
    const eryx_json_cost cost = eryx_json_measure(json.data, json.size);
    if (!is_bearable(&cost, MAX_TRACE_WORK * BYTES_PER_WORK)) {
        json = lost_json;
    }
    guest_charge(instance, cost.work * TICKS_PER_WORK);
    event.as.trace.json = json;
    if (!limits_are_over(&sandbox_of(instance)->timing, instance)) {
        run_yield(sandbox_of(instance), event);
    }
}
