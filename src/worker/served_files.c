#include "worker/served_files_internal.h"

#include <stdlib.h>
#include <string.h>

#include "vfs/storage.h"

/* Nodes that a worker may hold. Descriptors of volumes have their own limit. */
#define MOST_NODES ((uint32_t)65536)

/* ---- Making and freeing -----------------------------------------------------------------------
 */

static vfs_mount mount_of(const vfs_source *source)
{
    vfs_mount mount = {.backend = NULL};
    if (source->storage != NULL) {
        mount = storage_mount(source->storage);
    } else if (source->volume != NULL) {
        mount = host_volume_mount(source->volume);
    }
    mount.read_only = source->read_only || source->overlay;
    return mount;
}

served_files *served_files_create(vfs_mounts *mounts)
{
    served_files *files = calloc(1, sizeof *files);
    const uint32_t count = mounts->source_count;
    vfs_mount *roots = calloc(count + (size_t)1, sizeof *roots);
    served_node *nodes = calloc(count + (size_t)1, sizeof *nodes);
    if (files == NULL || roots == NULL || nodes == NULL) {
        free(files);
        free(roots);
        free(nodes);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        roots[i] = mount_of(&mounts->sources[i]);
        if (roots[i].backend != NULL) {
            /* Nothing is above: a question for that is one that the worker answers itself. */
            roots[i].above = (vfs_node){&roots[i], roots[i].root, roots[i].root_type};
            nodes[i].node = vfs_node_retain(roots[i].above);
            nodes[i].flags = VFS_OPEN_READ | (roots[i].read_only ? 0u : (uint32_t)VFS_OPEN_WRITE);
        }
    }
    *files = (served_files){.mounts = vfs_mounts_retain(mounts),
                            .roots = roots,
                            .nodes = nodes,
                            .count = count,
                            .capacity = count + 1};
    return files;
}

void served_files_destroy(served_files *files)
{
    if (files == NULL) {
        return;
    }
    served_locks_release(files);
    for (uint32_t i = 0; i < files->count; i++) {
        if (files->nodes[i].node.mount != NULL) {
            vfs_node_release(files->nodes[i].node);
        }
    }
    for (uint32_t i = 0; i < files->mounts->source_count; i++) {
        if (files->mounts->sources[i].storage != NULL) {
            storage_free_discards(files->mounts->sources[i].storage);
        }
    }
    vfs_mounts_release(files->mounts);
    free(files->roots);
    free(files->nodes);
    free(files->buffer);
    free(files);
}

static uint32_t first_with_storage(const served_files *files, uint32_t source)
{
    uint32_t first = 0;
    while (files->roots[first].storage != files->roots[source].storage) {
        first++;
    }
    return first;
}

void served_files_describe(const served_files *files, message_writer *writer)
{
    char path[VFS_PATH_MAX + 1];
    message_put_u32(writer, files->mounts->source_count);
    for (uint32_t i = 0; i < files->mounts->source_count; i++) {
        const vfs_source *source = &files->mounts->sources[i];
        vfs_source_path(files->mounts, i, path);
        message_put_text(writer, path);
        message_put_u32(writer, source->provided          ? SERVICE_PROVIDER
                                : source->overlay         ? SERVICE_OVERLAY
                                : source->storage != NULL ? SERVICE_STORAGE
                                                          : SERVICE_VOLUME);
        message_put_u8(writer, source->read_only);
        message_put_u32(writer,
                        source->provided ? source->provider : (uint32_t)files->roots[i].root_type);
        message_put_u32(writer, source->provided ? 0 : first_with_storage(files, i));
        message_put_u64(writer, source->cache_ns);
    }
}

/* ---- Nodes ------------------------------------------------------------------------------------
 */

/* A question that is being taken. */
typedef struct asked {
    served_files *files;
    message_reader reader;
    message_writer *writer;
    bool is_wrong; /* it names what was never given */
} asked;

