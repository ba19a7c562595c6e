#include <stdlib.h>
#include <string.h>

#include "live_store.h"
#include "live_store_format.h"
#include "status.h"
#include "vfs_internal.h"

enum { ROOTS = 2 };

typedef struct reader {
    const uint8_t *data;
    size_t size;
    vfs *files;
    const archive *stdlib;
    memory_node **nodes;
    uint64_t count;
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

static bool name_is_plain(const char *name, size_t length)
{
    return length > 0 && length <= VFS_NAME_MAX && memchr(name, '/', length) == NULL &&
           memchr(name, 0, length) == NULL && !(length == 1 && name[0] == '.') &&
           !(length == 2 && name[0] == '.' && name[1] == '.');
}

/* Gives the nodes of the entries of a directory their names. */
static bool read_directory(reader *from, uint64_t number)
{
    memory_node *directory = from->nodes[number];
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
            cursor > last_cursor || child < ROOTS || child >= from->count ||
            !name_is_plain((const char *)name, (size_t)length)) {
            return false;
        }
        memory_node *node = from->nodes[child];
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
    vfs_time accessed;
    vfs_time modified;
    vfs_time changed;
} node_head;

static bool take_head(reader *from, node_head *out_head)
{
    return take(from, &out_head->type) && take(from, &out_head->number) &&
           take_time(from, &out_head->accessed) && take_time(from, &out_head->modified) &&
           take_time(from, &out_head->changed);
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
        if (first == 0 || first > VFS_PATH_MAX || !take_bytes(from, first, &target)) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (number < ROOTS) {
        from->nodes[number] = number == 0 ? &from->files->data : &from->files->tmp;
        return type == VFS_TYPE_DIRECTORY;
    }
    return memory_node_create(&from->files->memory, type, (const char *)target,
                              target != NULL ? (size_t)first : 0, &from->nodes[number]) == VFS_OK;
}

static bool fill_node(reader *from, uint64_t number)
{
    node_head head;
    uint64_t length;
    memory_node *node = from->nodes[number];
    if (!take_head(from, &head)) {
        return false;
    }
    bool done = node->type == VFS_TYPE_FILE        ? read_file(from, node)
                : node->type == VFS_TYPE_DIRECTORY ? read_directory(from, number)
                                                   : take(from, &length) && skip(from, length);
    node->number = head.number;
    return done;
}

/* After all names are there, since giving a name sets times. */
static bool set_times(reader *from)
{
    for (uint64_t i = 0; i < from->count; i++) {
        node_head head;
        uint64_t first;
        uint64_t count;
        memory_node *node = from->nodes[i];
        if (!take_head(from, &head) || !take(from, &first)) {
            return false;
        }
        bool done = node->type == VFS_TYPE_SYMBOLIC_LINK
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
    for (uint64_t i = 0; i < from->count; i++) {
        if (!make_node(from, i)) {
            return false;
        }
    }
    from->data = begin.data;
    from->size = begin.size;
    for (uint64_t i = 0; i < from->count; i++) {
        if (!fill_node(from, i) || from->nodes[i]->number > last_number) {
            return false;
        }
    }
    from->data = begin.data;
    from->size = begin.size;
    from->files->memory.last_number = last_number;
    return set_times(from);
}

static bool find_node(reader *from, vfs_place place, uint64_t item, vfs_node *out_node)
{
    vfs_mount *mount = &from->files->mounts[place];
    /* A storage of the sandbox may be mounted there. */
    if (item >= from->count || mount->backend != &vfs_memory_backend ||
        mount->storage != &from->files->memory) {
        return false;
    }
    memory_node *node = from->nodes[item];
    if (node->links == 0 && !node->nameless) {
        node->nameless = true;
        from->files->memory.used.entries++;
    }
    *out_node = (vfs_node){mount, (uintptr_t)node, node->type};
    return true;
}

static bool find_file(reader *from, uint64_t kind, uint64_t item, vfs_node *out_node)
{
    vfs *files = from->files;
    switch (kind) {
    case STORE_DATA:
    case STORE_TMP:
        return find_node(from, kind == STORE_DATA ? PLACE_DATA : PLACE_TMP, item, out_node);
    case STORE_STDLIB:
        if (from->stdlib == NULL || item >= archive_entry_count(from->stdlib)) {
            return false;
        }
        *out_node =
            (vfs_node){&files->mounts[PLACE_STDLIB], (uintptr_t)item,
                       archive_is_directory(from->stdlib, (uint32_t)item) ? VFS_TYPE_DIRECTORY
                                                                          : VFS_TYPE_FILE};
        return true;
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
        return true;
    default:
        return false;
    }
}

static bool read_handle(reader *from, handle *out_handle)
{
    uint64_t kind;
    uint64_t file;
    uint64_t item;
    uint64_t flags;
    handle taken = {0};
    if (!take(from, &kind) || !take(from, &taken.value) || !take(from, &file) ||
        !kind_is_known(kind) ||
        live_handle_takes_file((handle_kind)kind) != (file != STORE_NO_FILE)) {
        return false;
    }
    taken.kind = (handle_kind)kind;
    if (file != STORE_NO_FILE) {
        vfs_node node;
        vfs_file *open;
        if (!take(from, &item) || !take(from, &flags) ||
            (flags & ~(uint64_t)(VFS_OPEN_READ | VFS_OPEN_WRITE)) != 0 ||
            !find_file(from, file, item, &node)) {
            return false;
        }
        if ((flags & VFS_OPEN_WRITE) != 0 && node.mount->backend->write == NULL) {
            return false;
        }
        if (vfs_file_create(from->files, node, (uint32_t)flags, &open) != VFS_OK) {
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
    if (!take(from, &count) || count > from->size / 8 || count > handles->limit + HANDLE_RESERVE) {
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
        }
    }
    return true;
}

/* Frees nodes that have got neither a name nor a handle. A directory without a name is empty, since
 * names can only be added to one that has one. */
static void free_rest(const reader *from)
{
    for (uint64_t i = ROOTS; i < from->count; i++) {
        memory_node *node = from->nodes[i];
        if (node != NULL && node->links == 0 && node->references == 0) {
            memory_node_free(node);
        }
    }
}

static bool read_all(reader *from, handle_table *handles)
{
    uint64_t last_number;
    if (!take(from, &last_number) || !take(from, &from->count) || from->count < ROOTS ||
        from->count > from->size / 8 || last_number >= (uint64_t)1 << 47) {
        from->count = 0;
        return false;
    }
    from->nodes = calloc((size_t)from->count, sizeof(memory_node *));
    if (from->nodes == NULL) {
        from->count = 0;
        return false;
    }
    return read_nodes(from, last_number) && read_handles(from, handles) && from->size == 0;
}

eryx_status live_store_read(const live_bytes *bytes, const archive *stdlib, vfs_mounts *mounts,
                            const vfs_quota *quota, vfs **out_files, handle_table *handles,
                            eryx_error *out_error)
{
    reader from = {.data = bytes->data, .size = bytes->size, .stdlib = stdlib};
    if (vfs_create(stdlib, quota, &from.files) != VFS_OK) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    if (vfs_use_mounts(from.files, mounts) != VFS_OK) {
        vfs_destroy(from.files);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    bool done = read_all(&from, handles);
    free_rest(&from);
    free(from.nodes);
    if (!done) {
        handles_clear(handles);
        vfs_destroy(from.files);
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "its files are damaged, or more than the limits allow");
    }
    handles->fixed[HANDLE_ROOT].object = vfs_root(from.files);
    *out_files = from.files;
    return ERYX_OK;
}
