/*
 * A sandbox in a file: a header, the ranges of memory that differ from the image, their contents,
 * and the files of the sandbox (live_store_format.h). In the byte order of the host: a file fits
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

#include "checksum.h"
#include "guest_build.h"
#include "live_state.h"
#include "live_store.h"
#include "status.h"
#include "use.h"

static const char magic[8] = {'E', 'R', 'Y', 'X', 'L', 'I', 'V', 'E'};
static const uint8_t build_id[IMAGE_BUILD_ID_BYTES] = GUEST_BUILD_ID;

enum { FORMAT_VERSION = 2 };

typedef struct file_header {
    char magic[8];
    uint32_t version;
    uint32_t stack_pointer;
    uint8_t build_id[IMAGE_BUILD_ID_BYTES];
    uint64_t image_checksum;
    uint64_t checksum; /* of the header with this field zero, and of all that follows */
    uint64_t memory_pages;
    uint64_t range_count;
    uint64_t contents_size;
    uint64_t store_size;
} file_header;

static uint64_t checksum_of(const file_header *header, const uint8_t *rest, uint64_t size)
{
    file_header copy = *header;
    copy.checksum = 0;
    return checksum_update(checksum_update(0, (const uint8_t *)&copy, sizeof copy), rest, size);
}

/* ---- Saving ---------------------------------------------------------------------------------- */

static bool write_all(int descriptor, const void *data, uint64_t size)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        ssize_t written = write(descriptor, bytes, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            bytes += written;
            size -= (uint64_t)written;
        }
    }
    return true;
}

