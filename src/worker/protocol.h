/*
 * What the parent and a worker say to each other.
 *
 * Each sandbox has a socket of its own, so that one never waits for another. The parent asks
 * questions, which it numbers from 1 on, and the worker answers them in that order with
 * WORKER_ANSWER; and it begins runs, which have numbers of their own, and gets their events. What
 * is about a run that is over is left alone by both.
 *
 * The parent parses what comes as it would what a guest says: a worker may have been taken over by
 * its guest. The worker refuses what is malformed by closing the socket.
 */
#ifndef ERYX_WORKER_PROTOCOL_H
#define ERYX_WORKER_PROTOCOL_H

#include "worker/message.h"

/* In order: what comes before WORKER_ANSWER goes to the worker, the rest to the parent. */
typedef enum worker_kind {
    /* Questions. */
    WORKER_CREATE = 1, /* engine u64, limits, whether it is deterministic bool, and how (seed, start
                        * and tick u64), how much is mounted u32, and that (service.h); with the
                        * socket for it, unless it is nothing */
    WORKER_RESET,      /* placeholders of secrets, none without */
    WORKER_SET_LIMITS, /* limits */
    WORKER_FORK,       /* nothing; with the socket of the fork */
    WORKER_CHECKPOINT, /* the answer's value names it */
    WORKER_ROLLBACK,   /* checkpoint u64 */
    WORKER_FORGET,     /* checkpoint u64 */
    WORKER_SAVE,       /* nothing; with a file to write to */
    WORKER_LOAD,       /* name text; with a file to read */
    WORKER_OPEN,       /* to the worker itself: the socket of a sandbox comes along. No answer. */
    WORKER_NETWORK,  /* before WORKER_CREATE, and after a fork to the fork: what it has of a network
                      * and secrets (served_network.c); with the socket for the former */
    WORKER_OVERLAY,  /* guest path text, discards bool: the answer comes after WORKER_CHANGES, which
                      * says what there was */
    WORKER_DERIVE,   /* engine u64, most u64, frozen bytes, packages bytes: an engine of that number
                      */
    WORKER_ADVANCE,  /* nanoseconds u64, by which the clock of a deterministic sandbox moves on */
    WORKER_FIX_SEED, /* nothing */

    /* About the run of that number. */
    WORKER_BEGIN,       /* run options */
    WORKER_INPUT,       /* bytes of standard input; none for its end */
    WORKER_RETURN,      /* call u32, JSON bytes */
    WORKER_RAISE,       /* call u32, type text, message text */
    WORKER_TOLD,        /* an answer about files of a provider */
    WORKER_MAY_CONNECT, /* bool */
    WORKER_GO,          /* nothing: the guest may go on after a call or such a question */
    WORKER_MOVE_CLOCK,  /* as WORKER_ADVANCE, while the guest waits for an answer */
    WORKER_CANCEL,      /* nothing */

    /* Of the worker. */
    WORKER_ANSWER,  /* status u32, message text, value u64 */
    WORKER_CHANGES, /* of an overlay: what has changed of files */
    WORKER_REFUSED, /* the run did not begin: status u32, message text */
    WORKER_OUTPUT,  /* stream u32, bytes */
    WORKER_CALL,    /* call u32, name bytes, arguments bytes; the guest waits for WORKER_GO */
    WORKER_EXPIRED, /* call u32 */
    WORKER_TRACE,   /* JSON bytes */
    WORKER_FILES,   /* question u32, provider u32, operation u32, path text, new path text, bytes;
                     * the guest waits for WORKER_GO */
    WORKER_CONNECT, /* nothing: the embedder is to be asked; the guest waits for WORKER_GO */
    WORKER_WANTS_INPUT, /* how many bytes u32 */
    WORKER_DONE,        /* result */

    WORKER_KIND_COUNT,
} worker_kind;

/* Longest text of a failure. */
#define PROTOCOL_TEXT_MAX ((size_t)4096)

/* Largest piece of output in one message. */
#define PROTOCOL_OUTPUT_MAX ((size_t)64 << 10)

/* Contents of changed files that go along with a result, together. */
#define PROTOCOL_FILES_MAX ((size_t)64 << 20)

/* Largest piece of standard input that is asked for. */
#define PROTOCOL_INPUT_MAX ((size_t)64 << 10)

/* What a run is begun with; points into the message that it was read from, but for arguments. */
typedef struct protocol_run {
    eryx_run_options options;
    bool asks_for_input;    /* standard input comes as WORKER_INPUT */
    bool streams;           /* the parent wants output while it is written */
    const char **arguments; /* owned; freed with protocol_run_free() */
} protocol_run;

/* What the embedder has answered about files of a provider; points into the message that it was
 * read from, but for entries. */
typedef struct protocol_files {
    uint32_t id;
    eryx_files_answer answer;
    eryx_files_entry *entries; /* owned; freed with protocol_files_free() */
} protocol_files;

void protocol_put_files(message_writer *writer, uint32_t id, const eryx_files_answer *answer);

/* False if it is malformed or there is no memory; nothing to free then. */
bool protocol_get_files(message_reader *reader, protocol_files *out_files);
void protocol_files_free(protocol_files *files);

/* Limits, all of them. */
void protocol_put_limits(message_writer *writer, const eryx_limits *limits);
void protocol_get_limits(message_reader *reader, eryx_limits *out_limits);

/* What makes a sandbox deterministic; NULL for one that is not. */
void protocol_put_deterministic(message_writer *writer, const eryx_deterministic *given);

/* False for one that is not; out_given is set in any case. */
bool protocol_get_deterministic(message_reader *reader, eryx_deterministic *out_given);

/* What eryx_run_begin() takes, without the descriptor. */
void protocol_put_run(message_writer *writer, const eryx_run_options *options, bool asks_for_input);

/* False if it is malformed or there is no memory; nothing to free then. */
bool protocol_get_run(message_reader *reader, protocol_run *out_run);
void protocol_run_free(protocol_run *run);

/* A result with what has changed of files; is_broken: the sandbox has to be reset. Connections are
 * not in it. */
void protocol_put_result(message_writer *writer, const eryx_result *result, bool is_broken);

/* One of the files that a run has changed; what it refers to is a part of the message. */
typedef struct protocol_change {
    const char *path;
    eryx_change_kind change;
    eryx_storage_kind kind;
    uint64_t size;
    eryx_bytes contents; /* no data of what has none, or more than goes into a message */
} protocol_change;

typedef struct protocol_result {
    eryx_result result;
    bool is_broken;
    protocol_change *changes; /* owned; freed with protocol_result_free() */
    uint32_t change_count;
    bool changes_truncated;
} protocol_result;

/* What has changed of files; changes: NULL for nothing. */
void protocol_put_changes(message_writer *writer, const eryx_changes *changes);

/* The same, read as what a guest may have made up, into what is about changes in a result. False,
 * and nothing to free, if it is not that, and nothing else. */
bool protocol_get_changes(message_reader *reader, protocol_result *out_result);

/*
 * Reads a result as something that a guest may have made up: its sizes are held against the limits,
 * its status is one that a run can end with. Bytes point into the message. False, and nothing to
 * free, if it is not one.
 */
bool protocol_get_result(message_reader *reader, const eryx_limits *limits,
                         uint64_t max_display_bytes, protocol_result *out_result);
void protocol_result_free(protocol_result *result);

/* The largest payload that a worker may send about a sandbox with these limits. */
size_t protocol_largest(const eryx_limits *limits, uint64_t max_display_bytes);

#endif
