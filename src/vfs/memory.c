#include "vfs/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/assertion.h"
#include "vfs/internal.h"

static memory_node *node_of(vfs_node node)
{
    return (memory_node *)node.item;
}

/* A counted reference to a node of memory, seen through a mount. */
static vfs_node hold(vfs_mount *mount, memory_node *node)
{
    node->references++;
    return (vfs_node){.mount = mount, .item = (uintptr_t)node, .type = node->type};
}

static _Thread_local memory_clock own_clock;

memory_clock memory_use_clock(memory_clock clock)
{
    memory_clock earlier = own_clock;
    own_clock = clock;
    return earlier;
}

bool memory_has_own_clock(uint64_t *out_now_ns)
{
    const bool has_one = own_clock.now_ns != NULL;
    if (has_one) {
        *out_now_ns = own_clock.now_ns(own_clock.context);
    }
    return has_one;
}

vfs_time memory_now(void)
{
    const uint64_t second_ns = UINT64_C(1000000000);
    struct timespec now;
    if (own_clock.now_ns != NULL) {
        uint64_t now_ns = own_clock.now_ns(own_clock.context);
        return (vfs_time){.seconds = now_ns / second_ns,
                          .nanoseconds = (uint32_t)(now_ns % second_ns)};
    }
    clock_gettime(CLOCK_REALTIME, &now);
    return (vfs_time){.seconds = now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec,
                      .nanoseconds = (uint32_t)now.tv_nsec};
}

/* What names are hashed with, chosen once in a process. */
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;
static uint64_t secret[2];

static void make_secret(void)
{
    if (getrandom(secret, sizeof secret, GRND_NONBLOCK) != (ssize_t)sizeof secret) {
        /* Where the system has none yet, what is hard to guess must do. */
        vfs_time now = memory_now();
        secret[0] = (uint64_t)(uintptr_t)&now ^ now.nanoseconds * UINT64_C(0x9e3779b97f4a7c15);
        secret[1] = ((uint64_t)(uintptr_t)secret ^ now.seconds) * UINT64_C(0xbf58476d1ce4e5b9);
    }
}

void memory_tree_init(memory_tree *tree, const vfs_quota *quota)
{
    pthread_once(&secret_once, make_secret);
    *tree = (memory_tree){.quota = *quota, .hash_seed = secret[0], .hash_factor = secret[1] | 1};
}

static void init_node(memory_node *node, memory_tree *tree, vfs_type type)
{
    vfs_time now = memory_now();
    *node = (memory_node){.tree = tree,
                          .number = ++tree->last_number,
                          .generation = tree->generation,
                          .type = type,
                          .mode = vfs_usual_mode(type),
                          .accessed = now,
                          .modified = now,
                          .changed = now};
}

void memory_root_init(memory_node *root, memory_tree *tree)
{
    init_node(root, tree, VFS_TYPE_DIRECTORY);
    root->links = 1;
}

