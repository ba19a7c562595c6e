#include "vfs/changes.h"

#include <stdlib.h>
#include <string.h>

#include "vfs/overlay.h"
#include "vfs/storage.h"

enum {
    MOST_CHANGES = 65536,
    MOST_PATH_BYTES = 4 << 20,
};

struct eryx_changes {
    atomic_size_t references;
    bool truncated;
    size_t count;
    size_t capacity;
    size_t path_bytes;
    eryx_change *items;  /* their paths are owned */
    memory_node **files; /* by index: what a file or link holds, owned; NULL for others */
    char **origins;      /* by index: where the host has it, owned; NULL for others */
    vfs_mounts *mounts;  /* counted, for the volume; NULL for none */
    host_volume *volume; /* that the origins are of */
    memory_tree tree;    /* of these */
};

/* ---- Making a list ----------------------------------------------------------------------------
 */

static eryx_changes *create_changes(void)
{
    static const vfs_quota everything = {UINT64_MAX, UINT64_MAX};
    eryx_changes *changes = calloc(1, sizeof *changes);
    if (changes != NULL) {
        atomic_init(&changes->references, 1);
        memory_tree_init(&changes->tree, &everything);
    }
    return changes;
}

static bool make_room(eryx_changes *changes)
{
    if (changes->count < changes->capacity) {
        return true;
    }
    const size_t capacity = changes->capacity == 0 ? 16 : changes->capacity * 2;
    eryx_change *items = realloc(changes->items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    changes->items = items;
    memory_node **files = realloc(changes->files, capacity * sizeof *files);
    if (files == NULL) {
        return false;
    }
    changes->files = files;
    char **origins = realloc(changes->origins, capacity * sizeof *origins);
    if (origins == NULL) {
        return false;
    }
    changes->origins = origins;
    changes->capacity = capacity;
    return true;
}

/* A node of the list's own with the contents of a file, or the target of a link. NULL without
 * memory. */
static memory_node *share_file(eryx_changes *changes, const memory_node *file)
{
    const bool is_link = file->type == VFS_TYPE_SYMBOLIC_LINK;
    memory_node *copy;
    if (memory_node_create(&changes->tree, file->type, is_link ? file->link.target : NULL,
                           is_link ? file->link.length : 0, &copy) != VFS_OK) {
        return NULL;
    }
    if (!is_link && memory_file_share(file, copy) != VFS_OK) {
        memory_node_free(copy);
        return NULL;
    }
    return copy;
}

static char *join(const char *root, size_t root_length, const char *path, size_t length)
{
    char *joined = malloc(root_length + length + 2);
    if (joined != NULL) {
        const size_t slash = root_length > 0;
        memcpy(joined, root, root_length);
        joined[root_length] = '/';
        memcpy(joined + root_length + slash, path, length);
        joined[root_length + slash + length] = '\0';
    }
    return joined;
}

/* What a list is made of next. */
typedef struct new_change {
    const char *root; /* before the path, "" for none */
    const char *path;
    size_t length;
    tree_difference what;
    vfs_type type;
    uint64_t size;
    const memory_node *file; /* with its contents; NULL for what is no file or gone */
    const char *origin;      /* where the host has the contents; NULL for others */
} new_change;

static bool add_change(eryx_changes *changes, const new_change *added)
{
    const size_t root_length = strlen(added->root);
    const size_t size = root_length + added->length + 2;
    if (changes->count == MOST_CHANGES || size > MOST_PATH_BYTES - changes->path_bytes ||
        !make_room(changes)) {
        return false;
    }
    memory_node *file = added->file != NULL ? share_file(changes, added->file) : NULL;
    char *origin = added->origin != NULL ? strdup(added->origin) : NULL;
    char *joined = join(added->root, root_length, added->path, added->length);
    if (joined == NULL || (file == NULL && added->file != NULL) ||
        (origin == NULL && added->origin != NULL)) {
        free(joined);
        free(origin);
        if (file != NULL) {
            memory_node_free(file);
        }
        return false;
    }
    changes->path_bytes += size;
    changes->files[changes->count] = file;
    changes->origins[changes->count] = origin;
    changes->items[changes->count++] = (eryx_change){
        .path = joined,
        .change = added->what == TREE_MADE      ? ERYX_CHANGE_MADE
                  : added->what == TREE_CHANGED ? ERYX_CHANGE_CHANGED
                                                : ERYX_CHANGE_REMOVED,
        .kind = added->type == VFS_TYPE_DIRECTORY       ? ERYX_STORAGE_DIRECTORY
                : added->type == VFS_TYPE_SYMBOLIC_LINK ? ERYX_STORAGE_SYMBOLIC_LINK
                                                        : ERYX_STORAGE_FILE,
        .size = added->type == VFS_TYPE_FILE ? added->size : 0,
    };
    return true;
}

/* Where the list is made, and what the roots that are looked at are called. */
typedef struct collector {
    eryx_changes *changes; /* NULL until there is one */
    const char *roots[TREE_WATCHED_ROOTS];
    vfs_mounts *mounts; /* of the volume; NULL for none */
    host_volume *volume;
} collector;

static eryx_changes *list_of(collector *work)
{
    if (work->changes == NULL) {
        work->changes = create_changes();
        if (work->changes != NULL) {
            work->changes->mounts = vfs_mounts_retain(work->mounts);
            work->changes->volume = work->volume;
        }
    }
    return work->changes;
}

static bool add_watched(void *context, uint32_t root, const char *path, size_t length,
                        tree_difference what, vfs_type type, memory_node *found)
{
    collector *work = context;
    const new_change added = {.root = work->roots[root],
                              .path = path,
                              .length = length,
                              .what = what,
                              .type = type,
                              .size = found != NULL && type == VFS_TYPE_FILE ? found->file.size : 0,
                              .file = type != VFS_TYPE_DIRECTORY ? found : NULL};
    return list_of(work) != NULL && add_change(work->changes, &added);
}

static bool add_overlaid(void *context, const char *path, size_t length, tree_difference what,
                         vfs_type type, uint64_t size, const memory_node *node, const char *origin)
{
    collector *work = context;
    const new_change added = {.root = "",
                              .path = path,
                              .length = length,
                              .what = what,
                              .type = type,
                              .file = type != VFS_TYPE_DIRECTORY ? node : NULL,
                              .size = size,
                              .origin = origin};
    return list_of(work) != NULL && add_change(work->changes, &added);
}

static void note_truncation(collector *work)
{
    if (list_of(work) != NULL) {
        work->changes->truncated = true;
    }
}

static void collect(collector *work, tree_watch *watch)
{
    if (!tree_watch_tell(watch, add_watched, work)) {
        note_truncation(work);
    }
}

/* A change with its file, to be sorted. */
typedef struct pair {
    eryx_change item;
    memory_node *file;
    char *origin;
} pair;

static int compare_pairs(const void *left, const void *right)
{
    return strcmp(((const pair *)left)->item.path, ((const pair *)right)->item.path);
}

/* Without memory they stay in the order in which they were found. */
static void sort(eryx_changes *changes)
{
    if (changes->count == 0) {
        return;
    }
    pair *pairs = malloc(changes->count * sizeof *pairs);
    if (pairs == NULL) {
        return;
    }
    for (size_t i = 0; i < changes->count; i++) {
        pairs[i] = (pair){changes->items[i], changes->files[i], changes->origins[i]};
    }
    qsort(pairs, changes->count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < changes->count; i++) {
        changes->items[i] = pairs[i].item;
        changes->files[i] = pairs[i].file;
        changes->origins[i] = pairs[i].origin;
    }
    free(pairs);
}

/* ---- Watching a tree of files -----------------------------------------------------------------
 */

static eryx_storage *shown_storage(const vfs *files, uint32_t source)
{
    if (files->stand_ins != NULL && files->stand_ins[source] != NULL) {
        return files->stand_ins[source];
    }
    return files->added->sources[source].storage;
}

/* Whether a source is a storage that can be written there, and the first such place of it. */
static bool is_watched(const vfs *files, uint32_t source)
{
    const vfs_source *sources = files->added->sources;
    if (sources[source].storage == NULL || sources[source].read_only) {
        return false;
    }
    for (uint32_t i = 0; i < source; i++) {
        if (sources[i].storage == sources[source].storage && !sources[i].read_only) {
            return false;
        }
    }
    return true;
}

void vfs_watch_begin(vfs *files)
{
    vfs_watch_stop(files);
    memory_node *const roots[] = {&files->data, &files->tmp};
    tree_watch_begin(&files->watch, &files->memory, roots, 2);
    if (files->added == NULL) {
        return;
    }
    files->source_watches = calloc(files->added->source_count, sizeof *files->source_watches);
    if (files->source_watches == NULL) {
        return;
    }
    for (uint32_t i = 0; i < files->added->source_count; i++) {
        eryx_storage *storage = is_watched(files, i) ? shown_storage(files, i) : NULL;
        if (storage != NULL && storage_lock(storage)) {
            memory_node *const root[] = {&storage->root};
            tree_watch_begin(&files->source_watches[i], &storage->tree, root, 1);
            storage_unlock(storage);
        }
    }
}

void vfs_watch_stop(vfs *files)
{
    tree_watch_end(&files->watch);
    for (uint32_t i = 0; files->source_watches != NULL && i < files->added->source_count; i++) {
        tree_watch *watch = &files->source_watches[i];
        eryx_storage *storage = shown_storage(files, i);
        if (watch->tree != NULL && storage_lock(storage)) {
            tree_watch_end(watch);
            storage_unlock(storage);
        }
    }
    free(files->source_watches);
    files->source_watches = NULL;
}

eryx_changes *vfs_watch_end(vfs *files)
{
    collector work = {.roots = {"/data", "/tmp"}};
    collect(&work, &files->watch);
    for (uint32_t i = 0; files->source_watches != NULL && i < files->added->source_count; i++) {
        tree_watch *watch = &files->source_watches[i];
        eryx_storage *storage = shown_storage(files, i);
        if (watch->tree != NULL && storage_lock(storage)) {
            char path[VFS_PATH_MAX + 1];
            vfs_source_path(files->added, i, path);
            work.roots[0] = path;
            collect(&work, watch);
            storage_unlock(storage);
        }
    }
    vfs_watch_stop(files);
    if (work.changes != NULL) {
        sort(work.changes);
    }
    return work.changes;
}

/* The number of the source of an overlay; VFS_NO_SOURCE if none is mounted there. */
static uint32_t find_overlay(const vfs *files, const char *path)
{
    char found[VFS_PATH_MAX + 1];
    for (uint32_t i = 0; files->overlays != NULL && i < files->added->source_count; i++) {
        if (files->overlays[i] != NULL) {
            vfs_source_path(files->added, i, found);
            if (strcmp(found, path) == 0) {
                return i;
            }
        }
    }
    return VFS_NO_SOURCE;
}

vfs_error vfs_overlay_changes(vfs *files, const char *path, eryx_changes **out_changes)
{
    const uint32_t source = find_overlay(files, path);
    if (source == VFS_NO_SOURCE) {
        return VFS_NO_ENTRY;
    }
    collector work = {.mounts = files->added, .volume = files->added->sources[source].volume};
    if (!vfs_overlay_tell(files->overlays[source], add_overlaid, &work)) {
        note_truncation(&work);
    }
    if (work.changes != NULL) {
        sort(work.changes);
    }
    *out_changes = work.changes;
    return VFS_OK;
}

vfs_error vfs_overlay_discard(vfs *files, const char *path)
{
    const uint32_t source = find_overlay(files, path);
    if (source == VFS_NO_SOURCE) {
        return VFS_NO_ENTRY;
    }
    memory_root_clear(vfs_overlay_memory(files->overlays[source]));
    return VFS_OK;
}

/* ---- Public functions ------------------------------------------------------------------------ */

eryx_changes *eryx_changes_retain(eryx_changes *changes)
{
    if (changes != NULL) {
        atomic_fetch_add_explicit(&changes->references, 1, memory_order_relaxed);
    }
    return changes;
}

void eryx_changes_destroy(eryx_changes *changes)
{
    if (changes == NULL ||
        atomic_fetch_sub_explicit(&changes->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < changes->count; i++) {
        free((void *)(uintptr_t)changes->items[i].path);
        free(changes->origins[i]);
        if (changes->files[i] != NULL) {
            memory_node_free(changes->files[i]);
        }
    }
    memory_discard_all(&changes->tree);
    free(changes->items);
    free(changes->files);
    free(changes->origins);
    vfs_mounts_release(changes->mounts);
    free(changes);
}

size_t eryx_changes_count(const eryx_changes *changes)
{
    return changes != NULL ? changes->count : 0;
}

bool eryx_changes_truncated(const eryx_changes *changes)
{
    return changes != NULL && changes->truncated;
}

const eryx_change *eryx_changes_get(const eryx_changes *changes, size_t index)
{
    return index < eryx_changes_count(changes) ? &changes->items[index] : NULL;
}

eryx_file_error eryx_changes_read(const eryx_changes *changes, size_t index, uint8_t **out_data,
                                  size_t *out_size)
{
    if (changes == NULL || out_data == NULL || out_size == NULL) {
        return ERYX_FILE_INVALID;
    }
    const eryx_change *item = eryx_changes_get(changes, index);
    if (item == NULL || item->change == ERYX_CHANGE_REMOVED) {
        return ERYX_FILE_NOT_FOUND;
    }
    if (changes->origins[index] != NULL) {
        return storage_file_error(
            vfs_read_origin(changes->volume, changes->origins[index], out_data, out_size));
    }
    if (changes->files[index] == NULL) {
        return ERYX_FILE_IS_DIRECTORY;
    }
    const memory_node *file = changes->files[index];
    const bool is_link = file->type == VFS_TYPE_SYMBOLIC_LINK;
    const uint64_t whole = is_link ? file->link.length : file->file.size;
    uint8_t *data = whole < SIZE_MAX ? malloc((size_t)whole + 1) : NULL;
    if (data == NULL) {
        return ERYX_FILE_OUT_OF_MEMORY;
    }
    if (is_link) {
        memcpy(data, file->link.target, file->link.length);
        *out_size = file->link.length;
    } else {
        memory_file_read(file, 0, data, (size_t)whole, out_size);
    }
    *out_data = data;
    return ERYX_FILE_OK;
}
