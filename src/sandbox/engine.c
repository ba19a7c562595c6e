#include "sandbox/engine.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/data_folder.h"
#include "base/options.h"
#include "base/status.h"
#include "machine/alarm.h"
#include "machine/coroutine.h"
#include "machine/dirty_pages.h"
#include "machine/mappings.h"
#include "machine/trap.h"
#include "machine/wall.h"
#include "native/attach.h"
#include "sandbox/seeds.h"
#include "tls/library.h"

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void after_fork_in_child(void)
{
    coroutine_after_fork();
    dirty_pages_after_fork();
    memory_cache_after_fork();
    trap_after_fork();
    wall_after_fork();
    tls_after_fork();
    native_module_after_fork();
    native_attach_after_fork();
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, after_fork_in_child);
}

static const eryx_engine_options default_options = {.struct_size = sizeof default_options};

void eryx_engine_options_init_sized(eryx_engine_options *options, size_t size)
{
    options_init(options, size, &default_options, sizeof default_options);
}

static eryx_engine *create_empty(void)
{
    eryx_engine *engine = calloc(1, sizeof *engine);
    if (engine != NULL) {
        atomic_init(&engine->references, 1);
        memory_cache_init(&engine->cache);
        engine->image.file_descriptor = -1;
    }
    return engine;
}

eryx_status engine_create_bare(const char *stdlib_path, eryx_engine **out_engine,
                               eryx_error *out_error)
{
    pthread_once(&fork_once, watch_forks);
    eryx_status status = wall_check_system(out_error);
    if (status != ERYX_OK) {
        return status;
    }
    eryx_engine *engine = create_empty();
    if (engine == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    char reason[ARCHIVE_ERROR_SIZE];
    if (!archive_open(stdlib_path, &engine->stdlib, reason)) {
        eryx_engine_destroy(engine);
        return status_fail(ERYX_INITIALIZATION, out_error, "%s", reason);
    }
    *out_engine = engine;
    return ERYX_OK;
}

/* Opens the files, which must be there by the names in the options; without a name for the seeds
 * there are none. */
static eryx_status open_files(const eryx_engine_options *options, eryx_engine **out_engine,
                              eryx_error *out_error)
{
    eryx_engine *engine;
    eryx_status status = engine_create_bare(options->stdlib_path, &engine, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    status = image_open(options->image_path, &engine->image, out_error);
    if (status == ERYX_OK && options->seeds_path != NULL) {
        status = seeds_open(engine, options->seeds_path, options->unpack_folder, out_error);
    }
    if (status != ERYX_OK) {
        eryx_engine_destroy(engine);
        return status;
    }
    engine->has_image = true;
    *out_engine = engine;
    return ERYX_OK;
}

/* The same with the files that came with the library in place of a NULL. */
static eryx_status find_files(const eryx_engine_options *options, eryx_engine **out_engine,
                              eryx_error *out_error)
{
    char *folder;
    eryx_status status = data_folder_find(&folder, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    char *image_there = data_folder_path(folder, "image.bin");
    char *stdlib_there = data_folder_path(folder, "stdlib.bin");
    char *seeds_there = data_folder_path(folder, "seeds.bin");
    if (image_there == NULL || stdlib_there == NULL || seeds_there == NULL) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    } else {
        eryx_engine_options found = *options;
        if (found.image_path == NULL) {
            found.image_path = image_there;
            found.seeds_path = found.seeds_path != NULL ? found.seeds_path : seeds_there;
        }
        found.stdlib_path = found.stdlib_path != NULL ? found.stdlib_path : stdlib_there;
        status = open_files(&found, out_engine, out_error);
    }
    free(seeds_there);
    free(stdlib_there);
    free(image_there);
    free(folder);
    return status;
}

eryx_status eryx_engine_create(const eryx_engine_options *options, eryx_engine **out_engine,
                               eryx_error *out_error)
{
    if (out_engine == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "there is no place for the engine");
    }
    eryx_engine_options own = default_options;
    eryx_status status = ERYX_OK;
    if (options != NULL) {
        status = options_take("eryx_engine_options", options, &own, sizeof own, out_error);
    }
    if (status != ERYX_OK) {
        return status;
    }
    if (own.image_path == NULL || own.stdlib_path == NULL) {
        return find_files(&own, out_engine, out_error);
    }
    return open_files(&own, out_engine, out_error);
}

eryx_status engine_create_over(eryx_engine *base, eryx_engine **out_engine, eryx_error *out_error)
{
    eryx_engine *engine = create_empty();
    if (engine == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    engine->base = engine_retain(base);
    engine->stdlib = base->stdlib;
    *out_engine = engine;
    return ERYX_OK;
}

eryx_status engine_create_seed(eryx_engine *first, const image *opened, eryx_engine **out_engine,
                               eryx_error *out_error)
{
    eryx_engine *engine = create_empty();
    if (engine == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    engine->first = first;
    engine->stdlib = first->stdlib;
    engine->image = *opened;
    engine->has_image = true;
    *out_engine = engine;
    return ERYX_OK;
}

void engine_free_seed(eryx_engine *engine)
{
    if (engine != NULL) {
        memory_cache_end(&engine->cache);
        image_close(&engine->image);
        free(engine);
    }
}

eryx_engine *engine_retain(eryx_engine *engine)
{
    atomic_fetch_add(&engine_first(engine)->references, 1);
    return engine;
}

void eryx_engine_destroy(eryx_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    engine = engine_first(engine);
    if (atomic_fetch_sub(&engine->references, 1) == 1) {
        seeds_close(engine);
        memory_cache_end(&engine->cache);
        image_close(&engine->image);
        vfs_mounts_release(engine->mounts);
        eryx_packages_destroy(engine->packages);
        free(engine->start_files);
        if (engine->base == NULL) {
            archive_close(engine->stdlib);
        }
        eryx_engine_destroy(engine->base);
        free(engine);
    }
}

eryx_status eryx_set_stop_signal(int signal_number)
{
    return alarm_choose_signal(signal_number) ? ERYX_OK : ERYX_INVALID_ARGUMENT;
}

eryx_status eryx_look_at_memory(eryx_memory *out_memory, eryx_error *out_error)
{
    mappings_usage usage;
    if (!mappings_look(&usage)) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "the system does not tell what memory the process has: "
                           "/proc/self/smaps cannot be read");
    }
    *out_memory = (eryx_memory){
        .private_bytes = usage.own,
        .shared_bytes = usage.shared,
        .reserved_bytes = usage.reserved,
        .guests = usage.guests,
        .areas = usage.areas,
    };
    return ERYX_OK;
}

void eryx_engine_trim(eryx_engine *engine)
{
    if (engine != NULL) {
        memory_cache_trim(&engine->cache);
        seeds_trim(engine);
        coroutine_trim();
    }
}
