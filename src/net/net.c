#include "net/net.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/forks.h"
#include "net/internal.h"
#include "net/lookup.h"

bool net_create(net_policy *policy, net **out_net)
{
    net *network = calloc(1, sizeof *network);
    if (network == NULL) {
        net_policy_release(policy);
        return false;
    }
    network->policy = policy;
    network->limits = net_policy_limits(policy);
    network->fork_generation = forks_generation();
    network->far_descriptor = -1;
    wait_set_init(&network->waiting);
    *out_net = network;
    return true;
}

/* ---- A network that somebody else has -------------------------------------------------------- */

bool net_create_far(const net_limits *limits, net **out_net)
{
    net *network = calloc(1, sizeof *network);
    if (network == NULL) {
        return false;
    }
    network->is_far = true;
    network->far_limits = *limits;
    network->limits = &network->far_limits;
    network->fork_generation = forks_generation();
    network->far_descriptor = -1;
    wait_set_init(&network->waiting);
    *out_net = network;
    return true;
}

bool net_create_like(const net *network, net **out_net)
{
    return network->is_far ? net_create_far(network->limits, out_net)
                           : net_create(net_policy_retain(network->policy), out_net);
}

void net_use_far(net *network, net_far far)
{
    network->far = far;
}

bool net_is_far(const net *network)
{
    return network != NULL && network->is_far;
}

const net_limits *net_get_limits(const net *network)
{
    return network->limits;
}

bool net_ask_far(net *network, const net_far_question *question, net_far_answer *out_answer)
{
    *out_answer = (net_far_answer){.file = -1};
    if (network->far.ask == NULL || !network->far.ask(network->far.self, question, out_answer)) {
        network->last_errno = ECONNABORTED;
        return false;
    }
    network->far_was_used = true;
    network->last_errno = out_answer->last_errno;
    if (out_answer->refusal != NULL) {
        snprintf(network->refusal, sizeof network->refusal, "%s", out_answer->refusal);
    }
    return true;
}

static void end_far_run(net *network)
{
    if (network->far_descriptor >= 0) {
        close(network->far_descriptor);
        network->far_descriptor = -1;
    }
    network->far_open = 0;
    network->far_was_used = false;
}

void net_share_descriptors(net *network, descriptor_share *share)
{
    network->descriptors = descriptors_share_retain(share);
}

static void forget_log(net *network)
{
    for (uint32_t i = 0; i < network->log_count; i++) {
        free(network->log[i].host);
        free(network->log[i].refusal);
        free(network->log[i].secrets);
        free(network->log[i].secret_refusal);
    }
    free(network->log);
    free(network->log_view);
    network->log = NULL;
    network->log_view = NULL;
    network->log_count = 0;
    network->log_allocated = 0;
    network->log_total = 0;
}

static void forget_known(net *network)
{
    for (uint32_t i = 0; i < network->known_count; i++) {
        free(network->known[i].name);
    }
    free(network->known);
    network->known = NULL;
    network->known_count = 0;
    network->known_next = 0;
}

void net_destroy(net *network)
{
    if (network == NULL) {
        return;
    }
    net_end_run(network, NULL);
    forget_log(network);
    net_own_free(&network->own);
    if (network->far.destroy != NULL) {
        network->far.destroy(network->far.self);
    }
    wait_set_destroy(&network->waiting);
    net_policy_release(network->policy);
    descriptors_share_release(network->descriptors);
    free(network);
}

net_policy *net_get_policy(const net *network)
{
    return network->policy;
}

bool net_is_ours(const net *network)
{
    return network->fork_generation == forks_generation();
}

uint64_t net_deadline_ns(uint64_t milliseconds)
{
    uint64_t now = clock_now_ns();
    const uint64_t factor = 1000000;
    return milliseconds > (UINT64_MAX - now) / factor ? UINT64_MAX : now + milliseconds * factor;
}

void net_begin_run(net *network)
{
    if (network == NULL) {
        return;
    }
    forget_log(network);
    network->begun_ns = clock_now_ns();
    network->total_count = 0;
    network->bytes = 0;
    network->lookups_total = 0;
    network->refusal[0] = 0;
    network->last_errno = 0;
}

