/*
 * Backend of the fixed tree that holds the mount points and the devices. Nothing can be made in it.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "vfs/internal.h"

typedef struct place_description {
    const char *name;
    vfs_place parent;
    vfs_type type;
} place_description;

static const place_description places[PLACE_COUNT] = {
    [PLACE_ROOT] = {"", PLACE_ROOT, VFS_TYPE_DIRECTORY},
    [PLACE_STDLIB] = {"python-stdlib", PLACE_ROOT, VFS_TYPE_DIRECTORY},
    [PLACE_SITE_PACKAGES] = {"site-packages", PLACE_ROOT, VFS_TYPE_DIRECTORY},
    [PLACE_DATA] = {"data", PLACE_ROOT, VFS_TYPE_DIRECTORY},
    [PLACE_TMP] = {"tmp", PLACE_ROOT, VFS_TYPE_DIRECTORY},
    [PLACE_DEV] = {"dev", PLACE_ROOT, VFS_TYPE_DIRECTORY},
    [PLACE_DEV_NULL] = {"null", PLACE_DEV, VFS_TYPE_CHARACTER_DEVICE},
    [PLACE_DEV_ZERO] = {"zero", PLACE_DEV, VFS_TYPE_CHARACTER_DEVICE},
    [PLACE_DEV_RANDOM] = {"random", PLACE_DEV, VFS_TYPE_CHARACTER_DEVICE},
    [PLACE_DEV_URANDOM] = {"urandom", PLACE_DEV, VFS_TYPE_CHARACTER_DEVICE},
};

const char *vfs_system_name(uint32_t place)
{
    return places[place].name;
}

uint32_t vfs_system_parent(uint32_t place)
{
    return (uint32_t)places[place].parent;
}

/* What is seen at a place: the root of its mount if there is one. */
static vfs_node node_at(vfs_mount *system, uint32_t place)
{
    vfs_mount *mount = vfs_place_mount(system->storage, place);
    if (mount != NULL) {
        return vfs_node_retain(
            (vfs_node){.mount = mount, .item = mount->root, .type = mount->root_type});
    }
    vfs_type type = place < PLACE_COUNT ? places[place].type : VFS_TYPE_DIRECTORY;
    return (vfs_node){.mount = system, .item = place, .type = type};
}

static bool is_child(const vfs *files, uint32_t place, uint32_t parent)
{
    return place != PLACE_ROOT && vfs_place_parent(files, place) == parent;
}

/* The place of a name that lies in another place; PLACE_ROOT if there is none. */
static uint32_t find_under(const vfs *files, uint32_t parent, const char *name, size_t length)
{
    for (uint32_t place = PLACE_ROOT; place < vfs_place_count(files); place++) {
        size_t place_length;
        const char *place_name = vfs_place_name(files, place, &place_length);
        if (is_child(files, place, parent) && place_length == length &&
            memcmp(place_name, name, length) == 0) {
            return place;
        }
    }
    return PLACE_ROOT;
}

static vfs_error find_place(vfs_node directory, const char *name, size_t length, vfs_node *out_node)
{
    uint32_t place = find_under(directory.mount->storage, (uint32_t)directory.item, name, length);
    if (place == PLACE_ROOT) {
        return VFS_NO_ENTRY;
    }
    *out_node = node_at(directory.mount, place);
    return VFS_OK;
}

static vfs_error parent_place(vfs_node directory, vfs_node *out_node)
{
    *out_node = node_at(directory.mount,
                        vfs_place_parent(directory.mount->storage, (uint32_t)directory.item));
    return VFS_OK;
}

static void stat_place(vfs_node node, vfs_status *out_status)
{
    *out_status = (vfs_status){
        .type = node.type,
        .mode = vfs_usual_mode(node.type),
        .links = 1,
        .identity = vfs_identity(node.mount, node.item),
    };
}