/* The next node that it names; NULL, and it is wrong, if there is none. */
static served_node *take_node(asked *self)
{
    const uint32_t number = message_get_u32(&self->reader);
    const bool is_there = !self->reader.is_bad && number < self->files->count &&
                          self->files->nodes[number].node.mount != NULL;
    self->is_wrong = self->is_wrong || !is_there;
    return is_there ? &self->files->nodes[number] : NULL;
}

static served_node *take_directory(asked *self)
{
    served_node *found = take_node(self);
    if (found != NULL && found->node.type != VFS_TYPE_DIRECTORY) {
        self->is_wrong = true;
        found = NULL;
    }
    return found;
}

/* A plain name. */
static eryx_bytes take_name(asked *self)
{
    const eryx_bytes name = message_get_bytes(&self->reader, VFS_NAME_MAX);
    self->is_wrong = self->is_wrong || name.data == NULL ||
                     !vfs_name_is_plain((const char *)name.data, name.size);
    return name;
}

/* Whether all of it was there and made sense; the answer may be made then. */
static bool is_taken(asked *self)
{
    self->is_wrong = self->is_wrong || !message_is_whole(&self->reader);
    return !self->is_wrong;
}

static void answer_error(asked *self, vfs_error error)
{
    message_put_u8(self->writer, (uint8_t)(error + 1));
}

static void answer_nothing(asked *self)
{
    if (is_taken(self)) {
        answer_error(self, VFS_OK);
    }
}

static bool make_room(served_files *files)
{
    if (files->count < files->capacity) {
        return true;
    }
    const uint32_t capacity = files->capacity * 2;
    served_node *grown =
        capacity <= MOST_NODES ? realloc(files->nodes, capacity * sizeof *grown) : NULL;
    if (grown == NULL) {
        return false;
    }
    files->nodes = grown;
    files->capacity = capacity;
    return true;
}

/* The place of a node, which is taken over: the one that it has, so that the worker sees that two
 * are the same. False if there is no room. */
static bool add_node(served_files *files, vfs_node node, uint32_t flags, uint32_t *out_number)
{
    uint32_t place = files->count;
    for (uint32_t i = 0; i < files->count; i++) {
        if (files->nodes[i].node.mount != NULL && vfs_node_same(files->nodes[i].node, node) &&
            files->nodes[i].node.mount == node.mount) {
            vfs_node_release(node);
            files->nodes[i].given++;
            files->nodes[i].flags |= flags;
            *out_number = i;
            return true;
        }
        if (files->nodes[i].node.mount == NULL && place == files->count &&
            i >= files->mounts->source_count) {
            place = i;
        }
    }
    if (place == files->count) {
        if (!make_room(files)) {
            vfs_node_release(node);
            return false;
        }
        files->count++;
    }
    files->nodes[place] =
        (served_node){.node = node, .given = 1, .flags = flags, .serial = ++files->last_serial};
    *out_number = place;
    return true;
}

static void release(asked *self)
{
    const uint32_t number = message_get_u32(&self->reader);
    const uint32_t times = message_get_u32(&self->reader);
    served_files *files = self->files;
    if (!message_is_whole(&self->reader) || number >= files->count ||
        number < files->mounts->source_count || files->nodes[number].node.mount == NULL ||
        times > files->nodes[number].given || times == 0) {
        self->is_wrong = true;
        return;
    }
    files->nodes[number].given -= times;
    if (files->nodes[number].given == 0) {
        vfs_node_release(files->nodes[number].node);
        files->nodes[number] = (served_node){.given = 0};
        while (files->count > files->mounts->source_count &&
               files->nodes[files->count - 1].node.mount == NULL) {
            files->count--;
        }
    }
}

