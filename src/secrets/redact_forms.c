#include "secrets/redact_forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Base64 shorter than this is too likely to be something else. */
#define MIN_BASE64_SIZE 4

/* Longest form of one byte: "\u00e4\u00e4" is of several, "&quot;" of one. */
#define MAX_GROWTH 12

typedef struct forms {
    const uint8_t *value;
    size_t size;
    uint8_t *form; /* room for the longest */
    redact_form_sink sink;
    void *context;
} forms;

static bool is_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

static bool is_one_of(uint8_t byte, const char *set)
{
    return byte != 0 && strchr(set, byte) != NULL;
}

static uint8_t *put_hex(uint8_t *next, uint32_t number, int digits, bool upper)
{
    const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        *next++ = (uint8_t)alphabet[(number >> shift) & 15];
    }
    return next;
}

static uint8_t *put_text(uint8_t *next, const char *text)
{
    size_t size = strlen(text);
    memcpy(next, text, size);
    return next + size;
}

static bool give(forms *all, const uint8_t *end)
{
    return all->sink(all->context, all->form, (size_t)(end - all->form));
}

/* kept: what besides letters and digits stays as it is; NULL if even these do not. */
static size_t percent_encode(const uint8_t *value, size_t size, const char *kept, bool upper,
                             bool plus, uint8_t *out)
{
    uint8_t *next = out;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = value[i];
        if (byte == ' ' && plus) {
            *next++ = '+';
        } else if (kept != NULL && (is_alphanumeric(byte) || is_one_of(byte, kept))) {
            *next++ = byte;
        } else {
            *next++ = '%';
            next = put_hex(next, byte, 2, upper);
        }
    }
    return (size_t)(next - out);
}

static const char *const kept_by_percent[] = {
    "-_.~", "-_.~/", "-_.~!'()*", "-_.~!'()*;,/?:@&=+$#", "*-._", NULL,
};
enum { PERCENT_SETS = sizeof kept_by_percent / sizeof kept_by_percent[0] };

static bool give_percent_encoded(forms *all)
{
    const char *const *kept = kept_by_percent;
    for (size_t i = 0; i < PERCENT_SETS; i++) {
        for (int variant = 0; variant < 4; variant++) {
            size_t size = percent_encode(all->value, all->size, kept[i], (variant & 1) != 0,
                                         (variant & 2) != 0, all->form);
            if (!give(all, all->form + size)) {
                return false;
            }
        }
    }
    return true;
}

/* The code point at i, whose sequence is valid and *out_length long; false if it is not. */
static bool decode_utf8(const uint8_t *value, size_t size, uint32_t *out_code, size_t *out_length)
{
    uint8_t first = value[0];
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > size) {
        return false;
    }
    uint32_t code = first & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((value[i] & 0xc0) != 0x80) {
            return false;
        }
        code = code << 6 | (value[i] & 0x3fu);
    }
    *out_code = code;
    *out_length = length;
    return true;
}

static uint8_t *put_unit(uint8_t *next, uint32_t unit, bool upper)
{
    *next++ = '\\';
    *next++ = 'u';
    return put_hex(next, unit, 4, upper);
}

enum {
    JSON_SLASH = 1, /* "\/" */
    JSON_ASCII = 2, /* "\u00e4" */
    JSON_HTML = 4,  /* "\u003c" */
    JSON_UPPER = 8,
    JSON_VARIANTS = 16,
};

static const uint8_t *json_escape(const forms *all, int variant)
{
    const bool upper = (variant & JSON_UPPER) != 0;
    uint8_t *next = all->form;
    for (size_t i = 0; i < all->size; i++) {
        uint8_t byte = all->value[i];
        uint32_t code;
        size_t length;
        if (byte == '"' || byte == '\\' || (byte == '/' && (variant & JSON_SLASH) != 0)) {
            *next++ = '\\';
            *next++ = byte;
        } else if (byte == '\t') {
            next = put_text(next, "\\t");
        } else if ((variant & JSON_HTML) != 0 && is_one_of(byte, "<>&'")) {
            next = put_unit(next, byte, upper);
        } else if (byte >= 0x80 && (variant & JSON_ASCII) != 0 &&
                   decode_utf8(all->value + i, all->size - i, &code, &length)) {
            if (code >= 0x10000) {
                next = put_unit(next, 0xd800 + ((code - 0x10000) >> 10), upper);
                code = 0xdc00 + ((code - 0x10000) & 0x3ff);
            }
            next = put_unit(next, code, upper);
            i += length - 1;
        } else {
            *next++ = byte;
        }
    }
    return next;
}

