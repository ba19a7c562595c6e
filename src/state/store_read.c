#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "state/store.h"
#include "state/store_format.h"
#include "vfs/overlay.h"

/* What is before the overlays among the roots of a sandbox's own files: /data and /tmp. */
#define OWN_ROOTS 2

/* A tree that is being made. */
typedef struct stored_tree {
    memory_tree *tree;
    vfs_mount *mount;   /* of a storage; NULL for the sandbox's own files */
    memory_node **root; /* the first nodes; borrowed */
    uint64_t root_count;
    memory_node **nodes; /* owned */
    uint64_t count;
} stored_tree;

typedef struct reader {
    const uint8_t *data;
    size_t size;
    vfs *files;
    stored_tree *trees; /* owned */
    uint64_t tree_count;
    stored_tree *tree;   /* the one whose nodes are read */
    memory_node **roots; /* of the own tree, owned: /data, /tmp, overlays as they are stored */
    uint32_t *overlays;  /* owned; the sources of the latter */
    uint64_t overlay_count;
    const char *missing_kind;
    const uint8_t *missing; /* path of one that is not there */
    uint64_t missing_length;
} reader;

static bool take_bytes(reader *from, uint64_t size, const uint8_t **out_data)
{
    if (size > from->size) {
        return false;
    }
    *out_data = from->data;
    from->data += size;
    from->size -= (size_t)size;
    return true;
}

static bool take(reader *from, uint64_t *out_number)
{
    const uint8_t *bytes;
    if (!take_bytes(from, sizeof *out_number, &bytes)) {
        return false;
    }
    memcpy(out_number, bytes, sizeof *out_number);
    return true;
}

static bool take_time(reader *from, vfs_time *out_time)
{
    uint64_t nanoseconds;
    if (!take(from, &out_time->seconds) || !take(from, &nanoseconds) || nanoseconds >= 1000000000) {
        return false;
    }
    out_time->nanoseconds = (uint32_t)nanoseconds;
    return true;
}

static bool read_file(reader *from, memory_node *node)
{
    uint64_t size;
    uint64_t count;
    if (!take(from, &size) || !take(from, &count) || size > VFS_FILE_SIZE_MAX) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t offset;
        uint64_t length;
        const uint8_t *bytes;
        if (!take(from, &offset) || !take(from, &length) || !take_bytes(from, length, &bytes)) {
            return false;
        }
        /* What a chunk has behind the end of the file is spare room. */
        uint64_t kept = offset < size ? size - offset : 0;
        size_t wanted = (size_t)(kept < length ? kept : length);
        size_t done = 0;
        if (wanted > 0 &&
            (memory_file_write(node, offset, bytes, wanted, &done) != VFS_OK || done < wanted)) {
            return false;
        }
    }
    return memory_file_set_size(node, size) == VFS_OK;
}

/* Gives the nodes of the entries of a directory their names. */
static bool read_directory(reader *from, uint64_t number)
{
    memory_node *directory = from->tree->nodes[number];
    uint64_t last_cursor;
    uint64_t count;
    if (!take(from, &last_cursor) || !take(from, &count) || last_cursor > UINT64_MAX / 2) {
        return false;
    }
    uint64_t earlier = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t cursor;
        uint64_t child;
        uint64_t length;
        const uint8_t *name;
        if (!take(from, &cursor) || !take(from, &child) || !take(from, &length) ||
            length > VFS_NAME_MAX || !take_bytes(from, length, &name) || cursor <= earlier ||
            cursor > last_cursor || child < from->tree->root_count || child >= from->tree->count ||
            !vfs_name_is_plain((const char *)name, (size_t)length)) {
            return false;
        }
        memory_node *node = from->tree->nodes[child];
        /* A directory has one name, and lies in one that came before it: so there are no rings. */
        if (node->type == VFS_TYPE_DIRECTORY && (node->links > 0 || child <= number)) {
            return false;
        }
        directory->directory.last_cursor = cursor - 1;
        if (memory_node_add_name(directory, (const char *)name, (size_t)length, node) != VFS_OK) {
            return false;
        }
        earlier = cursor;
    }
    directory->directory.last_cursor = last_cursor;
    return true;
}

