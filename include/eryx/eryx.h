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
 *
 * Structs of options are set to the defaults by their _init function and grow at their ends only,
 * in later versions: a program goes on to work with a later library. The _init_sized functions are
 * for languages that cannot call an inline function; size is that of the struct as the caller knows
 * it. A struct that is larger than the library's is INVALID_ARGUMENT.
 */
#ifndef ERYX_ERYX_H
#define ERYX_ERYX_H

#include "eryx/base.h"
#include "eryx/changes.h"
#include "eryx/factory.h"
#include "eryx/limits.h"
#include "eryx/storage.h"
#include "eryx/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Engine ---------------------------------------------------------------------------------- */

typedef struct eryx_engine_options {
    size_t struct_size;      /* sizeof(eryx_engine_options); set by the _init function */
    const char *image_path;  /* file made with eryx_image_build(); NULL for the one that came with
                                the library */
    const char *stdlib_path; /* packed standard library of the same build; NULL likewise */
    const char *seeds_path;  /* images whose strings have other hashes, of which each sandbox draws
                                one; NULL for those that came with the library, or for none if there
                                is an image_path */
    const char *unpack_folder; /* where those are unpacked, once for all processes of the user; made
                                  if it is missing, not used if others can write to it. Without one,
                                  sandboxes have the first image, and what was saved with another
                                  has it in memory, 16 MB. */
} eryx_engine_options;

ERYX_API void eryx_engine_options_init_sized(eryx_engine_options *options, size_t size);

/* Fills in the defaults. */
static inline void eryx_engine_options_init(eryx_engine_options *options)
{
    eryx_engine_options_init_sized(options, sizeof *options);
}

/*
 * Opens an image. The files are mapped and must not be changed while the engine lives.
 *
 * Files without a path are image.bin, stdlib.bin and seeds.bin of one folder, which is looked for
 * in this order: the environment variable ERYX_DATA (if it is set, nowhere else, and not in a
 * process that has more rights than its user); the folder that the library lies in, or the program
 * if it is linked statically; the folder share/eryx of the same installation; the one that was
 * chosen when the library was built.
 *
 * options: NULL for the defaults.
 * out_engine: owned by the caller, freed with eryx_engine_destroy().
 * out_error: may be NULL; says what was wrong, and where was looked.
 * Errors: INVALID_ARGUMENT, INITIALIZATION (file missing, malformed, memory not to be had),
 * WRONG_BUILD, OUT_OF_MEMORY. Threads: any, while nobody changes the environment.
 */
ERYX_API eryx_status eryx_engine_create(const eryx_engine_options *options,
                                        eryx_engine **out_engine, eryx_error *out_error);

/* Lets go of an engine; it is freed together with its last sandbox. NULL is allowed. */
ERYX_API void eryx_engine_destroy(eryx_engine *engine);

/*
 * Chooses the signal by which guests are stopped, for a process that needs the one that would be
 * taken: by itself the library takes a real-time signal that has no handler, when the first guest
 * runs. signal_number: SIGRTMIN to SIGRTMAX, or 0 for the library's own choice. Signals of that
 * number that are not the library's go on to the handler that was there before.
 *
 * INVALID_ARGUMENT if it is no such number, or if a guest has run already. Threads: any.
 */
ERYX_API eryx_status eryx_set_stop_signal(int signal_number);

/* Gives the memory back to the system that is kept for the next sandboxes. NULL is allowed. */
ERYX_API void eryx_engine_trim(eryx_engine *engine);

/* Memory that this process has for its guests, as the kernel counts it; in bytes but for the last
 * two. What the library has of the C library's memory, such as files that a guest has made, is not
 * in it. */
typedef struct eryx_memory {
    uint64_t private_bytes;  /* pages that one guest has to itself, swapped ones included */
    uint64_t shared_bytes;   /* pages of images and archives, each counted once, and files in memory
                                that forks, checkpoints and factories are kept in */
    uint64_t reserved_bytes; /* address space, nearly all of it without memory */
    uint64_t guests;         /* address spaces of guests: sandboxes and those kept for the next */
    uint64_t areas;          /* mappings of the whole process, which vm.max_map_count bounds */
} eryx_memory;

