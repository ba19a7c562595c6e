/* Host functions of the guest runtime itself (module "eryx:host"); see protocol/run.h. */
#include "guest_imports.h"
#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "sandbox/run.h"
#include "secrets/secrets.h"

/* What a field is for the scrubbing of secrets. */
static uint32_t scrubbed_as(uint32_t field)
{
    switch (field) {
    case REPORT_RESULT_JSON:
    case REPORT_RESULT_ERROR:
    case REPORT_VALUE_JSON:
        return ERYX_SCRUB_RESULT;
    case REPORT_VALUE_REPR:
    case REPORT_DISPLAY:
        return ERYX_SCRUB_STDOUT;
    default:
        return ERYX_SCRUB_EXCEPTIONS;
    }
}

static void report_display(guest_instance *instance, const uint8_t *data, size_t size)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    const uint64_t cap = sandbox->run.max_display_bytes;
    eryx_bytes text = {data, size};
    if (size < cap) { /* what is dropped in any case is not looked at */
        guest_charge_work(instance, size, COST_BYTES_COPIED);
        if (!secrets_scrub(sandbox->secrets, ERYX_SCRUB_STDOUT, 0, &text.data, &text.size)) {
            return;
        }
    }
    result_add_display(&sandbox->result, text.data, text.size, cap);
}

void eryx_host_report(guest_instance *instance, uint32_t field, uint32_t data, uint32_t size)
{
    uint8_t *bytes;
    if (!guest_slice(instance, guest_at(data), size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    eryx_sandbox *sandbox = sandbox_of(instance);
    const uint64_t cap = sandbox->limits.max_result_bytes;
    if (field == REPORT_DISPLAY) {
        report_display(instance, bytes, size);
        return;
    }
    if ((field == REPORT_RESULT_JSON || field == REPORT_VALUE_JSON) && size > cap) {
        result_report(&sandbox->result, field, bytes, size, cap); /* says so */
        return;
    }
    eryx_bytes text = result_kept(field, bytes, size, cap);
    guest_charge_work(instance, text.size, COST_BYTES_COPIED);
    if (!secrets_scrub(sandbox->secrets, scrubbed_as(field), 0, &text.data, &text.size)) {
        text.size = 0;
    }
    result_report(&sandbox->result, field, text.data, text.size, cap);
}

void eryx_host_report_exit_code(guest_instance *instance, uint32_t exit_code)
{
    sandbox_of(instance)->run.exit_code = (int32_t)exit_code;
}

uint64_t eryx_host_memory_limit(guest_instance *instance)
{
    uint64_t limit = sandbox_of(instance)->limits.max_memory_bytes;
    return limit < UINT32_MAX ? limit : (uint64_t)UINT32_MAX + 1;
}

void eryx_host_exit(guest_instance *instance, uint32_t exit_code)
{
    run_exit(sandbox_of(instance), (int32_t)exit_code);
}
