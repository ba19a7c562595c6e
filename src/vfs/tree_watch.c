/*
 * What has changed in a tree since a moment. Nothing is done before the first change; then the
 * names are written down in rows, each directory before what lies in it. At the end they are looked
 * up again, and what is met in the tree besides is new. Without recursion, for a guest decides how
 * deep a tree is.
 */
#include <stdlib.h>
#include <string.h>

#include "vfs/memory.h"

void tree_watch_begin(tree_watch *watch, memory_tree *tree, memory_node *const *roots,
                      uint32_t root_count)
{
    *watch = (tree_watch){
        .next = tree->watches, .tree = tree, .root_count = root_count, .since = ++tree->generation};
    for (uint32_t i = 0; i < root_count; i++) {
        watch->roots[i] = roots[i];
    }
    tree->watches = watch;
}

void tree_watch_end(tree_watch *watch)
{
    if (watch->tree == NULL) {
        return;
    }
    tree_watch **link = &watch->tree->watches;
    while (*link != NULL && *link != watch) {
        link = &(*link)->next;
    }
    if (*link == watch) {
        *link = watch->next;
    }
    free(watch->rows);
    free(watch->names);
    *watch = (tree_watch){0};
}

/* ---- Writing down what there is ---------------------------------------------------------------
 */

static bool reserve(void **block, size_t *capacity, size_t needed, size_t item)
{
    if (needed <= *capacity) {
        return true;
    }
    const size_t wanted = needed < 64 ? 64 : needed * 2;
    void *larger = realloc(*block, wanted * item);
    if (larger == NULL) {
        return false;
    }
    *block = larger;
    *capacity = wanted;
    return true;
}

static bool add_row(tree_watch *watch, uint32_t parent, const memory_node *node, const char *name,
                    size_t length)
{
    void *rows = watch->rows;
    void *names = watch->names;
    bool done = watch->row_count < UINT32_MAX &&
                reserve(&rows, &watch->row_capacity, watch->row_count + 1, sizeof *watch->rows) &&
                reserve(&names, &watch->names_capacity, watch->names_size + length, 1);
    watch->rows = rows;
    watch->names = names;
    if (!done) {
        return false;
    }
    const bool is_root = watch->row_count < watch->root_count;
    const uint32_t above = is_root ? 0 : watch->rows[parent].path_length;
    const size_t path = is_root ? 0 : above + (above > 0) + length;
    watch->rows[watch->row_count++] = (tree_seen){
        .number = node->number,
        .name = watch->names_size,
        .parent = parent,
        .path_length = path <= VFS_PATH_MAX ? (uint32_t)path : VFS_PATH_MAX + 1,
        .name_length = (uint16_t)length,
        .type = (uint8_t)node->type,
    };
    if (length > 0) {
        memcpy(watch->names + watch->names_size, name, length);
    }
    watch->names_size += length;
    return true;
}

/* A directory that is to be gone through, and its row. */
typedef struct open_directory {
    const memory_node *node;
    uint32_t row;
} open_directory;

typedef struct directory_stack {
    open_directory *items;
    size_t count;
    size_t capacity;
} directory_stack;

static bool push(directory_stack *stack, const memory_node *node, uint32_t row)
{
    void *items = stack->items;
    const bool done = reserve(&items, &stack->capacity, stack->count + 1, sizeof *stack->items);
    stack->items = items;
    if (done) {
        stack->items[stack->count++] = (open_directory){node, row};
    }
    return done;
}

static bool write_down(tree_watch *watch)
{
    directory_stack stack = {0};
    bool done = true;
    for (uint32_t i = 0; done && i < watch->root_count; i++) {
        done = add_row(watch, i, watch->roots[i], "", 0) && push(&stack, watch->roots[i], i);
    }
    while (done && stack.count > 0) {
        const open_directory directory = stack.items[--stack.count];
        uint64_t cursor = 0;
        const memory_entry *entry;
        while (done && (entry = memory_directory_next(directory.node, &cursor)) != NULL) {
            done = add_row(watch, directory.row, entry->node, entry->name, entry->name_length);
            if (done && entry->node->type == VFS_TYPE_DIRECTORY) {
                done = push(&stack, entry->node, (uint32_t)(watch->row_count - 1));
            }
        }
    }
    free(stack.items);
    return done;
}

void tree_watch_all(memory_tree *tree)
{
    while (tree->watches != NULL) {
        tree_watch *watch = tree->watches;
        tree->watches = watch->next;
        watch->next = NULL;
        watch->changed = true;
        watch->failed = !write_down(watch);
    }
}

/* ---- Telling what is different ----------------------------------------------------------------
 */

typedef struct teller {
    tree_watch *watch;
    tree_tell *tell;
    void *context;
    uint64_t look;
    bool complete;
    bool more; /* wanted */
    char path[VFS_PATH_MAX];
} teller;

