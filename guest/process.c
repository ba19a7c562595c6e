/*
 * Functions that libpython and libc expect of a whole system. What a sandbox has not fails as POSIX
 * has it, so that the guest gets an ordinary exception.
 */
#include "host.h"

/* The WASI call that libc makes of this knows success and failure only; the host wants the code. */
_Noreturn void _exit(int code);
_Noreturn void _exit(int code)
{
    host_exit(code);
    __builtin_trap();
}

/* There is one process and it has a number. */
int getpid(void);
int getpid(void)
{
    return 1;
}

/* libc wants a main(); nothing ever calls it. */
int __main_argc_argv(int argument_count, char **arguments);
int __main_argc_argv(int argument_count, char **arguments)
{
    (void)argument_count;
    (void)arguments;
    return 0;
}
