/* Systems that do not count page faults as the counting must be are noticed. */
#include <errno.h>
#include <sys/resource.h>

#include "test.h"

/* What getrusage() says of the faults, of those that there are. */
static enum { ALL, NONE, HALF, OF_ONE, REFUSED } played;

static int play_getrusage(int who, struct rusage *out_usage)
{
    if (played == REFUSED) {
        errno = EPERM;
        return -1;
    }
    int status = getrusage((__rusage_who_t)who, out_usage);
    if (played == NONE) {
        out_usage->ru_minflt = 7;
    } else if (played == HALF) {
        out_usage->ru_minflt /= 2;
    } else if (played == OF_ONE) {
        static long count;
        out_usage->ru_minflt = count++;
    }
    return status;
}

#define getrusage(who, usage) play_getrusage(who, usage)
#include "../../src/machine/page_faults.c"
#undef getrusage

static void test_all_that_is_needed_is_counted(void)
{
    played = ALL;
    ASSERT(try_all()); /* of every Linux */
}

static void test_systems_that_count_less_are_noticed(void)
{
    played = NONE;
    ASSERT(!try_all());
    played = HALF;
    ASSERT(!try_all());
    played = OF_ONE;
    ASSERT(!try_all());
}

static void test_a_system_that_does_not_tell_is_noticed(void)
{
    uint64_t count = 5;
    played = REFUSED;
    ASSERT(!try_all());
    ASSERT(!page_faults_count(&count));
    ASSERT_EQ_U(count, 5);
}

static void test_it_is_tried_once(void)
{
    played = NONE;
    ASSERT(!page_faults_are_counted());
    played = ALL;
    ASSERT(!page_faults_are_counted());
}

TEST_MAIN(TEST_CASE(test_all_that_is_needed_is_counted),
          TEST_CASE(test_systems_that_count_less_are_noticed),
          TEST_CASE(test_a_system_that_does_not_tell_is_noticed), TEST_CASE(test_it_is_tried_once))