vfs_error memory_node_set_origin(memory_node *node, const char *origin, size_t length)
{
    char *copy = malloc(length + 1);
    if (copy == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    if (!memory_charge_metadata(node->tree, length)) {
        free(copy);
        return VFS_INSUFFICIENT_SPACE;
    }
    memcpy(copy, origin, length);
    copy[length] = '\0';
    node->origin = copy;
    return VFS_OK;
}

void memory_node_drop_origin(memory_node *node)
{
    if (node->origin != NULL) {
        node->tree->metadata -= strlen(node->origin);
        free(node->origin);
        node->origin = NULL;
    }
}

/* A directory must have no entries. */
void memory_node_free(memory_node *node)
{
    memory_tree *tree = node->tree;
    switch (node->type) {
    case VFS_TYPE_FILE:
        memory_file_free(node);
        break;
    case VFS_TYPE_DIRECTORY:
        memory_directory_free(node);
        break;
    case VFS_TYPE_SYMBOLIC_LINK:
        eryx_assert(tree->metadata >= node->link.length);
        tree->metadata -= node->link.length;
        free(node->link.target);
        break;
    case VFS_TYPE_UNKNOWN:
    case VFS_TYPE_CHARACTER_DEVICE:
        break;
    }
    memory_node_drop_origin(node);
    if (node->nameless) {
        tree->used.entries--;
    }
    free(node);
}

/* Takes one name from a node. The entry that the name counted as stays charged until a node that is
 * still held goes. */
static void drop_link(memory_node *node)
{
    eryx_assert(node->links > 0 && node->tree->used.entries > 0);
    node->links--;
    if (node->links > 0) {
        node->tree->used.entries--;
        return;
    }
    node->nameless = true;
    if (node->type == VFS_TYPE_DIRECTORY) {
        node->directory.parent = NULL;
    }
    if (node->references == 0) {
        memory_node_free(node);
    }
}

void memory_root_clear(memory_node *root)
{
    memory_node *directory = root;
    for (;;) {
        memory_node *node = memory_directory_pop(directory);
        if (node != NULL && node->type == VFS_TYPE_DIRECTORY) {
            directory = node; /* its parent pointer is the way back */
        } else if (node != NULL) {
            drop_link(node);
        } else if (directory != root) {
            node = directory;
            directory = directory->directory.parent;
            memory_directory_free(node); /* somebody may hold it: it is an empty one then */
            drop_link(node);
        } else {
            break;
        }
    }
    memory_directory_free(root);
    memory_discard_all(root->tree);
}

/* Whatever the quota: tables and link targets for more files than a host has memory for. */
#define METADATA_MAX ((uint64_t)1 << 30)

/* The share of tables and link targets in what a guest may use, far above what files need. */
static uint64_t metadata_limit(const vfs_quota *quota)
{
    uint64_t from_bytes = quota->max_bytes / 256;
    uint64_t from_entries =
        quota->max_entries < METADATA_MAX / 256 ? quota->max_entries * 256 : METADATA_MAX;
    uint64_t sum = from_bytes + from_entries;
    return sum < METADATA_MAX ? sum : METADATA_MAX;
}

bool memory_charge_metadata(memory_tree *tree, uint64_t bytes)
{
    uint64_t limit = metadata_limit(&tree->quota);
    if (tree->metadata + tree->discarded_rows * sizeof(memory_chunk) + bytes > limit) {
        memory_discard_step(tree);
    }
    uint64_t taken = tree->metadata + tree->discarded_rows * sizeof(memory_chunk);
    if (taken > limit || bytes > limit - taken) {
        return false;
    }
    tree->metadata += bytes;
    return true;
}

/* --- backend --- */

static void retain_node(vfs_node node)
{
    node_of(node)->references++;
}

static void release_node(vfs_node node)
{
    memory_node *released = node_of(node);
    if (--released->references == 0 && released->links == 0) {
        memory_node_free(released);
    }
}

static vfs_error find_node(vfs_node directory, const char *name, size_t length, vfs_node *out_node)
{
    const memory_entry *entry = memory_directory_find(node_of(directory), name, length);
    if (entry == NULL) {
        return VFS_NO_ENTRY;
    }
    *out_node = hold(directory.mount, entry->node);
    return VFS_OK;
}

static vfs_error parent_node(vfs_node directory, vfs_node *out_node)
{
    if (directory.item == directory.mount->root) {
        *out_node = vfs_node_retain(directory.mount->above);
        return VFS_OK;
    }
    memory_node *parent = node_of(directory)->directory.parent;
    if (parent == NULL) {
        return VFS_NO_ENTRY;
    }
    *out_node = hold(directory.mount, parent);
    return VFS_OK;
}

static void stat_node(vfs_node node, vfs_status *out_status)
{
    const memory_node *found = node_of(node);
    uint64_t size = 0;
    if (found->type == VFS_TYPE_FILE) {
        size = found->file.size;
    } else if (found->type == VFS_TYPE_SYMBOLIC_LINK) {
        size = found->link.length;
    }
    *out_status = (vfs_status){
        .type = found->type,
        .mode = found->mode,
        .links = found->links,
        .size = size,
        .identity = vfs_identity(node.mount, found->number),
        .accessed = found->accessed,
        .modified = found->modified,
        .changed = found->changed,
    };
}

static vfs_error list_node(vfs_node directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                           bool *out_found)
{
    const memory_entry *entry = memory_directory_next(node_of(directory), cursor);
    *out_found = entry != NULL;
    if (entry != NULL) {
        out_entry->type = entry->node->type;
        out_entry->name_length = entry->name_length;
        memcpy(out_entry->name, entry->name, entry->name_length);
    }
    return VFS_OK;
}

static vfs_error read_node(vfs_node node, uint64_t offset, uint8_t *buffer, size_t size,
                           size_t *out_got)
{
    memory_file_read(node_of(node), offset, buffer, size, out_got);
    node_of(node)->accessed = memory_now();
    return VFS_OK;
}

static const char *link_target(vfs_node node, size_t *out_length)
{
    *out_length = node_of(node)->link.length;
    return node_of(node)->link.target;
}

static vfs_error write_node(vfs_node node, uint64_t offset, const uint8_t *data, size_t size,
                            size_t *out_done)
{
    tree_before_change(node_of(node)->tree);
    return memory_file_write(node_of(node), offset, data, size, out_done);
}

static vfs_error set_node_size(vfs_node node, uint64_t size)
{
    tree_before_change(node_of(node)->tree);
    return memory_file_set_size(node_of(node), size);
}

static void set_time(vfs_time *time, const vfs_new_time *new_time, vfs_time now)
{
    if (new_time->kind == VFS_TIME_NOW) {
        *time = now;
    } else if (new_time->kind == VFS_TIME_SET) {
        *time = new_time->time;
    }
}

static vfs_error set_node_times(vfs_node node, const vfs_new_time *accessed,
                                const vfs_new_time *modified)
{
    memory_node *changed = node_of(node);
    vfs_time now = memory_now();
    set_time(&changed->accessed, accessed, now);
    set_time(&changed->modified, modified, now);
    changed->changed = now;
    return VFS_OK;
}

static vfs_error set_node_mode(vfs_node node, uint16_t mode)
{
    memory_node *changed = node_of(node);
    changed->mode = mode;
    changed->changed = memory_now();
    return VFS_OK;
}

static void touch(memory_node *directory, vfs_time now)
{
    directory->modified = directory->changed = now;
}

vfs_error memory_node_add_name(memory_node *directory, const char *name, size_t length,
                               memory_node *node)
{
    if (directory->links == 0) {
        return VFS_NO_ENTRY; /* open, but removed */
    }
    tree_before_change(directory->tree);
    if (memory_directory_find(directory, name, length) != NULL) {
        return VFS_EXIST; /* another user of the storage was faster */
    }
    vfs_error error = memory_directory_add(directory, name, length, node);
    if (error != VFS_OK) {
        return error;
    }
    node->links++;
    if (node->type == VFS_TYPE_DIRECTORY) {
        node->directory.parent = directory;
    }
    node->changed = memory_now();
    touch(directory, node->changed);
    return VFS_OK;
}

vfs_error memory_node_create(memory_tree *tree, vfs_type type, const char *target,
                             size_t target_length, memory_node **out_node)
{
    memory_node *node = malloc(sizeof *node);
    if (node == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    init_node(node, tree, type);
    if (type == VFS_TYPE_SYMBOLIC_LINK) {
        if (!memory_charge_metadata(tree, target_length)) {
            free(node);
            return VFS_INSUFFICIENT_SPACE;
        }
        node->link.target = malloc(target_length);
        if (node->link.target == NULL) {
            tree->metadata -= target_length;
            free(node);
            return VFS_INSUFFICIENT_MEMORY;
        }
        memcpy(node->link.target, target, target_length);
        node->link.length = target_length;
    }
    *out_node = node;
    return VFS_OK;
}

static vfs_error make_node(vfs_node directory, const char *name, size_t length, vfs_type type,
                           const char *target, size_t target_length, vfs_node *out_node)
{
    memory_node *node;
    memory_tree *tree = node_of(directory)->tree;
    vfs_error error = memory_node_create(tree, type, target, target_length, &node);
    if (error != VFS_OK) {
        return error;
    }
    error = memory_node_add_name(node_of(directory), name, length, node);
    if (error != VFS_OK) {
        memory_node_free(node);
        return error;
    }
    *out_node = hold(directory.mount, node);
    return VFS_OK;
}

static vfs_error link_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    memory_node *linked = node_of(node);
    if (linked->links == 0) {
        return VFS_NO_ENTRY;
    }
    if (linked->links == UINT32_MAX) {
        return VFS_TOO_MANY_LINKS;
    }
    return memory_node_add_name(node_of(directory), name, length, linked);
}

static vfs_error remove_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    memory_node *holder = node_of(directory);
    memory_node *removed = node_of(node);
    if (removed->type == VFS_TYPE_DIRECTORY && removed->directory.live > 0) {
        return VFS_NOT_EMPTY;
    }
    memory_entry *entry = memory_directory_find(holder, name, length);
    if (entry == NULL || entry->node != removed) {
        return VFS_NO_ENTRY;
    }
    tree_before_change(holder->tree);
    memory_directory_remove(holder, entry);
    removed->changed = memory_now();
    touch(holder, removed->changed);
    drop_link(removed);
    return VFS_OK;
}