typedef struct node_head {
    uint64_t type;
    uint64_t number;
    uint64_t mode;
    vfs_time accessed;
    vfs_time modified;
    vfs_time changed;
    const uint8_t *origin; /* NULL for none */
    uint64_t origin_length;
} node_head;

static bool take_head(reader *from, node_head *out_head)
{
    uint64_t origin;
    if (!take(from, &out_head->type) || !take(from, &out_head->number) ||
        !take(from, &out_head->mode) || !take_time(from, &out_head->accessed) ||
        !take_time(from, &out_head->modified) || !take_time(from, &out_head->changed) ||
        !take(from, &origin)) {
        return false;
    }
    out_head->origin = NULL;
    out_head->origin_length = origin > 0 ? origin - 1 : 0;
    return origin == 0 || take_bytes(from, origin - 1, &out_head->origin);
}

static bool skip(reader *from, uint64_t size)
{
    const uint8_t *bytes;
    return take_bytes(from, size, &bytes);
}

/* Goes past so many elements of some numbers and as many bytes as the last of them says. */
static bool skip_elements(reader *from, uint64_t count, int numbers)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t size = 0;
        for (int k = 0; k < numbers; k++) {
            if (!take(from, &size)) {
                return false;
            }
        }
        if (!skip(from, size)) {
            return false;
        }
    }
    return true;
}

/* Whether something may be a path in a volume. */
static bool is_plain_path(const char *path, uint64_t length)
{
    const char *end = path + length;
    if (length > VFS_PATH_MAX) {
        return false;
    }
    while (path < end) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        const char *name_end = slash != NULL ? slash : end;
        if (!vfs_name_is_plain(path, (size_t)(name_end - path)) || slash == end - 1) {
            return false;
        }
        path = slash != NULL ? slash + 1 : end;
    }
    return true;
}

/* Says where the host has what a node stands for, which is so of overlays alone. Their roots, the
 * ones behind the first two, know it already. */
static bool set_origin(const reader *from, uint64_t number, const node_head *head)
{
    memory_node *node = from->tree->nodes[number];
    if (head->origin == NULL || node->origin != NULL) {
        return true;
    }
    return from->tree->root_count > OWN_ROOTS && number >= from->tree->root_count &&
           (node->type == VFS_TYPE_FILE || node->type == VFS_TYPE_DIRECTORY) &&
           is_plain_path((const char *)head->origin, head->origin_length) &&
           memory_node_set_origin(node, (const char *)head->origin, (size_t)head->origin_length) ==
               VFS_OK;
}