/*
 * Looks at it, which takes some microseconds for each mapping of the process.
 *
 * Errors: INITIALIZATION (the system has no /proc/self/smaps, or no memory). Threads: any.
 */
ERYX_API eryx_status eryx_look_at_memory(eryx_memory *out_memory, eryx_error *out_error);

/*
 * Sets how many file descriptors of the process guests may take for files of volumes and for
 * sockets.
 *
 * max_all: all guests together; 0 for a half of those that the process may have (RLIMIT_NOFILE).
 * max_per_sandbox: each; 0 for a sixteenth of those, but at least 16 and at most 1,024. For
 * sandboxes that are made from now on. A guest that meets one of them gets EMFILE. Threads: any.
 */
ERYX_API void eryx_set_descriptor_limits(size_t max_all, size_t max_per_sandbox);

/*
 * Starts Python from nothing, imports the preloaded modules and writes the image of it (build
 * time).
 *
 * image_path: file to be written; replaced only when all went well.
 * Errors: INVALID_ARGUMENT, INITIALIZATION (the message holds what the guest wrote), OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_image_build(const char *stdlib_path, const char *image_path,
                                      eryx_error *out_error);

/* ---- Network --------------------------------------------------------------------------------- */

/* A counted list of texts, each terminated and UTF-8. */
typedef struct eryx_texts {
    const char *const *items; /* may be NULL if count is 0 */
    size_t count;
} eryx_texts;

/*
 * What a sandbox may reach. Only outgoing TCP connections and the lookup of names exist.
 *
 * Host patterns are compared without case and without a trailing dot; "*" stands for any run of
 * characters: "*" alone is every host, "*.example.com" every name below example.com at any depth
 * (not example.com itself), "10.*" every IPv4 address that begins so. What is made of digits, dots
 * and "*", or has a ":", is about addresses and fits no name; everything else fits no address.
 * Internationalised names are given in their ASCII form ("xn--..."). Networks are "10.0.0.0/8",
 * "fd00::/8" or one address.
 *
 * A connection goes to an address, and the rules are applied to that address and to the names that
 * were looked up in the same run and gave it (if none, to the address as text):
 *   1. blocked_hosts and blocked_networks refuse it, whatever else is said;
 *   2. with block_internal, an address that is not public is refused (loopback, private, link-local
 *      with the metadata services, shared, unspecified, multicast, documentation and reserved ones,
 *      and IPv6 addresses that carry such an IPv4 address), and so are the names of the host
 *      itself, unless allow_localhost, allowed_networks or internal_hosts says otherwise;
 *   3. allow_all_hosts, allowed_hosts, allowed_networks, internal_hosts or allow_localhost allows
 *      it; without any of them it is refused.
 */
typedef struct eryx_network_options {
    size_t struct_size;             /* sizeof(eryx_network_options); set by the _init function */
    uint64_t max_connections;       /* open at a time; 10 */
    uint64_t max_total_connections; /* of one run, the failed ones included; 1,000 */
    uint64_t max_bytes;             /* of one run, in both directions; ERYX_UNLIMITED */
    uint64_t connect_timeout_ms;    /* of a lookup, and of a connect with its TLS; 30,000 */
    uint64_t io_timeout_ms;         /* ceiling of any one wait for a socket; 60,000 */
    bool allow_all_hosts;           /* true */
    bool block_internal;            /* true */
    bool allow_localhost;           /* loopback addresses and names of the host itself, in spite of
                                       block_internal; false */
    bool ask_on_connect;            /* give ERYX_EVENT_CONNECT before every connection; false */
    eryx_texts allowed_hosts;
    eryx_texts blocked_hosts;
    eryx_texts internal_hosts; /* allowed, public or not. A name may lead to the host itself, to
                                  link-local addresses and to metadata services only if that is
                                  said: "db.example=127.0.0.1" is the name with addresses of that
                                  network alone, and "localhost" is loopback. */
    eryx_texts allowed_networks;
    eryx_texts blocked_networks;
    eryx_texts dns_servers; /* "192.0.2.1", "192.0.2.1:53" or "[2001:db8::1]:53"; none for those of
                               the system. Not subject to the rules. */
    const eryx_bytes *root_certificates; /* DER, trusted besides those of the system; what is none
                                            is refused */
    size_t root_certificate_count;
} eryx_network_options;

