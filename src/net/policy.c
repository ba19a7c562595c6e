#include "net/policy.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/status.h"
#include "tls/library.h"

/* More entries than that in one list are refused. */
#define MAX_ENTRIES 100000u

typedef struct patterns {
    net_pattern *items;
    size_t count;
} patterns;

/* Of each pattern of internal_hosts: the network that is said behind it. */
typedef struct internal_network {
    bool is_said;
    net_block block;
} internal_network;

typedef struct networks {
    net_block *blocks;
    char **texts; /* as they were given */
    size_t count;
} networks;

struct net_policy {
    atomic_uint references;
    net_limits limits;
    bool allow_all_hosts;
    bool block_internal;
    bool allow_localhost;
    patterns allowed_hosts;
    patterns blocked_hosts;
    patterns internal_hosts;
    internal_network *internal_networks; /* as many */
    networks allowed_networks;
    networks blocked_networks;
    char *dns_servers; /* joined by commas; NULL for those of the system */
    eryx_bytes *certificates;
    size_t certificate_count;
};

/* ---- Making ---------------------------------------------------------------------------------- */

static const eryx_network_options default_options = {
    .struct_size = sizeof default_options,
    .max_connections = 10,
    .max_total_connections = 1000,
    .max_bytes = ERYX_UNLIMITED,
    .connect_timeout_ms = 30000,
    .io_timeout_ms = 60000,
    .allow_all_hosts = true,
    .block_internal = true,
};

void eryx_network_options_init_sized(eryx_network_options *options, size_t size)
{
    options_init(options, size, &default_options, sizeof default_options);
}

static eryx_status out_of_memory(eryx_error *out_error)
{
    return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
}

static eryx_status check_list(const eryx_texts *texts, const char *what, eryx_error *out_error)
{
    if (texts->count > MAX_ENTRIES || (texts->count > 0 && texts->items == NULL)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "%s: too many entries, or none", what);
    }
    for (size_t i = 0; i < texts->count; i++) {
        if (texts->items[i] == NULL) {
            return status_fail(ERYX_INVALID_ARGUMENT, out_error, "%s: an entry is NULL", what);
        }
    }
    return ERYX_OK;
}

static eryx_status copy_pattern(const char *text, const char *what, net_pattern *out_pattern,
                                eryx_error *out_error)
{
    const char *problem;
    if (net_pattern_parse(text, out_pattern, &problem)) {
        return ERYX_OK;
    }
    return problem == NULL ? out_of_memory(out_error)
                           : status_fail(ERYX_INVALID_ARGUMENT, out_error,
                                         "%s: pattern '%.300s' %s", what, text, problem);
}

static eryx_status copy_patterns(const eryx_texts *texts, const char *what, patterns *out_patterns,
                                 eryx_error *out_error)
{
    eryx_status status = check_list(texts, what, out_error);
    if (status != ERYX_OK || texts->count == 0) {
        return status;
    }
    out_patterns->items = calloc(texts->count, sizeof *out_patterns->items);
    if (out_patterns->items == NULL) {
        return out_of_memory(out_error);
    }
    for (size_t i = 0; i < texts->count; i++) {
        status = copy_pattern(texts->items[i], what, &out_patterns->items[i], out_error);
        if (status != ERYX_OK) {
            return status;
        }
        out_patterns->count++;
    }
    return ERYX_OK;
}

/* "db.example" or "db.example=127.0.0.0/8". */
static eryx_status copy_internal(const char *text, net_pattern *out_pattern,
                                 internal_network *out_network, eryx_error *out_error)
{
    static const char what[] = "internal_hosts";
    const char *equals = strchr(text, '=');
    if (equals == NULL) {
        return copy_pattern(text, what, out_pattern, out_error);
    }
    char host[NET_MAX_NAME + 3];
    if (!net_block_parse(equals + 1, &out_network->block)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "%s: '%.300s' has no network such as 127.0.0.0/8 behind its '='", what,
                           text);
    }
    out_network->is_said = true;
    size_t size = (size_t)(equals - text);
    size = size < sizeof host - 1 ? size : sizeof host - 1; /* too long in any case */
    memcpy(host, text, size);
    host[size] = 0;
    eryx_status status = copy_pattern(host, what, out_pattern, out_error);
    if (status == ERYX_OK && net_pattern_is_of_addresses(out_pattern)) {
        net_pattern_free(out_pattern);
        status =
            status_fail(ERYX_INVALID_ARGUMENT, out_error,
                        "%s: '%.300s' has a network behind what is an address already", what, text);
    }
    return status;
}

