#include "machine/trap.h"

#include <errno.h>
#include <link.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/assertion.h"
#include "machine/alarm.h"
#include "machine/guest_instance.h"

/* Laid around the generated code by the linker; absent (NULL) in builds without a guest. */
extern const char __start_eryx_guest_text[] __attribute__((weak, visibility("hidden")));
extern const char __stop_eryx_guest_text[] __attribute__((weak, visibility("hidden")));

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* Code of libc and libm, which generated code calls; found when the handlers are installed. */
static struct code_range {
    uintptr_t begin;
    uintptr_t end;
} library_code[8];
static size_t library_code_count;

/* What our handler itself needs of a signal stack, beyond the kernel's frame. */
#define HANDLER_STACK_BYTES ((size_t)16 << 10)
#define SIGNAL_STACK_BYTES ((size_t)64 << 10)
#define SIGNAL_STACK_GUARD_BYTES ((size_t)4 << 10)

/* A stack pointer so close to the end of the guest's stack explains a signal frame that did not
 * fit. */
#define FRAME_SLACK_BYTES ((size_t)16 << 10)

/* initial-exec: a handler must not be the first to touch lazily allocated thread storage. */
static _Thread_local trap_scope *current_scope __attribute__((tls_model("initial-exec")));

/* Set while an earlier handler works on a fault: one that restores "its" predecessor and raises
 * again (faulthandler does) comes back to us and must then meet the default action. */
static _Thread_local volatile sig_atomic_t forwarding __attribute__((tls_model("initial-exec")));

static const int handled_signals[] = {SIGSEGV, SIGBUS};
enum { HANDLED_COUNT = sizeof handled_signals / sizeof handled_signals[0] };

static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction earlier_actions[HANDLED_COUNT];

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t signal_stack_key;
static bool key_made;

/* Code of native extension modules. Only grows; the handler reads what is below the count. */
static struct {
    uintptr_t begin;
    uintptr_t end;
} more_code[TRAP_CODE_MAX];
static atomic_uint more_code_count;

bool trap_add_code(uintptr_t begin, uintptr_t end)
{
    unsigned count = atomic_load(&more_code_count);
    if (count == TRAP_CODE_MAX) {
        return false;
    }
    more_code[count].begin = begin;
    more_code[count].end = end;
    atomic_store(&more_code_count, count + 1);
    return true;
}

bool trap_is_guest_code(uintptr_t pc)
{
    if (pc >= (uintptr_t)__start_eryx_guest_text && pc < (uintptr_t)__stop_eryx_guest_text) {
        return true;
    }
    unsigned count = atomic_load(&more_code_count);
    for (unsigned i = 0; i < count; i++) {
        if (pc >= more_code[i].begin && pc < more_code[i].end) {
            return true;
        }
    }
    return false;
}

/* Adds the code of the library that a function is in; for dl_iterate_phdr(). */
static int find_library(struct dl_phdr_info *library, size_t size, void *function)
{
    (void)size;
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        struct code_range range = {library->dlpi_addr + part->p_vaddr,
                                   library->dlpi_addr + part->p_vaddr + part->p_memsz};
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0 &&
            (uintptr_t)function >= range.begin && (uintptr_t)function < range.end) {
            library_code[library_code_count++] = range;
            return 1;
        }
    }
    return 0;
}

static bool is_library_code(uintptr_t pc)
{
    for (size_t i = 0; i < library_code_count; i++) {
        if (pc >= library_code[i].begin && pc < library_code[i].end) {
            return true;
        }
    }
    return false;
}

/* One function of each library that generated code may call. */
static void find_libraries(void)
{
    void *const functions[] = {(void *)(uintptr_t)&memset, (void *)(uintptr_t)&memmove,
                               (void *)(uintptr_t)&getpid, (void *)(uintptr_t)&floor};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (!is_library_code((uintptr_t)functions[i])) {
            dl_iterate_phdr(find_library, functions[i]);
        }
    }
}

/*
 * The trap that a fault is, WASM_RT_TRAP_NONE if it is none of ours.
 *
 * The stack's guard is met by generated code, or by a function of libc that it called; host
 * functions are entered with COROUTINE_RESERVE_BYTES left, so if one of them meets it that is a
 * fault of the host.
 */
