#define _GNU_SOURCE
#include "threads.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "host.h"
#include "module.h"
#include "pressure.h"
#include "replaced.h"

enum {
    STACK_BYTES = 640 << 10,
    LEAST_STACK_BYTES = 384 << 10, /* what the recursion check leaves is 256 KiB of it */
    KEPT_MOST = 16,                /* stacks that are kept for the next threads */
    DESTRUCTOR_ROUNDS = 4,
    SECOND_NS = 1000000000,
};

static struct thread first_thread;
struct thread *thread_current = &first_thread;
uint32_t thread_count;

static struct thread *kept; /* memory of threads that have ended, all of STACK_BYTES */
static uint32_t kept_count;
static bool key_used[THREAD_KEYS];
static void (*destructors[THREAD_KEYS])(void *value);

HOST_IMPORT(thread_create) uint32_t host_thread_create(struct thread *thread, char *stack);

/* ---- Waiting ----------------------------------------------------------------------------------
 */

uint64_t thread_deadline(int monotonic, const struct timespec *until)
{
    struct timespec now;
    const int64_t far_s = INT64_MAX / SECOND_NS / 2;
    clock_gettime(monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME, &now);
    if (until->tv_sec > far_s) {
        return THREAD_WAITS_FOR_EVER;
    }
    int64_t left_ns = (until->tv_sec - now.tv_sec) * SECOND_NS + until->tv_nsec - now.tv_nsec;
    if (!monotonic) {
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
    int64_t now_ns = now.tv_sec * SECOND_NS + now.tv_nsec;
    return left_ns > 0 ? (uint64_t)now_ns + (uint64_t)left_ns : (uint64_t)now_ns;
}

int thread_wait(const void *address, uint64_t deadline_ns)
{
    struct thread *self = thread_current;
    uint32_t answer = THREAD_INTERRUPTED;
    if (!self->stopping) {
        answer = host_thread_wait(address, deadline_ns);
    }
    switch (answer) {
    case THREAD_WOKEN:
        return 0;
    case THREAD_TIMED_OUT:
        return ETIMEDOUT;
    case THREAD_DEADLOCK:
        module_refuse_wait();
        return EINTR;
    default:
        if (self->stopping) {
            self->stopping = false;
            return ETIMEDOUT;
        }
        return EINTR;
    }
}

/* ---- Life -------------------------------------------------------------------------------------
 */

/* Its owner may still run on it, and is left for good before anyone else allocates. */
static void give_back(struct thread *thread)
{
    thread->next = kept;
    kept = thread;
    kept_count++;
}

static void free_some(void)
{
    while (kept_count > KEPT_MOST) {
        struct thread *thread = kept;
        kept = thread->next;
        kept_count--;
        free(thread->stack);
    }
}

/* Memory of a thread: its stack, and behind that what is known of it. */
static struct thread *allocate(size_t stack_bytes)
{
    if (stack_bytes == STACK_BYTES && kept != NULL && kept->stack_bytes == STACK_BYTES) {
        struct thread *thread = kept;
        kept = thread->next;
        kept_count--;
        char *stack = thread->stack;
        *thread = (struct thread){.stack = stack, .stack_bytes = STACK_BYTES};
        return thread;
    }
    free_some();
    char *stack = malloc(stack_bytes + sizeof(struct thread));
    if (stack == NULL) {
        return NULL;
    }
    struct thread *thread = (struct thread *)(void *)(stack + stack_bytes);
    *thread = (struct thread){.stack = stack, .stack_bytes = (uint32_t)stack_bytes};
    return thread;
}

static void run_destructors(struct thread *self)
{
    bool again = true;
    for (int round = 0; again && round < DESTRUCTOR_ROUNDS; round++) {
        again = false;
        for (int key = 0; key < THREAD_KEYS; key++) {
            const void *value = self->keys[key];
            self->keys[key] = NULL;
            if (value != NULL && destructors[key] != NULL) {
                destructors[key]((void *)(uintptr_t)value);
                again = true;
            }
        }
    }
}

/* A thread begins, as the host calls it; once it comes back it has ended. */
GUEST_EXPORT(eryx_guest_thread) void eryx_guest_thread(struct thread *self);
void eryx_guest_thread(struct thread *self)
{
    pressure_set_user(MEMORY_OF_PROGRAM);
    self->result = self->entry(self->argument);
    run_destructors(self);
    self->done = true;
    thread_count--;
    host_thread_wake(self, UINT32_MAX);
    if (self->detached) {
        give_back(self);
    }
}

/* The first word of pthread_attr_t, as libc's own functions set it. */
struct thread_attributes {
    uint32_t stack_bytes;
    uint32_t guard_bytes;
    uint32_t stack_top;
};

REPLACES int pthread_create(struct thread **out_thread, const struct thread_attributes *attributes,
                            void *(*entry)(void *), void *argument);
int pthread_create(struct thread **out_thread, const struct thread_attributes *attributes,
                   void *(*entry)(void *), void *argument)
{
    enum { MOST_STACK_BYTES = 16 << 20 };
    size_t stack_bytes = STACK_BYTES;
    /* CPython asks for its own default, 4 MiB, unless threading.stack_size() says otherwise. */
    if (attributes != NULL && attributes->stack_bytes > STACK_BYTES &&
        PyThreadState_GetUnchecked() != NULL && PyThread_get_stacksize() != 0) {
        if (attributes->stack_bytes > MOST_STACK_BYTES) {
            return EAGAIN;
        }
        stack_bytes = (attributes->stack_bytes + LEAST_STACK_BYTES + 15u) & ~(size_t)15;
    }
    struct thread *thread = allocate(stack_bytes);
    if (thread == NULL) {
        return EAGAIN;
    }
    thread->entry = entry;
    thread->argument = argument;
    thread->number = host_thread_create(thread, thread->stack + stack_bytes);
    if (thread->number == 0) {
        give_back(thread);
        return EAGAIN;
    }
    thread_count++;
    *out_thread = thread;
    return 0;
}

REPLACES struct thread *pthread_self(void);
struct thread *pthread_self(void)
{
    return thread_current;
}

REPLACES int pthread_detach(struct thread *thread);
int pthread_detach(struct thread *thread)
{
    if (thread->done && !thread->detached) {
        give_back(thread);
    }
    thread->detached = true;
    return 0;
}

REPLACES int pthread_join(struct thread *thread, void **out_result);
int pthread_join(struct thread *thread, void **out_result)
{
    while (!thread->done) {
        thread_wait(thread, THREAD_WAITS_FOR_EVER);
    }
    if (out_result != NULL) {
        *out_result = thread->result;
    }
    give_back(thread);
    return 0;
}

REPLACES int pthread_getattr_np(struct thread *thread, struct thread_attributes *out);
int pthread_getattr_np(struct thread *thread, struct thread_attributes *out)
{
    enum { FIRST_STACK_BYTES = 4 << 20 }; /* STACK_SIZE of toolchain/layout.py, from 0 up */
    uint32_t size = thread->stack == NULL ? FIRST_STACK_BYTES : thread->stack_bytes;
    out->stack_bytes = size;
    out->guard_bytes = 0;
    out->stack_top = (uint32_t)(uintptr_t)thread->stack + size;
    return 0;
}

/* ---- Keys -------------------------------------------------------------------------------------
 */

REPLACES int pthread_key_create(unsigned *out_key, void (*destructor)(void *));
int pthread_key_create(unsigned *out_key, void (*destructor)(void *))
{
    for (unsigned key = 0; key < THREAD_KEYS; key++) {
        if (!key_used[key]) {
            key_used[key] = true;
            destructors[key] = destructor;
            thread_current->keys[key] = NULL;
            *out_key = key;
            return 0;
        }
    }
    return EAGAIN;
}

REPLACES int pthread_key_delete(unsigned key);
int pthread_key_delete(unsigned key)
{
    key_used[key % THREAD_KEYS] = false;
    destructors[key % THREAD_KEYS] = NULL;
    return 0;
}

REPLACES void *pthread_getspecific(unsigned key);
void *pthread_getspecific(unsigned key)
{
    return (void *)(uintptr_t)thread_current->keys[key % THREAD_KEYS];
}

/* CPython puts the state of a new thread here, before it looks for the limits of its stack. */
REPLACES int pthread_setspecific(unsigned key, const void *value);
int pthread_setspecific(unsigned key, const void *value)
{
    struct thread *self = thread_current;
    bool had_state = self->stack == NULL || PyGILState_GetThisThreadState() != NULL;
    self->keys[key % THREAD_KEYS] = value;
    if (!had_state) {
        void *state = PyGILState_GetThisThreadState();
        if (state != NULL) {
            uint32_t base = (uint32_t)(uintptr_t)self->stack;
            runtime_limit_stack(state, base, base + self->stack_bytes);
        }
    }
    return 0;
}