static eryx_status write_file(const char *path, const uint8_t *data, size_t size,
                              eryx_error *out_error)
{
    size_t room = strlen(path) + sizeof ".XXXXXX";
    char *temporary = malloc(room);
    if (temporary == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    eryx_status status = ERYX_INITIALIZATION;
    snprintf(temporary, room, "%s.XXXXXX", path);
    int descriptor = mkstemp(temporary); /* for the owner only */
    if (descriptor < 0) {
        status_fail(status, out_error, "%s: %s", path, strerror(errno));
        goto done;
    }
    bool written = write_all(descriptor, data, size);
    written = close(descriptor) == 0 && written;
    if (written && rename(temporary, path) == 0) {
        status = ERYX_OK;
    } else {
        status_fail(status, out_error, "%s: %s", path, strerror(errno));
        unlink(temporary);
    }

done:
    free(temporary);
    return status;
}

/* All of the file in one piece, since the checksum is at its begin. */
static eryx_status compose(const eryx_sandbox *sandbox, const live_memory *memory,
                           const live_bytes *store, const char *path, eryx_error *out_error)
{
    file_header header = {
        .version = FORMAT_VERSION,
        .stack_pointer = memory->stack_pointer,
        .image_checksum = sandbox->engine->image.checksum,
        .memory_pages = memory->pages,
        .range_count = memory->range_count,
        .contents_size = memory->size,
        .store_size = store->size,
    };
    memcpy(header.magic, magic, sizeof magic);
    memcpy(header.build_id, build_id, sizeof build_id);
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
    memcpy(to + ranges_size, memory->contents, memory->size);
    memcpy(to + ranges_size + memory->size, store->data, store->size);
    header.checksum = checksum_of(&header, to, size - sizeof header);
    memcpy(data, &header, sizeof header);
    eryx_status status = write_file(path, data, size, out_error);
    free(data);
    return status;
}

static eryx_status save(eryx_sandbox *sandbox, const char *path, bool include_storages,
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
    if (live_memory_capture_flat(&sandbox->map, &sandbox->instance.memory,
                                 sandbox->instance.stack_pointer, &sandbox->engine->image,
                                 &memory)) {
        status = compose(sandbox, &memory, &store, path, out_error);
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
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = save(sandbox, path, include_storages, out_error);
        use_end(sandbox);
    }
    return status;
}

/* ---- Loading --------------------------------------------------------------------------------- */

static eryx_status read_file(const char *path, live_bytes *out_bytes, eryx_error *out_error)
{
    eryx_status status = ERYX_INITIALIZATION;
    /* Opening a pipe must not wait for somebody to write to it. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return status_fail(status, out_error, "%s: %s", path, strerror(errno));
    }
    struct stat attributes;
    if (fstat(descriptor, &attributes) != 0 || !S_ISREG(attributes.st_mode)) {
        status_fail(status, out_error, "%s: not a saved session", path);
        goto done_descriptor;
    }
    size_t size = (size_t)attributes.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data == NULL) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        goto done_descriptor;
    }
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(descriptor, data + done, size - done);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            break;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    *out_bytes = (live_bytes){data, done};
    status = ERYX_OK;

done_descriptor:
    close(descriptor);
    return status;
}

/* Whether the ranges are in order, within the memory, and as long as their contents. */
static bool ranges_are_sound(const file_header *header, const live_range *ranges)
{
    uint64_t memory_size = header->memory_pages * MEMORY_PAGE_BYTES;
    uint64_t end = 0;
    uint64_t contents = 0;
    for (uint64_t i = 0; i < header->range_count; i++) {
        const live_range *range = &ranges[i];
        if ((range->offset | range->size) % IMAGE_PAGE_BYTES != 0 || range->size == 0 ||
            range->offset < end || range->offset > memory_size ||
            range->size > memory_size - range->offset) {
            return false;
        }
        end = range->offset + range->size;
        contents += range->size;
    }
    return contents == header->contents_size;
}

/* Takes the file apart. The parts point into the bytes, but for the ranges, which are a copy. */
static eryx_status take_apart(const eryx_sandbox *sandbox, const char *path,
                              const live_bytes *bytes, live_memory *out_memory,
                              live_bytes *out_store, eryx_error *out_error)
{
    const image *source = &sandbox->engine->image;
    file_header header;
    if (bytes->size < sizeof header || memcmp(bytes->data, magic, sizeof magic) != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: not a saved session", path);
    }
    memcpy(&header, bytes->data, sizeof header);
    const uint8_t *rest = bytes->data + sizeof header;
    uint64_t size = bytes->size - sizeof header;
    if (header.version != FORMAT_VERSION ||
        memcmp(header.build_id, build_id, sizeof build_id) != 0 ||
        header.image_checksum != source->checksum) {
        return status_fail(ERYX_WRONG_BUILD, out_error,
                           "%s: the session was saved by another build of eryx", path);
    }
    bool fits = header.range_count <= size / sizeof(live_range);
    uint64_t ranges_size = fits ? header.range_count * sizeof(live_range) : 0;
    fits = fits && header.contents_size <= size - ranges_size &&
           header.store_size == size - ranges_size - header.contents_size;
    if (!fits || header.memory_pages > 65536 || header.memory_pages < source->memory_pages ||
        header.checksum != checksum_of(&header, rest, size)) {
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: the saved session is damaged",
                           path);
    }
    uint64_t needed = header.memory_pages * MEMORY_PAGE_BYTES;
    if (header.memory_pages > source->memory_pages && needed > sandbox->limits.max_memory_bytes) {
        return status_fail(ERYX_RESOURCE_LIMIT, out_error,
                           "%s: the session needs %llu bytes of memory, the limit is %llu", path,
                           (unsigned long long)needed,
                           (unsigned long long)sandbox->limits.max_memory_bytes);
    }
    live_range *ranges = malloc(ranges_size > 0 ? ranges_size : 1);
    if (ranges == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    memcpy(ranges, rest, ranges_size);
    if (!ranges_are_sound(&header, ranges)) {
        free(ranges);
        return status_fail(ERYX_INITIALIZATION, out_error, "%s: the saved session is damaged",
                           path);
    }
    *out_memory = (live_memory){
        .pages = header.memory_pages,
        .stack_pointer = header.stack_pointer,
        .ranges = ranges,
        .range_count = header.range_count,
        .contents = (uint8_t *)(uintptr_t)(rest + ranges_size),
        .size = header.contents_size,
    };
    *out_store = (live_bytes){(uint8_t *)(uintptr_t)(rest + ranges_size + header.contents_size),
                              header.store_size};
    return ERYX_OK;
}

static eryx_status load(eryx_sandbox *sandbox, const char *path, eryx_error *out_error)
{
    live_bytes bytes = {0};
    live_bytes store = {0};
    live_state state = {0};
    eryx_status status = read_file(path, &bytes, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    status = take_apart(sandbox, path, &bytes, &state.memory, &store, out_error);
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
    state.memory.contents = NULL; /* of the bytes */
    live_state_free(&state);
    free(bytes.data);
    return status;
}

eryx_status eryx_sandbox_load(eryx_sandbox *sandbox, const char *path, eryx_error *out_error)
{
    if (path == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "no path was given");
    }
    eryx_status status = use_begin(sandbox, out_error);
    if (status == ERYX_OK) {
        status = load(sandbox, path, out_error);
        use_end(sandbox);
    }
    return status;
}
