/*
 * UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef ERYX_BASE_UTF8_H
#define ERYX_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True if length bytes are well-formed UTF-8; NUL characters are. */
bool utf8_is_valid(const char *text, size_t length);

#endif
