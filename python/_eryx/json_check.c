/*
 * A look at JSON text that the guest wrote, before the host's parser sees it. CPython's parser
 * recurses on the stack of the calling thread, which may be small, and turns long numbers into
 * integers in quadratic time if the application lifted the limit on digits.
 */
#include "binding.h"

enum {
    JSON_DEPTH_MAX = 200,
    JSON_DIGITS_MAX = 4300, /* what Python itself allows unless told otherwise */
};

/* The index after the string that begins at start (after its opening quote). */
static size_t skip_string(const uint8_t *data, size_t size, size_t start)
{
    size_t index = start;
    while (index < size && data[index] != '"') {
        index += data[index] == '\\' ? 2 : 1;
    }
    return index + 1;
}

const char *json_check(const uint8_t *data, size_t size)
{
    size_t depth = 0;
    size_t digits = 0;
    size_t index = 0;
    while (index < size) {
        const uint8_t byte = data[index++];
        if (byte >= '0' && byte <= '9') {
            if (++digits > JSON_DIGITS_MAX) {
                return "the result variable holds a number with too many digits";
            }
            continue;
        }
        digits = 0;
        if (byte == '"') {
            index = skip_string(data, size, index);
        } else if (byte == '[' || byte == '{') {
            if (++depth > JSON_DEPTH_MAX) {
                return "the result variable is nested too deeply";
            }
        } else if ((byte == ']' || byte == '}') && depth > 0) {
            depth--;
        }
    }
    return NULL;
}
