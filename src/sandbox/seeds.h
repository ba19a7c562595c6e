/*
 * Which image a sandbox begins with. Strings are hashed with a seed that an image has, so there are
 * some images that differ in nothing else (machine/seed_images.h), and each sandbox draws one.
 *
 * Each is an engine, with memory that is put back to its state. They live as long as the first, and
 * references to them are counted as references to it.
 */
#ifndef ERYX_SANDBOX_SEEDS_H
#define ERYX_SANDBOX_SEEDS_H

#include <stdatomic.h>

#include "machine/seed_images.h"
#include "sandbox/engine.h"

struct engine_seeds {
    seed_images images;
    _Atomic uint64_t drawn_at;   /* the last time, CLOCK_MONOTONIC_COARSE in nanoseconds */
    atomic_bool cannot_keep;     /* unpacked images: there is no folder or no room in it */
    _Atomic(eryx_engine *) last; /* that was drawn; NULL before the first sandbox */
    _Atomic(eryx_engine *) engines[SEED_IMAGES_MAX]; /* of the images; NULL until it is needed */
};

/* Gives an engine that was just opened the images of a file. Errors as those of seed_images_open().
 */
eryx_status seeds_open(eryx_engine *engine, const char *path, const char *folder,
                       eryx_error *out_error);

/* Frees the engines; for that of the first image, with its last owner. */
void seeds_close(eryx_engine *engine);

/*
 * The engine that a new sandbox begins with: one of the images, by the system's random numbers, or
 * the engine itself if there are no others. If memory of the one that was drawn last has been given
 * back, those that follow within some milliseconds take that: the processor has it in its caches.
 * The first time one that is unpacked already, since programs that make one sandbox should not wait
 * for it; likewise where unpacked images cannot be kept in the folder or memory is short.
 *
 * out_engine: not counted. Errors: INITIALIZATION (the file of the images is damaged). Threads:
 * any.
 */
eryx_status seeds_draw(eryx_engine *engine, eryx_engine **out_engine, eryx_error *out_error);

/* The engine of the image with that checksum, among those that this one is of.
 * out_engine: not counted; NULL if there is none. Errors: INITIALIZATION, OUT_OF_MEMORY. */
eryx_status seeds_find(eryx_engine *engine, uint64_t checksum, eryx_engine **out_engine,
                       eryx_error *out_error);

/* Opens all images that are in the folder or can be kept there, for a process that will open no
 * files any more; a state that needs another one has it unpacked into memory. Errors:
 * INITIALIZATION, OUT_OF_MEMORY. Threads: before the first sandbox. */
eryx_status seeds_open_kept(eryx_engine *engine, eryx_error *out_error);

/* Gives back the memory that is kept for the next sandboxes of the other images. */
void seeds_trim(eryx_engine *engine);

#endif
