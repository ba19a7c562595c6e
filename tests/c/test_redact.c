/* Values of secrets are found in every form, wherever the bytes are cut. */
#include "redact.h"
#include "redact_forms.h"
#include "test.h"

static eryx_bytes text_bytes(const char *text)
{
    return (eryx_bytes){(const uint8_t *)text, strlen(text)};
}

static redact_matcher *matcher_of(const char *value)
{
    redact_matcher *matcher;
    eryx_bytes bytes = text_bytes(value);
    ASSERT(redact_matcher_create(&bytes, 1, &matcher));
    return matcher;
}

static const bool all_active[4] = {true, true, true, true};

/* What comes out of a text that comes in pieces of that size. */
static void redact(const redact_matcher *matcher, const char *text, size_t step, char *out)
{
    redact_stream stream = {0};
    size_t size = strlen(text);
    size_t written = 0;
    for (size_t at = 0; at < size; at += step) {
        size_t part = size - at < step ? size - at : step;
        ASSERT(redact_feed(&stream, matcher, all_active, (const uint8_t *)text + at, part, true));
        written += redact_take(&stream, (uint8_t *)out + written, 3);
    }
    redact_release(&stream);
    written += redact_take(&stream, (uint8_t *)out + written, 4096);
    ASSERT_EQ_U(written, size);
    ASSERT_EQ_U(redact_available(&stream), 0);
    out[written] = 0;
    redact_stream_free(&stream);
}

typedef struct example {
    const char *value;
    const char *text;
    const char *expected;
} example;

static const example examples[] = {
    {"s3cr3t-VALUE", "a s3cr3t-VALUE b", "a ************ b"},
    {"s3cr3t-VALUE", "s3cr3t-VALU s3cr3t-VALUes", "s3cr3t-VALU s3cr3t-VALUes"},
    {"s3cr3t-VALUE", "s3cr3ts3cr3t-VALUE", "s3cr3t************"},
    {"aaab", "aaaaab", "aa****"},
    {"abab", "ababab", "******"},
    {"a/b c+d&e", "q=a%2Fb%20c%2Bd%26e", "q=*****************"},
    {"a/b c+d&e", "q=a%2fb+c%2bd%26e", "q=***************"},
    {"a/b c+d&e", "/a/b%20c%2Bd%26e/", "/***************/"},
    {"a/b c+d&e", "<p>a/b c+d&amp;e</p>", "<p>*************</p>"},
    {"a/b c+d&e", "{\"x\": \"a\\/b c+d&e\"}", "{\"x\": \"**********\"}"},
    {"a/b c+d&e", "\"a/b c+d\\u0026e\"", "\"**************\""},
    {"q\"u'o", "q\\\"u'o q&quot;u&#x27;o q&quot;u&#39;o q&#34;u'o",
     "****** *************** ************** *********"},
    {"p\xc3\xa4ss-\xf0\x9f\x98\x80", "p\\u00e4ss-\\ud83d\\ude00 p\\u00E4ss-\\uD83D\\uDE00",
     "********************** **********************"},
    {"p\xc3\xa4ss", "p%C3%A4ss p%c3%a4ss p\xc3\xa4ss", "********* ********* *****"},
    {"s3cr3t-VALUE", "7333637233742d56414c5545 7333637233742D56414C5545",
     "************************ ************************"},
    /* base64 of "s3cr3t-VALUE", ":s3cr3t-VALUE", "ab:s3cr3t-VALUE" and with more behind it */
    {"s3cr3t-VALUE", "czNjcjN0LVZBTFVF", "****************"},
    {"s3cr3t-VALUE", "OnMzY3IzdC1WQUxVRQ==", "On***************Q=="},
    {"s3cr3t-VALUE", "YWI6czNjcjN0LVZBTFVF", "YWI6****************"},
    {"s3cr3t-VALUE", "YTpzM2NyM3QtVkFMVUU6eA==", "YTp***************U6eA=="},
    {"\xff\xfe\xfb\xef\xbe?>", "//77774/Pg== __77774_Pg %2F%2F77774%2FPg",
     "*********g== *********g ***************g"},
};

static void test_all_forms_in_all_pieces(void)
{
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        redact_matcher *matcher = matcher_of(examples[i].value);
        for (size_t step = 1; step <= strlen(examples[i].text); step++) {
            char out[256];
            redact(matcher, examples[i].text, step, out);
            ASSERT_STR_EQ(out, examples[i].expected);
        }
        redact_matcher_destroy(matcher);
    }
}

static void test_only_what_can_begin_a_value_is_held(void)
{
    redact_matcher *matcher = matcher_of("zyzzyva!");
    redact_stream stream = {0};
    uint8_t out[64];
    ASSERT(redact_feed(&stream, matcher, all_active, (const uint8_t *)"hello zyz", 9, true));
    ASSERT_EQ_U(redact_take(&stream, out, sizeof out), 6);
    ASSERT(redact_feed(&stream, matcher, all_active, (const uint8_t *)"zyva", 4, true));
    ASSERT_EQ_U(redact_take(&stream, out, sizeof out), 0);
    ASSERT(redact_feed(&stream, matcher, all_active, (const uint8_t *)"!", 1, true));
    ASSERT_EQ_U(redact_take(&stream, out, sizeof out), 8);
    ASSERT_EQ(memcmp(out, "********", 8), 0);
    redact_stream_free(&stream);
    redact_matcher_destroy(matcher);
}