/* Answers with a node, which is taken over. */
static void answer_node(asked *self, vfs_node node, uint32_t flags)
{
    eryx_bytes target = {.data = NULL, .size = 0};
    uint32_t number;
    if (node.type == VFS_TYPE_SYMBOLIC_LINK) {
        target.data = (const uint8_t *)node.mount->backend->link_target(node, &target.size);
    }
    const vfs_type type = node.type;
    vfs_node_retain(node); /* for its target */
    if (add_node(self->files, node, flags, &number)) {
        answer_error(self, VFS_OK);
        message_put_u32(self->writer, number);
        message_put_u32(self->writer, (uint32_t)type);
        message_put_bytes(self->writer, target);
    } else {
        answer_error(self, VFS_QUOTA);
    }
    vfs_node_release(node);
}

/* ---- Looking ----------------------------------------------------------------------------------
 */

static void find(asked *self)
{
    served_node *directory = take_directory(self);
    const eryx_bytes name = take_name(self);
    vfs_node found;
    if (!is_taken(self)) {
        return;
    }
    const vfs_error error = directory->node.mount->backend->find(
        directory->node, (const char *)name.data, name.size, &found);
    if (error == VFS_OK) {
        answer_node(self, found, 0);
    } else {
        answer_error(self, error);
    }
}

static void find_parent(asked *self)
{
    served_node *directory = take_directory(self);
    vfs_node found;
    if (!is_taken(self)) {
        return;
    }
    vfs_error error = VFS_NOT_PERMITTED;
    if (directory->node.item != directory->node.mount->root) {
        error = directory->node.mount->backend->parent(directory->node, &found);
    }
    if (error == VFS_OK) {
        answer_node(self, found, 0);
    } else {
        answer_error(self, error);
    }
}

static void put_time(message_writer *writer, vfs_time time)
{
    message_put_u64(writer, time.seconds);
    message_put_u32(writer, time.nanoseconds);
}

static void stat_node(asked *self)
{
    served_node *asked_of = take_node(self);
    vfs_status status;
    if (!is_taken(self)) {
        return;
    }
    asked_of->node.mount->backend->stat(asked_of->node, &status);
    answer_error(self, VFS_OK);
    message_put_u32(self->writer, status.mode);
    message_put_u64(self->writer, status.links);
    message_put_u64(self->writer, status.size);
    message_put_u64(self->writer, status.identity);
    put_time(self->writer, status.accessed);
    put_time(self->writer, status.modified);
    put_time(self->writer, status.changed);
}

static void list(asked *self)
{
    served_node *directory = take_directory(self);
    uint64_t cursor = message_get_u64(&self->reader);
    vfs_directory_entry entry;
    bool found = true;
    uint32_t count = 0;
    vfs_error error = VFS_OK;
    if (!is_taken(self)) {
        return;
    }
    /* The number and whether they are all come first, and are known last. */
    message_writer entries = {0};
    message_begin(&entries, 0, 0);
    while (count < SERVICE_ENTRIES_MAX) {
        error = directory->node.mount->backend->list(directory->node, &cursor, &entry, &found);
        if (error != VFS_OK || !found) {
            break;
        }
        count++;
        message_put_u64(&entries, cursor);
        message_put_u32(&entries, (uint32_t)entry.type);
        message_put_bytes(&entries, (eryx_bytes){(const uint8_t *)entry.name, entry.name_length});
    }
    const bool is_made = message_end(&entries);
    if (error != VFS_OK && count > 0) {
        error = VFS_OK; /* the next question meets it again */
        found = true;
    }
    answer_error(self, error == VFS_OK && !is_made ? VFS_INSUFFICIENT_MEMORY : error);
    if (error == VFS_OK && is_made) {
        message_put_u8(self->writer, !found);
        message_put_u32(self->writer, count);
        message_put_raw(self->writer, entries.data + sizeof(message_header),
                        entries.end - sizeof(message_header));
    }
    message_writer_free(&entries);
}

/* ---- Contents ---------------------------------------------------------------------------------
 */