static bool give_json_escaped(forms *all)
{
    for (int variant = 0; variant < JSON_VARIANTS; variant++) {
        if (!give(all, json_escape(all, variant))) {
            return false;
        }
    }
    return true;
}

static bool give_html_escaped(forms *all)
{
    static const char *const double_quotes[] = {"\"", "&quot;", "&#34;", "&#x22;"};
    static const char *const single_quotes[] = {"'", "&#x27;", "&#39;", "&apos;", "&#039;"};
    for (size_t variant = 0; variant < 20; variant++) {
        uint8_t *next = all->form;
        for (size_t i = 0; i < all->size; i++) {
            uint8_t byte = all->value[i];
            const char *text = byte == '&'    ? "&amp;"
                               : byte == '<'  ? "&lt;"
                               : byte == '>'  ? "&gt;"
                               : byte == '"'  ? double_quotes[variant % 4]
                               : byte == '\'' ? single_quotes[variant / 4]
                                              : NULL;
            if (text != NULL) {
                next = put_text(next, text);
            } else {
                *next++ = byte;
            }
        }
        if (!give(all, next)) {
            return false;
        }
    }
    return true;
}

static bool give_hexadecimal(forms *all)
{
    for (int upper = 0; upper < 2; upper++) {
        uint8_t *next = all->form;
        for (size_t i = 0; i < all->size; i++) {
            next = put_hex(next, all->value[i], 2, upper != 0);
        }
        if (all->size > 1 && !give(all, next)) {
            return false;
        }
    }
    return true;
}

/* The characters of Base64 that depend on the value alone if so many bytes (0 to 2) of others came
 * before it in its group of three. */
static size_t base64_core(const uint8_t *value, size_t size, size_t before, const char *alphabet,
                          uint8_t *out)
{
    uint8_t *next = out;
    for (size_t bit = before == 0 ? 0 : before == 1 ? 4 : 2; bit + 6 <= 8 * size; bit += 6) {
        uint32_t pair = (uint32_t)value[bit / 8] << 8;
        pair |= bit / 8 + 1 < size ? value[bit / 8 + 1] : 0;
        *next++ = (uint8_t)alphabet[(pair >> (10 - bit % 8)) & 63];
    }
    return (size_t)(next - out);
}