/* ---- The end of a run ------------------------------------------------------------------------ */

static void release_handle(handle *held)
{
    if (handle_is_connection(held->kind)) {
        net_connection_release(held->object);
        held->object = NULL;
    } else if (handle_is_lookup(held->kind)) {
        net_lookup_release(held->object);
        held->object = NULL;
    }
}

void net_end_run(net *network, handle_table *handles)
{
    if (network == NULL) {
        return;
    }
    for (net_connection *next, *connection = network->connections; connection != NULL;
         connection = next) {
        next = connection->next;
        net_connection_flush(connection);
        net_connection_close(connection);
        connection->network = NULL;
        if (connection->references == 0) {
            net_connection_free(connection);
        }
    }
    for (uint32_t i = 0; handles != NULL && i < handles->used; i++) {
        release_handle(&handles->dynamic[i]);
    }
    end_far_run(network);
    net_resolver_destroy(network->resolver);
    network->resolver = NULL;
    forget_known(network);
    wait_set_close(&network->waiting, network->descriptors, net_is_ours(network));
}

/* ---- Refusals and errors --------------------------------------------------------------------- */

const char *net_last_refusal(const net *network)
{
    return network == NULL ? "the network is off in this sandbox: not permitted" : network->refusal;
}

__attribute__((format(printf, 3, 0))) static void
tell_refusal(net *network, int error, const char *format, va_list arguments)
{
    if (network != NULL) {
        vsnprintf(network->refusal, sizeof network->refusal, format, arguments);
        network->last_errno = error;
    }
}

void net_refuse(net *network, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell_refusal(network, EACCES, format, arguments);
    va_end(arguments);
}

void net_exhausted(net *network, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tell_refusal(network, EMFILE, format, arguments);
    va_end(arguments);
}

void net_set_errno(net *network, int error)
{
    if (network != NULL) {
        network->last_errno = error;
    }
}

int net_last_errno(const net *network)
{
    return network == NULL ? EACCES : network->last_errno;
}

bool net_allows_name(net *network, const uint8_t *name, size_t size)
{
    char normalized[NET_MAX_NAME + 1];
    char reason[NET_REASON_SIZE];
    if (!net_name_normalize(name, size, normalized, reason) ||
        !net_policy_allows_name(network->policy, &network->own, normalized, reason)) {
        net_refuse(network, "%s", reason);
        return false;
    }
    return true;
}

/* ---- Names of addresses ---------------------------------------------------------------------- */

bool net_remember(net *network, const net_address *address, const char *name)
{
    for (uint32_t i = 0; i < network->known_count; i++) {
        if (net_address_same_host(&network->known[i].address, address) &&
            strcmp(network->known[i].name, name) == 0) {
            return true;
        }
    }
    uint32_t count = network->known_count;
    if (count < NET_MAX_KNOWN_ADDRESSES && (count & (count - 1)) == 0) {
        uint32_t allocated = count == 0 ? 1 : 2 * count;
        net_known *known = realloc(network->known, allocated * sizeof *known);
        if (known == NULL) {
            return false;
        }
        network->known = known;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        return false;
    }
    if (count < NET_MAX_KNOWN_ADDRESSES) {
        network->known_count++;
    } else {
        free(network->known[network->known_next].name);
    }
    network->known[network->known_next] = (net_known){*address, copy};
    network->known_next = (network->known_next + 1) % NET_MAX_KNOWN_ADDRESSES;
    return true;
}

const char *net_known_name(const net *network, const net_address *address, size_t index)
{
    for (uint32_t i = 0; i < network->known_count; i++) {
        uint32_t at =
            (network->known_next + NET_MAX_KNOWN_ADDRESSES - 1 - i) % NET_MAX_KNOWN_ADDRESSES;
        const net_known *known = &network->known[at];
        if (net_address_same_host(&known->address, address) && index-- == 0) {
            return known->name;
        }
    }
    return NULL;
}

/* ---- The list of connections ----------------------------------------------------------------- */

