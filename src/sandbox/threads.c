#include "sandbox/threads.h"

#include <stdlib.h>

#include "base/assertion.h"
#include "base/clock.h"
#include "guest_exports.h"
#include "machine/guest_memory.h"
#include "machine/trap.h"
#include "protocol/run.h"
#include "sandbox/determinism.h"
#include "sandbox/run.h"

/* Turns are not shorter, whatever sys.setswitchinterval() says. */
#define LEAST_INTERVAL_NS ((uint64_t)100000)

typedef enum stage {
    STAGE_FREE,    /* no thread */
    STAGE_RUNS,    /* the present one */
    STAGE_READY,   /* in the queue */
    STAGE_WAITS,   /* for its key or its time */
    STAGE_OUTSIDE, /* for something that the embedder or the network brings, or its time */
} stage;

typedef struct guest_thread {
    coroutine_rest rest; /* while it does not run */
    stage stage;
    uint32_t argument;
    uint32_t answer; /* thread_answer to the present wait */
    uint32_t key;
    uint64_t moment;           /* when its wait began, by the count of waits */
    uint64_t deadline_ns;      /* of its wait, by the guest's clock */
    uint64_t host_ns;          /* the same by the host's, of a wait outside */
    struct guest_thread *next; /* in the queue */
    uint32_t stack_pointer;    /* while it does not run */
    uint32_t place;
    uint32_t words[THREAD_WORDS];
    bool watches;
    uint32_t watches_since; /* pokes at that time */
} guest_thread;

struct threads {
    guest_thread first;
    guest_thread **list; /* by number - 1; those that are free wait to be used again */
    uint32_t size;
    uint32_t count;
    uint32_t outside; /* threads that wait there, the first one included */
    guest_thread *current;
    guest_thread *ready; /* first of the queue */
    guest_thread *last;
    uint64_t moment;
    uint64_t earliest_ns; /* no deadline is before it */
    uint32_t pokes;
    coroutine_rest ended; /* a stack that was left for good */
    guest_ptr gil;
    guest_ptr words[THREAD_WORDS];
};

/* ---- The queue --------------------------------------------------------------------------------
 */

static void make_ready(struct threads *all, guest_thread *thread, uint32_t answer)
{
    if (thread->stage == STAGE_OUTSIDE) {
        all->outside--;
    }
    thread->stage = STAGE_READY;
    thread->answer = answer;
    thread->next = NULL;
    if (all->ready == NULL) {
        all->ready = thread;
    } else {
        all->last->next = thread;
    }
    all->last = thread;
}

static bool is_waiting(const guest_thread *thread)
{
    return thread->stage == STAGE_WAITS || thread->stage == STAGE_OUTSIDE;
}

/* The thread after that one of all there are, from the first one on; NULL after the last. */
static guest_thread *following(struct threads *all, uint32_t *io_index)
{
    return *io_index < all->size ? all->list[(*io_index)++] : NULL;
}

