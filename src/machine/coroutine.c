#include "machine/coroutine.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#include "base/assertion.h"

void coroutine_switch(void **out_saved_sp, void *next_sp);
void coroutine_first_entry(void);

/* Left committed in a pooled stack; what a deep guest used below is given back. */
#define POOLED_RESIDENT_BYTES ((size_t)64 << 10)

/* More than this many idle stacks are unmapped rather than kept. */
#define POOL_CAPACITY 64

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static coroutine_stack *pool;
static size_t pool_count;

static const size_t mapping_bytes = COROUTINE_STACK_BYTES + 2 * COROUTINE_GUARD_BYTES;

static coroutine_stack *stack_map(void)
{
    coroutine_stack *stack = malloc(sizeof *stack);
    if (stack == NULL) {
        return NULL;
    }
    uint8_t *mapping =
        mmap(NULL, mapping_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) {
        goto fail_map;
    }
    if (mprotect(mapping + COROUTINE_GUARD_BYTES, COROUTINE_STACK_BYTES, PROT_READ | PROT_WRITE) !=
        0) {
        goto fail_protect;
    }
    stack->next = NULL;
    stack->mapping = mapping;
    stack->limit = mapping + COROUTINE_GUARD_BYTES;
    stack->top = stack->limit + COROUTINE_STACK_BYTES;
    return stack;

fail_protect:
    munmap(mapping, mapping_bytes);
fail_map:
    free(stack);
    return NULL;
}

static void stack_unmap(coroutine_stack *stack)
{
    munmap(stack->mapping, mapping_bytes);
    free(stack);
}

static coroutine_stack *stack_acquire(void)
{
    pthread_mutex_lock(&pool_lock);
    coroutine_stack *stack = pool;
    if (stack != NULL) {
        pool = stack->next;
        pool_count--;
    }
    pthread_mutex_unlock(&pool_lock);
    return stack != NULL ? stack : stack_map();
}

static void stack_release(coroutine_stack *stack)
{
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(stack->limit, COROUTINE_STACK_BYTES);
#endif
    madvise(stack->limit, COROUTINE_STACK_BYTES - POOLED_RESIDENT_BYTES, MADV_DONTNEED);
    pthread_mutex_lock(&pool_lock);
    bool keep = pool_count < POOL_CAPACITY;
    if (keep) {
        stack->next = pool;
        pool = stack;
        pool_count++;
    }
    pthread_mutex_unlock(&pool_lock);
    if (!keep) {
        stack_unmap(stack);
    }
}

void coroutine_trim(void)
{
    pthread_mutex_lock(&pool_lock);
    coroutine_stack *stack = pool;
    pool = NULL;
    pool_count = 0;
    pthread_mutex_unlock(&pool_lock);
    while (stack != NULL) {
        coroutine_stack *next = stack->next;
        stack_unmap(stack);
        stack = next;
    }
}

void coroutine_after_fork(void)
{
    pthread_mutex_init(&pool_lock, NULL);
    pool = NULL;
    pool_count = 0;
}

bool coroutine_create(coroutine *created, coroutine_main *main, void *argument)
{
    coroutine_stack *stack = stack_acquire();
    if (stack == NULL) {
        return false;
    }
    /* What coroutine_restore takes off, in its order; the control words are the ABI's defaults. */
    uint64_t *frame = (uint64_t *)(void *)stack->top - 10;
    frame[0] = 0x1f80 | (uint64_t)0x037f << 32;
    frame[1] = 0;                             /* r15 */
    frame[2] = 0;                             /* r14 */
    frame[3] = (uint64_t)(uintptr_t)argument; /* r13 */
    frame[4] = (uint64_t)(uintptr_t)main;     /* r12 */
    frame[5] = 0;                             /* rbx */
    frame[6] = 0;                             /* rbp */
    frame[7] = (uint64_t)(uintptr_t)&coroutine_first_entry;
    frame[8] = 0;
    frame[9] = 0;
    *created = (coroutine){.stack = stack, .guest_sp = frame};
    return true;
}

void coroutine_destroy(coroutine *destroyed)
{
    if (destroyed->stack != NULL) {
        stack_release(destroyed->stack);
        destroyed->stack = NULL;
    }
}

void coroutine_enter(coroutine *entered)
{
    eryx_assert((uint8_t *)entered->guest_sp > (uint8_t *)entered->stack->limit &&
                (uint8_t *)entered->guest_sp < (uint8_t *)entered->stack->top);
#ifdef __SANITIZE_ADDRESS__
    /* Told from here for both directions, as a trap gives the guest no chance to. */
    const void *host_bottom;
    size_t host_size;
    __sanitizer_start_switch_fiber(NULL, entered->stack->limit, COROUTINE_STACK_BYTES);
    __sanitizer_finish_switch_fiber(NULL, &host_bottom, &host_size);
#endif
    coroutine_switch(&entered->host_sp, entered->guest_sp);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(NULL, host_bottom, host_size);
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
}

void coroutine_leave(coroutine *left)
{
    coroutine_switch(&left->guest_sp, left->host_sp);
}

void coroutine_abandon(coroutine *left)
{
    coroutine_leave(left);
    __builtin_unreachable();
}
