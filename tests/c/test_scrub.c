/* Placeholders, and how they are taken out of text. */
#include "secrets/scrub.h"
#include "test.h"

static placeholder_set set;

static void make_set(void)
{
    ASSERT(placeholder_set_create(3, &set));
}

static void free_set(void)
{
    placeholder_set_free(&set);
    ASSERT_EQ_U(set.count, 0);
    ASSERT_NULL(set.texts);
}

static void test_placeholders_are_random_and_of_one_shape(void)
{
    placeholder_set other;
    ASSERT(placeholder_set_create(3, &other));
    for (size_t i = 0; i < 3; i++) {
        ASSERT_EQ_U(strlen(set.texts[i]), PLACEHOLDER_SIZE);
        ASSERT_EQ_U(strspn(set.texts[i] + PLACEHOLDER_PREFIX_SIZE, "0123456789abcdef"), 32);
        ASSERT_EQ(memcmp(set.texts[i], PLACEHOLDER_PREFIX, PLACEHOLDER_PREFIX_SIZE), 0);
        for (size_t j = 0; j < 3; j++) {
            ASSERT_NE(strcmp(set.texts[i], other.texts[j]), 0);
            ASSERT(i == j || strcmp(set.texts[i], set.texts[j]) != 0);
        }
    }
    placeholder_set_free(&other);
    ASSERT(placeholder_set_copy(&set, &other));
    ASSERT_EQ(memcmp(set.texts, other.texts, 3 * sizeof set.texts[0]), 0);
    placeholder_set_free(&other);
}

static size_t scrub(const char *text, char *out)
{
    size_t size = scrub_text(&set, (const uint8_t *)text, strlen(text), (uint8_t *)out);
    out[size] = 0;
    return size;
}

static void test_text(void)
{
    char text[512];
    char out[512];
    snprintf(text, sizeof text, "a %s,%s%s b", set.texts[0], set.texts[1], set.texts[2]);
    scrub(text, out);
    ASSERT_STR_EQ(out, "a [REDACTED],[REDACTED][REDACTED] b");
    scrub("", out);
    ASSERT_STR_EQ(out, "");
    scrub("eryx_secret_eryx_secret_", out);
    ASSERT_STR_EQ(out, "eryx_secret_eryx_secret_");
    snprintf(text, sizeof text, "eryx_secret_%s", set.texts[1]);
    scrub(text, out);
    ASSERT_STR_EQ(out, "eryx_secret_[REDACTED]");
    snprintf(text, sizeof text, "%.43s", set.texts[1]);
    scrub(text, out);
    ASSERT_STR_EQ(out, text);
    ASSERT(!scrub_is_needed(&set, (const uint8_t *)text, 43));
}

static void test_what_looks_like_one_is_left_alone(void)
{
    char text[] = "eryx_secret_00000000000000000000000000000000";
    char out[64];
    scrub(text, out);
    ASSERT_STR_EQ(out, text);
}

static void test_same_length(void)
{
    char text[512];
    snprintf(text, sizeof text, "a%sb", set.texts[2]);
    scrub_same_length(&set, (uint8_t *)text, strlen(text));
    ASSERT_STR_EQ(text, "a[REDACTED]**********************************b");
}

/* Every way to cut a text in two, and byte by byte. */
static void test_stream_is_scrubbed_wherever_it_is_cut(void)
{
    char text[512];
    char whole[512];
    snprintf(text, sizeof text, "x%s%.20s|%s\neryx_secret", set.texts[0], set.texts[1],
             set.texts[1]);
    size_t size = strlen(text);
    size_t whole_size = scrub(text, whole);
    for (size_t step = 1; step <= size; step++) {
        scrub_stream stream = {.held_size = 0};
        uint8_t out[1024];
        size_t written = 0;
        for (size_t at = 0; at < size; at += step) {
            size_t part = size - at < step ? size - at : step;
            written += scrub_feed(&stream, &set, (const uint8_t *)text + at, part, out + written);
        }
        written += scrub_flush(&stream, out + written);
        ASSERT_EQ_U(written, whole_size);
        ASSERT_EQ(memcmp(out, whole, whole_size), 0);
        ASSERT_EQ_U(scrub_flush(&stream, out), 0);
    }
}

static void test_stream_passes_what_needs_nothing(void)
{
    scrub_stream stream = {.held_size = 0};
    uint8_t out[128];
    ASSERT(scrub_passes(&stream, &set, (const uint8_t *)"hello\n", 6));
    ASSERT(scrub_passes(&stream, &set, (const uint8_t *)"", 0));
    ASSERT(!scrub_passes(&stream, &set, (const uint8_t *)"hell e", 6));
    ASSERT_EQ_U(scrub_feed(&stream, &set, (const uint8_t *)"see", 3, out), 2);
    ASSERT(!scrub_passes(&stream, &set, (const uint8_t *)"x", 1));
    ASSERT_EQ_U(scrub_feed(&stream, &set, (const uint8_t *)"x", 1, out), 2);
    ASSERT_EQ(memcmp(out, "ex", 2), 0);
}

static void test_many_begins_take_no_long_time(void)
{
    enum { COUNT = 200000 };
    size_t size = COUNT * PLACEHOLDER_PREFIX_SIZE;
    uint8_t *text = malloc(size);
    uint8_t *out = malloc(size);
    for (size_t i = 0; i < COUNT; i++) {
        memcpy(text + i * PLACEHOLDER_PREFIX_SIZE, PLACEHOLDER_PREFIX, PLACEHOLDER_PREFIX_SIZE);
    }
    ASSERT_EQ_U(scrub_text(&set, text, size, out), size);
    ASSERT_EQ(memcmp(text, out, size), 0);
    free(text);
    free(out);
}

TEST_MAIN(TEST_CASE(make_set), TEST_CASE(test_placeholders_are_random_and_of_one_shape),
          TEST_CASE(test_text), TEST_CASE(test_what_looks_like_one_is_left_alone),
          TEST_CASE(test_same_length), TEST_CASE(test_stream_is_scrubbed_wherever_it_is_cut),
          TEST_CASE(test_stream_passes_what_needs_nothing),
          TEST_CASE(test_many_begins_take_no_long_time), TEST_CASE(free_set))