static bool give_base64(forms *all)
{
    static const char *const alphabets[] = {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
    uint8_t *core = malloc(2 * all->size);
    bool ok = core != NULL;
    for (size_t i = 0; i < 6 && ok; i++) {
        size_t size = base64_core(all->value, all->size, i / 2, alphabets[i % 2], core);
        if (size < MIN_BASE64_SIZE) {
            continue;
        }
        memcpy(all->form, core, size);
        ok = give(all, all->form + size);
        for (int upper = 0; upper < 2 && ok && i % 2 == 0; upper++) {
            ok =
                give(all, all->form + percent_encode(core, size, "", upper != 0, false, all->form));
        }
    }
    if (core != NULL) {
        explicit_bzero(core, 2 * all->size);
    }
    free(core);
    return ok;
}

static bool give_twice_percent_encoded(forms *all)
{
    size_t room = 3 * all->size;
    uint8_t *once = malloc(room);
    bool ok = once != NULL;
    for (size_t i = 0; i < PERCENT_SETS && ok; i++) {
        const char *kept = kept_by_percent[i];
        for (int variant = 0; variant < 4 && ok; variant++) {
            bool upper = (variant & 1) != 0;
            bool plus = (variant & 2) != 0;
            size_t size = percent_encode(all->value, all->size, kept, upper, plus, once);
            /* That all is encoded is done once at most. */
            size = percent_encode(once, size, kept != NULL ? kept : "", upper, false, all->form);
            ok = give(all, all->form + size);
        }
    }
    if (once != NULL) {
        explicit_bzero(once, room);
    }
    free(once);
    return ok;
}

/* ---- Characters by their numbers ------------------------------------------------------------- */

typedef struct notation {
    const char *begin;
    const char *end;
    int digits; /* hexadecimal; 0 for as many as are needed, -1 for decimal */
    enum { OF_BYTES, OF_UNITS, OF_CODES } what;
} notation;

static const notation notations[] = {
    {"\\x", "", 2, OF_BYTES},
    {"\\u", "", 4, OF_UNITS},
    {"&#", ";", -1, OF_CODES},
    {"&#x", ";", 0, OF_CODES},
};

/* What besides letters and digits stays as it is; NULL if nothing does. */
static const char *const kept_by_number[] = {
    NULL, "", "-_.", ",-._", " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", /* all of ASCII */
};

static uint8_t *put_number(uint8_t *next, const notation *used, uint32_t number, bool upper)
{
    next = put_text(next, used->begin);
    if (used->digits < 0) {
        char text[16];
        snprintf(text, sizeof text, "%u", (unsigned)number);
        next = put_text(next, text);
    } else {
        int digits = used->digits > 0 ? used->digits : 1;
        while (used->digits == 0 && digits < 8 && number >> (4 * digits) != 0) {
            digits++;
        }
        next = put_hex(next, number, digits, upper);
    }
    return put_text(next, used->end);
}

/* A character by its number. code: of length bytes at text. */
static uint8_t *put_character(uint8_t *next, const notation *used, const uint8_t *text,
                              size_t length, uint32_t code, bool upper)
{
    if (used->what == OF_BYTES) {
        for (size_t i = 0; i < length; i++) {
            next = put_number(next, used, text[i], upper);
        }
        return next;
    }
    if (used->what == OF_UNITS && code >= 0x10000) {
        next = put_number(next, used, 0xd800 + ((code - 0x10000) >> 10), upper);
        code = 0xdc00 + ((code - 0x10000) & 0x3ff);
    }
    return put_number(next, used, code, upper);
}

/* The character at a place of the value; a byte that is not UTF-8 is one. */
static size_t character_at(const forms *all, size_t at, uint32_t *out_code)
{
    size_t length = 1;
    *out_code = all->value[at];
    decode_utf8(all->value + at, all->size - at, out_code, &length);
    return length;
}

static const uint8_t *write_by_number(const forms *all, const notation *used, const char *kept,
                                      bool upper)
{
    uint8_t *next = all->form;
    uint32_t code;
    size_t length;
    for (size_t i = 0; i < all->size; i += length) {
        uint8_t byte = all->value[i];
        length = character_at(all, i, &code);
        if (kept == NULL || !(is_alphanumeric(byte) || is_one_of(byte, kept))) {
            next = put_character(next, used, all->value + i, length, code, upper);
            continue;
        }
        if (byte == '\\' && used->begin[0] == '\\') {
            *next++ = byte;
        }
        *next++ = byte;
    }
    return next;
}

static bool give_by_number(forms *all)
{
    for (size_t i = 0; i < sizeof notations / sizeof notations[0]; i++) {
        for (size_t j = 0; j < sizeof kept_by_number / sizeof kept_by_number[0]; j++) {
            for (int upper = 0; upper < 2; upper++) {
                if (!give(all, write_by_number(all, &notations[i], kept_by_number[j], upper))) {
                    return false;
                }
            }
        }
    }
    return true;
}

static uint8_t *put_utf16(uint8_t *next, uint32_t unit, bool is_big)
{
    *next++ = (uint8_t)(is_big ? unit >> 8 : unit & 0xff);
    *next++ = (uint8_t)(is_big ? unit & 0xff : unit >> 8);
    return next;
}

static bool give_utf16(forms *all)
{
    for (int is_big = 0; is_big < 2; is_big++) {
        uint8_t *next = all->form;
        uint32_t code;
        for (size_t i = 0; i < all->size;) {
            i += character_at(all, i, &code);
            if (code >= 0x10000) {
                next = put_utf16(next, 0xd800 + ((code - 0x10000) >> 10), is_big);
                code = 0xdc00 + ((code - 0x10000) & 0x3ff);
            }
            next = put_utf16(next, code, is_big);
        }
        if (!give(all, next)) {
            return false;
        }
    }
    return true;
}

bool redact_forms(const uint8_t *value, size_t size, redact_form_sink sink, void *context)
{
    if (size == 0) {
        return true;
    }
    forms all = {.value = value, .size = size, .sink = sink, .context = context};
    all.form = malloc(MAX_GROWTH * size);
    if (all.form == NULL) {
        return false;
    }
    bool ok = sink(context, value, size) && give_percent_encoded(&all) && give_json_escaped(&all) &&
              give_html_escaped(&all) && give_hexadecimal(&all) && give_base64(&all);
    if (size <= REDACT_ALL_FORMS_SIZE) {
        ok = ok && give_twice_percent_encoded(&all) && give_by_number(&all) && give_utf16(&all);
    }
    explicit_bzero(all.form, MAX_GROWTH * size);
    free(all.form);
    return ok;
}
