/* While a host function has the guest allocate, guest code may not call the host again. */
#include "live.h"
#include "machine/coroutine.h"
#include "machine/guest_instance.h"
#include "machine/trap.h"
#include "sandbox/sandbox.h"

/* Generated (guest_imports.c): how guest code calls a host function. */
uint64_t shim_wasi_clocks_monotonic_clock_now(guest_instance *instance);

typedef struct caller {
    eryx_sandbox *sandbox;
    uint64_t answer;
} caller;

static void call_main(void *argument)
{
    caller *calling = argument;
    calling->answer = shim_wasi_clocks_monotonic_clock_now(&calling->sandbox->instance);
    coroutine_abandon(&calling->sandbox->coroutine);
}

static uint32_t call_host_from(caller *calling, uint32_t place)
{
    eryx_sandbox *sandbox = calling->sandbox;
    ASSERT(trap_prepare_thread());
    ASSERT(coroutine_create(&sandbox->coroutine, call_main, calling));
    sandbox->instance.stack_reserve = sandbox->coroutine.stack->limit;
    sandbox->instance.place = place;
    sandbox->instance.ticks = INT64_MAX;
    trap_scope scope = {.guest = &sandbox->coroutine};
    trap_scope_begin(&scope);
    coroutine_enter(&sandbox->coroutine);
    trap_scope_end(&scope);
    coroutine_destroy(&sandbox->coroutine);
    sandbox->instance.place = GUEST_IN_GUEST;
    return scope.trap;
}

static void test_host_functions_are_not_entered_again(void)
{
    caller calling = {.sandbox = live_create(NULL)};
    ASSERT_EQ(call_host_from(&calling, GUEST_IN_GUEST), WASM_RT_TRAP_NONE);
    ASSERT_GT(calling.answer, 0);
    calling.answer = 0;
    ASSERT_EQ(call_host_from(&calling, GUEST_IN_ALLOC), WASM_RT_TRAP_UNREACHABLE);
    ASSERT_EQ(call_host_from(&calling, GUEST_IN_HOST), WASM_RT_TRAP_UNREACHABLE);
    ASSERT_EQ(calling.answer, 0);
    eryx_sandbox_destroy(calling.sandbox);
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_host_functions_are_not_entered_again),
          TEST_CASE(live_close))
