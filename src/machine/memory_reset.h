/*
 * Memory back in the state of the image, for the next guest: nothing of the last one is left in it.
 *
 * The pages that a guest has written have become the memory's own. They are known, or found, and
 * the image's contents copied over them, so that the next run has them in place; where that is too
 * much, they are dropped.
 */
#ifndef ERYX_MACHINE_MEMORY_RESET_H
#define ERYX_MACHINE_MEMORY_RESET_H

#include "machine/memory.h"

/*
 * From now on the calling thread is the one that uses the memory, which is in the state of the
 * image; nobody has written to it since its making or its last reset. Threads: any, none of which
 * uses it.
 */
void memory_watch(memory_map *map);

/* The calling thread uses the memory: to be called before it, or the guest on it, may write there.
 * Cheap. */
void memory_use(memory_map *map);

/*
 * Puts the state of the image back; what has grown is taken away. Not for memory with layers.
 * False if the system refuses; the memory must then be destroyed. Threads: any, none of which uses
 * it.
 */
bool memory_reset(memory_map *map, wasm_rt_memory_t *memory, const image *source);

#endif
