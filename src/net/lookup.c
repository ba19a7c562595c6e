#include "net/lookup.h"

#include <ares.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/internal.h"

/* How long one server is waited for, and how often all are asked. */
#define SERVER_TIMEOUT_MS 2000
#define SERVER_TRIES 3

/* Addresses of one name that are handed out; a made-up answer could have thousands. */
#define MAX_ADDRESSES 64u

struct net_lookup {
    net *network; /* NULL once the run has ended */
    uint32_t references;
    uint32_t far_number; /* of one that somebody else has; 0 for one of this process */
    bool asked;          /* the resolver has it and will call back */
    net_lookup_status status;
    uint64_t deadline_ns;
    net_address *addresses;
    uint32_t count;
    uint32_t next;
    char name[NET_MAX_NAME + 1];
};

struct net_resolver {
    net *network;
    ares_channel channel;
};

/* ---- c-ares ---------------------------------------------------------------------------------- */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static bool library_ready;

static void begin_library(void)
{
    library_ready = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
}

/* Sockets of our own making, so that none is inherited and none ever raises SIGPIPE. */
static ares_socket_t open_socket(int family, int type, int protocol, void *data)
{
    const net_resolver *resolver = data;
    descriptor_share *share = resolver->network->descriptors;
    errno = descriptors_take(share, 1);
    if (errno != 0) {
        return -1;
    }
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0) {
        descriptors_give(share, 1);
    }
    return fd;
}

static int close_socket(ares_socket_t fd, void *data)
{
    const net_resolver *resolver = data;
    descriptors_give(resolver->network->descriptors, 1);
    return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t size,
                          void *data)
{
    (void)data;
    return connect(fd, address, size);
}

static ares_ssize_t receive(ares_socket_t fd, void *buffer, size_t size, int flags,
                            struct sockaddr *from, ares_socklen_t *from_size, void *data)
{
    (void)data;
    return recvfrom(fd, buffer, size, flags, from, from_size);
}

static ares_ssize_t send_pieces(ares_socket_t fd, const struct iovec *pieces, int count, void *data)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                             .msg_iovlen = (size_t)count};
    (void)data;
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static const struct ares_socket_functions socket_functions = {
    .asocket = open_socket,
    .aclose = close_socket,
    .aconnect = connect_socket,
    .arecvfrom = receive,
    .asendv = send_pieces,
};

/* Keeps the epoll set as the resolver wants it. */
static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    net_resolver *resolver = data;
    net *network = resolver->network;
    struct epoll_event event = {
        .events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u),
        .data.u64 = NET_TAG_RESOLVER | (uint32_t)fd,
    };
    if (!net_is_ours(network)) {
        return;
    }
    if (event.events == 0) {
        if (network->waiting.epoll_fd >= 0) {
            epoll_ctl(network->waiting.epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        }
        return;
    }
    int epoll = net_epoll(network);
    if (epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) != 0) {
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static bool make_resolver(net *network)
{
    pthread_once(&library_once, begin_library);
    net_resolver *resolver = library_ready ? calloc(1, sizeof *resolver) : NULL;
    if (resolver == NULL) {
        return false;
    }
    resolver->network = network;
    /* A name is looked up as it was checked: what the system would put behind it or in its place
     * (search lists, aliases of users) is another name, to which other rules apply. */
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .domains = NULL,
        .ndomains = 0,
        .timeout = SERVER_TIMEOUT_MS,
        .tries = SERVER_TRIES,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = resolver,
        .qcache_max_ttl = 0, /* a name is asked for anew, as the rules look at each answer */
    };
    int chosen = ARES_OPT_FLAGS | ARES_OPT_DOMAINS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                 ARES_OPT_SOCK_STATE_CB | ARES_OPT_QUERY_CACHE;
    if (ares_init_options(&resolver->channel, &options, chosen) != ARES_SUCCESS) {
        free(resolver);
        return false;
    }
    ares_set_socket_functions(resolver->channel, &socket_functions, resolver);
    const char *servers = net_policy_dns_servers(network->policy);
    if (servers != NULL && ares_set_servers_ports_csv(resolver->channel, servers) != ARES_SUCCESS) {
        ares_destroy(resolver->channel);
        free(resolver);
        return false;
    }
    network->resolver = resolver;
    return true;
}

void net_resolver_destroy(net_resolver *resolver)
{
    if (resolver != NULL) {
        ares_destroy(resolver->channel);
        free(resolver);
    }
}

void net_resolver_wake(net_resolver *resolver, uint64_t *io_wake_ns)
{
    struct timeval room;
    if (resolver == NULL || resolver->network->lookup_count == 0) {
        return;
    }
    const struct timeval *left = ares_timeout(resolver->channel, NULL, &room);
    if (left != NULL) {
        uint64_t wake_ns =
            clock_now_ns() + (uint64_t)left->tv_sec * 1000000000u + (uint64_t)left->tv_usec * 1000u;
        *io_wake_ns = wake_ns < *io_wake_ns ? wake_ns : *io_wake_ns;
    }
}

