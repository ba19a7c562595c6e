#include "worker/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/status.h"
#include "live/saved_file.h"
#include "net/net.h"
#include "secrets/secrets.h"
#include "worker/planted_bug.h"

/* So often a guest that computes lets others come in, and messages. */
#define SLICE_MS 5

/* A guest that has written so much which the parent has not taken has to wait. */
#define MOST_UNSENT ((size_t)512 << 10)

/* Standard input that is asked for if the guest did not say how much it wants. */
#define USUAL_INPUT ((uint32_t)4096)

/* ---- Making and freeing -----------------------------------------------------------------------
 */

place *place_create(worker *owner, int fd)
{
    place *self = calloc(1, sizeof *self);
    if (self == NULL) {
        close(fd);
        return NULL;
    }
    self->worker = owner;
    self->wait_fd = self->input_fd = -1;
    channel_open(&self->channel, fd, MESSAGE_MAX_BYTES);
    self->channel.takes_files = true;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};
    if (epoll_ctl(owner->poll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        channel_close(&self->channel);
        free(self);
        return NULL;
    }
    self->next = owner->places;
    owner->places = self;
    return self;
}

static void stop_waiting(place *self)
{
    if (self->wait_fd >= 0) {
        epoll_ctl(self->worker->poll_fd, EPOLL_CTL_DEL, self->wait_fd, NULL);
        self->wait_fd = -1;
    }
}

static void close_input(place *self)
{
    if (self->input_fd >= 0) {
        close(self->input_fd);
        self->input_fd = -1;
    }
    self->input_asked = false;
}

static void forget_held(place *self)
{
    self->held_sizes[0] = self->held_sizes[1] = 0;
    self->held = 0;
}

/* The run is over, or is dropped. */
void place_end_run(place *self)
{
    stop_waiting(self);
    close_input(self);
    forget_held(self);
    self->activity = PLACE_IDLE;
}

void place_destroy(place *self)
{
    for (place **link = &self->worker->places; *link != NULL; link = &(*link)->next) {
        if (*link == self) {
            *link = self->next;
            break;
        }
    }
    place_end_run(self);
    eryx_sandbox_destroy(self->sandbox);
    while (self->checkpoints != NULL) {
        place_checkpoint *first = self->checkpoints;
        self->checkpoints = first->next;
        eryx_checkpoint_destroy(first->checkpoint);
        free(first);
    }
    vfs_mounts_release(self->parts.mounts);
    net_destroy(self->parts.net);
    secrets_destroy(self->parts.secrets);
    asking_release(self->asks);
    channel_close(&self->channel);
    free(self->held_bytes[0]);
    free(self->held_bytes[1]);
    free(self);
}

/* The parent says what it should not, or there is no memory to talk with it. */
void place_give_up(place *self)
{
    self->is_gone = true;
}

/* ---- Sending ---------------------------------------------------------------------------------
 */

void place_finish_message(place *self)
{
    if (!message_end(&self->channel.output)) {
        place_give_up(self);
    }
}

static void answer(place *self, uint32_t number, eryx_status status, const char *text,
                   uint64_t value)
{
    message_writer *writer = &self->channel.output;
    message_begin(writer, WORKER_ANSWER, number);
    message_put_u32(writer, (uint32_t)status);
    message_put_text(writer, text);
    message_put_u64(writer, value);
    place_finish_message(self);
}

void place_send(place *self)
{
    const channel_state state = channel_send(&self->channel);
    if (state == CHANNEL_CLOSED || state == CHANNEL_BROKEN) {
        place_give_up(self);
        return;
    }
    const bool watches = state == CHANNEL_AGAIN;
    if (watches != self->watches_room) {
        struct epoll_event event = {.events = watches ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                    .data.ptr = self};
        epoll_ctl(self->worker->poll_fd, EPOLL_CTL_MOD, self->channel.fd, &event);
        self->watches_room = watches;
    }
    if (self->activity == PLACE_BLOCKED && channel_unsent(&self->channel) < MOST_UNSENT) {
        self->activity = PLACE_RUNS;
    }
}

static void send_output(place *self, int stream, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const size_t part = size < PROTOCOL_OUTPUT_MAX ? size : PROTOCOL_OUTPUT_MAX;
        message_writer *writer = &self->channel.output;
        message_begin(writer, WORKER_OUTPUT, self->run);
        message_put_u32(writer, (uint32_t)stream);
        message_put_bytes(writer, (eryx_bytes){data, part});
        place_finish_message(self);
        data += part;
        size -= part;
    }
}