ERYX_API void eryx_network_options_init_sized(eryx_network_options *options, size_t size);

/* Fills in the defaults: every public host. */
static inline void eryx_network_options_init(eryx_network_options *options)
{
    eryx_network_options_init_sized(options, sizeof *options);
}

/* ---- Secrets --------------------------------------------------------------------------------- */

/*
 * A value that guests use and never have. In the environment of the guest stands a placeholder in
 * its place: "eryx_secret_" and 32 hexadecimal digits, random and new for each sandbox. In the
 * values of the header fields of HTTP/1.1 requests the host puts the value in, just before they are
 * sent or encrypted, if the connection goes to a host that may have it. See docs/secrets.md.
 */
typedef struct eryx_secret {
    const char *name; /* of the environment variable: letters, digits and "_", no digit first */
    eryx_bytes value; /* 1 to 16,384 bytes without control characters */
    eryx_texts hosts; /* patterns of hosts, as in eryx_network_options; none for its allowed_hosts
                         (and nowhere if that is empty as well) */
} eryx_secret;

/* Secrets of one sandbox. */
#define ERYX_MAX_SECRETS 256

/* Where placeholders are replaced by "[REDACTED]" (flags); nothing happens without secrets. */
enum {
    ERYX_SCRUB_STDOUT = 1,
    ERYX_SCRUB_STDERR = 2,
    ERYX_SCRUB_FILES = 4,       /* what is written to files, with "*" to the same length */
    ERYX_SCRUB_CALLBACKS = 8,   /* names, arguments and answers of callbacks; trace events */
    ERYX_SCRUB_EXCEPTIONS = 16, /* type, message and traceback in the result */
    ERYX_SCRUB_RESULT = 32,     /* result_json and result_error */
    ERYX_SCRUB_DEFAULT = 31,    /* all but the result */
};

/* ---- Repeatable runs --------------------------------------------------------------------------
 */

/*
 * A clock and random numbers that are the same in each run of the same programs, with the same
 * inputs and answers, in the same build: docs/determinism.md. Fuel is counted.
 */
typedef struct eryx_deterministic {
    size_t struct_size; /* sizeof(eryx_deterministic); set by the _init function */
    uint64_t seed;      /* of all random numbers; 0 */
    uint64_t start_ns;  /* the wall clock at first, since 1970; that of 1 January 2026 */
    uint64_t tick_ns;   /* that pass with each unit of fuel; 5; at most 1,000,000,000 */
} eryx_deterministic;

ERYX_API void eryx_deterministic_init_sized(eryx_deterministic *options, size_t size);

/* Fills in the defaults. */
static inline void eryx_deterministic_init(eryx_deterministic *options)
{
    eryx_deterministic_init_sized(options, sizeof *options);
}

/* ---- Sandbox --------------------------------------------------------------------------------- */

/* A storage in the tree of a sandbox. */
typedef struct eryx_mount {
    const char *guest_path; /* see eryx_sandbox_options.mounts */
    eryx_storage *storage;
    bool read_only;
} eryx_mount;

/* A directory or a file of the host in the tree of a sandbox. */
typedef struct eryx_volume {
    const char *host_path; /* opened once, by eryx_sandbox_create(); links in it are followed */
    const char *guest_path;
    bool read_only;
    bool overlay; /* of a directory: the host's files are read, and what is written stays in memory,
                     as under /data; see eryx_sandbox_volume_changes() */
} eryx_volume;

/* A directory in the tree of a sandbox whose files the embedder provides when the guest asks for
 * them: see ERYX_EVENT_FILES. */
typedef struct eryx_provider {
    const char *guest_path;
    bool read_only;
    uint64_t cache_ms; /* how long answers are good for later operations */
} eryx_provider;

