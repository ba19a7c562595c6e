/* The runs of a client: what it begins, and what comes of it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/forks.h"
#include "base/status.h"
#include "worker/client_internal.h"

/* How long a run may go on after its deadline before its worker is given up: it may be short of
 * processors, but not for ever. */
#define PATIENCE_NS ((uint64_t)10000000000)

/* Messages that are no events and are taken in one step: the caller has other things to look at. */
#define MOST_ROUNDS 64

/* Calls that a guest may have open, whatever the limits say. */
#define MOST_CALLS ((size_t)1 << 20)

/* The same of questions about files: each waits on a thread of the guest. */
#define MOST_QUESTIONS ((size_t)4096)

/* ---- Beginning -------------------------------------------------------------------------------
 */

static uint64_t deadline_of(uint64_t now_ns, uint64_t timeout_ms)
{
    const uint64_t most_ms = (UINT64_MAX / 2 - now_ns - PATIENCE_NS) / 1000000;
    return timeout_ms > most_ms ? UINT64_MAX / 2 : now_ns + timeout_ms * 1000000 + PATIENCE_NS;
}

eryx_status worker_client_begin(worker_client *client, const eryx_run_options *options,
                                eryx_error *out_error)
{
    eryx_status status = worker_client_check_use(client, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    if (client->is_running) {
        return status_fail(ERYX_BUSY, out_error, "%s", eryx_status_text(ERYX_BUSY));
    }
    if (client->is_broken) {
        return status_fail(ERYX_NEEDS_RESET, out_error, "%s", eryx_status_text(ERYX_NEEDS_RESET));
    }
    const bool asks_for_input = options->standard_input_fd >= 0;
    if (asks_for_input) {
        status = standard_input_begin(&client->input, options, out_error);
        if (status != ERYX_OK) {
            return status;
        }
    }
    client->run++;
    client->max_display_bytes = options->max_display_bytes;
    worker_client_take_limits(client, &client->limits);
    client->streams = options->stream_output;
    client->holds_guest = false;
    client->input_asked = 0;
    client->call_count = 0;
    client->calls_made = 0;
    client->calls_bytes = 0;
    client->question_count = 0;
    client->written[0].size = client->written[1].size = 0;
    client->has_result = false;
    client->end_ns = deadline_of(clock_now_ns(), client->limits.execution_timeout_ms);
    atomic_store(&client->cancel_waits, false);
    client->is_running = true;
    worker_client_watch_storages(client);
    worker_client_begin_network(client);
    message_writer *writer = worker_client_begin_message(client, WORKER_BEGIN, client->run);
    protocol_put_run(writer, options, asks_for_input);
    status = worker_client_end_message(client, -1, out_error);
    if (status != ERYX_OK && status != ERYX_WORKER_CRASHED) {
        client->is_running = false;
        return status;
    }
    return ERYX_OK; /* of a worker that is gone the first step tells */
}

/* ---- Events ----------------------------------------------------------------------------------
 */

/* The run is over, whatever it left. */
static void end_run(worker_client *client)
{
    client->is_running = false;
    worker_client_end_watch(client);
    worker_client_end_network(client);
    standard_input_end(&client->input, true);
}

/* The result of a run whose worker is gone. */
static void make_crash_result(worker_client *client)
{
    protocol_result_free(&client->left);
    client->left.result = (eryx_result){
        .status = ERYX_WORKER_CRASHED,
        .message = client->reason,
        .standard_output = {client->written[0].data, client->written[0].size},
        .standard_error = {client->written[1].data, client->written[1].size},
    };
    client->has_result = true;
    client->is_broken = true;
    end_run(client);
}

/* Keeps output for the case that the worker dies. What there is no memory for is lost then. */
static void keep_output(worker_client *client, int stream, eryx_bytes bytes)
{
    kept_output *kept = &client->written[stream - 1];
    const uint64_t most = client->limits.max_output_bytes;
    const uint64_t room = kept->size < most ? most - kept->size : 0;
    const size_t size = bytes.size < room ? bytes.size : (size_t)room;
    if (kept->capacity - kept->size < size) {
        const size_t capacity = 2 * (kept->size + size);
        uint8_t *grown = realloc(kept->data, capacity);
        if (grown == NULL) {
            return;
        }
        kept->data = grown;
        kept->capacity = capacity;
    }
    if (size > 0) {
        memcpy(kept->data + kept->size, bytes.data, size);
        kept->size += size;
    }
}

/* What an event of the worker is for the one who steps. */
typedef enum taken {
    TAKEN_NOTHING, /* it was for the client alone */
    TAKEN_EVENT,
    TAKEN_WRONG, /* the worker must not say that */
} taken;

static taken take_output(worker_client *client, message_reader *reader, eryx_event *out_event)
{
    const uint32_t stream = message_get_u32(reader);
    const eryx_bytes bytes = message_get_bytes(reader, PROTOCOL_OUTPUT_MAX);
    if (!message_is_whole(reader) || bytes.size == 0 || (stream != 1 && stream != 2)) {
        return TAKEN_WRONG;
    }
    keep_output(client, (int)stream, bytes);
    if (!client->streams) {
        return TAKEN_NOTHING;
    }
    *out_event = (eryx_event){.kind = ERYX_EVENT_OUTPUT};
    out_event->as.output.stream = (int)stream;
    out_event->as.output.bytes = bytes;
    return TAKEN_EVENT;
}

static open_call *find_call(worker_client *client, uint32_t id)
{
    for (size_t i = 0; i < client->call_count; i++) {
        if (client->calls[i].id == id) {
            return &client->calls[i];
        }
    }
    return NULL;
}

static bool add_call(worker_client *client, uint32_t id, uint64_t memory_bytes)
{
    if (client->call_count == client->call_capacity) {
        const size_t capacity = client->call_capacity == 0 ? 16 : 2 * client->call_capacity;
        open_call *grown = capacity <= MOST_CALLS
                               ? realloc(client->calls, capacity * sizeof *client->calls)
                               : NULL;
        if (grown == NULL) {
            return false;
        }
        client->calls = grown;
        client->call_capacity = capacity;
    }
    client->calls[client->call_count++] = (open_call){.id = id, .memory_bytes = memory_bytes};
    client->calls_bytes += memory_bytes;
    return true;
}

static void remove_call(worker_client *client, open_call *call)
{
    client->calls_bytes -= call->memory_bytes;
    *call = client->calls[--client->call_count];
}

/* The place of a question that is open; the number of them if it is not. */
static size_t find_question(const worker_client *client, uint32_t id)
{
    size_t place = 0;
    while (place < client->question_count && client->questions[place] != id) {
        place++;
    }
    return place;
}

/* A call is measured here once more: what it takes to parse its arguments is the parent's. */
static taken take_call(worker_client *client, message_reader *reader, eryx_event *out_event)
{
    const eryx_limits *limits = &client->limits;
    const uint32_t id = message_get_u32(reader);
    const size_t most = limits->max_callback_bytes < MESSAGE_MAX_BYTES
                            ? (size_t)limits->max_callback_bytes
                            : MESSAGE_MAX_BYTES;
    const eryx_bytes name = message_get_bytes(reader, most);
    const eryx_bytes arguments = message_get_bytes(reader, most);
    if (!message_is_whole(reader) || name.data == NULL || arguments.data == NULL || id == 0 ||
        find_call(client, id) != NULL || find_question(client, id) < client->question_count ||
        client->calls_made >= limits->max_callback_invocations) {
        return TAKEN_WRONG;
    }
    const eryx_json_cost cost = eryx_json_measure(arguments.data, arguments.size);
    const uint64_t open = client->calls_bytes;
    if (cost.depth > ERYX_JSON_DEPTH_MAX || cost.digits > ERYX_JSON_DIGITS_MAX ||
        cost.memory_bytes > limits->max_pending_callback_bytes ||
        open > limits->max_pending_callback_bytes - cost.memory_bytes ||
        !add_call(client, id, cost.memory_bytes)) {
        return TAKEN_WRONG;
    }
    client->calls_made++;
    client->holds_guest = true;
    *out_event = (eryx_event){.kind = ERYX_EVENT_CALLBACK};
    out_event->as.callback.id = id;
    out_event->as.callback.name = name;
    out_event->as.callback.arguments = arguments;
    out_event->as.callback.memory_bytes = cost.memory_bytes;
    return TAKEN_EVENT;
}

static taken take_expired(worker_client *client, message_reader *reader, eryx_event *out_event)
{
    const uint32_t id = message_get_u32(reader);
    if (!message_is_whole(reader)) {
        return TAKEN_WRONG;
    }
    open_call *call = find_call(client, id);
    const size_t question = find_question(client, id);
    if (call == NULL && question == client->question_count) {
        return TAKEN_NOTHING; /* it was answered meanwhile */
    }
    if (call != NULL) {
        remove_call(client, call);
    } else {
        client->questions[question] = client->questions[--client->question_count];
    }
    *out_event = (eryx_event){.kind = ERYX_EVENT_CALLBACK_EXPIRED};
    out_event->as.callback.id = id;
    return TAKEN_EVENT;
}

/* Whether a path is one that a guest's walk can lead to: plain names, or nothing for the top. */
static bool is_plain_path(const char *path)
{
    for (const char *name = path; *path != '\0';) {
        const size_t length = strcspn(name, "/");
        if (!vfs_name_is_plain(name, length)) {
            return false;
        }
        if (name[length] == '\0') {
            break;
        }
        name += length + 1;
    }
    return true;
}

static bool add_question(worker_client *client, uint32_t id)
{
    if (client->question_count == client->question_capacity) {
        const size_t capacity = client->question_capacity == 0 ? 8 : 2 * client->question_capacity;
        uint32_t *grown = capacity <= MOST_QUESTIONS
                              ? realloc(client->questions, capacity * sizeof *client->questions)
                              : NULL;
        if (grown == NULL) {
            return false;
        }
        client->questions = grown;
        client->question_capacity = capacity;
    }
    client->questions[client->question_count++] = id;
    return true;
}

/* A question about files of a provider: of one that the sandbox has, and what it may be asked. */
static taken take_files(worker_client *client, message_reader *reader, eryx_event *out_event)
{
    const uint32_t id = message_get_u32(reader);
    const uint32_t provider = message_get_u32(reader);
    const uint32_t operation = message_get_u32(reader);
    const char *path = message_get_text(reader, VFS_PATH_MAX);
    const char *new_path = message_get_text(reader, VFS_PATH_MAX);
    const eryx_bytes data = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    if (!message_is_whole(reader) || path == NULL || !is_plain_path(path) ||
        !served_allows(client->served, provider, operation) ||
        (operation == ERYX_FILES_RENAME) != (new_path != NULL) ||
        (new_path != NULL && !is_plain_path(new_path)) ||
        data.size > client->limits.max_vfs_bytes || find_call(client, id) != NULL ||
        find_question(client, id) < client->question_count || !add_question(client, id)) {
        return TAKEN_WRONG;
    }
    client->holds_guest = true;
    *out_event = (eryx_event){.kind = ERYX_EVENT_FILES};
    out_event->as.files.id = id;
    out_event->as.files.provider = provider;
    out_event->as.files.operation = (eryx_files_operation)operation;
    out_event->as.files.path = path;
    out_event->as.files.new_path = new_path;
    out_event->as.files.data = data;
    return TAKEN_EVENT;
}

static taken take_trace(message_reader *reader, eryx_event *out_event)
{
    const eryx_bytes json = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    if (!message_is_whole(reader) || json.data == NULL) {
        return TAKEN_WRONG;
    }
    const eryx_json_cost cost = eryx_json_measure(json.data, json.size);
    if (cost.depth > ERYX_JSON_DEPTH_MAX || cost.digits > ERYX_JSON_DIGITS_MAX) {
        return TAKEN_WRONG;
    }
    *out_event = (eryx_event){.kind = ERYX_EVENT_TRACE};
    out_event->as.trace.json = json;
    return TAKEN_EVENT;
}

static taken take_wish_for_input(worker_client *client, message_reader *reader)
{
    const uint32_t size = message_get_u32(reader);
    if (!message_is_whole(reader) || client->input.fd < 0 || size == 0 ||
        size > PROTOCOL_INPUT_MAX || client->input_asked != 0) {
        return TAKEN_WRONG;
    }
    client->input_asked = size;
    return TAKEN_NOTHING;
}

/* The result refers to its message, so that is kept. */
static taken take_result(worker_client *client, const message *from, eryx_event *out_event)
{
    uint8_t *copy = malloc(from->header.size > 0 ? from->header.size : 1);
    if (copy == NULL) {
        return TAKEN_WRONG;
    }
    memcpy(copy, from->payload, from->header.size);
    const message kept = {.header = from->header, .payload = copy};
    message_reader reader = message_read(&kept);
    protocol_result left;
    if (!protocol_get_result(&reader, &client->limits, client->max_display_bytes, &left)) {
        free(copy);
        return TAKEN_WRONG;
    }
    protocol_result_free(&client->left);
    client->left = left;
    client->is_broken = left.is_broken;
    free(client->result_bytes);
    client->result_bytes = copy;
    client->has_result = true;
    end_run(client);
    *out_event = (eryx_event){.kind = ERYX_EVENT_DONE};
    return TAKEN_EVENT;
}

/* The run did not begin. */
static taken take_refusal(worker_client *client, message_reader *reader)
{
    const uint32_t status = message_get_u32(reader);
    const char *text = message_get_text(reader, PROTOCOL_TEXT_MAX);
    if (!message_is_whole(reader) || status == ERYX_OK || status > ERYX_WRONG_BUILD) {
        return TAKEN_WRONG;
    }
    client->refused = (eryx_status)status;
    status_fail(client->refused, &client->refusal, "%s", text == NULL ? "" : text);
    end_run(client);
    return TAKEN_NOTHING;
}

static taken take_message(worker_client *client, const message *came, eryx_event *out_event)
{
    message_reader reader = message_read(came);
    worker_answer ignored;
    if (came->header.kind == WORKER_ANSWER) {
        return worker_client_take_answer(client, came, &ignored) ? TAKEN_NOTHING : TAKEN_WRONG;
    }
    if (came->header.kind < WORKER_ANSWER || came->header.kind >= WORKER_KIND_COUNT) {
        return TAKEN_WRONG;
    }
    if (came->header.number != client->run) {
        return TAKEN_NOTHING; /* of a run that was given up */
    }
    switch ((worker_kind)came->header.kind) {
    case WORKER_OUTPUT:
        return take_output(client, &reader, out_event);
    case WORKER_CALL:
        return take_call(client, &reader, out_event);
    case WORKER_EXPIRED:
        return take_expired(client, &reader, out_event);
    case WORKER_CONNECT:
        return message_is_whole(&reader) && worker_client_take_connect(client, out_event)
                   ? TAKEN_EVENT
                   : TAKEN_WRONG;
    case WORKER_FILES:
        return take_files(client, &reader, out_event);
    case WORKER_TRACE:
        return take_trace(&reader, out_event);
    case WORKER_WANTS_INPUT:
        return take_wish_for_input(client, &reader);
    case WORKER_DONE:
        return take_result(client, came, out_event);
    case WORKER_REFUSED:
        return take_refusal(client, &reader);
    default:
        return TAKEN_WRONG;
    }
}

/* Sends standard input, if it was asked for and has come. */
static void feed_input(worker_client *client)
{
    if (client->input_asked == 0) {
        return;
    }
    const standard_input_state state = standard_input_fill(&client->input, client->input_asked);
    if (state == STANDARD_INPUT_NOT_YET) {
        return;
    }
    eryx_bytes bytes = {.data = NULL, .size = 0};
    if (state == STANDARD_INPUT_READY) {
        bytes = (eryx_bytes){client->input.bytes + client->input.position,
                             client->input.size - client->input.position};
        client->input.position = client->input.size;
    }
    client->input_asked = 0;
    message_put_bytes(worker_client_begin_message(client, WORKER_INPUT, client->run), bytes);
    (void)worker_client_end_message(client, -1, NULL);
}

static void make_wait(worker_client *client, eryx_event *out_event)
{
    *out_event = (eryx_event){.kind = ERYX_EVENT_WAIT};
    out_event->as.wait.wake_ns = channel_has_message(&client->channel) ? 0 : client->end_ns;
    out_event->as.wait.callbacks = (uint32_t)client->call_count;
    out_event->as.wait.fd = client->channel.fd;
    if (client->input_asked > 0 && !standard_input_is_ready(&client->input)) {
        out_event->as.wait.input = true;
        out_event->as.wait.fd = standard_input_before_wait(&client->input, client->channel.fd,
                                                           &out_event->as.wait.wake_ns);
    }
}

/* Sends the answers of the caller, and lets a guest go on that has made a call. */
static void go_on(worker_client *client)
{
    if (client->holds_guest) {
        client->holds_guest = false;
        (void)worker_client_begin_message(client, WORKER_GO, client->run);
        (void)worker_client_end_message(client, -1, NULL);
    } else {
        worker_client_flush(client);
    }
}

eryx_status worker_client_step(worker_client *client, eryx_event *out_event, eryx_error *out_error)
{
    if (client->fork_generation != forks_generation()) {
        return status_fail(ERYX_FORKED, out_error, "%s", eryx_status_text(ERYX_FORKED));
    }
    if (!client->is_running) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "no run is going on");
    }
    if (client->input.fd >= 0) {
        standard_input_after_wait(&client->input);
    }
    go_on(client);
    if ((client->served != NULL && atomic_load(&client->served->is_broken)) ||
        (client->network != NULL && atomic_load(&client->network->is_broken))) {
        worker_client_give_up_after(client, CHANNEL_BROKEN);
    }
    if (clock_now_ns() >= client->end_ns) {
        worker_client_give_up(client, "the worker process went on long after the run's deadline");
    }
    for (int round = 0; client->is_alive && round < MOST_ROUNDS; round++) {
        message came;
        const channel_state state = channel_receive(&client->channel, &came);
        if (state == CHANNEL_AGAIN) {
            feed_input(client);
            break;
        }
        if (state != CHANNEL_OK) {
            worker_client_give_up_after(client, state);
            break;
        }
        switch (take_message(client, &came, out_event)) {
        case TAKEN_EVENT:
            return ERYX_OK;
        case TAKEN_WRONG:
            worker_client_give_up_after(client, CHANNEL_BROKEN);
            break;
        case TAKEN_NOTHING:
            if (!client->is_running) {
                return status_fail(client->refused, out_error, "%s", client->refusal.message);
            }
        }
    }
    if (client->is_alive) {
        make_wait(client, out_event);
        return ERYX_OK;
    }
    make_crash_result(client);
    *out_event = (eryx_event){.kind = ERYX_EVENT_DONE};
    return ERYX_OK;
}

