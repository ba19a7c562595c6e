/* Threads of the host, each with guests that have threads; ThreadSanitizer runs this one. */
#include <pthread.h>

#include "live.h"

static void *run_some(void *unused)
{
    (void)unused;
    static const char program[] = "import threading, queue\n"
                                  "q, n, lock = queue.Queue(), 0, threading.Lock()\n"
                                  "def work():\n"
                                  "    global n\n"
                                  "    while (x := q.get()) is not None:\n"
                                  "        with lock: n += x\n"
                                  "threads = [threading.Thread(target=work) for _ in range(16)]\n"
                                  "for t in threads: t.start()\n"
                                  "for i in range(320): q.put(i)\n"
                                  "for t in threads: q.put(None)\n"
                                  "for t in threads: t.join()\n"
                                  "print(n)\n";
    static const char expected[] = "51040\n";
    for (int i = 0; i < 3; i++) {
        eryx_sandbox *sandbox = live_create(NULL);
        eryx_run_options options = live_program(program);
        options.keep_state = i == 1;
        const eryx_result *result;
        ASSERT_EQ(eryx_execute(sandbox, &options, &result, NULL), ERYX_OK);
        ASSERT_EQ_U(result->standard_output.size, sizeof expected - 1);
        ASSERT_EQ(memcmp(result->standard_output.data, expected, sizeof expected - 1), 0);
        eryx_sandbox_destroy(sandbox);
    }
    return NULL;
}

static void test_eight_of_them_with_sixteen_each(void)
{
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) {
        ASSERT_EQ(pthread_create(&threads[i], NULL, run_some, NULL), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        ASSERT_EQ(pthread_join(threads[i], NULL), 0);
    }
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(test_eight_of_them_with_sixteen_each),
          TEST_CASE(live_close))
