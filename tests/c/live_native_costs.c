/* The worst cases of native_guest_operation(), which needs the real guest to be linked. */
#include "costs.h"
#include "guest_imports.h"
#include "imports/eryx_native.h"
#include "protocol/native.h"
#include "sandbox/sandbox.h"

enum { BYTES = 4096, BYTES_SIZE = 60 << 20, MEMORY = BYTES + BYTES_SIZE };

static eryx_sandbox sandbox;
static guest_instance *const g = &sandbox.instance;

static void hash(uint32_t size)
{
    native_guest_operation(g, NATIVE_BEGIN, 0, 0, 0, 0, 0);
    COST_BEGIN();
    native_guest_operation(g, NATIVE_BYTES, 0, BYTES, size, 0, 0);
    COST_END();
}

static void hash_a_megabyte(void)
{
    hash(1 << 20);
}

static void hash_far_more(void)
{
    hash(BYTES_SIZE);
}

static void look_for_a_module(void)
{
    hash(1);
    COST_BEGIN();
    native_guest_operation(g, NATIVE_FIND, 0, 0, 0, 0, 0);
    COST_END();
}

static void look_for_a_long_symbol(void)
{
    COST_BEGIN();
    native_guest_operation(g, NATIVE_SYMBOL, 0, BYTES, BYTES_SIZE, 0, 0);
    COST_END();
}

static const cost_case all[] = {
    {"native_guest_operation", "1 MiB of a module", hash_a_megabyte},
    {"native_guest_operation", "60 MiB of a module", hash_far_more},
    {"native_guest_operation", "a module that is not there", look_for_a_module},
    {"native_guest_operation", "60 MiB of a name", look_for_a_long_symbol},
};

static void test_no_operation_takes_long(void)
{
    sandbox.instance.memory.data = calloc(1, MEMORY);
    sandbox.instance.memory.size = MEMORY;
    ASSERT_NOT_NULL(sandbox.instance.memory.data);
    cost_check_all(all, sizeof all / sizeof all[0]);
    free(sandbox.instance.memory.data);
}

TEST_MAIN(TEST_CASE(test_no_operation_takes_long))
