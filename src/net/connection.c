#include "net/connection.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "net/internal.h"

#define MAX_READ_BYTES ((size_t)1 << 20)

/* ---- Life ------------------------------------------------------------------------------------ */

net_connection *net_connection_create(net *network, bool is_v6)
{
    net_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return NULL;
    }
    connection->network = network;
    connection->references = 1;
    connection->fd = -1;
    connection->is_v6 = is_v6;
    if (network->is_far && !net_far_open(connection)) {
        free(connection);
        return NULL;
    }
    return connection;
}

net_connection *net_connection_retain(net_connection *connection)
{
    connection->references++;
    return connection;
}

/* The entry in the list of the run, brought up to date. */
static void note(net_connection *connection)
{
    if (connection->log_entry != 0) {
        eryx_connection *view = &connection->network->log[connection->log_entry - 1].view;
        view->bytes_in = connection->bytes_in;
        view->bytes_out = connection->bytes_out;
        view->connected = connection->state == NET_CONNECTED;
        view->duration_ns = clock_now_ns() - connection->started_ns;
    }
}

static void destroy_layers(net_connection *connection)
{
    if (connection->tls != NULL) {
        void *tls = connection->tls;
        connection->tls = NULL;
        connection->tls_destroy(tls);
    }
    if (connection->filter != NULL) {
        connection->filter->destroy(connection->filter);
        connection->filter = NULL;
    }
}

void net_connection_close(net_connection *connection)
{
    if (connection->fd < 0) {
        return;
    }
    net *network = connection->network;
    destroy_layers(connection);
    note(connection);
    /* A child of the host's process may hold the socket, too: closing it does not take it out. */
    if (connection->registered && net_is_ours(network)) {
        epoll_ctl(network->waiting.epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    }
    close(connection->fd);
    descriptors_give(network->descriptors, 1);
    connection->fd = -1;
    free(connection->unsent);
    connection->unsent = NULL;
    connection->unsent_size = 0;
    eryx_assert(network->open_count > 0);
    network->open_count--;
    for (net_connection **link = &network->connections; *link != NULL; link = &(*link)->next) {
        if (*link == connection) {
            *link = connection->next;
            break;
        }
    }
    connection->next = NULL;
}

void net_connection_free(net_connection *connection)
{
    destroy_layers(connection);
    free(connection->unsent);
    free(connection->input);
    free(connection);
}

void net_connection_release(net_connection *connection)
{
    eryx_assert(connection == NULL || connection->references > 0);
    if (connection == NULL || --connection->references > 0) {
        return;
    }
    if (connection->far_number != 0) {
        net_far_close(connection);
    }
    if (connection->fd >= 0) {
        net_connection_settle(connection, true);
        net_connection_flush(connection);
        if (net_connection_has_unsent(connection) && connection->error == 0) {
            return; /* net_after_wait() goes on with it */
        }
        net_connection_close(connection);
    }
    net_connection_free(connection);
}

/* ---- Names ----------------------------------------------------------------------------------- */

bool net_connection_name(const net_connection *connection, size_t index, const char **out_name)
{
    if (connection->network == NULL) {
        return false;
    }
    const char *name = net_known_name(connection->network, &connection->remote, index);
    if (name == NULL) {
        return false;
    }
    *out_name = name;
    return true;
}

bool net_connection_has_name(const net_connection *connection, const char *name)
{
    const char *known;
    for (size_t i = 0; net_connection_name(connection, i, &known); i++) {
        if (strcmp(known, name) == 0) {
            return true;
        }
    }
    net_address literal;
    return net_address_parse(name, strlen(name), &literal) &&
           net_address_same_host(&literal, &connection->remote);
}

net_connection *net_find_connection(net *network, const net_address *local,
                                    const net_address *remote)
{
    for (net_connection *found = network != NULL ? network->connections : NULL; found != NULL;
         found = found->next) {
        if (found->state == NET_CONNECTED && net_address_equal(&found->local, local) &&
            net_address_equal(&found->remote, remote)) {
            return found;
        }
    }
    return NULL;
}

/* ---- The socket itself ----------------------------------------------------------------------- */

static net_io fail(net_connection *connection, int error)
{
    connection->error = error;
    connection->network->last_errno = error;
    return NET_IO_FAILED;
}

/* Why nothing can be transferred; OK if it can. */
static net_io check(net_connection *connection)
{
    net *network = connection->network;
    if (network == NULL) {
        return NET_IO_FAILED;
    }
    if (connection->fd < 0 || connection->state != NET_CONNECTED) {
        network->last_errno = ECONNABORTED;
        return NET_IO_FAILED;
    }
    if (connection->error != 0) {
        return fail(connection, connection->error);
    }
    if (connection->timed_out) {
        connection->timed_out = false;
        network->last_errno = ETIMEDOUT;
        return NET_IO_FAILED;
    }
    if (network->bytes >= network->limits->max_bytes) {
        net_refuse(network, "the limit max_bytes of the network is reached: %llu bytes",
                   (unsigned long long)network->limits->max_bytes);
        return NET_IO_REFUSED;
    }
    return NET_IO_OK;
}

/* No more than the limit leaves. */
static size_t allowed(const net *network, size_t size)
{
    uint64_t left = network->limits->max_bytes - network->bytes;
    return size < left ? size : (size_t)left;
}

static net_io of_errno(net_connection *connection)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? NET_IO_AGAIN
                                                                     : fail(connection, errno);
}