void net_resolver_process(net_resolver *resolver, int fd, uint32_t events)
{
    if (resolver == NULL) {
        return;
    }
    bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
    bool readable = fd >= 0 && ((events & EPOLLIN) != 0 || failed);
    bool writable = fd >= 0 && ((events & EPOLLOUT) != 0 || failed);
    ares_process_fd(resolver->channel, readable ? fd : ARES_SOCKET_BAD,
                    writable ? fd : ARES_SOCKET_BAD);
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void free_lookup(net_lookup *lookup)
{
    free(lookup->addresses);
    free(lookup);
}

static net_lookup_status status_of(int ares_status)
{
    switch (ares_status) {
    case ARES_SUCCESS:
        return NET_LOOKUP_DONE;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
    case ARES_ENONAME:
        return NET_LOOKUP_NOT_FOUND;
    case ARES_ENOMEM:
        return NET_LOOKUP_NO_MEMORY;
    case ARES_ETIMEOUT:
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
    case ARES_ECONNREFUSED:
    case ARES_ESERVFAIL:
        return NET_LOOKUP_TEMPORARY;
    default:
        return NET_LOOKUP_FAILED;
    }
}

static bool has_address(const net_lookup *lookup, const net_address *address)
{
    for (uint32_t i = 0; i < lookup->count; i++) {
        if (net_address_same_host(&lookup->addresses[i], address)) {
            return true;
        }
    }
    return false;
}

/* Keeps those addresses that the rules allow. */
static net_lookup_status take_addresses(net_lookup *lookup, const struct ares_addrinfo *answer)
{
    net *network = lookup->network;
    char first_reason[NET_REASON_SIZE] = "";
    net_address refused = {0};
    lookup->addresses = calloc(MAX_ADDRESSES, sizeof *lookup->addresses);
    if (lookup->addresses == NULL) {
        return NET_LOOKUP_NO_MEMORY;
    }
    for (const struct ares_addrinfo_node *node = answer->nodes; node != NULL;
         node = node->ai_next) {
        net_address address;
        char reason[NET_REASON_SIZE];
        if (lookup->count == MAX_ADDRESSES || !net_address_from_system(node->ai_addr, &address)) {
            continue;
        }
        address.port = 0;
        if (has_address(lookup, &address)) {
            continue;
        }
        if (!net_policy_allows_address(network->policy, &network->own, lookup->name, &address,
                                       reason)) {
            if (first_reason[0] == 0) {
                memcpy(first_reason, reason, sizeof first_reason);
                refused = address;
            }
            continue;
        }
        if (!net_remember(network, &address, lookup->name)) {
            return NET_LOOKUP_NO_MEMORY;
        }
        lookup->addresses[lookup->count++] = address;
    }
    if (lookup->count > 0) {
        return NET_LOOKUP_DONE;
    }
    if (first_reason[0] == 0) {
        return NET_LOOKUP_NOT_FOUND;
    }
    net_refuse(network, "%s", first_reason);
    net_log(network, lookup->name, &refused, first_reason);
    return NET_LOOKUP_REFUSED;
}

static void on_answer(void *data, int status, int timeouts, struct ares_addrinfo *answer)
{
    net_lookup *lookup = data;
    net *network = lookup->network;
    (void)timeouts;
    lookup->asked = false;
    network->lookup_count--;
    if (lookup->references == 0) {
        free_lookup(lookup);
    } else if (lookup->status == NET_LOOKUP_PENDING) {
        lookup->status = status_of(status);
        if (lookup->status == NET_LOOKUP_DONE && answer != NULL) {
            lookup->status = take_addresses(lookup, answer);
        }
    }
    if (answer != NULL) {
        ares_freeaddrinfo(answer);
    }
}

/* ---- A lookup -------------------------------------------------------------------------------- */

/* remote: what the host is written as, if it is an address; else NULL. */
static net_lookup_status refuse(net *network, const char *host, const net_address *remote,
                                const char *reason)
{
    net_refuse(network, "%s", reason);
    net_log(network, host, remote, reason);
    return NET_LOOKUP_REFUSED;
}

/* Asks the resolver. The answer may have come when this returns. */
static bool ask(net *network, net_lookup *lookup)
{
    const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    if (network->resolver == NULL && !make_resolver(network)) {
        return false;
    }
    lookup->asked = true;
    network->lookup_count++;
    ares_getaddrinfo(network->resolver->channel, lookup->name, NULL, &hints, on_answer, lookup);
    return true;
}

/* ---- Lookups that somebody else does ----------------------------------------------------------
 */

static net_lookup_status far_status_of(int64_t result)
{
    return result >= NET_LOOKUP_DONE && result <= NET_LOOKUP_NO_MEMORY ? (net_lookup_status)result
                                                                       : NET_LOOKUP_FAILED;
}

static net_lookup_status start_far(net *network, const uint8_t *name, size_t size,
                                   net_lookup **out_lookup)
{
    net_far_answer answer;
    net_lookup *lookup = calloc(1, sizeof *lookup);
    const net_far_question question = {.operation = NET_FAR_LOOKUP, .data = name, .size = size};
    if (lookup == NULL) {
        return NET_LOOKUP_NO_MEMORY;
    }
    net_lookup_status status = NET_LOOKUP_FAILED;
    if (net_ask_far(network, &question, &answer)) {
        status = far_status_of(answer.result);
    }
    if (status != NET_LOOKUP_DONE && status != NET_LOOKUP_PENDING) {
        free(lookup);
        return status;
    }
    *lookup = (net_lookup){.network = network,
                           .references = 1,
                           .status = status,
                           .far_number = (uint32_t)answer.value,
                           .deadline_ns = answer.deadline_ns};
    network->far_open++;
    *out_lookup = lookup;
    return status;
}

/* Asks about one; false if nobody answers. */
static bool ask_far(net_lookup *lookup, net_far_operation operation, net_far_answer *out_answer)
{
    const net_far_question question = {.operation = operation, .number = lookup->far_number};
    return lookup->network != NULL && lookup->network->far_open > 0 &&
           net_ask_far(lookup->network, &question, out_answer);
}

net_lookup_status net_lookup_start(net *network, const uint8_t *name, size_t size,
                                   net_lookup **out_lookup)
{
    char normalized[NET_MAX_NAME + 1];
    char reason[NET_REASON_SIZE];
    net_address literal;
    if (network->is_far) {
        return start_far(network, name, size, out_lookup);
    }
    if (!net_name_normalize(name, size, normalized, reason)) {
        return refuse(network, "", NULL, reason);
    }
    bool is_literal = net_address_parse(normalized, strlen(normalized), &literal);
    if (is_literal ? !net_allows_address(network, &literal, reason)
                   : !net_policy_allows_name(network->policy, &network->own, normalized, reason)) {
        return refuse(network, normalized, is_literal ? &literal : NULL, reason);
    }
    if (!is_literal && (network->lookup_count >= NET_MAX_LOOKUPS ||
                        network->lookups_total >= network->limits->max_total_connections)) {
        net_exhausted(network, "lookup limit reached: %u at a time, %llu in a run", NET_MAX_LOOKUPS,
                      (unsigned long long)network->limits->max_total_connections);
        return NET_LOOKUP_TOO_MANY;
    }
    net_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        return NET_LOOKUP_NO_MEMORY;
    }
    network->lookups_total += is_literal ? 0 : 1;
    lookup->network = network;
    lookup->references = 1;
    lookup->status = NET_LOOKUP_PENDING;
    lookup->deadline_ns = net_deadline_ns(network->limits->connect_timeout_ms);
    memcpy(lookup->name, normalized, sizeof normalized);
    if (is_literal) {
        lookup->addresses = calloc(1, sizeof *lookup->addresses);
        if (lookup->addresses == NULL) {
            free_lookup(lookup);
            return NET_LOOKUP_NO_MEMORY;
        }
        lookup->addresses[0] = literal;
        lookup->count = 1;
        lookup->status = NET_LOOKUP_DONE;
    } else if (!ask(network, lookup)) {
        free_lookup(lookup);
        return NET_LOOKUP_FAILED;
    }
    net_lookup_status status = lookup->status;
    if (status == NET_LOOKUP_DONE || status == NET_LOOKUP_PENDING) {
        *out_lookup = lookup;
    } else {
        free_lookup(lookup);
    }
    return status;
}

