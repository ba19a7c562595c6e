/* What the kernel says about pressure, made up: files and time are those of this test. */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static const char *of_group; /* what the files say; NULL if there is none */
static const char *of_system;
static int looks;
static time_t seconds;

static int open_text(const char *path)
{
    const char *text = strstr(path, "cgroup") != NULL ? of_group : of_system;
    looks += strstr(path, "cgroup") != NULL;
    int ends[2];
    if (text == NULL || pipe(ends) != 0) {
        return -1;
    }
    ASSERT_EQ(write(ends[1], text, strlen(text)), (int64_t)strlen(text));
    close(ends[1]);
    return ends[0];
}

static void tell_time(struct timespec *out_time)
{
    *out_time = (struct timespec){.tv_sec = seconds};
}

#define open(path, flags) open_text(path)
#define clock_gettime(clock, out_time) tell_time(out_time)
#include "../../src/machine/memory_pressure.c"
#undef open
#undef clock_gettime

static bool ask(const char *group, const char *system)
{
    of_group = group;
    of_system = system;
    seconds += 10;
    return memory_is_short();
}

static void test_who_tells(void)
{
    static const char calm[] = "some avg10=9.99 avg60=50.00 avg300=0.00 total=7\nfull avg10=0.00 ";
    static const char tense[] = "some avg10=10.00 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 ";
    ASSERT(!ask(NULL, NULL));
    ASSERT(!ask(NULL, calm));
    ASSERT(ask(NULL, tense));
    ASSERT(ask(NULL, "some avg10=100.00 avg60=0.00"));
    ASSERT(!ask(calm, tense)); /* what the group has is its own */
    ASSERT(ask(tense, calm));
    ASSERT(ask("", tense));
    ASSERT(!ask("", "nonsense"));
    ASSERT(!ask("some avg10=", "some"));
}

static void test_it_is_asked_now_and_then(void)
{
    ASSERT(ask("some avg10=50.00", NULL));
    int before = looks;
    for (int i = 0; i < 100; i++) {
        of_group = "some avg10=0.00";
        ASSERT(memory_is_short());
    }
    ASSERT_EQ(looks, before);
    seconds++;
    ASSERT(!memory_is_short());
    ASSERT_EQ(looks, before + 1);
}

TEST_MAIN(TEST_CASE(test_who_tells), TEST_CASE(test_it_is_asked_now_and_then))
