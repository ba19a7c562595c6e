/*
 * A look at JSON text that the guest wrote, before the host's parser sees it. CPython's parser
 * recurses on the stack of the calling thread, which may be small, turns long numbers into integers
 * in quadratic time if the application lifted the limit on digits, and makes objects that are up to
 * thirty times as large as their text.
 */
#include "binding.h"

/* So much memory, or eight times the text if that is more, is fine. */
#define JSON_MEMORY_MAX ((uint64_t)256 << 20)
#define JSON_MEMORY_FACTOR 8

const char *json_check(const uint8_t *data, size_t size)
{
    const uint64_t by_size = (uint64_t)size * JSON_MEMORY_FACTOR;
    const uint64_t most = by_size > JSON_MEMORY_MAX ? by_size : JSON_MEMORY_MAX;
    const eryx_json_cost cost = eryx_json_measure(data, size);
    if (cost.digits > ERYX_JSON_DIGITS_MAX) {
        return "the result variable holds a number with too many digits";
    }
    if (cost.depth > ERYX_JSON_DEPTH_MAX) {
        return "the result variable is nested too deeply";
    }
    return cost.memory_bytes > most ? "the result variable holds too many values" : NULL;
}
