/* Head and tail of what a run writes, under one cap. */
#include "sandbox/output.h"
#include "test.h"

static void append(output_buffer *buffer, int stream, const char *text)
{
    output_append(buffer, stream, (const uint8_t *)text, strlen(text));
}

static void assert_kept(output_buffer *buffer, int stream, const char *expected, uint64_t dropped)
{
    eryx_bytes bytes = output_finish(buffer, stream);
    ASSERT_NOT_NULL(bytes.data);
    ASSERT_BYTES_EQ(bytes.data, bytes.size, expected, strlen(expected));
    ASSERT_EQ_U(buffer->streams[stream - 1].dropped, dropped);
}

static void test_keeps_all_below_the_cap(void)
{
    output_buffer buffer = {0};
    output_begin(&buffer, 100);
    append(&buffer, 1, "abc");
    append(&buffer, 1, "def");
    append(&buffer, 2, "error");
    assert_kept(&buffer, 1, "abcdef", 0);
    assert_kept(&buffer, 2, "error", 0);
    output_free(&buffer);
}

static void test_one_stream_may_use_the_whole_cap(void)
{
    output_buffer buffer = {0};
    output_begin(&buffer, 10);
    append(&buffer, 1, "0123456789");
    assert_kept(&buffer, 1, "0123456789", 0);
    output_free(&buffer);
}

static void test_keeps_head_and_tail_above_the_cap(void)
{
    output_buffer buffer = {0};
    output_begin(&buffer, 10);
    append(&buffer, 1, "0123456789");
    append(&buffer, 1, "a");
    assert_kept(&buffer, 1, "012346789a", 1);
    output_begin(&buffer, 10);
    for (char letter = 'a'; letter <= 'z'; letter++) {
        append(&buffer, 1, (char[]){letter, 0});
    }
    assert_kept(&buffer, 1, "abcdevwxyz", 16);
    output_begin(&buffer, 10);
    append(&buffer, 1, "abcdefghijklmnopqrstuvwxyz");
    assert_kept(&buffer, 1, "abcdevwxyz", 16);
    output_free(&buffer);
}

static void test_flooded_stream_leaves_room_for_the_other(void)
{
    output_buffer buffer = {0};
    output_begin(&buffer, 80);
    for (int i = 0; i < 100; i++) {
        append(&buffer, 1, "flood");
    }
    append(&buffer, 2, "Traceback");
    append(&buffer, 2, "ValueError");
    assert_kept(&buffer, 2, "TraceError", 9);
    ASSERT_EQ(output_finish(&buffer, 1).size, 80);
    output_free(&buffer);
}

static void test_cap_of_zero_drops_everything(void)
{
    output_buffer buffer = {0};
    output_begin(&buffer, 0);
    append(&buffer, 1, "abc");
    append(&buffer, 1, "def");
    assert_kept(&buffer, 1, "", 6);
    assert_kept(&buffer, 2, "", 0);
    output_free(&buffer);
}

static void test_memory_stays_flat_under_a_flood(void)
{
    output_buffer buffer = {0};
    output_begin(&buffer, 1000);
    for (int i = 0; i < 1000000; i++) {
        append(&buffer, 1, "line of text\n");
    }
    ASSERT_LE(buffer.streams[0].allocated, 2048);
    ASSERT_EQ_U(buffer.streams[0].dropped, 13 * 1000000 - 1000);
    output_free(&buffer);
}

static void test_any_sizes_give_the_same_as_a_simple_model(void)
{
    srand(1);
    for (int round = 0; round < 2000; round++) {
        uint64_t cap = (uint64_t)(rand() % 200);
        uint8_t all[2000];
        size_t size = 0;
        output_buffer buffer = {0};
        output_begin(&buffer, cap);
        for (int i = 0; i < 10; i++) {
            size_t piece = (size_t)(rand() % 150);
            for (size_t k = 0; k < piece; k++) {
                all[size + k] = (uint8_t)rand();
            }
            output_append(&buffer, 1, all + size, piece);
            size += piece;
        }
        eryx_bytes kept = output_finish(&buffer, 1);
        if (size <= cap) {
            ASSERT_BYTES_EQ(kept.data, kept.size, all, size);
        } else {
            size_t head = cap - cap / 2;
            ASSERT_EQ_U(kept.size, cap);
            ASSERT_BYTES_EQ(kept.data, head, all, head);
            ASSERT_BYTES_EQ(kept.data + head, cap / 2, all + size - cap / 2, cap / 2);
            ASSERT_EQ_U(buffer.streams[0].dropped, size - cap);
        }
        output_free(&buffer);
    }
}

TEST_MAIN(TEST_CASE(test_keeps_all_below_the_cap), TEST_CASE(test_one_stream_may_use_the_whole_cap),
          TEST_CASE(test_keeps_head_and_tail_above_the_cap),
          TEST_CASE(test_flooded_stream_leaves_room_for_the_other),
          TEST_CASE(test_cap_of_zero_drops_everything),
          TEST_CASE(test_memory_stays_flat_under_a_flood),
          TEST_CASE(test_any_sizes_give_the_same_as_a_simple_model))
