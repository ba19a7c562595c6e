#include "machine/alarm.h"

#include <cpuid.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "machine/guest_instance.h"
#include "machine/trap.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Bytes below the stack pointer that a function may use without moving it (System V ABI). */
#define RED_ZONE_BYTES 128

/* Parts of the processor's state that generated code may use: x87, SSE, AVX, AVX-512. */
#define VECTOR_PARTS 0xe7u

enum { NO_TIMER = -1 };

/* initial-exec, as all that a handler touches. */
static _Thread_local int timer __attribute__((tls_model("initial-exec"))) = NO_TIMER;
static _Thread_local int thread_id __attribute__((tls_model("initial-exec")));
/* When the timer expires; UINT64_MAX if it is not set. */
static _Thread_local volatile uint64_t set_for_ns __attribute__((tls_model("initial-exec"))) =
    UINT64_MAX;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t timer_key;
static bool key_made;

static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int signal_number;
static int wanted_number; /* 0: any that is free */
static struct sigaction earlier_action;

/* coroutine_switch.S: calls alarm_interrupted() and goes on where the guest was. */
void guest_interrupted(void);

/* The parts of VECTOR_PARTS that this processor and system have; 0 without XSAVE. Read by
 * guest_interrupted. */
uint32_t guest_vector_parts __attribute__((visibility("hidden")));

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
}

static void arm(uint64_t at_ns)
{
    /* A time of zero would take the timer back. */
    struct itimerspec when = {.it_value = timespec_of(at_ns == 0 ? 1 : at_ns)};
    set_for_ns = at_ns;
    syscall(SYS_timer_settime, timer, TIMER_ABSTIME, &when, NULL);
}

void alarm_set(uint64_t at_ns)
{
    if (at_ns < set_for_ns) {
        arm(at_ns);
    }
}

void alarm_clear(void)
{
    if (set_for_ns != UINT64_MAX) {
        struct itimerspec never = {0};
        set_for_ns = UINT64_MAX;
        syscall(SYS_timer_settime, timer, 0, &never, NULL);
    }
}

int alarm_thread(void)
{
    if (thread_id == 0) {
        thread_id = (int)syscall(SYS_gettid);
    }
    return thread_id;
}

void alarm_ring(int thread)
{
    syscall(SYS_tgkill, getpid(), thread, alarm_signal());
}

int alarm_signal(void)
{
    return atomic_load_explicit(&signal_number, memory_order_acquire);
}

/* Called on the guest's stack, in the place where a signal met it. */
__attribute__((visibility("hidden"))) void alarm_interrupted(void);
void alarm_interrupted(void)
{
    trap_scope *scope = trap_scope_current();
    scope->interrupted(scope->instance);
}

/* ---- The handler ------------------------------------------------------------------------------
 */

static bool is_ours(const siginfo_t *info)
{
    return info->si_code == SI_TIMER || (info->si_code == SI_TKILL && info->si_pid == getpid());
}

static void call_earlier(int number, siginfo_t *info, void *context)
{
    if ((earlier_action.sa_flags & SA_SIGINFO) != 0) {
        earlier_action.sa_sigaction(number, info, context);
    } else if (earlier_action.sa_handler != SIG_DFL && earlier_action.sa_handler != SIG_IGN) {
        earlier_action.sa_handler(number);
    }
}

/* Changes where generated code goes on; false if it has no room left for that. */
static bool redirect(const trap_scope *scope, greg_t *registers)
{
    uintptr_t sp = (uintptr_t)registers[REG_RSP] - RED_ZONE_BYTES - sizeof(uintptr_t);
    if (sp - GUEST_INTERRUPT_BYTES < (uintptr_t)scope->guest->stack->limit ||
        sp >= (uintptr_t)scope->guest->stack->top) {
        return false;
    }
    *(greg_t *)sp = registers[REG_RIP];
    registers[REG_RSP] = (greg_t)sp;
    registers[REG_RIP] = (greg_t)(uintptr_t)&guest_interrupted;
    return true;
}

