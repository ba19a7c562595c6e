/* What guests may take of the descriptors of the process: all of them together, and each. */
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#include "base/descriptors.h"
#include "eryx/eryx.h"
#include "test.h"

static void set_system_limit(rlim_t limit)
{
    struct rlimit now;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &now), 0);
    now.rlim_cur = limit;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
}

/* Takes one after the other until that fails, and gives how many there were. */
static size_t take_all(descriptor_share *share, int *out_error)
{
    size_t count = 0;
    while ((*out_error = descriptors_take(share, 1)) == 0) {
        count++;
    }
    return count;
}

/* Half of what the process may have is for all guests, a sixteenth for each. */
static void test_limits_of_the_system(void)
{
    set_system_limit(800);
    int error;
    descriptor_share *shares[9];
    for (int i = 0; i < 9; i++) {
        shares[i] = descriptors_share_create();
        ASSERT_EQ_U(take_all(shares[i], &error), i < 8 ? 50 : 0);
        ASSERT_EQ(error, i < 8 ? EMFILE : ENFILE);
    }
    ASSERT_EQ(descriptors_take(NULL, 1), ENFILE);
    descriptors_give(shares[0], 1);
    ASSERT_EQ(descriptors_take(shares[1], 1), EMFILE);
    ASSERT_EQ(descriptors_take(shares[8], 1), 0);
    ASSERT_EQ(descriptors_take(shares[8], 1), ENFILE);
    descriptors_give(shares[8], 1);
    descriptors_give(shares[0], 49);
    for (int i = 1; i < 8; i++) {
        descriptors_give(shares[i], 50);
    }
    for (int i = 0; i < 9; i++) {
        descriptors_share_release(shares[i]);
    }
    descriptors_share_release(NULL);
    ASSERT_NULL(descriptors_share_retain(NULL));
}

static void test_bounds_of_a_share(void)
{
    int error;
    set_system_limit(100);
    descriptor_share *share = descriptors_share_create();
    ASSERT_EQ_U(take_all(share, &error), 16);
    descriptors_give(share, 16);
    descriptors_share_release(share);
    struct rlimit most;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &most), 0);
    if (most.rlim_max >= 20000) {
        set_system_limit(20000);
        share = descriptors_share_create();
        ASSERT_EQ_U(take_all(share, &error), 1024);
        descriptors_give(share, 1024);
        descriptors_share_release(share);
    }
}

/* All or nothing, and no wrap-around. */
static void test_several_at_once(void)
{
    set_system_limit(320);
    descriptor_share *share = descriptors_share_create();
    ASSERT_EQ(descriptors_take(share, 21), EMFILE);
    ASSERT_EQ(descriptors_take(share, SIZE_MAX), EMFILE);
    ASSERT_EQ(descriptors_take(share, 20), 0);
    ASSERT_EQ(descriptors_take(share, 1), EMFILE);
    ASSERT_EQ(descriptors_take(NULL, SIZE_MAX), ENFILE);
    ASSERT_EQ(descriptors_take(NULL, 141), ENFILE);
    ASSERT_EQ(descriptors_take(NULL, 140), 0);
    descriptors_give(NULL, 140);
    descriptors_give(share, 20);
    descriptors_share_release(share);
}

static void test_limits_of_the_embedder(void)
{
    int error;
    set_system_limit(320);
    eryx_set_descriptor_limits(5, 3);
    descriptor_share *share = descriptors_share_create();
    descriptor_share *other = descriptors_share_create();
    ASSERT_EQ_U(take_all(share, &error), 3);
    ASSERT_EQ(error, EMFILE);
    ASSERT_EQ_U(take_all(other, &error), 2);
    ASSERT_EQ(error, ENFILE);
    eryx_set_descriptor_limits(0, 0);
    ASSERT_EQ_U(take_all(other, &error), 1); /* it keeps its own, all others may take more */
    ASSERT_EQ(error, EMFILE);
    descriptors_give(share, 3);
    descriptors_give(other, 3);
    descriptors_share_release(share);
    descriptors_share_release(other);
}

static void *take_and_give(void *argument)
{
    for (int i = 0; i < 20000; i++) {
        if (descriptors_take(argument, 1) == 0) {
            descriptors_give(argument, 1);
        }
    }
    return NULL;
}

static void test_threads(void)
{
    int error;
    set_system_limit(320);
    descriptor_share *share = descriptors_share_create();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        ASSERT_EQ(pthread_create(&threads[i], NULL, take_and_give, share), 0);
    }
    for (int i = 0; i < 4; i++) {
        ASSERT_EQ(pthread_join(threads[i], NULL), 0);
    }
    ASSERT_EQ_U(take_all(share, &error), 20);
    descriptors_give(share, 20);
    descriptors_share_release(share);
}

TEST_MAIN(TEST_CASE(test_limits_of_the_system), TEST_CASE(test_bounds_of_a_share),
          TEST_CASE(test_several_at_once), TEST_CASE(test_limits_of_the_embedder),
          TEST_CASE(test_threads))
