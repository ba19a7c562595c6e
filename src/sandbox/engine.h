/* What all sandboxes of one image share. */
#ifndef ERYX_SANDBOX_ENGINE_H
#define ERYX_SANDBOX_ENGINE_H

#include <stdatomic.h>

#include "eryx/eryx.h"
#include "machine/image.h"
#include "machine/memory_cache.h"
#include "vfs/archive.h"
#include "vfs/vfs.h"

typedef struct engine_seeds engine_seeds;

struct eryx_engine {
    atomic_size_t references; /* of all engines of its seeds together: those of the first count */
    bool has_image;           /* false only while an image is being built */
    image image;
    archive *stdlib; /* of the base, if there is one */
    memory_cache cache;
    engine_seeds *seeds; /* other images (seeds.h); NULL for none */
    eryx_engine *first;  /* the engine whose seeds it is of; NULL if it is of none */
    /* Of a factory: */
    eryx_engine *base;       /* counted reference to the engine that it is derived from */
    eryx_packages *packages; /* counted; NULL for none */
    vfs_mounts *mounts;      /* counted: the packages alone, for most sandboxes */
    uint8_t *start_files;    /* files that a sandbox begins with (state/store.h); NULL for none */
    size_t start_files_size;
};

/* An engine without an image, to build one with. Errors as those of eryx_engine_create(). */
eryx_status engine_create_bare(const char *stdlib_path, eryx_engine **out_engine,
                               eryx_error *out_error);

/* An engine over another one, still without an image. Errors: OUT_OF_MEMORY. */
eryx_status engine_create_over(eryx_engine *base, eryx_engine **out_engine, eryx_error *out_error);

/* An engine of another image of the first's seeds; it is the first's. opened: taken over, but not
 * on failure. Errors: OUT_OF_MEMORY. */
eryx_status engine_create_seed(eryx_engine *first, const image *opened, eryx_engine **out_engine,
                               eryx_error *out_error);

/* Frees it; NULL is allowed. */
void engine_free_seed(eryx_engine *engine);

/* The image of an engine; NULL while it is being built. */
static inline const image *engine_image(const eryx_engine *engine)
{
    return engine->has_image ? &engine->image : NULL;
}

/* The engine whose seeds it is of, or it itself: related ones may take each other's memory. */
static inline eryx_engine *engine_first(eryx_engine *engine)
{
    return engine->first != NULL ? engine->first : engine;
}

/* One more owner, of the first engine if it is one of its seeds; given back with
 * eryx_engine_destroy(). */
eryx_engine *engine_retain(eryx_engine *engine);

#endif
