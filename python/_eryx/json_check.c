/*
 * A look at JSON text that the guest wrote, before the host's parser sees it. CPython's parser
 * recurses on the stack of the calling thread, which may be small, turns long numbers into integers
 * in quadratic time if the application lifted the limit on digits, and makes objects that are up to
 * thirty times as large as their text.
 */
#include "binding.h"

enum {
    JSON_DEPTH_MAX = 200,
    JSON_DIGITS_MAX = 4300, /* what Python itself allows unless told otherwise */
};

/* About what the objects of CPython take, with their place in what they are in. */
enum {
    LIST_BYTES = 72,
    DICT_BYTES = 136,
    PAIR_BYTES = 104,  /* of a dict, without what it holds */
    PLACE_BYTES = 8,   /* small numbers and characters exist once only */
    NUMBER_BYTES = 32, /* with more than two digits */
    STRING_BYTES = 56, /* with more than one character */
};

/* So much memory, or eight times the text if that is more, is fine. */
#define JSON_MEMORY_MAX ((uint64_t)256 << 20)
#define JSON_MEMORY_FACTOR 8

/* The index after the string that begins at start (after its opening quote). *memory grows by what
 * it will take: one character that needs four bytes makes all of them as wide. */
static size_t skip_string(const uint8_t *data, size_t size, size_t start, uint64_t *memory)
{
    size_t index = start;
    bool may_be_wide = false;
    while (index < size && data[index] != '"') {
        may_be_wide = may_be_wide || data[index] == '\\' || data[index] >= 0x80;
        index += data[index] == '\\' ? 2 : 1;
    }
    const size_t length = index - start;
    *memory += PLACE_BYTES;
    *memory += length > 1 ? STRING_BYTES + (uint64_t)length * (may_be_wide ? 4 : 1) : 0;
    return index + 1;
}

const char *json_check(const uint8_t *data, size_t size)
{
    const uint64_t by_size = (uint64_t)size * JSON_MEMORY_FACTOR;
    const uint64_t most = by_size > JSON_MEMORY_MAX ? by_size : JSON_MEMORY_MAX;
    uint64_t memory = 0;
    size_t depth = 0;
    size_t digits = 0;
    size_t index = 0;
    while (index < size) {
        const uint8_t byte = data[index++];
        if (byte >= '0' && byte <= '9') {
            digits++;
            memory += digits == 1 ? PLACE_BYTES : digits == 3 ? NUMBER_BYTES : 0;
            if (digits > JSON_DIGITS_MAX) {
                return "the result variable holds a number with too many digits";
            }
            continue;
        }
        digits = 0;
        if (byte == '"') {
            index = skip_string(data, size, index, &memory);
        } else if (byte == '[' || byte == '{') {
            memory += byte == '[' ? LIST_BYTES : DICT_BYTES;
            if (++depth > JSON_DEPTH_MAX) {
                return "the result variable is nested too deeply";
            }
        } else if ((byte == ']' || byte == '}') && depth > 0) {
            depth--;
        } else if (byte == ':') {
            memory += PAIR_BYTES;
        }
    }
    return memory > most ? "the result variable holds too many values" : NULL;
}
