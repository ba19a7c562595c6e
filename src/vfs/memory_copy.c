/*
 * Copying a tree of memory: new nodes and names, shared contents. Goes down without recursion, for
 * a guest decides how deep a tree is.
 */
#include <stdlib.h>

#include "vfs/memory.h"

void memory_tree_copy_accounts(memory_tree *tree, const memory_tree *from)
{
    *tree = (memory_tree){.quota = from->quota,
                          .last_number = from->last_number,
                          .hash_seed = from->hash_seed,
                          .hash_factor = from->hash_factor};
}

static void copy_attributes(const memory_node *from, memory_node *to)
{
    to->mode = from->mode;
    to->accessed = from->accessed;
    to->modified = from->modified;
    to->changed = from->changed;
}

/* A new node with everything of another but its names. */
static vfs_error copy_node(memory_node *from, memory_tree *tree, memory_node **out_node)
{
    uint64_t last_number = tree->last_number;
    bool is_link = from->type == VFS_TYPE_SYMBOLIC_LINK;
    memory_node *node;
    vfs_error error = memory_node_create(tree, from->type, is_link ? from->link.target : NULL,
                                         is_link ? from->link.length : 0, &node);
    if (error != VFS_OK) {
        return error;
    }
    tree->last_number = last_number;
    node->number = from->number;
    if (from->type == VFS_TYPE_FILE) {
        error = memory_file_share(from, node);
        if (error != VFS_OK) {
            memory_node_free(node);
            return error;
        }
    }
    from->copy = node;
    *out_node = node;
    return VFS_OK;
}

static void forget_copies(memory_node *directory)
{
    uint64_t cursor = 0;
    const memory_entry *entry;
    while ((entry = memory_directory_next(directory, &cursor)) != NULL) {
        entry->node->copy = NULL;
    }
}

/* Copies one entry; *out_node is the copy if it is a new one, else NULL. */
static vfs_error copy_entry(const memory_entry *entry, memory_node *to, memory_node **out_node)
{
    memory_node *node = entry->node->copy; /* if it has another name, which came first */
    bool is_new = node == NULL;
    vfs_error error = is_new ? copy_node(entry->node, to->tree, &node) : VFS_OK;
    if (error != VFS_OK) {
        return error;
    }
    error = memory_node_add_name(to, entry->name, entry->name_length, node);
    if (error != VFS_OK) {
        if (is_new) {
            entry->node->copy = NULL;
            memory_node_free(node);
        }
        return error;
    }
    *out_node = is_new ? node : NULL;
    return VFS_OK;
}

/* One directory that is being gone through. */
typedef struct copy_level {
    memory_node *from;
    memory_node *to;
    uint64_t cursor;
} copy_level;

typedef struct copy_stack {
    copy_level *levels;
    size_t depth;
    size_t capacity;
} copy_stack;

static bool push_level(copy_stack *stack, memory_node *from, memory_node *to)
{
    if (stack->depth == stack->capacity) {
        size_t capacity = stack->capacity == 0 ? 16 : stack->capacity * 2;
        copy_level *levels = realloc(stack->levels, capacity * sizeof *levels);
        if (levels == NULL) {
            return false;
        }
        stack->levels = levels;
        stack->capacity = capacity;
    }
    stack->levels[stack->depth++] = (copy_level){.from = from, .to = to};
    return true;
}

/* Goes through all directories; to: NULL takes the marks of an earlier copy away. */
static vfs_error walk_tree(memory_node *from, memory_node *to)
{
    copy_stack stack = {0};
    vfs_error error = push_level(&stack, from, to) ? VFS_OK : VFS_INSUFFICIENT_MEMORY;
    if (error == VFS_OK && to == NULL) {
        forget_copies(from);
    }
    while (error == VFS_OK && stack.depth > 0) {
        copy_level *level = &stack.levels[stack.depth - 1];
        const memory_entry *entry = memory_directory_next(level->from, &level->cursor);
        if (entry == NULL) {
            if (level->to != NULL) {
                level->to->directory.last_cursor = level->from->directory.last_cursor;
                copy_attributes(level->from, level->to);
            }
            stack.depth--;
            continue;
        }
        memory_node *node = NULL;
        if (level->to != NULL) {
            /* Entries keep their cursors, so that listings that are going on stay right. */
            level->to->directory.last_cursor = level->cursor - 1;
            error = copy_entry(entry, level->to, &node);
            if (node != NULL) {
                copy_attributes(entry->node, node);
            }
        } else if (entry->node->type == VFS_TYPE_DIRECTORY) {
            forget_copies(entry->node);
        }
        if (error == VFS_OK && entry->node->type == VFS_TYPE_DIRECTORY &&
            !push_level(&stack, entry->node, node)) {
            error = VFS_INSUFFICIENT_MEMORY;
        }
    }
    free(stack.levels);
    return error;
}

vfs_error memory_copy(memory_node *from, memory_node *to)
{
    vfs_error error = walk_tree(from, NULL);
    if (error == VFS_OK) {
        error = walk_tree(from, to);
    }
    if (error == VFS_OK) {
        from->copy = to;
        to->number = from->number;
    }
    return error;
}

vfs_error memory_forget_copies(memory_node *root)
{
    root->copy = NULL;
    return walk_tree(root, NULL);
}

vfs_error memory_copy_nameless(memory_node *from, memory_tree *tree)
{
    memory_node *node;
    vfs_error error = copy_node(from, tree, &node);
    if (error == VFS_OK) {
        copy_attributes(from, node);
        node->nameless = true;
        tree->used.entries++;
    }
    return error;
}

/* Makes a root the parent of the directories that lie in it. */
static void adopt(memory_node *root)
{
    uint64_t cursor = 0;
    const memory_entry *entry;
    while ((entry = memory_directory_next(root, &cursor)) != NULL) {
        if (entry->node->type == VFS_TYPE_DIRECTORY) {
            entry->node->directory.parent = root;
        }
    }
}

void memory_root_swap(memory_node *left, memory_node *right)
{
    memory_node old = *left;
    left->directory = right->directory;
    copy_attributes(right, left);
    right->directory = old.directory;
    copy_attributes(&old, right);
    adopt(left);
    adopt(right);
}
