#include "sandbox/seeds.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/status.h"

/* How long sandboxes that follow each other in the same memory have one image. To change it costs
 * some 0.1 ms: what a run reads and writes has to come into the processor's caches again. */
#define SAME_FOR_NS (20 * CLOCK_NS_PER_MS)

/* Memory that is kept for each image: together about as much as for an engine with one. */
enum { KEPT_FOR_EACH = 4 };

eryx_status seeds_open(eryx_engine *engine, const char *path, const char *folder,
                       eryx_error *out_error)
{
    engine_seeds *seeds = calloc(1, sizeof *seeds);
    if (seeds == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    eryx_status status = seed_images_open(path, &engine->image, folder, &seeds->images, out_error);
    if (status != ERYX_OK) {
        free(seeds);
        return status;
    }
    if (seeds->images.count > 0) {
        engine->cache.capacity = KEPT_FOR_EACH;
    }
    engine->seeds = seeds;
    return ERYX_OK;
}

void seeds_close(eryx_engine *engine)
{
    engine_seeds *seeds = engine->seeds;
    if (seeds == NULL) {
        return;
    }
    for (uint32_t i = 0; i < seeds->images.count; i++) {
        engine_free_seed(atomic_load(&seeds->engines[i]));
    }
    seed_images_close(&seeds->images);
    free(seeds);
    engine->seeds = NULL;
}

/* The engine of an image that was opened, which is taken over. Two threads may come here at once:
 * the first one's stays. */
static eryx_status add(eryx_engine *first, uint32_t number, image *opened, eryx_engine **out_engine,
                       eryx_error *out_error)
{
    eryx_engine *made;
    eryx_status status = engine_create_seed(first, opened, &made, out_error);
    if (status != ERYX_OK) {
        image_close(opened);
        return status;
    }
    made->cache.capacity = KEPT_FOR_EACH;
    eryx_engine *present = NULL;
    if (!atomic_compare_exchange_strong(&first->seeds->engines[number], &present, made)) {
        engine_free_seed(made);
        made = present;
    }
    *out_engine = made;
    return ERYX_OK;
}

typedef enum take_how {
    TAKE_UNPACKED, /* that is there already */
    TAKE_KEPT,     /* that is in the folder, or can be kept there */
    TAKE_ANYHOW,   /* wherever it has to be */
} take_how;

/* The engine of an image of those of the first; NULL if there is none by these means. */
static eryx_status take(eryx_engine *first, uint32_t number, take_how how, eryx_engine **out_engine,
                        eryx_error *out_error)
{
    const engine_seeds *seeds = first->seeds;
    eryx_engine *present = atomic_load_explicit(&seeds->engines[number], memory_order_acquire);
    image unpacked;
    *out_engine = present;
    if (present != NULL) {
        return ERYX_OK;
    }
    bool opened = seed_images_find(&seeds->images, number, &unpacked);
    if (!opened && how != TAKE_UNPACKED) {
        eryx_status status = seed_images_unpack(&seeds->images, number, &first->image,
                                                how == TAKE_ANYHOW, &unpacked, &opened, out_error);
        if (status != ERYX_OK) {
            return status;
        }
    }
    return opened ? add(first, number, &unpacked, out_engine, out_error) : ERYX_OK;
}

/* A number below the limit, which divides 2^32 or is far below it. */
static uint32_t draw_below(uint32_t limit)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) {
        return 0; /* the system has none yet */
    }
    return random % limit;
}

eryx_status seeds_draw(eryx_engine *engine, eryx_engine **out_engine, eryx_error *out_error)
{
    engine_seeds *seeds = engine->seeds;
    *out_engine = engine;
    if (seeds == NULL || seeds->images.count == 0) {
        return ERYX_OK;
    }
    const uint64_t now = clock_read_ns(CLOCK_MONOTONIC_COARSE);
    eryx_engine *last = atomic_load_explicit(&seeds->last, memory_order_acquire);
    if (last != NULL && now - atomic_load(&seeds->drawn_at) < SAME_FOR_NS &&
        memory_cache_has_any(&last->cache)) {
        *out_engine = last;
        return ERYX_OK;
    }
    uint32_t number = draw_below(seeds->images.count + 1);
    if (number > 0) {
        eryx_engine *found = NULL;
        eryx_error reason = {.message = ""};
        const bool may_wait = last != NULL && !atomic_load(&seeds->cannot_keep);
        eryx_status status =
            take(engine, number - 1, may_wait ? TAKE_KEPT : TAKE_UNPACKED, &found, &reason);
        if (status == ERYX_INITIALIZATION) {
            return status_fail(status, out_error, "%s", reason.message);
        }
        if (found == NULL && may_wait) {
            atomic_store(&seeds->cannot_keep, true);
        }
        *out_engine = found != NULL ? found : engine;
    }
    atomic_store(&seeds->drawn_at, now);
    atomic_store_explicit(&seeds->last, *out_engine, memory_order_release);
    return ERYX_OK;
}

eryx_status seeds_find(eryx_engine *engine, uint64_t checksum, eryx_engine **out_engine,
                       eryx_error *out_error)
{
    eryx_engine *first = engine_first(engine);
    *out_engine = NULL;
    if (engine->image.checksum == checksum) {
        *out_engine = engine;
    } else if (first->image.checksum == checksum) {
        *out_engine = first;
    } else if (first->seeds != NULL) {
        const seed_images *images = &first->seeds->images;
        for (uint32_t i = 0; i < images->count; i++) {
            if (images->entries[i].checksum == checksum) {
                return take(first, i, TAKE_ANYHOW, out_engine, out_error);
            }
        }
    }
    return ERYX_OK;
}

eryx_status seeds_open_kept(eryx_engine *engine, eryx_error *out_error)
{
    engine_seeds *seeds = engine->seeds;
    eryx_status status = ERYX_OK;
    if (seeds == NULL) {
        return ERYX_OK;
    }
    for (uint32_t i = 0; i < seeds->images.count && status == ERYX_OK; i++) {
        eryx_engine *opened;
        status = take(engine, i, TAKE_KEPT, &opened, out_error);
    }
    free(seeds->images.folder);
    seeds->images.folder = NULL;
    return status;
}

void seeds_trim(eryx_engine *engine)
{
    const uint32_t count = engine->seeds != NULL ? engine->seeds->images.count : 0;
    for (uint32_t i = 0; i < count; i++) {
        eryx_engine *present = atomic_load(&engine->seeds->engines[i]);
        if (present != NULL) {
            memory_cache_trim(&present->cache);
        }
    }
}
