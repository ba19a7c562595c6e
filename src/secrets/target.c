#include "secrets/target.h"

#include <stdio.h>
#include <string.h>

/* Names of one address that are looked at, the newest first: a guest can look up thousands. */
#define MAX_NAMES 64u

static bool read_address(const char *name, net_address *out_address)
{
    return net_address_parse(name, strlen(name), out_address);
}

/* The patterns that count: the secret's own or those of the network. */
static size_t patterns_of(const secret_entry *secret, const secrets_target *target,
                          const net_pattern **out_patterns)
{
    *out_patterns = secret->hosts;
    return secret->host_count > 0 || target->policy == NULL
               ? secret->host_count
               : net_policy_allowed_hosts(target->policy, out_patterns);
}

static bool matches_name(const secret_entry *secret, const secrets_target *target, const char *name)
{
    const net_pattern *patterns;
    size_t count = patterns_of(secret, target, &patterns);
    for (size_t i = 0; i < count; i++) {
        if (net_pattern_matches_name(&patterns[i], name)) {
            return true;
        }
    }
    return false;
}

static bool matches_address(const secret_entry *secret, const secrets_target *target,
                            const net_address *address)
{
    const net_pattern *patterns;
    size_t count = patterns_of(secret, target, &patterns);
    char text[NET_ADDRESS_TEXT_SIZE];
    net_address plain = net_address_unmap(address);
    net_address_text(&plain, text);
    for (size_t i = 0; i < count; i++) {
        if (net_pattern_matches_address(&patterns[i], &plain, text)) {
            return true;
        }
    }
    return false;
}

secrets_match secrets_match_target(const secret_entry *secret, const secrets_target *target)
{
    const char *name = target->tls_name;
    net_address address;
    if (name != NULL && read_address(name, &address)) {
        return matches_address(secret, target, &address) ? SECRETS_MATCH_ADDRESS : SECRETS_NO_MATCH;
    }
    if (name != NULL) {
        return matches_name(secret, target, name) ? SECRETS_MATCH_NAME : SECRETS_NO_MATCH;
    }
    if (target->connection == NULL || target->connection->network == NULL) {
        return SECRETS_NO_MATCH;
    }
    for (size_t i = 0; i < MAX_NAMES && net_connection_name(target->connection, i, &name); i++) {
        if (!read_address(name, &address) && matches_name(secret, target, name)) {
            return SECRETS_MATCH_NAME;
        }
    }
    return matches_address(secret, target, &target->connection->remote) ? SECRETS_MATCH_ADDRESS
                                                                        : SECRETS_NO_MATCH;
}

/* The host of an authority, normalized. */
static bool read_host(const uint8_t *authority, size_t size, char out_name[NET_MAX_NAME + 1])
{
    char reason[NET_REASON_SIZE];
    size_t host_size = size;
    if (size > 0 && authority[0] == '[') {
        const uint8_t *end = memchr(authority, ']', size);
        if (end == NULL) {
            return false;
        }
        host_size = (size_t)(end - authority) - 1;
        authority++;
        size -= host_size + 2;
        if (size > 0 && end[1] != ':') {
            return false;
        }
    } else {
        const uint8_t *colon = memchr(authority, ':', size);
        host_size = colon != NULL ? (size_t)(colon - authority) : size;
    }
    return net_name_normalize(authority, host_size, out_name, reason);
}

bool secrets_match_authority(const secret_entry *secret, const secrets_target *target,
                             secrets_match match, const uint8_t *authority, size_t size)
{
    char name[NET_MAX_NAME + 1];
    if (match == SECRETS_MATCH_ADDRESS) {
        return true;
    }
    if (!read_host(authority, size, name)) {
        return false;
    }
    net_address address;
    if (!read_address(name, &address)) {
        return matches_name(secret, target, name);
    }
    if (target->connection != NULL) {
        net_address remote = net_address_unmap(&target->connection->remote);
        if (net_address_same_host(&address, &remote)) {
            return true;
        }
    }
    return matches_address(secret, target, &address);
}

void secrets_target_text(const secrets_target *target, char out_text[NET_MAX_NAME + 1])
{
    const char *name = target->tls_name;
    char address[NET_ADDRESS_TEXT_SIZE] = "";
    if (name == NULL && target->connection != NULL &&
        !net_connection_name(target->connection, 0, &name)) {
        net_address remote = net_address_unmap(&target->connection->remote);
        net_address_text(&remote, address);
        name = address;
    }
    snprintf(out_text, NET_MAX_NAME + 1, "%s", name != NULL ? name : "?");
}
