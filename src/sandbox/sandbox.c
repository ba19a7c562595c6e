#include "sandbox/sandbox.h"

#include <stdlib.h>

#include "base/forks.h"
#include "base/options.h"
#include "base/status.h"
#include "machine/guest_code.h"
#include "machine/memory_reset.h"
#include "net/tls_sessions.h"
#include "sandbox/determinism.h"
#include "sandbox/file_calls.h"
#include "sandbox/handle_drop.h"
#include "sandbox/mounts.h"
#include "sandbox/seeds.h"
#include "sandbox/threads.h"
#include "sandbox/use.h"
#include "secrets/secrets.h"
#include "state/store.h"
#include "vfs/changes.h"

static const eryx_limits default_limits = {.struct_size = sizeof default_limits,
#define DEFAULT_OF_LIMIT(name, default_value, bounds, reached) .name = (default_value),
                                           ERYX_LIMITS_MAP(DEFAULT_OF_LIMIT)
                                               ERYX_LATER_LIMITS_MAP(DEFAULT_OF_LIMIT)
#undef DEFAULT_OF_LIMIT
};

void eryx_limits_init_sized(eryx_limits *limits, size_t size)
{
    options_init(limits, size, &default_limits, sizeof default_limits);
}

static eryx_sandbox_options default_options(void)
{
    return (eryx_sandbox_options){.struct_size = sizeof(eryx_sandbox_options),
                                  .limits = default_limits,
                                  .scrub = ERYX_SCRUB_DEFAULT};
}

void eryx_sandbox_options_init_sized(eryx_sandbox_options *options, size_t size)
{
    eryx_sandbox_options defaults = default_options();
    options_init(options, size, &defaults, sizeof defaults);
}

static vfs_quota quota_of(const eryx_limits *limits)
{
    return (vfs_quota){.max_bytes = limits->max_vfs_bytes, .max_entries = limits->max_vfs_entries};
}

static uint32_t handle_limit_of(const eryx_limits *limits)
{
    const uint32_t most = 1 << 24;
    return limits->max_open_handles < most ? (uint32_t)limits->max_open_handles : most;
}

