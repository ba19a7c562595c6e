/*
 * One end of a stream socket that messages go over: complete ones or nothing, and never more than
 * the reader has agreed to. Nothing here waits. Threads: the one that uses it.
 */
#ifndef ERYX_WORKER_CHANNEL_H
#define ERYX_WORKER_CHANNEL_H

#include "worker/message.h"

typedef enum channel_state {
    CHANNEL_OK = 0,
    CHANNEL_AGAIN,  /* nothing (more) can be done now */
    CHANNEL_CLOSED, /* the other side is gone */
    CHANNEL_BROKEN, /* what came is no message that this end takes, or there is no memory */
} channel_state;

typedef struct channel {
    int fd;             /* owned; -1 once it is closed */
    bool takes_files;   /* descriptors that come along are kept; else they are thrown away */
    int file;           /* the last one that came, owned until it is taken; -1 for none */
    size_t max_message; /* larger payloads are refused */
    uint8_t *input;     /* owned */
    size_t input_begin; /* of what has come and was not read */
    size_t input_end;
    size_t input_capacity;
    message_writer output;
} channel;

/* Takes a descriptor over, which does not block from now on. */
void channel_open(channel *self, int fd, size_t max_message);

/* Closes it and frees everything. */
void channel_close(channel *self);

/*
 * Takes the next message, of what is here already or of the socket.
 *
 * out_message: valid until the next call. Set for CHANNEL_OK only.
 */
channel_state channel_receive(channel *self, message *out_message);

/* Whether a whole message is here already, so that nobody should wait for the socket. */
bool channel_has_message(const channel *self);

/* Sends what can be sent of the output. CHANNEL_AGAIN if something is left. */
channel_state channel_send(channel *self);

/* The same, with a descriptor that goes along with the first byte; it stays the caller's. */
channel_state channel_send_with_file(channel *self, int file);

/* Bytes of the output that have not been sent. */
size_t channel_unsent(const channel *self);

/* The descriptor that came along, which is the caller's then; -1 for none. */
int channel_take_file(channel *self);

#endif