static uint32_t classify(const trap_scope *scope, const siginfo_t *info, uintptr_t pc, uintptr_t sp)
{
    if (scope == NULL) {
        return WASM_RT_TRAP_NONE;
    }
    uintptr_t address = (uintptr_t)info->si_addr;
    uintptr_t guard = (uintptr_t)scope->guest->stack->mapping;
    uintptr_t limit = (uintptr_t)scope->guest->stack->limit;
    if (info->si_code == SI_KERNEL || info->si_code <= 0) {
        /* No address: the kernel found no room on the guest's stack for the frame of another
         * signal. */
        bool near_end = sp >= guard && sp < limit + FRAME_SLACK_BYTES;
        return near_end && (trap_is_guest_code(pc) || is_library_code(pc)) ? WASM_RT_TRAP_EXHAUSTION
                                                                           : WASM_RT_TRAP_NONE;
    }
    if (address >= guard && address < limit) {
        return trap_is_guest_code(pc) || is_library_code(pc) ? WASM_RT_TRAP_EXHAUSTION
                                                             : WASM_RT_TRAP_NONE;
    }
    if (address - (uintptr_t)scope->memory < scope->memory_bytes && trap_is_guest_code(pc)) {
        return WASM_RT_TRAP_OOB;
    }
    return WASM_RT_TRAP_NONE;
}

void trap_leave(trap_scope *scope, uint32_t trap, long long *registers)
{
    /* Return from the signal to where the host entered the guest. */
    scope->trap = trap;
    registers[REG_RIP] = (greg_t)(uintptr_t)&coroutine_restore;
    registers[REG_RSP] = (greg_t)(uintptr_t)scope->guest->host_sp;
}

static void call_earlier(int number, siginfo_t *info, void *context)
{
    const struct sigaction *earlier = NULL;
    for (int i = 0; i < HANDLED_COUNT; i++) {
        if (handled_signals[i] == number) {
            earlier = &earlier_actions[i];
        }
    }
    bool is_default = (earlier->sa_flags & SA_SIGINFO) == 0 &&
                      (earlier->sa_handler == SIG_DFL || earlier->sa_handler == SIG_IGN);
    if (is_default || forwarding) {
        /* A fault cannot be ignored: the instruction runs again and meets the default action. */
        signal(number, SIG_DFL);
        if (info->si_code <= 0) {
            raise(number); /* sent by somebody: nothing will happen by itself */
        }
        return;
    }
    forwarding = 1;
    if ((earlier->sa_flags & SA_SIGINFO) != 0) {
        earlier->sa_sigaction(number, info, context);
    } else {
        earlier->sa_handler(number);
    }
    forwarding = 0;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    trap_scope *scope = current_scope;
    int saved_errno = errno;
    uint32_t trap =
        classify(scope, info, (uintptr_t)registers[REG_RIP], (uintptr_t)registers[REG_RSP]);
    if (trap == WASM_RT_TRAP_NONE) {
        call_earlier(number, info, context);
    } else {
        trap_leave(scope, trap, registers);
    }
    errno = saved_errno;
}

static bool install_handlers(void)
{
    static pthread_once_t libraries_once = PTHREAD_ONCE_INIT;
    struct sigaction present;
    bool in_front = true;
    for (int i = 0; i < HANDLED_COUNT; i++) {
        if (sigaction(handled_signals[i], NULL, &present) != 0) {
            return false;
        }
        in_front =
            in_front && (present.sa_flags & SA_SIGINFO) != 0 && present.sa_sigaction == on_fault;
    }
    if (in_front) {
        return true;
    }
    bool installed = true;
    pthread_once(&libraries_once, find_libraries);
    pthread_mutex_lock(&install_lock);
    for (int i = 0; i < HANDLED_COUNT && installed; i++) {
        installed = sigaction(handled_signals[i], NULL, &present) == 0;
        if (!installed ||
            ((present.sa_flags & SA_SIGINFO) != 0 && present.sa_sigaction == on_fault)) {
            continue;
        }
        /* SA_NODEFER: a signal that an earlier handler raises must arrive while it is at work. */
        struct sigaction ours = {.sa_sigaction = on_fault,
                                 .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
        sigemptyset(&ours.sa_mask);
        earlier_actions[i] = present;
        installed = sigaction(handled_signals[i], &ours, NULL) == 0;
    }
    pthread_mutex_unlock(&install_lock);
    return installed;
}

static void free_signal_stack(void *mapping)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    stack_t present;
    if (sigaltstack(NULL, &present) == 0 &&
        present.ss_sp == (uint8_t *)mapping + SIGNAL_STACK_GUARD_BYTES) {
        sigaltstack(&none, NULL);
    }
    munmap(mapping, SIGNAL_STACK_GUARD_BYTES + SIGNAL_STACK_BYTES);
}

