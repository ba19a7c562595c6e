/* The thread that answers what a worker asks for. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "worker/served.h"
#include "worker/servant.h"

/* The owners that the test has: more than a thread takes from it by mistake. */
#define OWNERS ((size_t)100000000)

static served *make_served(void)
{
    served *made = NULL;
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    ASSERT(served_create(&options, &made, NULL) == ERYX_OK);
    atomic_store(&made->references, OWNERS);
    return made;
}

static bool has_ended(served *self)
{
    pthread_mutex_lock(&self->lock);
    const bool ended = self->channel.fd < 0;
    pthread_mutex_unlock(&self->lock);
    return ended;
}

/* Until the thread has given up what it owned. */
static void wait_for_end(served *self)
{
    while (!has_ended(self) || atomic_load(&self->references) > OWNERS) {
        usleep(100);
    }
}

/* A child of fork() has the socket as well, so that closing it here does not take it out of the
 * epoll set: the thread would hear of its end again and again, and give up what it does not own. */
static void test_what_has_ended_is_ended_once_while_a_child_has_its_socket(void)
{
    int ends[2];
    int later[2];
    served *first = make_served();
    served *second = make_served();
    worker_servant *servant = worker_servant_create();
    ASSERT(servant != NULL);
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    ASSERT(worker_servant_add(servant, first, ends[0], NULL) == ERYX_OK);
    const pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            pause();
        }
    }
    ASSERT(child > 0);
    ASSERT(shutdown(ends[1], SHUT_RDWR) == 0);
    wait_for_end(first);
    ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, later) == 0);
    /* The thread has looked for events since: it has taken this one. */
    ASSERT(worker_servant_add(servant, second, later[0], NULL) == ERYX_OK);
    close(later[1]);
    wait_for_end(second);
    ASSERT(atomic_load(&first->references) == OWNERS);
    ASSERT(atomic_load(&second->references) == OWNERS);

    worker_servant_destroy(servant);
    ASSERT(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    close(ends[1]);
    atomic_store(&first->references, 1);
    atomic_store(&second->references, 1);
    served_release(first);
    served_release(second);
}

TEST_MAIN(TEST_CASE(test_what_has_ended_is_ended_once_while_a_child_has_its_socket))
