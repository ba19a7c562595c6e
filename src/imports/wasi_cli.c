/*
 * wasi:cli: the standard streams, an empty environment and the guest's exit. There is no terminal.
 */
#include "guest_imports.h"
#include "machine/guest_memory.h"
#include "sandbox/run.h"

/* The list that has no elements, as a result at that place. */
static void store_empty_list(guest_instance *instance, guest_ptr result)
{
    guest_store_u32(instance, result, 0);
    guest_store_u32(instance, guest_offset(result, 4), 0);
}

void wasi_cli_environment_get_environment(guest_instance *instance, uint32_t result)
{
    store_empty_list(instance, guest_at(result));
}

/* The arguments of a program come with the request (protocol/run.h). */
void wasi_cli_environment_get_arguments(guest_instance *instance, uint32_t result)
{
    store_empty_list(instance, guest_at(result));
}

void wasi_cli_exit_exit(guest_instance *instance, uint32_t status)
{
    run_exit(sandbox_of(instance), status == 0 ? 0 : 1);
}

uint32_t wasi_cli_stdin_get_stdin(guest_instance *instance)
{
    (void)instance;
    return HANDLE_STDIN;
}

uint32_t wasi_cli_stdout_get_stdout(guest_instance *instance)
{
    (void)instance;
    return HANDLE_STDOUT;
}

uint32_t wasi_cli_stderr_get_stderr(guest_instance *instance)
{
    (void)instance;
    return HANDLE_STDERR;
}

/* option<own<terminal-...>>: none. */

void wasi_cli_terminal_stdin_get_terminal_stdin(guest_instance *instance, uint32_t result)
{
    guest_store_u8(instance, guest_at(result), 0);
}

void wasi_cli_terminal_stdout_get_terminal_stdout(guest_instance *instance, uint32_t result)
{
    guest_store_u8(instance, guest_at(result), 0);
}

void wasi_cli_terminal_stderr_get_terminal_stderr(guest_instance *instance, uint32_t result)
{
    guest_store_u8(instance, guest_at(result), 0);
}

/* No terminal was ever handed out, so there is none to drop. */

void wasi_cli_terminal_input_drop_terminal_input(guest_instance *instance, uint32_t self)
{
    (void)self;
    guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
}

void wasi_cli_terminal_output_drop_terminal_output(guest_instance *instance, uint32_t self)
{
    (void)self;
    guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
}