static eryx_status create_tree(eryx_sandbox *sandbox, eryx_error *out_error)
{
    vfs_quota quota = quota_of(&sandbox->limits);
    handles_init(&sandbox->handles, handle_limit_of(&sandbox->limits), handle_drop_object);
    if (sandbox->engine->start_files != NULL) {
        const eryx_engine *engine = sandbox->engine;
        const live_bytes files = {engine->start_files, engine->start_files_size};
        return live_store_read(&files, engine->stdlib, sandbox->mounts, &quota, false,
                               &sandbox->files, &sandbox->handles, out_error);
    }
    if (vfs_create(sandbox->engine->stdlib, &quota, &sandbox->files) != VFS_OK) {
        sandbox->files = NULL;
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    if (vfs_use_mounts(sandbox->files, sandbox->mounts) != VFS_OK) {
        vfs_destroy(sandbox->files);
        sandbox->files = NULL;
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    sandbox->handles.fixed[HANDLE_ROOT].object = vfs_root(sandbox->files);
    return ERYX_OK;
}

/* Files and handles as a guest finds them at its start. */
static eryx_status create_files(eryx_sandbox *sandbox, eryx_error *out_error)
{
    memory_clock clock = determinism_stamp_files(sandbox);
    eryx_status status = create_tree(sandbox, out_error);
    memory_use_clock(clock);
    return status;
}

static void destroy_files(eryx_sandbox *sandbox)
{
    handles_clear(&sandbox->handles);
    vfs_destroy(sandbox->files);
    sandbox->files = NULL;
}

static bool create_memory(eryx_sandbox *sandbox)
{
    eryx_engine *engine = sandbox->engine;
    wasm_rt_memory_t *memory = &sandbox->instance.memory;
    const image *source = engine->has_image ? &engine->image : NULL;
    return memory_cache_take(&engine->cache, source, guest_initial_pages, &sandbox->map, memory);
}

static void destroy_memory(eryx_sandbox *sandbox)
{
    eryx_engine *engine = sandbox->engine;
    bool is_ours = sandbox->fork_generation == forks_generation();
    wasm_rt_memory_t *memory = &sandbox->instance.memory;
    if (sandbox->map.reservation == NULL || !engine->has_image || !is_ours ||
        sandbox->memory_wasted) {
        memory_destroy(&sandbox->map);
    } else if (sandbox->memory_used) {
        memory_cache_give(&engine->cache, &engine->image, &sandbox->map, memory);
    } else {
        memory_cache_keep(&engine->cache, &sandbox->map, memory);
    }
}

/* Puts the globals to where the image has them. */
static void restore_globals(eryx_sandbox *sandbox)
{
    guest_instance *instance = &sandbox->instance;
    instance->stack_pointer = sandbox->engine->image.stack_pointer;
    instance->pending_trap = WASM_RT_TRAP_NONE;
    instance->attention = 0;
    memory_set_limit(&instance->memory, sandbox->limits.max_memory_bytes);
}

/* Native modules: those that the caller allows, and those that are in the image already. */
static eryx_status attach_native(eryx_sandbox *sandbox, const eryx_sandbox_options *options,
                                 eryx_error *out_error)
{
    native_attachment attachment;
    eryx_status status = native_allow(&sandbox->native, options->native_modules,
                                      options->native_module_count, out_error);
    if (status == ERYX_OK) {
        status = native_restore_image(&sandbox->native, sandbox->instance.metered,
                                      engine_image(sandbox->engine), &attachment, out_error);
    }
    if (status == ERYX_OK) {
        native_adopt(&sandbox->native, &sandbox->extended, &attachment);
    }
    return status;
}

/* Gives a sandbox that needs descriptors a share of them. */
static eryx_status share_descriptors(eryx_sandbox *sandbox, bool needed, eryx_error *out_error)
{
    if (needed) {
        sandbox->descriptors = descriptors_share_create();
        if (sandbox->descriptors == NULL) {
            return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        }
    }
    return ERYX_OK;
}

/* policy: taken over. False without memory. */
static bool create_network(eryx_sandbox *sandbox, net_policy *policy)
{
    if (!net_create(policy, &sandbox->net)) {
        return false;
    }
    net_share_descriptors(sandbox->net, sandbox->descriptors);
    return true;
}

/* A network like another's. False without memory. */
static bool copy_network(eryx_sandbox *sandbox, const net *original)
{
    if (!net_create_like(original, &sandbox->net)) {
        return false;
    }
    net_share_descriptors(sandbox->net, sandbox->descriptors);
    return true;
}

/* What a factory brings may be more than the sandbox is to have. The image itself, which every
 * sandbox begins with, is there whatever the limit. */
static eryx_status check_memory_limit(const eryx_sandbox *sandbox, eryx_error *out_error)
{
    const eryx_engine *engine = sandbox->engine;
    uint64_t limit = sandbox->limits.max_memory_bytes;
    uint64_t needed = engine->image.memory_pages * MEMORY_PAGE_BYTES;
    if (engine->base == NULL || engine->image.memory_pages <= engine->base->image.memory_pages ||
        needed <= limit) {
        return ERYX_OK;
    }
    return status_fail(ERYX_RESOURCE_LIMIT, out_error,
                       "a sandbox of the factory needs %llu bytes of memory, the limit is %llu",
                       (unsigned long long)needed, (unsigned long long)limit);
}

/* given: NULL for the defaults. */
static eryx_status take_options(const eryx_sandbox_options *given, eryx_sandbox_options *own,
                                eryx_error *out_error)
{
    *own = default_options();
    if (given == NULL) {
        return ERYX_OK;
    }
    eryx_status status = options_take("eryx_sandbox_options", given, own, sizeof *own, out_error);
    if (status == ERYX_OK && own->limits.struct_size != sizeof own->limits) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "eryx_limits has %zu bytes, but must have %zu: it must be made with "
                           "eryx_limits_init()",
                           own->limits.struct_size, sizeof own->limits);
    }
    return status;
}

/* Gives the parts to a sandbox. */
static void take_parts(eryx_sandbox *sandbox, sandbox_parts *parts)
{
    if (parts != NULL) {
        sandbox->mounts = parts->mounts;
        sandbox->net = parts->net;
        sandbox->secrets = parts->secrets;
    }
}

static void drop_parts(sandbox_parts *parts)
{
    if (parts != NULL) {
        vfs_mounts_release(parts->mounts);
        net_destroy(parts->net);
        secrets_destroy(parts->secrets);
    }
}

