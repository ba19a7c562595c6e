#include "worker/client.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/forks.h"
#include "base/status.h"
#include "sandbox/standard_input.h"
#include "worker/client_internal.h"

/* A run that had more memory than this gives it back at once when it is reset. */
#define MUCH_MEMORY_BYTES ((uint64_t)32 << 20)

/* How long a worker may take nothing of what it is sent, or not answer a question. */
#define SILENCE_MS 30000

/* ---- The worker is not what it should be ------------------------------------------------------
 */

static eryx_status crashed(const worker_client *client, eryx_error *out_error)
{
    return status_fail(ERYX_WORKER_CRASHED, out_error, "%s", client->reason);
}

/* Nothing is said to the worker any more. reason: for people; a constant. */
void worker_client_give_up(worker_client *client, const char *reason)
{
    if (client->is_alive) {
        client->is_alive = false;
        client->reason = reason;
        shutdown(client->channel.fd, SHUT_RDWR);
    }
}

void worker_client_give_up_after(worker_client *client, channel_state state)
{
    worker_client_give_up(client, state == CHANNEL_CLOSED
                                      ? "the worker process died"
                                      : "the worker process said what it should not");
}

/* Whether a client may be used; else why not. */
eryx_status worker_client_check_use(const worker_client *client, eryx_error *out_error)
{
    if (client->fork_generation != forks_generation()) {
        return status_fail(ERYX_FORKED, out_error, "%s", eryx_status_text(ERYX_FORKED));
    }
    return client->is_alive ? ERYX_OK : crashed(client, out_error);
}

/* ---- Sending ---------------------------------------------------------------------------------
 */

/* Sends all of the output. file: goes along; -1 for none. False, and it is given up, if the worker
 * does not take it. */
static bool send_all(worker_client *client, int file)
{
    for (;;) {
        const channel_state state = file >= 0 ? channel_send_with_file(&client->channel, file)
                                              : channel_send(&client->channel);
        if (state == CHANNEL_OK) {
            return true;
        }
        if (state != CHANNEL_AGAIN) {
            worker_client_give_up_after(client, state);
            return false;
        }
        if (channel_unsent(&client->channel) > 0 && client->channel.output.begin > 0) {
            file = -1; /* it went with the first byte */
        }
        struct pollfd look = {.fd = client->channel.fd, .events = POLLOUT};
        const int ready = poll(&look, 1, SILENCE_MS);
        if (ready == 0) {
            worker_client_give_up(client, "the worker process takes nothing any more");
            return false;
        }
    }
}

/* Completes the message that was begun, and sends it. The lock is held. */
static eryx_status finish_message(worker_client *client, int file, eryx_error *out_error)
{
    if (!message_end(&client->channel.output)) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error,
                           "no memory, or more than the %zu bytes that go to a worker at a time",
                           MESSAGE_MAX_BYTES);
    }
    return send_all(client, file) ? ERYX_OK : crashed(client, out_error);
}

/* A cancellation that came while another thread was sending. */
static void send_late_cancel(worker_client *client)
{
    if (atomic_exchange(&client->cancel_waits, false) && client->is_running) {
        message_begin(&client->channel.output, WORKER_CANCEL, client->run);
        (void)finish_message(client, -1, NULL);
    }
}

/* Lets go of the lock. Who wanted to cancel meanwhile has left that to this thread. */
static void let_go(worker_client *client)
{
    do {
        send_late_cancel(client);
        pthread_mutex_unlock(&client->lock);
    } while (atomic_load(&client->cancel_waits) && pthread_mutex_trylock(&client->lock) == 0);
}

/* Begins a message; worker_client_end_message() sends it. */
message_writer *worker_client_begin_message(worker_client *client, worker_kind kind,
                                            uint32_t number)
{
    pthread_mutex_lock(&client->lock);
    message_begin(&client->channel.output, (uint32_t)kind, number);
    return &client->channel.output;
}

/* Completes a message that goes with the next one: that of the step that follows. */
eryx_status worker_client_leave_message(worker_client *client)
{
    const eryx_status status = message_end(&client->channel.output) ? ERYX_OK : ERYX_OUT_OF_MEMORY;
    let_go(client);
    return status;
}

