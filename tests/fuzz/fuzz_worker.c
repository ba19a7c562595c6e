/*
 * A hostile worker: what it says is made up, mostly of messages that are nearly right. The parent's
 * side has to come to an end of every run and question, within the limits that it has set, and must
 * not read what is not there.
 */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/protocol.h"

enum { MOST_MESSAGES = 40, MOST_STEPS = 200, MOST_TEXT = 300 };

typedef struct hostile {
    int control; /* its end */
    fuzz_input input;
} hostile;

static eryx_bytes some_bytes(fuzz_input *input)
{
    static const char *const texts[] = {"",      "{}",       "[1, 2]", "{\"a\": [[[]]]}",
                                        "1e999", "\xff\xfe", "print"};
    const uint32_t choice = fuzz_below(input, 10);
    if (choice < sizeof texts / sizeof texts[0]) {
        return (eryx_bytes){(const uint8_t *)texts[choice], strlen(texts[choice])};
    }
    if (choice == 9 || input->left == 0) {
        return (eryx_bytes){.data = NULL, .size = 0};
    }
    size_t size = fuzz_below(input, MOST_TEXT);
    size = size < input->left ? size : input->left;
    const eryx_bytes bytes = {input->next, size};
    input->next += size;
    input->left -= size;
    return bytes;
}

static void put_text(message_writer *writer, fuzz_input *input)
{
    static const char *const texts[] = {NULL, "", "what happened", "a longer text, with a %s"};
    message_put_text(writer, texts[fuzz_below(input, 4)]);
}

static void put_result(message_writer *writer, fuzz_input *input)
{
    eryx_result result = {
        .status = (eryx_status)fuzz_below(input, 16),
        .message = "so it ended",
        .standard_output = some_bytes(input),
        .standard_error = some_bytes(input),
        .standard_output_dropped = fuzz_number(input, 8),
        .result_json = some_bytes(input),
        .exception_type = some_bytes(input),
        .traceback = some_bytes(input),
        .exit_code = (int32_t)fuzz_number(input, 4),
        .duration_ns = fuzz_number(input, 8),
        .threads_json = some_bytes(input),
        .value_json = some_bytes(input),
        .displays = some_bytes(input),
    };
    protocol_put_result(writer, &result, fuzz_below(input, 2) == 1);
    if (fuzz_below(input, 2) == 0) {
        return;
    }
    /* In place of no changes, some. */
    const uint32_t count = fuzz_below(input, 4);
    writer->end -= sizeof(uint32_t);
    message_put_u32(writer, fuzz_below(input, 8) == 0 ? (uint32_t)fuzz_number(input, 4) : count);
    for (uint32_t i = 0; i < count; i++) {
        put_text(writer, input);
        message_put_u32(writer, fuzz_below(input, 4));
        message_put_u32(writer, fuzz_below(input, 4));
        message_put_u64(writer, fuzz_number(input, 8));
        message_put_bytes(writer, some_bytes(input));
    }
}

static void put_payload(message_writer *writer, worker_kind kind, fuzz_input *input)
{
    switch (kind) {
    case WORKER_ANSWER:
        message_put_u32(writer, fuzz_below(input, 4) == 0 ? fuzz_below(input, 16) : 0);
        put_text(writer, input);
        message_put_u64(writer, fuzz_number(input, 8));
        break;
    case WORKER_REFUSED:
        message_put_u32(writer, fuzz_below(input, 16));
        put_text(writer, input);
        break;
    case WORKER_OUTPUT:
        message_put_u32(writer, fuzz_below(input, 4));
        message_put_bytes(writer, some_bytes(input));
        break;
    case WORKER_CALL:
        message_put_u32(writer, fuzz_below(input, 8));
        message_put_bytes(writer, some_bytes(input));
        message_put_bytes(writer, some_bytes(input));
        break;
    case WORKER_EXPIRED:
    case WORKER_WANTS_INPUT:
        message_put_u32(writer, fuzz_below(input, 8));
        break;
    case WORKER_TRACE:
        message_put_bytes(writer, some_bytes(input));
        break;
    case WORKER_DONE:
        put_result(writer, input);
        break;
    default:
        message_put_bytes(writer, some_bytes(input));
    }
}

/* One message, which may be cut, too long, or have a header that is not true. */
static void put_message(message_writer *writer, fuzz_input *input)
{
    const worker_kind kind = fuzz_below(input, 8) == 0
                                 ? (worker_kind)fuzz_below(input, WORKER_KIND_COUNT + 2)
                                 : (worker_kind)(WORKER_ANSWER + fuzz_below(input, 8));
    const size_t begin = writer->end;
    message_begin(writer, (uint32_t)kind, fuzz_below(input, 4));
    put_payload(writer, kind, input);
    if (fuzz_below(input, 10) == 0) {
        message_put_u8(writer, 7);
    }
    (void)message_end(writer);
    if (fuzz_below(input, 16) == 0 && writer->end > begin) {
        const uint32_t wrong = (uint32_t)fuzz_number(input, 4);
        memcpy(writer->data + begin, &wrong, sizeof wrong);
    }
    if (fuzz_below(input, 16) == 0 && writer->end > begin + 8) {
        writer->data[begin + 8 + fuzz_below(input, (uint32_t)(writer->end - begin - 8))] ^= 0x41;
    }
}