typedef struct eryx_sandbox_options {
    size_t struct_size; /* sizeof(eryx_sandbox_options); set by the _init function */
    eryx_limits limits;
    /* Guest paths are absolute and plain (no ".", ".." or empty component), and must not touch /,
     * /dev, /python-stdlib or /site-packages. At /data and /tmp a mount takes the place of what is
     * there. One mount may lie under another, in any order, but not under a file: it hides what
     * that one has there. Directories that only lead to a mount hold nothing else. */
    const eryx_mount *mounts;
    size_t mount_count;
    const eryx_volume *volumes;
    size_t volume_count;
    eryx_packages *packages; /* at /site-packages; NULL, the default, for those of the engine */
    const eryx_network_options *network; /* copied; NULL, the default, for no network */
    const eryx_secret *secrets;          /* copied into memory that is wiped when it is freed */
    size_t secret_count;
    uint32_t scrub; /* ERYX_SCRUB_DEFAULT */
    /* What the guest may load with dlopen(), see "Native modules"; copied. */
    const eryx_native_module *const *native_modules;
    size_t native_module_count;
    const eryx_provider *providers; /* copied; in questions they have the numbers from 0 on */
    size_t provider_count;
    const eryx_deterministic *deterministic; /* copied; NULL, the default, for the host's clock and
                                                random numbers */
} eryx_sandbox_options;

ERYX_API void eryx_sandbox_options_init_sized(eryx_sandbox_options *options, size_t size);

/* Fills in the defaults. */
static inline void eryx_sandbox_options_init(eryx_sandbox_options *options)
{
    eryx_sandbox_options_init_sized(options, sizeof *options);
}

/*
 * Makes a sandbox: a started Python in the state of the engine's image.
 *
 * options: NULL for the defaults; copied.
 * out_sandbox: owned by the caller, freed with eryx_sandbox_destroy(); keeps the engine and the
 * mounted storages alive.
 * Errors: INVALID_ARGUMENT, INITIALIZATION (address space or memory not to be had, no such host
 * path), FORKED (a storage of the parent of this process), OUT_OF_MEMORY.
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

/*
 * Has a sandbox that has run nothing since it was made or reset hash strings as all such sandboxes
 * of the build do; a sandbox draws one of some seeds otherwise, if it is not deterministic and
 * counts no fuel. It stays so when it is reset. Errors: INVALID_ARGUMENT (it has run something),
 * BUSY, FORKED, INITIALIZATION.
 */
ERYX_API eryx_status eryx_sandbox_fix_hash_seed(eryx_sandbox *sandbox, eryx_error *out_error);

/* Changes the limits for the runs that begin from now on; memory and file limits hold at once.
 * Errors: INVALID_ARGUMENT, BUSY, FORKED. */
ERYX_API eryx_status eryx_sandbox_set_limits(eryx_sandbox *sandbox, const eryx_limits *limits);

/* Moves the clocks on that a deterministic sandbox has of its own: during a run, from any thread,
 * where the guest waits next, for an answer for instance, or its run ends. Errors: INVALID_ARGUMENT
 * (it has none, or too far), FORKED. */
ERYX_API eryx_status eryx_sandbox_advance_clock(eryx_sandbox *sandbox, uint64_t nanoseconds);

/* Ends the present run with ERYX_CANCELLED, from any thread; without a run it does nothing. */
ERYX_API void eryx_sandbox_cancel(eryx_sandbox *sandbox);

/* ---- Run ------------------------------------------------------------------------------------- */

