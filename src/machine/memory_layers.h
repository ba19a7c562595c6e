/*
 * Files in memory that lie over the image in the memory of a guest, mapped copy-on-write. Lists of
 * them never change, so that any number of guests may share one.
 */
#ifndef ERYX_MACHINE_MEMORY_LAYERS_H
#define ERYX_MACHINE_MEMORY_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct layer_file layer_file;       /* counted, closed with its last user */
typedef struct memory_layers memory_layers; /* counted */

/* A piece of guest memory that is to become part of a layer, and its place in the file. */
typedef struct memory_layer {
    layer_file *file;
    uint64_t memory_offset; /* whole pages, all three */
    uint64_t size;
    uint64_t file_offset;
} memory_layer;

struct memory_layers {
    size_t references; /* changed with memory_layers_retain() and _release() only */
    size_t count;
    memory_layer layers[]; /* later ones lie over earlier ones */
};

/* One more user; NULL is allowed. Threads: any. */
memory_layers *memory_layers_retain(memory_layers *layers);

/* One user less; NULL is allowed. Threads: any. */
void memory_layers_release(memory_layers *layers);

/*
 * Writes pieces of memory into a file and gives the list that has them on top.
 *
 * base: start of guest memory. pieces: file and file_offset are filled in. below: may be NULL.
 * NULL if the system has no memory or descriptors.
 */
memory_layers *memory_layers_extend(const memory_layers *below, const uint8_t *base,
                                    memory_layer *pieces, size_t count);

/* Maps the layers from a number on. False if the system refuses; memory is then incomplete. */
bool memory_layers_map(const memory_layers *layers, size_t first, uint8_t *base);

/* Host memory that the files of the layers take; NULL is allowed. */
uint64_t memory_layers_bytes(const memory_layers *layers);

/* True if some layer has the page at that offset. */
bool memory_layers_cover(const memory_layers *layers, uint64_t offset);

#endif