eryx_status worker_client_end_message(worker_client *client, int file, eryx_error *out_error)
{
    const eryx_status status = finish_message(client, file, out_error);
    let_go(client);
    return status;
}

void worker_client_flush(worker_client *client)
{
    pthread_mutex_lock(&client->lock);
    if (channel_unsent(&client->channel) > 0) {
        (void)send_all(client, -1);
    }
    let_go(client);
}

/* ---- Answers ---------------------------------------------------------------------------------
 */

/* Takes an answer, which has to be that of the oldest question. False if it is not. */
bool worker_client_take_answer(worker_client *client, const message *from,
                               worker_answer *out_answer)
{
    message_reader reader = message_read(from);
    const uint32_t status = message_get_u32(&reader);
    const char *text = message_get_text(&reader, PROTOCOL_TEXT_MAX);
    const uint64_t value = message_get_u64(&reader);
    if (!message_is_whole(&reader) || client->answered == client->asked ||
        from->header.number != client->answered + 1 || status > ERYX_WRONG_BUILD) {
        return false;
    }
    client->answered++;
    *out_answer = (worker_answer){.status = (eryx_status)status, .value = value};
    status_fail(out_answer->status, &out_answer->error, "%s", text == NULL ? "" : text);
    return true;
}

/* Waits for the answer to the last question. What comes before it is of a run that is over, or
 * answers to questions whose answers nobody wants. */
static eryx_status wait_for_answer(worker_client *client, worker_answer *out_answer,
                                   eryx_error *out_error)
{
    const uint32_t wanted = client->asked;
    const uint64_t end_ns = clock_now_ns() + (uint64_t)SILENCE_MS * CLOCK_NS_PER_MS;
    while (client->is_alive) {
        message came;
        const channel_state state = channel_receive(&client->channel, &came);
        if (state == CHANNEL_AGAIN) {
            struct pollfd look = {.fd = client->channel.fd, .events = POLLIN};
            (void)poll(&look, 1, SILENCE_MS);
        }
        if (clock_now_ns() >= end_ns) {
            worker_client_give_up(client, "the worker process does not answer");
        } else if (state == CHANNEL_AGAIN) {
            continue;
        } else if (state != CHANNEL_OK) {
            worker_client_give_up_after(client, state);
        } else if (came.header.kind == WORKER_ANSWER) {
            if (!worker_client_take_answer(client, &came, out_answer)) {
                worker_client_give_up_after(client, CHANNEL_BROKEN);
            } else if (client->answered == wanted) {
                if (out_answer->status != ERYX_OK) {
                    status_fail(out_answer->status, out_error, "%s", out_answer->error.message);
                }
                return out_answer->status;
            }
        } else if (came.header.kind == WORKER_CHANGES) {
            if (came.header.number != wanted || !worker_client_take_overlay(client, &came)) {
                worker_client_give_up_after(client, CHANNEL_BROKEN);
            }
        } else if (came.header.kind < WORKER_ANSWER || came.header.kind >= WORKER_KIND_COUNT) {
            worker_client_give_up_after(client, CHANNEL_BROKEN);
        }
    }
    return crashed(client, out_error);
}

message_writer *worker_client_ask(worker_client *client, worker_kind kind)
{
    client->asked++;
    return worker_client_begin_message(client, kind, client->asked);
}

eryx_status worker_client_get_answer(worker_client *client, int file, worker_answer *out_answer,
                                     eryx_error *out_error)
{
    const eryx_status status = worker_client_end_message(client, file, out_error);
    if (status != ERYX_OK) {
        client->asked -= status == ERYX_OUT_OF_MEMORY ? 1 : 0;
        return status;
    }
    return wait_for_answer(client, out_answer, out_error);
}

/* ---- Making and freeing -----------------------------------------------------------------------
 */

/* Holds what comes against the limits. */
void worker_client_take_limits(worker_client *client, const eryx_limits *limits)
{
    client->limits = *limits;
    client->channel.max_message = protocol_largest(limits, client->max_display_bytes);
}

/* A client of a socket, which it takes over; NULL without memory, and the socket is closed. */
static worker_client *create(int fd, const eryx_limits *limits)
{
    worker_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        close(fd);
        return NULL;
    }
    channel_open(&client->channel, fd, 0);
    pthread_mutex_init(&client->lock, NULL);
    standard_input_init(&client->input);
    client->fork_generation = forks_generation();
    client->is_alive = true;
    client->reason = "";
    worker_client_take_limits(client, limits);
    return client;
}

