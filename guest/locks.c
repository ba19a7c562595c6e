/*
 * Mutexes and conditions of pthread. Where nobody waits they are words in memory; the host is asked
 * where a thread has to wait, and where one does that may go on. They are fair: the first that
 * waits goes first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "host.h"
#include "module.h"
#include "replaced.h"
#include "threads.h"

/* At the start of pthread_mutex_t; all zero is one that is free. */
struct mutex {
    struct thread *owner;
    uint32_t waiters;
    uint32_t recursive;
    uint32_t depth;
};

/* At the start of pthread_cond_t. */
struct condition {
    uint32_t monotonic; /* whether its time limits are of that clock */
    uint32_t waiters;
};

/* pthread_condattr_t: what pthread_condattr_setclock() keeps, by the number of the clock. */
struct condition_attributes {
    uint32_t monotonic;
};

/*
 * The conditions of the interpreter's lock (struct _gil_runtime_state of CPython 3.14.7): of those
 * who wait for it, and of one that lets go of it until another one has taken it.
 */
struct gil {
    struct gil_words words;
    uint32_t switch_number;
    uint32_t condition[12]; /* pthread_cond_t */
    uint32_t mutex[6];      /* pthread_mutex_t */
    uint32_t switch_condition[12];
};

static const struct gil *gil(void)
{
    return (const struct gil *)(const void *)thread_gil;
}

static int is_of_gil(const struct condition *condition)
{
    return thread_gil != NULL && (const void *)condition == (const void *)gil()->condition;
}

static int is_of_switch(const struct condition *condition)
{
    return thread_gil != NULL && (const void *)condition == (const void *)gil()->switch_condition;
}

/* ---- Mutexes ----------------------------------------------------------------------------------
 */

REPLACES int pthread_mutex_init(struct mutex *mutex, const uint32_t *attributes);
int pthread_mutex_init(struct mutex *mutex, const uint32_t *attributes)
{
    enum { TYPE_MASK = 3, RECURSIVE = 1 }; /* libc's */
    *mutex =
        (struct mutex){.recursive = attributes != NULL && (*attributes & TYPE_MASK) == RECURSIVE};
    return 0;
}

REPLACES int pthread_mutex_destroy(struct mutex *mutex);
int pthread_mutex_destroy(struct mutex *mutex)
{
    (void)mutex;
    return 0;
}

REPLACES int pthread_mutex_trylock(struct mutex *mutex);
int pthread_mutex_trylock(struct mutex *mutex)
{
    if (mutex->owner == NULL) {
        mutex->owner = thread_current;
        return 0;
    }
    if (mutex->recursive && mutex->owner == thread_current) {
        mutex->depth++;
        return 0;
    }
    return EBUSY;
}

/* An interrupt does not end the wait, as callers are not prepared for it. */
static int lock_until(struct mutex *mutex, uint64_t deadline_ns)
{
    while (pthread_mutex_trylock(mutex) != 0) {
        mutex->waiters++;
        uint32_t answer = host_thread_wait(mutex, deadline_ns);
        mutex->waiters--;
        if (answer == THREAD_TIMED_OUT) {
            return ETIMEDOUT;
        }
        if (answer == THREAD_DEADLOCK) {
            module_refuse_wait();
        }
    }
    return 0;
}

REPLACES int pthread_mutex_lock(struct mutex *mutex);
int pthread_mutex_lock(struct mutex *mutex)
{
    return lock_until(mutex, THREAD_WAITS_FOR_EVER);
}

REPLACES int pthread_mutex_timedlock(struct mutex *mutex, const struct timespec *until);
int pthread_mutex_timedlock(struct mutex *mutex, const struct timespec *until)
{
    return lock_until(mutex, thread_deadline(0, until));
}

REPLACES int pthread_mutex_unlock(struct mutex *mutex);
int pthread_mutex_unlock(struct mutex *mutex)
{
    if (mutex->depth > 0) {
        mutex->depth--;
        return 0;
    }
    mutex->owner = NULL;
    if (mutex->waiters > 0) {
        host_thread_wake(mutex, 1);
    }
    return 0;
}

/* ---- Conditions -------------------------------------------------------------------------------
 */

REPLACES int pthread_cond_init(struct condition *condition,
                               const struct condition_attributes *attributes);
int pthread_cond_init(struct condition *condition, const struct condition_attributes *attributes)
{
    *condition = (struct condition){.monotonic = attributes != NULL && attributes->monotonic != 0};
    return 0;
}

REPLACES int pthread_cond_destroy(struct condition *condition);
int pthread_cond_destroy(struct condition *condition)
{
    (void)condition;
    return 0;
}

static int wait_until(struct condition *condition, struct mutex *mutex, uint64_t deadline_ns)
{
    pthread_mutex_unlock(mutex);
    condition->waiters++;
    int result = thread_wait(condition, deadline_ns);
    condition->waiters--;
    pthread_mutex_lock(mutex);
    return result == ETIMEDOUT ? ETIMEDOUT : 0; /* else callers look whether it is time */
}

/*
 * Who lets go of the interpreter's lock on demand waits here until another one has taken it. There
 * may be none that wants it now, for all that the host knows of those that wait outside: so it
 * gives way, and takes the lock again if nobody has.
 */
static void give_way(struct mutex *mutex)
{
    pthread_mutex_unlock(mutex);
    host_thread_give_way(0);
    pthread_mutex_lock(mutex);
}

/* The turns of those that wait for the interpreter's lock are given by the host: no time limit, and
 * an order that no clock has a part in. A thread that is to stop takes it all the same. */
static void wait_for_gil(struct condition *condition, struct mutex *mutex)
{
    pthread_mutex_unlock(mutex);
    condition->waiters++;
    if (host_thread_wait(condition, THREAD_WAITS_FOR_EVER) == THREAD_DEADLOCK) {
        module_refuse_wait();
    }
    condition->waiters--;
    pthread_mutex_lock(mutex);
}

REPLACES int pthread_cond_wait(struct condition *condition, struct mutex *mutex);
int pthread_cond_wait(struct condition *condition, struct mutex *mutex)
{
    if (is_of_switch(condition)) {
        give_way(mutex);
        return 0;
    }
    return wait_until(condition, mutex, THREAD_WAITS_FOR_EVER);
}

REPLACES int pthread_cond_timedwait(struct condition *condition, struct mutex *mutex,
                                    const struct timespec *until);
int pthread_cond_timedwait(struct condition *condition, struct mutex *mutex,
                           const struct timespec *until)
{
    if (is_of_gil(condition)) {
        wait_for_gil(condition, mutex);
        return 0;
    }
    return wait_until(condition, mutex, thread_deadline((int)condition->monotonic, until));
}

REPLACES int pthread_cond_signal(struct condition *condition);
int pthread_cond_signal(struct condition *condition)
{
    if (condition->waiters > 0) {
        host_thread_wake(condition, 1);
    }
    return 0;
}

REPLACES int pthread_cond_broadcast(struct condition *condition);
int pthread_cond_broadcast(struct condition *condition)
{
    if (condition->waiters > 0) {
        host_thread_wake(condition, UINT32_MAX);
    }
    return 0;
}
