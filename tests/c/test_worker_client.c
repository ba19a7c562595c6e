/* A client of a worker that is not what it should be. */
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"
#include "worker/channel.h"
#include "worker/client.h"

/* A worker that answers the first question and then says the same again and again. */
typedef struct flood {
    int control;
    worker_kind kind;
} flood;

static int take_socket(int control)
{
    channel self;
    message came;
    channel_open(&self, dup(control), 0);
    self.takes_files = true;
    while (channel_receive(&self, &came) == CHANNEL_AGAIN) {
        usleep(10);
    }
    const int fd = channel_take_file(&self);
    channel_close(&self);
    return fd;
}

static void *play(void *argument)
{
    const flood *self = argument;
    const int fd = take_socket(self->control);
    message_writer writer = {0};
    message_begin(&writer, WORKER_ANSWER, 1);
    message_put_u32(&writer, ERYX_OK);
    message_put_text(&writer, "");
    message_put_u64(&writer, 0);
    ASSERT(message_end(&writer));
    ASSERT(send(fd, writer.data, writer.end, 0) == (ssize_t)writer.end);
    message_writer_free(&writer);
    message_begin(&writer, (uint32_t)self->kind, 1);
    message_put_u32(&writer, 1);
    message_put_bytes(&writer, (eryx_bytes){(const uint8_t *)"text", 4});
    ASSERT(message_end(&writer));
    /* Its end does not block. */
    while (send(fd, writer.data, writer.end, MSG_NOSIGNAL) > 0 || errno == EAGAIN) {
    }
    message_writer_free(&writer);
    close(fd);
    return NULL;
}

/* Steps against a flood until the run is over, or so many times; the kinds of events are counted.
 */
static void step_against(worker_kind kind, bool streams, int steps, int out_counts[8],
                         worker_client **out_client, pthread_t *out_thread, flood *other)
{
    int ends[2];
    eryx_sandbox_options has;
    eryx_sandbox_options_init(&has);
    has.limits.max_output_bytes = 1000;
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    *other = (flood){.control = ends[1], .kind = kind};
    ASSERT(pthread_create(out_thread, NULL, play, other) == 0);
    ASSERT(worker_client_create(ends[0], NULL, NULL, &has, out_client, NULL) == ERYX_OK);
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = "";
    options.stream_output = streams;
    ASSERT(worker_client_begin(*out_client, &options, NULL) == ERYX_OK);
    for (int i = 0; i < steps; i++) {
        eryx_event event;
        ASSERT(worker_client_step(*out_client, &event, NULL) == ERYX_OK);
        out_counts[event.kind]++;
        if (event.kind == ERYX_EVENT_WAIT && streams) {
            worker_client_wait(&event, UINT64_MAX / 2);
        }
        if (event.kind == ERYX_EVENT_DONE) {
            break;
        }
    }
    close(ends[0]);
}

static void finish(worker_client *client, pthread_t thread, const flood *other)
{
    worker_client_destroy(client);
    pthread_join(thread, NULL);
    close(other->control);
}

static void test_a_flood_of_output_does_not_hold_the_caller(void)
{
    worker_client *client;
    pthread_t thread;
    flood other;
    int counts[8] = {0};
    step_against(WORKER_OUTPUT, false, 2000, counts, &client, &thread, &other);
    ASSERT_EQ(counts[ERYX_EVENT_WAIT], 2000);
    finish(client, thread, &other);
}

static void test_output_that_is_streamed_is_an_event_each(void)
{
    worker_client *client;
    pthread_t thread;
    flood other;
    int counts[8] = {0};
    step_against(WORKER_OUTPUT, true, 2000, counts, &client, &thread, &other);
    ASSERT(counts[ERYX_EVENT_OUTPUT] > 0 && counts[ERYX_EVENT_DONE] == 0);
    finish(client, thread, &other);
}

static void test_what_is_no_answer_ends_the_run_with_what_there_was(void)
{
    worker_client *client;
    pthread_t thread;
    flood other;
    int counts[8] = {0};
    step_against(WORKER_ANSWER, true, 100000, counts, &client, &thread, &other);
    ASSERT_EQ(counts[ERYX_EVENT_DONE], 1);
    const eryx_result *result = worker_client_result(client);
    ASSERT_EQ(result->status, ERYX_WORKER_CRASHED);
    ASSERT(strstr(result->message, "should not") != NULL);
    ASSERT(!worker_client_is_alive(client));
    ASSERT_EQ(worker_client_reset(client), ERYX_WORKER_CRASHED);
    finish(client, thread, &other);
}

TEST_MAIN(TEST_CASE(test_a_flood_of_output_does_not_hold_the_caller),
          TEST_CASE(test_output_that_is_streamed_is_an_event_each),
          TEST_CASE(test_what_is_no_answer_ends_the_run_with_what_there_was))
