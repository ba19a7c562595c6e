#include "worker/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read at a time, and what a buffer that is empty keeps. */
#define CHUNK_BYTES ((size_t)64 << 10)
#define FIRST_BYTES ((size_t)4 << 10)

void channel_open(channel *self, int fd, size_t max_message)
{
    *self = (channel){.fd = fd, .file = -1, .max_message = max_message};
    const int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0) {
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
}

void channel_close(channel *self)
{
    if (self->fd >= 0) {
        close(self->fd);
    }
    if (self->file >= 0) {
        close(self->file);
    }
    free(self->input);
    message_writer_free(&self->output);
    *self = (channel){.fd = -1, .file = -1};
}

/* ---- Receiving -------------------------------------------------------------------------------
 */

/* The header of the message that begins the input; false if not all of it has come. */
static bool peek(const channel *self, message_header *out_header)
{
    if (self->input_end - self->input_begin < sizeof *out_header) {
        return false;
    }
    memcpy(out_header, self->input + self->input_begin, sizeof *out_header);
    return true;
}

bool channel_has_message(const channel *self)
{
    message_header header;
    return peek(self, &header) &&
           (header.size > self->max_message ||
            self->input_end - self->input_begin - sizeof header >= header.size);
}

/* Room for so many bytes from input_begin on. False without memory. */
static bool make_room(channel *self, size_t size)
{
    if (self->input_begin == self->input_end) {
        self->input_begin = self->input_end = 0;
        if (self->input_capacity > CHUNK_BYTES && size <= CHUNK_BYTES) {
            free(self->input);
            self->input = NULL;
            self->input_capacity = 0;
        }
    }
    if (self->input_capacity - self->input_begin >= size) {
        return true;
    }
    if (self->input_begin > 0) {
        memmove(self->input, self->input + self->input_begin, self->input_end - self->input_begin);
        self->input_end -= self->input_begin;
        self->input_begin = 0;
    }
    if (self->input_capacity < size) {
        uint8_t *grown = realloc(self->input, size);
        if (grown == NULL) {
            return false;
        }
        self->input = grown;
        self->input_capacity = size;
    }
    return true;
}

static void take_files(channel *self, struct msghdr *header)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
            part->cmsg_len != CMSG_LEN(sizeof(int))) {
            continue;
        }
        if (self->file >= 0) {
            close(self->file);
        }
        memcpy(&self->file, CMSG_DATA(part), sizeof self->file);
    }
}

/* Reads what has come; the number of bytes as recv() gives it. */
static ssize_t read_some(channel *self, uint8_t *to, size_t room)
{
    if (!self->takes_files) {
        return recv(self->fd, to, room, MSG_DONTWAIT); /* descriptors are closed by the system */
    }
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {to, room};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    const ssize_t got = recvmsg(self->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got > 0) {
        take_files(self, &header);
    }
    return got;
}

channel_state channel_receive(channel *self, message *out_message)
{
    for (;;) {
        message_header header;
        size_t wanted = FIRST_BYTES;
        if (peek(self, &header)) {
            if (header.size > self->max_message) {
                return CHANNEL_BROKEN;
            }
            const size_t whole = sizeof header + header.size;
            if (self->input_end - self->input_begin >= whole) {
                out_message->header = header;
                out_message->payload = self->input + self->input_begin + sizeof header;
                self->input_begin += whole;
                return CHANNEL_OK;
            }
            wanted = whole > FIRST_BYTES ? whole : FIRST_BYTES;
        }
        /* Only as much room as has come already and as much again: who announces much and sends
         * nothing takes no memory. */
        const size_t here = self->input_end - self->input_begin;
        const size_t most = here + (here > CHUNK_BYTES ? here : CHUNK_BYTES);
        if (!make_room(self, wanted < most ? wanted : most)) {
            return CHANNEL_BROKEN;
        }
        const ssize_t got =
            read_some(self, self->input + self->input_end, self->input_capacity - self->input_end);
        if (got == 0) {
            return CHANNEL_CLOSED;
        }
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN ? CHANNEL_AGAIN : CHANNEL_CLOSED;
        }
        self->input_end += (size_t)got;
    }
}

int channel_take_file(channel *self)
{
    const int file = self->file;
    self->file = -1;
    return file;
}

/* ---- Sending ---------------------------------------------------------------------------------
 */

size_t channel_unsent(const channel *self)
{
    return self->output.end - self->output.begin;
}

channel_state channel_send(channel *self)
{
    message_writer *output = &self->output;
    while (output->begin < output->end) {
        const ssize_t sent = send(self->fd, output->data + output->begin,
                                  output->end - output->begin, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN ? CHANNEL_AGAIN : CHANNEL_CLOSED;
        }
        output->begin += (size_t)sent;
    }
    output->begin = output->end = 0;
    if (output->capacity > CHUNK_BYTES) {
        message_writer_free(output);
    }
    return CHANNEL_OK;
}

channel_state channel_send_with_file(channel *self, int file)
{
    message_writer *output = &self->output;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec part = {output->data + output->begin, output->end - output->begin};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(rights), &file, sizeof file);
    ssize_t sent;
    do {
        sent = sendmsg(self->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return errno == EAGAIN ? CHANNEL_AGAIN : CHANNEL_CLOSED;
    }
    output->begin += (size_t)sent;
    return channel_send(self);
}