void worker_client_wait(const eryx_event *event, uint64_t wake_ns)
{
    const uint64_t until_ns = event->as.wait.wake_ns < wake_ns ? event->as.wait.wake_ns : wake_ns;
    const uint64_t now_ns = clock_now_ns();
    if (until_ns > now_ns) {
        const uint64_t wait_ns = until_ns - now_ns;
        const struct timespec time = {.tv_sec = (time_t)(wait_ns / 1000000000),
                                      .tv_nsec = (long)(wait_ns % 1000000000)};
        struct pollfd look = {.fd = event->as.wait.fd, .events = POLLIN};
        (void)ppoll(&look, 1, &time, NULL);
    }
}

/* ---- Answers of the caller --------------------------------------------------------------------
 */

/* Completes the answer to a call. */
static eryx_status finish_call(worker_client *client, open_call *call)
{
    const eryx_status status = worker_client_leave_message(client);
    if (status == ERYX_OK) {
        remove_call(client, call);
    }
    return status;
}

eryx_status worker_client_return(worker_client *client, uint32_t id, const char *json, size_t size)
{
    open_call *call = client->is_running ? find_call(client, id) : NULL;
    if (call == NULL) {
        return ERYX_INVALID_ARGUMENT;
    }
    if (size > client->limits.max_callback_bytes) {
        return ERYX_RESOURCE_LIMIT;
    }
    message_writer *writer = worker_client_begin_message(client, WORKER_RETURN, client->run);
    message_put_u32(writer, id);
    message_put_bytes(writer, (eryx_bytes){(const uint8_t *)json, size});
    return finish_call(client, call);
}

