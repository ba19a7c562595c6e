/* Values of secrets are found in every form, wherever the bytes are cut. */
#include "secrets/redact.h"
#include "secrets/redact_forms.h"
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
    /* By numbers, and encoded twice. */
    {"s3cr3t-VALUE", "<\\x73\\x33\\x63\\x72\\x33\\x74\\x2d\\x56\\x41\\x4c\\x55\\x45>",
     "<************************************************>"},
    {"s3cr3t-VALUE",
     "<\\u0073\\u0033\\u0063\\u0072\\u0033\\u0074\\u002d\\u0056\\u0041\\u004c\\u0055\\u0045>",
     "<************************************************************************>"},
    {"s3cr3t-VALUE",
     "<\\u0073\\u0033\\u0063\\u0072\\u0033\\u0074\\u002D\\u0056\\u0041\\u004C\\u0055\\u0045>",
     "<************************************************************************>"},
    {"s3cr3t-VALUE", "<&#115;&#51;&#99;&#114;&#51;&#116;&#45;&#86;&#65;&#76;&#85;&#69;>",
     "<***************************************************************>"},
    {"s3cr3t-VALUE", "<&#x73;&#x33;&#x63;&#x72;&#x33;&#x74;&#x2d;&#x56;&#x41;&#x4c;&#x55;&#x45;>",
     "<************************************************************************>"},
    {"s3cr3t-VALUE", "<&#x73;&#x33;&#x63;&#x72;&#x33;&#x74;&#x2D;&#x56;&#x41;&#x4C;&#x55;&#x45;>",
     "<************************************************************************>"},
    {"s3cr3t-VALUE", "<%2573%2533%2563%2572%2533%2574%252d%2556%2541%254c%2555%2545>",
     "<************************************************************>"},
    {"a/b c+d&e", "[a\\x2fb\\x20c\\x2bd\\x26e]", "[*********************]"},
    {"a/b c+d&e", "[a\\u002fb\\u0020c\\u002bd\\u0026e]", "[*****************************]"},
    {"a/b c+d&e", "[a&#47;b&#32;c&#43;d&#38;e]", "[*************************]"},
    {"a/b c+d&e", "[a&#x2F;b&#x20;c&#x2B;d&#x26;e]", "[*****************************]"},
    {"a/b c+d&e", "[a%252Fb%2520c%252Bd%2526e]", "[*************************]"},
    {"a/b c+d&e", "[a%252fb%2520c%252bd%2526e]", "[*************************]"},
    {"p\xc3\xa4ss-\xf0\x9f\x98\x80", "p&#228;ss-&#128512; p&#xe4;ss-&#x1f600;",
     "******************* *******************"},
    {"p\xc3\xa4ss", "p\\xc3\\xa4ss", "***********"},
    /* Cut by line breaks, at whatever column. */
    {"s3cr3t-VALUE", "czNjcjN0\r\nLVZBTFVF", "********\r\n********"},
    {"s3cr3t-VALUE", "c\nzNjcjN0LVZBTFV\nF", "*\n**************\n*"},
    {"s3cr3t-VALUE", "czNj\ncjN0\nLVZB\nTFVF\n", "****\n****\n****\n****\n"},
    {"s3cr3t-VALUE", "OnMzY3I\r\nzdC1WQUxVRQ==", "On*****\r\n**********Q=="},
    {"s3cr3t-VALUE", "czNjcjN0\\nLVZBTFVF\\n", "********\\n********\\n"},
    {"s3cr3t-VALUE", "czNjcjN0\\r\\nLVZBTFVF", "********\\r\\n********"},
    {"s3cr3t-VALUE", "7333637233742d\n56414c5545", "**************\n**********"},
    {"s3cr3t-VALUE", "czNjcjN0\n\n\nLVZBTFVF", "czNjcjN0\n\n\nLVZBTFVF"},
    {"s3cr3t-VALUE", "czNjcjN0\\LVZBTFVF", "czNjcjN0\\LVZBTFVF"},
    {"s3cr3t-VALUE", "czNjcjN0\nczNjcjN0LVZBTFVF", "czNjcjN0\n****************"},
    {"s3cr3t-VALUE", "s3cr3t\n-VALUE\ns3cr3t-VALUE", "******\n******\n************"},
    {"a\\n!", "a\\n!a\\\n\\n!", "****a\\\n\\n!"},
    {"abab", "ab\nabab\nab", "**\n****\n**"},
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

