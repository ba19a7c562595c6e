/* What workers and their parents say to each other: written, read, and refused. */
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"
#include "worker/channel.h"
#include "worker/protocol.h"

/* The first message of a writer. */
static message first_of(const message_writer *writer)
{
    message made;
    memcpy(&made.header, writer->data, sizeof made.header);
    made.payload = writer->data + sizeof made.header;
    return made;
}

static void test_what_is_written_is_read(void)
{
    message_writer writer = {0};
    message_begin(&writer, WORKER_ANSWER, 7);
    message_put_u8(&writer, 1);
    message_put_u32(&writer, 2);
    message_put_u64(&writer, UINT64_MAX);
    message_put_text(&writer, "text");
    message_put_text(&writer, NULL);
    message_put_bytes(&writer, (eryx_bytes){(const uint8_t *)"", 0});
    message_put_bytes(&writer, (eryx_bytes){.data = NULL});
    ASSERT(message_end(&writer));
    const message made = first_of(&writer);
    ASSERT_EQ_U(made.header.number, 7);
    message_reader reader = message_read(&made);
    ASSERT(message_get_bool(&reader));
    ASSERT_EQ_U(message_get_u32(&reader), 2);
    ASSERT_EQ_U(message_get_u64(&reader), UINT64_MAX);
    ASSERT(strcmp(message_get_text(&reader, 4), "text") == 0);
    ASSERT(message_get_text(&reader, 4) == NULL);
    ASSERT(message_get_bytes(&reader, 0).data != NULL);
    ASSERT(message_get_bytes(&reader, 0).data == NULL);
    ASSERT(message_is_whole(&reader));
    message_writer_free(&writer);
}

static void test_a_reader_gives_nothing_beyond_the_end(void)
{
    const uint8_t bytes[] = {200, 0, 0, 0, 'x'};
    const message made = {.header = {.size = sizeof bytes}, .payload = bytes};
    message_reader reader = message_read(&made);
    ASSERT(message_get_bytes(&reader, 1000).data == NULL);
    ASSERT(!message_is_whole(&reader));
    ASSERT_EQ_U(message_get_u64(&reader), 0);
}

static void test_texts_have_their_end_and_no_other(void)
{
    const uint8_t without[] = {2, 0, 0, 0, 'a', 'b'};
    const uint8_t inside[] = {3, 0, 0, 0, 'a', 0, 0};
    const message first = {.header = {.size = sizeof without}, .payload = without};
    const message second = {.header = {.size = sizeof inside}, .payload = inside};
    message_reader reader = message_read(&first);
    ASSERT(message_get_text(&reader, 10) == NULL && !message_is_whole(&reader));
    reader = message_read(&second);
    ASSERT(message_get_text(&reader, 10) == NULL && !message_is_whole(&reader));
}

static void test_a_run_is_read_as_it_was_written(void)
{
    const char *const arguments[] = {"a", "", NULL};
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.source = "print(1)";
    options.source_size = 8;
    options.arguments = arguments;
    options.keep_state = true;
    options.trace = "all";
    message_writer writer = {0};
    message_begin(&writer, WORKER_BEGIN, 1);
    protocol_put_run(&writer, &options, true);
    ASSERT(message_end(&writer));
    const message made = first_of(&writer);
    message_reader reader = message_read(&made);
    protocol_run run;
    ASSERT(protocol_get_run(&reader, &run));
    ASSERT_EQ_U(run.options.source_size, 8);
    ASSERT(run.options.keep_state && run.asks_for_input && !run.streams);
    ASSERT(strcmp(run.options.arguments[0], "a") == 0 && run.options.arguments[2] == NULL);
    ASSERT(run.options.callbacks == NULL && strcmp(run.options.trace, "all") == 0);
    protocol_run_free(&run);
    /* Cut at any place it is none. */
    for (uint32_t size = 0; size < made.header.size; size++) {
        const message cut = {.header = {.size = size}, .payload = made.payload};
        reader = message_read(&cut);
        ASSERT(!protocol_get_run(&reader, &run));
    }
    message_writer_free(&writer);
}

