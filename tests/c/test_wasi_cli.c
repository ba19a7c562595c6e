#include "fake_guest.h"
#include "guest_imports.h"
#include "test.h"

enum { RESULT = GUEST_LOWEST_ADDRESS + 64, MEMORY = 65536 };

static void test_environment_and_arguments_are_empty(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    wasi_cli_environment_get_environment(fake_guest_instance(guest), RESULT);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT), 0);
    wasi_cli_environment_get_arguments(fake_guest_instance(guest), RESULT + 16);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 16), 0);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    wasi_cli_environment_get_environment(fake_guest_instance(guest), MEMORY - 4);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_OOB);
    fake_guest_destroy(guest);
}

static void test_standard_streams(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    ASSERT_EQ(wasi_cli_stdin_get_stdin(fake_guest_instance(guest)), HANDLE_STDIN);
    ASSERT_EQ(wasi_cli_stdout_get_stdout(fake_guest_instance(guest)), HANDLE_STDOUT);
    ASSERT_EQ(wasi_cli_stderr_get_stderr(fake_guest_instance(guest)), HANDLE_STDERR);
    fake_guest_destroy(guest);
}

static void test_there_is_no_terminal(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    guest_instance *instance = fake_guest_instance(guest);
    wasi_cli_terminal_stdin_get_terminal_stdin(instance, RESULT);
    wasi_cli_terminal_stdout_get_terminal_stdout(instance, RESULT + 8);
    wasi_cli_terminal_stderr_get_terminal_stderr(instance, RESULT + 16);
    ASSERT_EQ(fake_guest_u8(guest, RESULT), 0);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 8), 0);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 16), 0);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    wasi_cli_terminal_input_drop_terminal_input(instance, HANDLE_STDIN);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
    wasi_cli_terminal_output_drop_terminal_output(instance, HANDLE_STDOUT);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
    fake_guest_destroy(guest);
}

static void test_exit(void)
{
    static const struct {
        uint32_t status;
        int32_t exit_code;
    } cases[] = {{0, 0}, {1, 1}, {2, 1}, {UINT32_MAX, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_guest *guest = fake_guest_create(MEMORY, 10);
        wasi_cli_exit_exit(fake_guest_instance(guest), cases[i].status);
        ASSERT(guest->exited);
        ASSERT_EQ(guest->exit_code, cases[i].exit_code);
        ASSERT_EQ(fake_guest_take_trap(guest), GUEST_TRAP_EXIT);
        fake_guest_destroy(guest);
    }
}

TEST_MAIN(TEST_CASE(test_environment_and_arguments_are_empty), TEST_CASE(test_standard_streams),
          TEST_CASE(test_there_is_no_terminal), TEST_CASE(test_exit))
