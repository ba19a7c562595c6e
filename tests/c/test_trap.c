/* Which faults become traps, and which stay the host's. */
#include "machine/trap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/guest_instance.h"
#include "test.h"

/* These stand in for generated code: the handler knows it by its section. */
#define GUEST_CODE __attribute__((noinline, section("eryx_guest_text")))
#if defined(__SANITIZE_ADDRESS__)
#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))
#else
#define UNCHECKED
#endif

typedef struct faulting_guest {
    coroutine guest;
    uint8_t *memory;
    volatile uint8_t *address;
    int depth;
    int last_depth;
} faulting_guest;

enum { MEMORY_BYTES = 1 << 20 };

GUEST_CODE UNCHECKED static void guest_store(faulting_guest *guest)
{
    *guest->address = 1;
}

GUEST_CODE UNCHECKED static int guest_recurse(faulting_guest *guest, int depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    guest->depth = depth;
    return depth < guest->last_depth ? guest_recurse(guest, depth + 1) + frame[0] : 0;
}

static void store_main(void *argument)
{
    faulting_guest *guest = argument;
    guest_store(guest);
    coroutine_abandon(&guest->guest);
}

static void recurse_main(void *argument)
{
    faulting_guest *guest = argument;
    guest_recurse(guest, 0);
    coroutine_abandon(&guest->guest);
}

static void raise_main(void *argument)
{
    (void)argument;
    trap_raise(GUEST_TRAP_FUEL);
}

UNCHECKED static void host_main(void *argument)
{
    faulting_guest *guest = argument;
    *guest->address = 1; /* the same store, but in host code */
    coroutine_abandon(&guest->guest);
}

/* The end of the stack, met by the host itself. */
UNCHECKED static void host_stack_main(void *argument)
{
    faulting_guest *guest = argument;
    *(volatile uint8_t *)(guest->guest.stack->limit - 1) = 1;
    coroutine_abandon(&guest->guest);
}

static atomic_bool at_the_end;

/* Works at the end of the stack, in libc as well, until a signal finds no room there. */
GUEST_CODE UNCHECKED static void guest_work_at_the_end(faulting_guest *guest)
{
    volatile char frame[256];
    frame[0] = 1;
    if ((const uint8_t *)frame > guest->guest.stack->limit + 1024) {
        guest_work_at_the_end(guest);
    } else {
        atomic_store(&at_the_end, true);
        while (atomic_load(&at_the_end)) {
            memset(guest->memory, frame[0], MEMORY_BYTES);
        }
    }
    frame[0] = 2;
}

static void work_at_the_end_main(void *argument)
{
    faulting_guest *guest = argument;
    guest_work_at_the_end(guest);
    coroutine_abandon(&guest->guest);
}

static void begin(faulting_guest *guest)
{
    *guest = (faulting_guest){0};
    guest->memory = mmap(NULL, MEMORY_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(guest->memory != MAP_FAILED);
    guest->address = guest->memory + 12345;
    guest->last_depth = INT32_MAX;
}

static uint32_t run(faulting_guest *guest, coroutine_main *main)
{
    ASSERT(trap_prepare_thread());
    ASSERT(coroutine_create(&guest->guest, main, guest));
    trap_scope scope = {
        .guest = &guest->guest, .memory = guest->memory, .memory_bytes = MEMORY_BYTES};
    trap_scope_begin(&scope);
    coroutine_enter(&guest->guest);
    trap_scope_end(&scope);
    coroutine_destroy(&guest->guest);
    return scope.trap;
}

static void end(faulting_guest *guest)
{
    munmap(guest->memory, MEMORY_BYTES);
}

static void test_access_outside_of_memory(void)
{
    faulting_guest guest;
    begin(&guest);
    ASSERT_EQ(run(&guest, store_main), WASM_RT_TRAP_OOB);
    ASSERT_NULL(trap_scope_current());
    end(&guest);
}

static void test_allowed_access_is_no_trap(void)
{
    faulting_guest guest;
    begin(&guest);
    ASSERT_EQ(mprotect(guest.memory, MEMORY_BYTES, PROT_READ | PROT_WRITE), 0);
    ASSERT_EQ(run(&guest, store_main), WASM_RT_TRAP_NONE);
    ASSERT_EQ(*guest.address, 1);
    end(&guest);
}

static void test_deep_recursion(void)
{
    faulting_guest guest;
    begin(&guest);
    ASSERT_EQ(run(&guest, recurse_main), WASM_RT_TRAP_EXHAUSTION);
    ASSERT_GT(guest.depth, 1000);
    end(&guest);
}

static void test_raised_trap(void)
{
    faulting_guest guest;
    begin(&guest);
    ASSERT_EQ(run(&guest, raise_main), GUEST_TRAP_FUEL);
    end(&guest);
}

static void test_a_thousand_traps_in_a_row(void)
{
    faulting_guest guest;
    begin(&guest);
    for (int i = 0; i < 1000; i++) {
        ASSERT_EQ(run(&guest, store_main), WASM_RT_TRAP_OOB);
    }
    end(&guest);
}

static void *trap_in_thread(void *argument)
{
    (void)argument;
    test_access_outside_of_memory();
    test_deep_recursion();
    return NULL;
}

static void test_threads_with_small_stacks(void)
{
    pthread_attr_t attributes;
    ASSERT_EQ(pthread_attr_init(&attributes), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 << 10), 0);
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        ASSERT_EQ(pthread_create(&threads[i], &attributes, trap_in_thread, NULL), 0);
    }
    for (int i = 0; i < 8; i++) {
        ASSERT_EQ(pthread_join(threads[i], NULL), 0);
    }
    pthread_attr_destroy(&attributes);
}

