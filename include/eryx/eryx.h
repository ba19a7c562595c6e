/*
 * eryx: run untrusted Python in a sandbox, from C.
 *
 * An engine holds what all sandboxes share: the translated interpreter, the memory image of a
 * started Python and the standard library. A sandbox is one live Python interpreter with its own
 * memory and files. A run executes one piece of source text in a sandbox.
 *
 * The guest is a coroutine of its host: eryx_run_step() lets it run until the outside world is
 * wanted and then returns an event; eryx_execute() is the loop over events for hosts that have
 * nothing else to do meanwhile.
 *
 * Threads: an engine may be used from any thread at any time. A sandbox may be used from any
 * thread, but by one at a time (a second one gets ERYX_BUSY); eryx_sandbox_cancel() alone may be
 * called while another thread is using the sandbox. After fork() the child's sandboxes answer
 * ERYX_FORKED to everything but eryx_sandbox_destroy(); the parent's are untouched.
 *
 * Text is UTF-8, times are in the unit that the name ends in, sizes are in bytes.
 */
#ifndef ERYX_ERYX_H
#define ERYX_ERYX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(ERYX_STATIC) || !defined(__GNUC__)
#define ERYX_API
#else
#define ERYX_API __attribute__((visibility("default")))
#endif

#define ERYX_VERSION_MAJOR 0
#define ERYX_VERSION_MINOR 1
#define ERYX_VERSION_PATCH 0
#define ERYX_VERSION "0.1.0"

/*
 * Every status: name, number, text, and the Python exception that the package raises for it.
 * Numbers never change their meaning.
 */
#define ERYX_STATUS_MAP(X)                                                                         \
    X(OK, 0, "success", None)                                                                      \
    X(INVALID_ARGUMENT, 1, "invalid argument", ValueError)                                         \
    X(OUT_OF_MEMORY, 2, "the host is out of memory", MemoryError)                                  \
    X(INITIALIZATION, 3, "initialization failed", InitializationError)                             \
    X(EXECUTION, 4, "the guest program failed", ExecutionError)                                    \
    X(CRASHED, 5, "the guest crashed", ExecutionError)                                             \
    X(TIMEOUT, 6, "execution timed out", TimeoutError)                                             \
    X(RESOURCE_LIMIT, 7, "a resource limit was exceeded", ResourceLimitError)                      \
    X(CANCELLED, 8, "execution was cancelled", CancelledError)                                     \
    X(BUSY, 9, "the sandbox is already in use", EryxError)                                         \
    X(NEEDS_RESET, 10, "the sandbox must be reset before it can run again", InitializationError)   \
    X(FORKED, 11, "the sandbox belongs to the parent of this process", EryxError)                  \
    X(WRONG_BUILD, 12, "the image was made by another build of eryx", InitializationError)

typedef enum eryx_status {
#define ERYX_STATUS_ENUM(name, number, text, exception) ERYX_##name = (number),
    ERYX_STATUS_MAP(ERYX_STATUS_ENUM)
#undef ERYX_STATUS_ENUM
} eryx_status;

/* The name of a status, such as "TIMEOUT"; "UNKNOWN" for other numbers. Never freed. */
ERYX_API const char *eryx_status_name(eryx_status status);

/* One English sentence for a status, without a full stop. Never freed. */
ERYX_API const char *eryx_status_text(eryx_status status);

/* The version of the library, "major.minor.patch". */
ERYX_API const char *eryx_version(void);

/* A run of bytes that somebody else owns; data is NULL when there is nothing (not even an empty
 * value). */
typedef struct eryx_bytes {
    const uint8_t *data;
    size_t size;
} eryx_bytes;

/* Room for the text of a failed call. The text is always terminated and cut at its end if too long.
 */
typedef struct eryx_error {
    char message[512];
} eryx_error;

typedef struct eryx_engine eryx_engine;
typedef struct eryx_sandbox eryx_sandbox;

/* ---- Engine ---------------------------------------------------------------------------------- */

typedef struct eryx_engine_options {
    size_t struct_size;      /* sizeof(eryx_engine_options); set by the _init function */
    const char *image_path;  /* file made with eryx_image_build() */
    const char *stdlib_path; /* packed standard library that came with the same build */
} eryx_engine_options;

/* Fills in the defaults. */
ERYX_API void eryx_engine_options_init(eryx_engine_options *options);

/*
 * Opens an image. The files are mapped and must not be changed while the engine lives.
 *
 * out_engine: owned by the caller, freed with eryx_engine_destroy().
 * out_error: may be NULL; says what was wrong.
 * Errors: INVALID_ARGUMENT, INITIALIZATION (file missing, malformed, memory not to be had),
 * WRONG_BUILD, OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_engine_create(const eryx_engine_options *options,
                                        eryx_engine **out_engine, eryx_error *out_error);

/* Lets go of an engine; it is freed together with its last sandbox. NULL is allowed. */
ERYX_API void eryx_engine_destroy(eryx_engine *engine);

/* Gives the memory back to the system that is kept for the next sandboxes. NULL is allowed. */
ERYX_API void eryx_engine_trim(eryx_engine *engine);

