/*
 * Callbacks and tracing: functions of the import module "eryx:host".
 */
#ifndef ERYX_PROTOCOL_CALLBACKS_H
#define ERYX_PROTOCOL_CALLBACKS_H

/*
 * Callbacks and tracing, module "eryx:host":
 *
 * - call(name, name_size, arguments, arguments_size) -> id: asks for a call; the arguments are a
 *   JSON object. Gives a positive id, or a call_refusal.
 *
 * - wait(timeout_ns) -> count: sleeps until an answer is there or the time is over (UINT64_MAX: no
 *   end; 0: not at all). Gives the number of answers that can be taken; may come back early
 *   without one.
 *
 * - answer(out) -> 0 or 1: takes the oldest answer; out is a struct callback_answer. The data is
 *   from eryx_guest_alloc(), and the guest frees it. 0 if there is none.
 *
 * - trace(events, size): hands a JSON array of trace events to the host.
 *
 * - watch_answers(): the next wasi:io poll also ends, with nothing ready, when an answer can be
 *   taken. So the event loop waits for sockets and for the host at once.
 */
enum call_refusal {
    CALL_LIMIT = -1,     /* max_callback_invocations */
    CALL_TOO_LARGE = -2, /* name or arguments */
    CALL_NO_MEMORY = -3, /* of the host */
};

enum answer_status {
    ANSWER_VALUE = 0,     /* data: JSON */
    ANSWER_EXCEPTION = 1, /* data: type name, a zero byte, message */
    ANSWER_TIMEOUT = 2,   /* callback_timeout_ms is over; data: the milliseconds as text */
    ANSWER_NO_MEMORY = 3, /* the answer does not fit into guest memory; no data */
};

struct callback_answer {
    unsigned int id;
    unsigned int status; /* answer_status */
    unsigned int data;   /* guest offset, 0 for none */
    unsigned int size;
};

#endif
