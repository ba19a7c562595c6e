#include "eryx/eryx.h"

/* About what the objects of CPython take, with their place in what they are in. */
enum {
    LIST_BYTES = 72,
    DICT_BYTES = 136,
    PAIR_BYTES = 104,  /* of a dict, without what it holds */
    PLACE_BYTES = 8,   /* small numbers and characters exist once only */
    NUMBER_BYTES = 32, /* with more than two digits */
    STRING_BYTES = 56, /* with more than one character */
};

/* And how long its parser has to do with them, in units of about 20 nanoseconds. */
enum {
    CONTAINER_WORK = 4,
    PAIR_WORK = 12,
    STRING_WORK = 3,
    NUMBER_WORK = 2,
    FRACTION_WORK = 14,
    DIGITS_PER_WORK = 2,
    SQUARE_DIGITS_PER_WORK = 3600, /* a whole number is made in quadratic time */
    PLAIN_BYTES_PER_WORK = 64,
    ESCAPED_BYTES_PER_WORK = 8,
};

/* The index after the string that begins at start (after its opening quote). One character that
 * needs four bytes makes all of them as wide. */
static size_t measure_string(const uint8_t *json, size_t size, size_t start,
                             eryx_json_cost *io_cost)
{
    size_t index = start;
    bool may_be_wide = false;
    while (index < size && json[index] != '"') {
        may_be_wide = may_be_wide || json[index] == '\\' || json[index] >= 0x80;
        index += json[index] == '\\' ? 2 : 1;
    }
    const size_t length = index - start;
    io_cost->memory_bytes +=
        length > 1 ? STRING_BYTES + (uint64_t)length * (may_be_wide ? 4 : 1) : 0;
    io_cost->work +=
        STRING_WORK + length / (may_be_wide ? ESCAPED_BYTES_PER_WORK : PLAIN_BYTES_PER_WORK);
    return index + 1;
}

/* The index after the number that begins at start. */
static size_t measure_number(const uint8_t *json, size_t size, size_t start,
                             eryx_json_cost *io_cost)
{
    size_t index = start;
    uint64_t digits = 0; /* of its longest part */
    uint64_t part = 0;
    bool is_whole = true;
    for (; index < size; index++) {
        const uint8_t byte = json[index];
        if (byte >= '0' && byte <= '9') {
            part++;
            digits = part > digits ? part : digits;
        } else if (byte == '.' || byte == 'e' || byte == 'E' || byte == '-' || byte == '+') {
            is_whole = false;
            part = 0;
        } else {
            break;
        }
    }
    const size_t length = index - start;
    io_cost->digits = digits > io_cost->digits ? digits : io_cost->digits;
    io_cost->memory_bytes += length > 2 ? NUMBER_BYTES + length / 2 : 0;
    io_cost->work += NUMBER_WORK;
    if (is_whole) {
        io_cost->work += digits * digits / SQUARE_DIGITS_PER_WORK;
    } else {
        io_cost->work += FRACTION_WORK + length / DIGITS_PER_WORK;
    }
    return index;
}

eryx_json_cost eryx_json_measure(const uint8_t *json, size_t size)
{
    eryx_json_cost cost = {.memory_bytes = PLACE_BYTES};
    uint64_t depth = 0;
    size_t index = 0;
    while (index < size) {
        const uint8_t byte = json[index++];
        switch (byte) {
        case '"':
            index = measure_string(json, size, index, &cost);
            break;
        case '[':
        case '{':
            cost.memory_bytes += byte == '[' ? LIST_BYTES : DICT_BYTES;
            cost.work += CONTAINER_WORK;
            depth++;
            cost.depth = depth > cost.depth ? depth : cost.depth;
            break;
        case ']':
        case '}':
            depth -= depth > 0 ? 1 : 0;
            break;
        case ',':
            cost.memory_bytes += PLACE_BYTES;
            cost.work++;
            break;
        case ':':
            cost.memory_bytes += PAIR_BYTES;
            cost.work += PAIR_WORK;
            break;
        default:
            if (byte >= '0' && byte <= '9') {
                index = measure_number(json, size, index - 1, &cost);
            }
            break;
        }
    }
    return cost;
}