static void tell_one(teller *work, uint32_t root, size_t length, tree_difference what,
                     vfs_type type, memory_node *found)
{
    work->more = work->tell(work->context, root, work->path, length, what, type, found);
    work->complete = work->complete && work->more;
}

/* Writes the path of a row, which is not too long, and gives the root. */
static uint32_t path_of(teller *work, uint32_t number)
{
    const tree_watch *watch = work->watch;
    const tree_seen *row = &watch->rows[number];
    size_t end = row->path_length;
    while (number >= watch->root_count) {
        row = &watch->rows[number];
        end -= row->name_length;
        memcpy(work->path + end, watch->names + row->name, row->name_length);
        if (end > 0) {
            work->path[--end] = '/';
        }
        number = row->parent;
    }
    return number;
}

static void tell_of_row(teller *work, uint32_t number, memory_entry *entry)
{
    const tree_seen *row = &work->watch->rows[number];
    const memory_node *node = entry != NULL ? entry->node : NULL;
    tree_difference what = TREE_REMOVED;
    if (node != NULL) {
        const bool same = node->number == row->number && (uint8_t)node->type == row->type;
        const bool touched = node->type == VFS_TYPE_FILE && node->generation >= work->watch->since;
        const bool both_directories =
            node->type == VFS_TYPE_DIRECTORY && row->type == VFS_TYPE_DIRECTORY;
        if ((same && !touched) || both_directories) {
            return;
        }
        what = TREE_CHANGED;
    }
    if (row->path_length > VFS_PATH_MAX) {
        work->complete = false;
        return;
    }
    const uint32_t root = path_of(work, number);
    tell_one(work, root, row->path_length, what, node != NULL ? node->type : (vfs_type)row->type,
             entry != NULL ? entry->node : NULL);
}

/* Looks the rows up. False without memory. */
static bool tell_of_rows(teller *work)
{
    const tree_watch *watch = work->watch;
    memory_node **now = calloc(watch->row_count, sizeof *now);
    if (now == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < watch->row_count && work->more; i++) {
        if (i < watch->root_count) {
            now[i] = watch->roots[i];
            continue;
        }
        const tree_seen *row = &watch->rows[i];
        const memory_node *directory = now[row->parent];
        memory_entry *entry = NULL;
        if (directory != NULL && directory->type == VFS_TYPE_DIRECTORY) {
            entry = memory_directory_find(directory, watch->names + row->name, row->name_length);
        }
        if (entry != NULL) {
            entry->look = work->look;
            now[i] = entry->node;
        }
        tell_of_row(work, i, entry);
    }
    free(now);
    return true;
}

/* A directory that is being gone through. */
typedef struct level {
    const memory_node *directory;
    uint64_t cursor;
    size_t path_length;
} level;

/* Tells of the names that no row has, under a root. False without memory. */
static bool tell_of_new(teller *work, uint32_t root)
{
    level *levels = NULL;
    void *block = NULL;
    size_t depth = 0;
    size_t capacity = 0;
    bool done = reserve(&block, &capacity, 1, sizeof *levels);
    levels = block;
    if (done) {
        levels[depth++] = (level){.directory = work->watch->roots[root]};
    }
    while (done && depth > 0 && work->more) {
        level *top = &levels[depth - 1];
        /* The entries are ours to change: the tree is, and only the look of one is written. */
        memory_entry *entry =
            (memory_entry *)(uintptr_t)memory_directory_next(top->directory, &top->cursor);
        if (entry == NULL) {
            depth--;
            continue;
        }
        size_t length = top->path_length;
        if (length + 1 + entry->name_length > VFS_PATH_MAX) {
            work->complete = false; /* nor is anything under it told of */
            continue;
        }
        if (length > 0) {
            work->path[length++] = '/';
        }
        memcpy(work->path + length, entry->name, entry->name_length);
        length += entry->name_length;
        if (entry->look != work->look) {
            tell_one(work, root, length, TREE_MADE, entry->node->type, entry->node);
        }
        if (entry->node->type == VFS_TYPE_DIRECTORY) {
            done = reserve(&block, &capacity, depth + 1, sizeof *levels);
            levels = block;
            if (done) {
                levels[depth++] = (level){.directory = entry->node, .path_length = length};
            }
        }
    }
    free(block);
    return done;
}

bool tree_watch_tell(tree_watch *watch, tree_tell *tell, void *context)
{
    if (!watch->changed) {
        return true;
    }
    if (watch->failed) {
        return false;
    }
    teller work = {.watch = watch,
                   .tell = tell,
                   .context = context,
                   .look = ++watch->tree->last_look,
                   .complete = true,
                   .more = true};
    bool done = tell_of_rows(&work);
    for (uint32_t i = 0; done && i < watch->root_count; i++) {
        done = tell_of_new(&work, i);
    }
    return done && work.complete;
}
