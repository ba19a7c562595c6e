/*
 * A sandbox in a worker process, as the process that owns it sees it: the functions of eryx.h over
 * a socket. Nothing that comes from the worker is trusted; one that breaks the protocol, dies or
 * goes on long after a deadline is given up, and so are its sandboxes, which then answer
 * ERYX_WORKER_CRASHED.
 *
 * Threads: one at a time uses a client; worker_client_cancel() alone may be called meanwhile.
 */
#ifndef ERYX_WORKER_CLIENT_H
#define ERYX_WORKER_CLIENT_H

#include "eryx/eryx.h"
#include "worker/protocol.h"
#include "worker/servant.h"

typedef struct worker_client worker_client;

/* What sandboxes of a worker start with, in place of the image; see eryx_engine_derive(). */
typedef struct worker_recipe {
    uint64_t number;     /* by which the worker knows it; not 0 */
    eryx_bytes frozen;   /* no data if the worker has it already */
    eryx_bytes packages; /* no data for none */
    uint64_t max_memory_bytes;
} worker_recipe;

/*
 * Makes a sandbox in a worker.
 *
 * control_fd: the socket of the worker, which stays the caller's; any thread may use it.
 * servant: that of this worker, for what the options have besides limits.
 * recipe: NULL for the image.
 * options: without packages and native modules.
 * Errors: those of eryx_engine_derive() and eryx_sandbox_create(), and WORKER_CRASHED.
 */
eryx_status worker_client_create(int control_fd, worker_servant *servant,
                                 const worker_recipe *recipe, const eryx_sandbox_options *options,
                                 worker_client **out_client, eryx_error *out_error);

/* Ends a run that is going on, if any, and frees all of it, there as well. NULL is allowed. */
void worker_client_destroy(worker_client *client);

/* Whether the worker can still be asked. */
bool worker_client_is_alive(const worker_client *client);

/* The descriptor that becomes readable when the worker says something; the client's own. */
int worker_client_descriptor(const worker_client *client);

/* ---- Runs ------------------------------------------------------------------------------------ */

/* As eryx_run_begin(); what the worker has against it comes with the first step. */
eryx_status worker_client_begin(worker_client *client, const eryx_run_options *options,
                                eryx_error *out_error);

/*
 * As eryx_run_step(), but it computes nothing: without news it is ERYX_EVENT_WAIT for a descriptor.
 * When the worker dies the run is over: ERYX_EVENT_DONE, with the status WORKER_CRASHED and what
 * output there was in its result.
 */
eryx_status worker_client_step(worker_client *client, eryx_event *out_event, eryx_error *out_error);

/* Waits for the descriptor of the last wait event, until wake_ns (CLOCK_MONOTONIC) at most. */
void worker_client_wait(const eryx_event *event, uint64_t wake_ns);

/* As the functions of eryx.h with these names. */
eryx_status worker_client_return(worker_client *client, uint32_t id, const char *json, size_t size);
eryx_status worker_client_raise(worker_client *client, uint32_t id, const char *type,
                                const char *text);
eryx_status worker_client_connect_answer(worker_client *client, bool allow);
eryx_status worker_client_answer_files(worker_client *client, uint32_t id,
                                       const eryx_files_answer *answer);
void worker_client_cancel(worker_client *client);
const eryx_result *worker_client_result(const worker_client *client);

/* What the last run has changed in storages, which are here; NULL for nothing. The client's. */
const eryx_changes *worker_client_storage_changes(const worker_client *client);

/* What is written in the overlay at a path, until the next question; NULL if the question fails. */
eryx_status worker_client_overlay_changes(worker_client *client, const char *guest_path,
                                          const protocol_result **out_changes,
                                          eryx_error *out_error);
eryx_status worker_client_overlay_discard(worker_client *client, const char *guest_path,
                                          eryx_error *out_error);

/* The same with what has changed of files, which is not in the result; NULL without one. */
const protocol_result *worker_client_left(const worker_client *client);

/* As eryx_sandbox_advance_clock(); while a run goes on any thread may call it, and the clock moves
 * where the guest waits. */
eryx_status worker_client_advance_clock(worker_client *client, uint64_t nanoseconds);

/* As the functions of eryx.h with these names. */
eryx_status worker_client_reset(worker_client *client);
eryx_status worker_client_fix_hash_seed(worker_client *client, eryx_error *out_error);
eryx_status worker_client_set_limits(worker_client *client, const eryx_limits *limits);

/* ---- State ----------------------------------------------------------------------------------- */

eryx_status worker_client_fork(worker_client *client, worker_client **out_fork,
                               eryx_error *out_error);

/* include_storages: those that can be written come back as well. out_checkpoint: names it in this
 * worker, until worker_client_forget(). */
eryx_status worker_client_checkpoint(worker_client *client, bool include_storages,
                                     uint64_t *out_checkpoint, eryx_error *out_error);
eryx_status worker_client_rollback(worker_client *client, uint64_t checkpoint,
                                   eryx_error *out_error);
void worker_client_forget(worker_client *client, uint64_t checkpoint);

/* As eryx_sandbox_save() and eryx_sandbox_load(): the file itself is opened here. */
eryx_status worker_client_save(worker_client *client, const char *path, eryx_error *out_error);
eryx_status worker_client_load(worker_client *client, const char *path, eryx_error *out_error);

#endif