static bool counts_fuel(const eryx_limits *limits)
{
    return limits->metered || limits->max_fuel != ERYX_UNLIMITED;
}

/* draws: an image of the engine's seeds; else that very engine's. How long a search in a table
 * takes depends on the seed, so those that count fuel, or do the same each time, all have one. */
static eryx_status create(eryx_engine *engine, const eryx_sandbox_options *given,
                          sandbox_parts *parts, bool draws, eryx_sandbox **out_sandbox,
                          eryx_error *out_error)
{
    eryx_sandbox_options own;
    const eryx_sandbox_options *options = &own;
    eryx_status status = take_options(given, &own, out_error);
    if (status == ERYX_OK && draws && own.deterministic == NULL && !counts_fuel(&own.limits)) {
        status = seeds_draw(engine, &engine, out_error);
    }
    if (status != ERYX_OK) {
        drop_parts(parts);
        return status;
    }
    eryx_sandbox *sandbox = calloc(1, sizeof *sandbox);
    if (sandbox == NULL) {
        drop_parts(parts);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    take_parts(sandbox, parts);
    sandbox->limits = options->limits;
    status = determinism_begin(&sandbox->determinism, options->deterministic, out_error);
    sandbox->instance.metered = sandbox_is_metered(sandbox);
    sandbox->fork_generation = forks_generation();
    sandbox->engine = engine_retain(engine);
    handles_init(&sandbox->handles, 0, handle_drop_object);
    standard_input_init(&sandbox->input);

    if (status == ERYX_OK) {
        status = check_memory_limit(sandbox, out_error);
    }
    if (status == ERYX_OK) {
        status = share_descriptors(sandbox, options->volume_count > 0 || options->network != NULL,
                                   out_error);
    }
    if (status == ERYX_OK && sandbox->mounts == NULL) {
        status = sandbox_mounts_create(engine, options, sandbox->descriptors, &sandbox->mounts,
                                       out_error);
    }
    if (status == ERYX_OK) {
        status = create_files(sandbox, out_error);
    }
    if (status == ERYX_OK && options->network != NULL) {
        net_policy *policy;
        status = net_policy_create(options->network, &policy, out_error);
        if (status == ERYX_OK && !create_network(sandbox, policy)) {
            status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        }
    }
    if (status == ERYX_OK && sandbox->secrets == NULL) {
        status = secrets_create(options, &sandbox->secrets, out_error);
    }
    if (status != ERYX_OK) {
        goto fail;
    }
    if (!create_memory(sandbox)) {
        status = status_fail(ERYX_INITIALIZATION, out_error, "%s", memory_shortage());
        goto fail;
    }
    restore_globals(sandbox);
    status = attach_native(sandbox, options, out_error);
    if (status != ERYX_OK) {
        goto fail;
    }
    *out_sandbox = sandbox;
    return ERYX_OK;

fail:
    eryx_sandbox_destroy(sandbox);
    return status;
}

eryx_status sandbox_create(eryx_engine *engine, const eryx_sandbox_options *given,
                           sandbox_parts *parts, eryx_sandbox **out_sandbox, eryx_error *out_error)
{
    return create(engine, given, parts, true, out_sandbox, out_error);
}

eryx_status eryx_sandbox_create(eryx_engine *engine, const eryx_sandbox_options *given,
                                eryx_sandbox **out_sandbox, eryx_error *out_error)
{
    if (engine == NULL || out_sandbox == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "a sandbox needs an engine, and a place to be told");
    }
    return create(engine, given, NULL, true, out_sandbox, out_error);
}

