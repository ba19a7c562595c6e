#include "worker/served_network.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/status.h"
#include "imports/eryx_tls.h"
#include "net/lookup.h"
#include "net/net.h"
#include "secrets/secrets.h"

/* Sockets and lookups that a worker may hold. Those that are connected have their own limit. */
enum { MOST_HELD = 4096 };

/* A socket of the worker. */
typedef struct held_connection {
    net_connection *connection; /* NULL for a free place */
    net_address checked;        /* the connect that the rules allow */
    bool is_checked;
    bool is_allowed; /* by the embedder as well, or nobody is asked */
} held_connection;

struct served_network {
    net *net;         /* NULL without one: secrets alone */
    secrets *secrets; /* NULL without any */
    tls_sessions *tls;
    bool is_running;
    held_connection *connections; /* MOST_HELD; NULL before the first */
    net_lookup **lookups;         /* the same */
    uint32_t used_connections;
    uint32_t used_lookups;
    uint32_t asked; /* the number of the connection that the embedder is asked about; 0 for none */
    int told_descriptor; /* that the worker has of this run; -1 for none */
    uint8_t *buffer;     /* SERVICE_DATA_MAX; NULL before the first read */
};

/* ---- Making and freeing -----------------------------------------------------------------------
 */

eryx_status served_network_create(const eryx_sandbox_options *options, served_network **out_network,
                                  eryx_error *out_error)
{
    served_network *network = calloc(1, sizeof *network);
    if (network == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    network->told_descriptor = -1;
    eryx_status status = secrets_create(options, &network->secrets, out_error);
    net_policy *policy;
    if (status == ERYX_OK && options->network != NULL) {
        status = net_policy_create(options->network, &policy, out_error);
        if (status == ERYX_OK && !net_create(policy, &network->net)) {
            status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        }
    }
    if (status == ERYX_OK && network->net != NULL) {
        descriptor_share *share = descriptors_share_create();
        net_share_descriptors(network->net, share);
        descriptors_share_release(share);
    }
    if (status != ERYX_OK) {
        served_network_destroy(network);
        return status;
    }
    *out_network = network;
    return ERYX_OK;
}

served_network *served_network_copy(const served_network *original)
{
    served_network *network = calloc(1, sizeof *network);
    if (network == NULL) {
        return NULL;
    }
    network->told_descriptor = -1;
    if (!secrets_copy(original->secrets, &network->secrets) ||
        (original->net != NULL && !net_create_like(original->net, &network->net))) {
        served_network_destroy(network);
        return NULL;
    }
    if (network->net != NULL) {
        descriptor_share *share = descriptors_share_create();
        net_share_descriptors(network->net, share);
        descriptors_share_release(share);
    }
    return network;
}

void served_network_destroy(served_network *network)
{
    if (network == NULL) {
        return;
    }
    served_network_end_run(network);
    tls_sessions_destroy(network->tls);
    net_destroy(network->net);
    secrets_destroy(network->secrets);
    free(network->connections);
    free(network->lookups);
    free(network->buffer);
    free(network);
}

bool served_network_is_asked(const served_network *network)
{
    return network->net != NULL;
}

static void put_placeholders(const served_network *network, message_writer *writer)
{
    uint8_t texts[ERYX_MAX_SECRETS * PLACEHOLDER_SIZE];
    const size_t count = network->secrets != NULL ? network->secrets->store->count : 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(texts + i * PLACEHOLDER_SIZE, network->secrets->placeholders.texts[i],
               PLACEHOLDER_SIZE);
    }
    message_put_bytes(writer,
                      (eryx_bytes){count > 0 ? texts : NULL, count * (size_t)PLACEHOLDER_SIZE});
}

void served_network_describe(const served_network *network, message_writer *writer)
{
    const secrets *has = network->secrets;
    const uint32_t count = has != NULL ? (uint32_t)has->store->count : 0;
    net_limits limits = {.max_connections = 0};
    if (network->net != NULL) {
        limits = *net_get_limits(network->net);
    }
    message_put_u8(writer, network->net != NULL);
    message_put_u64(writer, limits.max_connections);
    message_put_u64(writer, limits.io_timeout_ms);
    message_put_u64(writer, limits.connect_timeout_ms);
    message_put_u8(writer, limits.ask_on_connect);
    message_put_u32(writer, has != NULL ? has->scrub : 0);
    message_put_u32(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        message_put_text(writer, has->store->entries[i].name);
    }
    put_placeholders(network, writer);
}