/* most: entries that there may be. The rest as net_log(). */
static uint32_t list_entry(net *network, uint32_t most, const char *host,
                           const net_address *address, const char *refusal)
{
    if (network->log_count >= most) {
        return 0;
    }
    if (network->log_count == network->log_allocated) {
        uint32_t allocated = network->log_allocated == 0 ? 8 : 2 * network->log_allocated;
        net_log_entry *log = realloc(network->log, allocated * sizeof *log);
        if (log == NULL) {
            return 0;
        }
        network->log = log;
        network->log_allocated = allocated;
    }
    net_log_entry *entry = &network->log[network->log_count];
    *entry = (net_log_entry){.host = strdup(host)};
    if (refusal != NULL) {
        entry->refusal = strdup(refusal);
    }
    if (entry->host == NULL || (refusal != NULL && entry->refusal == NULL)) {
        free(entry->host);
        free(entry->refusal);
        return 0;
    }
    entry->view.started_ns = clock_now_ns() - network->begun_ns;
    if (address != NULL) {
        net_address_text(address, entry->address);
        entry->view.port = address->port;
    }
    return ++network->log_count;
}

uint32_t net_log(net *network, const char *host, const net_address *address, const char *refusal)
{
    network->log_total++;
    return list_entry(network, NET_MAX_LISTED, host, address, refusal);
}

/* The newest entry of a host, whose socket the guest itself has between it and its TLS; 0 if there
 * is none. */
static uint32_t entry_of_host(const net *network, const char *host)
{
    for (uint32_t entry = network->log_count; entry > 0; entry--) {
        if (strcmp(network->log[entry - 1].host, host) == 0) {
            return entry;
        }
    }
    return 0;
}

static bool lists(const char *names, const char *name)
{
    size_t size = strlen(name);
    for (; names != NULL; names = strchr(names, ',')) {
        names += *names == ',';
        if (strncmp(names, name, size) == 0 && (names[size] == ',' || names[size] == 0)) {
            return true;
        }
    }
    return false;
}

static void add_name(net_log_entry *entry, const char *name)
{
    if (lists(entry->secrets, name)) {
        return;
    }
    char *names = NULL;
    if (entry->secrets == NULL) {
        names = strdup(name);
    } else if (asprintf(&names, "%s,%s", entry->secrets, name) < 0) {
        names = NULL;
    }
    if (names != NULL) {
        free(entry->secrets);
        entry->secrets = names;
    }
}

void net_log_secret(net *network, net_connection *connection, const char *host, const char *name,
                    const char *refusal)
{
    if (network == NULL) {
        return;
    }
    uint32_t number = connection != NULL ? connection->log_entry : entry_of_host(network, host);
    if (number == 0) {
        number = list_entry(network, NET_MAX_LISTED + NET_MAX_LISTED_WITH_SECRETS, host,
                            connection != NULL ? &connection->remote : NULL, NULL);
        if (number == 0) {
            return;
        }
        if (connection != NULL) {
            connection->log_entry = number;
        }
    }
    net_log_entry *entry = &network->log[number - 1];
    if (refusal == NULL) {
        add_name(entry, name);
    } else if (entry->secret_refusal == NULL) {
        entry->secret_refusal = strdup(refusal);
    }
}

void net_log_refusal(net *network, uint32_t entry, const char *refusal)
{
    if (entry != 0) {
        free(network->log[entry - 1].refusal);
        network->log[entry - 1].refusal = strdup(refusal);
    }
}

void net_list(net *network, const eryx_connection **out_connections, size_t *out_count,
              uint64_t *out_total)
{
    *out_connections = NULL;
    *out_count = 0;
    *out_total = 0;
    if (network == NULL || network->log_count == 0) {
        return;
    }
    eryx_connection *view = calloc(network->log_count, sizeof *view);
    if (view == NULL) {
        return;
    }
    for (uint32_t i = 0; i < network->log_count; i++) {
        const net_log_entry *entry = &network->log[i];
        view[i] = entry->view;
        view[i].host = entry->host;
        view[i].address = entry->address;
        view[i].refusal = entry->refusal;
        view[i].secrets = entry->secrets;
        view[i].secret_refusal = entry->secret_refusal;
    }
    free(network->log_view);
    network->log_view = view;
    *out_connections = view;
    *out_count = network->log_count;
    *out_total = network->log_total;
}
