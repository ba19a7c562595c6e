#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "vfs/internal.h"
#include "vfs/memory.h"

/* What a chunk is first rounded up to, so that a file that grows byte by byte does not move each
 * time. */
#define CHUNK_GRAIN ((size_t)64)

static size_t smaller(uint64_t left, size_t right)
{
    return left < right ? (size_t)left : right;
}

/* Makes room for a number of chunks in the table. */
static vfs_error grow_table(memory_node *file, uint64_t wanted)
{
    if (wanted <= file->file.capacity) {
        return VFS_OK;
    }
    uint64_t capacity = file->file.capacity == 0 ? wanted : (uint64_t)file->file.capacity * 2;
    if (capacity < wanted) {
        capacity = wanted;
    }
    if (capacity > SIZE_MAX / sizeof(memory_chunk)) {
        return VFS_INSUFFICIENT_SPACE;
    }
    uint64_t added = (capacity - file->file.capacity) * sizeof(memory_chunk);
    if (!memory_charge_metadata(file->tree, added)) {
        return VFS_INSUFFICIENT_SPACE;
    }
    memory_chunk *chunks = realloc(file->file.chunks, (size_t)capacity * sizeof *file->file.chunks);
    if (chunks == NULL) {
        file->tree->metadata -= added;
        return VFS_INSUFFICIENT_MEMORY;
    }
    memset(chunks + file->file.capacity, 0, (size_t)added);
    file->file.chunks = chunks;
    file->file.capacity = (size_t)capacity;
    return VFS_OK;
}

/* Lets go of table rows that have no chunk, all but the first few. */
static void shrink_table(memory_node *file, size_t needed)
{
    size_t spare = file->file.capacity - needed;
    if (spare < 16 && needed > 0) {
        return;
    }
    if (needed == 0) {
        free(file->file.chunks);
        file->file.chunks = NULL;
    } else {
        memory_chunk *chunks = realloc(file->file.chunks, needed * sizeof *chunks);
        if (chunks == NULL) {
            return;
        }
        file->file.chunks = chunks;
    }
    file->tree->metadata -= (uint64_t)spare * sizeof(memory_chunk);
    file->file.capacity = needed;
}

/* Whether nobody else has the bytes. Others can only let go of them, so a yes stays true. */
static bool is_alone(const memory_block *block)
{
    return atomic_load_explicit(&block->owners, memory_order_acquire) == 1;
}

/* Gives a chunk a block of its own with room for size bytes, of which those up to the chunk's size
 * are kept and the rest are zeros. */
static vfs_error resize_block(memory_chunk *chunk, size_t size)
{
    memory_block *block;
    if (chunk->block != NULL && is_alone(chunk->block)) {
        block = realloc(chunk->block, sizeof *block + size);
        if (block == NULL) {
            return VFS_INSUFFICIENT_MEMORY;
        }
    } else {
        block = malloc(sizeof *block + size);
        if (block == NULL) {
            return VFS_INSUFFICIENT_MEMORY;
        }
        atomic_init(&block->owners, 1);
        if (chunk->size > 0) {
            memcpy(block->bytes, chunk->block->bytes, chunk->size < size ? chunk->size : size);
        }
        memory_block_release(chunk->block);
    }
    chunk->block = block;
    if (size > chunk->size) {
        memset(block->bytes + chunk->size, 0, size - chunk->size);
    }
    return VFS_OK;
}

/*
 * Makes a chunk writable and at least so large that it holds wanted bytes, or as many of them as
 * the quota allows, but then more than start. What is new holds zeros.
 */
