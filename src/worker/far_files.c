#include "worker/far_files.h"

#include <stdlib.h>
#include <string.h>

/* One entry of a directory that came with others. */
typedef struct far_entry {
    uint64_t cursor; /* after it */
    vfs_type type;
    uint32_t name_length;
    const char *name; /* in the bytes of the list */
} far_entry;

/* A part of a directory, kept until it has been gone through. */
typedef struct far_list {
    uint64_t cursor; /* before the first */
    uint32_t count;
    bool is_last;
    uint8_t *bytes;
    far_entry entries[];
} far_list;

typedef struct far_node {
    size_t references;
    far_files *files;
    uint32_t number; /* that the parent knows it by */
    uint32_t given;  /* times that the parent has told of it */
    vfs_type type;
    far_list *list; /* of a directory; NULL for none */
    size_t target_length;
    char *target; /* of a link */
} far_node;

struct far_files {
    size_t references;
    asking *asks;
    far_node **nodes; /* by number; NULL for those that are not here */
    size_t capacity;
};

typedef struct far_volume {
    host_volume shown; /* first */
    far_node *root;
    far_files *files; /* counted */
} far_volume;

static far_node *node_of(vfs_node node)
{
    return (far_node *)node.item;
}

static vfs_type type_of(uint32_t number)
{
    return number == VFS_TYPE_DIRECTORY || number == VFS_TYPE_FILE ||
                   number == VFS_TYPE_SYMBOLIC_LINK
               ? (vfs_type)number
               : VFS_TYPE_UNKNOWN;
}

/* ---- Files ------------------------------------------------------------------------------------
 */

far_files *far_files_create(asking *asks)
{
    far_files *files = calloc(1, sizeof *files);
    if (files != NULL) {
        *files = (far_files){.references = 1, .asks = asking_retain(asks)};
    }
    return files;
}

void far_files_release(far_files *files)
{
    if (files != NULL && --files->references == 0) {
        asking_release(files->asks);
        free(files->nodes);
        free(files);
    }
}

/* ---- Nodes ------------------------------------------------------------------------------------
 */

static void drop_list(far_node *node)
{
    if (node->list != NULL) {
        free(node->list->bytes);
        free(node->list);
        node->list = NULL;
    }
}

static void release_node(far_node *node)
{
    if (--node->references > 0) {
        return;
    }
    far_files *files = node->files;
    message_writer *writer = asking_begin(files->asks, SERVICE_RELEASE);
    message_put_u32(writer, node->number);
    message_put_u32(writer, node->given);
    asking_leave(files->asks);
    files->nodes[node->number] = NULL;
    drop_list(node);
    free(node->target);
    free(node);
}

static bool make_room(far_files *files, uint32_t number)
{
    if (number < files->capacity) {
        return true;
    }
    const size_t capacity = ((size_t)number + 1) * 2;
    far_node **grown = realloc(files->nodes, capacity * sizeof(far_node *));
    if (grown == NULL) {
        return false;
    }
    memset(grown + files->capacity, 0, (capacity - files->capacity) * sizeof(far_node *));
    files->nodes = grown;
    files->capacity = capacity;
    return true;
}

/* The node of that number, held once more; NULL without memory. */
static far_node *node_at(far_files *files, uint32_t number, vfs_type type, eryx_bytes target)
{
    if (number > UINT32_MAX / 4 || !make_room(files, number)) {
        return NULL;
    }
    far_node *node = files->nodes[number];
    if (node == NULL) {
        node = calloc(1, sizeof *node);
        char *copy = target.size > 0 ? malloc(target.size) : NULL;
        if (node == NULL || (copy == NULL && target.size > 0)) {
            free(node);
            free(copy);
            return NULL;
        }
        *node = (far_node){.files = files,
                           .number = number,
                           .type = type,
                           .target = copy,
                           .target_length = target.size};
        if (target.size > 0) {
            memcpy(copy, target.data, target.size);
        }
        files->nodes[number] = node;
    }
    node->references++;
    node->given++;
    return node;
}

static void retain(vfs_node node)
{
    node_of(node)->references++;
}

static void release(vfs_node node)
{
    release_node(node_of(node));
}

/* ---- Asking -----------------------------------------------------------------------------------
 */

/* Says what time it is, if the guest has a clock of its own. */
static void tell_clock(asking *asks)
{
    uint64_t now_ns;
    if (memory_has_own_clock(&now_ns)) {
        message_put_u64(asking_begin(asks, SERVICE_CLOCK), now_ns);
        asking_leave(asks);
    }
}

