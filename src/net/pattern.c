#include "net/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LABEL 63u

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Letters, digits, "-" and "_" (which service names have); ":" and "%" for IPv6 addresses. */
static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* Whether the labels are neither empty nor too long. */
static bool check_labels(const char *name)
{
    size_t label = 0;
    for (const char *c = name;; c++) {
        if (*c == '.' || *c == 0) {
            if (label == 0 || label > MAX_LABEL) {
                return false;
            }
            label = 0;
            if (*c == 0) {
                return true;
            }
        } else {
            label++;
        }
    }
}

bool net_name_normalize(const uint8_t *name, size_t size, char out_name[NET_MAX_NAME + 1],
                        char out_reason[NET_REASON_SIZE])
{
    if (size > 0 && name[size - 1] == '.') {
        size--;
    }
    if (size == 0) {
        snprintf(out_reason, NET_REASON_SIZE, "the host name is empty");
        return false;
    }
    if (size > NET_MAX_NAME) {
        snprintf(out_reason, NET_REASON_SIZE, "the host name is too long: %zu bytes of at most %u",
                 size, NET_MAX_NAME);
        return false;
    }
    bool is_v6 = memchr(name, ':', size) != NULL;
    for (size_t i = 0; i < size; i++) {
        char c = lower((char)name[i]);
        if (name[i] >= 0x80) {
            snprintf(out_reason, NET_REASON_SIZE,
                     "the host name is not ASCII; give it in its \"xn--\" form");
            return false;
        }
        if (!is_name_character(c) && !(is_v6 && (c == ':' || c == '%'))) {
            snprintf(out_reason, NET_REASON_SIZE,
                     "the host name has a character that is not allowed: 0x%02x", name[i]);
            return false;
        }
        out_name[i] = c;
    }
    out_name[size] = 0;
    net_address address;
    if (is_v6) {
        if (!net_address_parse(out_name, size, &address)) {
            snprintf(out_reason, NET_REASON_SIZE, "'%s' is not an IPv6 address", out_name);
            return false;
        }
        return true;
    }
    if (!check_labels(out_name)) {
        snprintf(out_reason, NET_REASON_SIZE,
                 "the host name has a label that is empty or longer than %u", MAX_LABEL);
        return false;
    }
    /* No top-level domain is a number: such a name is an address or an attempt to pass for one. */
    const char *last = strrchr(out_name, '.');
    last = last != NULL ? last + 1 : out_name;
    bool is_hex = last[0] == '0' && last[1] == 'x' &&
                  strspn(last + 2, "0123456789abcdef") == strlen(last + 2);
    if ((is_hex || strspn(last, "0123456789") == strlen(last)) &&
        !net_address_parse(out_name, size, &address)) {
        snprintf(out_reason, NET_REASON_SIZE, "'%s' is not an IPv4 address", out_name);
        return false;
    }
    return true;
}

/* ---- Patterns -------------------------------------------------------------------------------- */

/* What is wrong with the characters of a pattern; NULL if nothing is. */
static const char *find_problem(const char *text)
{
    size_t size = strnlen(text, NET_MAX_NAME + 2);
    if (size == 0) {
        return "is empty";
    }
    if (size > NET_MAX_NAME + 1 || (size == NET_MAX_NAME + 1 && text[size - 1] != '.')) {
        return "is longer than a host name can be";
    }
    for (size_t i = 0; i < size; i++) {
        char c = lower(text[i]);
        if ((unsigned char)c >= 0x80) {
            return "is not ASCII (give internationalised names in their \"xn--\" form)";
        }
        if (!is_name_character(c) && c != '*' && c != ':') {
            return c == '/' ? "has a '/' (networks go into allowed_networks and the like)"
                            : "has a character that no host name has";
        }
    }
    return NULL;
}