eryx_status sandbox_create_like(const eryx_sandbox *sandbox, eryx_sandbox **out_sandbox,
                                eryx_error *out_error)
{
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits = sandbox->limits;
    options.native_modules = sandbox->native.allowed;
    options.native_module_count = sandbox->native.allowed_count;
    eryx_sandbox *made;
    eryx_status status = create(sandbox->engine, &options, NULL, false, &made, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    vfs_mounts_release(made->mounts);
    made->mounts = vfs_mounts_retain(sandbox->mounts);
    destroy_files(made);
    status = create_files(made, out_error);
    if (status != ERYX_OK) {
        eryx_sandbox_destroy(made);
        return status;
    }
    status = share_descriptors(made, sandbox->net != NULL, out_error);
    if (status == ERYX_OK && (!secrets_copy(sandbox->secrets, &made->secrets) ||
                              (sandbox->net != NULL && !copy_network(made, sandbox->net)))) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    if (status != ERYX_OK) {
        eryx_sandbox_destroy(made);
        return status;
    }
    *out_sandbox = made;
    return ERYX_OK;
}

void sandbox_clear_run(eryx_sandbox *sandbox)
{
    file_calls_clear(sandbox);
    free(sandbox->run.request);
    lines_clear(&sandbox->run.lines[0]);
    lines_clear(&sandbox->run.lines[1]);
    sandbox->run = (run_state){.outcome = RUN_OK};
}

void eryx_sandbox_destroy(eryx_sandbox *sandbox)
{
    if (sandbox == NULL) {
        return;
    }
    coroutine_destroy(&sandbox->coroutine);
    threads_end(sandbox);
    destroy_files(sandbox);
    tls_sessions_destroy(sandbox->tls);
    net_destroy(sandbox->net);
    secrets_destroy(sandbox->secrets);
    vfs_mounts_release(sandbox->mounts);
    descriptors_share_release(sandbox->descriptors);
    destroy_memory(sandbox);
    result_clear(&sandbox->result);
    output_free(&sandbox->output);
    callbacks_free(&sandbox->callbacks);
    sandbox_clear_run(sandbox);
    standard_input_end(&sandbox->input, sandbox->fork_generation == forks_generation());
    standard_input_destroy(&sandbox->input);
    native_release(&sandbox->native, &sandbox->extended);
    eryx_engine_destroy(sandbox->engine);
    free(sandbox);
}

/* Layers lie over the image: memory that has some is made anew. */
static bool reset_memory(eryx_sandbox *sandbox)
{
    limits_forget_cpu(&sandbox->timing);
    memory_map map;
    wasm_rt_memory_t memory;
    eryx_engine *engine = sandbox->engine;
    if (!sandbox->memory_used) {
        return true;
    }
    if (sandbox->map.layers == NULL) {
        if (!memory_reset(&sandbox->map, &sandbox->instance.memory, &engine->image)) {
            return false;
        }
        memory_watch(&sandbox->map);
        return true;
    }
    if (!memory_cache_take(&engine->cache, &engine->image, 0, &map, &memory)) {
        return false;
    }
    memory_destroy(&sandbox->map);
    sandbox->map = map;
    sandbox->instance.memory = memory;
    return true;
}

eryx_status eryx_sandbox_reset(eryx_sandbox *sandbox, eryx_error *out_error)
{
    eryx_status status = use_begin(sandbox, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    native_attachment attachment = {0};
    status = native_restore_image(&sandbox->native, sandbox->instance.metered,
                                  engine_image(sandbox->engine), &attachment, out_error);
    if (status != ERYX_OK) {
        use_end(sandbox);
        return status;
    }
    coroutine_destroy(&sandbox->coroutine);
    threads_end(sandbox);
    tls_sessions_end_run(sandbox->tls);
    net_end_run(sandbox->net, &sandbox->handles);
    standard_input_end(&sandbox->input, true);
    destroy_files(sandbox);
    result_clear(&sandbox->result);
    sandbox->state = SANDBOX_BROKEN;
    determinism_restart(&sandbox->determinism);
    status = create_files(sandbox, out_error);
    if (status == ERYX_OK && !secrets_renew(sandbox->secrets)) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    if (status == ERYX_OK && !reset_memory(sandbox)) {
        status = status_fail(ERYX_INITIALIZATION, out_error, "the memory cannot be mapped again");
    }
    if (status == ERYX_OK) {
        restore_globals(sandbox);
        sandbox->memory_used = false;
        native_adopt(&sandbox->native, &sandbox->extended, &attachment);
        sandbox->needs_entropy = false;
        sandbox->state = SANDBOX_READY;
    }
    native_discard(&attachment);
    use_end(sandbox);
    return status;
}

void sandbox_change_engine(eryx_sandbox *sandbox, eryx_engine *engine)
{
    eryx_engine *earlier = sandbox->engine;
    sandbox->engine = engine_retain(engine);
    eryx_engine_destroy(earlier);
}

/* Memory of the first image in place of that which the sandbox has. */
static eryx_status take_first(eryx_sandbox *sandbox, eryx_error *out_error)
{
    eryx_engine *first = sandbox->engine->first;
    if (first == NULL) {
        return ERYX_OK;
    }
    memory_map map;
    wasm_rt_memory_t memory;
    if (sandbox->memory_used || sandbox->state != SANDBOX_READY) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "the sandbox has run something since it was made or reset");
    }
    if (!memory_cache_take(&first->cache, &first->image, 0, &map, &memory)) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s", memory_shortage());
    }
    memory_cache_keep(&sandbox->engine->cache, &sandbox->map, &sandbox->instance.memory);
    sandbox->map = map;
    sandbox->instance.memory = memory;
    sandbox_change_engine(sandbox, first);
    restore_globals(sandbox);
    return ERYX_OK;
}