static vfs_error grow_chunk(memory_tree *tree, memory_chunk *chunk, size_t start, size_t wanted)
{
    if (wanted <= chunk->size) {
        return is_alone(chunk->block) ? VFS_OK : resize_block(chunk, chunk->size);
    }
    size_t size = chunk->size > MEMORY_CHUNK_SIZE / 2 ? MEMORY_CHUNK_SIZE : chunk->size * 2;
    if (size < wanted) {
        size = (wanted + CHUNK_GRAIN - 1) / CHUNK_GRAIN * CHUNK_GRAIN;
    }
    memory_discard_for_room(tree, size - chunk->size);
    uint64_t room = memory_room(tree);
    if (size - chunk->size > room) {
        size = chunk->size + (size_t)room;
    }
    if (size <= start) {
        return VFS_INSUFFICIENT_SPACE;
    }
    vfs_error error = resize_block(chunk, size);
    if (error != VFS_OK) {
        return error;
    }
    tree->used.bytes += size - chunk->size;
    chunk->size = size;
    return VFS_OK;
}

/* Cuts a chunk to the bytes before size, which is not 0. */
static void cut_chunk(memory_tree *tree, memory_chunk *chunk, size_t size)
{
    if (size >= chunk->size) {
        return;
    }
    eryx_assert(tree->used.bytes >= chunk->size - size);
    tree->used.bytes -= chunk->size - size;
    chunk->size = size;
    if (is_alone(chunk->block)) {
        memory_block *block = realloc(chunk->block, sizeof *block + size);
        chunk->block = block != NULL ? block : chunk->block;
    }
}

/* Takes the chunks of all rows from one on out of a file. */
static void discard_from(memory_node *file, size_t row)
{
    size_t count = file->file.capacity - row;
    if (count > 0) {
        memory_chunk *chunks = file->file.chunks + row;
        for (size_t i = 0; i < count; i++) {
            eryx_assert(file->tree->used.bytes >= chunks[i].size);
            file->tree->used.bytes -= chunks[i].size;
        }
        memory_discard_add(file->tree, chunks, count);
        memset(chunks, 0, count * sizeof *chunks);
    }
}

void memory_file_read(const memory_node *file, uint64_t offset, uint8_t *buffer, size_t size,
                      size_t *out_got)
{
    if (offset >= file->file.size) {
        *out_got = 0;
        return;
    }
    size_t wanted = smaller(file->file.size - offset, size);
    size_t done = 0;
    while (done < wanted) {
        uint64_t number = (offset + done) / MEMORY_CHUNK_SIZE;
        size_t start = (size_t)((offset + done) % MEMORY_CHUNK_SIZE);
        size_t step = smaller(wanted - done, MEMORY_CHUNK_SIZE - start);
        size_t held = 0;
        if (number < file->file.capacity && file->file.chunks[number].size > start) {
            const memory_chunk *chunk = &file->file.chunks[number];
            held = smaller(chunk->size - start, step);
            memcpy(buffer + done, chunk->block->bytes + start, held);
        }
        memset(buffer + done + held, 0, step - held);
        done += step;
    }
    *out_got = done;
}

static void note_change(memory_node *file)
{
    file->modified = file->changed = memory_now();
    file->generation = file->tree->generation;
}

vfs_error memory_file_write(memory_node *file, uint64_t offset, const uint8_t *data, size_t size,
                            size_t *out_done)
{
    uint64_t limit = file->tree->quota.max_bytes;
    if (offset == VFS_OFFSET_END) {
        offset = file->file.size;
    }
    if (size == 0) {
        *out_done = 0;
        return VFS_OK;
    }
    if (offset >= VFS_FILE_SIZE_MAX) {
        return VFS_FILE_TOO_LARGE;
    }
    if (offset >= limit) {
        return VFS_INSUFFICIENT_SPACE;
    }
    if (offset >= MEMORY_FILE_WRITTEN_MAX) {
        return VFS_FILE_TOO_LARGE;
    }
    if (limit > MEMORY_FILE_WRITTEN_MAX) {
        limit = MEMORY_FILE_WRITTEN_MAX;
    }
    size_t wanted = smaller(limit - offset, size);
    memory_discard_step(file->tree);
    vfs_error error = grow_table(file, (offset + wanted - 1) / MEMORY_CHUNK_SIZE + 1);
    if (error != VFS_OK) {
        return error;
    }
    size_t done = 0;
    while (done < wanted) {
        memory_chunk *chunk = &file->file.chunks[(offset + done) / MEMORY_CHUNK_SIZE];
        size_t start = (size_t)((offset + done) % MEMORY_CHUNK_SIZE);
        size_t step = smaller(wanted - done, MEMORY_CHUNK_SIZE - start);
        error = grow_chunk(file->tree, chunk, start, start + step);
        if (error != VFS_OK) {
            break;
        }
        step = smaller(step, chunk->size - start);
        memcpy(chunk->block->bytes + start, data + done, step);
        done += step;
    }
    if (done == 0) {
        return error;
    }
    if (offset + done > file->file.size) {
        file->file.size = offset + done;
    }
    note_change(file);
    *out_done = done;
    return VFS_OK;
}