net_lookup *net_lookup_retain(net_lookup *lookup)
{
    lookup->references++;
    return lookup;
}

void net_lookup_release(net_lookup *lookup)
{
    if (lookup != NULL && lookup->far_number != 0) {
        net_far_answer answer;
        if (--lookup->references == 0) {
            if (ask_far(lookup, NET_FAR_LOOKUP_CLOSE, &answer)) {
                lookup->network->far_open--;
            }
            free(lookup);
        }
        return;
    }
    /* One that the resolver has is freed when its answer comes. */
    if (lookup != NULL && --lookup->references == 0 && !lookup->asked) {
        free_lookup(lookup);
    }
}

net_lookup_status net_lookup_get_status(net_lookup *lookup)
{
    net_far_answer answer;
    if (lookup->far_number != 0 && lookup->status == NET_LOOKUP_PENDING) {
        lookup->status = ask_far(lookup, NET_FAR_LOOKUP_STATUS, &answer)
                             ? far_status_of(answer.result)
                             : NET_LOOKUP_FAILED;
        return lookup->status;
    }
    if (lookup->status == NET_LOOKUP_PENDING && clock_now_ns() >= lookup->deadline_ns) {
        lookup->status = NET_LOOKUP_TEMPORARY;
    }
    return lookup->status;
}

uint64_t net_lookup_deadline_ns(const net_lookup *lookup)
{
    return lookup->deadline_ns;
}

bool net_lookup_next(net_lookup *lookup, net_address *out_address)
{
    net_far_answer answer;
    if (lookup->far_number != 0) {
        if (!ask_far(lookup, NET_FAR_LOOKUP_NEXT, &answer) || answer.result != 1) {
            return false;
        }
        *out_address = answer.local;
        return true;
    }
    if (lookup->next >= lookup->count) {
        return false;
    }
    *out_address = lookup->addresses[lookup->next++];
    return true;
}
