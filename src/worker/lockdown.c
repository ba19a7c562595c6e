#include "worker/lockdown.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/dirty_pages.h"
#include "machine/memory_pressure.h"

/* ---- Resources -------------------------------------------------------------------------------
 */

/* Descriptors: one for each sandbox, and some for what it shares with its forks. */
#define MOST_DESCRIPTORS ((rlim_t)16384)

/* A session that is saved, as the parent takes it. */
#define MOST_FILE_BYTES ((rlim_t)8 << 30)

static void lower(int resource, rlim_t most)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) == 0) {
        limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit((__rlimit_resource_t)resource, &limit);
    }
}

/* ---- Files (Landlock) ------------------------------------------------------------------------
 */

/* linux/landlock.h and the numbers of its calls are newer than the headers that this is built
 * with. */
enum { CALL_CREATE_RULESET = 444, CALL_RESTRICT_SELF = 446, QUERY_VERSION = 1 };

struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* since version 4 */
    uint64_t scoped;             /* since version 6 */
};

/* Rights to files by version of Landlock: what the first has, and each new one. */
static uint64_t rights_of(long version)
{
    uint64_t rights = ((uint64_t)1 << 13) - 1;
    rights |= version >= 2 ? (uint64_t)1 << 13 : 0; /* links to other folders */
    rights |= version >= 3 ? (uint64_t)1 << 14 : 0; /* truncate */
    rights |= version >= 5 ? (uint64_t)1 << 15 : 0; /* ioctl on devices */
    return rights;
}

/* All that the kernel can take away, without an exception. Where it cannot, the filter of calls
 * stands alone. */
static void leave_files(void)
{
    const long version = syscall(CALL_CREATE_RULESET, NULL, 0, QUERY_VERSION);
    if (version < 1) {
        return;
    }
    const struct ruleset rules = {
        .handled_access_fs = rights_of(version),
        .handled_access_net = version >= 4 ? 3 : 0, /* bind and connect */
        .scoped = version >= 6 ? 3 : 0,             /* abstract sockets and signals */
    };
    const size_t size = version >= 6   ? sizeof rules
                        : version >= 4 ? offsetof(struct ruleset, scoped)
                                       : offsetof(struct ruleset, handled_access_net);
    const long made = syscall(CALL_CREATE_RULESET, &rules, size, 0);
    if (made >= 0) {
        (void)syscall(CALL_RESTRICT_SELF, (int)made, 0);
        close((int)made);
    }
}

/* ---- System calls ----------------------------------------------------------------------------
 */

/* What a worker does: messages, memory, time, and files in memory that forks share. Whatever gives
 * access to something that was not there before is not here: no open, socket, connect, clone or
 * exec, and nothing that reaches another process. */
static const uint16_t allowed[] = {
    SYS_read,
    SYS_write,
    SYS_close,
    SYS_recvmsg,
    SYS_sendto,
    SYS_epoll_wait,
    SYS_epoll_ctl,
    SYS_epoll_create1,
    SYS_eventfd2,
    SYS_pipe2,
    SYS_poll,
    SYS_ppoll,
    SYS_fcntl,
    SYS_fstat,
    SYS_lseek,
    SYS_pread64,
    SYS_preadv2,
    SYS_fallocate,
    SYS_memfd_create,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_futex,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_timer_settime,
    SYS_clock_gettime,
    SYS_getrusage,
    SYS_getrandom,
    SYS_getpid,
    SYS_arch_prctl,
    SYS_sysinfo,
    SYS_exit_group,
    SYS_restart_syscall,
};

/* With one of their parameters looked at: allowed if these bits of it are not set. */
static const struct {
    uint16_t call;
    uint8_t parameter;
    uint32_t bits;
} allowed_without[] = {
    {SYS_mmap, 2, PROT_EXEC},
    {SYS_mprotect, 2, PROT_EXEC},
    {SYS_prlimit64, 2, UINT32_MAX}, /* only to read, so without new limits */
};

/* The same, allowed if the parameter has this value: the search for written pages (linux/fs.h). */
#define SCAN_PAGES 0xc0606610u

enum { CALL_COUNT = sizeof allowed / sizeof allowed[0] };
enum { CHECKED_COUNT = sizeof allowed_without / sizeof allowed_without[0] };
enum { MOST_INSTRUCTIONS = 4 + CALL_COUNT * 2 + CHECKED_COUNT * 6 + 6 };

