#include "sandbox/standard_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/host_file.h"
#include "base/status.h"
#include "sandbox/run.h"

/* What is read of the descriptor at a time. */
#define CHUNK_BYTES ((size_t)64 << 10)

/* How long is waited when the system has no descriptor to wait with. */
#define BLIND_WAIT_NS ((uint64_t)5000000)

/* Tags in the set. */
#define TAG_INPUT 1u
#define TAG_JOINED 2u

void standard_input_init(standard_input *input)
{
    *input = (standard_input){.fd = -1};
    wait_set_init(&input->waiting);
}

void standard_input_end(standard_input *input, bool is_ours)
{
    /* What was duplicated is in the set until it is taken out: closing it is not enough. */
    if (is_ours && input->waiting.epoll_fd >= 0) {
        epoll_ctl(input->waiting.epoll_fd, EPOLL_CTL_DEL, input->fd, NULL);
    }
    wait_set_close(&input->waiting, NULL, is_ours);
    if (input->fd >= 0) {
        close(input->fd);
    }
    free(input->bytes);
    input->bytes = NULL;
    input->size = 0;
    input->position = 0;
    input->fd = -1;
    input->is_file = false;
    input->wanted = false;
    input->asked = 0;
}

void standard_input_destroy(standard_input *input)
{
    wait_set_destroy(&input->waiting);
}

eryx_status standard_input_begin(standard_input *input, const eryx_run_options *options,
                                 eryx_error *out_error)
{
    standard_input_end(input, true);
    if (options->standard_input_fd >= 0) {
        if (options->standard_input_size > 0) {
            return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                               "standard input is either bytes or a descriptor");
        }
        int fd = fcntl(options->standard_input_fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0) {
            return errno == EBADF ? status_fail(ERYX_INVALID_ARGUMENT, out_error,
                                                "the descriptor of the standard input is not open")
                                  : status_fail(ERYX_OUT_OF_MEMORY, out_error,
                                                "no descriptor left for the standard input");
        }
        input->fd = fd;
        struct stat status;
        input->is_file =
            host_file_status(fd, &status) && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
        return ERYX_OK;
    }
    if (options->standard_input_size == 0) {
        return ERYX_OK;
    }
    input->bytes = malloc(options->standard_input_size);
    if (input->bytes == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    memcpy(input->bytes, options->standard_input, options->standard_input_size);
    input->size = options->standard_input_size;
    return ERYX_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Whether the descriptor can be read now without waiting. */
static bool has_come(const standard_input *input)
{
    struct pollfd look = {.fd = input->fd, .events = POLLIN};
    return input->is_file || poll(&look, 1, 0) != 0;
}

bool standard_input_is_ready(standard_input *input)
{
    if (input->position < input->size || input->fd < 0 || has_come(input)) {
        return true;
    }
    input->wanted = true;
    return false;
}

/* Reads what is there. Where the system can, it does not wait if somebody else was faster. */
static ssize_t read_now(const standard_input *input, size_t size)
{
    struct iovec part = {input->bytes, size};
    ssize_t got = -1;
    errno = EOPNOTSUPP;
    if (!input->is_file) {
        got = preadv2(input->fd, &part, 1, -1, RWF_NOWAIT);
    }
    if (got < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL)) {
        got = read(input->fd, input->bytes, size);
    }
    return got;
}

standard_input_state standard_input_fill(standard_input *input, size_t wanted)
{
    if (input->position < input->size) {
        return STANDARD_INPUT_READY;
    }
    if (input->fd < 0) {
        return STANDARD_INPUT_END;
    }
    if (!has_come(input)) {
        input->asked = wanted;
        return STANDARD_INPUT_NOT_YET;
    }
    input->asked = 0;
    if (input->bytes == NULL) {
        input->bytes = malloc(CHUNK_BYTES);
        if (input->bytes == NULL) {
            return STANDARD_INPUT_FAILED;
        }
    }
    ssize_t got = read_now(input, wanted < CHUNK_BYTES ? wanted : CHUNK_BYTES);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? STANDARD_INPUT_NOT_YET : STANDARD_INPUT_FAILED;
    }
    input->position = 0;
    input->size = (size_t)got;
    return got == 0 ? STANDARD_INPUT_END : STANDARD_INPUT_READY;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* Has the set tell once of a descriptor; false if it cannot. */
static bool watch(int set, int fd, uint64_t tag)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = tag};
    return epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) == 0 ||
           (errno == ENOENT && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
}

int standard_input_before_wait(standard_input *input, int other_fd, uint64_t *io_wake_ns)
{
    if (!input->wanted) {
        return other_fd;
    }
    input->wanted = false;
    int set = wait_set_open(&input->waiting, NULL);
    if (set >= 0 && watch(set, input->fd, TAG_INPUT) &&
        (other_fd < 0 || watch(set, other_fd, TAG_JOINED))) {
        return set;
    }
    uint64_t soon_ns = clock_now_ns() + BLIND_WAIT_NS;
    *io_wake_ns = soon_ns < *io_wake_ns ? soon_ns : *io_wake_ns;
    return other_fd;
}

void standard_input_after_wait(standard_input *input)
{
    struct epoll_event events[3];
    int count =
        input->waiting.epoll_fd >= 0 ? epoll_wait(input->waiting.epoll_fd, events, 3, 0) : 0;
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == WAIT_SET_TAG) {
            wait_set_take_wake(&input->waiting);
        }
    }
}

void standard_input_wake(standard_input *input)
{
    wait_set_wake(&input->waiting);
}
