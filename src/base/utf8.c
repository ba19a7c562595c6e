#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the character at the start of bytes, 0 if it is not well-formed. */
static size_t character_length(const uint8_t *bytes, size_t available)
{
    uint8_t first = bytes[0];
    /* The range of the second byte is what rules out overlong forms and surrogates. */
    uint8_t second_low = 0x80;
    uint8_t second_high = 0xbf;
    size_t length;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        length = 3;
        second_low = first == 0xe0 ? 0xa0 : 0x80;
        second_high = first == 0xed ? 0x9f : 0xbf;
    } else if (first >= 0xf0 && first <= 0xf4) {
        length = 4;
        second_low = first == 0xf0 ? 0x90 : 0x80;
        second_high = first == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (available < length || bytes[1] < second_low || bytes[1] > second_high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool utf8_is_valid(const char *text, size_t length)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t position = 0;
    while (position < length) {
        uint64_t eight;
        if (length - position >= sizeof eight) {
            memcpy(&eight, bytes + position, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                position += sizeof eight;
                continue;
            }
        }
        size_t step = character_length(bytes + position, length - position);
        if (step == 0) {
            return false;
        }
        position += step;
    }
    return true;
}
