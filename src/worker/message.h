/*
 * Messages between the process that owns sandboxes and the worker that runs them: how they are
 * written, and how they are read by somebody who trusts nobody.
 *
 * A message is a header and a payload: numbers of fixed size, and texts and bytes that are counted.
 * Both ends are of one build and one machine, so numbers are in its byte order. A reader never
 * reads beyond the payload; once something is wrong it gives zeros and nothing, and says so in the
 * end. Threads: none of this is shared.
 */
#ifndef ERYX_WORKER_MESSAGE_H
#define ERYX_WORKER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eryx/eryx.h"

/* Largest payload of any message. */
#define MESSAGE_MAX_BYTES ((size_t)1 << 30)

/* What stands before each payload. */
typedef struct message_header {
    uint32_t size;   /* of the payload */
    uint32_t kind;   /* worker_kind */
    uint32_t number; /* of the question that it asks or answers, or of the run that it is about */
} message_header;

/* One that has come, or a part of a buffer of messages. */
typedef struct message {
    message_header header;
    const uint8_t *payload;
} message;

/* Messages that are written one behind the other. All zero is an empty one. */
typedef struct message_writer {
    uint8_t *data; /* owned; NULL until something is written */
    size_t begin;  /* of what has not been sent yet */
    size_t end;
    size_t capacity;
    size_t header;  /* where that of the present message is */
    bool is_failed; /* no memory, or a message that is too large: what came since is missing */
} message_writer;

/* Begins a message; message_end() completes it. */
void message_begin(message_writer *writer, uint32_t kind, uint32_t number);

/* Numbers. */
void message_put_u8(message_writer *writer, uint8_t value);
void message_put_u32(message_writer *writer, uint32_t value);
void message_put_u64(message_writer *writer, uint64_t value);

/* Counted bytes; none at all (data is NULL) is not the same as an empty value. */
void message_put_bytes(message_writer *writer, eryx_bytes bytes);

/* A terminated text; NULL is none. */
void message_put_text(message_writer *writer, const char *text);

/* Bytes as they are, which are parts that were written elsewhere. */
void message_put_raw(message_writer *writer, const void *data, size_t size);

/* Completes a message. False, and nothing of it is there, without memory or if it is larger than
 * MESSAGE_MAX_BYTES. */
bool message_end(message_writer *writer);

/* Frees the buffer; the writer is empty then. */
void message_writer_free(message_writer *writer);

/* Takes a payload apart. */
typedef struct message_reader {
    const uint8_t *at;
    size_t left;
    bool is_bad; /* it was too short, or not what was asked for */
} message_reader;

/* A reader of the payload of a message, which must outlive it. */
message_reader message_read(const message *from);

/* The next number; 0 if there is none. */
uint8_t message_get_u8(message_reader *reader);
uint32_t message_get_u32(message_reader *reader);
uint64_t message_get_u64(message_reader *reader);

/* A truth value: anything but 0 and 1 is bad. */
bool message_get_bool(message_reader *reader);

/* The next bytes, which are a part of the message; at most so many. */
eryx_bytes message_get_bytes(message_reader *reader, size_t most);

/* The next text, which is a part of the message, terminated and without a zero byte in it; NULL if
 * there is none. */
const char *message_get_text(message_reader *reader, size_t most);

/* Whether all that was asked for was there, and nothing else is. */
bool message_is_whole(const message_reader *reader);

#endif