/* Makes one node, without what is in it. */
static bool make_node(reader *from, uint64_t number)
{
    node_head head;
    uint64_t first = 0;
    uint64_t count = 0;
    const uint8_t *target = NULL;
    if (!take_head(from, &head) || !take(from, &first)) {
        return false;
    }
    vfs_type type = (vfs_type)head.type;
    switch (head.type) {
    case VFS_TYPE_FILE:
        if (!take(from, &count) || !skip_elements(from, count, 2)) {
            return false;
        }
        break;
    case VFS_TYPE_DIRECTORY:
        if (!take(from, &count) || !skip_elements(from, count, 3)) {
            return false;
        }
        break;
    case VFS_TYPE_SYMBOLIC_LINK:
        if (!take_bytes(from, first, &target) ||
            !vfs_target_is_plain((const char *)target, (size_t)first)) {
            return false;
        }
        break;
    case VFS_TYPE_UNKNOWN: /* a whiteout */
        if (from->overlay_count == 0 || first != 0) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (number < from->tree->root_count) {
        from->tree->nodes[number] = from->tree->root[number];
        return type == VFS_TYPE_DIRECTORY;
    }
    return memory_node_create(from->tree->tree, type, (const char *)target,
                              target != NULL ? (size_t)first : 0,
                              &from->tree->nodes[number]) == VFS_OK;
}

static bool fill_node(reader *from, uint64_t number)
{
    node_head head;
    uint64_t length;
    memory_node *node = from->tree->nodes[number];
    if (!take_head(from, &head)) {
        return false;
    }
    bool done = node->type == VFS_TYPE_FILE        ? read_file(from, node)
                : node->type == VFS_TYPE_DIRECTORY ? read_directory(from, number)
                                                   : take(from, &length) && skip(from, length);
    node->number = head.number;
    node->mode = (uint16_t)(head.mode & VFS_MODE_MASK);
    return done && set_origin(from, number, &head);
}

/* After all names are there, since giving a name sets times. */
static bool set_times(reader *from)
{
    for (uint64_t i = 0; i < from->tree->count; i++) {
        node_head head;
        uint64_t first;
        uint64_t count;
        memory_node *node = from->tree->nodes[i];
        if (!take_head(from, &head) || !take(from, &first)) {
            return false;
        }
        bool done = node->type == VFS_TYPE_SYMBOLIC_LINK || node->type == VFS_TYPE_UNKNOWN
                        ? skip(from, first)
                        : take(from, &count) &&
                              skip_elements(from, count, node->type == VFS_TYPE_FILE ? 2 : 3);
        if (!done) {
            return false;
        }
        node->accessed = head.accessed;
        node->modified = head.modified;
        node->changed = head.changed;
    }
    return true;
}

static bool read_nodes(reader *from, uint64_t last_number)
{
    const reader begin = *from;
    for (uint64_t i = 0; i < from->tree->count; i++) {
        if (!make_node(from, i)) {
            return false;
        }
    }
    from->data = begin.data;
    from->size = begin.size;
    for (uint64_t i = 0; i < from->tree->count; i++) {
        if (!fill_node(from, i) || from->tree->nodes[i]->number > last_number) {
            return false;
        }
    }
    from->data = begin.data;
    from->size = begin.size;
    from->tree->tree->last_number = last_number;
    return set_times(from);
}

static bool find_node(const stored_tree *tree, vfs_mount *mount, uint64_t item, vfs_node *out_node)
{
    if (item >= tree->count) {
        return false;
    }
    memory_node *node = tree->nodes[item];
    if (node->links == 0 && !node->nameless) {
        node->nameless = true;
        tree->tree->used.entries++;
    }
    *out_node = (vfs_node){mount, (uintptr_t)node, node->type};
    return true;
}

/* Of the sandbox's own files, seen at a place; a storage may be mounted there instead. */
static bool find_own(reader *from, vfs_place place, uint64_t item, vfs_node *out_node)
{
    vfs_mount *mount = &from->files->mounts[place];
    return mount->backend == &vfs_memory_backend && mount->storage == &from->files->memory &&
           find_node(&from->trees[0], mount, item, out_node);
}

/* An entry of the archive that is mounted at a place. */
static bool find_entry(reader *from, vfs_place place, uint64_t item, vfs_node *out_node)
{
    vfs_mount *mount = &from->files->mounts[place];
    if (mount->backend != &vfs_archive_backend || item >= archive_entry_count(mount->storage)) {
        return false;
    }
    bool is_directory = archive_is_directory(mount->storage, (uint32_t)item);
    *out_node =
        (vfs_node){mount, (uintptr_t)item, is_directory ? VFS_TYPE_DIRECTORY : VFS_TYPE_FILE};
    return true;
}

/* In the memory of an overlay. out_node: held, as nothing else of it is. */
static bool find_in_overlay(reader *from, uint64_t item, vfs_node *out_node)
{
    const stored_tree *tree = &from->trees[0];
    uint64_t place;
    if (!take(from, &place) || place >= from->overlay_count) {
        return false;
    }
    const uint32_t source = from->overlays[place];
    vfs_mount *mount = &from->files->added_mounts[source];
    vfs_node node;
    if (!find_node(tree, mount, item, &node) ||
        vfs_overlay_node(from->files->overlays[source], tree->nodes[item], &node.item) != VFS_OK) {
        return false;
    }
    *out_node = node;
    return true;
}

static bool find_file(reader *from, uint64_t kind, uint64_t item, vfs_node *out_node)
{
    vfs *files = from->files;
    switch (kind) {
    case STORE_DATA:
    case STORE_TMP:
        return find_own(from, kind == STORE_DATA ? PLACE_DATA : PLACE_TMP, item, out_node);
    case STORE_OVERLAY:
        return find_in_overlay(from, item, out_node);
    case STORE_STDLIB:
        return find_entry(from, PLACE_STDLIB, item, out_node);
    case STORE_PACKAGES:
        return find_entry(from, PLACE_SITE_PACKAGES, item, out_node);
    case STORE_PLACE:
        if (item >= PLACE_COUNT) {
            return false;
        }
        *out_node =
            (vfs_node){&files->system, (uintptr_t)item,
                       item >= PLACE_DEV_NULL ? VFS_TYPE_CHARACTER_DEVICE : VFS_TYPE_DIRECTORY};
        return true;
    default:
        return false;
    }
}

static bool find_in_storage(reader *from, uint64_t item, vfs_node *out_node)
{
    uint64_t tree;
    return take(from, &tree) && tree > 0 && tree < from->tree_count &&
           find_node(&from->trees[tree], from->trees[tree].mount, item, out_node);
}

static bool kind_is_known(uint64_t kind)
{
    switch (kind) {
    case HANDLE_FREE:
    case HANDLE_POLLABLE_READY:
    case HANDLE_POLLABLE_TIMER:
    case HANDLE_IO_ERROR:
    case HANDLE_DESCRIPTOR:
    case HANDLE_DIRECTORY_STREAM:
    case HANDLE_FILE_INPUT:
    case HANDLE_FILE_OUTPUT:
    case HANDLE_FILE_APPEND:
    case HANDLE_TCP_SOCKET:
    case HANDLE_TCP_INPUT:
    case HANDLE_TCP_OUTPUT:
    case HANDLE_POLLABLE_TCP:
    case HANDLE_LOOKUP:
    case HANDLE_POLLABLE_LOOKUP:
        return true;
    default:
        return false;
    }
}

/* Nothing that vfs_open() would not give: what is open is taken at its word afterwards. */
static bool may_be_open(const vfs_node *node, uint64_t kind, uint64_t flags)
{
    bool is_directory = node->type == VFS_TYPE_DIRECTORY;
    bool writes = (flags & VFS_OPEN_WRITE) != 0;
    return node->type != VFS_TYPE_SYMBOLIC_LINK && node->type != VFS_TYPE_UNKNOWN &&
           (kind != HANDLE_DIRECTORY_STREAM || is_directory) &&
           (!writes || (!is_directory && node->mount->backend->write != NULL));
}

static bool read_handle(reader *from, handle *out_handle)
{
    uint64_t kind;
    uint64_t file;
    uint64_t item;
    uint64_t flags;
    handle taken = {0};
    if (!take(from, &kind) || !take(from, &taken.value) || !take(from, &file) ||
        !kind_is_known(kind) || handle_takes_file((handle_kind)kind) != (file != STORE_NO_FILE)) {
        return false;
    }
    taken.kind = (handle_kind)kind;
    if (file != STORE_NO_FILE) {
        vfs_node node;
        vfs_file *open;
        if (!take(from, &item) || !take(from, &flags) ||
            (flags & ~(uint64_t)(VFS_OPEN_READ | VFS_OPEN_WRITE)) != 0) {
            return false;
        }
        bool found = file == STORE_STORAGE ? find_in_storage(from, item, &node)
                                           : find_file(from, file, item, &node);
        if (!found) {
            return false;
        }
        const bool done = may_be_open(&node, kind, flags) &&
                          vfs_file_create(from->files, node, (uint32_t)flags, &open) == VFS_OK;
        if (file == STORE_OVERLAY) {
            vfs_node_release(node);
        }
        if (!done) {
            return false;
        }
        taken.object = open;
    }
    *out_handle = taken;
    return true;
}

static bool read_handles(reader *from, handle_table *handles)
{
    uint64_t count;
    if (!take(from, &count) || count > from->size / 8 || count > handles_most(handles)) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    handles->dynamic = calloc((size_t)count, sizeof *handles->dynamic);
    if (handles->dynamic == NULL) {
        return false;
    }
    handles->capacity = (uint32_t)count;
    for (uint32_t i = 0; i < (uint32_t)count; i++) {
        handle *slot = &handles->dynamic[i];
        if (!read_handle(from, slot)) {
            return false;
        }
        handles->used = i + 1;
        if (slot->kind == HANDLE_FREE) {
            slot->next_free = handles->first_free;
            handles->first_free = i + 1;
        } else {
            handles->live++;
            handles->sockets += handle_is_socket(slot->kind) ? 1 : 0;
        }
    }
    return true;
}

/* Frees nodes that have got neither a name nor a handle. A directory without a name is empty, since
 * names can only be added to one that has one. */
static void free_rest(const stored_tree *tree)
{
    for (uint64_t i = tree->root_count; tree->nodes != NULL && i < tree->count; i++) {
        memory_node *node = tree->nodes[i];
        if (node != NULL && node->links == 0 && node->references == 0) {
            memory_node_free(node);
        }
    }
    free(tree->nodes);
}

static void free_trees(reader *from)
{
    for (uint64_t i = 0; i < from->tree_count; i++) {
        free_rest(&from->trees[i]);
    }
    free(from->trees);
    free(from->roots);
    free(from->overlays);
}

/* Lets a new storage with the same quota stand in for the one that is mounted at a path. */
static bool stand_in(reader *from, const uint8_t *path, uint64_t length, stored_tree *tree,
                     memory_node **root)
{
    vfs *files = from->files;
    char found[VFS_PATH_MAX + 1];
    uint32_t source = 0;
    uint32_t count = files->added != NULL ? files->added->source_count : 0;
    for (; source < count; source++) {
        const vfs_source *place = &files->added->sources[source];
        if (place->storage != NULL && !place->read_only &&
            vfs_source_path(files->added, source, found) == length &&
            memcmp(found, path, (size_t)length) == 0) {
            break;
        }
    }
    if (source == count) {
        from->missing_kind = "a storage";
        from->missing = path;
        from->missing_length = length;
        return false;
    }
    if (files->stand_ins != NULL && files->stand_ins[source] != NULL) {
        return false;
    }
    eryx_storage *made;
    if (storage_create_like(files->added->sources[source].storage, &made) != ERYX_FILE_OK) {
        return false;
    }
    vfs_error error = vfs_stand_in(files, source, made);
    eryx_storage_destroy(made); /* the tree has it */
    *tree = (stored_tree){
        .tree = &made->tree, .mount = &files->added_mounts[source], .root = root, .root_count = 1};
    *root = &made->root;
    return error == VFS_OK;
}

/* Reads a tree into from->tree. */
static bool read_tree(reader *from, bool is_first)
{
    uint64_t length;
    const uint8_t *path;
    uint64_t last_number;
    uint64_t count;
    if (!take(from, &length) || length > VFS_PATH_MAX || !take_bytes(from, length, &path) ||
        (length == 0) != is_first) {
        return false;
    }
    vfs *files = from->files;
    memory_node *root; /* read no later than the nodes */
    if (is_first) {
        *from->tree = (stored_tree){.tree = &files->memory,
                                    .root = from->roots,
                                    .root_count = OWN_ROOTS + from->overlay_count};
    } else if (!stand_in(from, path, length, from->tree, &root)) {
        return false;
    }
    if (!take(from, &last_number) || !take(from, &count) || count < from->tree->root_count ||
        count > from->size / 8 || last_number >= (uint64_t)1 << 47) {
        return false;
    }
    from->tree->nodes = calloc((size_t)count, sizeof(memory_node *));
    if (from->tree->nodes == NULL) {
        return false;
    }
    from->tree->count = count;
    return read_nodes(from, last_number);
}

/* The overlay that is mounted at a path; false if there is none, or another one has it. */
static bool find_overlay(const reader *from, const uint8_t *path, uint64_t length,
                         uint32_t *out_source)
{
    const vfs *files = from->files;
    char found[VFS_PATH_MAX + 1];
    for (uint32_t i = 0; files->overlays != NULL && i < files->added->source_count; i++) {
        if (files->overlays[i] != NULL && vfs_source_path(files->added, i, found) == length &&
            memcmp(found, path, (size_t)length) == 0) {
            for (uint64_t k = 0; k < from->overlay_count; k++) {
                if (from->overlays[k] == i) {
                    return false;
                }
            }
            *out_source = i;
            return true;
        }
    }
    return false;
}

/* Finds the roots of the own tree. */
static bool read_roots(reader *from)
{
    vfs *files = from->files;
    const uint64_t most = files->added != NULL ? files->added->source_count : 0;
    uint64_t count;
    if (!take(from, &count) || count > from->size / 8) {
        return false;
    }
    from->roots = calloc((size_t)most + OWN_ROOTS, sizeof(memory_node *));
    from->overlays = calloc((size_t)most + 1, sizeof *from->overlays);
    if (from->roots == NULL || from->overlays == NULL) {
        return false;
    }
    from->roots[0] = &files->data;
    from->roots[1] = &files->tmp;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t length;
        const uint8_t *path;
        uint32_t source;
        if (!take(from, &length) || length > VFS_PATH_MAX || !take_bytes(from, length, &path)) {
            return false;
        }
        if (!find_overlay(from, path, length, &source)) {
            from->missing_kind = "an overlay";
            from->missing = path;
            from->missing_length = length;
            return false;
        }
        from->roots[2 + i] = vfs_overlay_memory(files->overlays[source]);
        from->overlays[i] = source;
        from->overlay_count = i + 1;
    }
    return true;
}

