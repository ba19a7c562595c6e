/* The signal that reaches guests which never look, and what it leaves alone. */
#include "machine/alarm.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine/coroutine.h"
#include "machine/guest_instance.h"
#include "machine/trap.h"
#include "test.h"

/* These stand in for generated code: the handler knows it by its section. */
#define GUEST_CODE __attribute__((noinline, section("eryx_guest_text")))
#if defined(__SANITIZE_ADDRESS__)
#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))
#else
#define UNCHECKED
#endif

#define NEVER_NS ((uint64_t)3600 * 1000000000)

typedef struct looping_guest {
    guest_instance instance; /* first: found from it when it is interrupted */
    coroutine guest;
    volatile bool stop; /* asks the loop to end by itself */
    volatile uint64_t rounds;
    unsigned interruptions;
    unsigned wanted; /* so many, then the loop is asked to end */
    bool trap;       /* or rather ended by a trap */
    uint64_t sums[2];
    double products[2];
} looping_guest;

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void interrupted(guest_instance *instance)
{
    looping_guest *guest = (looping_guest *)instance;
    instance->attention = 0;
    guest->interruptions++;
    if (guest->interruptions >= guest->wanted) {
        if (guest->trap) {
            trap_raise(GUEST_TRAP_TIMEOUT);
        }
        guest->stop = true;
    }
    /* What a function may change, an interrupted one must not see changed. */
    __asm__ volatile("vzeroall" ::
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                           "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    trap_scope_current()->look_ns = 0;
    alarm_set(0);
}

static uint32_t overdue(guest_instance *instance, uint64_t now_ns)
{
    (void)instance;
    (void)now_ns;
    return GUEST_TRAP_CANCELLED;
}

/* Many values in registers over a loop that a signal may meet anywhere. */
GUEST_CODE UNCHECKED static void guest_compute(looping_guest *guest, int which, uint64_t rounds)
{
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5;
    double x = 1, y = 1.5, z = 0.25;
    for (uint64_t i = 0; rounds != 0 ? i < rounds : !guest->stop; i++) {
        a += b ^ i;
        b = (b << 7 | b >> 57) + c;
        c ^= d * 0x9e3779b97f4a7c15u;
        d += e + (a > b);
        e = e * 31 + i;
        x = x * 0.999 + y;
        y = y * 0.5 + z * (double)(i & 15);
        z = z * 0.75 + x * 1e-9;
        guest->rounds = i + 1;
    }
    guest->sums[which] = a ^ b ^ c ^ d ^ e;
    guest->products[which] = x + y + z;
}

static void compute_main(void *argument)
{
    looping_guest *guest = argument;
    guest_compute(guest, 0, 0);
    coroutine_abandon(&guest->guest);
}

static void host_main(void *argument)
{
    looping_guest *guest = argument;
    while (guest->instance.attention == 0) {
        guest->rounds++; /* the same, but in host code */
    }
    coroutine_abandon(&guest->guest);
}

GUEST_CODE UNCHECKED static void guest_compute_deep(looping_guest *guest)
{
    volatile char frame[512];
    frame[0] = 1;
    if ((const uint8_t *)frame > guest->guest.stack->limit + 4096) {
        guest_compute_deep(guest);
    } else {
        trap_scope_current()->look_ns = 0;
        alarm_set(0);
        guest_compute(guest, 0, 0);
    }
    frame[0] = 2;
}

static void deep_main(void *argument)
{
    looping_guest *guest = argument;
    guest_compute_deep(guest);
    coroutine_abandon(&guest->guest);
}

static uint32_t run(looping_guest *guest, coroutine_main *main, uint64_t after_ns)
{
    ASSERT(trap_prepare_thread());
    ASSERT(coroutine_create(&guest->guest, main, guest));
    trap_scope scope = {.guest = &guest->guest,
                        .instance = &guest->instance,
                        .interrupted = interrupted,
                        .overdue = overdue,
                        .look_ns = clock_ns() + after_ns};
    trap_scope_begin(&scope);
    alarm_set(scope.look_ns);
    coroutine_enter(&guest->guest);
    trap_scope_end(&scope);
    alarm_clear();
    coroutine_destroy(&guest->guest);
    return scope.trap;
}

static void test_code_that_never_looks_is_ended(void)
{
    looping_guest guest = {.wanted = 1, .trap = true};
    ASSERT_EQ(run(&guest, compute_main, 1000000), GUEST_TRAP_TIMEOUT);
    ASSERT_EQ(guest.interruptions, 1);
    ASSERT_GT(guest.rounds, 0);
}

static void test_all_registers_are_kept(void)
{
    if (!__builtin_cpu_supports("avx")) {
        return; /* interrupted() would be no instruction */
    }
    looping_guest guest = {.wanted = 300};
    ASSERT_EQ(run(&guest, compute_main, 0), WASM_RT_TRAP_NONE);
    ASSERT_GE(guest.interruptions, 300);
    guest_compute(&guest, 1, guest.rounds);
    ASSERT_EQ(guest.sums[0], guest.sums[1]);
    ASSERT(guest.products[0] == guest.products[1]);
}

static void test_host_code_is_marked_and_goes_on(void)
{
    looping_guest guest = {.wanted = 1};
    ASSERT_EQ(run(&guest, host_main, 1000000), WASM_RT_TRAP_NONE);
    ASSERT_EQ(guest.interruptions, 0);
    ASSERT_NE(guest.instance.attention, 0);
}

static void test_guest_at_the_end_of_its_stack_is_ended(void)
{
    looping_guest guest = {.wanted = 1};
    ASSERT_EQ(run(&guest, deep_main, NEVER_NS), GUEST_TRAP_CANCELLED);
    ASSERT_EQ(guest.interruptions, 0);
}

static void block_all(void)
{
    sigset_t all;
    sigfillset(&all);
    ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &all, NULL), 0);
}