#define FOR_EACH_THREAD(all, thread)                                                               \
    uint32_t index_of_##thread = 0;                                                                \
    for (guest_thread *thread = &(all)->first; thread != NULL;                                     \
         thread = following(all, &index_of_##thread))

/* Those whose time is over go on, in the order of their times. */
static void expire(eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    if (all->earliest_ns == UINT64_MAX) {
        return;
    }
    uint64_t now = sandbox_now_ns(sandbox);
    while (all->earliest_ns <= now) {
        guest_thread *over = NULL;
        uint64_t next_ns = UINT64_MAX;
        FOR_EACH_THREAD(all, thread)
        {
            if (!is_waiting(thread)) {
                continue;
            }
            if (thread->deadline_ns <= now &&
                (over == NULL || thread->deadline_ns < over->deadline_ns)) {
                next_ns = over != NULL && over->deadline_ns < next_ns ? over->deadline_ns : next_ns;
                over = thread;
            } else if (thread->deadline_ns < next_ns) {
                next_ns = thread->deadline_ns;
            }
        }
        all->earliest_ns = next_ns;
        if (over != NULL) {
            make_ready(all, over, THREAD_TIMED_OUT);
        }
    }
}

static void begin_wait(struct threads *all, stage where, uint64_t deadline_ns)
{
    guest_thread *self = all->current;
    self->stage = where;
    self->deadline_ns = deadline_ns;
    self->answer = THREAD_WOKEN;
    self->moment = ++all->moment;
    if (where == STAGE_OUTSIDE) {
        all->outside++;
    }
    if (deadline_ns < all->earliest_ns) {
        all->earliest_ns = deadline_ns;
    }
}

/* What may have happened outside concerns any that wait for it: they look themselves. */
static void wake_outside(struct threads *all)
{
    if (all->outside > 0) {
        FOR_EACH_THREAD(all, thread)
        {
            if (thread->stage == STAGE_OUTSIDE) {
                make_ready(all, thread, THREAD_WOKEN);
            }
        }
    }
}

/* ---- Changing ---------------------------------------------------------------------------------
 */

static void free_ended(struct threads *all)
{
    coroutine_forget(&all->ended);
}

/* Goes on in another thread; comes back when this one is to go on. */
static void change_to(eryx_sandbox *sandbox, guest_thread *next)
{
    struct threads *all = sandbox->threads;
    guest_instance *instance = &sandbox->instance;
    guest_thread *self = all->current;
    if (next == self) {
        self->stage = STAGE_RUNS;
        return;
    }
    self->stack_pointer = instance->stack_pointer;
    self->place = instance->place;
    for (int i = 0; i < THREAD_WORDS; i++) {
        if (all->words[i].offset != 0) {
            self->words[i] = guest_load_u32(instance, all->words[i]);
            guest_store_u32(instance, all->words[i], next->words[i]);
        }
    }
    instance->stack_pointer = next->stack_pointer;
    instance->place = next->place;
    instance->stack_reserve = next->rest.stack->limit + COROUTINE_RESERVE_BYTES;
    next->stage = STAGE_RUNS;
    all->current = next;
    coroutine_rest to = next->rest;
    next->rest.stack = NULL;
    guest_unwind unwind = guest_unwind_take(&sandbox->extended); /* the other has its own */
    coroutine_change(&sandbox->coroutine, self->stage == STAGE_FREE ? &all->ended : &self->rest,
                     &to);
    guest_unwind_put(&sandbox->extended, unwind);
    free_ended(sandbox->threads);
}

static guest_thread *take_ready(eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    expire(sandbox);
    guest_thread *thread = all->ready;
    if (thread != NULL) {
        all->ready = thread->next;
    }
    return thread;
}

/* When the host has to look for those that wait for something outside that is no call. */
static uint64_t earliest_outside_ns(struct threads *all)
{
    uint64_t earliest_ns = UINT64_MAX;
    FOR_EACH_THREAD(all, thread)
    {
        if (thread->stage == STAGE_OUTSIDE && thread->host_ns < earliest_ns) {
            earliest_ns = thread->host_ns;
        }
    }
    return earliest_ns;
}

/* All wait: so does the run. Nothing to wait for is told the first thread. */
static void wait_all(eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    if (all->earliest_ns == UINT64_MAX && all->outside == 0) {
        eryx_assert(all->first.stage == STAGE_WAITS);
        make_ready(all, &all->first, THREAD_DEADLOCK);
        return;
    }
    run_wait_event(sandbox, all->earliest_ns, earliest_outside_ns(all));
    wake_outside(all);
    if (!limits_are_over(&sandbox->timing, &sandbox->instance)) {
        threads_tell_stop(sandbox);
    }
}

/* The present thread cannot go on: others do. Comes back when it can, or when the run is over. */
static void go_on(eryx_sandbox *sandbox)
{
    while (sandbox->instance.pending_trap == WASM_RT_TRAP_NONE) {
        guest_thread *next = take_ready(sandbox);
        if (next != NULL) {
            change_to(sandbox, next);
            return;
        }
        wait_all(sandbox);
    }
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static void thread_main(void *argument)
{
    eryx_sandbox *sandbox = argument;
    struct threads *all = sandbox->threads;
    free_ended(all);
    guest_export_eryx_guest_thread(&sandbox->instance, all->current->argument);
    all->current->stage = STAGE_FREE;
    all->count--;
    go_on(sandbox);
    trap_raise(sandbox->instance.pending_trap);
}

static struct threads *threads_start(eryx_sandbox *sandbox)
{
    struct threads *all = calloc(1, sizeof *all);
    if (all != NULL) {
        struct interrupt_flags flags;
        guest_read(&sandbox->instance, sandbox->timing.interrupt, &flags, sizeof flags);
        all->gil = guest_at(flags.gil);
        for (int i = 0; i < THREAD_WORDS; i++) {
            all->words[i] = guest_at(flags.words[i]);
        }
        all->current = &all->first;
        all->first.stage = STAGE_RUNS;
        all->earliest_ns = UINT64_MAX;
        sandbox->threads = all;
    }
    return all;
}

/* A thread that is free; NULL without memory. */
static guest_thread *find_free(struct threads *all, uint32_t *out_number)
{
    for (uint32_t i = 0; i < all->size; i++) {
        if (all->list[i]->stage == STAGE_FREE) {
            *out_number = i + 1;
            return all->list[i];
        }
    }
    guest_thread **list = realloc(all->list, (all->size + 1) * sizeof(guest_thread *));
    if (list == NULL) {
        return NULL;
    }
    all->list = list;
    guest_thread *thread = calloc(1, sizeof *thread);
    if (thread != NULL) {
        list[all->size++] = thread;
        *out_number = all->size;
    }
    return thread;
}

uint32_t threads_create(eryx_sandbox *sandbox, uint32_t argument, uint32_t stack_pointer)
{
    struct threads *all = sandbox->threads != NULL ? sandbox->threads : threads_start(sandbox);
    uint32_t number;
    if (all == NULL || all->count >= sandbox->limits.max_threads || all->count >= THREADS_MOST) {
        return 0;
    }
    guest_thread *thread = find_free(all, &number);
    if (thread == NULL) {
        return 0;
    }
    coroutine_rest rest;
    if (!coroutine_prepare(&rest, COROUTINE_OF_THREAD, thread_main, sandbox)) {
        return 0;
    }
    *thread = (guest_thread){.rest = rest,
                             .argument = argument,
                             .stack_pointer = stack_pointer,
                             .place = GUEST_IN_GUEST,
                             .words = {argument}};
    all->count++;
    make_ready(all, thread, THREAD_WOKEN);
    if (all->count == 1) {
        limits_take_turns(&sandbox->timing, &sandbox->instance);
    }
    return number;
}

uint32_t threads_count(const eryx_sandbox *sandbox)
{
    return sandbox->threads != NULL ? sandbox->threads->count : 0;
}

const char *threads_names(const eryx_sandbox *sandbox)
{
    const uint8_t *names = sandbox->result.fields[REPORT_THREAD_NAMES].data;
    return names != NULL ? (const char *)names : "without names";
}

static guest_thread *find(const struct threads *all, uint32_t number)
{
    return all != NULL && number > 0 && number <= all->size ? all->list[number - 1] : NULL;
}

uint32_t threads_state(const eryx_sandbox *sandbox, uint32_t number)
{
    const guest_thread *thread = find(sandbox->threads, number);
    if (thread == NULL || thread->stage == STAGE_FREE) {
        return THREAD_GONE;
    }
    if (!is_waiting(thread)) {
        return THREAD_GOES_ON;
    }
    return thread->stage == STAGE_OUTSIDE || thread->deadline_ns != UINT64_MAX ? THREAD_WAITS
                                                                               : THREAD_WAITS_ON;
}

void threads_begin_run(eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    if (all != NULL) {
        eryx_assert(all->current == &all->first);
        all->first.stage = STAGE_RUNS;
        if (all->count > 0) {
            limits_take_turns(&sandbox->timing, &sandbox->instance);
        }
    }
}

void threads_end(eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    if (all == NULL) {
        return;
    }
    coroutine_forget(&all->ended);
    coroutine_forget(&all->first.rest);
    for (uint32_t i = 0; i < all->size; i++) {
        coroutine_forget(&all->list[i]->rest);
        free(all->list[i]);
    }
    free(all->list);
    free(all);
    sandbox->threads = NULL;
}

/* ---- Waiting ----------------------------------------------------------------------------------
 */

/* The only thread of the sandbox waits. */
static uint32_t wait_alone(eryx_sandbox *sandbox, uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX) {
        return THREAD_DEADLOCK;
    }
    while (sandbox_now_ns(sandbox) < deadline_ns) {
        if (!run_wait(sandbox, deadline_ns, UINT64_MAX)) {
            return THREAD_INTERRUPTED;
        }
    }
    return THREAD_TIMED_OUT;
}

uint32_t threads_wait(eryx_sandbox *sandbox, uint32_t key, uint64_t deadline_ns)
{
    struct threads *all = sandbox->threads;
    if (all == NULL) {
        return wait_alone(sandbox, deadline_ns);
    }
    if (all->current == &all->first && limits_tell_stop(&sandbox->timing)) {
        return THREAD_INTERRUPTED;
    }
    guest_thread *self = all->current;
    self->key = key;
    begin_wait(all, STAGE_WAITS, deadline_ns);
    go_on(sandbox);
    return self->answer;
}

uint32_t threads_wake(eryx_sandbox *sandbox, uint32_t key, uint32_t most)
{
    struct threads *all = sandbox->threads;
    uint32_t woken = 0;
    while (all != NULL && woken < most) {
        guest_thread *found = NULL;
        FOR_EACH_THREAD(all, thread)
        {
            if (thread->stage == STAGE_WAITS && thread->key == key &&
                (found == NULL || thread->moment < found->moment)) {
                found = thread;
            }
        }
        if (found == NULL) {
            break;
        }
        make_ready(all, found, THREAD_WOKEN);
        woken++;
    }
    return woken;
}

bool threads_wait_outside(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns)
{
    struct threads *all = sandbox->threads;
    limits_state *timing = &sandbox->timing;
    guest_thread *self = all->current;
    bool is_first = self == &all->first;
    if (is_first ? !limits_check_wait(timing, &sandbox->instance)
                 : limits_are_over(timing, &sandbox->instance)) {
        return false;
    }
    self->host_ns = host_ns;
    const bool host_first = host_ns < guest_ns && !sandbox->determinism.on;
    begin_wait(all, STAGE_OUTSIDE, host_first ? host_ns : guest_ns);
    go_on(sandbox);
    if (self->answer == THREAD_INTERRUPTED) {
        return false;
    }
    return is_first ? limits_check_wait(timing, &sandbox->instance)
                    : !limits_are_over(timing, &sandbox->instance);
}

void threads_give_way(eryx_sandbox *sandbox, bool may_wait)
{
    struct threads *all = sandbox->threads;
    if (all == NULL || all->count == 0) {
        return;
    }
    expire(sandbox);
    if (all->outside > 0 && all->ready == NULL && may_wait) {
        run_wait_event(sandbox, all->earliest_ns, earliest_outside_ns(all));
        wake_outside(all);
    } else if (all->outside > 0) {
        if (!sandbox->determinism.on || earliest_outside_ns(all) != UINT64_MAX) {
            run_wait_event(sandbox, UINT64_MAX, clock_now_ns());
        }
        wake_outside(all);
    } else if (may_wait && all->ready == NULL && all->earliest_ns != UINT64_MAX) {
        run_wait_event(sandbox, all->earliest_ns, UINT64_MAX);
    }
    limits_are_over(&sandbox->timing, &sandbox->instance);
    if (sandbox->instance.pending_trap == WASM_RT_TRAP_NONE) {
        make_ready(all, all->current, THREAD_WOKEN);
        go_on(sandbox);
    }
}

void threads_interrupt(eryx_sandbox *sandbox, uint32_t number)
{
    guest_thread *thread = find(sandbox->threads, number);
    if (thread != NULL && is_waiting(thread)) {
        make_ready(sandbox->threads, thread, THREAD_INTERRUPTED);
    }
}

void threads_poke(eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    if (all != NULL) {
        all->pokes++;
        wake_outside(all);
    }
}

void threads_watch(eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    sandbox->run.watch_answers = true;
    if (all != NULL) {
        all->current->watches = true;
        all->current->watches_since = all->pokes;
    }
}

bool threads_watches(const eryx_sandbox *sandbox)
{
    const struct threads *all = sandbox->threads;
    return all != NULL ? all->current->watches : sandbox->run.watch_answers;
}

bool threads_poked(const eryx_sandbox *sandbox)
{
    const struct threads *all = sandbox->threads;
    return all != NULL && all->current->watches && all->current->watches_since != all->pokes;
}

bool threads_anyone_watches(const eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    if (all == NULL) {
        return sandbox->run.watch_answers;
    }
    FOR_EACH_THREAD(all, thread)
    {
        if (thread->stage == STAGE_OUTSIDE && thread->watches) {
            return true;
        }
    }
    return false;
}

void threads_unwatch(eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    sandbox->run.watch_answers = false;
    if (all != NULL) {
        all->current->watches = false;
    }
}

/* ---- Turns ------------------------------------------------------------------------------------
 */

uint64_t threads_interval_ns(eryx_sandbox *sandbox)
{
    uint64_t interval_ns =
        (uint64_t)guest_load_u32(&sandbox->instance, sandbox->threads->gil) * 1000;
    return interval_ns > LEAST_INTERVAL_NS ? interval_ns : LEAST_INTERVAL_NS;
}

/* Asks whoever has the interpreter's lock to let go of it. */
static void ask_holder(eryx_sandbox *sandbox)
{
    guest_instance *instance = &sandbox->instance;
    struct gil_words gil;
    uint8_t *unused;
    if (guest_read(instance, sandbox->threads->gil, &gil, sizeof gil) && gil.locked != 0) {
        guest_ptr breaker = guest_offset(guest_at(gil.holder), GIL_HOLDER_EVAL_BREAKER);
        if (guest_slice(instance, breaker, sizeof(uint32_t), &unused)) {
            guest_store_u32(instance, breaker,
                            guest_load_u32(instance, breaker) | GIL_DROP_REQUEST_BIT);
        }
    }
}

void threads_turn(eryx_sandbox *sandbox, uint64_t now_ns)
{
    const struct threads *all = sandbox->threads;
    if (all->ready != NULL || all->outside > 0 || all->earliest_ns <= now_ns) {
        ask_holder(sandbox);
    }
}

void threads_tell_stop(eryx_sandbox *sandbox)
{
    struct threads *all = sandbox->threads;
    if (all == NULL || sandbox->timing.stop == 0) {
        return;
    }
    if (all->first.stage == STAGE_WAITS && limits_tell_stop(&sandbox->timing)) {
        make_ready(all, &all->first, THREAD_INTERRUPTED);
    } else if (all->first.stage == STAGE_OUTSIDE) {
        make_ready(all, &all->first, THREAD_WOKEN);
    }
    if (all->current != &all->first) {
        ask_holder(sandbox);
    }
}