typedef struct filter {
    struct sock_filter code[MOST_INSTRUCTIONS];
    unsigned short size;
} filter;

static void add(filter *made, struct sock_filter instruction)
{
    made->code[made->size++] = instruction;
}

static void add_load(filter *made, size_t offset)
{
    add(made, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void add_return(filter *made, uint32_t action)
{
    add(made, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Goes on only with that number, else past so many instructions. */
static void add_only(filter *made, uint32_t number, uint8_t past)
{
    add(made, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, past));
}

static size_t parameter_at(unsigned parameter)
{
    /* The lower half: of the parameters that are looked at the kernel itself takes no more. */
    return offsetof(struct seccomp_data, args) + parameter * sizeof(uint64_t);
}

static void compose(filter *made)
{
    made->size = 0;
    add_load(made, offsetof(struct seccomp_data, arch));
    add_only(made, AUDIT_ARCH_X86_64, 1);
    add_load(made, offsetof(struct seccomp_data, nr));
    add(made, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    add_return(made, SECCOMP_RET_KILL_PROCESS); /* another machine's calls, or x32's */
    for (size_t i = 0; i < CALL_COUNT; i++) {
        add_only(made, allowed[i], 1);
        add_return(made, SECCOMP_RET_ALLOW);
    }
    for (size_t i = 0; i < CHECKED_COUNT; i++) {
        add_only(made, allowed_without[i].call, 4);
        add_load(made, parameter_at(allowed_without[i].parameter));
        add(made, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, allowed_without[i].bits,
                                               1, 0));
        add_return(made, SECCOMP_RET_ALLOW);
        add_return(made, SECCOMP_RET_KILL_PROCESS);
    }
    add_only(made, SYS_ioctl, 3);
    add_load(made, parameter_at(1));
    add_only(made, SCAN_PAGES, 1);
    add_return(made, SECCOMP_RET_ALLOW);
    add_return(made, SECCOMP_RET_KILL_PROCESS);
}

/* Only builds with sanitizers do without, which do more than is on the list. */
#ifdef ERYX_WORKER_UNCONFINED
enum { IS_CONFINED = 0 };
#else
enum { IS_CONFINED = 1 };
#endif

static const char *filter_calls(void)
{
    filter made;
    compose(&made);
    const struct sock_fprog program = {.len = made.size, .filter = made.code};
    if (IS_CONFINED && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        return "the kernel takes no filter of system calls (seccomp)";
    }
    return NULL;
}

/* ---- Both parts ------------------------------------------------------------------------------
 */

/* Closes a range of descriptors; without the call for it (before Linux 5.9) one by one. */
static void close_all(unsigned first, unsigned last)
{
    enum { CALL_CLOSE_RANGE = 436 };
    struct rlimit limit;
    if (first > last || syscall(CALL_CLOSE_RANGE, first, last, 0) == 0 ||
        getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    const unsigned most = limit.rlim_cur < last ? (unsigned)limit.rlim_cur : last;
    for (unsigned fd = first; fd <= most; fd++) {
        close((int)fd);
    }
}

const char *lockdown_begin(int control_fd)
{
    close_all(STDERR_FILENO + 1, (unsigned)control_fd - 1);
    close_all((unsigned)control_fd + 1, UINT32_MAX);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return "privileges cannot be given up";
    }
    lower(RLIMIT_CORE, 0);
    return NULL;
}

static int compare(const void *left, const void *right)
{
    return memcmp(left, right, 1);
}

/* Has what is looked up only once be looked up now, as long as that may take a file. */
static void look_up(void)
{
    uint8_t page[1];
    dirty_range found[1];
    size_t count;
    uint8_t many[4096] = {1};
    (void)dirty_pages_find(page, 0, found, 1, &count);
    qsort(many, sizeof many, 1, compare); /* how much memory the machine has */
}

const char *lockdown_complete(void)
{
    look_up();
    memory_pressure_ignore();
    lower(RLIMIT_NOFILE, MOST_DESCRIPTORS);
    lower(RLIMIT_FSIZE, MOST_FILE_BYTES);
    lower(RLIMIT_NPROC, 0);
    lower(RLIMIT_MEMLOCK, 0);
    lower(RLIMIT_MSGQUEUE, 0);
    leave_files();
    return filter_calls();
}
