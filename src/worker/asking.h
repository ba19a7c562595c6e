/*
 * The worker's end of what its parent does for it (service.h): one question at a time, whose answer
 * is waited for. Threads: one.
 */
#ifndef ERYX_WORKER_ASKING_H
#define ERYX_WORKER_ASKING_H

#include "worker/channel.h"
#include "worker/service.h"

typedef struct asking asking;

/* Takes a socket over, with one owner; NULL without memory, and it is closed. */
asking *asking_create(int fd);

/* One more owner. */
asking *asking_retain(asking *self);

/* One owner less; the last one closes it. NULL is allowed. */
void asking_release(asking *self);

/* Begins a question, whose parts the caller writes. */
message_writer *asking_begin(asking *self, service_kind kind);

/* Completes it, sends it and waits. out_answer: what came, valid until the next question. False if
 * there is no answer: the parent is gone, or memory. */
bool asking_get(asking *self, message_reader *out_answer);

/* Completes a message that has no answer, which is sent before the next question or with
 * asking_flush(). */
void asking_leave(asking *self);

/* Sends what was left. */
void asking_flush(asking *self);

/* Waits until the parent has done all that was left. */
void asking_settle(asking *self);

/* The descriptor that came with the last answer, which is the caller's then; -1 for none. */
int asking_take_file(asking *self);

#endif
