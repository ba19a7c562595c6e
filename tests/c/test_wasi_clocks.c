#include <time.h>

#include "fake_guest.h"
#include "guest_imports.h"
#include "test.h"

enum { RESULT = GUEST_LOWEST_ADDRESS + 64, MEMORY = 65536 };

static void test_monotonic_clock(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    fake_clock_ns = 123456789;
    ASSERT_EQ(wasi_clocks_monotonic_clock_now(fake_guest_instance(guest)), 123456789);
    ASSERT_EQ(wasi_clocks_monotonic_clock_resolution(fake_guest_instance(guest)), 1);
    fake_guest_destroy(guest);
}

static void test_wall_clock(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    time_t before = time(NULL);
    wasi_clocks_wall_clock_now(fake_guest_instance(guest), RESULT);
    uint64_t seconds = fake_guest_u64(guest, RESULT);
    ASSERT_GE_U(seconds, before - 1);
    ASSERT_LE_U(seconds, time(NULL) + 1);
    ASSERT_LT(fake_guest_u32(guest, RESULT + 8), 1000000000);
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 12), 0xa5);

    wasi_clocks_wall_clock_resolution(fake_guest_instance(guest), RESULT);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT), 0);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 8), 1);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);

    wasi_clocks_wall_clock_now(fake_guest_instance(guest), MEMORY - 8);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_OOB);
    wasi_clocks_wall_clock_now(fake_guest_instance(guest), UINT32_MAX);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_OOB);
    fake_guest_destroy(guest);
}

static uint64_t timer_of(fake_guest *guest, uint32_t index)
{
    const handle *timer = handles_get(&guest->sandbox.handles, index, HANDLE_POLLABLE_TIMER);
    ASSERT_NOT_NULL(timer);
    return timer->value;
}

static void test_timers(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    guest_instance *instance = fake_guest_instance(guest);
    fake_clock_ns = 1000;
    ASSERT_EQ_U(timer_of(guest, wasi_clocks_monotonic_clock_subscribe_duration(instance, 50)),
                1050);
    ASSERT_EQ_U(timer_of(guest, wasi_clocks_monotonic_clock_subscribe_duration(instance,
                                                                               UINT64_MAX - 1000)),
                UINT64_MAX);
    ASSERT_EQ_U(
        timer_of(guest, wasi_clocks_monotonic_clock_subscribe_duration(instance, UINT64_MAX - 999)),
        UINT64_MAX);
    ASSERT_EQ_U(
        timer_of(guest, wasi_clocks_monotonic_clock_subscribe_duration(instance, UINT64_MAX)),
        UINT64_MAX);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    fake_guest_destroy(guest);
}

static void test_too_many_timers_trap(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    guest_instance *instance = fake_guest_instance(guest);
    for (unsigned i = 0; i < 10 + HANDLE_RESERVE; i++) {
        ASSERT_NE(wasi_clocks_monotonic_clock_subscribe_duration(instance, i), 0);
    }
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    ASSERT_EQ(wasi_clocks_monotonic_clock_subscribe_duration(instance, 1), 0);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
    fake_guest_destroy(guest);
}

TEST_MAIN(TEST_CASE(test_monotonic_clock), TEST_CASE(test_wall_clock), TEST_CASE(test_timers),
          TEST_CASE(test_too_many_timers_trap))
