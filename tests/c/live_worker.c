/* A worker and its parent, both of this program: what goes through the wall, and what does not. */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/server.h"

typedef struct running {
    pid_t pid;
    int control;
} running;

/* Starts a worker and waits until it is ready. */
static running start(void)
{
    int ends[2];
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    running made = {.control = ends[0]};
    made.pid = fork();
    if (made.pid == 0) {
        const worker_files files = {getenv("ERYX_IMAGE"), getenv("ERYX_STDLIB"), NULL, NULL};
        _exit(worker_serve(ends[1], &files, NULL, 0));
    }
    close(ends[1]);
    channel first;
    message came;
    channel_open(&first, dup(ends[0]), 4096);
    struct pollfd look = {.fd = ends[0], .events = POLLIN};
    ASSERT(poll(&look, 1, 60000) == 1);
    ASSERT(channel_receive(&first, &came) == CHANNEL_OK);
    message_reader reader = message_read(&came);
    ASSERT(message_get_text(&reader, 4096) == NULL);
    channel_close(&first);
    return made;
}

/* It ends by itself when nobody is there any more. */
static void finish(const running *worker)
{
    int status;
    shutdown(worker->control, SHUT_RDWR);
    close(worker->control);
    ASSERT(waitpid(worker->pid, &status, 0) == worker->pid);
    ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static worker_client *new_sandbox(const running *worker)
{
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    worker_client *client;
    eryx_error error = {.message = ""};
    if (worker_client_create(worker->control, NULL, NULL, &options, &client, &error) != ERYX_OK) {
        test_fail(__FILE__, __LINE__, "%s", error.message);
    }
    return client;
}

/* Runs to the end; calls are answered with 7. */
static const eryx_result *run(worker_client *client, const char *source, bool keeps_state)
{
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = source;
    options.source_size = strlen(source);
    options.keep_state = keeps_state;
    options.callbacks = "[{\"name\": \"seven\", \"description\": \"\", \"schema\": {}}]";
    ASSERT_EQ(worker_client_begin(client, &options, NULL), ERYX_OK);
    for (;;) {
        eryx_event event;
        ASSERT_EQ(worker_client_step(client, &event, NULL), ERYX_OK);
        if (event.kind == ERYX_EVENT_DONE) {
            return worker_client_result(client);
        }
        if (event.kind == ERYX_EVENT_WAIT) {
            worker_client_wait(&event, UINT64_MAX / 2);
        }
        if (event.kind == ERYX_EVENT_CALLBACK) {
            ASSERT_EQ(worker_client_return(client, event.as.callback.id, "7", 1), ERYX_OK);
        }
    }
}

static bool wrote(const eryx_result *result, const char *text)
{
    return result->status == ERYX_OK && result->standard_output.size == strlen(text) &&
           memcmp(result->standard_output.data, text, strlen(text)) == 0;
}

static void test_runs_calls_and_states(void)
{
    const running worker = start();
    worker_client *client = new_sandbox(&worker);
    ASSERT(wrote(run(client, "x = 1\nprint(await seven())", true), "7\n"));
    worker_client *fork;
    uint64_t checkpoint;
    ASSERT_EQ(worker_client_fork(client, &fork, NULL), ERYX_OK);
    ASSERT_EQ(worker_client_checkpoint(client, false, &checkpoint, NULL), ERYX_OK);
    ASSERT(wrote(run(client, "x += 1\nprint(x)", true), "2\n"));
    ASSERT(wrote(run(fork, "print(x)", true), "1\n"));
    ASSERT_EQ(worker_client_rollback(client, checkpoint, NULL), ERYX_OK);
    ASSERT(wrote(run(client, "print(x)", true), "1\n"));
    worker_client_forget(client, checkpoint);
    ASSERT_EQ(worker_client_rollback(client, checkpoint, NULL), ERYX_INVALID_ARGUMENT);
    ASSERT_EQ(worker_client_reset(client), ERYX_OK);
    ASSERT_EQ(run(client, "x", true)->status, ERYX_EXECUTION);
    worker_client_destroy(fork);
    worker_client_destroy(client);
    finish(&worker);
}

static void test_a_run_that_is_dropped_leaves_nothing(void)
{
    const running worker = start();
    worker_client *client = new_sandbox(&worker);
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = "import time\nwhile True: print('x' * 1000); time.sleep(0)";
    options.source_size = strlen(options.source);
    options.stream_output = true;
    for (int i = 0; i < 3; i++) {
        eryx_event event;
        ASSERT_EQ(worker_client_begin(client, &options, NULL), ERYX_OK);
        ASSERT_EQ(worker_client_step(client, &event, NULL), ERYX_OK);
        ASSERT_EQ(worker_client_reset(client), ERYX_OK);
    }
    ASSERT(wrote(run(client, "print(1)", false), "1\n"));
    worker_client_destroy(client);
    finish(&worker);
}

static void test_a_worker_that_is_killed(void)
{
    const running worker = start();
    worker_client *client = new_sandbox(&worker);
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = "print('so far')\nimport time\ntime.sleep(100)";
    options.source_size = strlen(options.source);
    options.stream_output = true;
    options.stream_lines = true;
    ASSERT_EQ(worker_client_begin(client, &options, NULL), ERYX_OK);
    eryx_event event;
    do {
        ASSERT_EQ(worker_client_step(client, &event, NULL), ERYX_OK);
        if (event.kind == ERYX_EVENT_WAIT) {
            worker_client_wait(&event, UINT64_MAX / 2);
        }
    } while (event.kind != ERYX_EVENT_OUTPUT);
    kill(worker.pid, SIGKILL);
    int status;
    ASSERT(waitpid(worker.pid, &status, 0) == worker.pid);
    do {
        ASSERT_EQ(worker_client_step(client, &event, NULL), ERYX_OK);
    } while (event.kind != ERYX_EVENT_DONE);
    const eryx_result *result = worker_client_result(client);
    ASSERT_EQ(result->status, ERYX_WORKER_CRASHED);
    ASSERT(result->standard_output.size == 7 &&
           memcmp(result->standard_output.data, "so far\n", 7) == 0);
    ASSERT_EQ(worker_client_begin(client, &options, NULL), ERYX_WORKER_CRASHED);
    worker_client_destroy(client);
    close(worker.control);
}

/* Bytes of nobody's making end the socket that they come over, and nothing else. */
static void test_what_is_malformed_ends_its_socket_alone(void)
{
    const running worker = start();
    worker_client *client = new_sandbox(&worker);
    uint64_t state = 1;
    for (int round = 0; round < 300; round++) {
        int ends[2];
        uint8_t bytes[512];
        size_t size = 0;
        ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        channel control = {.fd = worker.control, .file = -1};
        message_begin(&control.output, WORKER_OPEN, 0);
        ASSERT(message_end(&control.output));
        ASSERT(channel_send_with_file(&control, ends[1]) == CHANNEL_OK);
        message_writer_free(&control.output);
        close(ends[1]);
        message_writer writer = {0};
        if (round % 2 == 0) {
            eryx_limits limits;
            eryx_limits_init(&limits);
            message_begin(&writer, WORKER_CREATE, 1);
            message_put_u64(&writer, 0);
            protocol_put_limits(&writer, &limits);
            ASSERT(message_end(&writer));
        }
        while (size < sizeof bytes) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes[size++] = (uint8_t)(state >> 56);
        }
        message_begin(&writer, (uint32_t)(state >> 32) % (WORKER_KIND_COUNT + 1),
                      round % 2 == 0 ? 2 : 1);
        for (size_t i = 0; i < (state >> 40) % sizeof bytes; i++) {
            message_put_u8(&writer, bytes[i] % 5);
        }
        ASSERT(message_end(&writer));
        ASSERT(send(ends[0], writer.data, writer.end, MSG_NOSIGNAL) == (ssize_t)writer.end);
        message_writer_free(&writer);
        shutdown(ends[0], SHUT_WR);
        while (recv(ends[0], bytes, sizeof bytes, 0) > 0) {
        }
        close(ends[0]);
    }
    ASSERT(wrote(run(client, "print('still here')", false), "still here\n"));
    worker_client_destroy(client);
    finish(&worker);
}

TEST_MAIN(TEST_CASE(test_runs_calls_and_states),
          TEST_CASE(test_a_run_that_is_dropped_leaves_nothing),
          TEST_CASE(test_a_worker_that_is_killed),
          TEST_CASE(test_what_is_malformed_ends_its_socket_alone))