static eryx_status copy_internals(net_policy *policy, const eryx_texts *texts,
                                  eryx_error *out_error)
{
    eryx_status status = check_list(texts, "internal_hosts", out_error);
    if (status != ERYX_OK || texts->count == 0) {
        return status;
    }
    patterns *list = &policy->internal_hosts;
    list->items = calloc(texts->count, sizeof *list->items);
    policy->internal_networks = calloc(texts->count, sizeof *policy->internal_networks);
    if (list->items == NULL || policy->internal_networks == NULL) {
        return out_of_memory(out_error);
    }
    for (size_t i = 0; i < texts->count; i++) {
        status = copy_internal(texts->items[i], &list->items[i], &policy->internal_networks[i],
                               out_error);
        if (status != ERYX_OK) {
            return status;
        }
        list->count++;
    }
    return ERYX_OK;
}

static eryx_status copy_networks(const eryx_texts *texts, const char *what, networks *out_networks,
                                 eryx_error *out_error)
{
    eryx_status status = check_list(texts, what, out_error);
    if (status != ERYX_OK || texts->count == 0) {
        return status;
    }
    out_networks->blocks = calloc(texts->count, sizeof *out_networks->blocks);
    out_networks->texts = calloc(texts->count, sizeof *out_networks->texts);
    if (out_networks->blocks == NULL || out_networks->texts == NULL) {
        return out_of_memory(out_error);
    }
    for (size_t i = 0; i < texts->count; i++) {
        if (!net_block_parse(texts->items[i], &out_networks->blocks[i])) {
            return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                               "%s: '%.300s' is not a network such as 10.0.0.0/8 or fd00::/8 (bits "
                               "after the prefix must be 0)",
                               what, texts->items[i]);
        }
        out_networks->texts[i] = strdup(texts->items[i]);
        if (out_networks->texts[i] == NULL) {
            return out_of_memory(out_error);
        }
        out_networks->count++;
    }
    return ERYX_OK;
}

/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1" or "[2001:db8::1]:53". */
static bool parse_server(const char *text, char *out_text, size_t room)
{
    const char *host = text;
    size_t length = strlen(text);
    const char *port = NULL;
    const char *first_colon = strchr(text, ':');
    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (end == NULL || (end[1] != 0 && end[1] != ':')) {
            return false;
        }
        host = text + 1;
        length = (size_t)(end - host);
        port = end[1] == ':' ? end + 2 : NULL;
    } else if (first_colon != NULL && strchr(first_colon + 1, ':') == NULL) {
        length = (size_t)(first_colon - text);
        port = first_colon + 1;
    }
    net_address address;
    if (length == 0 || !net_address_parse(host, length, &address)) {
        return false;
    }
    unsigned long number = 53;
    if (port != NULL) {
        char *end;
        if (port[0] < '0' || port[0] > '9') {
            return false;
        }
        number = strtoul(port, &end, 10);
        if (*end != 0 || number == 0 || number > 65535) {
            return false;
        }
    }
    char host_text[NET_ADDRESS_TEXT_SIZE];
    net_address_text(&address, host_text);
    snprintf(out_text, room, address.is_v6 ? "[%s]:%lu" : "%s:%lu", host_text, number);
    return true;
}

static eryx_status copy_servers(net_policy *policy, const eryx_texts *texts, eryx_error *out_error)
{
    enum { ROOM = NET_ADDRESS_TEXT_SIZE + 16 };
    eryx_status status = check_list(texts, "dns_servers", out_error);
    if (status != ERYX_OK || texts->count == 0) {
        return status;
    }
    policy->dns_servers = calloc(texts->count, ROOM);
    if (policy->dns_servers == NULL) {
        return out_of_memory(out_error);
    }
    char *end = policy->dns_servers;
    for (size_t i = 0; i < texts->count; i++) {
        if (!parse_server(texts->items[i], i > 0 ? end + 1 : end, ROOM - 1)) {
            return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                               "dns_servers: '%.300s' is not an address, or an address and a port",
                               texts->items[i]);
        }
        if (i > 0) {
            *end = ',';
        }
        end += strlen(end);
    }
    return ERYX_OK;
}

