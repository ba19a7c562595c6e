#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "state/store.h"
#include "state/store_format.h"
#include "vfs/overlay.h"

typedef struct writer {
    live_bytes out;
    size_t capacity;
    bool failed;         /* without memory; nothing is written any more */
    memory_node **nodes; /* of the tree that is being written */
    size_t count;
    size_t nodes_capacity;
    const memory_tree **trees;
    size_t tree_count;
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

/* The node of a tree that an open one is or stands for; NULL for none. */
static memory_node *node_in(const memory_tree *tree, vfs_node node)
{
    memory_node *upper = vfs_overlay_upper(node);
    if (upper != NULL) {
        return upper->tree == tree ? upper : NULL;
    }
    return node.mount->storage == tree ? (memory_node *)node.item : NULL;
}

/* Numbers all nodes of a tree whose roots have been added, directories before what is in them. */
static void add_all_nodes(writer *to, const memory_tree *tree, const handle_table *handles)
{
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
        const vfs_file *file = handle_has_file(open) ? open->object : NULL;
        memory_node *node = file != NULL ? node_in(tree, file->node) : NULL;
        if (node != NULL && node->copy == NULL) {
            add_node(to, node);
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
    put(to, node->mode);
    put_time(to, node->accessed);
    put_time(to, node->modified);
    put_time(to, node->changed);
    put(to, node->origin != NULL ? strlen(node->origin) + 1 : 0);
    if (node->origin != NULL) {
        put_bytes(to, node->origin, strlen(node->origin));
    }
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
    case VFS_TYPE_UNKNOWN: /* a whiteout */
        put(to, 0);
        break;
    case VFS_TYPE_CHARACTER_DEVICE:
        break;
    }
}

/* The place of an overlay among those of a tree. */
static uint64_t overlay_place(const vfs *files, const vfs_mount *mount)
{
    uint64_t place = 0;
    for (uint32_t i = 0; files->overlays[i] != mount->storage; i++) {
        place += files->overlays[i] != NULL;
    }
    return place;
}

/* False if the file is of a mount that cannot be saved. */
static bool put_handle(writer *to, const vfs *files, const handle *open)
{
    put(to, (uint64_t)open->kind);
    put(to, open->value);
    if (!handle_has_file(open)) {
        put(to, STORE_NO_FILE);
        return true;
    }
    const vfs_file *file = open->object;
    const vfs_mount *mount = file->node.mount;
    size_t tree = 1;
    while (tree < to->tree_count && mount->storage != to->trees[tree]) {
        tree++;
    }
    if (vfs_is_overlay(mount)) {
        memory_node *upper = vfs_overlay_upper(file->node);
        if (upper == NULL) {
            return false;
        }
        put(to, STORE_OVERLAY);
        put(to, number_of(upper));
        put(to, file->flags);
        put(to, overlay_place(files, mount));
        return true;
    }
    if (mount->storage == &files->memory) {
        put(to, mount == &files->mounts[PLACE_TMP] ? STORE_TMP : STORE_DATA);
        put(to, number_of((const memory_node *)file->node.item));
    } else if (mount->backend == &vfs_archive_backend) {
        bool is_stdlib = mount->storage == files->mounts[PLACE_STDLIB].storage;
        put(to, is_stdlib ? STORE_STDLIB : STORE_PACKAGES);
        put(to, file->node.item);
    } else if (mount->backend == &vfs_system_backend && file->node.item < PLACE_COUNT) {
        put(to, STORE_PLACE);
        put(to, file->node.item);
    } else if (tree < to->tree_count) {
        put(to, STORE_STORAGE);
        put(to, number_of((const memory_node *)file->node.item));
    } else {
        return false;
    }
    put(to, file->flags);
    if (tree < to->tree_count) {
        put(to, tree);
    }
    return true;
}

/* Writes a tree whose roots have been added. */
static void put_tree(writer *to, const memory_tree *tree, const char *path,
                     const handle_table *handles)
{
    add_all_nodes(to, tree, handles);
    put(to, strlen(path));
    put_bytes(to, path, strlen(path));
    put(to, tree->last_number);
    put(to, to->count);
    for (size_t i = 0; i < to->count && !to->failed; i++) {
        put_node(to, to->nodes[i]);
    }
    to->trees[to->tree_count++] = tree;
    to->count = 0;
}

/* The storages that have stand-ins. */
static void put_storages(writer *to, const vfs *files, const handle_table *handles)
{
    char path[VFS_PATH_MAX + 1];
    for (uint32_t i = 0; live_storages_any(files) && i < files->added->source_count; i++) {
        if (live_storages_is_writable(files, i)) {
            eryx_storage *storage = live_storages_shown(files, i);
            add_node(to, &storage->root);
            vfs_source_path(files->added, live_storages_place(files, i), path);
            put_tree(to, &storage->tree, path, handles);
        }
    }
}

/* Where the overlays are. */
static void put_overlays(writer *to, const vfs *files)
{
    const uint32_t sources = files->overlays != NULL ? files->added->source_count : 0;
    char path[VFS_PATH_MAX + 1];
    uint64_t count = 0;
    for (uint32_t i = 0; i < sources; i++) {
        count += files->overlays[i] != NULL;
    }
    put(to, count);
    for (uint32_t i = 0; i < sources; i++) {
        if (files->overlays[i] != NULL) {
            const size_t length = vfs_source_path(files->added, i, path);
            put(to, length);
            put_bytes(to, path, length);
        }
    }
}

static bool put_all(writer *to, vfs *files, const handle_table *handles)
{
    size_t count = 1;
    for (uint32_t i = 0; live_storages_any(files) && i < files->added->source_count; i++) {
        count += live_storages_is_writable(files, i);
    }
    to->trees = calloc(count, sizeof *to->trees);
    if (to->trees == NULL) {
        to->failed = true;
        return true;
    }
    put_overlays(to, files);
    put(to, count);
    memory_node *root;
    for (uint32_t i = 0; (root = vfs_own_root(files, i)) != NULL && !to->failed; i++) {
        add_node(to, root);
    }
    put_tree(to, &files->memory, "", handles);
    put_storages(to, files, handles);
    put(to, handles->used);
    for (uint32_t i = 0; i < handles->used; i++) {
        if (!put_handle(to, files, &handles->dynamic[i])) {
            return false;
        }
    }
    return true;
}

eryx_status live_store_write(vfs *files, const handle_table *handles, bool include_storages,
                             live_bytes *out_bytes, eryx_error *out_error)
{
    vfs *copy;
    handle_table open;
    eryx_status status =
        live_files_copy(files, handles, include_storages ? LIVE_STORAGES_COPY : LIVE_STORAGES_SHARE,
                        &copy, &open, NULL, out_error);
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
    free((void *)(uintptr_t)to.trees);
    if (status == ERYX_OK) {
        *out_bytes = to.out;
    } else {
        free(to.out.data);
    }
    return status;
}
