#include "machine/memory_layers.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/assertion.h"
#include "base/host_file.h"
#include "machine/mappings.h"

struct layer_file {
    size_t references;
    uint64_t size;
    int descriptor;
};

static atomic_size_t file_count; /* of all guests */

/* Atomic, so that guests of different threads may share a list. */
static void count_up(size_t *references)
{
    __atomic_fetch_add(references, 1, __ATOMIC_RELAXED);
}

static bool count_down(size_t *references)
{
    size_t before = __atomic_fetch_sub(references, 1, __ATOMIC_ACQ_REL);
    eryx_assert(before > 0);
    return before == 1;
}

static void release_file(layer_file *file)
{
    if (count_down(&file->references)) {
        if (file->descriptor >= 0) {
            close(file->descriptor);
        }
        atomic_fetch_sub_explicit(&file_count, 1, memory_order_relaxed);
        mappings_count_file(-(int64_t)file->size);
        free(file);
    }
}

memory_layers *memory_layers_retain(memory_layers *layers)
{
    if (layers != NULL) {
        count_up(&layers->references);
    }
    return layers;
}

void memory_layers_release(memory_layers *layers)
{
    if (layers == NULL || !count_down(&layers->references)) {
        return;
    }
    for (size_t i = 0; i < layers->count; i++) {
        release_file(layers->layers[i].file);
    }
    free(layers);
}

/* Descriptors that layers may use up: an eighth of those that the process may have. */
static size_t descriptor_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (size_t)limit.rlim_cur / 8 : 0;
}

static layer_file *create_file(void)
{
    layer_file *file = malloc(sizeof *file);
    if (file == NULL) {
        return NULL;
    }
    *file = (layer_file){.references = 1, .descriptor = -1};
    size_t others = atomic_fetch_add_explicit(&file_count, 1, memory_order_relaxed);
    if (others < descriptor_limit()) {
        file->descriptor = memfd_create("eryx", MFD_CLOEXEC);
    }
    if (file->descriptor < 0) {
        release_file(file);
        return NULL;
    }
    return file;
}

static bool is_hidden(const memory_layer *layer, const memory_layer *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].memory_offset <= layer->memory_offset &&
            layer->memory_offset + layer->size <= pieces[i].memory_offset + pieces[i].size) {
            return true;
        }
    }
    return false;
}

memory_layers *memory_layers_extend(const memory_layers *below, const uint8_t *base,
                                    memory_layer *pieces, size_t count)
{
    size_t most = count + (below != NULL ? below->count : 0);
    memory_layers *layers = malloc(sizeof *layers + most * sizeof layers->layers[0]);
    layer_file *file = create_file();
    if (layers == NULL || file == NULL) {
        goto fail;
    }
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        if (!host_file_write(file->descriptor, base + pieces[i].memory_offset, pieces[i].size)) {
            goto fail;
        }
        pieces[i].file = file;
        pieces[i].file_offset = end;
        end += pieces[i].size;
    }
    file->size = end;
    mappings_count_file((int64_t)end);
    layers->references = 1;
    layers->count = 0;
    for (size_t i = 0; below != NULL && i < below->count; i++) {
        if (!is_hidden(&below->layers[i], pieces, count)) {
            count_up(&below->layers[i].file->references);
            layers->layers[layers->count++] = below->layers[i];
        }
    }
    file->references = count;
    memcpy(layers->layers + layers->count, pieces, count * sizeof *pieces);
    layers->count += count;
    return layers;

fail:
    if (file != NULL) {
        release_file(file);
    }
    free(layers);
    return NULL;
}

bool memory_layers_map(const memory_layers *layers, size_t first, uint8_t *base)
{
    for (size_t i = first; layers != NULL && i < layers->count; i++) {
        const memory_layer *layer = &layers->layers[i];
        void *mapped = mmap(base + layer->memory_offset, layer->size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, layer->file->descriptor,
                            (off_t)layer->file_offset);
        if (mapped == MAP_FAILED) {
            return false;
        }
    }
    return true;
}

uint64_t memory_layers_bytes(const memory_layers *layers)
{
    uint64_t bytes = 0;
    for (size_t i = 0; layers != NULL && i < layers->count; i++) {
        bool is_first = true; /* of those with its file */
        for (size_t k = 0; k < i; k++) {
            is_first = is_first && layers->layers[k].file != layers->layers[i].file;
        }
        bytes += is_first ? layers->layers[i].file->size : 0;
    }
    return bytes;
}

bool memory_layers_cover(const memory_layers *layers, uint64_t offset)
{
    for (size_t i = 0; layers != NULL && i < layers->count; i++) {
        if (offset - layers->layers[i].memory_offset < layers->layers[i].size) {
            return true;
        }
    }
    return false;
}
