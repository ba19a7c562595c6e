/* Our own mistakes are found where the tests are built for it. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "tls/queue.h"

/* How a process ends that takes more out of a queue than there is. */
static int end_of_mistake(void)
{
    pid_t child = fork();
    if (child == 0) {
        uint8_t bytes[4] = {0};
        tls_queue queue = {0};
        freopen("/dev/null", "w", stderr);
        tls_queue_append(&queue, bytes, sizeof bytes);
        tls_queue_drop(&queue, sizeof bytes + 1);
        tls_queue_clear(&queue);
        _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    return status;
}

static void test_a_mistake_ends_the_process(void)
{
    int status = end_of_mistake();
#ifdef ERYX_ASSERTIONS
    ASSERT(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGABRT);
#else
    ASSERT(WIFEXITED(status));
#endif
}

TEST_MAIN(TEST_CASE(test_a_mistake_ends_the_process))
