/*
 * Contents that are no file's any more, on their way back to the system.
 *
 * Giving sixty megabytes back takes the system milliseconds, and gigabytes take seconds, which no
 * call of a guest may have. So many chunks are put aside at once, and freed in steps by the calls
 * that follow. Until then their bytes count for the quota: who needs room frees as much.
 */
#include <stdlib.h>
#include <string.h>

#include "vfs/memory.h"

enum {
    FREED_AT_ONCE = 32,
    STEP_CHUNKS = 32,  /* that a step frees, some microseconds each */
    STEP_ROWS = 65536, /* that it looks at, of which most may be empty */
};

struct memory_discard {
    memory_discard *next;
    size_t count; /* rows that are left */
    memory_chunk chunks[];
};

void memory_block_release(memory_block *block)
{
    if (block != NULL && atomic_fetch_sub_explicit(&block->owners, 1, memory_order_acq_rel) == 1) {
        free(block);
    }
}

/* Frees so many chunks, or all that it finds in so many rows. */
static void free_chunks(memory_tree *tree, size_t chunks, size_t rows)
{
    while (chunks > 0 && rows > 0 && tree->discards != NULL) {
        memory_discard *first = tree->discards;
        if (first->count == 0) {
            tree->discards = first->next;
            free(first);
            continue;
        }
        const memory_chunk *last = &first->chunks[--first->count];
        if (last->block != NULL) {
            tree->discarded_bytes -= last->size;
            memory_block_release(last->block);
            chunks--;
        }
        tree->discarded_rows--;
        rows--;
    }
}

void memory_discard_add(memory_tree *tree, const memory_chunk *chunks, size_t count)
{
    memory_discard *added = NULL;
    if (count > FREED_AT_ONCE) {
        added = malloc(sizeof *added + count * sizeof *chunks);
    }
    if (added == NULL) {
        for (size_t i = 0; i < count; i++) {
            memory_block_release(chunks[i].block);
        }
    } else {
        memcpy(added->chunks, chunks, count * sizeof *chunks);
        added->count = count;
        added->next = tree->discards;
        tree->discards = added;
        tree->discarded_rows += count;
        for (size_t i = 0; i < count; i++) {
            tree->discarded_bytes += chunks[i].size;
        }
    }
    memory_discard_step(tree);
}

void memory_discard_step(memory_tree *tree)
{
    free_chunks(tree, STEP_CHUNKS, STEP_ROWS);
}

void memory_discard_for_room(memory_tree *tree, uint64_t bytes)
{
    while (tree->discards != NULL && memory_room(tree) < bytes) {
        free_chunks(tree, 1, STEP_ROWS);
    }
}

void memory_discard_all(memory_tree *tree)
{
    free_chunks(tree, SIZE_MAX, SIZE_MAX);
}