net_io net_connection_receive(net_connection *connection, uint8_t *buffer, size_t room,
                              size_t *out_size)
{
    net_io state = check(connection);
    if (state != NET_IO_OK) {
        return state;
    }
    if (connection->end_of_read || connection->shut_read) {
        return NET_IO_CLOSED;
    }
    size_t size = allowed(connection->network, room < MAX_READ_BYTES ? room : MAX_READ_BYTES);
    ssize_t got = recv(connection->fd, buffer, size, MSG_DONTWAIT);
    if (got < 0) {
        return of_errno(connection);
    }
    if (got == 0) {
        connection->end_of_read = true;
        return NET_IO_CLOSED;
    }
    connection->bytes_in += (uint64_t)got;
    connection->network->bytes += (uint64_t)got;
    *out_size = (size_t)got;
    return NET_IO_OK;
}

net_io net_connection_send(net_connection *connection, const uint8_t *data, size_t size,
                           size_t *out_size)
{
    net_io state = check(connection);
    if (state != NET_IO_OK) {
        return state;
    }
    if (connection->shut_write) {
        return fail(connection, EPIPE);
    }
    ssize_t sent =
        send(connection->fd, data, allowed(connection->network, size), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        return of_errno(connection);
    }
    connection->bytes_out += (uint64_t)sent;
    connection->network->bytes += (uint64_t)sent;
    *out_size = (size_t)sent;
    return NET_IO_OK;
}