static void test_framing_between_is_left_alone(void)
{
    redact_matcher *matcher = matcher_of("s3cr3t");
    redact_stream stream = {0};
    uint8_t out[64];
    ASSERT(redact_feed(&stream, matcher, all_active, (const uint8_t *)"as3c", 4, true));
    ASSERT(redact_feed(&stream, matcher, all_active, (const uint8_t *)"\r\n4\r\n", 5, false));
    ASSERT(redact_feed(&stream, matcher, all_active, (const uint8_t *)"r3tb", 4, true));
    ASSERT_EQ_U(redact_take(&stream, out, sizeof out), 13);
    ASSERT_EQ(memcmp(out, "a***\r\n4\r\n***b", 13), 0);
    redact_stream_free(&stream);
    redact_matcher_destroy(matcher);
}

static void test_only_active_ones_are_covered(void)
{
    const eryx_bytes values[] = {text_bytes("alpha-value"), text_bytes("alpha"),
                                 text_bytes("alpha")};
    const bool active[] = {false, false, true};
    const bool first[] = {true, false, false};
    redact_matcher *matcher;
    redact_stream stream = {0};
    uint8_t out[64];
    ASSERT(redact_matcher_create(values, 2, &matcher));
    ASSERT(redact_feed(&stream, matcher, active, (const uint8_t *)"alpha-value.", 12, true));
    ASSERT_EQ_U(redact_take(&stream, out, sizeof out), 12);
    ASSERT_EQ(memcmp(out, "alpha-value.", 12), 0);
    ASSERT(redact_feed(&stream, matcher, first, (const uint8_t *)"alpha-value.alpha.", 18, true));
    ASSERT_EQ_U(redact_take(&stream, out, sizeof out), 18);
    ASSERT_EQ(memcmp(out, "***********.alpha.", 18), 0);
    redact_stream_free(&stream);
    redact_matcher_destroy(matcher);
    /* Two secrets of the same value. */
    ASSERT(redact_matcher_create(values, 3, &matcher));
    ASSERT(redact_feed(&stream, matcher, active, (const uint8_t *)"alpha.", 6, true));
    ASSERT_EQ_U(redact_take(&stream, out, sizeof out), 6);
    ASSERT_EQ(memcmp(out, "*****.", 6), 0);
    redact_stream_free(&stream);
    redact_matcher_destroy(matcher);
}

/* Values and texts that are hard for simple searches: this ends at once, or never. */
static void test_repeated_text_takes_no_long_time(void)
{
    enum { VALUE = 16384, TEXT = 8 << 20 };
    char *value = malloc(VALUE + 1);
    uint8_t *text = malloc(TEXT);
    memset(value, 'a', VALUE);
    value[VALUE] = 0;
    memset(text, 'a', TEXT);
    for (int round = 0; round < 2; round++) {
        value[VALUE - 1] = round == 0 ? 'b' : 'a';
        redact_matcher *matcher = matcher_of(value);
        redact_stream stream = {0};
        size_t taken = 0;
        for (size_t at = 0; at < TEXT; at += 65536) {
            ASSERT(redact_feed(&stream, matcher, all_active, text + at, 65536, true));
            static uint8_t out[1 << 17];
            taken += redact_take(&stream, out, sizeof out);
        }
        ASSERT_GT(taken, TEXT - VALUE - 65536);
        redact_stream_free(&stream);
        redact_matcher_destroy(matcher);
    }
    free(value);
    free(text);
}

static void test_no_more_is_held_than_allowed(void)
{
    redact_matcher *matcher = matcher_of("s3cr3t");
    redact_stream stream = {0};
    static uint8_t framing[4096];
    size_t fed = 1;
    ASSERT(redact_feed(&stream, matcher, all_active, (const uint8_t *)"s", 1, true));
    while (redact_available(&stream) == 0) {
        ASSERT(redact_feed(&stream, matcher, all_active, framing, sizeof framing, false));
        fed += sizeof framing;
        ASSERT_LE_U(fed, REDACT_MAX_HELD + 2 * sizeof framing);
    }
    ASSERT_EQ_U(redact_available(&stream), fed);
    redact_stream_free(&stream);
    redact_matcher_destroy(matcher);
}

static bool never(void *context, const uint8_t *form, size_t size)
{
    (void)form, (void)size;
    return --*(int *)context > 0;
}

static void test_enumeration_ends_when_it_is_told_to(void)
{
    for (int count = 1; count < 60; count++) {
        int left = count;
        ASSERT(!redact_forms((const uint8_t *)"a&b'c\"d/", 8, never, &left));
        ASSERT_EQ(left, 0);
    }
    int none = 0;
    ASSERT(redact_forms((const uint8_t *)"", 0, never, &none));
}

TEST_MAIN(TEST_CASE(test_all_forms_in_all_pieces),
          TEST_CASE(test_only_what_can_begin_a_value_is_held),
          TEST_CASE(test_framing_between_is_left_alone),
          TEST_CASE(test_only_active_ones_are_covered),
          TEST_CASE(test_repeated_text_takes_no_long_time),
          TEST_CASE(test_no_more_is_held_than_allowed),
          TEST_CASE(test_enumeration_ends_when_it_is_told_to))
