/*
 * What the host and its guest say to each other besides WASI. Included by both sides.
 */
#ifndef ERYX_GUEST_PROTOCOL_H
#define ERYX_GUEST_PROTOCOL_H

/*
 * The host begins a run with eryx_guest_run(request, size). The request is a row of fields, each
 * { u32 field, u32 size, size bytes }, without padding, little-endian.
 */
enum request_field {
    REQUEST_SOURCE = 1,          /* UTF-8 text of the program, as the caller gave it */
    REQUEST_RESULT_VARIABLE = 2, /* name of the global that is collected; absent for none */
    REQUEST_ARGUMENT = 3,        /* one entry of sys.argv after the first; repeated */
    REQUEST_FLAGS = 4,           /* u32 of request_flag */
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

/* eryx_report(field, data, size): hands one part of the result to the host. A later report of the same
 * field replaces the earlier. */
enum report_field {
    REPORT_RESULT_JSON = 1,
    REPORT_RESULT_ERROR = 2,
    REPORT_EXCEPTION_TYPE = 3,
    REPORT_EXCEPTION_MESSAGE = 4,
    REPORT_TRACEBACK = 5,
};

/* eryx_guest_interrupt(kind): asks the interpreter to raise at the next bytecode that allows it. Safe at
 * any loop head; sets flags only. */
enum interrupt_kind {
    INTERRUPT_TIMEOUT = 1,
    INTERRUPT_CANCEL = 2,
    INTERRUPT_FUEL = 3,
};

#endif