/* Bytes that the system has for the connection. */
static size_t count_input(const net_connection *connection)
{
    int count = 0;
    return ioctl(connection->fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

net_io net_connection_available(net_connection *connection, size_t *out_size)
{
    net_io state = check(connection);
    if (state != NET_IO_OK) {
        return state;
    }
    if (connection->end_of_read || connection->shut_read) {
        return NET_IO_CLOSED;
    }
    size_t count = count_input(connection);
    if (count == 0) {
        uint8_t probe;
        ssize_t got = recv(connection->fd, &probe, 1, MSG_DONTWAIT | MSG_PEEK);
        if (got < 0) {
            return of_errno(connection);
        }
        if (got == 0) {
            connection->end_of_read = true;
            return NET_IO_CLOSED;
        }
        /* It has come just now: all of it, not only the byte that was looked at. */
        count = count_input(connection);
        count = count > 0 ? count : 1;
    }
    *out_size = allowed(connection->network, count);
    return NET_IO_OK;
}

static net_io transport_read(void *self, uint8_t *buffer, size_t room, size_t *out_size)
{
    return net_connection_receive(self, buffer, room, out_size);
}

static net_io transport_write(void *self, const uint8_t *data, size_t size, size_t *out_size)
{
    return net_connection_send(self, data, size, out_size);
}

net_transport net_connection_transport(net_connection *connection)
{
    return (net_transport){.self = connection, .read = transport_read, .write = transport_write};
}

/* ---- Plain bytes of the guest ---------------------------------------------------------------- */

static net_io refuse_attached(net_connection *connection)
{
    net_refuse(connection->network, "the connection is used for TLS");
    return NET_IO_REFUSED;
}

net_io net_connection_read(net_connection *connection, uint8_t *buffer, size_t room,
                           size_t *out_size)
{
    if (connection->far_number != 0) {
        return net_far_read(connection, buffer, room, out_size);
    }
    if (connection->network != NULL && connection->attached) {
        return refuse_attached(connection);
    }
    if (connection->filter == NULL) {
        return net_connection_receive(connection, buffer, room, out_size);
    }
    net_transport socket = net_connection_transport(connection);
    return connection->filter->read(connection->filter, &socket, buffer, room, out_size);
}

/* As net_transport.write, through the filter. */
static net_io write_some(net_connection *connection, const uint8_t *data, size_t size,
                         size_t *out_size)
{
    if (connection->filter == NULL) {
        return net_connection_send(connection, data, size, out_size);
    }
    net_transport socket = net_connection_transport(connection);
    return connection->filter->write(connection->filter, &socket, data, size, out_size);
}

static bool keep(net_connection *connection, const uint8_t *data, size_t size)
{
    uint8_t *kept = realloc(connection->unsent, size);
    if (kept == NULL) {
        return false;
    }
    memcpy(kept, data, size);
    connection->unsent = kept;
    connection->unsent_size = size;
    return true;
}

net_io net_connection_write(net_connection *connection, const uint8_t *data, size_t size)
{
    if (connection->far_number != 0) {
        return net_far_write(connection, data, size);
    }
    net_io state = check(connection);
    if (state != NET_IO_OK) {
        return state;
    }
    if (connection->attached) {
        return refuse_attached(connection);
    }
    if (connection->unsent_size > 0) {
        return NET_IO_AGAIN;
    }
    while (size > 0) {
        size_t taken = 0;
        state = write_some(connection, data, size, &taken);
        if (state == NET_IO_AGAIN) {
            return keep(connection, data, size) ? NET_IO_OK : fail(connection, ENOMEM);
        }
        if (state != NET_IO_OK) {
            return state;
        }
        data += taken;
        size -= taken;
    }
    return NET_IO_OK;
}

/* Whether the filter has bytes that could be sent. */
static bool flush_filter(net_connection *connection)
{
    if (connection->filter == NULL || connection->filter->flush == NULL || connection->attached) {
        return true;
    }
    net_transport socket = net_connection_transport(connection);
    return connection->filter->flush(connection->filter, &socket) != NET_IO_AGAIN;
}

bool net_connection_has_unsent(const net_connection *connection)
{
    return connection->unsent_size > 0 || (connection->filter != NULL && !connection->attached &&
                                           connection->filter->has_output(connection->filter));
}

void net_connection_settle(net_connection *connection, bool at_end)
{
    if (connection->filter != NULL && connection->fd >= 0 && connection->state == NET_CONNECTED &&
        !connection->attached) {
        net_transport socket = net_connection_transport(connection);
        connection->filter->settle(connection->filter, &socket, at_end);
    }
}

void net_connection_flush(net_connection *connection)
{
    /* A child of the host's process must not send what its parent sends. */
    if (connection->fd < 0 || connection->state != NET_CONNECTED ||
        !net_is_ours(connection->network) || !flush_filter(connection)) {
        return;
    }
    size_t done = 0;
    net_io state = NET_IO_OK;
    while (done < connection->unsent_size && state == NET_IO_OK) {
        size_t taken = 0;
        state = write_some(connection, connection->unsent + done, connection->unsent_size - done,
                           &taken);
        done += state == NET_IO_OK ? taken : 0;
    }
    size_t left = connection->unsent_size - done;
    if (left > 0 && state != NET_IO_OK && state != NET_IO_AGAIN) {
        left = 0; /* nobody will take it; the guest learns of it with its next write */
        connection->error = connection->error != 0 ? connection->error : EPIPE;
    }
    if (left > 0) {
        memmove(connection->unsent, connection->unsent + done, left);
    } else {
        free(connection->unsent);
        connection->unsent = NULL;
    }
    connection->unsent_size = left;
    if (left == 0 && connection->shut_write_pending) {
        connection->shut_write_pending = false;
        connection->shut_write = true;
        shutdown(connection->fd, SHUT_WR);
    }
}

bool net_connection_can_fail(const net_connection *connection)
{
    const net *network = connection->network;
    return network == NULL || connection->fd < 0 || connection->error != 0 ||
           connection->timed_out || network->bytes >= network->limits->max_bytes;
}

/* How much the kernel would take now, with the space that its own bookkeeping needs left out. */
static size_t kernel_room(int descriptor)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof memory;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0 ||
        memory[SK_MEMINFO_WMEM_QUEUED] >= memory[SK_MEMINFO_SNDBUF]) {
        return 0;
    }
    return (memory[SK_MEMINFO_SNDBUF] - memory[SK_MEMINFO_WMEM_QUEUED]) / 2;
}

size_t net_connection_writable(net_connection *connection)
{
    if (connection->far_number != 0) {
        return net_far_writable(connection);
    }
    if (net_connection_can_fail(connection) || connection->state != NET_CONNECTED ||
        connection->shut_write || connection->shut_write_pending) {
        return 1;
    }
    if (connection->unsent_size > 0 || !flush_filter(connection)) {
        return 0;
    }
    struct pollfd look = {.fd = connection->fd, .events = POLLOUT};
    if (poll(&look, 1, 0) != 1) {
        return 0;
    }
    size_t room = connection->filter == NULL ? kernel_room(connection->fd) : 0;
    room = room < NET_WRITE_MOST_BYTES ? room : NET_WRITE_MOST_BYTES;
    return room > NET_WRITE_BYTES ? room : NET_WRITE_BYTES;
}

bool net_connection_attach(net_connection *connection, void *tls, void (*tls_destroy)(void *tls))
{
    if (check(connection) != NET_IO_OK || connection->attached || connection->unsent_size > 0 ||
        connection->input_size > 0 ||
        (connection->filter != NULL && connection->filter->has_input(connection->filter))) {
        return false;
    }
    connection->attached = true;
    connection->tls = tls;
    connection->tls_destroy = tls_destroy;
    net_connection_note_tls(connection);
    return true;
}

void net_connection_note_tls(net_connection *connection)
{
    if (connection->network != NULL && connection->log_entry != 0) {
        connection->network->log[connection->log_entry - 1].view.tls = true;
    }
}

void *net_connection_detach(net_connection *connection)
{
    void *tls = connection->tls;
    connection->tls = NULL;
    connection->attached = false;
    return tls;
}
