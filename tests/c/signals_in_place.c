/*
 * For builds with ThreadSanitizer, which calls handlers of signals later than they come and with a
 * copy of the registers, so that nothing could be redirected: handlers as the kernel calls them.
 */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kernel_action {
    void (*handler)(int number, siginfo_t *info, void *context);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

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
        out_earlier->sa_sigaction = earlier.handler;
        out_earlier->sa_flags = (int)(earlier.flags & ~WITH_RESTORER);
        memcpy(&out_earlier->sa_mask, &earlier.mask, sizeof earlier.mask);
    }
    return 0;
}
