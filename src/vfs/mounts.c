/*
 * Mounts that the embedder adds to the fixed tree: the paths are taken apart into places, those
 * that the tree has not are added, and every source is seen at its place.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "vfs/overlay.h"
#include "vfs/packages.h"
#include "vfs/provider.h"
#include "vfs/storage.h"

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
        eryx_packages_destroy(mounts->sources[i].packages);
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
    for (const char *name = path + 1; name != NULL;) {
        size_t length = strcspn(name, "/");
        bool is_last = name[length] == '\0';
        uint32_t child = find_child(mounts, place, name, length);
        if (child != PLACE_ROOT && child < PLACE_COUNT && child != PLACE_DATA &&
            child != PLACE_TMP) {
            return VFS_INVALID;
        }
        if (child != PLACE_ROOT && is_last && is_taken(mounts, child)) {
            return VFS_EXIST;
        }
        if (child == PLACE_ROOT) {
            vfs_error error = add_place(mounts, place, name, length, &child);
            if (error != VFS_OK) {
                return error;
            }
        }
        place = child;
        name = is_last ? NULL : name + length + 1;
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

vfs_error vfs_mounts_add_provider(vfs_mounts *mounts, const char *path, uint32_t number,
                                  bool read_only, uint64_t cache_ns)
{
    return add_source(
        mounts, path,
        (vfs_source){
            .provided = true, .provider = number, .cache_ns = cache_ns, .read_only = read_only});
}

vfs_error vfs_mounts_add_overlay(vfs_mounts *mounts, const char *path, host_volume *volume)
{
    if (host_volume_mount(volume).root_type != VFS_TYPE_DIRECTORY) {
        return VFS_NOT_DIRECTORY;
    }
    return add_source(mounts, path, (vfs_source){.volume = volume, .overlay = true});
}

vfs_error vfs_mounts_add_packages(vfs_mounts *mounts, eryx_packages *packages)
{
    if (is_taken(mounts, PLACE_SITE_PACKAGES)) {
        return VFS_EXIST;
    }
    vfs_source *sources =
        realloc(mounts->sources, (mounts->source_count + (size_t)1) * sizeof *sources);
    if (sources == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    mounts->sources = sources;
    sources[mounts->source_count++] = (vfs_source){
        .packages = packages_retain(packages), .place = PLACE_SITE_PACKAGES, .read_only = true};
    return VFS_OK;
}

/* ---- In a tree --------------------------------------------------------------------------------
 */

/* Tells a mount where it lies, and the one that it lies in what is under that. */
static void connect_mount(vfs *files, vfs_mount *mount, uint32_t place)
{
    uint32_t parent = place_parent(files->added, place);
    vfs_mount *above = vfs_place_mount(files, parent);
    mount->above = above != NULL ? (vfs_node){above, above->root, above->root_type}
                                 : (vfs_node){&files->system, parent, VFS_TYPE_DIRECTORY};
}

static void connect_mounts(vfs *files)
{
    const vfs_mounts *mounts = files->added;
    for (uint32_t i = 0; i < mounts->place_count; i++) {
        uint32_t parent = mounts->places[i].parent;
        vfs_mount *above = vfs_place_mount(files, parent);
        if (above != NULL) {
            above->system = &files->system;
            above->place = parent;
        }
    }
    for (uint32_t i = 0; i < mounts->source_count; i++) {
        uint32_t place = mounts->sources[i].place;
        connect_mount(files, &files->added_mounts[i], place);
        if (place < PLACE_COUNT) {
            connect_mount(files, &files->mounts[place], place);
        }
    }
}

static vfs_error mount_provider(vfs *files, const vfs_source *source, uint32_t index,
                                uint32_t source_count, vfs_mount *out_mount)
{
    if (files->providers == NULL) {
        files->providers = calloc(source_count, sizeof *files->providers);
        if (files->providers == NULL) {
            return VFS_INSUFFICIENT_MEMORY;
        }
    }
    vfs_error error = vfs_provider_create(files, source->provider, source->cache_ns,
                                          DEVICE_ADDED + 2 * index, &files->providers[index]);
    if (error == VFS_OK) {
        *out_mount = vfs_provider_mount(files->providers[index]);
        out_mount->read_only = source->read_only;
    }
    return error;
}

/* What a source is seen as; an overlay or a provider is made for it. */
static vfs_error mount_source(vfs *files, const vfs_source *source, uint32_t index,
                              uint32_t source_count, vfs_mount *out_mount)
{
    if (source->provided) {
        return mount_provider(files, source, index, source_count, out_mount);
    }
    if (!source->overlay) {
        *out_mount = source->storage != NULL    ? storage_mount(source->storage)
                     : source->packages != NULL ? packages_mount(source->packages)
                                                : host_volume_mount(source->volume);
        out_mount->device = DEVICE_ADDED + 2 * index;
        out_mount->read_only = source->read_only;
        return VFS_OK;
    }
    if (files->overlays == NULL) {
        files->overlays = calloc(source_count, sizeof *files->overlays);
        if (files->overlays == NULL) {
            return VFS_INSUFFICIENT_MEMORY;
        }
    }
    vfs_error error = vfs_overlay_create(&files->memory, source->volume, DEVICE_ADDED + 2 * index,
                                         &files->overlays[index]);
    if (error == VFS_OK) {
        *out_mount = vfs_overlay_mount(files->overlays[index]);
    }
    return error;
}