static void *run_with_all_blocked(void *argument)
{
    (void)argument;
    block_all();
    test_code_that_never_looks_is_ended();
    sigset_t now;
    ASSERT_EQ(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    ASSERT_EQ(sigismember(&now, alarm_signal()), 1);
    ASSERT_EQ(sigismember(&now, SIGSEGV), 1);
    return NULL;
}

static void test_threads_that_block_all_signals(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        ASSERT_EQ(pthread_create(&threads[i], NULL, run_with_all_blocked, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        ASSERT_EQ(pthread_join(threads[i], NULL), 0);
    }
}

static atomic_int ringing_thread;

static void *ring_soon(void *argument)
{
    (void)argument;
    int thread;
    while ((thread = atomic_load(&ringing_thread)) == 0) {
    }
    usleep(2000);
    alarm_ring(thread);
    return NULL;
}

static void test_another_thread_rings(void)
{
    looping_guest guest = {.wanted = 1, .trap = true};
    pthread_t ringer;
    ASSERT(trap_prepare_thread());
    ASSERT_EQ(pthread_create(&ringer, NULL, ring_soon, NULL), 0);
    atomic_store(&ringing_thread, alarm_thread());
    ASSERT_EQ(run(&guest, compute_main, NEVER_NS), GUEST_TRAP_TIMEOUT);
    ASSERT_EQ(pthread_join(ringer, NULL), 0);
}

static void test_signals_outside_of_guests_do_nothing(void)
{
    ASSERT(trap_prepare_thread());
    alarm_set(0);
    alarm_ring(alarm_thread());
    alarm_set(clock_ns() + 1000000);
    usleep(3000);
    alarm_clear();
}

static volatile sig_atomic_t theirs_seen;

static void on_theirs(int number)
{
    (void)number;
    theirs_seen = theirs_seen + 1;
}

static void test_signals_of_others_reach_their_handler(void)
{
    fflush(NULL);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        /* The handlers that were there before, in a process that has no guest yet. */
        signal(SIGRTMIN + 5, on_theirs);
        if (alarm_signal() == 0 && !alarm_choose_signal(SIGRTMIN + 5)) {
            _exit(1);
        }
        test_code_that_never_looks_is_ended();
        union sigval value = {.sival_int = 0};
        sigqueue(getpid(), SIGRTMIN + 5, value);
        _exit(theirs_seen == 1 ? 0 : 2);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
}

static void test_choice_of_the_signal_is_checked(void)
{
    ASSERT(!alarm_choose_signal(SIGSEGV));
    ASSERT(!alarm_choose_signal(SIGRTMAX + 1));
    ASSERT(alarm_choose_signal(0));
}

static void test_choice_comes_too_late_after_the_first_guest(void)
{
    ASSERT(trap_prepare_thread());
    ASSERT_NE(alarm_signal(), 0);
    ASSERT(!alarm_choose_signal(SIGRTMIN + 6));
}

static void test_children_of_fork_have_timers_of_their_own(void)
{
    test_code_that_never_looks_is_ended();
    fflush(NULL);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        trap_after_fork();
        test_code_that_never_looks_is_ended();
        _exit(0);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
}

TEST_MAIN(TEST_CASE(test_choice_of_the_signal_is_checked),
          TEST_CASE(test_signals_of_others_reach_their_handler),
          TEST_CASE(test_code_that_never_looks_is_ended), TEST_CASE(test_all_registers_are_kept),
          TEST_CASE(test_host_code_is_marked_and_goes_on),
          TEST_CASE(test_guest_at_the_end_of_its_stack_is_ended),
          TEST_CASE(test_threads_that_block_all_signals), TEST_CASE(test_another_thread_rings),
          TEST_CASE(test_signals_outside_of_guests_do_nothing),
          TEST_CASE(test_choice_comes_too_late_after_the_first_guest),
          TEST_CASE(test_children_of_fork_have_timers_of_their_own))
