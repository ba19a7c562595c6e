/* What all sandboxes of one image share. */
#ifndef ERYX_SANDBOX_ENGINE_H
#define ERYX_SANDBOX_ENGINE_H

#include <stdatomic.h>

#include "eryx/eryx.h"
#include "machine/image.h"
#include "machine/memory_cache.h"
#include "vfs/archive.h"
#include "vfs/vfs.h"

struct eryx_engine {
    atomic_size_t references;
    bool has_image; /* false only while an image is being built */
    image image;
    archive *stdlib; /* of the base, if there is one */
    memory_cache cache;
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

/* The image of an engine; NULL while it is being built. */
static inline const image *engine_image(const eryx_engine *engine)
{
    return engine->has_image ? &engine->image : NULL;
}

/* One more owner; given back with eryx_engine_destroy(). */
eryx_engine *engine_retain(eryx_engine *engine);

#endif