static void open_node(asked *self)
{
    served_node *opened = take_node(self);
    const uint32_t flags = message_get_u32(&self->reader);
    if (!is_taken(self)) {
        return;
    }
    const vfs_node node = opened->node;
    const bool changes = (flags & (VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE)) != 0;
    vfs_error error = VFS_OK;
    if (node.type == VFS_TYPE_SYMBOLIC_LINK) {
        error = VFS_LOOP;
    } else if (changes && node.type == VFS_TYPE_DIRECTORY) {
        error = VFS_IS_DIRECTORY;
    } else if (changes && !vfs_node_writable(node)) {
        error = VFS_READ_ONLY;
    } else if (node.mount->backend->open != NULL) {
        error = node.mount->backend->open(node, flags);
    }
    if (error == VFS_OK) {
        opened->flags |= flags & (VFS_OPEN_READ | VFS_OPEN_WRITE);
        opened->flags |= (flags & VFS_OPEN_TRUNCATE) != 0 ? (uint32_t)VFS_OPEN_WRITE : 0;
    }
    answer_error(self, error);
}

/* Whether a file was opened for that. */
static vfs_error check_access(const served_node *opened, uint32_t flag)
{
    if (opened->node.type != VFS_TYPE_FILE) {
        return VFS_IS_DIRECTORY;
    }
    if (flag == VFS_OPEN_WRITE && !vfs_node_writable(opened->node)) {
        return VFS_READ_ONLY;
    }
    return (opened->flags & flag) != 0 ? VFS_OK : VFS_BAD_DESCRIPTOR;
}

static void read_node(asked *self)
{
    served_files *files = self->files;
    served_node *opened = take_node(self);
    const uint64_t offset = message_get_u64(&self->reader);
    const uint32_t size = message_get_u32(&self->reader);
    size_t got = 0;
    if (!is_taken(self) || size > SERVICE_DATA_MAX) {
        self->is_wrong = true;
        return;
    }
    vfs_error error = check_access(opened, VFS_OPEN_READ);
    if (files->buffer == NULL && (files->buffer = malloc(SERVICE_DATA_MAX)) == NULL) {
        error = VFS_INSUFFICIENT_MEMORY;
    }
    if (error == VFS_OK) {
        error = opened->node.mount->backend->read(opened->node, offset, files->buffer, size, &got);
    }
    answer_error(self, error);
    if (error == VFS_OK) {
        message_put_bytes(self->writer, (eryx_bytes){files->buffer, got});
    }
}

static void write_node(asked *self)
{
    served_node *opened = take_node(self);
    const uint64_t offset = message_get_u64(&self->reader);
    const eryx_bytes data = message_get_bytes(&self->reader, SERVICE_DATA_MAX);
    size_t done = 0;
    if (!is_taken(self)) {
        return;
    }
    vfs_error error = check_access(opened, VFS_OPEN_WRITE);
    if (error == VFS_OK && offset > VFS_FILE_SIZE_MAX && offset != VFS_OFFSET_END) {
        error = VFS_FILE_TOO_LARGE;
    }
    if (error == VFS_OK) {
        error =
            opened->node.mount->backend->write(opened->node, offset, data.data, data.size, &done);
    }
    answer_error(self, error);
    if (error == VFS_OK) {
        message_put_u32(self->writer, (uint32_t)done);
    }
}

static void set_size(asked *self)
{
    served_node *opened = take_node(self);
    const uint64_t size = message_get_u64(&self->reader);
    if (!is_taken(self)) {
        return;
    }
    vfs_error error = check_access(opened, VFS_OPEN_WRITE);
    if (error == VFS_OK) {
        error = opened->node.mount->backend->set_size(opened->node, size);
    }
    answer_error(self, error);
}

static vfs_new_time take_time(asked *self)
{
    const uint32_t kind = message_get_u32(&self->reader);
    vfs_new_time time = {.kind = VFS_TIME_KEEP};
    time.time.seconds = message_get_u64(&self->reader);
    time.time.nanoseconds = message_get_u32(&self->reader);
    self->is_wrong = self->is_wrong || kind > VFS_TIME_SET;
    time.kind = kind == VFS_TIME_NOW   ? VFS_TIME_NOW
                : kind == VFS_TIME_SET ? VFS_TIME_SET
                                       : VFS_TIME_KEEP;
    return time;
}

