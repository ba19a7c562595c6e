#include "worker/servant.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/forks.h"
#include "base/status.h"
#include "base/wait_set.h"
#include "worker/served.h"

enum {
    EVENT_COUNT = 32,
    STACK_BYTES = 512 << 10,
};

struct worker_servant {
    uint64_t fork_generation;
    pthread_mutex_t lock; /* of what follows */
    wait_set waiting;
    served *first; /* counted, all of them */
    bool has_thread;
    bool is_ending;
};

worker_servant *worker_servant_create(void)
{
    worker_servant *servant = calloc(1, sizeof *servant);
    if (servant != NULL) {
        servant->fork_generation = forks_generation();
        pthread_mutex_init(&servant->lock, NULL);
        wait_set_init(&servant->waiting);
    }
    return servant;
}

static void free_servant(worker_servant *servant)
{
    wait_set_close(&servant->waiting, NULL, true);
    wait_set_destroy(&servant->waiting);
    pthread_mutex_destroy(&servant->lock);
    free(servant);
}

void worker_servant_destroy(worker_servant *servant)
{
    if (servant == NULL || servant->fork_generation != forks_generation()) {
        return; /* in a child: the thread, which may hold the lock, is not here */
    }
    pthread_mutex_lock(&servant->lock);
    const bool has_thread = servant->has_thread;
    servant->is_ending = true;
    if (has_thread) {
        wait_set_wake(&servant->waiting); /* the thread frees it */
    }
    pthread_mutex_unlock(&servant->lock);
    if (!has_thread) {
        free_servant(servant);
    }
}

/* ---- The thread -------------------------------------------------------------------------------
 */

/* Takes one out and ends it. */
static void remove_served(worker_servant *servant, served *removed)
{
    pthread_mutex_lock(&servant->lock);
    for (served **link = &servant->first; *link != NULL; link = &(*link)->next) {
        if (*link == removed) {
            *link = removed->next;
            break;
        }
    }
    pthread_mutex_unlock(&servant->lock);
    /* Closing is not enough: a child of this process may have the socket as well. */
    epoll_ctl(servant->waiting.epoll_fd, EPOLL_CTL_DEL, removed->channel.fd, NULL);
    served_end(removed);
    served_release(removed);
}

static void go_on(worker_servant *servant, served *self)
{
    const served_state state = served_go_on(self);
    if (state == SERVED_HAS_ENDED) {
        remove_served(servant, self);
        return;
    }
    /* Who has more questions here already is looked at again at once: the socket takes more. */
    struct epoll_event event = {.events = state == SERVED_WAITS ? EPOLLIN : EPOLLOUT,
                                .data.u64 = (uintptr_t)self};
    if (state != SERVED_WAITS || self->waits_for_room) {
        epoll_ctl(servant->waiting.epoll_fd, EPOLL_CTL_MOD, self->channel.fd, &event);
    }
    self->waits_for_room = state != SERVED_WAITS;
}

static bool is_ending(worker_servant *servant)
{
    pthread_mutex_lock(&servant->lock);
    const bool ending = servant->is_ending;
    pthread_mutex_unlock(&servant->lock);
    return ending;
}

static void *serve(void *argument)
{
    worker_servant *servant = argument;
    while (!is_ending(servant)) {
        struct epoll_event events[EVENT_COUNT];
        const int count = epoll_wait(servant->waiting.epoll_fd, events, EVENT_COUNT, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 == WAIT_SET_TAG) {
                wait_set_take_wake(&servant->waiting);
            } else {
                go_on(servant, (served *)(uintptr_t)events[i].data.u64);
            }
        }
    }
    while (servant->first != NULL) {
        remove_served(servant, servant->first);
    }
    free_servant(servant);
    return NULL;
}

/* Signals are for the threads of the embedder. */
static int start_thread(worker_servant *servant)
{
    sigset_t all;
    sigset_t before;
    pthread_attr_t attributes;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, serve, servant);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

/* ---- Adding -----------------------------------------------------------------------------------
 */

/* The lock is held. 0 or an errno. */
static int add_locked(worker_servant *servant, served *added)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uintptr_t)added};
    const int epoll = wait_set_open(&servant->waiting, NULL);
    if (epoll < 0) {
        return EMFILE;
    }
    if (!servant->has_thread) {
        const int error = start_thread(servant);
        if (error != 0) {
            return error;
        }
        servant->has_thread = true;
    }
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, added->channel.fd, &event) != 0) {
        return errno;
    }
    added->next = servant->first;
    servant->first = served_retain(added);
    return 0;
}

eryx_status worker_servant_add(worker_servant *servant, served *added, int fd,
                               eryx_error *out_error)
{
    channel_open(&added->channel, fd, SERVICE_MESSAGE_MAX);
    pthread_mutex_lock(&servant->lock);
    const int error = servant->is_ending ? ESRCH : add_locked(servant, added);
    pthread_mutex_unlock(&servant->lock);
    if (error != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "no thread to do what a worker process asks for: %s", strerror(error));
    }
    return ERYX_OK;
}
