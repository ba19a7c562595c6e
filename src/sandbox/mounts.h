/* The mounts that the options of a sandbox ask for. */
#ifndef ERYX_SANDBOX_MOUNTS_H
#define ERYX_SANDBOX_MOUNTS_H

#include "sandbox/engine.h"

/*
 * Opens the volumes and puts everything into a set, together with the packages.
 *
 * packages: NULL for none.
 * descriptors: what the files of volumes count to, retained for them.
 * out_mounts: given back with vfs_mounts_release().
 * Errors: INVALID_ARGUMENT, INITIALIZATION (no such host path), FORKED, OUT_OF_MEMORY; the message
 * names the path.
 */
eryx_status sandbox_mounts_open(const eryx_sandbox_options *options, eryx_packages *packages,
                                descriptor_share *descriptors, vfs_mounts **out_mounts,
                                eryx_error *out_error);

/* The same with the packages of the engine, unless the options have others; where nothing else is
 * mounted the set of the engine, which may be NULL. */
eryx_status sandbox_mounts_create(const eryx_engine *engine, const eryx_sandbox_options *options,
                                  descriptor_share *descriptors, vfs_mounts **out_mounts,
                                  eryx_error *out_error);

#endif
