/* Names of hosts and the patterns that they are compared with. */
#include <stdio.h>
#include <string.h>

#include "net_policy.h"

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

bool net_pattern_matches(const char *pattern, const char *name)
{
    /* After a mismatch the last "*" takes one character more; earlier ones need not change. */
    const char *star = NULL;
    const char *retry = NULL;
    while (*name != 0) {
        if (*pattern == '*') {
            star = pattern++;
            retry = name;
        } else if (lower(*pattern) == lower(*name)) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == 0;
}

bool net_pattern_check(const char *pattern, const char **out_problem)
{
    size_t size = strnlen(pattern, NET_MAX_NAME + 2);
    if (size == 0) {
        *out_problem = "is empty";
        return false;
    }
    if (size > NET_MAX_NAME + 1 || (size == NET_MAX_NAME + 1 && pattern[size - 1] != '.')) {
        *out_problem = "is longer than a host name can be";
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = lower(pattern[i]);
        if ((unsigned char)c >= 0x80) {
            *out_problem = "is not ASCII (give internationalised names in their \"xn--\" form)";
            return false;
        }
        if (!is_name_character(c) && c != '*' && c != ':') {
            *out_problem = c == '/' ? "has a '/' (networks go into allowed_networks and the like)"
                                    : "has a character that no host name has";
            return false;
        }
    }
    return true;
}