/* Directories that may lie in each other, where one of them is moved. */
enum { DEPTH_MAX = 16384 };

/* Whether a directory may be moved to one: that does not lie under it. */
static vfs_error check_move(const memory_node *to, const memory_node *moved)
{
    const memory_node *directory = to;
    for (int depth = 0; directory != NULL && directory != moved; depth++) {
        if (depth == DEPTH_MAX) {
            return VFS_LOOP; /* whatever is above: nobody walks up without end */
        }
        directory = directory->directory.parent;
    }
    return directory == NULL ? VFS_OK : VFS_INVALID;
}

/* Puts a node in the place of what has the name now. */
static vfs_error replace_entry(memory_entry *entry, memory_node *moved)
{
    memory_node *victim = entry->node;
    bool moves_directory = moved->type == VFS_TYPE_DIRECTORY;
    if (moves_directory != (victim->type == VFS_TYPE_DIRECTORY)) {
        return moves_directory ? VFS_NOT_DIRECTORY : VFS_IS_DIRECTORY;
    }
    if (moves_directory && victim->directory.live > 0) {
        return VFS_NOT_EMPTY;
    }
    entry->node = moved;
    victim->changed = memory_now();
    drop_link(victim);
    return VFS_OK;
}

/* Looks up both names again: other users of the storage may have been here since the walk. */
static vfs_error rename_node(vfs_node old_directory, const char *old_name, size_t old_length,
                             vfs_node node, vfs_node new_directory, const char *new_name,
                             size_t new_length, const vfs_node *replaced)
{
    (void)replaced;
    memory_node *from = node_of(old_directory);
    memory_node *to = node_of(new_directory);
    memory_node *moved = node_of(node);
    if (moved->type == VFS_TYPE_DIRECTORY) {
        vfs_error error = check_move(to, moved);
        if (error != VFS_OK) {
            return error;
        }
    }
    memory_entry *old_entry = memory_directory_find(from, old_name, old_length);
    if (to->links == 0 || old_entry == NULL || old_entry->node != moved) {
        return VFS_NO_ENTRY;
    }
    memory_entry *new_entry = memory_directory_find(to, new_name, new_length);
    vfs_error error;
    if (new_entry != NULL && new_entry->node == moved) {
        return VFS_OK; /* two names of one file: POSIX wants nothing done */
    }
    tree_before_change(to->tree);
    if (new_entry != NULL) {
        error = replace_entry(new_entry, moved);
    } else {
        to->tree->used.entries--; /* the old name's, which will go */
        error = memory_directory_add(to, new_name, new_length, moved);
        to->tree->used.entries += error != VFS_OK;
    }
    if (error != VFS_OK) {
        return error;
    }
    memory_directory_remove(from, old_entry);
    if (moved->type == VFS_TYPE_DIRECTORY) {
        moved->directory.parent = to;
    }
    moved->changed = memory_now();
    touch(from, moved->changed);
    touch(to, moved->changed);
    return VFS_OK;
}

const vfs_backend vfs_memory_backend = {
    .retain = retain_node,
    .release = release_node,
    .find = find_node,
    .parent = parent_node,
    .stat = stat_node,
    .list = list_node,
    .read = read_node,
    .link_target = link_target,
    .write = write_node,
    .set_size = set_node_size,
    .set_times = set_node_times,
    .set_mode = set_node_mode,
    .make = make_node,
    .link = link_node,
    .remove = remove_node,
    .rename = rename_node,
};