/* Two ends of a socket; false with an error. */
bool worker_client_make_sockets(int out_ends[2], eryx_error *out_error)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out_ends) == 0) {
        return true;
    }
    status_fail(ERYX_INITIALIZATION, out_error, "no socket to talk with a worker process: %s",
                strerror(errno));
    return false;
}

/* Tells the worker of a socket. False if it is gone. */
static bool hand_over(int control_fd, int fd)
{
    channel control = {.fd = control_fd, .file = -1};
    message_begin(&control.output, WORKER_OPEN, 0);
    bool done = message_end(&control.output);
    while (done) {
        const channel_state state = channel_send_with_file(&control, fd);
        if (state != CHANNEL_AGAIN) {
            done = state == CHANNEL_OK;
            break;
        }
        struct pollfd look = {.fd = control_fd, .events = POLLOUT};
        done = poll(&look, 1, SILENCE_MS) > 0;
    }
    message_writer_free(&control.output);
    return done;
}

/* Has the worker make an engine. */
static eryx_status derive(worker_client *client, const worker_recipe *recipe, eryx_error *out_error)
{
    worker_answer answer;
    message_writer *writer = worker_client_ask(client, WORKER_DERIVE);
    message_put_u64(writer, recipe->number);
    message_put_u64(writer, recipe->max_memory_bytes);
    message_put_bytes(writer, recipe->frozen);
    message_put_bytes(writer, recipe->packages);
    return worker_client_get_answer(client, -1, &answer, out_error);
}

/* file: for what is served; -1 for none. */
static eryx_status create_there(worker_client *client, const worker_recipe *recipe,
                                const eryx_sandbox_options *options, int file,
                                eryx_error *out_error)
{
    if (recipe != NULL && recipe->frozen.data != NULL) {
        const eryx_status status = derive(client, recipe, out_error);
        if (status != ERYX_OK) {
            return status;
        }
    }
    worker_answer answer;
    message_writer *writer = worker_client_ask(client, WORKER_CREATE);
    message_put_u64(writer, recipe == NULL ? 0 : recipe->number);
    protocol_put_limits(writer, &client->limits);
    protocol_put_deterministic(writer, options->deterministic);
    served_describe(client->served, writer);
    return worker_client_get_answer(client, file, &answer, out_error);
}

