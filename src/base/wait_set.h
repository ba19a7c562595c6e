/*
 * What the host waits for in one go: an epoll set, in which there is also an event by which other
 * threads end the wait.
 *
 * Both descriptors are made when they are first needed and counted. Threads: the one that uses the
 * sandbox, but for wait_set_wake().
 */
#ifndef ERYX_BASE_WAIT_SET_H
#define ERYX_BASE_WAIT_SET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/descriptors.h"

/* Tag of the event in the set, which no other descriptor may have. */
#define WAIT_SET_TAG UINT64_MAX

typedef struct wait_set {
    pthread_mutex_t lock; /* guards wake_fd, which other threads write to */
    int wake_fd;          /* eventfd in the set; -1 for none */
    int epoll_fd;         /* -1 for none */
} wait_set;

/* An empty set without descriptors. */
void wait_set_init(wait_set *set);

/* Its epoll descriptor, made if there is none; -1 if it can't be. share: what the descriptors are
 * counted to, NULL for the process only; the same for wait_set_close(). */
int wait_set_open(wait_set *set, descriptor_share *share);

/* Ends the present wait, or else the next. Threads: any. */
void wait_set_wake(wait_set *set);

/* Takes the event back that has ended a wait. */
void wait_set_take_wake(wait_set *set);

/* Closes the descriptors. is_ours: false in the child of the process that made them, where a
 * thread that is not there any more may hold the lock. */
void wait_set_close(wait_set *set, descriptor_share *share, bool is_ours);

/* Undoes wait_set_init() of a set that is closed. */
void wait_set_destroy(wait_set *set);

#endif
