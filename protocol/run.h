/*
 * One run: what the host asks for, what the guest tells of its end, and how it is interrupted.
 */
#ifndef ERYX_PROTOCOL_RUN_H
#define ERYX_PROTOCOL_RUN_H

#include <stdint.h>

#include "protocol/threads.h"

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
    REQUEST_GIVEN = 8,       /* JSON object of what this run is given besides, then a NUL and bytes:
                                eryx_run_options.given; absent for nothing */
};

/* Bits from REQUEST_COMMAND_SHIFT on are the eryx_run_command. */
enum request_flag {
    REQUEST_KEEP_STATE = 1, /* leave globals for a later run; without it the program is finalised */
    REQUEST_NEEDS_ENTROPY = 2,   /* seed random anew: this guest began as a copy of another */
    REQUEST_HAS_SECRETS = 4,     /* ask for the placeholders (SECRETS_ENVIRONMENT) */
    REQUEST_SOURCE_IS_FILE = 8,  /* the source says itself how it is encoded */
    REQUEST_HIDE_TRACEBACK = 16, /* report an uncaught exception without printing it */
    REQUEST_COMMAND_SHIFT = 8,
};

/* What eryx_guest_run() returns. */
enum run_outcome {
    RUN_OK = 0,
    RUN_EXCEPTION = 1, /* uncaught exception; reported and printed to stderr */
    RUN_EXIT = 2,      /* SystemExit; the code was reported with eryx_report_exit_code() */
};

/* eryx_report(field, data, size): hands one part of the result to the host. A later report of the
 * same field replaces the earlier, but for displays, which are kept in order. */
enum report_field {
    REPORT_RESULT_JSON = 1,
    REPORT_RESULT_ERROR = 2,
    REPORT_EXCEPTION_TYPE = 3,
    REPORT_EXCEPTION_MESSAGE = 4,
    REPORT_TRACEBACK = 5,
    REPORT_THREADS = 6,      /* JSON: the threads that are left, see eryx_result.threads_json */
    REPORT_THREAD_NAMES = 7, /* their names, for a message */
    REPORT_VALUE_JSON = 8,   /* of the last expression */
    REPORT_VALUE_REPR = 9,
    REPORT_DISPLAY = 10, /* JSON object {"data": {mime type: value}, "metadata": {...}} */
};

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
    uint32_t gil;          /* struct gil_words */
    uint32_t words[THREAD_WORDS]; /* what each thread has its own of: the first is the argument that
                                     it was made with, the others begin as 0; 0 for none */
};

#define INTERRUPT_EVAL_BREAKER_BIT 2u

/* The interpreter's lock: who has it is asked to let go by GIL_DROP_REQUEST_BIT in its thread
 * state, at that offset. */
struct gil_words {
    uint32_t interval_us; /* sys.setswitchinterval() */
    uint32_t holder;      /* thread state of the last one who took it */
    uint32_t locked;
};

#define GIL_HOLDER_EVAL_BREAKER 12u
#define GIL_DROP_REQUEST_BIT 1u

#endif