static void on_alarm(int number, siginfo_t *info, void *context)
{
    int saved_errno = errno;
    trap_scope *scope = trap_scope_current();
    if (!is_ours(info)) {
        call_earlier(number, info, context);
    } else if (info->si_code == SI_TIMER) {
        set_for_ns = UINT64_MAX;
    }
    if (is_ours(info) && scope != NULL && scope->instance != NULL) {
        greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
        uint64_t now = clock_read_ns(CLOCK_MONOTONIC);
        if (info->si_code == SI_TIMER && now < scope->look_ns && scope->instance->attention == 0) {
            alarm_set(scope->look_ns); /* it was set for something that has passed */
        } else {
            scope->instance->attention = 1;
            alarm_set(now + ALARM_AGAIN_NS); /* unless the guest has looked by then */
            if (trap_is_guest_code((uintptr_t)registers[REG_RIP]) && !redirect(scope, registers)) {
                uint32_t trap = scope->overdue(scope->instance, now);
                if (trap != WASM_RT_TRAP_NONE) {
                    trap_leave(scope, trap, registers);
                }
            }
        }
    }
    errno = saved_errno;
}

/* ---- Installation -----------------------------------------------------------------------------
 */

static bool is_in_front(int number, struct sigaction *out_present)
{
    return sigaction(number, NULL, out_present) == 0 && (out_present->sa_flags & SA_SIGINFO) != 0 &&
           out_present->sa_sigaction == on_alarm;
}

/* The highest ones are what other libraries tend to leave alone. */
static int find_free_signal(void)
{
    struct sigaction present;
    for (int number = SIGRTMAX - 2; number > SIGRTMIN + 2; number--) {
        if (sigaction(number, NULL, &present) == 0 && (present.sa_flags & SA_SIGINFO) == 0 &&
            present.sa_handler == SIG_DFL) {
            return number;
        }
    }
    return 0;
}

bool alarm_install(void)
{
    struct sigaction present;
    int number = alarm_signal();
    if (number != 0 && is_in_front(number, &present)) {
        return true;
    }
    bool installed = false;
    pthread_mutex_lock(&install_lock);
    number = alarm_signal();
    if (number == 0) {
        number = wanted_number != 0 ? wanted_number : find_free_signal();
    }
    if (number != 0) {
        installed = is_in_front(number, &present);
        if (!installed) {
            /* SA_RESTART: a signal that comes outside of guests disturbs nobody. */
            struct sigaction ours = {.sa_sigaction = on_alarm,
                                     .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
            sigemptyset(&ours.sa_mask);
            earlier_action = present;
            installed = sigaction(number, &ours, NULL) == 0;
        }
    }
    if (installed) {
        atomic_store_explicit(&signal_number, number, memory_order_release);
    }
    pthread_mutex_unlock(&install_lock);
    return installed;
}

bool alarm_choose_signal(int number)
{
    bool taken = false;
    pthread_mutex_lock(&install_lock);
    if (alarm_signal() == 0 && (number == 0 || (number >= SIGRTMIN && number <= SIGRTMAX))) {
        wanted_number = number;
        taken = true;
    }
    pthread_mutex_unlock(&install_lock);
    return taken;
}

/* The kernel's number of the timer plus one is what the key holds: never NULL. */
static void free_timer(void *held)
{
    syscall(SYS_timer_delete, (int)(intptr_t)held - 1);
    timer = NO_TIMER;
    set_for_ns = UINT64_MAX;
}

__attribute__((target("xsave"))) static uint32_t enabled_parts(void)
{
    return (uint32_t)__builtin_ia32_xgetbv(0) & VECTOR_PARTS;
}

static void prepare_once(void)
{
    uint32_t a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_OSXSAVE) != 0) {
        guest_vector_parts = enabled_parts();
    }
    key_made = pthread_key_create(&timer_key, free_timer) == 0;
}

/* By system call: in older glibc these functions are in a library of their own. */
static bool make_timer(void)
{
    pthread_once(&key_once, prepare_once);
    if (!key_made) {
        return false;
    }
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = alarm_signal()};
    event.sigev_notify_thread_id = alarm_thread();
    int made;
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &made) != 0) {
        return false;
    }
    if (pthread_setspecific(timer_key, (void *)(intptr_t)(made + 1)) != 0) {
        syscall(SYS_timer_delete, made);
        return false;
    }
    timer = made;
    return true;
}

bool alarm_prepare_thread(void)
{
    return timer != NO_TIMER || (alarm_install() && make_timer());
}

void alarm_after_fork(void)
{
    pthread_mutex_init(&install_lock, NULL);
    if (key_made) {
        pthread_setspecific(timer_key, NULL);
    }
    timer = NO_TIMER;
    thread_id = 0;
    set_for_ns = UINT64_MAX;
}