/*
 * Starts Python from nothing, imports the preloaded modules and writes the image of it (build
 * time).
 *
 * image_path: file to be written; replaced only when all went well.
 * Errors: INVALID_ARGUMENT, INITIALIZATION (the message holds what the guest wrote), OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_image_build(const char *stdlib_path, const char *image_path,
                                      eryx_error *out_error);

/* ---- Sandbox --------------------------------------------------------------------------------- */

#define ERYX_UNLIMITED UINT64_MAX

typedef struct eryx_limits {
    size_t struct_size;                /* sizeof(eryx_limits); set by the _init function */
    uint64_t execution_timeout_ms;     /* wall clock of one run; 30,000 */
    uint64_t max_memory_bytes;         /* linear memory of the guest, its image included; 128 MiB */
    uint64_t max_fuel;                 /* fuel of one run; ERYX_UNLIMITED */
    uint64_t max_output_bytes;         /* stdout and stderr kept of one run, together (when one has
                                       flooded it, the other has an eighth more); 16 MiB */
    uint64_t max_result_bytes;         /* JSON of the result variable; 16 MiB */
    uint64_t max_vfs_bytes;            /* contents of all in-memory files; 64 MiB */
    uint64_t max_vfs_entries;          /* files, directories and links, together; 16,384 */
    uint64_t max_open_handles;         /* open files, directories, streams and timers; 1,024 */
    uint64_t callback_timeout_ms;      /* wall clock of one callback; 10,000 */
    uint64_t max_callback_invocations; /* of one run, the failed ones included; 1,000 */
    uint64_t max_callback_bytes;       /* arguments of one call, and its answer, each; 16 MiB */
} eryx_limits;

/* Fills in the defaults. */
ERYX_API void eryx_limits_init(eryx_limits *limits);

typedef struct eryx_sandbox_options {
    size_t struct_size; /* sizeof(eryx_sandbox_options); set by the _init function */
    eryx_limits limits;
} eryx_sandbox_options;

/* Fills in the defaults. */
ERYX_API void eryx_sandbox_options_init(eryx_sandbox_options *options);

/*
 * Makes a sandbox: a started Python in the state of the engine's image.
 *
 * options: NULL for the defaults; copied.
 * out_sandbox: owned by the caller, freed with eryx_sandbox_destroy(); keeps the engine alive.
 * Errors: INVALID_ARGUMENT, INITIALIZATION (address space or memory not to be had), OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_sandbox_create(eryx_engine *engine, const eryx_sandbox_options *options,
                                         eryx_sandbox **out_sandbox, eryx_error *out_error);

/* Ends a run that is going on, if any, and frees the sandbox. NULL is allowed; not from another
 * thread while a call on the sandbox is active. */
ERYX_API void eryx_sandbox_destroy(eryx_sandbox *sandbox);

/*
 * Puts the sandbox back to the state of the image: memory, files and pending cancellation are gone.
 * A run that is going on is dropped.
 * Errors: BUSY, FORKED, INITIALIZATION (the memory could not be mapped again; try again or
 * destroy).
 */
ERYX_API eryx_status eryx_sandbox_reset(eryx_sandbox *sandbox, eryx_error *out_error);

/* Changes the limits for the runs that begin from now on; memory and file limits hold at once.
 * Errors: INVALID_ARGUMENT, BUSY, FORKED. */
ERYX_API eryx_status eryx_sandbox_set_limits(eryx_sandbox *sandbox, const eryx_limits *limits);

/* Ends the present run with ERYX_CANCELLED, from any thread; without a run it does nothing. */
ERYX_API void eryx_sandbox_cancel(eryx_sandbox *sandbox);

/* ---- Run ------------------------------------------------------------------------------------- */

typedef struct eryx_run_options {
    size_t struct_size;            /* sizeof(eryx_run_options); set by the _init function */
    const char *source;            /* the program, UTF-8 */
    size_t source_size;            /* bytes of it, no terminator needed */
    const char *result_variable;   /* global collected as JSON, "result"; NULL for none */
    const char *const *arguments;  /* sys.argv[1:], terminated by NULL; NULL for none */
    const uint8_t *standard_input; /* what the guest reads from stdin; NULL for nothing */
    size_t standard_input_size;
    bool keep_state;       /* keep globals for a later run of this sandbox; false */
    bool stream_output;    /* hand output over as ERYX_EVENT_OUTPUT as it is written; false */
    const char *callbacks; /* JSON array of {"name", "description", "schema"}: what the guest may
                              call; NULL for nothing. The names are not checked against it. */
    const char *trace;     /* "user" or "all": give ERYX_EVENT_TRACE; NULL for no tracing */
    uint64_t max_trace_events; /* the guest stops to trace after so many; 100,000 */
    uint64_t pause_every_ms; /* give ERYX_EVENT_PAUSE so often while the guest computes; 0 never */
} eryx_run_options;

/* Fills in the defaults. */
ERYX_API void eryx_run_options_init(eryx_run_options *options);