/* What a run does. Programs of a session keep its state (keep_state) to have one. */
typedef enum eryx_run_command {
    ERYX_RUN_PROGRAM = 0,  /* source is a program */
    ERYX_RUN_SNAPSHOT = 1, /* the result is JSON: {"size", "skipped", "data"}: the global variables,
                              pickled and in Base64, if they are not larger than the number of bytes
                              that is the source; see docs/sessions.md */
    ERYX_RUN_RESTORE = 2,  /* source is the decoded data of an earlier snapshot: sets variables */
    ERYX_RUN_CLEAR = 3,    /* removes all variables of the programs; no source */
    ERYX_RUN_PREPARE = 4,  /* for eryx_sandbox_freeze(): source is JSON, {"imports": names,
                              "callbacks": declarations as a text or null, "setup": text of a
                              program or null}; imports, then runs the program */
    ERYX_RUN_SEAL = 5,     /* the last run before it: leaves all objects as sandboxes can share
                              them; no source */
    ERYX_RUN_STOP_THREADS = 6, /* raises SystemExit in all threads that are left, and waits for
                                  their ends, at most so many milliseconds as the source says */
    ERYX_RUN_FILES = 7, /* source is JSON {"do": "read", "write", "list" or "remove", "path"}, a NUL
                           and bytes: works on a file under /data. The result is JSON, {"value"}
                           or {"errno", "text"} */
} eryx_run_command;

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
    uint64_t pause_every_ms;  /* give ERYX_EVENT_PAUSE so often while the guest computes; 0 never */
    eryx_run_command command; /* ERYX_RUN_PROGRAM */
    bool source_is_file;      /* the source is the content of a file: a byte order mark and a coding
                                 cookie say how it is encoded (PEP 263); false: it is UTF-8 */
    int standard_input_fd;    /* in place of the bytes: what the guest reads from stdin, no sooner
                                 than it asks. Duplicated; only read, and waited for where it has
                                 nothing yet; -1 for none */
    const uint8_t *given;     /* more for this run; NULL for nothing. A JSON object, of which each
                                 member may be left out: "inputs" {name: value}, globals that the
                                 program finds; "bytes" [[name, size]], more of them, whose bytes follow
                                 the object and a NUL; "environment" {name: text}, for os.environ during
                                 the run; "filename", of the program */
    size_t given_size;
    bool stream_lines;   /* with stream_output: hold the begin of a line back until the rest of
                            it comes, the guest waits or calls, or the slice is over; false */
    bool hide_traceback; /* do not print the traceback of an uncaught exception to stderr as well;
                            false */
    uint64_t max_display_bytes; /* JSON of what the guest displays, kept of this run; 16 MiB */
} eryx_run_options;

ERYX_API void eryx_run_options_init_sized(eryx_run_options *options, size_t size);

/* Fills in the defaults. */
static inline void eryx_run_options_init(eryx_run_options *options)
{
    eryx_run_options_init_sized(options, sizeof *options);
}

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
    ERYX_EVENT_CONNECT = 7, /* the guest is about to connect, and the rules allow it: answer with
                               eryx_connect_answer() before the next step; no answer refuses it */
    ERYX_EVENT_FILES = 8, /* the guest uses files of a provider: answer files now or after any later
                             event with eryx_answer_files() */
} eryx_event_kind;

/* What is wanted of a provider. Paths count from the top of what it provides, "" for that. */
typedef enum eryx_files_operation {
    ERYX_FILES_STAT = 1,           /* one entry, or ENOENT */
    ERYX_FILES_LIST = 2,           /* the entries of a directory */
    ERYX_FILES_READ = 3,           /* all data of a file */
    ERYX_FILES_WRITE = 4,          /* the file is to hold the data of the event, and nothing else */
    ERYX_FILES_REMOVE = 5,         /* a file or an empty directory */
    ERYX_FILES_RENAME = 6,         /* also over a file, or over an empty directory */
    ERYX_FILES_MAKE_DIRECTORY = 7, /* under a name that is not taken */
} eryx_files_operation;

typedef struct eryx_event {
    eryx_event_kind kind;
    union {
        struct {
            uint64_t wake_ns; /* CLOCK_MONOTONIC; never later than the deadline of the run */
            uint32_t
                callbacks; /* calls without an answer: answering one is a reason to step as well */
            int fd; /* readable is a reason to step as well; -1 for none. The sandbox's own: only
                       wait for it, and only until the next step. */
            bool input; /* the guest waits for its standard input (and perhaps for more) */
        } wait;
        struct {
            int stream;       /* 1 stdout, 2 stderr */
            eryx_bytes bytes; /* valid until the next step */
        } output;
        struct {
            uint32_t id; /* for eryx_answer_files() and _CALLBACK_EXPIRED, as that of a callback */
            uint32_t provider; /* number in eryx_sandbox_options.providers */
            eryx_files_operation operation;
            const char *path;     /* valid until the next step, as the other two */
            const char *new_path; /* of _RENAME; NULL for others */
            eryx_bytes data;      /* of _WRITE */
        } files;
        struct {
            uint32_t id;           /* of this call; not 0, not used again in this run */
            eryx_bytes name;       /* UTF-8; both valid until the next step, empty for _EXPIRED */
            eryx_bytes arguments;  /* JSON object as the guest gave it: check it like any input, but
                                      it is not nested more deeply than ERYX_JSON_DEPTH_MAX and has
                                      no number of more digits than ERYX_JSON_DIGITS_MAX */
            uint64_t memory_bytes; /* of eryx_json_measure() for them */
        } callback;
        struct {
            eryx_bytes json; /* array of events, valid until the next step */
        } trace;
        struct {
            const char *host;    /* a name that was looked up for it, else the address */
            const char *address; /* both terminated and valid until the next step */
            uint16_t port;
        } connect;
    } as;
} eryx_event;

