/* Switching between the stack of the host and that of a guest. */
#include <pthread.h>
#include <sys/mman.h>

#include "machine/coroutine.h"
#include "test.h"

typedef struct counter {
    coroutine guest;
    int value;
} counter;

static void count_to_three(void *argument)
{
    counter *counted = argument;
    for (int i = 0; i < 3; i++) {
        counted->value++;
        coroutine_leave(&counted->guest);
    }
    coroutine_abandon(&counted->guest);
}

static void test_goes_forth_and_back(void)
{
    counter counted = {0};
    ASSERT(coroutine_create(&counted.guest, count_to_three, &counted));
    for (int i = 1; i <= 3; i++) {
        coroutine_enter(&counted.guest);
        ASSERT_EQ(counted.value, i);
    }
    coroutine_enter(&counted.guest);
    ASSERT_EQ(counted.value, 3);
    coroutine_destroy(&counted.guest);
    ASSERT_NULL(counted.guest.stack);
}

static void test_many_at_once_are_independent(void)
{
    enum { COUNT = 200 };
    static counter counted[COUNT];
    for (int i = 0; i < COUNT; i++) {
        ASSERT(coroutine_create(&counted[i].guest, count_to_three, &counted[i]));
    }
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            coroutine_enter(&counted[i].guest);
            ASSERT_EQ(counted[i].value, round);
        }
    }
    for (int i = 0; i < COUNT; i++) {
        coroutine_destroy(&counted[i].guest);
    }
    coroutine_trim();
}

static void *enter_once(void *argument)
{
    coroutine_enter(&((counter *)argument)->guest);
    return NULL;
}

static void test_may_go_on_in_another_thread(void)
{
    counter counted = {0};
    ASSERT(coroutine_create(&counted.guest, count_to_three, &counted));
    coroutine_enter(&counted.guest);
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, enter_once, &counted), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    ASSERT_EQ(counted.value, 2);
    coroutine_destroy(&counted.guest);
}

static void compute(void *argument)
{
    counter *counted = argument;
    volatile double sum = 0;
    for (int i = 1; i < 100; i++) {
        sum += 1.0 / i;
    }
    counted->value = sum > 5.17 && sum < 5.18;
    ASSERT_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
    coroutine_abandon(&counted->guest);
}

static void test_stack_is_aligned_and_floating_point_works(void)
{
    counter counted = {0};
    ASSERT(coroutine_create(&counted.guest, compute, &counted));
    coroutine_enter(&counted.guest);
    ASSERT_EQ(counted.value, 1);
    coroutine_destroy(&counted.guest);
}

static void touch_deeply(void *argument)
{
    counter *counted = argument;
    volatile uint8_t *bottom = counted->guest.stack->limit;
    for (size_t i = 0; i < COROUTINE_STACK_BYTES - 65536; i += 4096) {
        bottom[i] = 1;
    }
    coroutine_abandon(&counted->guest);
}

static void test_a_pooled_stack_gives_its_depth_back(void)
{
    counter counted = {0};
    coroutine_trim();
    ASSERT(coroutine_create(&counted.guest, touch_deeply, &counted));
    coroutine_enter(&counted.guest);
    coroutine_stack *stack = counted.guest.stack;
    coroutine_destroy(&counted.guest);
    static unsigned char resident[COROUTINE_STACK_BYTES / 4096];
    ASSERT_EQ(mincore(stack->limit, COROUTINE_STACK_BYTES, resident), 0);
    size_t pages = 0;
    for (size_t i = 0; i < sizeof resident; i++) {
        pages += resident[i] & 1;
    }
    ASSERT_LE(pages, 16);
    coroutine_trim();
}

static void test_destroying_nothing_is_allowed(void)
{
    coroutine none = {0};
    coroutine_destroy(&none);
}

TEST_MAIN(TEST_CASE(test_goes_forth_and_back), TEST_CASE(test_many_at_once_are_independent),
          TEST_CASE(test_may_go_on_in_another_thread),
          TEST_CASE(test_stack_is_aligned_and_floating_point_works),
          TEST_CASE(test_a_pooled_stack_gives_its_depth_back),
          TEST_CASE(test_destroying_nothing_is_allowed))
