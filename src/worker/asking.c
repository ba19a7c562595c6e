#include "worker/asking.h"

#include <poll.h>
#include <stdlib.h>

/* What was left is sent when it is so much. */
#define MOST_LEFT ((size_t)4096)

struct asking {
    size_t references;
    channel channel;
    uint32_t number; /* of the last question */
    bool has_left;   /* something without an answer since the last one */
    bool is_gone;
};

asking *asking_create(int fd)
{
    asking *self = calloc(1, sizeof *self);
    channel opened;
    channel_open(&opened, fd, SERVICE_MESSAGE_MAX);
    if (self == NULL) {
        channel_close(&opened);
        return NULL;
    }
    *self = (asking){.references = 1, .channel = opened};
    self->channel.takes_files = true;
    return self;
}

asking *asking_retain(asking *self)
{
    self->references++;
    return self;
}

void asking_release(asking *self)
{
    if (self != NULL && --self->references == 0) {
        asking_flush(self);
        channel_close(&self->channel);
        free(self);
    }
}

message_writer *asking_begin(asking *self, service_kind kind)
{
    self->number += service_has_answer(kind);
    message_begin(&self->channel.output, (uint32_t)kind, self->number);
    return &self->channel.output;
}

/* Waits until the socket can be used again. False, and it is given up, if that takes too long. */
static bool wait_for(asking *self, short events)
{
    struct pollfd look = {.fd = self->channel.fd, .events = events};
    int ready;
    do {
        ready = poll(&look, 1, SERVICE_PATIENCE_MS);
    } while (ready < 0); /* the signal that ends a slice, which is looked at on the way back */
    self->is_gone = ready == 0;
    return ready > 0;
}

static bool send_all(asking *self)
{
    while (!self->is_gone) {
        const channel_state state = channel_send(&self->channel);
        if (state == CHANNEL_OK) {
            return true;
        }
        if (state != CHANNEL_AGAIN) {
            self->is_gone = true;
        } else if (!wait_for(self, POLLOUT)) {
            break;
        }
    }
    return false;
}

bool asking_get(asking *self, message_reader *out_answer)
{
    if (!message_end(&self->channel.output) || !send_all(self)) {
        return false;
    }
    while (wait_for(self, POLLIN)) {
        message came;
        const channel_state state = channel_receive(&self->channel, &came);
        if (state == CHANNEL_AGAIN) {
            continue;
        }
        if (state != CHANNEL_OK || came.header.kind != SERVICE_ANSWER ||
            came.header.number != self->number) {
            break;
        }
        *out_answer = message_read(&came);
        self->has_left = false;
        return true;
    }
    self->is_gone = true;
    return false;
}

void asking_leave(asking *self)
{
    self->has_left = true;
    if (message_end(&self->channel.output) && channel_unsent(&self->channel) >= MOST_LEFT) {
        asking_flush(self);
    }
}

void asking_flush(asking *self)
{
    if (channel_unsent(&self->channel) > 0) {
        (void)send_all(self);
    }
}

void asking_settle(asking *self)
{
    message_reader ignored;
    if (self->has_left) {
        (void)asking_begin(self, SERVICE_NOTHING);
        (void)asking_get(self, &ignored);
    }
}

int asking_take_file(asking *self)
{
    return channel_take_file(&self->channel);
}
