/*
 * Putting what one storage holds into another that is in use, in two steps: everything that can
 * fail is done beside the tree, then the two are exchanged.
 */
#include <stddef.h>

#include "vfs/storage.h"

static void begin_accounts(storage_copy *copy, memory_tree *tree)
{
    static const vfs_quota everything = {UINT64_MAX, UINT64_MAX};
    copy->quota = tree->quota;
    copy->used = tree->used;
    copy->metadata = tree->metadata;
    tree->quota = everything;
    tree->used = (vfs_usage){0};
    tree->metadata = 0;
}

/* Leaves what was counted since in the copy, and the tree as it was. */
static void end_accounts(storage_copy *copy, memory_tree *tree)
{
    const vfs_usage used = tree->used;
    const uint64_t metadata = tree->metadata;
    tree->quota = copy->quota;
    tree->used = copy->used;
    tree->metadata = copy->metadata;
    copy->used = used;
    copy->metadata = metadata;
}

static void add_accounts(const storage_copy *copy, memory_tree *tree)
{
    tree->used.bytes += copy->used.bytes;
    tree->used.entries += copy->used.entries;
    tree->metadata += copy->metadata;
}

/* Gives back copies that are held for nodes. */
static void release_held(eryx_storage *to, memory_node **held, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memory_node *node = held[i];
        if (node != NULL && node->tree == &to->tree) {
            held[i] = NULL;
            if (--node->references == 0 && node->links == 0) {
                memory_node_free(node);
            }
        }
    }
}

/* Holds the copies of held nodes; memory_copy() has just been done. */
static vfs_error copy_held(eryx_storage *from, eryx_storage *to, memory_node *const *held,
                           memory_node **out_held, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (held[i] != NULL && held[i]->links == 0) {
            held[i]->copy = NULL; /* in no directory: of an earlier copy */
        }
    }
    for (size_t i = 0; i < count; i++) {
        memory_node *node = held[i];
        if (node == NULL) {
            continue;
        }
        if (node->links == 0 && node->copy == NULL) {
            vfs_error error = memory_copy_nameless(node, &to->tree);
            if (error != VFS_OK) {
                return error;
            }
        }
        out_held[i] = node == &from->root ? &to->root : node->copy;
        out_held[i]->references++;
    }
    return VFS_OK;
}

vfs_error storage_copy_begin(eryx_storage *from, eryx_storage *to, memory_node *const *held,
                             memory_node **out_held, size_t count, storage_copy *out_copy)
{
    if (!storage_lock(from)) {
        return VFS_IO;
    }
    if (!storage_lock(to)) {
        storage_unlock(from);
        return VFS_IO;
    }
    *out_copy = (storage_copy){.to = to};
    begin_accounts(out_copy, &to->tree);
    memory_root_init(&out_copy->root, &to->tree);
    vfs_error error = memory_copy(&from->root, &out_copy->root);
    if (error == VFS_OK) {
        error = copy_held(from, to, held, out_held, count);
        if (error != VFS_OK) {
            release_held(to, out_held, count);
        }
    }
    if (error != VFS_OK) {
        memory_root_clear(&out_copy->root);
    }
    end_accounts(out_copy, &to->tree);
    if (from->tree.last_number > to->tree.last_number) {
        to->tree.last_number = from->tree.last_number;
    }
    storage_unlock(to);
    storage_unlock(from);
    return error;
}

void storage_copy_end(storage_copy *copy, bool use)
{
    eryx_storage *to = copy->to;
    if (to == NULL || !storage_lock(to)) {
        return;
    }
    add_accounts(copy, &to->tree);
    if (use) {
        tree_before_change(&to->tree);
        memory_root_swap(&to->root, &copy->root);
    }
    memory_root_clear(&copy->root);
    copy->to = NULL;
    storage_unlock(to);
}

void storage_release_held(eryx_storage *storage, memory_node **held, size_t count)
{
    if (storage_lock(storage)) {
        release_held(storage, held, count);
        storage_unlock(storage);
    }
}
