/* Factories, packages and native modules: what sandboxes begin with. Include eryx/eryx.h. */
#ifndef ERYX_ERYX_FACTORY_H
#define ERYX_ERYX_FACTORY_H

#include "eryx/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Factory --------------------------------------------------------------------------------- */

/*
 * A factory is an engine of its own: its sandboxes begin where some sandbox of another engine was,
 * with modules imported and variables set, and share that memory until they write to it. What
 * differs from the image is made with eryx_sandbox_freeze() and given to eryx_engine_derive(); it
 * is data only and fits the build and the image that it was made with.
 */

/* A tree of files that sandboxes see at /site-packages and cannot change. Counted; free to use from
 * all threads and after a fork(). */
typedef struct eryx_packages eryx_packages;

/*
 * Makes a tree of packages out of an archive as src/vfs/archive.h describes it, which is copied and
 * need not be trusted.
 *
 * out_packages: with one owner; let go with eryx_packages_destroy().
 * Errors: INVALID_ARGUMENT, INITIALIZATION (malformed), OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_packages_create(const uint8_t *data, size_t size,
                                          eryx_packages **out_packages, eryx_error *out_error);

/* Lets go of a tree; it is freed with its last owner (embedder, engine or sandbox). NULL is
 * allowed. */
ERYX_API void eryx_packages_destroy(eryx_packages *packages);

/*
 * Gives the present state of a sandbox as what differs from the image: memory and in-memory files.
 * The sandbox stays as it is, and must be of an engine that was opened, not derived.
 *
 * out_data: freed by the caller with eryx_free().
 * Errors: INVALID_ARGUMENT (also: derived engine; a file of a volume or storage is open), BUSY (a
 * run is going on), NEEDS_RESET, FORKED, OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_sandbox_freeze(eryx_sandbox *sandbox, uint8_t **out_data,
                                         size_t *out_size, eryx_error *out_error);

/*
 * Makes an engine whose sandboxes begin in a frozen state.
 *
 * base: an engine that was opened, not derived; it is kept alive.
 * data: of eryx_sandbox_freeze(), copied. All of it is checked before anything is mapped; if it is
 * made up, it can do in a sandbox what a program can do there, and no more.
 * packages: what the sandboxes have at /site-packages, which gets one more owner; NULL for nothing.
 * max_memory_bytes: the most guest memory that its sandboxes may begin with, if that is more than
 * the image has; ERYX_UNLIMITED for no limit. A limit of a sandbox that is lower than what it would
 * begin with is refused when the sandbox is made.
 * out_engine: owned by the caller, freed with eryx_engine_destroy(). It takes one file descriptor,
 * and memory for what differs from the image.
 * Errors: INVALID_ARGUMENT, WRONG_BUILD (other build or image), INITIALIZATION (malformed; spread
 * over far more memory than it has contents; no memory for the file), RESOURCE_LIMIT,
 * OUT_OF_MEMORY.
 */
ERYX_API eryx_status eryx_engine_derive(eryx_engine *base, const uint8_t *data, size_t size,
                                        eryx_packages *packages, uint64_t max_memory_bytes,
                                        eryx_engine **out_engine, eryx_error *out_error);

/*
 * Makes the engine of a factory file, as `eryx factory build` and SandboxFactory.save() of the
 * Python package write it: with its packages, imports and set-up code in place.
 *
 * base: as for eryx_engine_derive().
 * path: of the file, which need not be trusted: its seal is checked before anything else is looked
 * at, and whoever made it can do in the sandboxes what a program can do there, and no more.
 * key: the one that the file was made with; NULL for one without, which proves nothing but that it
 * is not damaged.
 * max_bytes: the most guest memory that its sandboxes may begin with, and that the file may unpack
 * to; 2 GiB, with ERYX_UNLIMITED as well, for the latter.
 * out_engine: owned by the caller, freed with eryx_engine_destroy().
 * Errors: as for eryx_engine_derive(), and INITIALIZATION for what is no such file, or damaged, or
 * made with another key. The message names the file. Threads: any.
 *
 * Callbacks are those of each run (eryx_run_options), whatever the factory declared. Translated
 * native modules are not in the file: a sandbox of a factory that has imported some needs them in
 * its options.
 */
ERYX_API eryx_status eryx_engine_load(eryx_engine *base, const char *path, const eryx_bytes *key,
                                      uint64_t max_bytes, eryx_engine **out_engine,
                                      eryx_error *out_error);

/*
 * Takes the packages alone out of a factory file, for sandboxes of any engine.
 *
 * path, key and max_bytes: as for eryx_engine_load(), max_bytes for what the file unpacks to.
 * out_packages: with one owner; let go with eryx_packages_destroy().
 * Errors: INVALID_ARGUMENT, INITIALIZATION (also: there are no packages in it), WRONG_BUILD,
 * RESOURCE_LIMIT, OUT_OF_MEMORY. The message names the file. Threads: any.
 */
ERYX_API eryx_status eryx_packages_open(const char *path, const eryx_bytes *key, uint64_t max_bytes,
                                        eryx_packages **out_packages, eryx_error *out_error);

/* ---- Native modules ---------------------------------------------------------------------------
 */

/*
 * An extension module of Python that was compiled for WebAssembly (wasm32-wasi, position
 * independent), translated to a shared object by the package eryx.native. It runs inside the
 * sandbox: in guest memory, with the guest's limits. The shared object itself is code of the host
 * like any library, so it has to come from that translator.
 *
 * Once opened, a module stays until the process ends.
 */
typedef struct eryx_native_module eryx_native_module;

/*
 * Opens a translated module.
 *
 * path: of the shared object, which nobody but you (or root) may be able to write;
 * sha256: its hash, 32 bytes; needed: modules whose functions it uses, opened before.
 * out_module: never freed. Opening the same again gives the same.
 * Errors: INVALID_ARGUMENT, INITIALIZATION (missing, damaged, or a function that nothing has),
 * WRONG_BUILD, RESOURCE_LIMIT (too many), OUT_OF_MEMORY. Threads: any.
 */
ERYX_API eryx_status eryx_native_module_open(const char *path, const uint8_t sha256[32],
                                             const eryx_native_module *const *needed,
                                             size_t needed_count,
                                             const eryx_native_module **out_module,
                                             eryx_error *out_error);

/* SHA-256 of the WebAssembly file, by which a guest's dlopen() finds the module; 32 bytes. */
ERYX_API const uint8_t *eryx_native_module_hash(const eryx_native_module *module);

#ifdef __cplusplus
}
#endif

#endif