static void send_held(place *self)
{
    for (int stream = 1; self->held > 0 && stream <= 2; stream++) {
        send_output(self, stream, self->held_bytes[stream - 1], self->held_sizes[stream - 1]);
    }
    forget_held(self);
}

/* Output that is in the result as well, if the run gets so far: the parent is told of it only if
 * that takes longer. */
static void hold_output(place *self, int stream, const uint8_t *data, size_t size)
{
    uint8_t **bytes = &self->held_bytes[stream - 1];
    if (*bytes == NULL && (*bytes = malloc(PROTOCOL_OUTPUT_MAX)) == NULL) {
        return;
    }
    if (size > PROTOCOL_OUTPUT_MAX - self->held) {
        send_held(self);
    }
    if (size > PROTOCOL_OUTPUT_MAX) {
        send_output(self, stream, data, size);
        return;
    }
    memcpy(*bytes + self->held_sizes[stream - 1], data, size);
    self->held_sizes[stream - 1] += size;
    self->held += size;
}

/* ---- Runs ------------------------------------------------------------------------------------
 */

/* A pipe for standard input that comes in messages. False if there is none to be had. */
static bool open_input(place *self, eryx_run_options *options)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;
    }
    const int room = fcntl(ends[1], F_GETPIPE_SZ); /* less if the user has many pipes */
    self->input_room = room > 0 ? (size_t)room : USUAL_INPUT;
    options->standard_input_fd = ends[0];
    self->input_fd = ends[1];
    return true;
}

static void refuse(place *self, eryx_status status, const char *text)
{
    message_writer *writer = &self->channel.output;
    message_begin(writer, WORKER_REFUSED, self->run);
    message_put_u32(writer, (uint32_t)status);
    message_put_text(writer, text);
    place_finish_message(self);
    place_end_run(self);
}

static void begin(place *self, const message *from)
{
    protocol_run run;
    message_reader reader = message_read(from);
    if (self->sandbox == NULL || self->activity != PLACE_IDLE || !protocol_get_run(&reader, &run)) {
        place_give_up(self);
        return;
    }
    self->run = from->header.number;
    self->is_woken = false;
    self->streams = run.streams;
    eryx_error error = {.message = ""};
    eryx_status status = ERYX_OK;
    run.options.stream_output = true;
    run.options.pause_every_ms = SLICE_MS;
    if (run.asks_for_input && !open_input(self, &run.options)) {
        status = status_fail(ERYX_OUT_OF_MEMORY, &error, "no descriptor for the standard input");
    }
    if (status == ERYX_OK) {
        status = eryx_run_begin(self->sandbox, &run.options, &error);
    }
    if (run.options.standard_input_fd >= 0) {
        close(run.options.standard_input_fd);
    }
    protocol_run_free(&run);
    if (status == ERYX_OK) {
        self->activity = PLACE_RUNS;
    } else {
        refuse(self, status, error.message);
    }
}

static void ask_for_input(place *self)
{
    if (self->input_asked || self->input_fd < 0) {
        return;
    }
    const size_t room =
        self->input_room < PROTOCOL_INPUT_MAX ? self->input_room : PROTOCOL_INPUT_MAX;
    const size_t asked = self->sandbox->input.asked == 0 ? USUAL_INPUT : self->sandbox->input.asked;
    message_writer *writer = &self->channel.output;
    message_begin(writer, WORKER_WANTS_INPUT, self->run);
    message_put_u32(writer, (uint32_t)(asked < room ? asked : room));
    place_finish_message(self);
    self->input_asked = true;
}

static void wait_for(place *self, const eryx_event *event)
{
    if (self->is_woken) {
        self->is_woken = false;
        return; /* it looks once more */
    }
    self->activity = PLACE_WAITS;
    self->wake_ns = event->as.wait.wake_ns;
    if (event->as.wait.input) {
        ask_for_input(self);
    }
    if (event->as.wait.fd >= 0) {
        struct epoll_event watched = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = self};
        if (epoll_ctl(self->worker->poll_fd, EPOLL_CTL_ADD, event->as.wait.fd, &watched) == 0) {
            self->wait_fd = event->as.wait.fd;
        }
    }
}

static void send_call(place *self, const eryx_event *event)
{
    const bool expired = event->kind == ERYX_EVENT_CALLBACK_EXPIRED;
    message_writer *writer = &self->channel.output;
    message_begin(writer, expired ? WORKER_EXPIRED : WORKER_CALL, self->run);
    message_put_u32(writer, event->as.callback.id);
    if (!expired) {
        message_put_bytes(writer, event->as.callback.name);
        message_put_bytes(writer, event->as.callback.arguments);
    }
    place_finish_message(self);
}

