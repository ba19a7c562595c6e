/* The network of a sandbox whose connections somebody else has: each step is a question (far.h). */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "net/internal.h"

/* Asks about a connection; the result, or otherwise if nobody answers. */
static int64_t ask(net_connection *connection, net_far_question question, int64_t otherwise,
                   net_far_answer *out_answer)
{
    question.number = connection->far_number;
    *out_answer = (net_far_answer){.file = -1};
    return connection->network != NULL && net_ask_far(connection->network, &question, out_answer)
               ? out_answer->result
               : otherwise;
}

/* An errno that was told. */
static int errno_of(int64_t result)
{
    return result >= 0 && result < 4096 ? (int)result : ECONNABORTED;
}

static net_io io_of(int64_t result)
{
    return result >= NET_IO_OK && result <= NET_IO_REFUSED ? (net_io)result : NET_IO_FAILED;
}

/* ---- Connections ----------------------------------------------------------------------------- */

bool net_far_open(net_connection *connection)
{
    net_far_answer answer;
    const net_far_question question = {.operation = NET_FAR_OPEN, .value = connection->is_v6};
    if (!net_ask_far(connection->network, &question, &answer) || answer.result <= 0 ||
        answer.result > UINT32_MAX) {
        return false;
    }
    connection->far_number = (uint32_t)answer.result;
    connection->network->far_open++;
    return true;
}

void net_far_close(net_connection *connection)
{
    net_far_answer answer;
    if (connection->network != NULL && connection->network->far_open > 0) {
        (void)ask(connection, (net_far_question){.operation = NET_FAR_CLOSE}, 0, &answer);
        connection->network->far_open--;
    }
}

int net_far_check(net_connection *connection, const net_address *remote)
{
    net_far_answer answer;
    return errno_of(ask(connection,
                        (net_far_question){.operation = NET_FAR_CHECK, .address = *remote},
                        ECONNABORTED, &answer));
}

void net_far_denied(net_connection *connection, const net_address *remote)
{
    net_far_answer answer;
    (void)ask(connection, (net_far_question){.operation = NET_FAR_DENIED, .address = *remote}, 0,
              &answer);
}

int net_far_start(net_connection *connection, const net_address *remote)
{
    net_far_answer answer;
    const int error =
        errno_of(ask(connection, (net_far_question){.operation = NET_FAR_START, .address = *remote},
                     ECONNABORTED, &answer));
    connection->remote = *remote;
    connection->error = error;
    connection->state = error == 0 ? NET_CONNECTING : NET_FAILED;
    return error;
}

int net_far_finish(net_connection *connection)
{
    net_far_answer answer;
    if (connection->state != NET_CONNECTING) {
        return connection->state == NET_CONNECTED ? 0 : connection->error;
    }
    const int error = errno_of(
        ask(connection, (net_far_question){.operation = NET_FAR_FINISH}, ECONNABORTED, &answer));
    if (error == 0) {
        connection->state = NET_CONNECTED;
        connection->local = answer.local;
        connection->remote = answer.remote;
    } else if (error != EAGAIN) {
        connection->state = NET_FAILED;
        connection->error = error;
    }
    return error;
}

int net_far_shutdown(net_connection *connection, bool read_side, bool write_side)
{
    net_far_answer answer;
    const uint64_t sides = (read_side ? 1 : 0) | (write_side ? 2 : 0);
    const int error =
        errno_of(ask(connection, (net_far_question){.operation = NET_FAR_SHUTDOWN, .value = sides},
                     ENOTCONN, &answer));
    if (error == 0) {
        connection->shut_write = connection->shut_write || (write_side && answer.value == 1);
    }
    return error;
}

bool net_far_ready(net_connection *connection, net_poll_kind kind, short *out_poll)
{
    net_far_answer answer;
    if (kind == NET_POLL_READ && connection->input_size > 0) {
        return true;
    }
    /* Not asked of the system here: there is no descriptor. */
    *out_poll = kind == NET_POLL_READ ? POLLIN : POLLOUT;
    return ask(connection, (net_far_question){.operation = NET_FAR_READY, .value = (uint64_t)kind},
               1, &answer) != 0;
}

void net_far_time_out(net_connection *connection)
{
    net_far_answer answer;
    (void)ask(connection, (net_far_question){.operation = NET_FAR_TIME_OUT}, 0, &answer);
}

void net_far_set_option(net_connection *connection, net_option option, uint64_t value)
{
    net_far_answer answer;
    const uint64_t most = UINT32_MAX;
    const uint64_t both = (uint64_t)option | (value < most ? value : most) << 32;
    (void)ask(connection, (net_far_question){.operation = NET_FAR_SET_OPTION, .value = both}, 0,
              &answer);
}

net_io net_far_read(net_connection *connection, uint8_t *buffer, size_t room, size_t *out_size)
{
    net_far_answer answer;
    const net_io state =
        io_of(ask(connection, (net_far_question){.operation = NET_FAR_READ, .room = room},
                  NET_IO_FAILED, &answer));
    if (state != NET_IO_OK) {
        return state;
    }
    if (answer.size == 0 || answer.size > room) {
        return NET_IO_FAILED;
    }
    memcpy(buffer, answer.data, answer.size);
    *out_size = answer.size;
    return NET_IO_OK;
}

net_io net_far_write(net_connection *connection, const uint8_t *data, size_t size)
{
    net_far_answer answer;
    return io_of(ask(connection,
                     (net_far_question){.operation = NET_FAR_WRITE, .data = data, .size = size},
                     NET_IO_FAILED, &answer));
}

size_t net_far_writable(net_connection *connection)
{
    net_far_answer answer;
    (void)ask(connection, (net_far_question){.operation = NET_FAR_WRITABLE}, 0, &answer);
    if (answer.result < 0 || connection->network == NULL) {
        return 1;
    }
    return answer.value < NET_WRITE_MOST_BYTES ? (size_t)answer.value : NET_WRITE_MOST_BYTES;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

int net_far_before_wait(net *network, uint64_t *io_wake_ns)
{
    net_far_answer answer;
    const net_far_question question = {.operation = NET_FAR_BEFORE_WAIT};
    if (network->far_open == 0 || !net_ask_far(network, &question, &answer)) {
        return -1;
    }
    *io_wake_ns = answer.value < *io_wake_ns ? answer.value : *io_wake_ns;
    if (answer.file >= 0) {
        if (network->far_descriptor >= 0) {
            close(network->far_descriptor);
        }
        network->far_descriptor = answer.file;
    }
    return network->far_descriptor;
}

void net_far_after_wait(net *network)
{
    net_far_answer answer;
    const net_far_question question = {.operation = NET_FAR_AFTER_WAIT};
    if (network->far_open > 0) {
        (void)net_ask_far(network, &question, &answer);
    }
}

bool net_far_has_unsent(net *network)
{
    net_far_answer answer;
    const net_far_question question = {.operation = NET_FAR_UNSENT};
    if (!network->far_was_used || !net_ask_far(network, &question, &answer)) {
        return false;
    }
    network->far_open += answer.result == 1 && network->far_open == 0; /* it is still waited for */
    return answer.result == 1;
}
