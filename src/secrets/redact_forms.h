/* The forms in which a server may give back the value of a secret. */
#ifndef ERYX_SECRETS_REDACT_FORMS_H
#define ERYX_SECRETS_REDACT_FORMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes a form. False ends the enumeration. */
typedef bool (*redact_form_sink)(void *context, const uint8_t *form, size_t size);

/* Of longer values only the first five kinds of forms are looked for: the others would take some
 * hundred times the memory of the value. */
#define REDACT_ALL_FORMS_SIZE 1024u

/*
 * Gives all forms of a value to sink, some of them more than once:
 *   - the value itself;
 *   - percent-encoded, by the rules that are in use for what is encoded and for spaces;
 *   - as in a JSON text and in HTML, by the ways to write what has to be escaped;
 *   - hexadecimal;
 *   - Base64 of both alphabets, also percent-encoded, for each of the three places where the value
 *     can begin in what was encoded: of those the characters that depend on nothing else;
 *   - percent-encoded twice;
 *   - with all characters, or all that are not letters and the like, or all that are not ASCII,
 *     written by their number: "\x61", "\u0061", "&#97;", "&#x61;";
 *   - UTF-16 in both orders.
 *
 * False without memory or if sink gave false.
 */
bool redact_forms(const uint8_t *value, size_t size, redact_form_sink sink, void *context);

#endif