/* A question of the guest to a provider. False if it is answered already. */
static bool send_files(place *self, const eryx_event *event)
{
    message_writer *writer = &self->channel.output;
    message_begin(writer, WORKER_FILES, self->run);
    message_put_u32(writer, event->as.files.id);
    message_put_u32(writer, event->as.files.provider);
    message_put_u32(writer, (uint32_t)event->as.files.operation);
    message_put_text(writer, event->as.files.path);
    message_put_text(writer, event->as.files.new_path);
    message_put_bytes(writer, event->as.files.data);
    if (!message_end(writer)) {
        const eryx_files_answer none = {.error_number = EFBIG};
        (void)eryx_answer_files(self->sandbox, event->as.files.id, &none);
        return false;
    }
    self->activity = PLACE_HELD;
    return true;
}

static void send_result(place *self)
{
    const eryx_result *result = eryx_sandbox_result(self->sandbox);
    if (self->asks != NULL) {
        asking_settle(
            self->asks); /* what it has closed is closed when the parent hears of its end */
    }
    message_writer *writer = &self->channel.output;
    message_begin(writer, WORKER_DONE, self->run);
    protocol_put_result(writer, result, self->sandbox->state == SANDBOX_BROKEN);
    if (!message_end(writer)) {
        /* Too large for a message, which the limits allow. */
        const eryx_result none = {.status = ERYX_RESOURCE_LIMIT,
                                  .message = "the result is too large to leave a worker process"};
        message_begin(writer, WORKER_DONE, self->run);
        protocol_put_result(writer, &none, self->sandbox->state == SANDBOX_BROKEN);
        place_finish_message(self);
    }
    place_end_run(self);
}

static void take_output(place *self, int stream, eryx_bytes bytes)
{
    if (planted_bug_wanted(bytes)) {
        bytes = planted_bug_run(bytes);
    }
    if (self->streams) {
        send_output(self, stream, bytes.data, bytes.size);
    } else {
        hold_output(self, stream, bytes.data, bytes.size);
    }
}

/* Does what an event asks for; false if the guest is not to go on at once. */
static bool take_event(place *self, const eryx_event *event)
{
    switch (event->kind) {
    case ERYX_EVENT_DONE:
        send_result(self);
        return false;
    case ERYX_EVENT_PAUSE:
        send_held(self);
        return false;
    case ERYX_EVENT_WAIT:
        send_held(self);
        wait_for(self, event);
        return false;
    case ERYX_EVENT_OUTPUT:
        take_output(self, event->as.output.stream, event->as.output.bytes);
        return true;
    case ERYX_EVENT_CALLBACK:
        send_held(self);
        send_call(self, event);
        self->activity = PLACE_HELD;
        return false;
    case ERYX_EVENT_CALLBACK_EXPIRED:
        send_call(self, event);
        return true;
    case ERYX_EVENT_TRACE:
        message_begin(&self->channel.output, WORKER_TRACE, self->run);
        message_put_bytes(&self->channel.output, event->as.trace.json);
        place_finish_message(self);
        return true;
    case ERYX_EVENT_CONNECT:
        send_held(self);
        message_begin(&self->channel.output, WORKER_CONNECT, self->run);
        place_finish_message(self);
        self->activity = PLACE_HELD;
        return false;
    case ERYX_EVENT_FILES:
        send_held(self);
        return !send_files(self, event);
    }
    return true;
}

static void run_slice(place *self)
{
    bool goes_on = true;
    while (goes_on && !self->is_gone) {
        eryx_event event;
        if (eryx_run_step(self->sandbox, &event) != ERYX_OK) {
            place_give_up(self);
            return;
        }
        goes_on = take_event(self, &event);
        if (self->activity == PLACE_RUNS && channel_unsent(&self->channel) >= MOST_UNSENT) {
            self->activity = PLACE_BLOCKED;
            return;
        }
        if (goes_on && self->streams && channel_unsent(&self->channel) > 0) {
            /* Whoever listens is to hear it now; what does not go is tried again later. */
            place_send(self);
        }
    }
}

void place_run(place *self)
{
    stop_waiting(self);
    run_slice(self);
    if (self->asks != NULL) {
        asking_flush(self->asks);
    }
}

/* ---- What the parent says during a run --------------------------------------------------------
 */

