#include "live/live_state.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/forks.h"
#include "base/status.h"
#include "guest_build.h"
#include "net/tls_sessions.h"
#include "sandbox/determinism.h"
#include "sandbox/threads.h"
#include "sandbox/use.h"

struct eryx_checkpoint {
    eryx_engine *engine;  /* counted reference */
    pthread_mutex_t lock; /* of the state: copying it leaves marks in the nodes of its files */
    uint64_t fork_generation;
    const eryx_sandbox *origin; /* compared only: it may be gone */
    live_state state;
};

void live_state_free(live_state *state)
{
    handles_clear(&state->handles);
    vfs_destroy(state->files);
    state->files = NULL;
    live_memory_free(&state->memory);
}

eryx_status live_check_ready(const eryx_sandbox *sandbox, eryx_error *out_error)
{
    if (sandbox->state == SANDBOX_RUNNING) {
        return status_fail(ERYX_BUSY, out_error, "a run is going on in this sandbox");
    }
    if (sandbox->state == SANDBOX_BROKEN) {
        return status_fail(ERYX_NEEDS_RESET, out_error, "%s", eryx_status_text(ERYX_NEEDS_RESET));
    }
    if (threads_count(sandbox) > 0) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "threads are alive, whose stacks cannot be copied: %s",
                           threads_names(sandbox));
    }
    return ERYX_OK;
}

eryx_status live_state_capture(eryx_sandbox *sandbox, bool include_storages, live_state *out_state,
                               eryx_error *out_error)
{
    eryx_status status = live_check_ready(sandbox, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    live_state state = {.engine = sandbox->engine, .needs_entropy = sandbox->needs_entropy};
    if (!live_memory_capture(&sandbox->map, &sandbox->instance.memory,
                             sandbox->instance.stack_pointer, &sandbox->engine->image,
                             &state.memory)) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    status = live_files_copy(sandbox->files, &sandbox->handles,
                             include_storages ? LIVE_STORAGES_COPY : LIVE_STORAGES_SHARE,
                             &state.files, &state.handles, NULL, out_error);
    if (status != ERYX_OK) {
        live_memory_free(&state.memory);
        return status;
    }
    *out_state = state;
    return ERYX_OK;
}

/* Memory in the captured state, with the native modules that it lists. */
typedef struct new_memory {
    memory_map map;
    wasm_rt_memory_t memory;
    native_attachment native;
} new_memory;

static eryx_status create_memory(const live_state *state, const eryx_sandbox *sandbox,
                                 new_memory *out, eryx_error *out_error)
{
    eryx_engine *engine = state->engine;
    if (!memory_cache_take(&engine->cache, &engine->image, 0, &out->map, &out->memory)) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s", memory_shortage());
    }
    eryx_status status = live_memory_apply(&state->memory, &out->map, &out->memory)
                             ? native_restore(&sandbox->native, sandbox->instance.metered,
                                              &out->memory, &out->native, out_error)
                             : status_fail(ERYX_INITIALIZATION, out_error, "%s", memory_shortage());
    if (status != ERYX_OK) {
        memory_destroy(&out->map);
    }
    return status;
}

static void discard_memory(new_memory *memory)
{
    native_discard(&memory->native);
    memory_destroy(&memory->map);
}

/* Takes the files and handles of a state over, and memory that was made for it. */
static void enter(live_state *state, eryx_sandbox *sandbox, new_memory *memory)
{
    eryx_engine *engine = sandbox->engine;
    guest_instance *instance = &sandbox->instance;
    coroutine_destroy(&sandbox->coroutine);
    threads_end(sandbox);
    tls_sessions_end_run(sandbox->tls);
    net_end_run(sandbox->net, &sandbox->handles);
    handles_clear(&sandbox->handles);
    vfs_locks_move(sandbox->files, state->files, state->files->lock_moment);
    vfs_destroy(sandbox->files);
    if (sandbox->memory_used) {
        memory_cache_give(&engine->cache, &engine->image, &sandbox->map, &instance->memory);
    } else {
        memory_cache_keep(&engine->cache, &sandbox->map, &instance->memory);
    }
    sandbox_change_engine(sandbox, state->engine);
    sandbox->map = memory->map;
    sandbox->memory_used = true;
    instance->memory = memory->memory;
    native_adopt(&sandbox->native, &sandbox->extended, &memory->native);
    instance->stack_pointer = state->memory.stack_pointer;
    instance->pending_trap = WASM_RT_TRAP_NONE;
    memory_set_limit(&instance->memory, sandbox->limits.max_memory_bytes);
    sandbox->files = state->files;
    sandbox->handles = state->handles;
    sandbox->needs_entropy = state->needs_entropy;
    state->files = NULL;
    handles_init(&state->handles, 0, NULL);
    sandbox_apply_file_limits(sandbox);
    result_clear(&sandbox->result);
    sandbox->state = SANDBOX_READY;
}