static void set_times(asked *self)
{
    const uint32_t second = 1000000000;
    served_node *changed = take_node(self);
    const vfs_new_time accessed = take_time(self);
    const vfs_new_time modified = take_time(self);
    if (!is_taken(self)) {
        return;
    }
    vfs_error error = VFS_OK;
    if (accessed.time.nanoseconds >= second || modified.time.nanoseconds >= second) {
        error = VFS_INVALID;
    } else if (!vfs_node_writable(changed->node)) {
        error = VFS_READ_ONLY;
    } else {
        error = changed->node.mount->backend->set_times(changed->node, &accessed, &modified);
    }
    answer_error(self, error);
}

static void set_mode(asked *self)
{
    served_node *changed = take_node(self);
    const uint32_t mode = message_get_u32(&self->reader);
    if (!is_taken(self)) {
        return;
    }
    vfs_error error = VFS_OK;
    if (!vfs_node_writable(changed->node)) {
        error = VFS_READ_ONLY;
    } else if (changed->node.mount->backend->set_mode != NULL) {
        error =
            changed->node.mount->backend->set_mode(changed->node, (uint16_t)(mode & VFS_MODE_MASK));
    }
    answer_error(self, error);
}

/* ---- Names ------------------------------------------------------------------------------------
 */

static const char *text_of(eryx_bytes bytes)
{
    return (const char *)bytes.data;
}

static void make(asked *self)
{
    served_node *directory = take_directory(self);
    const eryx_bytes name = take_name(self);
    const uint32_t type = message_get_u32(&self->reader);
    const eryx_bytes target = message_get_bytes(&self->reader, VFS_PATH_MAX);
    const bool is_link = type == VFS_TYPE_SYMBOLIC_LINK;
    vfs_node made;
    self->is_wrong =
        self->is_wrong || (!is_link && type != VFS_TYPE_FILE && type != VFS_TYPE_DIRECTORY) ||
        (is_link && (target.data == NULL || !vfs_target_is_plain(text_of(target), target.size)));
    if (!is_taken(self)) {
        return;
    }
    const vfs_mount *mount = directory->node.mount;
    vfs_error error = VFS_OK;
    if (!vfs_node_writable(directory->node)) {
        error = VFS_READ_ONLY;
    } else if (is_link && mount->confines_links &&
               !vfs_target_is_confined(text_of(target), target.size)) {
        error = VFS_NOT_PERMITTED;
    } else {
        error = mount->backend->make(directory->node, text_of(name), name.size, (vfs_type)type,
                                     text_of(target), target.size, &made);
    }
    if (error == VFS_OK) {
        if (type == VFS_TYPE_DIRECTORY) {
            served_locks_note(self->files, directory->node, name, made);
        }
        answer_node(self, made, type == VFS_TYPE_FILE ? VFS_OPEN_READ | VFS_OPEN_WRITE : 0);
    } else {
        answer_error(self, error);
    }
}

static void link_node(asked *self)
{
    served_node *directory = take_directory(self);
    const eryx_bytes name = take_name(self);
    served_node *linked = take_node(self);
    if (!is_taken(self)) {
        return;
    }
    vfs_error error = VFS_OK;
    if (linked->node.type == VFS_TYPE_DIRECTORY) {
        error = VFS_NOT_PERMITTED;
    } else if (linked->node.mount->storage != directory->node.mount->storage) {
        error = VFS_CROSS_DEVICE;
    } else if (!vfs_node_writable(directory->node)) {
        error = VFS_READ_ONLY;
    } else {
        error = directory->node.mount->backend->link(directory->node, text_of(name), name.size,
                                                     linked->node);
    }
    answer_error(self, error);
}

