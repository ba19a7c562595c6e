/* What the boundary rests on is looked at, in surroundings that take it away. */
#include "machine/guest_instance.h"
#include "machine/wall.h"

#include <asm/prctl.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/segment.h"
#include "test.h"

/* Stands in for libc's: a kernel without FSGSBASE (before 5.9, or gVisor), so that the base is set
 * by system call. */
unsigned long getauxval(unsigned long type)
{
    (void)type;
    return 0;
}

/* Whether the boundary holds around a new memory. */
static eryx_status check(eryx_error *out_error)
{
    memory_map map;
    wasm_rt_memory_t memory;
    ASSERT(memory_create(&map, NULL, 1, &memory));
    eryx_status status = wall_check(&map, &memory, out_error);
    memory_destroy(&map);
    return status;
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
    ASSERT_EQ(check(&error), ERYX_INITIALIZATION);
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
    ASSERT_EQ(check(&error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "timers");
}

static void test_timers_that_send_nothing_are_noticed(void)
{
    ASSERT_EQ(status_of_child(run_without_timers), 0);
}

/* A guard that is readable, as if something else had been mapped there. */
static void test_memory_without_guards_is_noticed(void)
{
    memory_map map;
    wasm_rt_memory_t memory;
    ASSERT(memory_create(&map, NULL, 1, &memory));
    const struct {
        uint8_t *start;
        size_t size;
    } places[] = {
        {memory.data - MEMORY_GUARD_BYTES, MEMORY_GUARD_BYTES},
        {memory.data, GUEST_LOWEST_ADDRESS},
        {memory.data + memory.size, MEMORY_GUARD_BYTES},
        {memory.data + ((uint64_t)1 << 32), MEMORY_GUARD_BYTES},
        {memory.data + MEMORY_RESERVED_BYTES, MEMORY_GUARD_BYTES},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        ASSERT_EQ(mprotect(places[i].start, places[i].size, PROT_READ), 0);
        eryx_error error = {{0}};
        ASSERT_EQ(wall_check(&map, &memory, &error), ERYX_INITIALIZATION);
        ASSERT_STR_CONTAINS(error.message, "outside of a guest's memory");
        ASSERT_EQ(mprotect(places[i].start, places[i].size, PROT_NONE), 0);
    }
    memory_destroy(&map);
}

static void test_all_holds_here(void)
{
    eryx_error error = {{0}};
    wall_check_system(&error);
    ASSERT_STR_EQ(error.message, "");
    check(&error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_EQ(check(NULL), ERYX_OK);
}

TEST_MAIN(TEST_CASE(test_a_base_that_cannot_be_set_is_noticed),
          TEST_CASE(test_timers_that_send_nothing_are_noticed),
          TEST_CASE(test_memory_without_guards_is_noticed), TEST_CASE(test_all_holds_here))