vfs_error memory_file_set_size(memory_node *file, uint64_t size)
{
    if (size > VFS_FILE_SIZE_MAX) {
        return VFS_FILE_TOO_LARGE;
    }
    if (size > file->file.size && size > file->tree->quota.max_bytes) {
        return VFS_INSUFFICIENT_SPACE;
    }
    if (size < file->file.size) {
        uint64_t row = size / MEMORY_CHUNK_SIZE;
        size_t kept = row < file->file.capacity ? (size_t)row : file->file.capacity;
        if (kept < file->file.capacity && size % MEMORY_CHUNK_SIZE > 0) {
            cut_chunk(file->tree, &file->file.chunks[kept++], size % MEMORY_CHUNK_SIZE);
        }
        discard_from(file, kept);
        while (kept > 0 && file->file.chunks[kept - 1].block == NULL) {
            kept--;
        }
        shrink_table(file, kept);
    }
    file->file.size = size;
    note_change(file);
    return VFS_OK;
}

void memory_file_free(memory_node *file)
{
    discard_from(file, 0);
    shrink_table(file, 0);
    file->file.size = 0;
}

/* Takes a table of chunks out of the accounts, or puts it back. */
static void count_contents(memory_node *file, bool add)
{
    uint64_t bytes = 0;
    uint64_t metadata = (uint64_t)file->file.capacity * sizeof *file->file.chunks;
    for (size_t i = 0; i < file->file.capacity; i++) {
        bytes += file->file.chunks[i].size;
    }
    if (add) {
        file->tree->used.bytes += bytes;
        file->tree->metadata += metadata;
    } else {
        eryx_assert(file->tree->used.bytes >= bytes && file->tree->metadata >= metadata);
        file->tree->used.bytes -= bytes;
        file->tree->metadata -= metadata;
    }
}

vfs_error memory_file_replace(memory_node *file, const uint8_t *data, size_t size)
{
    memory_node old = *file;
    size_t done = 0;
    count_contents(file, false);
    file->file.size = 0;
    file->file.chunks = NULL;
    file->file.capacity = 0;
    vfs_error error = memory_file_write(file, 0, data, size, &done);
    if (error == VFS_OK && done < size) {
        error = VFS_INSUFFICIENT_SPACE;
    }
    if (error != VFS_OK) {
        memory_file_free(file);
        *file = old;
        count_contents(file, true);
        return error;
    }
    memory_discard_add(file->tree, old.file.chunks, old.file.capacity);
    free(old.file.chunks);
    note_change(file);
    return VFS_OK;
}

vfs_error memory_file_share(const memory_node *file, memory_node *new_file)
{
    vfs_error error = grow_table(new_file, file->file.capacity);
    if (error != VFS_OK) {
        return error;
    }
    for (size_t i = 0; i < file->file.capacity; i++) {
        memory_chunk chunk = file->file.chunks[i];
        if (chunk.block != NULL) {
            atomic_fetch_add_explicit(&chunk.block->owners, 1, memory_order_relaxed);
        }
        new_file->file.chunks[i] = chunk;
        new_file->tree->used.bytes += chunk.size;
    }
    new_file->file.size = file->file.size;
    return VFS_OK;
}