void served_network_renew(served_network *network, message_writer *writer)
{
    served_network_end_run(network);
    (void)secrets_renew(network->secrets); /* without memory they stay as they are */
    put_placeholders(network, writer);
}

/* ---- Runs -------------------------------------------------------------------------------------
 */

void served_network_begin_run(served_network *network)
{
    secrets_begin_run(network->secrets);
    net_begin_run(network->net);
    network->told_descriptor = -1;
    network->is_running = true;
}

void served_network_end_run(served_network *network)
{
    network->is_running = false;
    network->asked = 0;
    tls_sessions_end_run(network->tls);
    net_end_run(network->net, NULL);
    for (uint32_t i = 0; i < network->used_connections; i++) {
        net_connection_release(network->connections[i].connection);
        network->connections[i] = (held_connection){.connection = NULL};
    }
    for (uint32_t i = 0; i < network->used_lookups; i++) {
        net_lookup_release(network->lookups[i]);
        network->lookups[i] = NULL;
    }
    network->used_connections = network->used_lookups = 0;
}

void served_network_list(served_network *network, eryx_result *result)
{
    net_list(network->net, &result->connections, &result->connection_count,
             &result->connections_total);
    /* The clock of the worker began later than the one here, which the connections go by. */
    for (size_t i = 0; i < result->connection_count; i++) {
        const uint64_t started_ns = result->connections[i].started_ns;
        if (result->duration_ns < started_ns) {
            result->duration_ns = started_ns;
        }
    }
}

/* ---- Connections ------------------------------------------------------------------------------
 */

static held_connection *find(served_network *network, uint32_t number)
{
    if (number == 0 || number > network->used_connections ||
        network->connections[number - 1].connection == NULL) {
        return NULL;
    }
    return &network->connections[number - 1];
}

static uint32_t open_connection(served_network *network, bool is_v6)
{
    if (network->connections == NULL) {
        network->connections = calloc(MOST_HELD, sizeof *network->connections);
    }
    uint32_t place = 0;
    while (network->connections != NULL && place < network->used_connections &&
           network->connections[place].connection != NULL) {
        place++;
    }
    if (network->connections == NULL || place == MOST_HELD) {
        return 0;
    }
    net_connection *made = net_connection_create(network->net, is_v6);
    if (made == NULL) {
        return 0;
    }
    network->connections[place] = (held_connection){.connection = made};
    network->used_connections += place == network->used_connections;
    return place + 1;
}

static void close_connection(served_network *network, held_connection *held, uint32_t number)
{
    network->asked = network->asked == number ? 0 : network->asked;
    net_connection_release(held->connection);
    *held = (held_connection){.connection = NULL};
}

/* Whether a connect may begin as far as it goes without the rules; an errno. */
static int check_new(const held_connection *held, const net_address *remote)
{
    const net_connection *connection = held->connection;
    if (connection->state != NET_NEW) {
        return EALREADY;
    }
    return remote->is_v6 != connection->is_v6 || remote->port == 0 ? EINVAL : 0;
}

static int check_connect(served_network *network, held_connection *held, uint32_t number,
                         const net_address *remote)
{
    int error = check_new(held, remote);
    held->is_checked = false;
    if (error == 0) {
        error = net_connection_check(held->connection, remote);
    }
    if (error == 0) {
        const bool asks = net_get_limits(network->net)->ask_on_connect;
        held->checked = *remote;
        held->is_checked = true;
        held->is_allowed = !asks;
        network->asked = asks ? number : 0;
    }
    return error;
}

/* Only of what was checked, and is allowed: whatever the worker makes of that. */
static int start_connect(held_connection *held, const net_address *remote)
{
    int error = check_new(held, remote);
    if (error == 0 &&
        (!held->is_checked || !held->is_allowed || !net_address_equal(&held->checked, remote))) {
        error = EACCES;
    }
    held->is_checked = false;
    if (error == 0) {
        error = net_connection_check(held->connection, remote); /* its limits count now */
    }
    return error != 0 ? error : net_connection_start(held->connection, remote);
}

static int finish_connect(served_network *network, net_connection *connection)
{
    int error = ECONNABORTED;
    if (connection->state != NET_NEW) {
        error = net_connection_finish(connection);
    }
    if (error == 0 && connection->filter == NULL &&
        !secrets_new_filter(network->secrets, network->net, connection, NULL,
                            &connection->filter)) {
        error = ENOMEM;
    }
    return error;
}

