#include "base/wait_set.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Descriptors that a set takes. */
#define DESCRIPTOR_COUNT 2u

void wait_set_init(wait_set *set)
{
    pthread_mutex_init(&set->lock, NULL);
    set->wake_fd = -1;
    set->epoll_fd = -1;
}

int wait_set_open(wait_set *set, descriptor_share *share)
{
    if (set->epoll_fd >= 0) {
        return set->epoll_fd;
    }
    if (descriptors_take(share, DESCRIPTOR_COUNT) != 0) {
        return -1;
    }
    int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int made = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAIT_SET_TAG};
    if (wake < 0 || made < 0 || epoll_ctl(made, EPOLL_CTL_ADD, wake, &event) != 0) {
        goto fail;
    }
    pthread_mutex_lock(&set->lock);
    set->wake_fd = wake;
    pthread_mutex_unlock(&set->lock);
    set->epoll_fd = made;
    return made;
fail:
    if (made >= 0) {
        close(made);
    }
    if (wake >= 0) {
        close(wake);
    }
    descriptors_give(share, DESCRIPTOR_COUNT);
    return -1;
}

void wait_set_wake(wait_set *set)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&set->lock);
    if (set->wake_fd >= 0) {
        /* It can only fail when it is full, and then it is readable as well. */
        ssize_t written = write(set->wake_fd, &one, sizeof one);
        (void)written;
    }
    pthread_mutex_unlock(&set->lock);
}

void wait_set_take_wake(wait_set *set)
{
    uint64_t count;
    ssize_t got = read(set->wake_fd, &count, sizeof count);
    (void)got;
}

void wait_set_close(wait_set *set, descriptor_share *share, bool is_ours)
{
    if (is_ours) {
        pthread_mutex_lock(&set->lock);
    }
    int wake = set->wake_fd;
    set->wake_fd = -1;
    if (is_ours) {
        pthread_mutex_unlock(&set->lock);
    }
    if (set->epoll_fd >= 0) {
        close(wake);
        close(set->epoll_fd);
        set->epoll_fd = -1;
        descriptors_give(share, DESCRIPTOR_COUNT);
    }
}

void wait_set_destroy(wait_set *set)
{
    pthread_mutex_destroy(&set->lock);
}