static eryx_status copy_certificates(net_policy *policy, const eryx_network_options *options,
                                     eryx_error *out_error)
{
    size_t count = options->root_certificate_count;
    if (count == 0) {
        return ERYX_OK;
    }
    if (options->root_certificates == NULL || count > MAX_ENTRIES) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "root_certificates: bad list");
    }
    policy->certificates = calloc(count, sizeof *policy->certificates);
    if (policy->certificates == NULL) {
        return out_of_memory(out_error);
    }
    for (size_t i = 0; i < count; i++) {
        eryx_bytes given = options->root_certificates[i];
        if (given.data == NULL || given.size == 0) {
            return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                               "root_certificates: certificate %zu is empty", i);
        }
        if (!tls_certificate_is_valid(given.data, given.size)) {
            return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                               "root certificate %zu (%zu bytes) is not a certificate in DER",
                               i + 1, given.size);
        }
        uint8_t *copy = malloc(given.size);
        if (copy == NULL) {
            return out_of_memory(out_error);
        }
        memcpy(copy, given.data, given.size);
        policy->certificates[policy->certificate_count++] = (eryx_bytes){copy, given.size};
    }
    return ERYX_OK;
}

static eryx_status fill(net_policy *policy, const eryx_network_options *options,
                        eryx_error *out_error)
{
    eryx_status status =
        copy_patterns(&options->allowed_hosts, "allowed_hosts", &policy->allowed_hosts, out_error);
    if (status == ERYX_OK) {
        status = copy_patterns(&options->blocked_hosts, "blocked_hosts", &policy->blocked_hosts,
                               out_error);
    }
    if (status == ERYX_OK) {
        status = copy_internals(policy, &options->internal_hosts, out_error);
    }
    if (status == ERYX_OK) {
        status = copy_networks(&options->allowed_networks, "allowed_networks",
                               &policy->allowed_networks, out_error);
    }
    if (status == ERYX_OK) {
        status = copy_networks(&options->blocked_networks, "blocked_networks",
                               &policy->blocked_networks, out_error);
    }
    if (status == ERYX_OK) {
        status = copy_servers(policy, &options->dns_servers, out_error);
    }
    if (status == ERYX_OK) {
        status = copy_certificates(policy, options, out_error);
    }
    return status;
}

eryx_status net_policy_create(const eryx_network_options *given, net_policy **out_policy,
                              eryx_error *out_error)
{
    eryx_network_options own = default_options;
    eryx_status status = options_take("eryx_network_options", given, &own, sizeof own, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    const eryx_network_options *options = &own;
    net_policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL) {
        return out_of_memory(out_error);
    }
    atomic_init(&policy->references, 1);
    policy->limits = (net_limits){
        .max_connections = options->max_connections,
        .max_total_connections = options->max_total_connections,
        .max_bytes = options->max_bytes,
        .connect_timeout_ms = options->connect_timeout_ms,
        .io_timeout_ms = options->io_timeout_ms,
        .ask_on_connect = options->ask_on_connect,
    };
    policy->allow_all_hosts = options->allow_all_hosts;
    policy->block_internal = options->block_internal;
    policy->allow_localhost = options->allow_localhost;
    status = fill(policy, options, out_error);
    if (status != ERYX_OK) {
        net_policy_release(policy);
        return status;
    }
    *out_policy = policy;
    return ERYX_OK;
}

net_policy *net_policy_retain(net_policy *policy)
{
    if (policy != NULL) {
        atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
    }
    return policy;
}

static void free_patterns(patterns *list)
{
    for (size_t i = 0; i < list->count; i++) {
        net_pattern_free(&list->items[i]);
    }
    free(list->items);
}

static void free_networks(networks *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->texts[i]);
    }
    free(list->texts);
    free(list->blocks);
}

void net_policy_release(net_policy *policy)
{
    if (policy == NULL ||
        atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    free_patterns(&policy->allowed_hosts);
    free_patterns(&policy->blocked_hosts);
    free_patterns(&policy->internal_hosts);
    free(policy->internal_networks);
    free_networks(&policy->allowed_networks);
    free_networks(&policy->blocked_networks);
    for (size_t i = 0; i < policy->certificate_count; i++) {
        free((void *)(uintptr_t)policy->certificates[i].data);
    }
    free(policy->certificates);
    free(policy->dns_servers);
    free(policy);
}

const net_limits *net_policy_limits(const net_policy *policy)
{
    return &policy->limits;
}

const char *net_policy_dns_servers(const net_policy *policy)
{
    return policy->dns_servers;
}

size_t net_policy_root_certificates(const net_policy *policy, const eryx_bytes **out_certificates)
{
    *out_certificates = policy->certificates;
    return policy->certificate_count;
}

size_t net_policy_allowed_hosts(const net_policy *policy, const net_pattern **out_patterns)
{
    *out_patterns = policy->allowed_hosts.items;
    return policy->allowed_hosts.count;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* The first pattern that a name fits, as text; NULL if it fits none. */
static const char *find_name(const patterns *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (net_pattern_matches_name(&list->items[i], name)) {
            return list->items[i].text;
        }
    }
    return NULL;
}

/* The same for an address in the form that it has. */
static const char *find_address(const patterns *list, const net_address *address)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    net_address_text(address, text);
    for (size_t i = 0; i < list->count; i++) {
        if (net_pattern_matches_address(&list->items[i], address, text)) {
            return list->items[i].text;
        }
    }
    return NULL;
}