/* The signal that a child ends with when it does this. */
static int signal_of_child(void (*action)(void))
{
    fflush(NULL);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        close(STDERR_FILENO); /* sanitizers report at length */
        action();
        _exit(0);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void fault_in_host_code(void)
{
    signal(SIGSEGV, SIG_DFL);
    faulting_guest guest;
    begin(&guest);
    run(&guest, host_main);
}

static void fault_of_the_host_at_the_end_of_the_stack(void)
{
    signal(SIGSEGV, SIG_DFL);
    faulting_guest guest;
    begin(&guest);
    run(&guest, host_stack_main);
}

static void fault_in_guest_code_elsewhere(void)
{
    signal(SIGSEGV, SIG_DFL);
    faulting_guest guest;
    begin(&guest);
    guest.address = (uint8_t *)16;
    run(&guest, store_main);
}

static void fault_without_a_guest(void)
{
    signal(SIGSEGV, SIG_DFL);
    ASSERT(trap_prepare_thread());
    faulting_guest guest;
    begin(&guest);
    guest_store(&guest);
}

static void signal_sent_by_kill(void)
{
    signal(SIGSEGV, SIG_DFL);
    ASSERT(trap_prepare_thread());
    kill(getpid(), SIGSEGV);
}

static void test_faults_of_the_host_stay_fatal(void)
{
    ASSERT_EQ(signal_of_child(fault_in_host_code), SIGSEGV);
    ASSERT_EQ(signal_of_child(fault_of_the_host_at_the_end_of_the_stack), SIGSEGV);
    ASSERT_EQ(signal_of_child(fault_in_guest_code_elsewhere), SIGSEGV);
    ASSERT_EQ(signal_of_child(fault_without_a_guest), SIGSEGV);
    ASSERT_EQ(signal_of_child(signal_sent_by_kill), SIGSEGV);
}

static void do_nothing(int number)
{
    (void)number;
}

static void *send_when_at_the_end(void *thread)
{
    while (!atomic_load(&at_the_end)) {
        usleep(100);
    }
    usleep(1000);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

/* Handlers of the application that want no stack of their own (no SA_ONSTACK). */
static void test_signal_that_finds_no_room_ends_the_guest(void)
{
    signal(SIGUSR1, do_nothing);
    faulting_guest guest;
    begin(&guest);
    ASSERT_EQ(mprotect(guest.memory, MEMORY_BYTES, PROT_READ | PROT_WRITE), 0);
    pthread_t self = pthread_self();
    pthread_t sender;
    ASSERT_EQ(pthread_create(&sender, NULL, send_when_at_the_end, &self), 0);
    ASSERT_EQ(run(&guest, work_at_the_end_main), WASM_RT_TRAP_EXHAUSTION);
    ASSERT_EQ(pthread_join(sender, NULL), 0);
    end(&guest);
}

static void exit_with_seven(int number)
{
    (void)number;
    _exit(7);
}

static void fault_with_a_handler_from_before(void)
{
    signal(SIGSEGV, exit_with_seven);
    ASSERT(trap_prepare_thread());
    faulting_guest guest;
    begin(&guest);
    guest_store(&guest);
}

static void fault_with_a_handler_from_after(void)
{
    ASSERT(trap_prepare_thread());
    signal(SIGSEGV, exit_with_seven);
    faulting_guest guest;
    begin(&guest);
    if (run(&guest, store_main) != WASM_RT_TRAP_OOB) {
        _exit(1); /* a guest's fault must not reach the application's handler */
    }
    guest_store(&guest);
}

static struct sigaction replaced;

/* Like faulthandler: puts back what it replaced and raises the signal again. */
static void restore_and_raise(int number)
{
    sigaction(SIGSEGV, &replaced, NULL);
    raise(number);
}

static void fault_with_a_handler_that_raises_again(void)
{
    signal(SIGSEGV, SIG_DFL);
    ASSERT(trap_prepare_thread());
    struct sigaction theirs = {.sa_handler = restore_and_raise, .sa_flags = SA_NODEFER};
    sigaction(SIGSEGV, &theirs, &replaced);
    ASSERT(trap_prepare_thread());
    faulting_guest guest;
    begin(&guest);
    guest_store(&guest);
}

static void test_other_handlers_keep_working(void)
{
    ASSERT_EQ(signal_of_child(fault_with_a_handler_from_before), -7);
    ASSERT_EQ(signal_of_child(fault_with_a_handler_from_after), -7);
    ASSERT_EQ(signal_of_child(fault_with_a_handler_that_raises_again), SIGSEGV);
}

TEST_MAIN(TEST_CASE(test_access_outside_of_memory), TEST_CASE(test_allowed_access_is_no_trap),
          TEST_CASE(test_deep_recursion), TEST_CASE(test_raised_trap),
          TEST_CASE(test_a_thousand_traps_in_a_row), TEST_CASE(test_threads_with_small_stacks),
          TEST_CASE(test_faults_of_the_host_stay_fatal),
          TEST_CASE(test_signal_that_finds_no_room_ends_the_guest),
          TEST_CASE(test_other_handlers_keep_working))
