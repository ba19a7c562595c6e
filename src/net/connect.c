/* Connecting and shutting down, and what the host waits for meanwhile. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/internal.h"

/* The name that the list of connections and the embedder know the address by. */
static const char *host_of(net *network, const net_address *remote,
                           char text[NET_ADDRESS_TEXT_SIZE])
{
    const char *name = net_known_name(network, remote, 0);
    if (name == NULL) {
        net_address plain = net_address_unmap(remote);
        net_address_text(&plain, text);
        name = text;
    }
    return name;
}

static int refuse(net *network, const net_address *remote, int error, const char *reason)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    net_refuse(network, "%s", reason);
    net_set_errno(network, error);
    net_log(network, host_of(network, remote, text), remote, reason);
    return error;
}

bool net_allows_address(net *network, const net_address *address, char out_reason[NET_REASON_SIZE])
{
    const char *name = net_known_name(network, address, 0);
    bool allowed =
        net_policy_allows_address(network->policy, &network->own, name, address, out_reason);
    for (size_t i = 1; !allowed && name != NULL; i++) {
        /* Another name of it may be allowed; at the end, the address itself. */
        char ignored[NET_REASON_SIZE];
        name = net_known_name(network, address, i);
        allowed = net_policy_allows_address(network->policy, &network->own, name, address, ignored);
    }
    return allowed;
}

int net_connection_check(net_connection *connection, const net_address *remote)
{
    if (connection->far_number != 0) {
        return net_far_check(connection, remote);
    }
    net *network = connection->network;
    const net_limits *limits = network->limits;
    char reason[NET_REASON_SIZE];
    if (!net_allows_address(network, remote, reason)) {
        return refuse(network, remote, EACCES, reason);
    }
    if (network->open_count >= limits->max_connections) {
        snprintf(reason, sizeof reason, "connection limit reached: max_connections is %llu",
                 (unsigned long long)limits->max_connections);
        return refuse(network, remote, EMFILE, reason);
    }
    if (network->total_count >= limits->max_total_connections) {
        snprintf(reason, sizeof reason, "connection limit reached: max_total_connections is %llu",
                 (unsigned long long)limits->max_total_connections);
        return refuse(network, remote, EMFILE, reason);
    }
    char text[NET_ADDRESS_TEXT_SIZE];
    const char *host = host_of(network, remote, text);
    size_t length = strnlen(host, NET_MAX_NAME);
    memcpy(network->connect_host, host, length);
    network->connect_host[length] = 0;
    net_address plain = net_address_unmap(remote);
    net_address_text(&plain, network->connect_address);
    return 0;
}

void net_connect_texts(const net *network, const char **out_host, const char **out_address)
{
    *out_host = network->connect_host;
    *out_address = network->connect_address;
}

void net_connection_denied(net_connection *connection, const net_address *remote)
{
    if (connection->far_number != 0) {
        net_far_denied(connection, remote);
        return;
    }
    net *network = connection->network;
    char reason[NET_REASON_SIZE];
    snprintf(reason, sizeof reason, "connection to '%s' port %u is not permitted by the host",
             network->connect_host, remote->port);
    refuse(network, remote, EACCES, reason);
}

static int give_up(net_connection *connection, int error)
{
    connection->state = NET_FAILED;
    connection->error = error;
    connection->network->last_errno = error;
    return error;
}

/* A socket of the system, counted; -1 and errno if there is none. */
static int open_socket(net *network, int family)
{
    int error = descriptors_take(network->descriptors, 1);
    if (error == 0) {
        int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
        if (fd >= 0) {
            return fd;
        }
        error = errno;
        descriptors_give(network->descriptors, 1);
    }
    if (error == EMFILE || error == ENFILE) {
        net_exhausted(network, "there is no file descriptor left for the sandbox");
    }
    errno = error;
    return -1;
}