/* What a parser that recurses, or makes whole numbers of decimal digits, is to be given of a guest
 * at most. */
#define ERYX_JSON_DEPTH_MAX 200
#define ERYX_JSON_DIGITS_MAX 4300

/* What it takes to parse a JSON text, without a look at whether it is one. */
typedef struct eryx_json_cost {
    uint64_t memory_bytes; /* about what the objects of CPython take, up to thirty times the text */
    uint64_t work;         /* how long its parser takes, in units of about 20 nanoseconds */
    uint64_t depth;        /* of containers in each other */
    uint64_t digits;       /* of the longest number */
} eryx_json_cost;

/* Measures JSON that a guest wrote (a result, arguments, events) before a parser sees it. Takes
 * about a millisecond for a mebibyte. Threads: any. */
ERYX_API eryx_json_cost eryx_json_measure(const uint8_t *json, size_t size);

/*
 * Begins a run; nothing of the guest runs yet. The texts are copied.
 * Errors: INVALID_ARGUMENT, BUSY (a run is going on), NEEDS_RESET, FORKED, OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_run_begin(eryx_sandbox *sandbox, const eryx_run_options *options,
                                    eryx_error *out_error);

/*
 * Lets the guest run on this thread until the next event.
 * Errors: INVALID_ARGUMENT (no run is going on), BUSY, FORKED. How the guest fared is not an error
 * of the call: it is in the result after ERYX_EVENT_DONE.
 */
ERYX_API eryx_status eryx_run_step(eryx_sandbox *sandbox, eryx_event *out_event);

/*
 * Answers a call: the function returned this JSON value. Copied. The guest sees it at its next
 * step; if the answers that it has not taken are more than max_pending_callback_bytes, it is told
 * that there was no memory for this one. Errors: INVALID_ARGUMENT (no such call is open: it was
 * answered, has expired or its run has ended), RESOURCE_LIMIT (longer than max_callback_bytes; the
 * call stays open), OUT_OF_MEMORY, BUSY, FORKED.
 */
ERYX_API eryx_status eryx_callback_return(eryx_sandbox *sandbox, uint32_t id, const char *json,
                                          size_t size);

/* Answers a call: the function raised an exception of that type name, with that message. The
 * message is cut to max_callback_bytes. Errors as those of eryx_callback_return(). */
ERYX_API eryx_status eryx_callback_raise(eryx_sandbox *sandbox, uint32_t id, const char *type,
                                         const char *message);

typedef struct eryx_files_entry {
    const char *name;       /* of a list; names that a guest cannot say are left out */
    eryx_storage_kind kind; /* of a list it may be any other number: not known */
    uint64_t size;
    uint64_t modified_seconds; /* since 1970 */
    uint32_t modified_nanoseconds;
} eryx_files_entry;

typedef struct eryx_files_answer {
    int error_number; /* errno, of which the guest gets the nearest that it knows; 0 for success */
    const eryx_files_entry *entries; /* of _STAT, which has one, and _LIST */
    size_t entry_count;
    const uint8_t *data; /* of _READ */
    size_t size;
} eryx_files_answer;

/*
 * Answers ERYX_EVENT_FILES. Everything is copied, under the quota of the sandbox's files: what does
 * not fit is ENOSPC for the guest. Errors: INVALID_ARGUMENT (no such question is open: it was
 * answered, has expired after callback_timeout_ms or its run has ended), OUT_OF_MEMORY, BUSY,
 * FORKED.
 */
