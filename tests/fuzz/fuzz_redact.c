/*
 * The redactor alone: texts made of forms of values, of parts of these, and of line breaks.
 * Promised:
 *   - what comes out does not depend on how the text was cut;
 *   - each form of a value is covered that is in it, as it is or cut by line breaks;
 *   - nothing is covered but what belongs to one, and the text keeps its length.
 */
#include "../../src/secrets/redact.h"
#include "../../src/secrets/redact_forms.h"
#include "fuzz.h"

enum { TEXT_MAX = 512, FORMS_MAX = 4096, VALUES = 2 };

typedef struct form {
    uint8_t *bytes;
    size_t size;
} form;

static const char *const values[VALUES] = {"k3y/V \\n\xc3\xa4", "aab"};
static const bool all_active[VALUES] = {true, true};
static redact_matcher *matcher;
static form forms[FORMS_MAX];
static size_t form_count;

static bool keep_form(void *context, const uint8_t *bytes, size_t size)
{
    (void)context;
    for (size_t i = 0; i < form_count; i++) {
        if (forms[i].size == size && memcmp(forms[i].bytes, bytes, size) == 0) {
            return true;
        }
    }
    FUZZ_REQUIRE(form_count < FORMS_MAX);
    uint8_t *copy = malloc(size);
    FUZZ_REQUIRE(copy != NULL);
    memcpy(copy, bytes, size);
    forms[form_count++] = (form){copy, size};
    return true;
}

static void prepare(void)
{
    eryx_bytes list[VALUES];
    for (size_t i = 0; i < VALUES; i++) {
        list[i] = (eryx_bytes){(const uint8_t *)values[i], strlen(values[i])};
        FUZZ_REQUIRE(redact_forms(list[i].data, list[i].size, keep_form, NULL));
    }
    FUZZ_REQUIRE(redact_matcher_create(list, VALUES, &matcher));
}

static size_t make_text(fuzz_input *input, uint8_t *text)
{
    static const char *const breaks[] = {"\n", "\r\n", "\\n", "\\r\\n", "\r", "\n\n\n", "\\", "n"};
    size_t size = 0;
    for (uint32_t parts = fuzz_below(input, 24); parts > 0; parts--) {
        const form *chosen = &forms[fuzz_below(input, (uint32_t)form_count)];
        size_t begin = fuzz_below(input, 3) == 0 ? fuzz_below(input, (uint32_t)chosen->size) : 0;
        size_t end = fuzz_below(input, 3) == 0 ? fuzz_below(input, (uint32_t)chosen->size + 1)
                                               : chosen->size;
        for (size_t i = begin; i < end && size < TEXT_MAX - 8; i++) {
            text[size++] = chosen->bytes[i];
            if (fuzz_below(input, 16) == 0) {
                const char *more = breaks[fuzz_below(input, 8)];
                memcpy(text + size, more, strlen(more));
                size += strlen(more);
            }
        }
    }
    return size;
}

static void redact(fuzz_input *cuts, const uint8_t *text, size_t size, uint8_t *out)
{
    redact_stream stream = {0};
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        size_t part = cuts == NULL ? size : 1 + fuzz_below(cuts, cuts->left == 0 ? 4096 : 12);
        part = part < size - at ? part : size - at;
        uint8_t *copy = malloc(part);
        FUZZ_REQUIRE(copy != NULL);
        memcpy(copy, text + at, part);
        FUZZ_REQUIRE(redact_feed(&stream, matcher, all_active, copy, part, true));
        free(copy);
        written += redact_take(&stream, out + written, size - written);
        at += part;
    }
    redact_release(&stream);
    written += redact_take(&stream, out + written, size - written);
    FUZZ_REQUIRE(written == size);
    redact_stream_free(&stream);
}

/* How many bytes of a line break begin here; 0 if none does. */
static size_t break_at(const uint8_t *text, size_t size, size_t at)
{
    if (text[at] == '\r' || text[at] == '\n') {
        return 1;
    }
    bool is_escaped =
        at + 1 < size && text[at] == '\\' && (text[at + 1] == 'n' || text[at + 1] == 'r');
    return is_escaped ? 2 : 0;
}

/* The bytes that the plain definition covers. joined: with line breaks left out. */
static void mark(const uint8_t *text, size_t size, bool joined, bool *covered)
{
    for (size_t i = 0; i < form_count; i++) {
        for (size_t begin = 0; begin < size; begin++) {
            if (joined && begin > 0 && break_at(text, size, begin - 1) == 2) {
                continue; /* in the middle of a line break */
            }
            size_t places[TEXT_MAX];
            size_t count = 0;
            size_t breaks = 0;
            for (size_t at = begin; at < size && count < forms[i].size;) {
                size_t skipped = joined && count > 0 ? break_at(text, size, at) : 0;
                if (skipped > 0 && breaks < REDACT_MAX_BREAKS) {
                    breaks++;
                    at += skipped;
                } else if (skipped == 0 && text[at] == forms[i].bytes[count]) {
                    breaks = 0;
                    places[count++] = at++;
                } else {
                    break;
                }
            }
            for (size_t j = 0; count == forms[i].size && j < count; j++) {
                covered[places[j]] = true;
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size / 2};
    fuzz_input cuts = {data + size / 2, size - size / 2};
    static uint8_t text[TEXT_MAX];
    static uint8_t whole[TEXT_MAX];
    static uint8_t cut[TEXT_MAX];
    bool covered[TEXT_MAX] = {false};
    if (matcher == NULL) {
        prepare();
    }
    size_t text_size = make_text(&input, text);
    redact(NULL, text, text_size, whole);
    redact(&cuts, text, text_size, cut);
    FUZZ_REQUIRE(memcmp(whole, cut, text_size) == 0);
    mark(text, text_size, false, covered);
    mark(text, text_size, true, covered);
    for (size_t i = 0; i < text_size; i++) {
        FUZZ_REQUIRE(whole[i] == (covered[i] ? '*' : text[i]));
    }
    return 0;
}