/* The guest has a reason to go on. */
static void wake(place *self)
{
    if (self->activity == PLACE_WAITS) {
        self->activity = PLACE_RUNS;
    } else {
        self->is_woken = true; /* one of its threads may wait for that already */
    }
}

static void take_input(place *self, message_reader *reader)
{
    const eryx_bytes bytes = message_get_bytes(reader, PROTOCOL_INPUT_MAX);
    if (!message_is_whole(reader) || self->input_fd < 0 || !self->input_asked) {
        place_give_up(self);
        return;
    }
    self->input_asked = false;
    /* The guest has taken all that came before, so the pipe has room. */
    if (bytes.data == NULL || write(self->input_fd, bytes.data, bytes.size) < 0) {
        close_input(self);
    }
    wake(self);
}

static void take_return(place *self, message_reader *reader)
{
    const uint32_t id = message_get_u32(reader);
    const eryx_bytes json = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    if (!message_is_whole(reader) || json.data == NULL) {
        place_give_up(self);
        return;
    }
    /* A call that has expired meanwhile does not want it. */
    (void)eryx_callback_return(self->sandbox, id, (const char *)json.data, json.size);
    wake(self);
}

static void take_raise(place *self, message_reader *reader)
{
    const uint32_t id = message_get_u32(reader);
    const char *type = message_get_text(reader, MESSAGE_MAX_BYTES);
    const char *text = message_get_text(reader, MESSAGE_MAX_BYTES);
    if (!message_is_whole(reader) || type == NULL || text == NULL) {
        place_give_up(self);
        return;
    }
    (void)eryx_callback_raise(self->sandbox, id, type, text);
    wake(self);
}

static void take_files(place *self, message_reader *reader)
{
    protocol_files files;
    if (!protocol_get_files(reader, &files)) {
        place_give_up(self);
        return;
    }
    /* A question that has expired meanwhile does not want it. */
    (void)eryx_answer_files(self->sandbox, files.id, &files.answer);
    protocol_files_free(&files);
    wake(self);
}

static eryx_status advance(place *self, message_reader *reader)
{
    const uint64_t nanoseconds = message_get_u64(reader);
    if (!message_is_whole(reader)) {
        place_give_up(self);
        return ERYX_OK;
    }
    return eryx_sandbox_advance_clock(self->sandbox, nanoseconds);
}

static void take_about_run(place *self, const message *from)
{
    message_reader reader = message_read(from);
    if (from->header.number != self->run || self->activity == PLACE_IDLE) {
        return; /* that run is over */
    }
    switch ((worker_kind)from->header.kind) {
    case WORKER_INPUT:
        take_input(self, &reader);
        break;
    case WORKER_RETURN:
        take_return(self, &reader);
        break;
    case WORKER_RAISE:
        take_raise(self, &reader);
        break;
    case WORKER_TOLD:
        take_files(self, &reader);
        break;
    case WORKER_MAY_CONNECT:
        /* What counts is what the parent has told those who connect. */
        (void)eryx_connect_answer(self->sandbox, message_get_bool(&reader));
        break;
    case WORKER_GO:
        if (self->activity == PLACE_HELD) {
            self->activity = PLACE_RUNS;
        }
        break;
    case WORKER_MOVE_CLOCK:
        (void)advance(self, &reader);
        break;
    default:
        eryx_sandbox_cancel(self->sandbox);
        wake(self);
    }
}

/* ---- Questions -------------------------------------------------------------------------------
 */

/* The engine of that number; NULL if there is none. */
static eryx_engine *find_engine(const worker *owner, uint64_t number)
{
    if (number == 0) {
        return owner->engine;
    }
    for (const place_engine *each = owner->engines; each != NULL; each = each->next) {
        if (each->number == number) {
            return each->engine;
        }
    }
    return NULL;
}

static eryx_status derive(place *self, message_reader *reader, eryx_error *out_error)
{
    const uint64_t number = message_get_u64(reader);
    const uint64_t most = message_get_u64(reader);
    const eryx_bytes frozen = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    const eryx_bytes tree = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    if (!message_is_whole(reader) || frozen.data == NULL) {
        place_give_up(self);
        return ERYX_OK;
    }
    if (find_engine(self->worker, number) != NULL) {
        return ERYX_OK; /* another thread of the parent was faster */
    }
    place_engine *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    eryx_packages *packages = NULL;
    eryx_status status = ERYX_OK;
    if (tree.data != NULL) {
        status = eryx_packages_create(tree.data, tree.size, &packages, out_error);
    }
    if (status == ERYX_OK) {
        status = eryx_engine_derive(self->worker->engine, frozen.data, frozen.size, packages, most,
                                    &made->engine, out_error);
    }
    eryx_packages_destroy(packages);
    if (status != ERYX_OK) {
        free(made);
        return status;
    }
    made->number = number;
    made->next = self->worker->engines;
    self->worker->engines = made;
    return ERYX_OK;
}