static void destroy_overlays(vfs *files, uint32_t source_count)
{
    for (uint32_t i = 0; files->overlays != NULL && i < source_count; i++) {
        vfs_overlay_destroy(files->overlays[i]);
    }
    free(files->overlays);
    files->overlays = NULL;
    for (uint32_t i = 0; files->providers != NULL && i < source_count; i++) {
        vfs_provider_destroy(files->providers[i]);
    }
    free(files->providers);
    files->providers = NULL;
    vfs_question_free(&files->question);
}

memory_node *vfs_own_root(vfs *files, uint32_t index)
{
    if (index < 2) {
        return index == 0 ? &files->data : &files->tmp;
    }
    index -= 2;
    for (uint32_t i = 0; files->overlays != NULL && i < files->added->source_count; i++) {
        if (files->overlays[i] != NULL && index-- == 0) {
            return vfs_overlay_memory(files->overlays[i]);
        }
    }
    return NULL;
}

memory_node *vfs_own_node(const vfs *files, vfs_node node)
{
    return node.mount->storage == &files->memory ? (memory_node *)node.item
                                                 : vfs_overlay_upper(node);
}

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
        vfs_error error = mount_source(files, source, i, mounts->source_count, mount);
        if (error != VFS_OK) {
            destroy_overlays(files, mounts->source_count);
            free(added);
            return error;
        }
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
    connect_mounts(files);
    return VFS_OK;
}

size_t vfs_source_path(const vfs_mounts *mounts, uint32_t source, char *out_path)
{
    char *begin = out_path + VFS_PATH_MAX;
    *begin = '\0';
    uint32_t place = mounts->sources[source].place;
    for (; place != PLACE_ROOT; place = place_parent(mounts, place)) {
        size_t length;
        const char *name = place_name(mounts, place, &length);
        begin -= length + 1;
        *begin = '/';
        memcpy(begin + 1, name, length);
    }
    size_t size = (size_t)(out_path + VFS_PATH_MAX - begin);
    memmove(out_path, begin, size + 1);
    return size;
}

void vfs_end_mounts(vfs *files)
{
    for (uint32_t i = 0; files->added != NULL && i < files->added->source_count; i++) {
        if (files->added->sources[i].storage != NULL) {
            storage_free_discards(files->added->sources[i].storage);
        }
    }
    for (uint32_t i = 0; files->stand_ins != NULL && i < files->added->source_count; i++) {
        eryx_storage_destroy(files->stand_ins[i]);
    }
    destroy_overlays(files, files->added != NULL ? files->added->source_count : 0);
    free(files->stand_ins);
    free(files->added_mounts);
    vfs_mounts_release(files->added);
}

vfs_error vfs_stand_in(vfs *files, uint32_t source, eryx_storage *other)
{
    const vfs_mounts *mounts = files->added;
    const vfs_mount shown = storage_mount(other);
    if (files->stand_ins == NULL) {
        files->stand_ins = calloc(mounts->source_count, sizeof *files->stand_ins);
        if (files->stand_ins == NULL) {
            return VFS_INSUFFICIENT_MEMORY;
        }
    }
    for (uint32_t i = 0; i < mounts->source_count; i++) {
        if (mounts->sources[i].storage != mounts->sources[source].storage) {
            continue;
        }
        files->stand_ins[i] = eryx_storage_retain(other);
        files->added_mounts[i].storage = shown.storage;
        files->added_mounts[i].root = shown.root;
        if (mounts->sources[i].place < PLACE_COUNT) {
            files->mounts[mounts->sources[i].place].storage = shown.storage;
            files->mounts[mounts->sources[i].place].root = shown.root;
        }
    }
    connect_mounts(files);
    return VFS_OK;
}

bool vfs_mounts_find_file_above(const vfs_mounts *mounts, char *out_path)
{
    for (uint32_t i = 0; i < mounts->source_count; i++) {
        const vfs_source *source = &mounts->sources[i];
        if (source->volume == NULL ||
            host_volume_mount(source->volume).root_type == VFS_TYPE_DIRECTORY) {
            continue;
        }
        for (uint32_t k = 0; k < mounts->place_count; k++) {
            if (mounts->places[k].parent == source->place) {
                vfs_source_path(mounts, i, out_path);
                return true;
            }
        }
    }
    return false;
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