static void make_key(void)
{
    key_made = pthread_key_create(&signal_stack_key, free_signal_stack) == 0;
}

static bool install_signal_stack(void)
{
    stack_t present;
    size_t needed = (size_t)getauxval(AT_MINSIGSTKSZ) + HANDLER_STACK_BYTES;
    if (sigaltstack(NULL, &present) != 0) {
        return false;
    }
    if ((present.ss_flags & SS_DISABLE) == 0 && present.ss_size >= needed) {
        return true;
    }
    pthread_once(&key_once, make_key);
    if (!key_made) {
        return false;
    }
    uint8_t *mapping = pthread_getspecific(signal_stack_key);
    if (mapping == NULL) {
        size_t bytes = SIGNAL_STACK_GUARD_BYTES + SIGNAL_STACK_BYTES;
        mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapping == MAP_FAILED) {
            return false;
        }
        if (mprotect(mapping, SIGNAL_STACK_GUARD_BYTES, PROT_NONE) != 0 ||
            pthread_setspecific(signal_stack_key, mapping) != 0) {
            munmap(mapping, bytes);
            return false;
        }
    }
    stack_t ours = {.ss_sp = mapping + SIGNAL_STACK_GUARD_BYTES, .ss_size = SIGNAL_STACK_BYTES};
    return sigaltstack(&ours, NULL) == 0;
}

bool trap_prepare_thread(void)
{
    return install_handlers() && install_signal_stack() && alarm_prepare_thread();
}

void trap_after_fork(void)
{
    pthread_mutex_init(&install_lock, NULL);
    alarm_after_fork();
}

/* A fault that is blocked ends the process. Threads of some servers block all signals. */
static void unblock_signals(trap_scope *scope)
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, alarm_signal());
    for (int i = 0; i < HANDLED_COUNT; i++) {
        sigaddset(&ours, handled_signals[i]);
    }
    pthread_sigmask(SIG_UNBLOCK, &ours, &scope->earlier_mask);
    scope->mask_changed = sigismember(&scope->earlier_mask, alarm_signal()) == 1;
    for (int i = 0; i < HANDLED_COUNT; i++) {
        scope->mask_changed =
            scope->mask_changed || sigismember(&scope->earlier_mask, handled_signals[i]) == 1;
    }
}

void trap_scope_begin(trap_scope *scope)
{
    scope->trap = WASM_RT_TRAP_NONE;
    unblock_signals(scope);
    scope->outer = current_scope;
    current_scope = scope;
}

void trap_scope_end(trap_scope *scope)
{
    eryx_assert(current_scope == scope);
    current_scope = scope->outer;
    if (scope->mask_changed) {
        alarm_clear(); /* it would stay pending, for a sigwait() of the application to find */
        pthread_sigmask(SIG_SETMASK, &scope->earlier_mask, NULL);
    }
}

trap_scope *trap_scope_current(void)
{
    return current_scope;
}

void trap_raise(uint32_t trap)
{
    trap_scope *scope = current_scope;
    scope->trap = trap;
    coroutine_abandon(scope->guest);
}

const char *trap_text(uint32_t trap)
{
    switch (trap) {
    case WASM_RT_TRAP_OOB:
        return "memory access out of bounds";
    case WASM_RT_TRAP_INT_OVERFLOW:
        return "integer overflow";
    case WASM_RT_TRAP_DIV_BY_ZERO:
        return "integer division by zero";
    case WASM_RT_TRAP_INVALID_CONVERSION:
        return "invalid conversion to integer";
    case WASM_RT_TRAP_UNREACHABLE:
        return "the guest aborted itself";
    case WASM_RT_TRAP_CALL_INDIRECT:
        return "call of an invalid function pointer";
    case WASM_RT_TRAP_UNCAUGHT_EXCEPTION:
        return "an exception that nothing catches";
    case WASM_RT_TRAP_EXHAUSTION:
        return "stack overflow";
    default:
        return "unknown trap";
    }
}