static void remove_node(asked *self)
{
    served_node *directory = take_directory(self);
    const eryx_bytes name = take_name(self);
    served_node *removed = take_node(self);
    if (!is_taken(self)) {
        return;
    }
    vfs_error error = VFS_OK;
    if (!vfs_node_writable(directory->node)) {
        error = VFS_READ_ONLY;
    } else if (removed->node.mount != directory->node.mount) {
        error = VFS_BUSY;
    } else {
        served_locks_forget(self->files, removed->node);
        error = directory->node.mount->backend->remove(directory->node, text_of(name), name.size,
                                                       removed->node);
    }
    answer_error(self, error);
}

static void rename_node(asked *self)
{
    served_node *from = take_directory(self);
    const eryx_bytes old_name = take_name(self);
    served_node *moved = take_node(self);
    served_node *to = take_directory(self);
    const eryx_bytes new_name = take_name(self);
    const bool replaces = message_get_bool(&self->reader);
    served_node *replaced = NULL;
    if (replaces) {
        replaced = take_node(self);
    } else {
        (void)message_get_u32(&self->reader);
    }
    if (!is_taken(self)) {
        return;
    }
    const vfs_mount *mount = from->node.mount;
    const bool is_directory = moved->node.type == VFS_TYPE_DIRECTORY;
    vfs_error error = VFS_OK;
    if (!vfs_node_writable(from->node) || !vfs_node_writable(to->node)) {
        error = VFS_READ_ONLY;
    } else if (moved->node.mount != mount ||
               (replaced != NULL && replaced->node.mount != to->node.mount)) {
        error = VFS_BUSY;
    } else if (mount->storage != to->node.mount->storage) {
        error = VFS_CROSS_DEVICE;
    } else if (replaced != NULL && is_directory != (replaced->node.type == VFS_TYPE_DIRECTORY)) {
        error = is_directory ? VFS_NOT_DIRECTORY : VFS_IS_DIRECTORY;
    } else {
        error = mount->backend->rename(from->node, text_of(old_name), old_name.size, moved->node,
                                       to->node, text_of(new_name), new_name.size,
                                       replaced != NULL ? &replaced->node : NULL);
    }
    answer_error(self, error);
}

static void take_clock(asked *self)
{
    self->files->clock_ns = message_get_u64(&self->reader);
    self->files->has_clock = true;
    self->is_wrong = !message_is_whole(&self->reader);
}

static uint64_t told_ns(const void *files)
{
    return ((const served_files *)files)->clock_ns;
}

bool served_files_take(served_files *files, const message *from, message_writer *writer)
{
    asked self = {.files = files, .reader = message_read(from), .writer = writer};
    static void (*const functions[SERVICE_LAST_FOR_FILES])(asked *) = {
        [SERVICE_NOTHING] = answer_nothing,
        [SERVICE_RELEASE] = release,
        [SERVICE_FIND] = find,
        [SERVICE_PARENT] = find_parent,
        [SERVICE_STAT] = stat_node,
        [SERVICE_LIST] = list,
        [SERVICE_READ] = read_node,
        [SERVICE_WRITE] = write_node,
        [SERVICE_SET_SIZE] = set_size,
        [SERVICE_OPEN] = open_node,
        [SERVICE_SET_TIMES] = set_times,
        [SERVICE_SET_MODE] = set_mode,
        [SERVICE_MAKE] = make,
        [SERVICE_LINK] = link_node,
        [SERVICE_REMOVE] = remove_node,
        [SERVICE_RENAME] = rename_node,
        [SERVICE_CLOCK] = take_clock,
    };
    if (from->header.kind >= SERVICE_LAST_FOR_FILES || functions[from->header.kind] == NULL) {
        return false;
    }
    const memory_clock clock =
        memory_use_clock((memory_clock){files->has_clock ? told_ns : NULL, files});
    functions[from->header.kind](&self);
    (void)memory_use_clock(clock);
    return !self.is_wrong;
}