/* The same for an address in every form that it has or carries. */
static const char *find_any_form(const patterns *list, const net_address *address)
{
    net_address forms[4] = {*address, net_address_unmap(address)};
    size_t count = 2 + net_address_carried(address, forms + 2);
    const char *rule = NULL;
    for (size_t form = 0; form < count && rule == NULL; form++) {
        rule = find_address(list, &forms[form]);
    }
    return rule;
}

/* The text of the first network that has the address, its plain form or one that it carries. */
static const char *find_network(const networks *list, const net_address *address, bool with_carried)
{
    net_address forms[4] = {*address, net_address_unmap(address)};
    size_t count = 2 + (with_carried ? net_address_carried(address, forms + 2) : 0);
    for (size_t i = 0; i < list->count; i++) {
        for (size_t form = 0; form < count; form++) {
            if (net_block_contains(&list->blocks[i], &forms[form])) {
                return list->texts[i];
            }
        }
    }
    return NULL;
}

/* Names that every resolver gives the host's own addresses for, and patterns of such names. */
static bool is_own_name(const char *name)
{
    static const char *const own[] = {
        "localhost",  "localhost.localdomain",   "localhost4",    "localhost4.localdomain4",
        "localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback",
    };
    static const char suffix[] = ".localhost";
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(own[i], name) == 0) {
            return true;
        }
    }
    return size >= sizeof suffix && strcmp(name + size - (sizeof suffix - 1), suffix) == 0;
}

/* Whether loopback addresses are reachable by a rule about addresses. */
static bool allows_loopback(const net_policy *policy)
{
    static const net_address v4 = {.bytes = {127, 0, 0, 1}};
    static const net_address v6 = {.is_v6 = true, .bytes = {[15] = 1}};
    return policy->allow_localhost || find_network(&policy->allowed_networks, &v4, false) != NULL ||
           find_network(&policy->allowed_networks, &v6, false) != NULL;
}

/* Whether internal_hosts has a name, for an address of the host itself only if it says so. */
static bool has_internal_name(const net_policy *policy, const char *name)
{
    bool is_own = is_own_name(name);
    for (size_t i = 0; i < policy->internal_hosts.count; i++) {
        const net_pattern *pattern = &policy->internal_hosts.items[i];
        if (net_pattern_matches_name(pattern, name) &&
            (!is_own || policy->internal_networks[i].is_said || is_own_name(pattern->text))) {
            return true;
        }
    }
    return false;
}

typedef enum internal_match {
    INTERNAL_NONE,
    INTERNAL_GUARDED, /* an entry fits, but does not say an address such as this one */
    INTERNAL_ALLOWED,
} internal_match;

/* What one entry of internal_hosts says of an address that a name has. */
static internal_match match_internal_name(const net_policy *policy, size_t index, const char *name,
                                          const net_address *address, bool is_guarded)
{
    const net_pattern *pattern = &policy->internal_hosts.items[index];
    const internal_network *network = &policy->internal_networks[index];
    if (!net_pattern_matches_name(pattern, name)) {
        return INTERNAL_NONE;
    }
    if (network->is_said) {
        return net_block_contains(&network->block, address) ? INTERNAL_ALLOWED : INTERNAL_NONE;
    }
    bool says_loopback = is_own_name(pattern->text) && net_address_is_loopback(address);
    return !is_guarded || says_loopback ? INTERNAL_ALLOWED : INTERNAL_GUARDED;
}

