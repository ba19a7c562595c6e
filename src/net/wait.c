/* The wait set of a network: what it waits for and what is done when it is ready. */
#include <poll.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "net/internal.h"

/* Events that are taken after one wait; the others make the next one short. */
#define EVENT_COUNT 64

/* How long is waited for connections when the system has no descriptor to wait with. */
#define BLIND_WAIT_NS ((uint64_t)5000000)

int net_epoll(net *network)
{
    return wait_set_open(&network->waiting, network->descriptors);
}

void net_wake(net *network)
{
    if (network != NULL && net_is_ours(network)) {
        wait_set_wake(&network->waiting);
    }
}

/* Makes the descriptor of a connection wake the host for these events, once: one that nobody asks
 * about any more wakes nobody again and again. False if the system has no descriptor left. */
static bool arm(net_connection *connection, uint32_t events)
{
    if ((events & ~connection->armed) == 0) {
        return true;
    }
    int epoll = net_epoll(connection->network);
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data.u64 = connection->id};
    int change = connection->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll < 0 || epoll_ctl(epoll, change, connection->fd, &event) != 0) {
        return false;
    }
    connection->registered = true;
    connection->armed = events;
    return true;
}

static void lower(uint64_t *io_wake_ns, uint64_t wake_ns)
{
    *io_wake_ns = wake_ns < *io_wake_ns ? wake_ns : *io_wake_ns;
}

uint64_t net_io_ceiling_ns(const net *network)
{
    return net_deadline_ns(network->limits->io_timeout_ms);
}

bool net_has_unsent(net *network)
{
    if (network != NULL && network->is_far) {
        return net_far_has_unsent(network);
    }
    for (const net_connection *connection = network != NULL ? network->connections : NULL;
         connection != NULL; connection = connection->next) {
        if (net_connection_has_unsent(connection) && connection->error == 0) {
            return true;
        }
    }
    return false;
}

int net_before_wait(net *network, uint64_t *io_wake_ns)
{
    if (network == NULL) {
        return -1;
    }
    if (network->is_far) {
        return net_far_before_wait(network, io_wake_ns);
    }
    for (net_connection *connection = network->connections; connection != NULL;
         connection = connection->next) {
        uint32_t events = connection->wanted;
        connection->wanted = 0;
        if (net_connection_has_unsent(connection)) {
            events |= EPOLLOUT;
        }
        if (events == 0) {
            continue;
        }
        if (connection->state == NET_CONNECTING) {
            lower(io_wake_ns, connection->deadline_ns);
        }
        if (!arm(connection, events | connection->armed)) {
            lower(io_wake_ns, clock_now_ns() + BLIND_WAIT_NS);
        }
    }
    net_resolver_wake(network->resolver, io_wake_ns);
    return network->waiting.epoll_fd;
}

static void take_event(net *network, const struct epoll_event *event)
{
    if (event->data.u64 == WAIT_SET_TAG) {
        wait_set_take_wake(&network->waiting);
        return;
    }
    if ((event->data.u64 & NET_TAG_RESOLVER) != 0) {
        net_resolver_process(network->resolver, (int)(uint32_t)event->data.u64, event->events);
        return;
    }
    for (net_connection *connection = network->connections; connection != NULL;
         connection = connection->next) {
        if (connection->id == event->data.u64) {
            connection->armed = 0;
            return;
        }
    }
}

/* Sends what can be sent, and closes what only waited for that. */
static void flush_all(net *network)
{
    for (net_connection *next, *connection = network->connections; connection != NULL;
         connection = next) {
        next = connection->next;
        net_connection_flush(connection);
        if (connection->references == 0 &&
            (!net_connection_has_unsent(connection) || connection->error != 0)) {
            net_connection_close(connection);
            net_connection_free(connection);
        }
    }
}

void net_after_wait(net *network)
{
    if (network != NULL && network->is_far) {
        net_far_after_wait(network);
        return;
    }
    if (network == NULL || network->waiting.epoll_fd < 0) {
        return;
    }
    struct epoll_event events[EVENT_COUNT];
    int count = epoll_wait(network->waiting.epoll_fd, events, EVENT_COUNT, 0);
    for (int i = 0; i < count; i++) {
        take_event(network, &events[i]);
    }
    net_resolver_process(network->resolver, -1, 0);
    flush_all(network);
}
