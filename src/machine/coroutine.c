#include "machine/coroutine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#include "base/assertion.h"

/* ThreadSanitizer follows the host's threads from stack to stack: each use of a stack is a fiber.
 */
#ifdef __SANITIZE_THREAD__
#define FIBER_CREATE() __tsan_create_fiber(0)
#define FIBER_DESTROY(fiber) __tsan_destroy_fiber(fiber)
#define FIBER_PRESENT() __tsan_get_current_fiber()
#define FIBER_SWITCH(fiber) __tsan_switch_to_fiber(fiber, 0)
#else
#define FIBER_CREATE() NULL
#define FIBER_DESTROY(fiber) ((void)(fiber))
#define FIBER_PRESENT() NULL
#define FIBER_SWITCH(fiber) ((void)(fiber))
#endif

void coroutine_switch(void **out_saved_sp, void *next_sp);
void coroutine_first_entry(void);

/* Left committed in a pooled stack; what a deep guest used below is given back. */
static const size_t pooled_resident_bytes[] = {(size_t)64 << 10, (size_t)32 << 10};

/* What lies below that tells whether there is more: frames of guests are smaller, so a deep guest
 * has left a return address in it. Where it was only a host function, that had little more. */
#define SEEN_BYTES ((size_t)4 << 10)

static const size_t stack_bytes[] = {COROUTINE_STACK_BYTES, COROUTINE_THREAD_BYTES};

/* More than this many idle stacks of a size are unmapped rather than kept. */
#define POOL_CAPACITY 64

enum { SIZES = sizeof stack_bytes / sizeof stack_bytes[0] };

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static coroutine_stack *pool[SIZES];
static size_t pool_count[SIZES];

static size_t mapping_bytes(coroutine_size size)
{
    return stack_bytes[size] + 2 * COROUTINE_GUARD_BYTES;
}

static coroutine_stack *stack_map(coroutine_size size)
{
    coroutine_stack *stack = malloc(sizeof *stack);
    if (stack == NULL) {
        return NULL;
    }
    uint8_t *mapping = mmap(NULL, mapping_bytes(size), PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) {
        goto fail_map;
    }
    if (mprotect(mapping + COROUTINE_GUARD_BYTES, stack_bytes[size], PROT_READ | PROT_WRITE) != 0) {
        goto fail_protect;
    }
    stack->record = mappings_note(mapping, mapping_bytes(size), MAPPING_STACK);
    if (stack->record == NULL) {
        goto fail_protect;
    }
    stack->next = NULL;
    stack->mapping = mapping;
    stack->limit = mapping + COROUTINE_GUARD_BYTES;
    stack->top = stack->limit + stack_bytes[size];
    stack->size = size;
    return stack;

fail_protect:
    munmap(mapping, mapping_bytes(size));
fail_map:
    free(stack);
    return NULL;
}

static void stack_unmap(coroutine_stack *stack)
{
    mappings_forget(stack->record);
    munmap(stack->mapping, mapping_bytes(stack->size));
    free(stack);
}

static coroutine_stack *stack_acquire(coroutine_size size)
{
    pthread_mutex_lock(&pool_lock);
    coroutine_stack *stack = pool[size];
    if (stack != NULL) {
        pool[size] = stack->next;
        pool_count[size]--;
    }
    pthread_mutex_unlock(&pool_lock);
    return stack != NULL ? stack : stack_map(size);
}

static bool was_deep(const coroutine_stack *stack)
{
    static const uint8_t zeros[SEEN_BYTES];
    const uint8_t *seen = stack->top - pooled_resident_bytes[stack->size] - SEEN_BYTES;
    return memcmp(seen, zeros, SEEN_BYTES) != 0;
}

static void stack_release(coroutine_stack *stack)
{
    coroutine_size size = stack->size;
    FIBER_DESTROY(stack->fiber);
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(stack->limit, stack_bytes[size]);
#endif
    if (was_deep(stack)) {
        madvise(stack->limit, stack_bytes[size] - pooled_resident_bytes[size], MADV_DONTNEED);
    }
    pthread_mutex_lock(&pool_lock);
    bool keep = pool_count[size] < POOL_CAPACITY;
    if (keep) {
        stack->next = pool[size];
        pool[size] = stack;
        pool_count[size]++;
    }
    pthread_mutex_unlock(&pool_lock);
    if (!keep) {
        stack_unmap(stack);
    }
}

static void empty_pool(void)
{
    for (int size = 0; size < SIZES; size++) {
        pool[size] = NULL;
        pool_count[size] = 0;
    }
}

void coroutine_trim(void)
{
    coroutine_stack *taken[SIZES];
    pthread_mutex_lock(&pool_lock);
    for (int size = 0; size < SIZES; size++) {
        taken[size] = pool[size];
    }
    empty_pool();
    pthread_mutex_unlock(&pool_lock);
    for (int size = 0; size < SIZES; size++) {
        while (taken[size] != NULL) {
            coroutine_stack *next = taken[size]->next;
            stack_unmap(taken[size]);
            taken[size] = next;
        }
    }
}

void coroutine_after_fork(void)
{
    pthread_mutex_init(&pool_lock, NULL);
    empty_pool();
}

bool coroutine_prepare(coroutine_rest *prepared, coroutine_size size, coroutine_main *main,
                       void *argument)
{
    coroutine_stack *stack = stack_acquire(size);
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
    stack->fiber = FIBER_CREATE();
    *prepared = (coroutine_rest){.stack = stack, .sp = frame};
    return true;
}

bool coroutine_create(coroutine *created, coroutine_main *main, void *argument)
{
    coroutine_rest prepared;
    if (!coroutine_prepare(&prepared, COROUTINE_OF_GUEST, main, argument)) {
        return false;
    }
    *created = (coroutine){.stack = prepared.stack, .guest_sp = prepared.sp};
    return true;
}

void coroutine_forget(coroutine_rest *forgotten)
{
    if (forgotten->stack != NULL) {
        stack_release(forgotten->stack);
        forgotten->stack = NULL;
    }
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
    __sanitizer_start_switch_fiber(NULL, entered->stack->limit, stack_bytes[entered->stack->size]);
    __sanitizer_finish_switch_fiber(NULL, &host_bottom, &host_size);
#endif
    void *host_fiber = FIBER_PRESENT();
    FIBER_SWITCH(entered->stack->fiber);
    coroutine_switch(&entered->host_sp, entered->guest_sp);
    FIBER_SWITCH(host_fiber);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(NULL, host_bottom, host_size);
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
}

void coroutine_leave(coroutine *left)
{
    coroutine_switch(&left->guest_sp, left->host_sp);
}

void coroutine_change(coroutine *guest, coroutine_rest *out_left, const coroutine_rest *next)
{
    void *sp = next->sp;
    out_left->stack = guest->stack;
    guest->stack = next->stack;
    eryx_assert((uint8_t *)sp > guest->stack->limit && (uint8_t *)sp < guest->stack->top);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(NULL, guest->stack->limit, stack_bytes[guest->stack->size]);
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
    FIBER_SWITCH(guest->stack->fiber);
    coroutine_switch(&out_left->sp, sp);
}

void coroutine_abandon(coroutine *left)
{
    coroutine_leave(left);
    __builtin_unreachable();
}