/* The next place that lies in another one, after a place, which is moved on to it. */
static bool list_under(vfs_mount *system, uint32_t parent, uint64_t *last,
                       vfs_directory_entry *out_entry)
{
    const vfs *files = system->storage;
    while (*last + 1 < vfs_place_count(files)) {
        uint32_t place = (uint32_t)++*last;
        if (is_child(files, place, parent)) {
            vfs_node node = node_at(system, place);
            out_entry->type = node.type;
            vfs_node_release(node);
            const char *name = vfs_place_name(files, place, &out_entry->name_length);
            memcpy(out_entry->name, name, out_entry->name_length);
            return true;
        }
    }
    return false;
}

/* The cursor is the place that was given last. */
static vfs_error list_place(vfs_node directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                            bool *out_found)
{
    *out_found = list_under(directory.mount, (uint32_t)directory.item, cursor, out_entry);
    return VFS_OK;
}

static bool has_places(vfs_node directory)
{
    return directory.mount->system != NULL && directory.item == directory.mount->root;
}

vfs_error vfs_find(vfs_node directory, const char *name, size_t length, vfs_node *out_node)
{
    vfs_mount *mount = directory.mount;
    if (has_places(directory)) {
        uint32_t place = find_under(mount->system->storage, mount->place, name, length);
        if (place != PLACE_ROOT) {
            *out_node = node_at(mount->system, place);
            return VFS_OK;
        }
    }
    return mount->backend->find(directory, name, length, out_node);
}

/* Cursors of places have the highest bit, which no backend uses; they come last. */
vfs_error vfs_list_all(vfs_node directory, uint64_t *cursor, vfs_directory_entry *out_entry,
                       bool *out_found)
{
    const uint64_t first = UINT64_C(1) << 63;
    vfs_mount *mount = directory.mount;
    bool has_others = has_places(directory);
    while (!has_others || *cursor < first) {
        vfs_error error = mount->backend->list(directory, cursor, out_entry, out_found);
        if (error != VFS_OK || !has_others) {
            return error;
        }
        if (!*out_found) {
            *cursor = first;
        } else if (find_under(mount->system->storage, mount->place, out_entry->name,
                              out_entry->name_length) == PLACE_ROOT) {
            return VFS_OK;
        }
    }
    uint64_t last = *cursor - first;
    *out_found = list_under(mount->system, mount->place, &last, out_entry);
    *cursor = first + last;
    return VFS_OK;
}

/* What one read gives of random bytes, which take the system some time. */
#define RANDOM_BYTES ((size_t)256 << 10)

static vfs_error read_random(uint8_t *buffer, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = getrandom(buffer + done, size - done, 0);
        if (got < 0 && errno != EINTR) {
            return VFS_IO;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return VFS_OK;
}

static vfs_error read_device(vfs_node node, uint64_t offset, uint8_t *buffer, size_t size,
                             size_t *out_got)
{
    (void)offset;
    vfs_error error = VFS_OK;
    if (node.item == PLACE_DEV_NULL) {
        size = 0;
    } else if (node.item == PLACE_DEV_ZERO) {
        memset(buffer, 0, size);
    } else {
        size = size < RANDOM_BYTES ? size : RANDOM_BYTES;
        error = read_random(buffer, size);
    }
    if (error == VFS_OK) {
        *out_got = size;
    }
    return error;
}

static vfs_error write_device(vfs_node node, uint64_t offset, const uint8_t *data, size_t size,
                              size_t *out_done)
{
    (void)node;
    (void)offset;
    (void)data;
    *out_done = size;
    return VFS_OK;
}

/* So that a device can be opened the way that a file is. */
static vfs_error set_device_size(vfs_node node, uint64_t size)
{
    (void)node;
    (void)size;
    return VFS_OK;
}

const vfs_backend vfs_system_backend = {
    .find = find_place,
    .parent = parent_place,
    .stat = stat_place,
    .list = list_place,
    .read = read_device,
    .write = write_device,
    .set_size = set_device_size,
};
