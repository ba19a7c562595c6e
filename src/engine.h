/* What all sandboxes of one image share. */
#ifndef ERYX_ENGINE_H
#define ERYX_ENGINE_H

#include <stdatomic.h>

#include "archive.h"
#include "eryx/eryx.h"
#include "image.h"
#include "memory_cache.h"

struct eryx_engine {
    atomic_size_t references;
    bool has_image; /* false only while an image is being built */
    image image;
    archive *stdlib;
    memory_cache cache;
};

/* An engine without an image, to build one with. Errors as those of eryx_engine_create(). */
eryx_status engine_create_bare(const char *stdlib_path, eryx_engine **out_engine,
                               eryx_error *out_error);

/* One more owner; given back with eryx_engine_destroy(). */
eryx_engine *engine_retain(eryx_engine *engine);

#endif
