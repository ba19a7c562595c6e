/*
 * A sandbox in a file: a header, the ranges of memory that differ from the image, their contents,
 * and the files of the sandbox (state/store_format.h). In the byte order of the host: a file fits
 * only the build that wrote it anyway.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/host_file.h"
#include "base/status.h"
#include "live/live_state.h"
#include "live/saved_file.h"
#include "live/state_header.h"
#include "sandbox/seeds.h"
#include "sandbox/use.h"
#include "state/store.h"
#include "vfs/internal.h"
#include "vfs/storage.h"

static const char magic[8] = {'E', 'R', 'Y', 'X', 'L', 'I', 'V', 'E'};

enum { FORMAT_VERSION = 3 };

/* ---- Saving ---------------------------------------------------------------------------------- */

/* Where it is written. */
typedef struct saved_target {
    const char *path; /* NULL for a descriptor */
    int descriptor;
} saved_target;

static eryx_status write_to(const saved_target *target, const uint8_t *data, uint64_t size,
                            eryx_error *out_error)
{
    if (target->path != NULL) {
        return host_file_replace(target->path, data, size, S_IRUSR | S_IWUSR, out_error);
    }
    if (!host_file_write(target->descriptor, data, size)) {
        return status_fail(ERYX_INITIALIZATION, out_error, "the session cannot be written: %s",
                           strerror(errno));
    }
    return ERYX_OK;
}