ERYX_API eryx_status eryx_answer_files(eryx_sandbox *sandbox, uint32_t id,
                                       const eryx_files_answer *answer);

/* Answers ERYX_EVENT_CONNECT. Errors: INVALID_ARGUMENT (the last event was another), BUSY, FORKED.
 */
ERYX_API eryx_status eryx_connect_answer(eryx_sandbox *sandbox, bool allow);

/* Waits on this thread until wake_ns (CLOCK_MONOTONIC), a cancellation, or a reason to step that
 * the fd of the last ERYX_EVENT_WAIT has, whichever comes first. */
ERYX_API void eryx_sandbox_wait(eryx_sandbox *sandbox, uint64_t wake_ns);

/* One connection of a run, or a lookup or connect that was refused. */
typedef struct eryx_connection {
    const char *host;     /* the name that was looked up for it, else the address as text */
    const char *address;  /* numeric; "" for a name that was refused or gave no address */
    const char *refusal;  /* the rule that refused it, for people; NULL if it was not refused */
    uint64_t bytes_in;    /* from the peer, as they were on the wire */
    uint64_t bytes_out;   /* to the peer */
    uint64_t duration_ns; /* from the connect to the close */
    uint16_t port;        /* 0 for a lookup */
    bool connected;       /* it was established */
    bool tls;             /* eryx did TLS on it */
    uint64_t started_ns;  /* when it began, from the begin of the run on */
    const char *secrets;  /* names of those that were sent on it, commas between; NULL for none */
    const char *secret_refusal; /* why a request on it was refused because of one; NULL if none */
} eryx_connection;

/*
 * The connections so far of the run that goes on, or those of the last one, as eryx_result has
 * them; also of a run that will never end, because its embedder gives it up. Valid until the
 * sandbox is used again. Errors: BUSY, FORKED.
 */
ERYX_API eryx_status eryx_sandbox_connections(eryx_sandbox *sandbox,
                                              const eryx_connection **out_connections,
                                              size_t *out_count, uint64_t *out_total);

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
    bool metered;           /* the fuel of the run was counted */
    uint64_t fuel_consumed; /* 0 if it was not */
    uint64_t peak_memory_bytes;
    uint64_t callback_invocations;      /* calls of host functions that were granted */
    const eryx_connection *connections; /* in the order of their begin, the first 1,000, and up to
                                           256 more on which secrets were sent */
    size_t connection_count;
    uint64_t connections_total; /* with those that are not listed */
    eryx_bytes threads_json; /* JSON array of {"name", "daemon", "state", "where"}: threads that the
                                run has left, to go on in the next; no data if there are none */
    eryx_bytes value_json;   /* of the last expression; none if it is None or no JSON */
    eryx_bytes value_repr;   /* its repr(), cut; none if it is None or there is none */
    eryx_bytes displays;     /* JSON objects, each with a newline behind it, with "data" and
                                "metadata" as Jupyter has them */
    uint64_t displays_dropped; /* displays that are not in it: max_display_bytes, 1,000 */
    eryx_changes *changes; /* of files under /data, /tmp and in storages (eryx/changes.h); NULL for
                              none; whoever wants to keep them retains them */
} eryx_result;

/* The result of the last run that ended; NULL before the first and after a reset. */
ERYX_API const eryx_result *eryx_sandbox_result(const eryx_sandbox *sandbox);

/*
 * Runs to the end, waiting on this thread where the guest waits.
 * Return value: of eryx_run_begin() if that failed, else the status of the result.
 */
ERYX_API eryx_status eryx_execute(eryx_sandbox *sandbox, const eryx_run_options *options,
                                  const eryx_result **out_result, eryx_error *out_error);

/*
 * Tells what is written in the memory of a volume that is an overlay, and not as the host has it.
 *
 * guest_path: where it is mounted.
 * out_changes: freed with eryx_changes_destroy(); paths count from the top of the volume. NULL if
 *              there are none. What was only moved is read from the host when it is asked for.
 * Errors: INVALID_ARGUMENT (no overlay is mounted there), BUSY (a run is going on), FORKED,
 * OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_sandbox_volume_changes(eryx_sandbox *sandbox, const char *guest_path,
                                                 eryx_changes **out_changes, eryx_error *out_error);

/* Forgets what is written in the memory of an overlay, so that all is as the host has it. What is
 * open of it stays as it is, without a name. Errors as above. */