static bool is_ready(net_connection *connection, net_poll_kind kind)
{
    short events = 0;
    if (net_connection_ready(connection, kind, &events)) {
        return true;
    }
    if (events == 0 || connection->fd < 0) {
        return false;
    }
    struct pollfd look = {.fd = connection->fd, .events = events};
    if (poll(&look, 1, 0) > 0) {
        return true;
    }
    connection->wanted |= events == POLLIN ? EPOLLIN : EPOLLOUT;
    return false;
}

static net_io write_bytes(served_network *network, net_connection *connection,
                          const net_far_question *question)
{
    if (connection->shut_write || connection->shut_write_pending) {
        return NET_IO_CLOSED;
    }
    tls_sessions_look_at(network->tls, connection, question->data, question->size);
    return net_connection_write(connection, question->data, question->size);
}

static int set_option(net_connection *connection, uint64_t value)
{
    const uint64_t option = value & UINT32_MAX;
    return option < NET_OPTION_COUNT
               ? net_connection_set_option(connection, (net_option)option, value >> 32)
               : EINVAL;
}

/* Does what is asked of a connection that is there. */
static void about_connection(served_network *network, held_connection *held,
                             const net_far_question *question, net_far_answer *answer)
{
    net_connection *connection = held->connection;
    switch (question->operation) {
    case NET_FAR_CLOSE:
        close_connection(network, held, question->number);
        break;
    case NET_FAR_CHECK:
        answer->result = check_connect(network, held, question->number, &question->address);
        break;
    case NET_FAR_DENIED:
        if (held->is_checked && net_address_equal(&held->checked, &question->address)) {
            held->is_checked = false;
            net_connection_denied(connection, &question->address);
        }
        break;
    case NET_FAR_START:
        answer->result = start_connect(held, &question->address);
        break;
    case NET_FAR_FINISH:
        answer->result = finish_connect(network, connection);
        answer->local = connection->local;
        answer->remote = connection->remote;
        break;
    case NET_FAR_SHUTDOWN:
        answer->result = net_connection_shutdown(connection, (question->value & 1) != 0,
                                                 (question->value & 2) != 0);
        answer->value = connection->shut_write || connection->shut_write_pending;
        break;
    case NET_FAR_READY:
        answer->result = question->value > NET_POLL_WRITE ||
                         is_ready(connection, (net_poll_kind)question->value);
        break;
    case NET_FAR_TIME_OUT:
        connection->timed_out = connection->state == NET_CONNECTED;
        break;
    case NET_FAR_READ:
        answer->result =
            net_connection_read(connection, network->buffer, question->room, &answer->size);
        answer->data = network->buffer;
        answer->size = answer->result == NET_IO_OK ? answer->size : 0;
        break;
    case NET_FAR_WRITE:
        answer->result = write_bytes(network, connection, question);
        break;
    case NET_FAR_WRITABLE:
        answer->value = net_connection_writable(connection);
        break;
    case NET_FAR_CAN_FAIL:
        answer->result = net_connection_can_fail(connection);
        break;
    default:
        answer->result = set_option(connection, question->value);
        break;
    }
}

/* ---- Lookups ----------------------------------------------------------------------------------
 */

static void start_lookup(served_network *network, const net_far_question *question,
                         net_far_answer *answer)
{
    net_lookup *made;
    if (network->lookups == NULL) {
        network->lookups = calloc(MOST_HELD, sizeof(net_lookup *));
    }
    uint32_t place = 0;
    while (network->lookups != NULL && place < network->used_lookups &&
           network->lookups[place] != NULL) {
        place++;
    }
    if (network->lookups == NULL || place == MOST_HELD) {
        answer->result = NET_LOOKUP_NO_MEMORY;
        return;
    }
    const net_lookup_status status =
        net_lookup_start(network->net, question->data, question->size, &made);
    answer->result = status;
    if (status == NET_LOOKUP_DONE || status == NET_LOOKUP_PENDING) {
        network->lookups[place] = made;
        network->used_lookups += place == network->used_lookups;
        answer->value = place + 1;
        answer->deadline_ns = net_lookup_deadline_ns(made);
    }
}

