/* Host functions of the guest runtime itself (module "eryx:host"); see protocol/run.h. */
#include "guest_imports.h"
#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "sandbox/run.h"
#include "secrets/secrets.h"

void eryx_host_report(guest_instance *instance, uint32_t field, uint32_t data, uint32_t size)
{
    uint8_t *bytes;
    if (!guest_slice(instance, guest_at(data), size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    eryx_sandbox *sandbox = sandbox_of(instance);
    const uint64_t cap = sandbox->limits.max_result_bytes;
    if (field == REPORT_RESULT_JSON && size > cap) {
        result_report(&sandbox->result, field, bytes, size, cap); /* says so */
        return;
    }
    bool is_result = field == REPORT_RESULT_JSON || field == REPORT_RESULT_ERROR;
    eryx_bytes text = result_kept(field, bytes, size, cap);
    guest_charge_work(instance, text.size, COST_BYTES_COPIED);
    if (!secrets_scrub(sandbox->secrets, is_result ? ERYX_SCRUB_RESULT : ERYX_SCRUB_EXCEPTIONS, 0,
                       &text.data, &text.size)) {
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
