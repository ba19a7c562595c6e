/*
 * Bytes that wait: appended at one end, taken at the other.
 */
#ifndef ERYX_TLS_QUEUE_H
#define ERYX_TLS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"

/* An empty one that is larger than this gives its memory back. */
#define TLS_QUEUE_KEPT_BYTES ((size_t)32 << 10)

typedef struct tls_queue {
    uint8_t *data; /* owned; freed with tls_queue_clear() */
    size_t begin;  /* first byte that waits */
    size_t end;    /* one past the last */
    size_t capacity;
} tls_queue;

static inline size_t tls_queue_size(const tls_queue *queue)
{
    return queue->end - queue->begin;
}

static inline void tls_queue_clear(tls_queue *queue)
{
    free(queue->data);
    *queue = (tls_queue){.data = NULL};
}

/* Appends all of the bytes, or none and gives false without memory. */
static inline bool tls_queue_append(tls_queue *queue, const uint8_t *bytes, size_t size)
{
    size_t waiting = tls_queue_size(queue);
    if (size > SIZE_MAX / 2 - waiting) {
        return false;
    }
    if (size > queue->capacity - queue->end && queue->begin > 0) {
        memmove(queue->data, queue->data + queue->begin, waiting);
        queue->begin = 0;
        queue->end = waiting;
    }
    if (size > queue->capacity - queue->end) {
        size_t capacity = waiting + size < 4096 ? 4096 : (waiting + size) * 2;
        uint8_t *grown = realloc(queue->data, capacity);
        if (grown == NULL) {
            return false;
        }
        queue->data = grown;
        queue->capacity = capacity;
    }
    if (size > 0) {
        memcpy(queue->data + queue->end, bytes, size);
        queue->end += size;
    }
    return true;
}

/* Forgets the first bytes. size: at most as many as wait. */
static inline void tls_queue_drop(tls_queue *queue, size_t size)
{
    eryx_assert(size <= tls_queue_size(queue));
    queue->begin += size;
    if (queue->begin == queue->end) {
        queue->begin = queue->end = 0;
        if (queue->capacity > TLS_QUEUE_KEPT_BYTES) {
            tls_queue_clear(queue);
        }
    }
}

/* Takes the first bytes: how many. */
static inline size_t tls_queue_take(tls_queue *queue, uint8_t *buffer, size_t room)
{
    size_t waiting = tls_queue_size(queue);
    size_t size = waiting < room ? waiting : room;
    if (size > 0) {
        memcpy(buffer, queue->data + queue->begin, size);
        tls_queue_drop(queue, size);
    }
    return size;
}

#endif