eryx_status live_state_move(live_state *state, eryx_sandbox *sandbox, eryx_error *out_error)
{
    new_memory memory;
    eryx_status status = create_memory(state, sandbox, &memory, out_error);
    if (status == ERYX_OK) {
        enter(state, sandbox, &memory);
    }
    return status;
}

eryx_status live_state_copy(const live_state *state, eryx_sandbox *sandbox, eryx_error *out_error)
{
    new_memory memory;
    eryx_status status = create_memory(state, sandbox, &memory, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    live_state copy = {
        .engine = state->engine, .memory = state->memory, .needs_entropy = state->needs_entropy};
    live_storages storages;
    status = live_files_copy(state->files, &state->handles, LIVE_STORAGES_PUT_BACK, &copy.files,
                             &copy.handles, &storages, out_error);
    if (status != ERYX_OK) {
        discard_memory(&memory);
        return status;
    }
    live_storages_end(&storages, true);
    copy.files->lock_moment = state->files->lock_moment;
    enter(&copy, sandbox, &memory);
    return ERYX_OK;
}

/* ---- Public functions ------------------------------------------------------------------------ */

const char *eryx_build_id(void)
{
    return GUEST_BUILD_ID_TEXT;
}

static eryx_status fork_sandbox(eryx_sandbox *sandbox, eryx_sandbox **out_fork,
                                eryx_error *out_error)
{
    live_state state;
    eryx_status status = live_state_capture(sandbox, false, &state, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    eryx_sandbox *fork;
    status = sandbox_create_like(sandbox, &fork, out_error);
    if (status == ERYX_OK) {
        status = live_state_move(&state, fork, out_error);
        if (status == ERYX_OK) {
            fork->needs_entropy = true;
            determinism_fork(&sandbox->determinism, &fork->determinism);
            *out_fork = fork;
        } else {
            eryx_sandbox_destroy(fork);
        }
    }
    live_state_free(&state);
    return status;
}

eryx_status eryx_sandbox_fork(eryx_sandbox *sandbox, eryx_sandbox **out_fork, eryx_error *out_error)
{
    if (out_fork == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "there is no place for the fork");
    }
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = fork_sandbox(sandbox, out_fork, out_error);
        use_end(sandbox);
    }
    return status;
}

eryx_status eryx_checkpoint_create(eryx_sandbox *sandbox, bool include_storages,
                                   eryx_checkpoint **out_checkpoint, eryx_error *out_error)
{
    if (out_checkpoint == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "there is no place for the checkpoint");
    }
    eryx_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (checkpoint == NULL || pthread_mutex_init(&checkpoint->lock, NULL) != 0) {
        free(checkpoint);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = live_state_capture(sandbox, include_storages, &checkpoint->state, out_error);
        use_end(sandbox);
    }
    if (status != ERYX_OK) {
        pthread_mutex_destroy(&checkpoint->lock);
        free(checkpoint);
        return status;
    }
    checkpoint->engine = engine_retain(sandbox->engine);
    checkpoint->fork_generation = forks_generation();
    checkpoint->origin = sandbox;
    *out_checkpoint = checkpoint;
    return ERYX_OK;
}

void eryx_checkpoint_destroy(eryx_checkpoint *checkpoint)
{
    if (checkpoint != NULL) {
        live_state_free(&checkpoint->state);
        eryx_engine_destroy(checkpoint->engine);
        pthread_mutex_destroy(&checkpoint->lock);
        free(checkpoint);
    }
}

static eryx_status roll_back(eryx_sandbox *sandbox, eryx_checkpoint *checkpoint,
                             eryx_error *out_error)
{
    if (engine_first(checkpoint->engine) != engine_first(sandbox->engine)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "the checkpoint is of another engine");
    }
    if (checkpoint->fork_generation != forks_generation()) {
        return status_fail(ERYX_FORKED, out_error,
                           "the checkpoint belongs to the parent of this process");
    }
    pthread_mutex_lock(&checkpoint->lock);
    eryx_status status = live_state_copy(&checkpoint->state, sandbox, out_error);
    pthread_mutex_unlock(&checkpoint->lock);
    if (status == ERYX_OK && sandbox != checkpoint->origin) {
        sandbox->needs_entropy = true; /* it is a fork then */
    }
    return status;
}

eryx_status eryx_sandbox_rollback(eryx_sandbox *sandbox, eryx_checkpoint *checkpoint,
                                  eryx_error *out_error)
{
    if (checkpoint == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "no checkpoint was given");
    }
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = roll_back(sandbox, checkpoint, out_error);
        use_end(sandbox);
    }
    return status;
}
