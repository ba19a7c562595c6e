/* Which hosts may have a secret. */
#ifndef ERYX_SECRETS_TARGET_H
#define ERYX_SECRETS_TARGET_H

#include "secrets/head.h"

typedef enum secrets_match {
    SECRETS_NO_MATCH,
    SECRETS_MATCH_ADDRESS, /* the address as text fits, and no name does */
    SECRETS_MATCH_NAME,
} secrets_match;

/* Whether the target of a connection may have a secret. */
secrets_match secrets_match_target(const secret_entry *secret, const secrets_target *target);

/*
 * Whether the host that a request names for itself (Host, or the authority of its target) is one
 * that may have the secret, given how the connection fits: else a server that serves many would
 * hand the request on to any of them.
 *
 * authority: size bytes, "name", "name:port", "[address]:port".
 */
bool secrets_match_authority(const secret_entry *secret, const secrets_target *target,
                             secrets_match match, const uint8_t *authority, size_t size);

/* The target for people: a name if there is one, else the address. */
void secrets_target_text(const secrets_target *target, char out_text[NET_MAX_NAME + 1]);

#endif