/* What internal_hosts says of an address; name as for net_policy_allows_address(). */
static internal_match match_internal(const net_policy *policy, net_own *own, const char *name,
                                     const net_address *address)
{
    internal_match best = INTERNAL_NONE;
    char text[NET_ADDRESS_TEXT_SIZE];
    if (policy->internal_hosts.count == 0) {
        return INTERNAL_NONE;
    }
    net_address_text(address, text);
    bool is_guarded =
        policy->block_internal && (net_address_is_guarded(address) || net_own_has(own, address));
    for (size_t i = 0; i < policy->internal_hosts.count && best != INTERNAL_ALLOWED; i++) {
        const net_pattern *pattern = &policy->internal_hosts.items[i];
        internal_match match = INTERNAL_NONE;
        if (name != NULL) {
            match = match_internal_name(policy, i, name, address, is_guarded);
        } else if (net_pattern_matches_address(pattern, address, text)) {
            bool says = pattern->kind != NET_PATTERN_ANY;
            match = says || !is_guarded ? INTERNAL_ALLOWED : INTERNAL_GUARDED;
        }
        best = match > best ? match : best;
    }
    return best;
}

bool net_policy_allows_name(const net_policy *policy, net_own *own, const char *name,
                            char out_reason[NET_REASON_SIZE])
{
    net_address literal;
    if (net_address_parse(name, strlen(name), &literal)) {
        return net_policy_allows_address(policy, own, NULL, &literal, out_reason);
    }
    const char *rule = find_name(&policy->blocked_hosts, name);
    if (rule != NULL) {
        snprintf(out_reason, NET_REASON_SIZE, "host '%s' is blocked by rule '%s'", name, rule);
        return false;
    }
    if (has_internal_name(policy, name)) {
        return true;
    }
    if (is_own_name(name)) {
        if (policy->block_internal && !allows_loopback(policy)) {
            snprintf(out_reason, NET_REASON_SIZE,
                     "host '%s' is blocked: it is a name of the host itself", name);
            return false;
        }
        if (policy->allow_localhost) {
            return true;
        }
    }
    if (policy->allow_all_hosts || find_name(&policy->allowed_hosts, name) != NULL) {
        return true;
    }
    snprintf(out_reason, NET_REASON_SIZE, "host '%s' is not in the allowed list", name);
    return false;
}

/* "address 10.0.0.1" or "address 10.0.0.1 of host 'x'". */
static void describe(const char *name, const char *text, char *out_text, size_t room)
{
    if (name != NULL) {
        snprintf(out_text, room, "address %s of host '%s'", text, name);
    } else {
        snprintf(out_text, room, "address %s", text);
    }
}

/* Why an address is not a public one; NULL if it is. */
static const char *why_internal(const net_policy *policy, net_own *own, const net_address *address)
{
    if (!policy->block_internal) {
        return NULL;
    }
    const char *why = net_address_internal(address);
    if (why == NULL && !policy->allow_localhost && net_own_has(own, address)) {
        why = "an address of this machine";
    }
    return why;
}

bool net_policy_allows_address(const net_policy *policy, net_own *own, const char *name,
                               const net_address *address, char out_reason[NET_REASON_SIZE])
{
    char text[NET_ADDRESS_TEXT_SIZE];
    char what[NET_MAX_NAME + NET_ADDRESS_TEXT_SIZE + 32];
    net_address plain = net_address_unmap(address);
    net_address_text(&plain, text);
    describe(name, text, what, sizeof what);

    const char *rule = name != NULL ? find_name(&policy->blocked_hosts, name) : NULL;
    if (rule == NULL) {
        rule = find_any_form(&policy->blocked_hosts, address);
    }
    if (rule != NULL) {
        snprintf(out_reason, NET_REASON_SIZE, "%s is blocked by rule '%s'", what, rule);
        return false;
    }
    rule = find_network(&policy->blocked_networks, address, true);
    if (rule != NULL) {
        snprintf(out_reason, NET_REASON_SIZE, "%s is in the blocked network %s", what, rule);
        return false;
    }
    internal_match match = match_internal(policy, own, name, &plain);
    if (find_network(&policy->allowed_networks, address, false) != NULL ||
        match == INTERNAL_ALLOWED ||
        (policy->allow_localhost && net_address_is_loopback(address))) {
        return true;
    }
    const char *internal = why_internal(policy, own, address);
    if (internal != NULL) {
        const char *hint = match == INTERNAL_GUARDED
                               ? ", which internal_hosts allows only with '=' and the address"
                               : "";
        snprintf(out_reason, NET_REASON_SIZE, "%s is blocked: %s%s", what, internal, hint);
        return false;
    }
    if (policy->allow_all_hosts ||
        (name != NULL ? find_name(&policy->allowed_hosts, name)
                      : find_address(&policy->allowed_hosts, &plain)) != NULL) {
        return true;
    }
    snprintf(out_reason, NET_REASON_SIZE, "%s is not in the allowed list", what);
    return false;
}