eryx_status eryx_sandbox_fix_hash_seed(eryx_sandbox *sandbox, eryx_error *out_error)
{
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = take_first(sandbox, out_error);
        use_end(sandbox);
    }
    return status;
}

bool sandbox_is_metered(const eryx_sandbox *sandbox)
{
    return counts_fuel(&sandbox->limits) || sandbox->determinism.on;
}

void sandbox_apply_file_limits(eryx_sandbox *sandbox)
{
    vfs_quota quota = quota_of(&sandbox->limits);
    if (sandbox->files != NULL) {
        vfs_set_quota(sandbox->files, &quota);
    }
    sandbox->handles.limit = handle_limit_of(&sandbox->limits);
}

eryx_status eryx_sandbox_set_limits(eryx_sandbox *sandbox, const eryx_limits *limits)
{
    if (limits == NULL || limits->struct_size != sizeof *limits) {
        return ERYX_INVALID_ARGUMENT;
    }
    eryx_status status = use_begin(sandbox, NULL);
    if (status == ERYX_OK) {
        sandbox->limits = *limits;
        sandbox_apply_file_limits(sandbox);
        memory_set_limit(&sandbox->instance.memory, limits->max_memory_bytes);
        if (counts_fuel(limits)) {
            (void)take_first(sandbox, NULL); /* what has run something goes on as it is */
        }
        use_end(sandbox);
    }
    return status;
}

void eryx_sandbox_cancel(eryx_sandbox *sandbox)
{
    if (sandbox != NULL) {
        limits_cancel(&sandbox->timing);
        net_wake(sandbox->net);
        if (sandbox->fork_generation == forks_generation()) {
            standard_input_wake(&sandbox->input);
        }
    }
}

const eryx_result *eryx_sandbox_result(const eryx_sandbox *sandbox)
{
    return sandbox != NULL && sandbox->result.available ? &sandbox->result.view : NULL;
}

/* ---- Volumes --------------------------------------------------------------------------------- */

static eryx_status find_changes(eryx_sandbox *sandbox, const char *guest_path,
                                eryx_changes **out_changes, eryx_error *out_error)
{
    if (sandbox->state == SANDBOX_RUNNING) {
        return status_fail(ERYX_BUSY, out_error, "a run is going on in this sandbox");
    }
    if (vfs_overlay_changes(sandbox->files, guest_path, out_changes) != VFS_OK) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "there is no overlay at %s",
                           guest_path);
    }
    return ERYX_OK;
}

eryx_status eryx_sandbox_volume_changes(eryx_sandbox *sandbox, const char *guest_path,
                                        eryx_changes **out_changes, eryx_error *out_error)
{
    if (guest_path == NULL || out_changes == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "a path and a place for the changes are needed");
    }
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = find_changes(sandbox, guest_path, out_changes, out_error);
        use_end(sandbox);
    }
    return status;
}

eryx_status eryx_sandbox_volume_discard(eryx_sandbox *sandbox, const char *guest_path,
                                        eryx_error *out_error)
{
    if (guest_path == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a path is needed");
    }
    eryx_status status = use_begin(sandbox, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    if (sandbox->state == SANDBOX_RUNNING) {
        status = status_fail(ERYX_BUSY, out_error, "a run is going on in this sandbox");
    } else if (vfs_overlay_discard(sandbox->files, guest_path) != VFS_OK) {
        status =
            status_fail(ERYX_INVALID_ARGUMENT, out_error, "there is no overlay at %s", guest_path);
    }
    use_end(sandbox);
    return status;
}
