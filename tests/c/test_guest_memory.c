/* The door between host and guest memory: what it lets through and what it does not. */
#include "machine/guest_memory.h"

#include <sys/mman.h>

#include "test.h"

enum { PAGE = 65536, LOWEST = GUEST_LOWEST_ADDRESS };
#define FOUR_GIB ((uint64_t)1 << 32)

static guest_instance new_instance(uint64_t size)
{
    guest_instance instance = {0};
    instance.memory.size = size;
    instance.memory.data = calloc(1, (size_t)size);
    ASSERT_NOT_NULL(instance.memory.data);
    return instance;
}

static uint32_t take_trap(guest_instance *instance)
{
    uint32_t trap = instance->pending_trap;
    instance->pending_trap = WASM_RT_TRAP_NONE;
    return trap;
}

static void test_slice_bounds(void)
{
    static const struct {
        uint32_t offset;
        uint64_t size;
        bool inside;
    } cases[] = {
        {0, 0, true},
        {LOWEST, PAGE - LOWEST, true},
        {LOWEST, PAGE - LOWEST + 1, false},
        {LOWEST + 1, PAGE - LOWEST, false},
        {0, 1, false}, /* there is nothing in the page at 0 */
        {LOWEST - 1, 1, false},
        {LOWEST - 1, 2, false},
        {LOWEST - 1, 0, true},
        {0, PAGE, false},
        {0, PAGE + 1, false},
        {PAGE - 1, 1, true},
        {PAGE - 1, 2, false},
        {PAGE, 0, true},
        {PAGE, 1, false},
        {PAGE + 1, 0, false},
        {UINT32_MAX, 0, false},
        {UINT32_MAX, 1, false},
        {UINT32_MAX, UINT32_MAX, false},
        {0, UINT32_MAX, false},
        {0, UINT64_MAX, false},
        {1, UINT64_MAX, false},
        {UINT32_MAX, UINT64_MAX, false},
        {4096, UINT64_MAX - 4095, false}, /* the end wraps to 0 */
        {4096, UINT64_MAX - 4000, false},
    };
    guest_instance instance = new_instance(PAGE);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t untouched;
        uint8_t *bytes = &untouched;
        bool inside = guest_slice(&instance, guest_at(cases[i].offset), cases[i].size, &bytes);
        ASSERT_EQ(inside, cases[i].inside);
        ASSERT(bytes == (inside ? instance.memory.data + cases[i].offset : &untouched));
        ASSERT_EQ(take_trap(&instance), WASM_RT_TRAP_NONE);
    }
    free(instance.memory.data);
}

static void test_slice_of_the_largest_memory(void)
{
    guest_instance instance = {0};
    instance.memory.size = FOUR_GIB;
    instance.memory.data =
        mmap(NULL, FOUR_GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT(instance.memory.data != MAP_FAILED);
    uint8_t *bytes;
    ASSERT(guest_slice(&instance, guest_at(LOWEST), FOUR_GIB - LOWEST, &bytes));
    ASSERT(guest_slice(&instance, guest_at(UINT32_MAX), 1, &bytes));
    ASSERT(!guest_slice(&instance, guest_at(UINT32_MAX), 2, &bytes));
    ASSERT(!guest_slice(&instance, guest_at(LOWEST), FOUR_GIB, &bytes));
    ASSERT(!guest_slice(&instance, guest_at(LOWEST), FOUR_GIB + 1, &bytes));
    munmap(instance.memory.data, FOUR_GIB);
}

static void test_memory_without_pages(void)
{
    guest_instance instance = new_instance(0);
    uint8_t *bytes;
    ASSERT(guest_slice(&instance, guest_at(0), 0, &bytes));
    ASSERT(!guest_slice(&instance, guest_at(0), 1, &bytes));
    ASSERT(!guest_slice(&instance, guest_at(1), 0, &bytes));
    free(instance.memory.data);
}

static void test_stores_and_loads(void)
{
    guest_instance instance = new_instance(PAGE);
    guest_store_u32(&instance, guest_at(PAGE - 4), 0x11223344);
    ASSERT_EQ_U(guest_load_u32(&instance, guest_at(PAGE - 4)), 0x11223344);
    guest_store_u64(&instance, guest_at(LOWEST + 3), 0x8877665544332211u); /* unaligned is fine */
    ASSERT_EQ_U(guest_load_u32(&instance, guest_at(LOWEST + 3)), 0x44332211);
    guest_store_u8(&instance, guest_at(PAGE - 1), 0xff);
    ASSERT_EQ_U(guest_load_u32(&instance, guest_at(PAGE - 4)), 0xff223344);
    ASSERT_EQ(take_trap(&instance), WASM_RT_TRAP_NONE);
    free(instance.memory.data);
}

static void test_out_of_bounds_asks_for_a_trap_and_changes_nothing(void)
{
    guest_instance instance = new_instance(PAGE);
    uint8_t before[PAGE];
    memcpy(before, instance.memory.data, PAGE);
    guest_store_u8(&instance, guest_at(PAGE), 1);
    ASSERT_EQ(take_trap(&instance), WASM_RT_TRAP_OOB);
    guest_store_u32(&instance, guest_at(PAGE - 3), 0x01010101);
    ASSERT_EQ(take_trap(&instance), WASM_RT_TRAP_OOB);
    guest_store_u64(&instance, guest_at(UINT32_MAX), 1);
    ASSERT_EQ(take_trap(&instance), WASM_RT_TRAP_OOB);
    ASSERT(!guest_write(&instance, guest_at(PAGE - 1), "ab", 2));
    ASSERT_EQ(take_trap(&instance), WASM_RT_TRAP_OOB);
    ASSERT_BYTES_EQ(instance.memory.data, PAGE, before, PAGE);

    memset(instance.memory.data, 0xee, PAGE);
    ASSERT_EQ_U(guest_load_u32(&instance, guest_at(PAGE - 3)), 0);
    ASSERT_EQ(take_trap(&instance), WASM_RT_TRAP_OOB);
    uint8_t copy[4] = {1, 2, 3, 4};
    ASSERT(!guest_read(&instance, guest_at(PAGE - 3), copy, sizeof copy));
    ASSERT_EQ(take_trap(&instance), WASM_RT_TRAP_OOB);
    ASSERT_BYTES_EQ(copy, sizeof copy, "\0\0\0\0", 4);
    free(instance.memory.data);
}

static void test_first_trap_stands(void)
{
    guest_instance instance = {0};
    guest_ask_trap(&instance, GUEST_TRAP_EXIT);
    guest_ask_trap(&instance, WASM_RT_TRAP_OOB);
    ASSERT_EQ(take_trap(&instance), GUEST_TRAP_EXIT);
}

static void test_offsets_wrap_like_the_guests(void)
{
    ASSERT_EQ_U(guest_offset(guest_at(UINT32_MAX), 1).offset, 0);
    ASSERT_EQ_U(guest_offset(guest_at(100), 28).offset, 128);
}

TEST_MAIN(TEST_CASE(test_slice_bounds), TEST_CASE(test_slice_of_the_largest_memory),
          TEST_CASE(test_memory_without_pages), TEST_CASE(test_stores_and_loads),
          TEST_CASE(test_out_of_bounds_asks_for_a_trap_and_changes_nothing),
          TEST_CASE(test_first_trap_stands), TEST_CASE(test_offsets_wrap_like_the_guests))
