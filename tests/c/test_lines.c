/* What is held back of a line. */
#include "sandbox/lines.h"
#include "test.h"

#include <string.h>

static size_t whole(const char *text)
{
    return lines_whole((const uint8_t *)text, strlen(text));
}

static void test_whole_lines_end_with_the_last_newline(void)
{
    ASSERT_EQ_U(whole(""), 0);
    ASSERT_EQ_U(whole("abc"), 0);
    ASSERT_EQ_U(whole("abc\n"), 4);
    ASSERT_EQ_U(whole("a\nb\nc"), 4);
}

static void test_what_is_held_grows_up_to_its_bound(void)
{
    line_holder holder = {0};
    uint8_t data[4096];
    memset(data, 'x', sizeof data);
    ASSERT(lines_hold(&holder, data, 4000));
    ASSERT(lines_hold(&holder, data, 96));
    ASSERT(!lines_hold(&holder, data, 1));
    ASSERT_EQ_U(holder.size, 4096);
    lines_clear(&holder);
    ASSERT_EQ_U(holder.size, 0);
    ASSERT_NULL(holder.bytes);
}

TEST_MAIN(TEST_CASE(test_whole_lines_end_with_the_last_newline),
          TEST_CASE(test_what_is_held_grows_up_to_its_bound))