/* Text with zero bytes, which the others have none of. */
static void test_utf16_in_all_pieces(void)
{
    static const char *const value = "k3y-\xc3\xa4\xf0\x9f\x98\x80";
    static const uint16_t units[] = {'k', '3', 'y', '-', 0xe4, 0xd83d, 0xde00};
    enum { UNITS = sizeof units / sizeof units[0], SIZE = 2 * UNITS + 4 };
    for (int is_big = 0; is_big < 2; is_big++) {
        uint8_t text[SIZE] = {'<', 0, [SIZE - 2] = '>'};
        for (size_t i = 0; i < UNITS; i++) {
            text[2 + 2 * i] = (uint8_t)(is_big ? units[i] >> 8 : units[i] & 0xff);
            text[3 + 2 * i] = (uint8_t)(is_big ? units[i] & 0xff : units[i] >> 8);
        }
        redact_matcher *matcher = matcher_of(value);
        for (size_t step = 1; step <= SIZE; step++) {
            redact_stream stream = {0};
            uint8_t out[SIZE];
            for (size_t at = 0; at < SIZE; at += step) {
                size_t part = SIZE - at < step ? SIZE - at : step;
                ASSERT(redact_feed(&stream, matcher, all_active, text + at, part, true));
            }
            redact_release(&stream);
            ASSERT_EQ_U(redact_take(&stream, out, SIZE), SIZE);
            ASSERT_EQ(memcmp(out, "<\0**************>", SIZE), 0);
            redact_stream_free(&stream);
        }
        redact_matcher_destroy(matcher);
    }
}

/* Lines of every width, the value at every place. */
static void test_wrapped_base64(void)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char value[] = "s3cr3t-VALUE-that-is-longer-than-a-line-of-64-columns-is-wide";
    redact_matcher *matcher = matcher_of(value);
    for (size_t before = 0; before < 80; before++) {
        uint8_t plain[240];
        size_t plain_size = 0;
        memset(plain, 'x', sizeof plain);
        memcpy(plain + before, value, sizeof value - 1);
        plain_size = before + sizeof value - 1 + (before + sizeof value) % 3 + 30;
        plain_size -= plain_size % 3;
        for (int kind = 0; kind < 6; kind++) {
            static const size_t widths[] = {76, 64, 60};
            const char *end = kind % 2 == 0 ? "\n" : "\r\n";
            char text[512];
            char out[512];
            size_t size = 0;
            size_t column = 0;
            for (size_t bit = 0; bit + 6 <= 8 * plain_size; bit += 6) {
                uint32_t pair = (uint32_t)plain[bit / 8] << 8;
                pair |= bit / 8 + 1 < plain_size ? plain[bit / 8 + 1] : 0;
                text[size++] = digits[(pair >> (10 - bit % 8)) & 63];
                if (++column == widths[kind / 2]) {
                    strcpy(text + size, end);
                    size += strlen(end);
                    column = 0;
                }
            }
            text[size] = 0;
            redact(matcher, text, 1 + before, out);
            size_t stars = 0;
            for (size_t i = 0; i < size; i++) {
                stars += out[i] == '*';
                ASSERT_EQ(out[i] == '\n', text[i] == '\n');
            }
            ASSERT_EQ_U(stars, (8 * (sizeof value - 1) - (before % 3 == 1   ? 4
                                                          : before % 3 == 2 ? 2
                                                                            : 0)) /
                                   6);
        }
    }
    redact_matcher_destroy(matcher);
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

TEST_MAIN(TEST_CASE(test_all_forms_in_all_pieces), TEST_CASE(test_utf16_in_all_pieces),
          TEST_CASE(test_wrapped_base64), TEST_CASE(test_only_what_can_begin_a_value_is_held),
          TEST_CASE(test_framing_between_is_left_alone),
          TEST_CASE(test_only_active_ones_are_covered),
          TEST_CASE(test_repeated_text_takes_no_long_time),
          TEST_CASE(test_no_more_is_held_than_allowed),
          TEST_CASE(test_enumeration_ends_when_it_is_told_to))
