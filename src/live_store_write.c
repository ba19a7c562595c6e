#include <stdlib.h>
#include <string.h>

#include "live_store.h"
#include "live_store_format.h"
#include "status.h"
#include "vfs_internal.h"

typedef struct writer {
    live_bytes out;
    size_t capacity;
    bool failed; /* without memory; nothing is written any more */
    memory_node **nodes;
    size_t count;
    size_t nodes_capacity;
} writer;

static void put_bytes(writer *to, const void *data, size_t size)
{
    if (to->failed || size == 0) {
        return;
    }
    if (size > to->capacity - to->out.size) {
        size_t capacity = (to->out.size + size) * 2;
        uint8_t *bytes = realloc(to->out.data, capacity);
        if (bytes == NULL) {
            to->failed = true;
            return;
        }
        to->out.data = bytes;
        to->capacity = capacity;
    }
    memcpy(to->out.data + to->out.size, data, size);
    to->out.size += size;
}

static void put(writer *to, uint64_t number)
{
    put_bytes(to, &number, sizeof number);
}

static void put_time(writer *to, vfs_time time)
{
    put(to, time.seconds);
    put(to, time.nanoseconds);
}

/* Nodes of the tree that is written, which is nobody else's, know their number in place of their
 * copy. */
static uint64_t number_of(const memory_node *node)
{
    return (uintptr_t)node->copy - 1;
}

static void add_node(writer *to, memory_node *node)
{
    if (to->count == to->nodes_capacity) {
        size_t capacity = to->nodes_capacity > 0 ? 2 * to->nodes_capacity : 64;
        memory_node **nodes = realloc(to->nodes, capacity * sizeof *nodes);
        if (nodes == NULL) {
            to->failed = true;
            return;
        }
        to->nodes = nodes;
        to->nodes_capacity = capacity;
    }
    to->nodes[to->count++] = node;
    node->copy = (memory_node *)(uintptr_t)to->count;
}

/* Numbers all nodes, directories before what is in them. */
static void add_all_nodes(writer *to, vfs *files, const handle_table *handles)
{
    add_node(to, &files->data);
    add_node(to, &files->tmp);
    for (size_t i = 0; i < to->count && !to->failed; i++) {
        const memory_node *directory = to->nodes[i];
        uint64_t cursor = 0;
        const memory_entry *entry = NULL;
        while (directory->type == VFS_TYPE_DIRECTORY && !to->failed &&
               (entry = memory_directory_next(directory, &cursor)) != NULL) {
            if (entry->node->copy == NULL) {
                add_node(to, entry->node);
            }
        }
    }
    for (uint32_t i = 0; i < handles->used && !to->failed; i++) {
        const handle *open = &handles->dynamic[i];
        const vfs_file *file = live_handle_has_file(open) ? open->object : NULL;
        if (file != NULL && file->node.mount->storage == &files->memory) {
            memory_node *node = (memory_node *)file->node.item;
            if (node->copy == NULL) {
                add_node(to, node);
            }
        }
    }
}

static void put_file(writer *to, const memory_node *node)
{
    size_t count = 0;
    for (size_t i = 0; i < node->file.capacity; i++) {
        count += node->file.chunks[i].size > 0;
    }
    put(to, node->file.size);
    put(to, count);
    for (size_t i = 0; i < node->file.capacity; i++) {
        const memory_chunk *chunk = &node->file.chunks[i];
        if (chunk->size > 0) {
            put(to, (uint64_t)i * MEMORY_CHUNK_SIZE);
            put(to, chunk->size);
            put_bytes(to, chunk->block->bytes, chunk->size);
        }
    }
}

static void put_directory(writer *to, const memory_node *node)
{
    put(to, node->directory.last_cursor);
    put(to, node->directory.live);
    uint64_t cursor = 0;
    const memory_entry *entry;
    while ((entry = memory_directory_next(node, &cursor)) != NULL) {
        put(to, cursor);
        put(to, number_of(entry->node));
        put(to, entry->name_length);
        put_bytes(to, entry->name, entry->name_length);
    }
}

static void put_node(writer *to, const memory_node *node)
{
    put(to, (uint64_t)node->type);
    put(to, node->number);
    put_time(to, node->accessed);
    put_time(to, node->modified);
    put_time(to, node->changed);
    switch (node->type) {
    case VFS_TYPE_FILE:
        put_file(to, node);
        break;
    case VFS_TYPE_DIRECTORY:
        put_directory(to, node);
        break;
    case VFS_TYPE_SYMBOLIC_LINK:
        put(to, node->link.length);
        put_bytes(to, node->link.target, node->link.length);
        break;
    case VFS_TYPE_UNKNOWN:
    case VFS_TYPE_CHARACTER_DEVICE:
        break;
    }
}

/* False if the file is of a mount that cannot be saved. */
static bool put_handle(writer *to, const vfs *files, const handle *open)
{
    put(to, (uint64_t)open->kind);
    put(to, open->value);
    if (!live_handle_has_file(open)) {
        put(to, STORE_NO_FILE);
        return true;
    }
    const vfs_file *file = open->object;
    const vfs_mount *mount = file->node.mount;
    if (mount->storage == &files->memory) {
        put(to, mount == &files->mounts[PLACE_TMP] ? STORE_TMP : STORE_DATA);
        put(to, number_of((const memory_node *)file->node.item));
    } else if (mount->backend == &vfs_archive_backend) {
        put(to, STORE_STDLIB);
        put(to, file->node.item);
    } else if (mount->backend == &vfs_system_backend && file->node.item < PLACE_COUNT) {
        put(to, STORE_PLACE);
        put(to, file->node.item);
    } else {
        return false;
    }
    put(to, file->flags);
    return true;
}

static bool put_all(writer *to, vfs *files, const handle_table *handles)
{
    add_all_nodes(to, files, handles);
    put(to, files->memory.last_number);
    put(to, to->count);
    for (size_t i = 0; i < to->count; i++) {
        put_node(to, to->nodes[i]);
    }
    put(to, handles->used);
    for (uint32_t i = 0; i < handles->used; i++) {
        if (!put_handle(to, files, &handles->dynamic[i])) {
            return false;
        }
    }
    return true;
}

eryx_status live_store_write(vfs *files, const handle_table *handles, live_bytes *out_bytes,
                             eryx_error *out_error)
{
    vfs *copy;
    handle_table open;
    eryx_status status = live_files_copy(files, handles, &copy, &open, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    writer to = {0};
    if (!put_all(&to, copy, &open)) {
        status = status_fail(ERYX_INVALID_ARGUMENT, out_error,
                             "a file of a volume or storage is open: close it first");
    } else if (to.failed) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    handles_clear(&open);
    vfs_destroy(copy);
    free(to.nodes);
    if (status == ERYX_OK) {
        *out_bytes = to.out;
    } else {
        free(to.out.data);
    }
    return status;
}