static message_writer *ask(const far_node *node, service_kind kind)
{
    tell_clock(node->files->asks);
    message_writer *writer = asking_begin(node->files->asks, kind);
    message_put_u32(writer, node->number);
    return writer;
}

/* Sends a question. The reader is behind the error of its answer. */
static vfs_error get(const far_node *node, message_reader *out_reader)
{
    if (!asking_get(node->files->asks, out_reader)) {
        return VFS_IO;
    }
    const uint8_t error = message_get_u8(out_reader);
    return out_reader->is_bad ? VFS_IO : (vfs_error)((int)error - 1);
}

/* Sends one that has no more to tell than how it went. */
static vfs_error get_done(const far_node *node)
{
    message_reader reader;
    return get(node, &reader);
}

/* Sends one that is answered with a node of the same mount. */
static vfs_error get_node(vfs_node directory, vfs_node *out_node)
{
    message_reader reader;
    vfs_error error = get(node_of(directory), &reader);
    if (error != VFS_OK) {
        return error;
    }
    const uint32_t number = message_get_u32(&reader);
    const vfs_type type = type_of(message_get_u32(&reader));
    const eryx_bytes target = message_get_bytes(&reader, VFS_PATH_MAX);
    if (!message_is_whole(&reader)) {
        return VFS_IO;
    }
    far_node *node = node_at(node_of(directory)->files, number, type, target);
    if (node == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    *out_node = (vfs_node){.mount = directory.mount, .item = (uintptr_t)node, .type = node->type};
    return VFS_OK;
}

static eryx_bytes bytes_of(const char *text, size_t length)
{
    return (eryx_bytes){(const uint8_t *)text, length};
}

static vfs_error find(vfs_node directory, const char *name, size_t length, vfs_node *out_node)
{
    message_put_bytes(ask(node_of(directory), SERVICE_FIND), bytes_of(name, length));
    return get_node(directory, out_node);
}

static vfs_error parent(vfs_node directory, vfs_node *out_node)
{
    if (directory.item == directory.mount->root) {
        *out_node = vfs_node_retain(directory.mount->above);
        return VFS_OK;
    }
    (void)ask(node_of(directory), SERVICE_PARENT);
    return get_node(directory, out_node);
}

static const char *link_target(vfs_node node, size_t *out_length)
{
    *out_length = node_of(node)->target_length;
    return node_of(node)->target;
}

/* ---- What it is -------------------------------------------------------------------------------
 */

static vfs_time get_time(message_reader *reader)
{
    vfs_time time;
    time.seconds = message_get_u64(reader);
    time.nanoseconds = message_get_u32(reader) % 1000000000;
    return time;
}

static void stat_node(vfs_node node, vfs_status *out_status)
{
    message_reader reader;
    *out_status = (vfs_status){.type = node.type, .mode = vfs_usual_mode(node.type)};
    (void)ask(node_of(node), SERVICE_STAT);
    if (get(node_of(node), &reader) != VFS_OK) {
        return;
    }
    vfs_status told = {.type = node.type};
    told.mode = (uint16_t)(message_get_u32(&reader) & VFS_MODE_MASK);
    told.links = message_get_u64(&reader);
    told.size = message_get_u64(&reader);
    told.identity = vfs_identity(node.mount, message_get_u64(&reader) & ((UINT64_C(1) << 48) - 1));
    told.accessed = get_time(&reader);
    told.modified = get_time(&reader);
    told.changed = get_time(&reader);
    if (message_is_whole(&reader)) {
        *out_status = told;
    }
}

static void put_time(message_writer *writer, const vfs_new_time *time)
{
    message_put_u32(writer, (uint32_t)time->kind);
    message_put_u64(writer, time->time.seconds);
    message_put_u32(writer, time->time.nanoseconds);
}

static vfs_error set_times(vfs_node node, const vfs_new_time *accessed,
                           const vfs_new_time *modified)
{
    message_writer *writer = ask(node_of(node), SERVICE_SET_TIMES);
    put_time(writer, accessed);
    put_time(writer, modified);
    return get_done(node_of(node));
}

static vfs_error set_mode(vfs_node node, uint16_t mode)
{
    message_put_u32(ask(node_of(node), SERVICE_SET_MODE), mode);
    return get_done(node_of(node));
}

/* ---- Listing ----------------------------------------------------------------------------------
 */

/* Takes the next part of a directory over. */
static vfs_error take_list(far_node *node, uint64_t cursor, message_reader *reader)
{
    const bool is_last = message_get_bool(reader);
    const uint32_t count = message_get_u32(reader);
    if (reader->is_bad || count > SERVICE_ENTRIES_MAX) {
        return VFS_IO;
    }
    far_list *list = malloc(sizeof *list + count * sizeof(far_entry));
    uint8_t *bytes = malloc(reader->left + 1);
    if (list == NULL || bytes == NULL) {
        free(list);
        free(bytes);
        return VFS_INSUFFICIENT_MEMORY;
    }
    memcpy(bytes, reader->at, reader->left);
    reader->at = bytes;
    *list = (far_list){.cursor = cursor, .count = count, .is_last = is_last, .bytes = bytes};
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t after = message_get_u64(reader);
        const vfs_type type = type_of(message_get_u32(reader));
        const eryx_bytes name = message_get_bytes(reader, VFS_NAME_MAX);
        reader->is_bad = reader->is_bad || name.size == 0;
        list->entries[i] = (far_entry){.cursor = after,
                                       .type = type,
                                       .name_length = (uint32_t)name.size,
                                       .name = (const char *)name.data};
    }
    node->list = list;
    if (!message_is_whole(reader)) {
        drop_list(node);
        return VFS_IO;
    }
    return VFS_OK;
}