/* All of the file in one piece, since the checksum is at its start. */
static eryx_status compose(const eryx_sandbox *sandbox, const live_memory *memory,
                           const live_bytes *store, const saved_target *target,
                           eryx_error *out_error)
{
    state_header header =
        state_header_make(magic, FORMAT_VERSION, &sandbox->engine->image, memory, store->size);
    size_t ranges_size = memory->range_count * sizeof(live_range);
    size_t size = sizeof header + ranges_size + memory->size + store->size;
    uint8_t *data = malloc(size);
    if (data == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    uint8_t *to = data + sizeof header;
    if (ranges_size > 0) {
        memcpy(to, memory->ranges, ranges_size);
    }
    live_memory_copy(memory, &sandbox->instance.memory, to + ranges_size);
    memcpy(to + ranges_size + memory->size, store->data, store->size);
    header.checksum = state_header_checksum(&header, to, size - sizeof header);
    memcpy(data, &header, sizeof header);
    eryx_status status = write_to(target, data, size, out_error);
    free(data);
    return status;
}

static eryx_status save(eryx_sandbox *sandbox, const saved_target *target, bool include_storages,
                        eryx_error *out_error)
{
    eryx_status status = live_check_ready(sandbox, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    live_bytes store = {0};
    status =
        live_store_write(sandbox->files, &sandbox->handles, include_storages, &store, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    live_memory memory = {0};
    if (live_memory_find_flat(&sandbox->map, &sandbox->instance.memory,
                              sandbox->instance.stack_pointer, &sandbox->engine->image, &memory)) {
        status = compose(sandbox, &memory, &store, target, out_error);
    } else {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    live_memory_free(&memory);
    free(store.data);
    return status;
}

eryx_status eryx_sandbox_save(eryx_sandbox *sandbox, const char *path, bool include_storages,
                              eryx_error *out_error)
{
    if (path == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "no path was given");
    }
    const saved_target target = {.path = path, .descriptor = -1};
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = save(sandbox, &target, include_storages, out_error);
        use_end(sandbox);
    }
    return status;
}

eryx_status saved_file_write(eryx_sandbox *sandbox, int descriptor, eryx_error *out_error)
{
    const saved_target target = {.path = NULL, .descriptor = descriptor};
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = save(sandbox, &target, false, out_error);
        use_end(sandbox);
    }
    return status;
}

/* ---- Loading --------------------------------------------------------------------------------- */

/* A file that is being read. */
typedef struct saved_file {
    const char *path;    /* or what it is called, if it is open already */
    int descriptor;      /* -1 if it is not */
    eryx_engine *engine; /* of the image that it differs from */
    state_header header;
    uint8_t *rest; /* what is behind the header, allocated */
    uint64_t size; /* of the rest */
} saved_file;

static eryx_status refuse_damaged(const char *path, eryx_error *out_error)
{
    return status_fail(ERYX_INITIALIZATION, out_error, "%s: the saved session is damaged", path);
}

static eryx_status refuse_memory(const eryx_sandbox *sandbox, const saved_file *file,
                                 eryx_error *out_error)
{
    return status_fail(ERYX_RESOURCE_LIMIT, out_error,
                       "%s: the session needs %llu bytes of memory, the limit is %llu", file->path,
                       (unsigned long long)(file->header.memory_pages * MEMORY_PAGE_BYTES),
                       (unsigned long long)sandbox->limits.max_memory_bytes);
}

static uint64_t add_saturated(uint64_t left, uint64_t right)
{
    return right > UINT64_MAX - left ? UINT64_MAX : left + right;
}

/* More than a tree of files with that quota takes when it is saved: every byte in a piece of its
 * own, every entry with the longest link there is; and two entries for its roots. */
static uint64_t most_of_tree(vfs_quota quota)
{
    const uint64_t per_byte = 32;
    const uint64_t per_entry = 2 * VFS_PATH_MAX;
    if (quota.max_bytes > UINT64_MAX / per_byte || quota.max_entries > UINT64_MAX / per_entry - 2) {
        return UINT64_MAX;
    }
    return add_saturated(quota.max_bytes * per_byte, (quota.max_entries + 2) * per_entry);
}

static uint64_t most_of_store(const eryx_sandbox *sandbox)
{
    const uint64_t per_handle = 256; /* with a file that has no name any more */
    const vfs_mounts *mounts = sandbox->mounts;
    vfs_quota own = {sandbox->limits.max_vfs_bytes, sandbox->limits.max_vfs_entries};
    uint64_t most = add_saturated(most_of_tree(own), handles_most(&sandbox->handles) * per_handle);
    for (uint32_t i = 0; mounts != NULL && i < mounts->source_count; i++) {
        eryx_storage_usage usage;
        if (eryx_storage_get_usage(mounts->sources[i].storage, &usage) == ERYX_FILE_OK) {
            vfs_quota quota = {usage.max_bytes, usage.max_entries};
            most = add_saturated(most, most_of_tree(quota));
        }
    }
    return most;
}

/* Whether what the header announces is as long as the file, and no more than the sandbox may have:
 * all of it is going to be read. */
static eryx_status check_sizes(const eryx_sandbox *sandbox, const saved_file *file,
                               eryx_error *out_error)
{
    const state_header *header = &file->header;
    uint64_t image_size = file->engine->image.memory_pages * MEMORY_PAGE_BYTES;
    uint64_t limit = sandbox->limits.max_memory_bytes;
    bool fits = header->memory_pages <= 65536 &&
                header->contents_size <= header->memory_pages * MEMORY_PAGE_BYTES &&
                header->range_count <= header->contents_size / IMAGE_PAGE_BYTES;
    uint64_t memory_size =
        fits ? header->range_count * sizeof(live_range) + header->contents_size : 0;
    if (!fits || file->size < memory_size || header->files_size != file->size - memory_size ||
        header->memory_pages * MEMORY_PAGE_BYTES < image_size) {
        return refuse_damaged(file->path, out_error);
    }
    if (header->contents_size > (limit > image_size ? limit : image_size)) {
        return refuse_memory(sandbox, file, out_error);
    }
    if (header->files_size > most_of_store(sandbox)) {
        return status_fail(ERYX_INITIALIZATION, out_error,
                           "%s: the files of the session are more than the limits allow",
                           file->path);
    }
    return ERYX_OK;
}

/* False if there is less. */
static bool read_all(int descriptor, void *out_data, uint64_t size)
{
    uint8_t *to = out_data;
    while (size > 0) {
        ssize_t got = read(descriptor, to, size);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        if (got > 0) {
            to += got;
            size -= (uint64_t)got;
        }
    }
    return true;
}

/* Reads the header, and if it is of this build and as it should be, the rest. */
static eryx_status read_parts(const eryx_sandbox *sandbox, int descriptor, saved_file *file,
                              eryx_error *out_error)
{
    state_header *header = &file->header;
    struct stat attributes;
    if (!host_file_status(descriptor, &attributes) || !S_ISREG(attributes.st_mode) ||
        !read_all(descriptor, header, sizeof *header) ||
        memcmp(header->magic, magic, sizeof magic) != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: not a saved session", file->path);
    }
    eryx_status status =
        seeds_find(sandbox->engine, header->image_checksum, &file->engine, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    if (file->engine == NULL || !state_header_fits(header, FORMAT_VERSION, &file->engine->image)) {
        return status_fail(ERYX_WRONG_BUILD, out_error,
                           "%s: the session was saved by another build of eryx", file->path);
    }
    file->size = (uint64_t)attributes.st_size - sizeof *header;
    status = check_sizes(sandbox, file, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    file->rest = malloc(file->size > 0 ? file->size : 1);
    if (file->rest == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    if (!read_all(descriptor, file->rest, file->size) ||
        header->checksum != state_header_checksum(header, file->rest, file->size)) {
        return refuse_damaged(file->path, out_error);
    }
    return ERYX_OK;
}

static eryx_status read_file(const eryx_sandbox *sandbox, saved_file *file, eryx_error *out_error)
{
    /* Opening a pipe must not wait for somebody to write to it. */
    if (file->descriptor >= 0) {
        return read_parts(sandbox, file->descriptor, file, out_error);
    }
    int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: %s", file->path, strerror(errno));
    }
    eryx_status status = read_parts(sandbox, descriptor, file, out_error);
    close(descriptor);
    return status;
}

/* Takes the file apart. The parts point into its bytes, but for the ranges, which are a copy. */
static eryx_status take_apart(const eryx_sandbox *sandbox, const saved_file *file,
                              live_memory *out_memory, live_bytes *out_store, eryx_error *out_error)
{
    const state_header *header = &file->header;
    if (header->memory_pages > file->engine->image.memory_pages &&
        header->memory_pages * MEMORY_PAGE_BYTES > sandbox->limits.max_memory_bytes) {
        return refuse_memory(sandbox, file, out_error);
    }
    uint64_t ranges_size = header->range_count * sizeof(live_range);
    live_range *ranges = malloc(ranges_size > 0 ? ranges_size : 1);
    if (ranges == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    memcpy(ranges, file->rest, ranges_size);
    if (!state_header_ranges_are_sound(header, ranges, false)) {
        free(ranges);
        return refuse_damaged(file->path, out_error);
    }
    *out_memory = (live_memory){
        .pages = header->memory_pages,
        .stack_pointer = header->stack_pointer,
        .ranges = ranges,
        .range_count = header->range_count,
        .contents = file->rest + ranges_size,
        .size = header->contents_size,
    };
    *out_store = (live_bytes){file->rest + ranges_size + header->contents_size, header->files_size};
    return ERYX_OK;
}

static eryx_status load(eryx_sandbox *sandbox, const char *path, int descriptor,
                        eryx_error *out_error)
{
    saved_file file = {.path = path, .descriptor = descriptor};
    live_bytes store = {0};
    live_state state = {0};
    eryx_status status = read_file(sandbox, &file, out_error);
    if (status == ERYX_OK) {
        status = take_apart(sandbox, &file, &state.memory, &store, out_error);
        state.engine = file.engine;
    }
    if (status != ERYX_OK) {
        goto done;
    }
    vfs_quota quota = {.max_bytes = sandbox->limits.max_vfs_bytes,
                       .max_entries = sandbox->limits.max_vfs_entries};
    eryx_error reason = {.message = ""};
    handles_init(&state.handles, sandbox->handles.limit, sandbox->handles.drop);
    status = live_store_read(&store, sandbox->engine->stdlib, vfs_get_mounts(sandbox->files),
                             &quota, true, &state.files, &state.handles, &reason);
    if (status != ERYX_OK) {
        status_fail(status, out_error, "%s: %s", path, reason.message);
        goto done;
    }
    status = live_storages_any(state.files) ? live_state_copy(&state, sandbox, out_error)
                                            : live_state_move(&state, sandbox, out_error);
    sandbox->needs_entropy = sandbox->needs_entropy || status == ERYX_OK;

done:
    state.memory.contents = NULL; /* of the file */
    live_state_free(&state);
    free(file.rest);
    return status;
}

eryx_status eryx_sandbox_load(eryx_sandbox *sandbox, const char *path, eryx_error *out_error)
{
    if (path == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "no path was given");
    }
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = load(sandbox, path, -1, out_error);
        use_end(sandbox);
    }
    return status;
}

eryx_status saved_file_read(eryx_sandbox *sandbox, int descriptor, const char *name,
                            eryx_error *out_error)
{
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = load(sandbox, name, descriptor, out_error);
        use_end(sandbox);
    }
    return status;
}
