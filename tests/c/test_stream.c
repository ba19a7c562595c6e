/* Pieces of a stream end on whole UTF-8 characters. */
#include "sandbox/stream.h"
#include "test.h"

/* Feeds text in pieces of piece bytes; checks that each piece handed on ends with a whole character
 * and that nothing is lost. */
static void check(const char *text, size_t piece, bool whole_characters)
{
    stream_splitter splitter = {0};
    uint8_t joined[256];
    size_t joined_size = 0;
    size_t size = strlen(text);
    for (size_t at = 0; at < size; at += piece) {
        uint8_t first[4];
        size_t first_size;
        const uint8_t *rest;
        size_t rest_size;
        size_t fed = size - at < piece ? size - at : piece;
        stream_feed(&splitter, (const uint8_t *)text + at, fed, first, &first_size, &rest,
                    &rest_size);
        memcpy(joined + joined_size, first, first_size);
        joined_size += first_size;
        memcpy(joined + joined_size, rest, rest_size);
        joined_size += rest_size;
        if (whole_characters && joined_size < size) {
            ASSERT(((uint8_t)text[joined_size] & 0xc0) != 0x80);
        }
    }
    uint8_t last[4];
    size_t last_size = stream_flush(&splitter, last);
    memcpy(joined + joined_size, last, last_size);
    joined_size += last_size;
    ASSERT_BYTES_EQ(joined, joined_size, text, size);
}

static void test_every_piece_size_of_valid_text(void)
{
    const char *text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8dz\xf0\x9f\x90\x8d\xe2\x82\xac\xc3\xa4";
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        check(text, piece, true);
    }
}

static void test_broken_text_is_handed_on_unchanged(void)
{
    const char *texts[] = {
        "\xc3",          "\x80\x80\x80\x80", "\xf0\x9f",         "\xe2\x82z",
        "\xff\xfe\xc3(", "\xc3\xc3\xc3",     "\xf0\xf0\xf0\xf0", "a\xf8\x88\x80\x80\x80z"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t piece = 1; piece <= strlen(texts[i]); piece++) {
            check(texts[i], piece, false);
        }
    }
}

TEST_MAIN(TEST_CASE(test_every_piece_size_of_valid_text),
          TEST_CASE(test_broken_text_is_handed_on_unchanged))