eryx_status worker_client_raise(worker_client *client, uint32_t id, const char *type,
                                const char *text)
{
    open_call *call = client->is_running ? find_call(client, id) : NULL;
    if (call == NULL) {
        return ERYX_INVALID_ARGUMENT;
    }
    message_writer *writer = worker_client_begin_message(client, WORKER_RAISE, client->run);
    message_put_u32(writer, id);
    message_put_text(writer, type);
    message_put_text(writer, text);
    return finish_call(client, call);
}

eryx_status worker_client_answer_files(worker_client *client, uint32_t id,
                                       const eryx_files_answer *answer)
{
    const size_t place = client->is_running ? find_question(client, id) : client->question_count;
    if (place == client->question_count) {
        return ERYX_INVALID_ARGUMENT;
    }
    protocol_put_files(worker_client_begin_message(client, WORKER_TOLD, client->run), id, answer);
    eryx_status status = worker_client_leave_message(client);
    if (status == ERYX_OUT_OF_MEMORY) {
        const eryx_files_answer none = {.error_number = EFBIG};
        protocol_put_files(worker_client_begin_message(client, WORKER_TOLD, client->run), id,
                           &none);
        status = worker_client_leave_message(client);
    }
    if (status == ERYX_OK) {
        client->questions[place] = client->questions[--client->question_count];
    }
    return status;
}

const eryx_result *worker_client_result(const worker_client *client)
{
    return client->has_result ? &client->left.result : NULL;
}

const protocol_result *worker_client_left(const worker_client *client)
{
    return client->has_result ? &client->left : NULL;
}
