/*
 * Mounts that the embedder adds to the fixed tree: the paths are taken apart into places, those
 * that the tree has not are added, and every source is seen at its place.
 */
#include <stdlib.h>
#include <string.h>

#include "storage.h"
#include "utf8.h"
#include "vfs_internal.h"

vfs_error vfs_mounts_create(vfs_mounts **out_mounts)
{
    vfs_mounts *mounts = calloc(1, sizeof *mounts);
    if (mounts == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    atomic_init(&mounts->references, 1);
    *out_mounts = mounts;
    return VFS_OK;
}

vfs_mounts *vfs_mounts_retain(vfs_mounts *mounts)
{
    if (mounts != NULL) {
        atomic_fetch_add_explicit(&mounts->references, 1, memory_order_relaxed);
    }
    return mounts;
}

void vfs_mounts_release(vfs_mounts *mounts)
{
    if (mounts == NULL ||
        atomic_fetch_sub_explicit(&mounts->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < mounts->source_count; i++) {
        eryx_storage_destroy(mounts->sources[i].storage);
        host_volume_close(mounts->sources[i].volume);
    }
    for (uint32_t i = 0; i < mounts->place_count; i++) {
        free(mounts->places[i].name);
    }
    free(mounts->sources);
    free(mounts->places);
    free(mounts);
}

/* ---- Paths to places --------------------------------------------------------------------------
 */

/* Whether a path is absolute and every component of it a plain name. */
static vfs_error check_mount_path(const char *path)
{
    size_t length = strnlen(path, VFS_PATH_MAX + 1);
    if (length > VFS_PATH_MAX) {
        return VFS_NAME_TOO_LONG;
    }
    if (path[0] != '/' || !utf8_is_valid(path, length)) {
        return VFS_INVALID;
    }
    const char *name = path + 1;
    for (;;) {
        size_t size = strcspn(name, "/");
        if (size == 0 || (size == 1 && name[0] == '.') ||
            (size == 2 && memcmp(name, "..", 2) == 0)) {
            return VFS_INVALID;
        }
        if (size > VFS_NAME_MAX) {
            return VFS_NAME_TOO_LONG;
        }
        if (name[size] == '\0') {
            return VFS_OK;
        }
        name += size + 1;
    }
}

static const char *place_name(const vfs_mounts *mounts, uint32_t place, size_t *out_length)
{
    if (place < PLACE_COUNT) {
        *out_length = strlen(vfs_system_name(place));
        return vfs_system_name(place);
    }
    *out_length = mounts->places[place - PLACE_COUNT].name_length;
    return mounts->places[place - PLACE_COUNT].name;
}

static uint32_t place_parent(const vfs_mounts *mounts, uint32_t place)
{
    return place < PLACE_COUNT ? vfs_system_parent(place)
                               : mounts->places[place - PLACE_COUNT].parent;
}

static uint32_t place_count(const vfs_mounts *mounts)
{
    return PLACE_COUNT + (mounts != NULL ? mounts->place_count : 0);
}

/* True if there is a source at the place. */
static bool is_taken(const vfs_mounts *mounts, uint32_t place)
{
    for (uint32_t i = 0; i < mounts->source_count; i++) {
        if (mounts->sources[i].place == place) {
            return true;
        }
    }
    return false;
}

/* The place of that name under another; PLACE_ROOT if there is none. */
static uint32_t find_child(const vfs_mounts *mounts, uint32_t parent, const char *name,
                           size_t length)
{
    for (uint32_t place = 1; place < place_count(mounts); place++) {
        size_t place_length;
        const char *found = place_name(mounts, place, &place_length);
        if (place_parent(mounts, place) == parent && place_length == length &&
            memcmp(found, name, length) == 0) {
            return place;
        }
    }
    return PLACE_ROOT;
}

static vfs_error add_place(vfs_mounts *mounts, uint32_t parent, const char *name, size_t length,
                           uint32_t *out_place)
{
    char *copy = malloc(length);
    vfs_extra_place *places =
        realloc(mounts->places, (mounts->place_count + (size_t)1) * sizeof *places);
    if (places != NULL) {
        mounts->places = places;
    }
    if (copy == NULL || places == NULL) {
        free(copy);
        return VFS_INSUFFICIENT_MEMORY;
    }
    memcpy(copy, name, length);
    places[mounts->place_count] = (vfs_extra_place){
        .name = copy, .name_length = length, .parent = parent, .source = VFS_NO_SOURCE};
    *out_place = PLACE_COUNT + mounts->place_count++;
    return VFS_OK;
}

/* Finds or makes the place of a path. */
static vfs_error place_of_path(vfs_mounts *mounts, const char *path, uint32_t *out_place)
{
    uint32_t place = PLACE_ROOT;
    bool is_new = false;
    for (const char *name = path + 1; name != NULL;) {
        size_t length = strcspn(name, "/");
        bool is_last = name[length] == '\0';
        uint32_t child = find_child(mounts, place, name, length);
        if (child != PLACE_ROOT && is_taken(mounts, child)) {
            return VFS_EXIST;
        }
        if (child != PLACE_ROOT && child < PLACE_COUNT &&
            !(is_last && (child == PLACE_DATA || child == PLACE_TMP))) {
            return VFS_INVALID;
        }
        is_new = child == PLACE_ROOT;
        if (is_new) {
            vfs_error error = add_place(mounts, place, name, length, &child);
            if (error != VFS_OK) {
                return error;
            }
        }
        place = child;
        name = is_last ? NULL : name + length + 1;
    }
    if (!is_new && place >= PLACE_COUNT) {
        return VFS_EXIST; /* another one lies under it */
    }
    *out_place = place;
    return VFS_OK;
}

static vfs_error add_source(vfs_mounts *mounts, const char *path, vfs_source source)
{
    vfs_error error = check_mount_path(path);
    if (error != VFS_OK) {
        return error;
    }
    vfs_source *sources =
        realloc(mounts->sources, (mounts->source_count + (size_t)1) * sizeof *sources);
    if (sources == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    mounts->sources = sources;
    error = place_of_path(mounts, path, &source.place);
    if (error != VFS_OK) {
        return error;
    }
    if (source.place >= PLACE_COUNT) {
        mounts->places[source.place - PLACE_COUNT].source = mounts->source_count;
    }
    sources[mounts->source_count++] = source;
    return VFS_OK;
}

vfs_error vfs_mounts_add_storage(vfs_mounts *mounts, const char *path, eryx_storage *storage,
                                 bool read_only)
{
    vfs_error error =
        add_source(mounts, path, (vfs_source){.storage = storage, .read_only = read_only});
    if (error == VFS_OK) {
        eryx_storage_retain(storage);
    }
    return error;
}

vfs_error vfs_mounts_add_volume(vfs_mounts *mounts, const char *path, host_volume *volume,
                                bool read_only)
{
    return add_source(mounts, path, (vfs_source){.volume = volume, .read_only = read_only});
}

/* ---- In a tree --------------------------------------------------------------------------------
 */

vfs_error vfs_use_mounts(vfs *files, vfs_mounts *mounts)
{
    if (mounts == NULL || mounts->source_count == 0) {
        return VFS_OK;
    }
    vfs_mount *added = calloc(mounts->source_count, sizeof *added);
    if (added == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    for (uint32_t i = 0; i < mounts->source_count; i++) {
        const vfs_source *source = &mounts->sources[i];
        vfs_mount *mount = &added[i];
        *mount = source->storage != NULL ? storage_mount(source->storage)
                                         : host_volume_mount(source->volume);
        mount->device = DEVICE_ADDED + i;
        mount->read_only = source->read_only;
        mount->above = (vfs_node){.mount = &files->system,
                                  .item = place_parent(mounts, source->place),
                                  .type = VFS_TYPE_DIRECTORY};
        for (uint32_t earlier = 0; earlier < i; earlier++) {
            if (added[earlier].storage == mount->storage) {
                mount->device = added[earlier].device;
                break;
            }
        }
        if (source->place < PLACE_COUNT) {
            files->mounts[source->place] = *mount;
        }
    }
    files->added = vfs_mounts_retain(mounts);
    files->added_mounts = added;
    return VFS_OK;
}

vfs_mounts *vfs_get_mounts(const vfs *files)
{
    return files->added;
}

uint32_t vfs_place_count(const vfs *files)
{
    return place_count(files->added);
}

const char *vfs_place_name(const vfs *files, uint32_t place, size_t *out_length)
{
    return place_name(files->added, place, out_length);
}

uint32_t vfs_place_parent(const vfs *files, uint32_t place)
{
    return place_parent(files->added, place);
}

vfs_mount *vfs_place_mount(vfs *files, uint32_t place)
{
    if (place < PLACE_COUNT) {
        return files->mounts[place].backend != NULL ? &files->mounts[place] : NULL;
    }
    uint32_t source = files->added->places[place - PLACE_COUNT].source;
    return source != VFS_NO_SOURCE ? &files->added_mounts[source] : NULL;
}
