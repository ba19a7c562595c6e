/* Calls from the guest to functions of the host, from the question to the answer. */
#ifndef ERYX_SANDBOX_CALLBACKS_H
#define ERYX_SANDBOX_CALLBACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eryx/eryx.h"

/* Calls that may be without an answer at a time, whatever the limits say. */
#define CALLBACKS_MAX_OPEN 10000

/* Longest name of a callback, in bytes. */
#define CALLBACKS_MAX_NAME 1024

typedef struct callback_call {
    uint32_t id;
    uint32_t status;      /* answer_status once it is answered */
    uint64_t deadline_ns; /* CLOCK_MONOTONIC */
    uint64_t cost;        /* bytes of the host, by estimate */
    uint8_t *data;        /* of the answer; owned */
    size_t size;
} callback_call;

/* The open calls of a run in the order in which they were made, then, in the order in which the
 * answers came, those whose answer the guest has not taken. */
typedef struct callback_table {
    callback_call *open;
    size_t open_count;
    size_t open_allocated;
    callback_call *answered; /* a ring */
    size_t answered_first;
    size_t answered_count;
    size_t answered_allocated;
    uint64_t cost; /* of all of them */
    uint64_t cost_limit;
    uint32_t last_id;
    uint64_t invocations;
} callback_table;

/* What a call takes besides its arguments and its answer: the task that works on it, above all. */
#define CALLBACKS_CALL_BYTES 4096

/* Forgets all calls; keeps the memory. cost_limit: bytes that all calls together may cost. */
void callbacks_begin(callback_table *table, uint64_t cost_limit);

/* Frees everything; the table is then as after zeroing. */
void callbacks_free(callback_table *table);

/* Adds an open call. argument_bytes: what the host needs for the arguments. False without memory,
 * over CALLBACKS_MAX_OPEN or over the limit of costs. */
bool callbacks_open(callback_table *table, uint64_t deadline_ns, uint64_t argument_bytes,
                    uint32_t *out_id);

/* Moves an open call to the answered ones and hands it data (allocated with malloc(), may be NULL).
 * Over the limit of costs the answer is ANSWER_NO_MEMORY in its place, and data is freed. False,
 * and data is still the caller's, if no such call is open. */
bool callbacks_answer(callback_table *table, uint32_t id, uint32_t status, uint8_t *data,
                      size_t size);

/* The oldest open call whose deadline is at or before now_ns; 0 if there is none. */
uint32_t callbacks_expired(const callback_table *table, uint64_t now_ns);

/* Answers the calls of a sandbox that have expired, and tells the embedder of each; may not come
 * back. (In answers.c.) */
void callbacks_expire(eryx_sandbox *sandbox);

/* The earliest deadline of an open call; UINT64_MAX if there is none. */
uint64_t callbacks_next_deadline(const callback_table *table);

/* The oldest answer that was not taken, NULL if there is none. Stays until callbacks_take(). */
const callback_call *callbacks_first_answer(const callback_table *table);

/* If the oldest call of all is answered, makes its answer the one that is taken first; false if it
 * is open, or if there is no call. */
bool callbacks_put_oldest_first(callback_table *table);

/* Removes that answer and frees its data. */
void callbacks_take(callback_table *table);

#endif