/* The socket of the sandbox, taken as a worker does. */
static int take_socket(int control)
{
    channel self;
    message came;
    channel_open(&self, dup(control), 0);
    self.takes_files = true;
    int fd = -1;
    while (channel_receive(&self, &came) == CHANNEL_AGAIN) {
        usleep(10);
    }
    fd = channel_take_file(&self);
    channel_close(&self);
    return fd;
}

static void *play(void *argument)
{
    hostile *self = argument;
    const int fd = take_socket(self->control);
    if (fd < 0) {
        return NULL;
    }
    message_writer writer = {0};
    message_begin(&writer, WORKER_ANSWER, 1);
    message_put_u32(&writer, ERYX_OK);
    message_put_text(&writer, "");
    message_put_u64(&writer, 0);
    (void)message_end(&writer);
    for (int i = 0; i < MOST_MESSAGES && self->input.left > 0; i++) {
        put_message(&writer, &self->input);
    }
    size_t sent = 0;
    while (sent < writer.end) {
        const ssize_t part = send(fd, writer.data + sent, writer.end - sent, MSG_NOSIGNAL);
        if (part < 0) {
            break;
        }
        sent += (size_t)part;
    }
    message_writer_free(&writer);
    shutdown(fd, SHUT_WR);
    /* What the parent says is read to the end, so that it never waits for room. */
    char ignored[4096];
    while (recv(fd, ignored, sizeof ignored, 0) > 0) {
    }
    close(fd);
    return NULL;
}

/* All that a caller may rely on after a run. */
static void check_result(const worker_client *client, const eryx_limits *limits)
{
    const eryx_result *result = worker_client_result(client);
    FUZZ_REQUIRE(result != NULL && result->message != NULL);
    FUZZ_REQUIRE(result->status <= ERYX_WORKER_CRASHED);
    FUZZ_REQUIRE(result->standard_output.size <= 2 * limits->max_output_bytes + ((size_t)1 << 20));
    if (result->threads_json.data != NULL) {
        const eryx_json_cost cost =
            eryx_json_measure(result->threads_json.data, result->threads_json.size);
        FUZZ_REQUIRE(cost.depth <= ERYX_JSON_DEPTH_MAX);
    }
}

/* Runs once; the number of calls is bounded by the limits. */
static void run(worker_client *client, const eryx_limits *limits, bool streams)
{
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = "x = 1";
    options.source_size = 5;
    options.stream_output = streams;
    if (worker_client_begin(client, &options, NULL) != ERYX_OK) {
        return;
    }
    uint64_t calls = 0;
    for (int step = 0; step < MOST_STEPS; step++) {
        eryx_event event;
        if (worker_client_step(client, &event, NULL) != ERYX_OK) {
            return; /* it did not begin */
        }
        if (event.kind == ERYX_EVENT_DONE) {
            check_result(client, limits);
            return;
        }
        if (event.kind == ERYX_EVENT_CALLBACK) {
            FUZZ_REQUIRE(++calls <= limits->max_callback_invocations);
            (void)worker_client_return(client, event.as.callback.id, "1", 1);
        }
        if (event.kind == ERYX_EVENT_WAIT) {
            worker_client_wait(&event, UINT64_MAX / 2);
        }
    }
    worker_client_cancel(client);
    (void)worker_client_reset(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return 0;
    }
    hostile other = {.control = ends[1], .input = {data, size}};
    const uint32_t way = fuzz_below(&other.input, 16);
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.max_output_bytes = 1000;
    options.limits.max_callback_invocations = 5;
    pthread_t thread;
    FUZZ_REQUIRE(pthread_create(&thread, NULL, play, &other) == 0);
    worker_client *client = NULL;
    if (worker_client_create(ends[0], NULL, NULL, &options, &client, NULL) == ERYX_OK) {
        run(client, &options.limits, (way & 1) != 0);
        worker_client *fork = NULL;
        uint64_t checkpoint = 0;
        if ((way & 2) != 0 && worker_client_fork(client, &fork, NULL) == ERYX_OK) {
            worker_client_destroy(fork);
        }
        if ((way & 4) != 0 &&
            worker_client_checkpoint(client, false, &checkpoint, NULL) == ERYX_OK) {
            (void)worker_client_rollback(client, checkpoint, NULL);
        }
        (void)worker_client_set_limits(client, &options.limits);
        run(client, &options.limits, (way & 8) != 0);
        worker_client_destroy(client);
    }
    close(ends[0]);
    pthread_join(thread, NULL);
    close(ends[1]);
    return 0;
}