static bool read_all(reader *from, bool include_storages, handle_table *handles)
{
    uint64_t count;
    if (!read_roots(from)) {
        return false;
    }
    uint64_t most = include_storages && from->files->added != NULL
                        ? (uint64_t)from->files->added->source_count + 1
                        : 1;
    if (!take(from, &count) || count == 0 || count > from->size / 8) {
        return false;
    }
    /* One more than there can be, for the name of the first that is too many. */
    most = include_storages && count > most ? most + 1 : most;
    if (count > most && !include_storages) {
        return false;
    }
    from->trees = calloc((size_t)most, sizeof *from->trees);
    if (from->trees == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (i == most) {
            return false;
        }
        from->tree = &from->trees[i];
        from->tree_count = i + 1;
        if (!read_tree(from, i == 0)) {
            return false;
        }
    }
    return read_handles(from, handles) && from->size == 0;
}

eryx_status live_store_read(const live_bytes *bytes, const archive *stdlib, vfs_mounts *mounts,
                            const vfs_quota *quota, bool include_storages, vfs **out_files,
                            handle_table *handles, eryx_error *out_error)
{
    reader from = {.data = bytes->data, .size = bytes->size};
    if (vfs_create(stdlib, quota, &from.files) != VFS_OK) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    if (vfs_use_mounts(from.files, mounts) != VFS_OK) {
        vfs_destroy(from.files);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    bool done = read_all(&from, include_storages, handles);
    free_trees(&from);
    if (!done) {
        handles_clear(handles);
        vfs_destroy(from.files);
        if (from.missing != NULL) {
            return status_fail(ERYX_INITIALIZATION, out_error,
                               "it has the files of %s at %.*s, where there is none now",
                               from.missing_kind, (int)from.missing_length,
                               (const char *)from.missing);
        }
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "its files are damaged, or more than the limits allow");
    }
    handles->fixed[HANDLE_ROOT].object = vfs_root(from.files);
    *out_files = from.files;
    return ERYX_OK;
}