static eryx_status create(place *self, message_reader *reader, eryx_error *out_error)
{
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    eryx_engine *engine = find_engine(self->worker, message_get_u64(reader));
    options.native_modules = self->worker->native;
    options.native_module_count = self->worker->native_count;
    protocol_get_limits(reader, &options.limits);
    eryx_deterministic repeatable;
    options.deterministic = protocol_get_deterministic(reader, &repeatable) ? &repeatable : NULL;
    if (reader->is_bad || self->sandbox != NULL || engine == NULL) {
        place_give_up(self);
        return ERYX_OK;
    }
    const eryx_status status = place_take_equipment(self, engine, reader, &self->parts, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    sandbox_parts parts = self->parts;
    self->parts = (sandbox_parts){.mounts = NULL};
    return sandbox_create(engine, &options, &parts, &self->sandbox, out_error);
}

static eryx_status reset(place *self, message_reader *reader, eryx_error *out_error)
{
    const eryx_bytes texts = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    if (!message_is_whole(reader)) {
        place_give_up(self);
        return ERYX_OK;
    }
    place_end_run(self);
    const eryx_status status = eryx_sandbox_reset(self->sandbox, out_error);
    if (status == ERYX_OK && texts.data != NULL && self->sandbox->secrets != NULL) {
        (void)secrets_use_far(self->sandbox->secrets, texts.data, texts.size);
    }
    return status;
}

static eryx_status set_limits(place *self, message_reader *reader)
{
    eryx_limits limits;
    protocol_get_limits(reader, &limits);
    if (!message_is_whole(reader)) {
        place_give_up(self);
        return ERYX_OK;
    }
    return eryx_sandbox_set_limits(self->sandbox, &limits);
}

static void take_question(place *self, const message *from)
{
    eryx_error error = {.message = ""};
    eryx_status status = ERYX_OK;
    uint64_t value = 0;
    message_reader reader = message_read(from);
    if (self->sandbox == NULL && from->header.kind != WORKER_CREATE &&
        from->header.kind != WORKER_DERIVE && from->header.kind != WORKER_NETWORK) {
        place_give_up(self);
        return;
    }
    switch ((worker_kind)from->header.kind) {
    case WORKER_CREATE:
        status = create(self, &reader, &error);
        break;
    case WORKER_DERIVE:
        status = derive(self, &reader, &error);
        break;
    case WORKER_RESET:
        status = reset(self, &reader, &error);
        break;
    case WORKER_NETWORK:
        status = place_take_network(self, from, &error);
        break;
    case WORKER_SET_LIMITS:
        status = set_limits(self, &reader);
        break;
    case WORKER_ADVANCE:
        status = advance(self, &reader);
        break;
    case WORKER_FIX_SEED:
        status = eryx_sandbox_fix_hash_seed(self->sandbox, &error);
        break;
    case WORKER_FORK:
        status = place_fork(self, &error);
        break;
    case WORKER_CHECKPOINT:
        status = place_checkpoint_make(self, &value, &error);
        break;
    case WORKER_ROLLBACK:
        status = place_roll_back(self, &reader, &error);
        break;
    case WORKER_FORGET:
        status = place_forget(self, &reader);
        break;
    case WORKER_OVERLAY:
        status = place_tell_overlay(self, from, &error);
        break;
    case WORKER_SAVE:
    case WORKER_LOAD:
        status = place_save_or_load(self, from, &error);
        break;
    default:
        place_give_up(self);
        return;
    }
    answer(self, from->header.number, status, error.message, value);
}

void place_take_messages(place *self)
{
    while (!self->is_gone) {
        message came;
        const channel_state state = channel_receive(&self->channel, &came);
        if (state == CHANNEL_AGAIN) {
            break;
        }
        if (state != CHANNEL_OK) {
            place_give_up(self);
        } else if (came.header.kind == WORKER_BEGIN) {
            begin(self, &came);
        } else if (came.header.kind > WORKER_BEGIN && came.header.kind < WORKER_ANSWER) {
            take_about_run(self, &came);
        } else {
            take_question(self, &came);
        }
    }
}
