/* What the boundary rests on is looked at, in surroundings that take it away. */
#include "wall.h"

#include <asm/prctl.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "segment.h"
#include "test.h"

/* Stands in for libc's: a kernel without FSGSBASE (before 5.9, or gVisor), so that the base is set
 * by system call. */
unsigned long getauxval(unsigned long type)
{
    (void)type;
    return 0;
}

static int status_of_child(void (*action)(void))
{
    fflush(NULL);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        action();
        _exit(0);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    return status;
}

/* arch_prctl() with that code answers so from now on, in this process. */
static void have_kernel_answer(uint32_t code, uint32_t answer)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, code, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void assert_segment_is_refused(void)
{
    void *earlier = NULL;
    ASSERT(!segment_exchange((void *)0x10000, &earlier));
    ASSERT(!segment_works());
    eryx_error error = {{0}};
    ASSERT_EQ(wall_check_system(&error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "GS segment base");
    ASSERT_EQ(wall_check(&error), ERYX_INITIALIZATION);
}

static void run_where_the_base_is_refused(void)
{
    have_kernel_answer(ARCH_SET_GS, SECCOMP_RET_ERRNO | EINVAL);
    assert_segment_is_refused();
}

/* Success is all that is said; nothing is set. */
static void run_where_the_base_is_not_set(void)
{
    have_kernel_answer(ARCH_SET_GS, SECCOMP_RET_ERRNO | 0);
    assert_segment_is_refused();
}

static void test_a_base_that_cannot_be_set_is_noticed(void)
{
    ASSERT_EQ(status_of_child(run_where_the_base_is_refused), 0);
    ASSERT_EQ(status_of_child(run_where_the_base_is_not_set), 0);
}

static void run_without_timers(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_timer_settime, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    eryx_error error = {{0}};
    ASSERT_EQ(wall_check(&error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "timers");
}

static void test_timers_that_send_nothing_are_noticed(void)
{
    ASSERT_EQ(status_of_child(run_without_timers), 0);
}

static void run_short_of_address_space(void)
{
#ifndef __SANITIZE_ADDRESS__
    struct rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
    struct rlimit little = {.rlim_cur = (rlim_t)1 << 30, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_AS, &little), 0);
    eryx_error error = {{0}};
    ASSERT_EQ(wall_check(&error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "address space");
    ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
#endif
    ASSERT_EQ(wall_check(NULL), ERYX_OK); /* what was short is there again */
}

static void test_a_check_that_failed_is_made_again(void)
{
    ASSERT_EQ(status_of_child(run_short_of_address_space), 0);
}

static void test_all_holds_here(void)
{
    eryx_error error = {{0}};
    wall_check_system(&error);
    ASSERT_STR_EQ(error.message, "");
    wall_check(&error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_EQ(wall_check(NULL), ERYX_OK);
}

TEST_MAIN(TEST_CASE(test_a_base_that_cannot_be_set_is_noticed),
          TEST_CASE(test_timers_that_send_nothing_are_noticed),
          TEST_CASE(test_a_check_that_failed_is_made_again), TEST_CASE(test_all_holds_here))
