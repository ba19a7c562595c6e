/*
 * The rules of eryx_network_options, checked once and then never changed: what may be looked up and
 * connected to, and which rule says so. Shared by sandboxes; threads: any.
 */
#ifndef ERYX_NET_POLICY_H
#define ERYX_NET_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eryx/eryx.h"
#include "net/address.h"
#include "net/own.h"
#include "net/pattern.h"

typedef struct net_policy net_policy;

/* What counts besides the rules; see eryx_network_options. */
typedef struct net_limits {
    uint64_t max_connections;
    uint64_t max_total_connections;
    uint64_t max_bytes;
    uint64_t connect_timeout_ms;
    uint64_t io_timeout_ms;
    bool ask_on_connect;
} net_limits;

/*
 * Checks and copies the options.
 *
 * out_policy: one reference, let go with net_policy_release().
 * Errors: INVALID_ARGUMENT (the message names the pattern, network, server or certificate that is
 * malformed), OUT_OF_MEMORY.
 */
eryx_status net_policy_create(const eryx_network_options *options, net_policy **out_policy,
                              eryx_error *out_error);

/* One more owner. NULL is allowed and given back. */
net_policy *net_policy_retain(net_policy *policy);

/* Lets go; the last owner frees it. NULL is allowed. */
void net_policy_release(net_policy *policy);

/* The limits; live as long as the policy. */
const net_limits *net_policy_limits(const net_policy *policy);

/* The DNS servers for the resolver, "address:port,..."; NULL for those of the system. */
const char *net_policy_dns_servers(const net_policy *policy);

/* The certificates to be trusted besides those of the system, DER; live as long as the policy. */
size_t net_policy_root_certificates(const net_policy *policy, const eryx_bytes **out_certificates);

/* The patterns of allowed_hosts; live as long as the policy. */
size_t net_policy_allowed_hosts(const net_policy *policy, const net_pattern **out_patterns);

/* Whether a name may be looked up. own: as below, for a name that is an address. name: from
 * net_name_normalize(). If not, out_reason tells the rule. */
bool net_policy_allows_name(const net_policy *policy, net_own *own, const char *name,
                            char out_reason[NET_REASON_SIZE]);

/*
 * Whether an address may be connected to under a name.
 *
 * own: the addresses of this machine, which are no public ones.
 * name: a name that was allowed and gave the address, or NULL if the guest named the address
 * itself.
 */
bool net_policy_allows_address(const net_policy *policy, net_own *own, const char *name,
                               const net_address *address, char out_reason[NET_REASON_SIZE]);

#endif