/* The entry behind a cursor in what is here; false if it is not here. */
static bool find_entry(const far_list *list, uint64_t cursor, uint32_t *out_index)
{
    uint64_t before = list->cursor;
    for (uint32_t i = 0; i < list->count; i++) {
        if (before == cursor) {
            *out_index = i;
            return true;
        }
        before = list->entries[i].cursor;
    }
    *out_index = list->count;
    return before == cursor && list->is_last;
}

static vfs_error list(vfs_node directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                      bool *out_found)
{
    far_node *node = node_of(directory);
    uint32_t index = 0;
    if (*cursor == 0 || node->list == NULL || !find_entry(node->list, *cursor, &index)) {
        message_reader reader;
        drop_list(node);
        message_put_u64(ask(node, SERVICE_LIST), *cursor);
        vfs_error error = get(node, &reader);
        if (error == VFS_OK) {
            error = take_list(node, *cursor, &reader);
        }
        if (error != VFS_OK) {
            return error;
        }
        index = 0;
    }
    *out_found = index < node->list->count;
    if (*out_found) {
        const far_entry *entry = &node->list->entries[index];
        out_entry->type = entry->type;
        out_entry->name_length = entry->name_length;
        memcpy(out_entry->name, entry->name, entry->name_length);
        *cursor = entry->cursor;
    }
    return VFS_OK;
}

/* ---- Contents ---------------------------------------------------------------------------------
 */

static vfs_error open_node(vfs_node node, uint32_t flags)
{
    message_put_u32(ask(node_of(node), SERVICE_OPEN), flags);
    return get_done(node_of(node));
}

static vfs_error read_node(vfs_node node, uint64_t offset, uint8_t *buffer, size_t size,
                           size_t *out_got)
{
    size_t done = 0;
    while (done < size) {
        const size_t wanted = size - done < SERVICE_DATA_MAX ? size - done : SERVICE_DATA_MAX;
        message_reader reader;
        message_writer *writer = ask(node_of(node), SERVICE_READ);
        message_put_u64(writer, offset + done);
        message_put_u32(writer, (uint32_t)wanted);
        vfs_error error = get(node_of(node), &reader);
        const eryx_bytes bytes = message_get_bytes(&reader, wanted);
        if (error == VFS_OK && !message_is_whole(&reader)) {
            error = VFS_IO;
        }
        if (error != VFS_OK && done == 0) {
            return error;
        }
        if (error != VFS_OK || bytes.size == 0) {
            break;
        }
        memcpy(buffer + done, bytes.data, bytes.size);
        done += bytes.size;
        if (bytes.size < wanted) {
            break; /* there the file ended; what it has now is for another look */
        }
    }
    *out_got = done;
    return VFS_OK;
}

static vfs_error write_node(vfs_node node, uint64_t offset, const uint8_t *data, size_t size,
                            size_t *out_done)
{
    size_t done = 0;
    do {
        const size_t part = size - done < SERVICE_DATA_MAX ? size - done : SERVICE_DATA_MAX;
        message_reader reader;
        message_writer *writer = ask(node_of(node), SERVICE_WRITE);
        message_put_u64(writer, offset == VFS_OFFSET_END ? offset : offset + done);
        message_put_bytes(writer, (eryx_bytes){data + done, part});
        vfs_error error = get(node_of(node), &reader);
        const uint32_t taken = message_get_u32(&reader);
        if (error == VFS_OK && (!message_is_whole(&reader) || taken > part)) {
            error = VFS_IO;
        }
        if (error != VFS_OK && done == 0) {
            return error;
        }
        if (error != VFS_OK) {
            break;
        }
        done += taken;
        if (taken < part) {
            break;
        }
    } while (done < size);
    *out_done = done;
    return VFS_OK;
}

