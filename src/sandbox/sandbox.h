/*
 * One live sandbox: what its parts are. The parts themselves are each in a file of their own.
 */
#ifndef ERYX_SANDBOX_H
#define ERYX_SANDBOX_H

#include <stdatomic.h>

#include "eryx/eryx.h"
#include "machine/coroutine.h"
#include "machine/guest_instance.h"
#include "machine/handles.h"
#include "machine/memory.h"
#include "native/attach.h"
#include "net/net.h"
#include "sandbox/callbacks.h"
#include "sandbox/engine.h"
#include "sandbox/limits.h"
#include "sandbox/lines.h"
#include "sandbox/output.h"
#include "sandbox/result.h"
#include "sandbox/standard_input.h"
#include "sandbox/stream.h"
#include "vfs/vfs.h"

typedef enum sandbox_state {
    SANDBOX_READY,   /* may begin a run */
    SANDBOX_RUNNING, /* a run is going on, inside the guest or between two steps */
    SANDBOX_BROKEN,  /* the last run ended in the middle of guest code: reset before the next */
} sandbox_state;

/* What belongs to one run alone: the present one, or the last. All zero before the first. */
typedef struct run_state {
    eryx_event event; /* what the coroutine wants of the host */
    uint8_t *request; /* host copy; owned */
    size_t request_size;
    bool stream_output;
    bool keep_state;
    bool stream_lines;
    uint64_t max_display_bytes;
    stream_splitter splitters[2]; /* of stdout and stderr, while output is streamed */
    line_holder lines[2];         /* behind them */
    bool connect_allowed;         /* the embedder's answer to ERYX_EVENT_CONNECT */
    bool watch_answers;           /* the next poll also ends when an answer can be taken */
    bool memory_limit_hit;        /* memory.grow was refused */
    struct file_call *file_calls; /* questions about files; owned (file_calls.h) */
    uint32_t outcome;             /* run_outcome that the guest returned */
    int32_t exit_code;
} run_state;

/* A clock and random numbers of the guest's own (sandbox/determinism.h). */
typedef struct determinism {
    bool on;
    bool answer_ready;         /* the guest may take the first answer */
    uint32_t looks;            /* for answers, since it last waited */
    uint64_t random;           /* state of the generator */
    uint64_t seed;             /* of it */
    uint64_t start_ns;         /* the wall clock at the beginning */
    uint64_t tick_ns;          /* that a unit of fuel takes */
    uint64_t worked_ns;        /* by fuel, in the runs before */
    uint64_t passed_ns;        /* in sleeps, and by the embedder */
    _Atomic uint64_t later_ns; /* by the embedder, where the guest waits next: from any thread */
} determinism;

struct eryx_sandbox {
    union { /* first, so that an instance is its sandbox */
        guest_instance instance;
        guest_extended extended; /* the same, with what native modules find behind it */
    };
    native_state native;
    eryx_engine *engine; /* counted reference */
    memory_map map;      /* address space under instance.memory */
    bool memory_used;    /* it may differ from the image */
    bool memory_wasted;  /* it has so much of its own that it is not worth to be used again */
    coroutine
        coroutine; /* the guest's stack while a run is going on; that of the thread that runs */
    struct threads *threads; /* NULL until the first one is made */
    vfs *files;
    vfs_mounts *mounts;            /* of the embedder, in every tree of files; NULL for none */
    descriptor_share *descriptors; /* for volumes and the network; NULL without both */
    handle_table handles;
    eryx_limits limits;
    limits_state timing; /* fuel, deadline, cancellation of the present run */
    output_buffer output;
    callback_table callbacks;
    run_result result;
    run_state run;
    determinism determinism;
    standard_input input; /* of the present run; besides, because other threads wake it */
    sandbox_state state;
    atomic_flag in_use;       /* held by the thread that is inside a call */
    uint64_t fork_generation; /* of the process that made it */
    bool needs_entropy; /* a copy of another: the next run begins with random numbers of its own */
    struct net *net;    /* NULL without a network */
    struct secrets *secrets;  /* NULL without secrets */
    struct tls_sessions *tls; /* made with its first TLS session */
};

/* What a sandbox gets that is not made of its options. */
typedef struct sandbox_parts {
    vfs_mounts *mounts;      /* in place of those of the options; NULL for these */
    struct net *net;         /* NULL for what the options say */
    struct secrets *secrets; /* the same */
} sandbox_parts;

/* As eryx_sandbox_create(). parts: taken over, also on failure; NULL for none. */
eryx_status sandbox_create(eryx_engine *engine, const eryx_sandbox_options *given,
                           sandbox_parts *parts, eryx_sandbox **out_sandbox, eryx_error *out_error);

/* Makes it one of another engine of the same seeds, whose memory it has now. */
void sandbox_change_engine(eryx_sandbox *sandbox, eryx_engine *engine);

/* Makes a sandbox of the same engine with the same options. Errors as those of
 * eryx_sandbox_create(). */
eryx_status sandbox_create_like(const eryx_sandbox *sandbox, eryx_sandbox **out_sandbox,
                                eryx_error *out_error);

/* Puts the limits into effect that its files and handles have to keep. */
void sandbox_apply_file_limits(eryx_sandbox *sandbox);

/* Frees what the last run kept, and makes room for the next. */
void sandbox_clear_run(eryx_sandbox *sandbox);

/* Whether the next run counts fuel. */
bool sandbox_is_metered(const eryx_sandbox *sandbox);

/* The sandbox that an instance is the first member of. */
static inline eryx_sandbox *sandbox_of(guest_instance *instance)
{
    return (eryx_sandbox *)instance;
}

#endif
