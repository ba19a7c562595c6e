/*
 * What the host and its guest say to each other besides WASI. Included by both sides.
 */
#ifndef ERYX_GUEST_PROTOCOL_H
#define ERYX_GUEST_PROTOCOL_H

#include <stdint.h>

/*
 * The host begins a run with eryx_guest_run(request, size). The request is a row of fields, each
 * { u32 field, u32 size, size bytes }, without padding, little-endian.
 */
enum request_field {
    REQUEST_SOURCE = 1,          /* UTF-8 text of the program, as the caller gave it */
    REQUEST_RESULT_VARIABLE = 2, /* name of the global that is collected; absent for none */
    REQUEST_ARGUMENT = 3,        /* one entry of sys.argv after the first; repeated */
    REQUEST_FLAGS = 4,           /* u32 of request_flag */
    REQUEST_CALLBACKS = 5,   /* JSON array of {"name", "description", "schema"}; absent for none */
    REQUEST_TRACE = 6,       /* "user" or "all"; absent for no tracing */
    REQUEST_TRACE_LIMIT = 7, /* u64: events after which tracing stops; with REQUEST_TRACE */
};

enum request_flag {
    REQUEST_KEEP_STATE = 1, /* leave globals for a later run; without it the program is finalised */
};

/* What eryx_guest_run() returns. */
enum run_outcome {
    RUN_OK = 0,
    RUN_EXCEPTION = 1, /* uncaught exception; reported and printed to stderr */
    RUN_EXIT = 2,      /* SystemExit; the code was reported with eryx_report_exit_code() */
};

/* eryx_report(field, data, size): hands one part of the result to the host. A later report of the
 * same field replaces the earlier. */
enum report_field {
    REPORT_RESULT_JSON = 1,
    REPORT_RESULT_ERROR = 2,
    REPORT_EXCEPTION_TYPE = 3,
    REPORT_EXCEPTION_MESSAGE = 4,
    REPORT_TRACEBACK = 5,
};

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

/*
 * Files, module "eryx:host": their permission bits, which WASI does not know. In the status of a
 * file they lie above the number of its links.
 *
 * - set_mode(path, size, mode) -> file_outcome: of what a path from "/" leads to.
 *
 * - set_open_mode(identity, mode) -> file_outcome: of an open file, by its st_ino.
 *
 * - set_mode_of_new(mode): what is made from now on gets that mode; FILE_MODE_USUAL for that of its
 *   type.
 *
 * - processor_time() -> nanoseconds that the guest has computed for, in this run and those before.
 */
#define FILE_MODE_SHIFT 48
#define FILE_MODE_USUAL 0xffffffffu

enum file_outcome {
    FILE_DONE = 0,
    FILE_READ_ONLY = 1,
    FILE_MISSING = 2,
};

/*
 * TLS, module "eryx:host":
 *
 * - tls(operation, session, data, size, out, room) -> count: does a tls_operation. Gives a number
 *   of bytes or another result that is not negative, or a tls_status.
 *
 * Keys, certificates and all decisions about them stay with the host.
 */
#define TLS_MAX_TRANSFER_BYTES (1 << 20)

/* How the host asks the interpreter to raise at the next bytecode that allows it. */
enum interrupt_kind {
    INTERRUPT_TIMEOUT = 1,
    INTERRUPT_CANCEL = 2,
    INTERRUPT_FUEL = 3,
};

/*
 * Where in guest memory it writes for that, between any two instructions of the guest: a struct
 * that eryx_guest_interrupt_flags() gives, the same in all runs of an image.
 */
struct interrupt_flags {
    uint32_t kind;         /* enum interrupt_kind; 0 again once the exception is being raised */
    uint32_t signal;       /* 1: the signal that stands for it has come */
    uint32_t tripped;      /* 1: some signal has come */
    uint32_t eval_breaker; /* of the main thread; INTERRUPT_EVAL_BREAKER_BIT is added */
};

#define INTERRUPT_EVAL_BREAKER_BIT 2u

#endif
