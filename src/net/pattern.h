/*
 * Names of hosts, and the patterns that lists of hosts are made of. A pattern is read once and is
 * then about names or about addresses, never about both: "10.*" does not fit the name
 * "10.example.com", which leads wherever its owner likes. Only "*" fits everything.
 */
#ifndef ERYX_NET_PATTERN_H
#define ERYX_NET_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

/* Longest name of a host, without the trailing dot. */
#define NET_MAX_NAME 253u

/* Room for the sentence that a rule refuses with, terminated. */
#define NET_REASON_SIZE 512u

/*
 * The form of a host name that rules, logs and lookups use: lower case, without a trailing dot.
 *
 * name: size bytes, anything may be in them. out_name: terminated.
 * False, with a sentence in out_reason, if it is empty, too long, not ASCII, or holds characters
 * that no host name has.
 */
bool net_name_normalize(const uint8_t *name, size_t size, char out_name[NET_MAX_NAME + 1],
                        char out_reason[NET_REASON_SIZE]);

typedef enum net_pattern_kind {
    NET_PATTERN_ANY,              /* "*": every name and every address */
    NET_PATTERN_ADDRESS,          /* "192.0.2.1" */
    NET_PATTERN_ADDRESS_WILDCARD, /* "10.*", "2001:db8:*": the usual text of an address */
    NET_PATTERN_NAME,             /* "example.com" */
    NET_PATTERN_SUFFIX,           /* "*.example.com" */
    NET_PATTERN_NAME_WILDCARD,    /* "api-*.example.com" */
} net_pattern_kind;

typedef struct net_pattern {
    net_pattern_kind kind;
    net_address address; /* of NET_PATTERN_ADDRESS, unmapped */
    char *text;          /* lower case, without a trailing dot */
} net_pattern;

/*
 * Reads a pattern.
 *
 * text: terminated, of any length. out_pattern: freed with net_pattern_free().
 * False if it is malformed: *out_problem then says why ("is empty", ...); NULL means without
 * memory.
 */
bool net_pattern_parse(const char *text, net_pattern *out_pattern, const char **out_problem);

/* Frees what it holds. One that is zeroed is allowed. */
void net_pattern_free(net_pattern *pattern);

/* Whether it fits addresses only. */
bool net_pattern_is_of_addresses(const net_pattern *pattern);

/* Whether a name, from net_name_normalize() and no address, fits. Time is bounded by the product of
 * the lengths. */
bool net_pattern_matches_name(const net_pattern *pattern, const char *name);

/* Whether an address fits, in the very form that it has (see net_address_unmap()). text: its
 * net_address_text(). */
bool net_pattern_matches_address(const net_pattern *pattern, const net_address *address,
                                 const char *text);

#endif