/* The same with what stays here. */
static eryx_status create_served(worker_client *client, worker_servant *servant,
                                 const worker_recipe *recipe, const eryx_sandbox_options *options,
                                 eryx_error *out_error)
{
    int ends[2];
    eryx_status status = served_create(options, &client->served, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    served_use(client->served);
    if (!worker_client_make_sockets(ends, out_error)) {
        return ERYX_INITIALIZATION;
    }
    status = worker_servant_add(servant, client->served, ends[0], out_error);
    if (status == ERYX_OK) {
        status = create_there(client, recipe, options, ends[1], out_error);
    }
    close(ends[1]);
    return status;
}

eryx_status worker_client_create(int control_fd, worker_servant *servant,
                                 const worker_recipe *recipe, const eryx_sandbox_options *options,
                                 worker_client **out_client, eryx_error *out_error)
{
    int ends[2];
    if (!worker_client_make_sockets(ends, out_error)) {
        return ERYX_INITIALIZATION;
    }
    const bool handed_over = hand_over(control_fd, ends[1]);
    close(ends[1]);
    worker_client *client = create(ends[0], &options->limits);
    if (client == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    if (!handed_over) {
        worker_client_destroy(client);
        return status_fail(ERYX_WORKER_CRASHED, out_error, "the worker process died");
    }
    eryx_status status = ERYX_OK;
    client->servant = servant;
    client->is_deterministic = options->deterministic != NULL;
    if (served_network_is_needed(options)) {
        status = served_create_network(options, &client->network, out_error);
        if (status == ERYX_OK) {
            status = worker_client_tell_network(client, servant, out_error);
        }
    }
    if (status == ERYX_OK) {
        status = served_is_needed(options)
                     ? create_served(client, servant, recipe, options, out_error)
                     : create_there(client, recipe, options, -1, out_error);
    }
    if (status != ERYX_OK) {
        worker_client_destroy(client);
        return status;
    }
    *out_client = client;
    return ERYX_OK;
}

void worker_client_destroy(worker_client *client)
{
    if (client == NULL) {
        return;
    }
    const bool is_ours = client->fork_generation == forks_generation();
    if (is_ours) {
        /* A child of this process may have the socket as well. */
        shutdown(client->channel.fd, SHUT_RDWR);
    }
    standard_input_end(&client->input, is_ours);
    standard_input_destroy(&client->input);
    channel_close(&client->channel);
    pthread_mutex_destroy(&client->lock);
    worker_client_free_files(client);
    served_unuse(client->network);
    served_release(client->network);
    free(client->calls);
    free(client->questions);
    protocol_result_free(&client->left);
    free(client->result_bytes);
    free(client->written[0].data);
    free(client->written[1].data);
    free(client);
}

bool worker_client_is_alive(const worker_client *client)
{
    return client->is_alive;
}

int worker_client_descriptor(const worker_client *client)
{
    return client->channel.fd;
}

/* ---- Cancelling and other questions
 * -------------------------------------------------------------------------
 */

void worker_client_cancel(worker_client *client)
{
    if (client->fork_generation != forks_generation()) {
        return;
    }
    atomic_store(&client->cancel_waits, true);
    if (pthread_mutex_trylock(&client->lock) == 0) {
        let_go(client);
    }
}

/* Sends a question whose answer is looked at when it comes along. */
static eryx_status ask_later(worker_client *client)
{
    const eryx_status status = worker_client_end_message(client, -1, NULL);
    client->asked -= status == ERYX_OUT_OF_MEMORY ? 1 : 0;
    return status;
}

/* Leaves a question to be sent with what comes next. */
static eryx_status leave_question(worker_client *client)
{
    const eryx_status status = worker_client_leave_message(client);
    client->asked -= status == ERYX_OK ? 0 : 1;
    return status;
}

/* Whether the worker has died while nobody talked with it. */
static bool has_died(const worker_client *client)
{
    uint8_t byte;
    return recv(client->channel.fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) == 0;
}

eryx_status worker_client_reset(worker_client *client)
{
    eryx_status status = worker_client_check_use(client, NULL);
    if (status == ERYX_OK && has_died(client)) {
        worker_client_give_up_after(client, CHANNEL_CLOSED);
        return ERYX_WORKER_CRASHED;
    }
    if (status != ERYX_OK) {
        return status;
    }
    const eryx_bytes none = {.data = NULL, .size = 0};
    message_writer *writer = worker_client_ask(client, WORKER_RESET);
    if (!worker_client_renew_network(client, writer)) {
        message_put_bytes(writer, none);
    }
    /* It goes with the begin of the next run, unless there is much memory to give back. */
    const bool is_urgent = client->is_running || !client->has_result ||
                           client->left.result.peak_memory_bytes > MUCH_MEMORY_BYTES;
    if (client->served != NULL) {
        worker_answer answer; /* what the sandbox has of files here is given back when it is done */
        status = worker_client_get_answer(client, -1, &answer, NULL);
    } else {
        status = is_urgent ? ask_later(client) : leave_question(client);
    }
    if (status == ERYX_OK) {
        client->run++; /* what still comes is of a run that is over */
        client->is_running = client->is_broken = client->has_result = false;
        standard_input_end(&client->input, true);
    }
    return status;
}

eryx_status worker_client_fix_hash_seed(worker_client *client, eryx_error *out_error)
{
    worker_answer answer;
    eryx_status status = worker_client_check_use(client, out_error);
    if (status == ERYX_OK) {
        (void)worker_client_ask(client, WORKER_FIX_SEED);
        status = worker_client_get_answer(client, -1, &answer, out_error);
    }
    return status;
}

eryx_status worker_client_set_limits(worker_client *client, const eryx_limits *limits)
{
    eryx_status status = worker_client_check_use(client, NULL);
    if (status != ERYX_OK) {
        return status;
    }
    protocol_put_limits(worker_client_ask(client, WORKER_SET_LIMITS), limits);
    status = ask_later(client);
    if (status == ERYX_OK) {
        worker_client_take_limits(client, limits);
    }
    return status;
}

eryx_status worker_client_advance_clock(worker_client *client, uint64_t nanoseconds)
{
    eryx_status status = worker_client_check_use(client, NULL);
    if (status != ERYX_OK || !client->is_deterministic) {
        return status != ERYX_OK ? status : ERYX_INVALID_ARGUMENT;
    }
    if (client->is_running) {
        message_put_u64(worker_client_begin_message(client, WORKER_MOVE_CLOCK, client->run),
                        nanoseconds);
        return worker_client_end_message(client, -1, NULL);
    }
    worker_answer answer;
    message_put_u64(worker_client_ask(client, WORKER_ADVANCE), nanoseconds);
    return worker_client_get_answer(client, -1, &answer, NULL);
}

eryx_status worker_client_fork(worker_client *client, worker_client **out_fork,
                               eryx_error *out_error)
{
    int ends[2];
    eryx_status status = worker_client_check(client, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    if (!worker_client_make_sockets(ends, out_error)) {
        return ERYX_INITIALIZATION;
    }
    worker_answer answer;
    (void)worker_client_ask(client, WORKER_FORK);
    status = worker_client_get_answer(client, ends[1], &answer, out_error);
    close(ends[1]);
    if (status != ERYX_OK) {
        close(ends[0]);
        return status;
    }
    worker_client *fork = create(ends[0], &client->limits);
    if (fork == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    fork->served = served_retain(client->served);
    served_use(fork->served);
    fork->servant = client->servant;
    fork->is_deterministic = client->is_deterministic;
    if (client->network != NULL) {
        fork->network = served_copy_network(client->network);
        status = fork->network != NULL
                     ? worker_client_tell_network(fork, fork->servant, out_error)
                     : status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        if (status != ERYX_OK) {
            worker_client_destroy(fork);
            return status;
        }
    }
    *out_fork = fork;
    return ERYX_OK;
}

eryx_status worker_client_check(const worker_client *client, eryx_error *out_error)
{
    const eryx_status status = worker_client_check_use(client, out_error);
    if (status == ERYX_OK && client->is_running) {
        return status_fail(ERYX_BUSY, out_error, "%s", eryx_status_text(ERYX_BUSY));
    }
    return status;
}

eryx_status worker_client_checkpoint(worker_client *client, bool include_storages,
                                     uint64_t *out_checkpoint, eryx_error *out_error)
{
    worker_answer answer;
    eryx_status status = worker_client_check(client, out_error);
    if (status == ERYX_OK) {
        (void)worker_client_ask(client, WORKER_CHECKPOINT);
        status = worker_client_get_answer(client, -1, &answer, out_error);
    }
    if (status == ERYX_OK && include_storages) {
        status = served_keep(client->served, answer.value, out_error);
        if (status != ERYX_OK) {
            worker_client_forget(client, answer.value);
        }
    }
    if (status == ERYX_OK) {
        *out_checkpoint = answer.value;
    }
    return status;
}

void worker_client_forget(worker_client *client, uint64_t checkpoint)
{
    served_forget(client->served, checkpoint);
    if (worker_client_check_use(client, NULL) == ERYX_OK) {
        message_put_u64(worker_client_ask(client, WORKER_FORGET), checkpoint);
        (void)ask_later(client);
    }
}

/* The sandbox is in another state, if the answer is good: nothing of the last run counts. */
eryx_status worker_client_replaced(worker_client *client, eryx_status status)
{
    if (status == ERYX_OK) {
        client->run++;
        client->is_running = client->is_broken = client->has_result = false;
        standard_input_end(&client->input, true);
    }
    return status;
}

eryx_status worker_client_rollback(worker_client *client, uint64_t checkpoint,
                                   eryx_error *out_error)
{
    worker_answer answer;
    eryx_status status = worker_client_check_use(client, out_error);
    if (status == ERYX_OK) {
        message_put_u64(worker_client_ask(client, WORKER_ROLLBACK), checkpoint);
        status = worker_client_get_answer(client, -1, &answer, out_error);
    }
    if (status == ERYX_OK) {
        status = served_put_back(client->served, checkpoint, out_error);
    }
    return worker_client_replaced(client, status);
}
