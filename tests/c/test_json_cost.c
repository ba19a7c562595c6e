/* What the parser of the host has to do with JSON of a guest. */
#include "eryx/eryx.h"

#include "test.h"

static eryx_json_cost measure(const char *text)
{
    return eryx_json_measure((const uint8_t *)text, strlen(text));
}

/* So many times the unit, in a list. */
static eryx_json_cost measure_many(const char *unit, size_t count)
{
    size_t size = strlen(unit);
    char *text = malloc(count * size + 2);
    ASSERT_NOT_NULL(text);
    text[0] = '[';
    for (size_t i = 0; i < count; i++) {
        memcpy(text + 1 + i * size, unit, size);
    }
    text[count * size] = ']';
    eryx_json_cost cost = eryx_json_measure((const uint8_t *)text, count * size + 1);
    free(text);
    return cost;
}

static void test_depth(void)
{
    ASSERT_EQ_U(measure("").depth, 0);
    ASSERT_EQ_U(measure("1").depth, 0);
    ASSERT_EQ_U(measure("[]").depth, 1);
    ASSERT_EQ_U(measure("[[],[{\"a\":[]}],{}]").depth, 4);
    ASSERT_EQ_U(measure("]]}}[[").depth, 2);
    ASSERT_EQ_U(measure("\"[[[[\"").depth, 0);
    ASSERT_EQ_U(measure("\"\\\"[[\",[]").depth, 1);
    ASSERT_EQ_U(measure("[\"\\").depth, 1); /* ends in the middle of an escape */
}

static void test_digits(void)
{
    ASSERT_EQ_U(measure("[1,-12345,\"123456789\",1.5e300]").digits, 5);
    ASSERT_EQ_U(measure("1234567").digits, 7);
}

/* Objects are many times as large as their text, and take their time. */
static void test_many_small_values_cost_more_than_a_text(void)
{
    const size_t megabyte = (size_t)1 << 20;
    char *text = malloc(megabyte + 1);
    ASSERT_NOT_NULL(text);
    memset(text, 'x', megabyte);
    text[0] = text[megabyte - 1] = '"';
    eryx_json_cost string = eryx_json_measure((const uint8_t *)text, megabyte);
    free(text);
    ASSERT_LE_U(string.memory_bytes, megabyte + 1000);
    ASSERT_LE_U(string.work, 20000);
    ASSERT_GE_U(measure_many("[],", megabyte / 3).memory_bytes, 26 * megabyte);
    ASSERT_GE_U(measure_many("[],", megabyte / 3).work, megabyte);
    ASSERT_GE_U(measure_many("{\"a\":1},", megabyte / 8).work, 2 * megabyte);
    ASSERT_GE_U(measure_many("1e300,", megabyte / 6).work, 2 * megabyte);
}

/* A whole number of many digits is made in quadratic time. */
static void test_long_numbers(void)
{
    char text[4002];
    memset(text, '9', sizeof text);
    uint64_t whole = eryx_json_measure((const uint8_t *)text, 4000).work;
    uint64_t half = eryx_json_measure((const uint8_t *)text, 2000).work;
    ASSERT_GE_U(whole, 3 * half);
}

TEST_MAIN(TEST_CASE(test_depth), TEST_CASE(test_digits),
          TEST_CASE(test_many_small_values_cost_more_than_a_text), TEST_CASE(test_long_numbers))