ERYX_API eryx_status eryx_sandbox_volume_discard(eryx_sandbox *sandbox, const char *guest_path,
                                                 eryx_error *out_error);

/* ---- Live state ------------------------------------------------------------------------------ */

/*
 * Makes a second sandbox that goes on from the present state of this one: objects, open in-memory
 * files, everything. The two share nothing that one of them could change for the other. The fork
 * draws random numbers of its own. A large buffer is not copied but shared until it is written to.
 *
 * out_fork: owned by the caller, freed with eryx_sandbox_destroy(); has the limits of this one.
 * Errors: INVALID_ARGUMENT, BUSY (a run is going on), NEEDS_RESET, FORKED, OUT_OF_MEMORY,
 * INITIALIZATION (no address space).
 */
ERYX_API eryx_status eryx_sandbox_fork(eryx_sandbox *sandbox, eryx_sandbox **out_fork,
                                       eryx_error *out_error);

/* The state of a sandbox at one moment, to go back to. Threads: any, until it is freed. */
typedef struct eryx_checkpoint eryx_checkpoint;

/*
 * Takes a checkpoint.
 *
 * include_storages: also of what is in the storages that the sandbox may write to. A rollback then
 *                   puts that back, for all who use them; files of theirs that others have open
 *                   live on without a name. Contents are shared until they are changed.
 * out_checkpoint: freed with eryx_checkpoint_destroy(), may outlive the sandbox.
 * Errors as those of eryx_sandbox_fork().
 */
ERYX_API eryx_status eryx_checkpoint_create(eryx_sandbox *sandbox, bool include_storages,
                                            eryx_checkpoint **out_checkpoint,
                                            eryx_error *out_error);

/* Frees a checkpoint. NULL is allowed. */
ERYX_API void eryx_checkpoint_destroy(eryx_checkpoint *checkpoint);

/*
 * Puts a sandbox back to a checkpoint, any number of times; a run that is going on is dropped, and
 * one that has crashed can be used again. The sandbox may be another one of the same engine.
 * Errors: INVALID_ARGUMENT, BUSY (in use by another thread), FORKED, OUT_OF_MEMORY, INITIALIZATION
 * (no address space); the sandbox is then as it was.
 */
ERYX_API eryx_status eryx_sandbox_rollback(eryx_sandbox *sandbox, eryx_checkpoint *checkpoint,
                                           eryx_error *out_error);

/*
 * Writes the present state to a file, for eryx_sandbox_load() in any process with the same build
 * and image. Only what differs from the image is stored. The file is made anew, can be read by its
 * owner only, and appears under its name when it is complete. It holds all that the sandbox holds.
 *
 * include_storages: also what is in the storages that the sandbox may write to.
 * Errors: INVALID_ARGUMENT (a file of a volume, or of a storage that is not included, is open),
 * BUSY, NEEDS_RESET, FORKED, OUT_OF_MEMORY, INITIALIZATION (it cannot be written).
 */
ERYX_API eryx_status eryx_sandbox_save(eryx_sandbox *sandbox, const char *path,
                                       bool include_storages, eryx_error *out_error);

/*
 * Puts a sandbox into a saved state, as eryx_sandbox_rollback() does. All of the file is checked
 * before anything is changed; a made-up file can do in the sandbox what a program can, no more.
 * Storages that are in the file must be mounted at the same paths, and get what they held then.
 * Errors: INVALID_ARGUMENT, BUSY, FORKED, OUT_OF_MEMORY, WRONG_BUILD (other build or image),
 * RESOURCE_LIMIT (more memory than max_memory_bytes), INITIALIZATION (missing, damaged, files over
 * a limit, or no storage where one is needed); the sandbox is then as it was.
 */
ERYX_API eryx_status eryx_sandbox_load(eryx_sandbox *sandbox, const char *path,
                                       eryx_error *out_error);

#ifdef __cplusplus
}
#endif

#endif
