/*
 * For builds with ThreadSanitizer, which calls handlers of signals later than they come and with a
 * copy of the registers, so that nothing could be redirected: handlers as the kernel calls them.
 * Signals of timers that come outside of generated code come again, since its runtime may be in the
 * middle of something.
 */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

struct kernel_action {
    void (*handler)(int number, siginfo_t *info, void *context);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

extern const char __start_eryx_guest_text[] __attribute__((visibility("hidden")));
extern const char __stop_eryx_guest_text[] __attribute__((visibility("hidden")));

static void (*timer_handler)(int number, siginfo_t *info, void *context);

static __thread int again = -1; /* a timer of this thread */

/* In a millisecond. */
static void come_again(int number)
{
    if (again < 0) {
        struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
        event._sigev_un._tid = (int)syscall(SYS_gettid);
        syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &again);
    }
    struct itimerspec when = {.it_value = {.tv_nsec = 1000000}};
    syscall(SYS_timer_settime, again, 0, &when, NULL);
}

static void on_timer(int number, siginfo_t *info, void *context)
{
    greg_t at = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    if ((size_t)at >= (size_t)__start_eryx_guest_text &&
        (size_t)at < (size_t)__stop_eryx_guest_text) {
        timer_handler(number, info, context);
    } else {
        come_again(number);
    }
}

#define WITH_RESTORER 0x04000000ul

void signals_return(void);
__asm__("signals_return:\n\tmovl $15, %eax\n\tsyscall\n"); /* rt_sigreturn */

int sigaction(int number, const struct sigaction *restrict action,
              struct sigaction *restrict out_earlier)
{
    struct kernel_action new = {0};
    struct kernel_action earlier = {0};
    if (action != NULL) {
        new.handler = action->sa_sigaction;
        if (number >= SIGRTMIN) {
            timer_handler = action->sa_sigaction;
            new.handler = on_timer;
        }
        new.flags = (unsigned long)action->sa_flags | WITH_RESTORER;
        new.restorer = signals_return;
        memcpy(&new.mask, &action->sa_mask, sizeof new.mask);
    }
    if (syscall(SYS_rt_sigaction, number, action != NULL ? &new : NULL, &earlier,
                sizeof new.mask) != 0) {
        return -1;
    }
    if (out_earlier != NULL) {
        memset(out_earlier, 0, sizeof *out_earlier);
        out_earlier->sa_sigaction = earlier.handler == on_timer ? timer_handler : earlier.handler;
        out_earlier->sa_flags = (int)(earlier.flags & ~WITH_RESTORER);
        memcpy(&out_earlier->sa_mask, &earlier.mask, sizeof earlier.mask);
    }
    return 0;
}