static void test_a_result_is_held_against_the_limits(void)
{
    static const uint8_t output[4096];
    eryx_limits limits;
    eryx_limits_init(&limits);
    limits.max_output_bytes = 0;
    eryx_result result = {.message = "", .standard_output = {output, sizeof output}};
    for (uint32_t status = 0; status < 20; status++) {
        message_writer writer = {0};
        result.status = (eryx_status)status;
        message_begin(&writer, WORKER_DONE, 1);
        protocol_put_result(&writer, &result, false);
        ASSERT(message_end(&writer));
        const message made = first_of(&writer);
        message_reader reader = message_read(&made);
        protocol_result left;
        const bool is_end = status == ERYX_OK || (status >= 4 && status <= 8);
        ASSERT(protocol_get_result(&reader, &limits, 0, &left) == is_end);
        if (is_end) {
            protocol_result_free(&left);
        }
        message_writer_free(&writer);
    }
    message_writer writer = {0};
    result = (eryx_result){.message = "", .displays = {output, 100}};
    message_begin(&writer, WORKER_DONE, 1);
    protocol_put_result(&writer, &result, false);
    ASSERT(message_end(&writer));
    const message made = first_of(&writer);
    message_reader reader = message_read(&made);
    protocol_result left;
    ASSERT(!protocol_get_result(&reader, &limits, 99, &left));
    message_writer_free(&writer);
}

static void test_messages_come_whole_whatever_the_pieces(void)
{
    int ends[2];
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    channel self;
    channel_open(&self, ends[0], 1000);
    message_writer writer = {0};
    for (uint32_t i = 0; i < 3; i++) {
        message_begin(&writer, WORKER_OUTPUT, i);
        message_put_text(&writer, "some text");
        ASSERT(message_end(&writer));
    }
    message came;
    for (size_t i = 0; i < writer.end; i++) {
        ASSERT(write(ends[1], writer.data + i, 1) == 1);
        const channel_state state = channel_receive(&self, &came);
        ASSERT(state == ((i + 1) % (writer.end / 3) == 0 ? CHANNEL_OK : CHANNEL_AGAIN));
    }
    close(ends[1]);
    ASSERT(channel_receive(&self, &came) == CHANNEL_CLOSED);
    channel_close(&self);
    message_writer_free(&writer);
}

static void test_a_message_that_is_too_large_is_refused_by_its_header(void)
{
    int ends[2];
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    channel self;
    channel_open(&self, ends[0], 1000);
    const message_header header = {.size = 1001, .kind = WORKER_OUTPUT};
    message came;
    ASSERT(write(ends[1], &header, sizeof header) == sizeof header);
    ASSERT(channel_receive(&self, &came) == CHANNEL_BROKEN);
    channel_close(&self);
    close(ends[1]);
}

static void test_descriptors_come_only_where_they_are_taken(void)
{
    for (int takes = 0; takes < 2; takes++) {
        int ends[2];
        ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        channel self, other;
        channel_open(&self, ends[0], 1000);
        channel_open(&other, ends[1], 1000);
        self.takes_files = takes == 1;
        message_begin(&other.output, WORKER_FORK, 1);
        ASSERT(message_end(&other.output));
        ASSERT(channel_send_with_file(&other, ends[1]) == CHANNEL_OK);
        message came;
        ASSERT(channel_receive(&self, &came) == CHANNEL_OK);
        const int file = channel_take_file(&self);
        ASSERT((file >= 0) == (takes == 1));
        if (file >= 0) {
            close(file);
        }
        channel_close(&self);
        channel_close(&other);
    }
}

TEST_MAIN(TEST_CASE(test_what_is_written_is_read),
          TEST_CASE(test_a_reader_gives_nothing_beyond_the_end),
          TEST_CASE(test_texts_have_their_end_and_no_other),
          TEST_CASE(test_a_run_is_read_as_it_was_written),
          TEST_CASE(test_a_result_is_held_against_the_limits),
          TEST_CASE(test_messages_come_whole_whatever_the_pieces),
          TEST_CASE(test_a_message_that_is_too_large_is_refused_by_its_header),
          TEST_CASE(test_descriptors_come_only_where_they_are_taken))
