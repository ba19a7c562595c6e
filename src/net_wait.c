/* The epoll descriptor of a sandbox: what it waits for and what is done when it is ready. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net_internal.h"
#include "run.h"

/* Events that are taken after one wait; the others make the next one short. */
#define EVENT_COUNT 64

/* How long is waited for connections when the system has no descriptor to wait with. */
#define BLIND_WAIT_NS ((uint64_t)5000000)

int net_epoll(net *network)
{
    if (network->epoll_fd >= 0) {
        return network->epoll_fd;
    }
    if (descriptors_take(network->descriptors, NET_WAITING_DESCRIPTORS) != 0) {
        return -1;
    }
    int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake < 0) {
        descriptors_give(network->descriptors, NET_WAITING_DESCRIPTORS);
        return -1;
    }
    int made = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = NET_TAG_WAKE};
    if (made < 0 || epoll_ctl(made, EPOLL_CTL_ADD, wake, &event) != 0) {
        close(wake);
        if (made >= 0) {
            close(made);
        }
        descriptors_give(network->descriptors, NET_WAITING_DESCRIPTORS);
        return -1;
    }
    pthread_mutex_lock(&network->wake_lock);
    network->wake_fd = wake;
    pthread_mutex_unlock(&network->wake_lock);
    network->epoll_fd = made;
    return made;
}

void net_wake(net *network)
{
    if (network == NULL || !net_is_ours(network)) {
        return;
    }
    const uint64_t one = 1;
    pthread_mutex_lock(&network->wake_lock);
    if (network->wake_fd >= 0) {
        /* It can only fail when it is full, and then it is readable as well. */
        ssize_t written = write(network->wake_fd, &one, sizeof one);
        (void)written;
    }
    pthread_mutex_unlock(&network->wake_lock);
}

/* One-shot, so that a connection that nobody asks about any more wakes nobody again and again. */
bool net_connection_arm(net_connection *connection, uint32_t events)
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

bool net_has_unsent(const net *network)
{
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
        if (!net_connection_arm(connection, events | connection->armed)) {
            lower(io_wake_ns, run_clock_ns() + BLIND_WAIT_NS);
        }
    }
    net_resolver_wake(network->resolver, io_wake_ns);
    return network->epoll_fd;
}

static void take_event(net *network, const struct epoll_event *event)
{
    if (event->data.u64 == NET_TAG_WAKE) {
        uint64_t count;
        ssize_t got = read(network->wake_fd, &count, sizeof count);
        (void)got;
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
    if (network == NULL || network->epoll_fd < 0) {
        return;
    }
    struct epoll_event events[EVENT_COUNT];
    int count = epoll_wait(network->epoll_fd, events, EVENT_COUNT, 0);
    for (int i = 0; i < count; i++) {
        take_event(network, &events[i]);
    }
    net_resolver_process(network->resolver, -1, 0);
    flush_all(network);
}
