/*
 * The thread of a parent that answers the questions of one worker (service.h): one for all its
 * sandboxes, since the worker waits for each answer anyway, so that a worker that asks without end
 * has no more than one thread to itself. It is started with the first sandbox that needs it, and
 * runs nothing of the embedder. Threads: any.
 */
#ifndef ERYX_WORKER_SERVANT_H
#define ERYX_WORKER_SERVANT_H

#include "eryx/eryx.h"

typedef struct served served;
typedef struct worker_servant worker_servant;

/* Without a thread so far. NULL without memory. */
worker_servant *worker_servant_create(void);

/* Ends the thread, soon, with all that it serves. NULL is allowed. */
void worker_servant_destroy(worker_servant *servant);

/*
 * Has a sandbox served, until its worker closes the socket.
 *
 * added: gets one more owner. fd: of the parent's side; taken over, also on failure.
 * Errors: OUT_OF_MEMORY, INITIALIZATION (no thread or descriptor).
 */
eryx_status worker_servant_add(worker_servant *servant, served *added, int fd,
                               eryx_error *out_error);

#endif