/* What a pattern with a "*" is about. */
static net_pattern_kind kind_of_wildcard(const char *text)
{
    if (strspn(text, "*.") == strlen(text)) {
        return NET_PATTERN_ANY;
    }
    if (strchr(text, ':') != NULL || strspn(text, "0123456789.*") == strlen(text)) {
        return NET_PATTERN_ADDRESS_WILDCARD;
    }
    bool is_suffix = text[0] == '*' && text[1] == '.' && strchr(text + 1, '*') == NULL;
    return is_suffix ? NET_PATTERN_SUFFIX : NET_PATTERN_NAME_WILDCARD;
}

bool net_pattern_parse(const char *text, net_pattern *out_pattern, const char **out_problem)
{
    net_pattern pattern = {0};
    *out_problem = find_problem(text);
    if (*out_problem != NULL) {
        return false;
    }
    size_t size = strlen(text);
    size -= size > 1 && text[size - 1] == '.' ? 1 : 0;
    if (memchr(text, '*', size) == NULL && net_address_parse(text, size, &pattern.address)) {
        pattern.kind = NET_PATTERN_ADDRESS;
        pattern.address = net_address_unmap(&pattern.address);
    } else if (memchr(text, '*', size) == NULL) {
        pattern.kind = NET_PATTERN_NAME;
        if (memchr(text, ':', size) != NULL) {
            *out_problem = "has a ':' and is no IPv6 address (a host has no port)";
            return false;
        }
        if (strspn(text, "0123456789.") >= size) {
            *out_problem = "is no IPv4 address, and no name has digits only";
            return false;
        }
    }
    pattern.text = strndup(text, size);
    if (pattern.text == NULL) {
        return false;
    }
    for (char *c = pattern.text; *c != 0; c++) {
        *c = lower(*c);
    }
    if (strchr(pattern.text, '*') != NULL) {
        pattern.kind = kind_of_wildcard(pattern.text);
    }
    *out_pattern = pattern;
    return true;
}

void net_pattern_free(net_pattern *pattern)
{
    free(pattern->text);
    *pattern = (net_pattern){0};
}

bool net_pattern_is_of_addresses(const net_pattern *pattern)
{
    return pattern->kind == NET_PATTERN_ADDRESS || pattern->kind == NET_PATTERN_ADDRESS_WILDCARD;
}

/* Whether a text fits, in which "*" stands for any characters. */
static bool fits(const char *pattern, const char *text)
{
    /* After a mismatch the last "*" takes one character more; earlier ones need not change. */
    const char *star = NULL;
    const char *retry = NULL;
    while (*text != 0) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == 0;
}

bool net_pattern_matches_name(const net_pattern *pattern, const char *name)
{
    size_t size;
    size_t suffix_size;
    switch (pattern->kind) {
    case NET_PATTERN_NAME:
        return strcmp(pattern->text, name) == 0;
    case NET_PATTERN_SUFFIX:
        size = strlen(name);
        suffix_size = strlen(pattern->text) - 1;
        return size >= suffix_size && strcmp(pattern->text + 1, name + size - suffix_size) == 0;
    case NET_PATTERN_ANY:
    case NET_PATTERN_NAME_WILDCARD:
        return fits(pattern->text, name);
    case NET_PATTERN_ADDRESS:
    case NET_PATTERN_ADDRESS_WILDCARD:
        break;
    }
    return false;
}

bool net_pattern_matches_address(const net_pattern *pattern, const net_address *address,
                                 const char *text)
{
    switch (pattern->kind) {
    case NET_PATTERN_ADDRESS:
        return pattern->address.is_v6 == address->is_v6 &&
               memcmp(pattern->address.bytes, address->bytes, sizeof address->bytes) == 0;
    case NET_PATTERN_ANY:
    case NET_PATTERN_ADDRESS_WILDCARD:
        return fits(pattern->text, text);
    case NET_PATTERN_NAME:
    case NET_PATTERN_SUFFIX:
    case NET_PATTERN_NAME_WILDCARD:
        break;
    }
    return false;
}
