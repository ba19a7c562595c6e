/*
 * Scrubbing: a stream that comes in any pieces is scrubbed as it would be in one, no placeholder is
 * left in it, and nothing else is changed.
 */
#include "fuzz.h"
#include "secrets/scrub.h"

enum { TEXT_MAX = 8192 };

static placeholder_set set;

/* A text of placeholders, starts of them, and bytes that occur in them. */
static size_t make_text(fuzz_input *input, uint8_t *text)
{
    size_t size = 0;
    while (input->left > 0 && size < TEXT_MAX - PLACEHOLDER_SIZE) {
        const char *placeholder = set.texts[fuzz_below(input, 3)];
        size_t part;
        switch (fuzz_below(input, 4)) {
        case 0:
            part = PLACEHOLDER_SIZE;
            break;
        case 1:
            part = fuzz_below(input, PLACEHOLDER_SIZE);
            break;
        case 2:
            part = fuzz_below(input, PLACEHOLDER_PREFIX_SIZE + 1);
            break;
        default:
            part = 1;
            placeholder = (const char *)"x";
            break;
        }
        memcpy(text + size, placeholder, part);
        size += part;
    }
    return size;
}

/* The same by the simplest means. */
static size_t scrub_slowly(const uint8_t *text, size_t size, uint8_t *out)
{
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        bool found = false;
        for (size_t i = 0; i < set.count && size - at >= PLACEHOLDER_SIZE; i++) {
            found |= memcmp(text + at, set.texts[i], PLACEHOLDER_SIZE) == 0;
        }
        if (found) {
            memcpy(out + written, SCRUB_MARK, SCRUB_MARK_SIZE);
            written += SCRUB_MARK_SIZE;
            at += PLACEHOLDER_SIZE;
        } else {
            out[written++] = text[at++];
        }
    }
    return written;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t text[TEXT_MAX];
    static uint8_t expected[TEXT_MAX];
    static uint8_t out[TEXT_MAX + PLACEHOLDER_SIZE];
    fuzz_input input = {data, size / 2};
    fuzz_input cuts = {data + size / 2, size - size / 2};
    if (set.count == 0) {
        FUZZ_REQUIRE(placeholder_set_create(3, &set));
    }
    size_t text_size = make_text(&input, text);
    size_t expected_size = scrub_slowly(text, text_size, expected);
    FUZZ_REQUIRE(scrub_text(&set, text, text_size, out) == expected_size);
    FUZZ_REQUIRE(memcmp(out, expected, expected_size) == 0);
    FUZZ_REQUIRE(!scrub_is_needed(&set, out, expected_size));

    scrub_stream stream = {.held_size = 0};
    size_t written = 0;
    for (size_t at = 0; at < text_size;) {
        size_t part = fuzz_below(&cuts, 8) == 0 ? fuzz_below(&cuts, 200) : fuzz_below(&cuts, 4);
        part = cuts.left == 0 ? text_size - at : part;
        part = part < text_size - at ? part : text_size - at;
        if (scrub_passes(&stream, &set, text + at, part)) {
            memcpy(out + written, text + at, part);
            written += part;
        } else {
            written += scrub_feed(&stream, &set, text + at, part, out + written);
        }
        at += part;
    }
    written += scrub_flush(&stream, out + written);
    FUZZ_REQUIRE(written == expected_size);
    FUZZ_REQUIRE(memcmp(out, expected, expected_size) == 0);

    scrub_same_length(&set, text, text_size);
    FUZZ_REQUIRE(!scrub_is_needed(&set, text, text_size));
    return 0;
}
