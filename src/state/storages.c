#include "state/storages.h"

#include <stdlib.h>

#include "vfs/internal.h"

eryx_storage *live_storages_shown(const vfs *files, uint32_t source)
{
    if (files->stand_ins != NULL && files->stand_ins[source] != NULL) {
        return files->stand_ins[source];
    }
    return files->added->sources[source].storage;
}

static bool is_first(const vfs_mounts *mounts, uint32_t source)
{
    for (uint32_t i = 0; i < source; i++) {
        if (mounts->sources[i].storage == mounts->sources[source].storage) {
            return false;
        }
    }
    return mounts->sources[source].storage != NULL;
}

bool live_storages_is_writable(const vfs *files, uint32_t source)
{
    const vfs_mounts *mounts = files->added;
    for (uint32_t i = source; is_first(mounts, source) && i < mounts->source_count; i++) {
        if (mounts->sources[i].storage == mounts->sources[source].storage &&
            !mounts->sources[i].read_only) {
            return true;
        }
    }
    return false;
}

uint32_t live_storages_place(const vfs *files, uint32_t source)
{
    const vfs_source *sources = files->added->sources;
    uint32_t place = source;
    while (sources[place].read_only || sources[place].storage != sources[source].storage) {
        place++;
    }
    return place;
}

bool live_storages_any(const vfs *files)
{
    return files->stand_ins != NULL;
}

vfs_error live_storages_stand_in(vfs *files)
{
    for (uint32_t i = 0; files->added != NULL && i < files->added->source_count; i++) {
        if (!live_storages_is_writable(files, i)) {
            continue;
        }
        eryx_storage *other;
        if (storage_create_like(files->added->sources[i].storage, &other) != ERYX_FILE_OK) {
            return VFS_INSUFFICIENT_MEMORY;
        }
        vfs_error error = vfs_stand_in(files, i, other);
        eryx_storage_destroy(other);
        if (error != VFS_OK) {
            return error;
        }
    }
    return VFS_OK;
}

/* The nodes of a storage that are open, by handle; the others stay as they are. */
static void find_held(const eryx_storage *storage, const handle_table *handles, memory_node **held)
{
    for (uint32_t i = 0; i < handles->used; i++) {
        const handle *open = &handles->dynamic[i];
        const vfs_file *file = handle_has_file(open) ? open->object : NULL;
        bool is_held = file != NULL && file->node.mount->storage == &storage->tree;
        held[i] = is_held ? (memory_node *)file->node.item : NULL;
    }
}

static vfs_error copy_storages(vfs *from, const handle_table *handles, vfs *to, memory_node **held,
                               live_storages *storages)
{
    for (uint32_t i = 0; i < from->added->source_count; i++) {
        eryx_storage *source = live_storages_shown(from, i);
        eryx_storage *target = live_storages_shown(to, i);
        if (source == target || !is_first(from->added, i)) {
            continue;
        }
        find_held(source, handles, held);
        vfs_error error = storage_copy_begin(source, target, held, storages->moved, handles->used,
                                             &storages->copies[storages->count]);
        if (error != VFS_OK) {
            return error;
        }
        storages->count++;
    }
    return VFS_OK;
}

vfs_error live_storages_begin(vfs *from, const handle_table *handles, vfs *to,
                              live_storages *out_storages)
{
    live_storages storages = {.handle_count = handles->used};
    *out_storages = storages;
    if (!live_storages_any(from) && !live_storages_any(to)) {
        return VFS_OK;
    }
    size_t room = handles->used > 0 ? handles->used : 1;
    memory_node **held = calloc(room, sizeof *held);
    storages.moved = calloc(room, sizeof *storages.moved);
    storages.copies = calloc(from->added->source_count, sizeof *storages.copies);
    vfs_error error = VFS_INSUFFICIENT_MEMORY;
    if (held != NULL && storages.moved != NULL && storages.copies != NULL) {
        error = copy_storages(from, handles, to, held, &storages);
    }
    free(held);
    if (error == VFS_OK) {
        *out_storages = storages;
    } else {
        live_storages_end(&storages, false);
    }
    return error;
}

void live_storages_release_moved(live_storages *storages)
{
    for (uint32_t i = 0; i < storages->count; i++) {
        storage_release_held(storages->copies[i].to, storages->moved, storages->handle_count);
    }
    free(storages->moved);
    storages->moved = NULL;
    storages->handle_count = 0;
}

void live_storages_end(live_storages *storages, bool use)
{
    if (storages->moved != NULL) {
        live_storages_release_moved(storages);
    }
    for (uint32_t i = 0; i < storages->count; i++) {
        storage_copy_end(&storages->copies[i], use);
    }
    free(storages->copies);
    *storages = (live_storages){0};
}
