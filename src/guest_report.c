/* Host functions of the guest runtime itself (module "eryx:host"); see guest/protocol.h. */
#include "guest_imports.h"
#include "guest_memory.h"
#include "run.h"

void eryx_host_report(guest_instance *instance, uint32_t field, uint32_t data, uint32_t size)
{
    uint8_t *bytes;
    if (!guest_slice(instance, guest_at(data), size, &bytes)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return;
    }
    eryx_sandbox *sandbox = sandbox_of(instance);
    result_report(&sandbox->result, field, bytes, size, sandbox->limits.max_result_bytes);
}

void eryx_host_report_exit_code(guest_instance *instance, uint32_t exit_code)
{
    sandbox_of(instance)->exit_code = (int32_t)exit_code;
}

void eryx_host_exit(guest_instance *instance, uint32_t exit_code)
{
    run_exit(sandbox_of(instance), (int32_t)exit_code);
}