/* False if there is no such lookup. */
static bool about_lookup(served_network *network, const net_far_question *question,
                         net_far_answer *answer)
{
    const uint32_t number = question->number;
    if (number == 0 || number > network->used_lookups || network->lookups[number - 1] == NULL) {
        return false;
    }
    net_lookup *lookup = network->lookups[number - 1];
    if (question->operation == NET_FAR_LOOKUP_STATUS) {
        answer->result = net_lookup_get_status(lookup);
    } else if (question->operation == NET_FAR_LOOKUP_NEXT) {
        answer->result = net_lookup_get_status(lookup) == NET_LOOKUP_DONE &&
                         net_lookup_next(lookup, &answer->local);
    } else {
        net_lookup_release(lookup);
        network->lookups[number - 1] = NULL;
    }
    return true;
}

/* ---- All --------------------------------------------------------------------------------------
 */

static void do_tls(served_network *network, const net_far_question *question,
                   net_far_answer *answer)
{
    const tls_operation_parts parts = {.operation = (uint32_t)question->value,
                                       .session = question->number,
                                       .data = question->data,
                                       .size = question->size,
                                       .out = network->buffer,
                                       .room = question->room};
    answer->result = question->value > UINT32_MAX
                         ? TLS_BAD_CALL
                         : tls_operation(network->net, &network->tls, network->secrets, &parts);
    if (answer->result > 0 && tls_operation_gives_bytes(parts.operation) &&
        (uint64_t)answer->result <= question->room) {
        answer->data = network->buffer;
        answer->size = (size_t)answer->result;
    }
}

/* False if it asks for what it was never given. */
static bool take(served_network *network, const net_far_question *question, net_far_answer *answer)
{
    switch (question->operation) {
    case NET_FAR_OPEN:
        answer->result = open_connection(network, question->value == 1);
        return true;
    case NET_FAR_LOOKUP:
        start_lookup(network, question, answer);
        return true;
    case NET_FAR_LOOKUP_STATUS:
    case NET_FAR_LOOKUP_NEXT:
    case NET_FAR_LOOKUP_CLOSE:
        return about_lookup(network, question, answer);
    case NET_FAR_BEFORE_WAIT: {
        uint64_t wake_ns = UINT64_MAX;
        const int descriptor = net_before_wait(network->net, &wake_ns);
        answer->value = wake_ns;
        answer->file = descriptor != network->told_descriptor ? descriptor : -1;
        network->told_descriptor = descriptor;
        return true;
    }
    case NET_FAR_AFTER_WAIT:
        net_after_wait(network->net);
        return true;
    case NET_FAR_UNSENT:
        answer->result = net_has_unsent(network->net);
        return true;
    case NET_FAR_TLS:
        do_tls(network, question, answer);
        return true;
    default:
        break;
    }
    held_connection *held = find(network, question->number);
    if (held != NULL) {
        about_connection(network, held, question, answer);
    }
    return held != NULL;
}

bool served_network_take(served_network *network, const message *from, message_writer *writer,
                         int *out_file)
{
    net_far_question question;
    net_far_answer answer = {.file = -1};
    message_reader reader = message_read(from);
    if (from->header.kind != SERVICE_NETWORK || !service_get_question(&reader, &question)) {
        return false;
    }
    if (network->buffer == NULL && (network->buffer = malloc(SERVICE_DATA_MAX)) == NULL) {
        return false;
    }
    if (!network->is_running || network->net == NULL) {
        answer.result = -1; /* of a run that is over */
        answer.value = UINT64_MAX;
    } else if (!take(network, &question, &answer)) {
        return false;
    }
    answer.last_errno = net_last_errno(network->net);
    const char *refusal = network->net != NULL ? net_last_refusal(network->net) : "";
    answer.refusal = refusal[0] != '\0' ? refusal : NULL;
    service_put_answer(writer, &answer);
    *out_file = answer.file;
    return true;
}

/* ---- The embedder's word ----------------------------------------------------------------------
 */

bool served_network_asks(const served_network *network, eryx_event *out_event)
{
    if (!network->is_running || network->asked == 0) {
        return false;
    }
    *out_event = (eryx_event){.kind = ERYX_EVENT_CONNECT};
    net_connect_texts(network->net, &out_event->as.connect.host, &out_event->as.connect.address);
    out_event->as.connect.port = network->connections[network->asked - 1].checked.port;
    return true;
}

bool served_network_answer(served_network *network, bool allow)
{
    if (!network->is_running || network->asked == 0) {
        return false;
    }
    network->connections[network->asked - 1].is_allowed = allow;
    network->asked = 0;
    return true;
}