static vfs_error set_size(vfs_node node, uint64_t size)
{
    message_put_u64(ask(node_of(node), SERVICE_SET_SIZE), size);
    return get_done(node_of(node));
}

/* ---- Names ------------------------------------------------------------------------------------
 */

static message_writer *ask_about_name(vfs_node directory, service_kind kind, const char *name,
                                      size_t length)
{
    /* What was listed is not so any more. */
    drop_list(node_of(directory));
    message_writer *writer = ask(node_of(directory), kind);
    message_put_bytes(writer, bytes_of(name, length));
    return writer;
}

static vfs_error make(vfs_node directory, const char *name, size_t length, vfs_type type,
                      const char *target, size_t target_length, vfs_node *out_node)
{
    message_writer *writer = ask_about_name(directory, SERVICE_MAKE, name, length);
    message_put_u32(writer, (uint32_t)type);
    message_put_bytes(writer, bytes_of(target, target_length));
    return get_node(directory, out_node);
}

static vfs_error link_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    message_put_u32(ask_about_name(directory, SERVICE_LINK, name, length), node_of(node)->number);
    return get_done(node_of(directory));
}

static vfs_error remove_node(vfs_node directory, const char *name, size_t length, vfs_node node)
{
    message_put_u32(ask_about_name(directory, SERVICE_REMOVE, name, length), node_of(node)->number);
    return get_done(node_of(directory));
}

static vfs_error rename_node(vfs_node old_directory, const char *old_name, size_t old_length,
                             vfs_node node, vfs_node new_directory, const char *new_name,
                             size_t new_length, const vfs_node *replaced)
{
    drop_list(node_of(new_directory));
    message_writer *writer = ask_about_name(old_directory, SERVICE_RENAME, old_name, old_length);
    message_put_u32(writer, node_of(node)->number);
    message_put_u32(writer, node_of(new_directory)->number);
    message_put_bytes(writer, bytes_of(new_name, new_length));
    message_put_u8(writer, replaced != NULL);
    message_put_u32(writer, replaced != NULL ? node_of(*replaced)->number : 0);
    return get_done(node_of(old_directory));
}

/* set_mode_or_not: NULL where modes are not for a guest to change. */
#define FAR_BACKEND(steps, set_mode_or_not)                                                        \
    {.retain = retain,                                                                             \
     .release = release,                                                                           \
     .find = find,                                                                                 \
     .find_steps = (steps),                                                                        \
     .parent = parent,                                                                             \
     .stat = stat_node,                                                                            \
     .list = list,                                                                                 \
     .read = read_node,                                                                            \
     .link_target = link_target,                                                                   \
     .write = write_node,                                                                          \
     .set_size = set_size,                                                                         \
     .open = open_node,                                                                            \
     .set_times = set_times,                                                                       \
     .set_mode = (set_mode_or_not),                                                                \
     .make = make,                                                                                 \
     .link = link_node,                                                                            \
     .remove = remove_node,                                                                        \
     .rename = rename_node}

static const vfs_backend volume_backend = FAR_BACKEND(15, NULL);
static const vfs_backend storage_backend_of_parent = FAR_BACKEND(1, set_mode);

/* ---- Volumes ----------------------------------------------------------------------------------
 */

static void close_volume(host_volume *shown)
{
    far_volume *volume = (far_volume *)shown;
    drop_list(volume->root);
    volume->files->nodes[volume->root->number] = NULL;
    free(volume->root);
    far_files_release(volume->files);
    free(volume);
}

host_volume *far_volume_create(far_files *files, const far_volume_options *options)
{
    const eryx_bytes none = {.data = NULL, .size = 0};
    far_volume *volume = calloc(1, sizeof *volume);
    far_node *root = node_at(files, options->number, options->root_type, none);
    if (volume == NULL || root == NULL || options->storage > options->number) {
        free(volume);
        return NULL;
    }
    files->references++;
    volume->files = files;
    volume->root = root;
    volume->shown = (host_volume){
        .mount = {.backend = options->is_storage ? &storage_backend_of_parent : &volume_backend,
                  .storage = files->nodes[options->storage], /* only to be compared */
                  .root = (uintptr_t)root,
                  .root_type = root->type,
                  .confines_links = !options->is_storage},
        .close = close_volume};
    return &volume->shown;
}