int net_connection_start(net_connection *connection, const net_address *remote)
{
    if (connection->far_number != 0) {
        return net_far_start(connection, remote);
    }
    net *network = connection->network;
    struct sockaddr_storage system;
    socklen_t size = net_address_to_system(remote, &system);
    const int on = 1;
    network->total_count++;
    connection->remote = *remote;
    connection->started_ns = clock_now_ns();
    connection->log_entry = net_log(network, network->connect_host, remote, NULL);
    int fd = open_socket(network, remote->is_v6 ? AF_INET6 : AF_INET);
    if (fd < 0) {
        return give_up(connection, errno);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    net_options_apply(&connection->options, fd, remote->is_v6);
    connection->fd = fd;
    connection->id = ++network->next_id;
    connection->next = network->connections;
    network->connections = connection;
    network->open_count++;
    connection->state = NET_CONNECTING;
    connection->deadline_ns = net_deadline_ns(network->limits->connect_timeout_ms);
    if (connect(fd, (const struct sockaddr *)&system, size) != 0 && errno != EINPROGRESS) {
        int error = errno;
        net_connection_close(connection);
        return give_up(connection, error);
    }
    return 0;
}

/* Whether both ends are this machine, whatever its interfaces say. */
static bool is_to_itself(const net_connection *connection)
{
    net_address local = net_address_unmap(&connection->local);
    net_address remote = net_address_unmap(&connection->remote);
    return net_address_same_host(&local, &remote) || net_address_is_loopback(&local);
}

/* An established connection, looked at once more. 0, or EACCES if no rule allows what it is. */
static int check_ends(net_connection *connection)
{
    net *network = connection->network;
    char reason[NET_REASON_SIZE];
    if (!is_to_itself(connection)) {
        return 0;
    }
    net_own_learn(&network->own, &connection->remote);
    if (net_allows_address(network, &connection->remote, reason)) {
        return 0;
    }
    net_refuse(network, "%s", reason);
    net_log_refusal(network, connection->log_entry, reason);
    return EACCES;
}

int net_connection_finish(net_connection *connection)
{
    if (connection->far_number != 0) {
        return net_far_finish(connection);
    }
    if (connection->state != NET_CONNECTING) {
        return connection->state == NET_CONNECTED ? 0 : connection->error;
    }
    struct pollfd look = {.fd = connection->fd, .events = POLLOUT};
    int error = 0;
    if (poll(&look, 1, 0) != 1) {
        if (clock_now_ns() < connection->deadline_ns) {
            return EAGAIN;
        }
        error = ETIMEDOUT;
    } else {
        socklen_t size = sizeof error;
        if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
            error = errno;
        }
    }
    struct sockaddr_storage system = {0};
    socklen_t size = sizeof system;
    if (error == 0 && (getsockname(connection->fd, (struct sockaddr *)&system, &size) != 0 ||
                       !net_address_from_system((struct sockaddr *)&system, &connection->local))) {
        error = ECONNABORTED;
    }
    if (error == 0) {
        error = check_ends(connection);
    }
    if (error != 0) {
        net_connection_close(connection);
        return give_up(connection, error);
    }
    connection->state = NET_CONNECTED;
    return 0;
}

int net_connection_shutdown(net_connection *connection, bool read_side, bool write_side)
{
    if (connection->far_number != 0) {
        return net_far_shutdown(connection, read_side, write_side);
    }
    if (connection->fd < 0 || connection->state != NET_CONNECTED) {
        return ENOTCONN;
    }
    if (connection->attached) {
        /* TLS says goodbye in its own way; the socket goes when it is closed. */
        connection->shut_read = connection->shut_read || (read_side && write_side);
        return 0;
    }
    if (read_side) {
        connection->shut_read = true;
        shutdown(connection->fd, SHUT_RD);
    }
    if (write_side && !connection->shut_write) {
        connection->shut_write_pending = true;
        net_connection_settle(connection, true);
        net_connection_flush(connection);
    }
    return 0;
}

bool net_connection_ready(net_connection *connection, net_poll_kind kind, short *out_poll)
{
    if (connection->far_number != 0) {
        return net_far_ready(connection, kind, out_poll);
    }
    if (net_connection_can_fail(connection)) {
        return true;
    }
    if (connection->state == NET_CONNECTING) {
        *out_poll = POLLOUT;
        return clock_now_ns() >= connection->deadline_ns;
    }
    if (kind == NET_POLL_CONNECT) {
        return true;
    }
    if (kind == NET_POLL_READ) {
        *out_poll = POLLIN;
        net_connection_settle(connection, false);
        return connection->end_of_read || connection->input_size > 0 || connection->shut_read ||
               (connection->filter != NULL && !connection->attached &&
                connection->filter->has_input(connection->filter));
    }
    *out_poll = net_connection_has_unsent(connection) ? 0 : POLLOUT;
    return connection->shut_write || connection->shut_write_pending;
}

void net_connection_time_out(net_connection *connection)
{
    if (connection->far_number != 0) {
        net_far_time_out(connection);
    } else {
        connection->timed_out = true;
    }
}

int net_connection_set_option(net_connection *connection, net_option option, uint64_t value)
{
    if (connection->far_number != 0) {
        net_far_set_option(connection, option, value);
    }
    return net_options_set(&connection->options, connection->fd, connection->is_v6, option, value);
}
