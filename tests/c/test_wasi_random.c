#include "fake_guest.h"
#include "guest_imports.h"
#include "test.h"

enum { RESULT = GUEST_LOWEST_ADDRESS + 64, MEMORY = 4 << 20 };

static const uint8_t *get_random(fake_guest *guest, uint64_t size)
{
    wasi_random_random_get_random_bytes(fake_guest_instance(guest), size, RESULT);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    ASSERT_EQ_U(fake_guest_u32(guest, RESULT + 4), size);
    return fake_guest_bytes(guest, fake_guest_u32(guest, RESULT), (uint32_t)size);
}

static void test_every_size_is_filled_exactly(void)
{
    static const uint32_t sizes[] = {1, 7, 255, 256, 257, 511, 512, 513, 4096, 65535, 65536};
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const uint8_t *bytes = get_random(guest, sizes[i]);
        ASSERT_EQ(bytes[sizes[i]], 0xa5); /* what is behind is as it was */
        if (sizes[i] >= 255) {
            /* The chance that the last 16 bytes were 0xa5 anyway is 2^-128. */
            uint8_t untouched[16];
            memset(untouched, 0xa5, sizeof untouched);
            ASSERT(memcmp(bytes + sizes[i] - 16, untouched, 16) != 0);
        }
        guest->heap_next = FAKE_GUEST_HEAP;
        memset(guest->sandbox.instance.memory.data, 0xa5, MEMORY);
    }
    fake_guest_destroy(guest);
}

static void test_no_two_answers_are_alike(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    fake_guest *other = fake_guest_create(MEMORY, 10);
    const uint8_t *first = get_random(guest, 32);
    const uint8_t *second = get_random(guest, 32);
    const uint8_t *third = get_random(other, 32);
    ASSERT(memcmp(first, second, 32) != 0);
    ASSERT(memcmp(first, third, 32) != 0);
    fake_guest_destroy(guest);
    fake_guest_destroy(other);
}

static void test_nothing_is_allocated_for_nothing(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    get_random(guest, 0);
    ASSERT_EQ(guest->allocations, 0);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT), 0);
    fake_guest_destroy(guest);
}

static void test_too_much_traps_without_allocating(void)
{
    static const uint64_t sizes[] = {(1 << 16) + 1, UINT32_MAX, 1ull << 32, (1ull << 32) + 1,
                                     UINT64_MAX};
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        wasi_random_random_get_random_bytes(fake_guest_instance(guest), sizes[i], RESULT);
        ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
        ASSERT_EQ(guest->allocations, 0);
    }
    fake_guest_destroy(guest);
}

static void test_guest_without_memory(void)
{
    fake_guest *guest = fake_guest_create(MEMORY, 10);
    guest->refuse_allocation = true;
    wasi_random_random_get_random_bytes(fake_guest_instance(guest), 100, RESULT);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
    fake_guest_destroy(guest);
}

TEST_MAIN(TEST_CASE(test_every_size_is_filled_exactly), TEST_CASE(test_no_two_answers_are_alike),
          TEST_CASE(test_nothing_is_allocated_for_nothing),
          TEST_CASE(test_too_much_traps_without_allocating), TEST_CASE(test_guest_without_memory))