typedef enum eryx_event_kind {
    ERYX_EVENT_DONE = 0,  /* the run has ended: see eryx_sandbox_result() */
    ERYX_EVENT_WAIT = 1,  /* nothing to do before wait.wake_ns: step again then (or earlier) */
    ERYX_EVENT_PAUSE = 2, /* the time slice is over: step again when convenient */
    ERYX_EVENT_OUTPUT =
        3, /* the guest has written output.bytes, whole UTF-8 characters if it can be */
    ERYX_EVENT_CALLBACK = 4, /* the guest calls a function of the host: answer now or after any
                                later event with eryx_callback_return() or eryx_callback_raise() */
    ERYX_EVENT_CALLBACK_EXPIRED = 5, /* a call was not answered in time: give its work up */
    ERYX_EVENT_TRACE = 6,            /* events of the tracer: trace.json */
} eryx_event_kind;

typedef struct eryx_event {
    eryx_event_kind kind;
    union {
        struct {
            uint64_t wake_ns; /* CLOCK_MONOTONIC; never later than the deadline of the run */
            uint32_t
                callbacks; /* calls without an answer: answering one is a reason to step as well */
        } wait;
        struct {
            int stream;       /* 1 stdout, 2 stderr */
            eryx_bytes bytes; /* valid until the next step */
        } output;
        struct {
            uint32_t id;          /* of this call; not 0, not used again in this run */
            eryx_bytes name;      /* UTF-8; both valid until the next step, empty for _EXPIRED */
            eryx_bytes arguments; /* JSON object as the guest gave it: check it like any input */
        } callback;
        struct {
            eryx_bytes json; /* array of events, valid until the next step */
        } trace;
    } as;
} eryx_event;

/*
 * Begins a run; nothing of the guest runs yet. The texts are copied.
 * Errors: INVALID_ARGUMENT, BUSY (a run is going on), NEEDS_RESET, FORKED, OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_run_begin(eryx_sandbox *sandbox, const eryx_run_options *options,
                                    eryx_error *out_error);

/*
 * Lets the guest run on this thread until the next event.
 * Errors: INVALID_ARGUMENT (no run is going on), BUSY, FORKED. How the guest fared is no error of
 * the call: it is in the result after ERYX_EVENT_DONE.
 */
ERYX_API eryx_status eryx_run_step(eryx_sandbox *sandbox, eryx_event *out_event);

/*
 * Answers a call: the function returned this JSON value. Copied. The guest sees it at its next
 * step. Errors: INVALID_ARGUMENT (no such call is open: it was answered, has expired or its run has
 * ended), RESOURCE_LIMIT (longer than max_callback_bytes; the call stays open), OUT_OF_MEMORY,
 * BUSY, FORKED.
 */
ERYX_API eryx_status eryx_callback_return(eryx_sandbox *sandbox, uint32_t id, const char *json,
                                          size_t size);

/* Answers a call: the function raised an exception of that type name, with that message. The
 * message is cut to max_callback_bytes. Errors as those of eryx_callback_return(). */
ERYX_API eryx_status eryx_callback_raise(eryx_sandbox *sandbox, uint32_t id, const char *type,
                                         const char *message);

/* Waits on this thread until wake_ns (CLOCK_MONOTONIC) or a cancellation, whichever comes first. */
ERYX_API void eryx_sandbox_wait(eryx_sandbox *sandbox, uint64_t wake_ns);

/* What a run left. Owned by the sandbox; valid until the next run, reset or destroy. */
typedef struct eryx_result {
    eryx_status status;         /* OK, EXECUTION, CRASHED, TIMEOUT, RESOURCE_LIMIT or CANCELLED */
    const char *message;        /* what happened, for people; "" when OK */
    eryx_bytes standard_output; /* exact bytes; the middle is missing if the cap was hit */
    eryx_bytes standard_error;
    uint64_t standard_output_dropped; /* bytes left out */
    uint64_t standard_error_dropped;
    eryx_bytes result_json;    /* JSON of the result variable */
    eryx_bytes result_error;   /* why there is no JSON although there is a variable */
    eryx_bytes exception_type; /* of the uncaught exception, such as "ValueError" */
    eryx_bytes exception_message;
    eryx_bytes traceback;  /* as CPython prints it */
    int32_t exit_code;     /* of sys.exit() or os._exit(); 0 otherwise */
    bool memory_limit_hit; /* the guest was refused memory because of max_memory_bytes */
    uint64_t duration_ns;
    uint64_t fuel_consumed;
    uint64_t peak_memory_bytes;
    uint64_t callback_invocations; /* calls of host functions that were granted */
} eryx_result;

/* The result of the last run that ended; NULL before the first and after a reset. */
ERYX_API const eryx_result *eryx_sandbox_result(const eryx_sandbox *sandbox);

/*
 * Runs to the end, waiting on this thread where the guest waits.
 * Return value: of eryx_run_begin() if that failed, else the status of the result.
 */
ERYX_API eryx_status eryx_execute(eryx_sandbox *sandbox, const eryx_run_options *options,
                                  const eryx_result **out_result, eryx_error *out_error);

#ifdef __cplusplus
}
#endif

#endif
