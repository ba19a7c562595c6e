#include "tls/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void tls_text_clear(tls_text *text)
{
    free(text->data);
    *text = (tls_text){.data = NULL};
}

void tls_text_add(tls_text *text, const char *bytes, size_t size)
{
    if (text->failed || size > TLS_MAX_TEXT_BYTES - text->size) {
        text->failed = true;
        return;
    }
    size_t needed = text->size + size;
    if (needed > text->capacity) {
        size_t capacity = needed < 512 ? 512 : needed * 2;
        char *grown = realloc(text->data, capacity);
        if (grown == NULL) {
            text->failed = true;
            return;
        }
        text->data = grown;
        text->capacity = capacity;
    }
    if (size > 0) {
        memcpy(text->data + text->size, bytes, size);
        text->size = needed;
    }
}

void tls_text_put(tls_text *text, const char *terminated)
{
    tls_text_add(text, terminated, strlen(terminated));
}

void tls_text_string(tls_text *text, const char *bytes, size_t size)
{
    bool is_utf8 = size == 0 || utf8_is_valid(bytes, size);
    tls_text_put(text, "\"");
    size_t plain = 0; /* begin of what can be copied as it is */
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && (c < 0x80 || is_utf8)) {
            continue;
        }
        char escape[8];
        snprintf(escape, sizeof escape, "\\u%04x", c);
        tls_text_add(text, bytes + plain, i - plain);
        tls_text_put(text, escape);
        plain = i + 1;
    }
    tls_text_add(text, bytes + plain, size - plain);
    tls_text_put(text, "\"");
}

void tls_text_string_or_null(tls_text *text, const char *terminated)
{
    if (terminated != NULL) {
        tls_text_string(text, terminated, strlen(terminated));
    } else {
        tls_text_put(text, "null");
    }
}

void tls_text_number(tls_text *text, int64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    tls_text_put(text, digits);
}
