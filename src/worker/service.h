/*
 * What a sandbox in a worker has that stays with its parent: files of volumes and storages, and the
 * network. The worker asks, and waits for the answer; the parent does it, as it would for a guest
 * of its own.
 *
 * Each sandbox that has such things gets a second socket. A question is a message, numbered from 1
 * on; its answer is SERVICE_ANSWER with the same number. SERVICE_RELEASE and SERVICE_CLOCK have no
 * answer. The parent checks each question as what a guest says: numbers are those that it has
 * given, names are plain, and what is not allowed is refused whatever the worker thinks of it.
 */
#ifndef ERYX_WORKER_SERVICE_H
#define ERYX_WORKER_SERVICE_H

#include "net/far.h"
#include "worker/message.h"

/* Answers of questions about files begin with a u8: an error of vfs.h plus one, 0 for none. */
typedef enum service_kind {
    SERVICE_ANSWER = 1, /* of the parent */
    SERVICE_NOTHING,    /* nothing: what was said before is done when the answer comes */
    SERVICE_RELEASE,    /* node u32, times u32 that it was given. No answer. */
    SERVICE_FIND,       /* directory u32, name bytes: a node */
    SERVICE_PARENT,     /* directory u32: a node */
    SERVICE_STAT,       /* node u32: status */
    SERVICE_LIST,       /* directory u32, cursor u64: entries */
    SERVICE_READ,       /* node u32, offset u64, size u32: bytes */
    SERVICE_WRITE,      /* node u32, offset u64, bytes: how many u32 */
    SERVICE_SET_SIZE,   /* node u32, size u64 */
    SERVICE_OPEN,       /* node u32, flags u32 */
    SERVICE_SET_TIMES,  /* node u32, two times */
    SERVICE_SET_MODE,   /* node u32, mode u32 */
    SERVICE_MAKE,       /* directory u32, name bytes, type u32, target bytes: a node */
    SERVICE_LINK,       /* directory u32, name bytes, node u32 */
    SERVICE_REMOVE,     /* directory u32, name bytes, node u32 */
    SERVICE_RENAME,     /* directory u32, name bytes, node u32, directory u32, name bytes, is
                         * replaced bool, node u32 */
    SERVICE_CLOCK,      /* nanoseconds since 1970 u64: what the next questions change in storages
                         * is stamped with. No answer. */
    SERVICE_LAST_FOR_FILES, /* no message */
    SERVICE_NETWORK,        /* net_far_question; its answer is net_far_answer */
} service_kind;

/* Whether the parent answers a message of that kind. */
static inline bool service_has_answer(uint32_t kind)
{
    return kind != SERVICE_RELEASE && kind != SERVICE_CLOCK;
}

/* What is mounted in a sandbox, as the parent describes it when one is made: path text, kind u32,
 * read-only bool, number u32 (of a provider; else the type of the root), storage u32 (the first
 * source with the same), cache u64 ns. */
typedef enum service_source {
    SERVICE_VOLUME,
    SERVICE_OVERLAY,
    SERVICE_STORAGE,
    SERVICE_PROVIDER,
} service_source;

/* Most bytes that one question reads or writes. */
#define SERVICE_DATA_MAX ((size_t)1 << 20)

/* Largest payload of a question, and of an answer. */
#define SERVICE_MESSAGE_MAX (SERVICE_DATA_MAX + 65536)

/* Entries of a directory that one answer has at most. */
#define SERVICE_ENTRIES_MAX 128

/* A question about the network and its answer (net/far.h), as parts of a message. What is read
 * points into the message; false if it is malformed. */
void service_put_question(message_writer *writer, const net_far_question *question);
bool service_get_question(message_reader *reader, net_far_question *out_question);
void service_put_answer(message_writer *writer, const net_far_answer *answer);
bool service_get_answer(message_reader *reader, net_far_answer *out_answer);

/* How long a worker waits for an answer; its parent is gone then. */
#define SERVICE_PATIENCE_MS 60000

#endif
