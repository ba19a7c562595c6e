/*
 * Frozen sandboxes, and engines whose sandboxes begin as one.
 *
 * The bytes are a header, the ranges of memory that differ from the image, their contents, and the
 * files of the sandbox (state/store_format.h), in the byte order of the host. Contents are stored
 * as their difference from the image, so that a page of which a few words have changed packs well.
 */
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "live/live_state.h"
#include "live/state_header.h"
#include "machine/image_over.h"
#include "sandbox/engine.h"
#include "sandbox/seeds.h"
#include "sandbox/use.h"
#include "state/store.h"
#include "vfs/memory.h"
#include "vfs/packages.h"

static const char magic[8] = {'E', 'R', 'Y', 'X', 'F', 'R', 'Z', 'N'};

enum { FORMAT_VERSION = 2 };

/* ---- Freezing -------------------------------------------------------------------------------- */

/* Takes out of a capture what is as in the image after all, so that equal states have equal bytes,
 * and changes the contents to differences. ranges: room for one for each page. */
static void reduce(live_memory *memory, const image *source, live_range *ranges)
{
    static const uint8_t zeros[IMAGE_PAGE_BYTES];
    const uint8_t *from = memory->contents;
    uint8_t *to = memory->contents;
    size_t count = 0;
    for (size_t i = 0; i < memory->range_count; i++) {
        uint64_t end = memory->ranges[i].offset + memory->ranges[i].size;
        for (uint64_t at = memory->ranges[i].offset; at < end; at += IMAGE_PAGE_BYTES) {
            const uint8_t *original = image_page(source, at);
            if (memcmp(from, original != NULL ? original : zeros, IMAGE_PAGE_BYTES) != 0) {
                memmove(to, from, IMAGE_PAGE_BYTES);
                image_over_difference(to, original);
                to += IMAGE_PAGE_BYTES;
                if (count > 0 && ranges[count - 1].offset + ranges[count - 1].size == at) {
                    ranges[count - 1].size += IMAGE_PAGE_BYTES;
                } else {
                    ranges[count++] = (live_range){at, IMAGE_PAGE_BYTES};
                }
            }
            from += IMAGE_PAGE_BYTES;
        }
    }
    free(memory->ranges);
    memory->ranges = ranges;
    memory->range_count = count;
    memory->size = (uint64_t)(to - memory->contents);
}

/* Whether a sandbox has the files that one of the image has. */
static bool files_are_fresh(const eryx_sandbox *sandbox)
{
    return vfs_get_usage(sandbox->files).entries == 0 && sandbox->handles.live == 0;
}

static eryx_status compose(const eryx_sandbox *sandbox, const live_memory *memory,
                           const live_bytes *files, live_bytes *out_bytes, eryx_error *out_error)
{
    state_header header =
        state_header_make(magic, FORMAT_VERSION, &sandbox->engine->image, memory, files->size);
    size_t ranges_size = memory->range_count * sizeof(live_range);
    size_t size = sizeof header + ranges_size + memory->size + files->size;
    uint8_t *data = malloc(size);
    if (data == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    uint8_t *to = data + sizeof header;
    memcpy(to, memory->ranges, ranges_size);
    memcpy(to + ranges_size, memory->contents, memory->size);
    if (files->size > 0) {
        memcpy(to + ranges_size + memory->size, files->data, files->size);
    }
    header.checksum = state_header_checksum(&header, to, size - sizeof header);
    memcpy(data, &header, sizeof header);
    *out_bytes = (live_bytes){data, size};
    return ERYX_OK;
}

static eryx_status freeze(eryx_sandbox *sandbox, live_bytes *out_bytes, eryx_error *out_error)
{
    eryx_status status = live_check_ready(sandbox, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    const image *source = &sandbox->engine->image;
    /* It has written to more than its successors will, which would all pay for it. */
    sandbox->memory_wasted = true;
    if (sandbox->engine->base != NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "a sandbox of a factory cannot be frozen again");
    }
    live_memory memory = {0};
    live_bytes files = {0};
    if (!files_are_fresh(sandbox)) {
        status = live_store_write(sandbox->files, &sandbox->handles, false, &files, out_error);
        if (status != ERYX_OK) {
            return status;
        }
    }
    live_range *ranges = NULL;
    if (live_memory_capture_flat(&sandbox->map, &sandbox->instance.memory,
                                 sandbox->instance.stack_pointer, source, &memory)) {
        ranges = malloc((size_t)(memory.size / IMAGE_PAGE_BYTES + 1) * sizeof *ranges);
    }
    if (ranges == NULL) {
        status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    } else {
        reduce(&memory, source, ranges);
        status = compose(sandbox, &memory, &files, out_bytes, out_error);
    }
    live_memory_free(&memory);
    free(files.data);
    return status;
}

eryx_status eryx_sandbox_freeze(eryx_sandbox *sandbox, uint8_t **out_data, size_t *out_size,
                                eryx_error *out_error)
{
    if (out_data == NULL || out_size == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "there is no place for the bytes");
    }
    eryx_status status = use_begin(sandbox, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    live_bytes bytes = {NULL, 0};
    status = freeze(sandbox, &bytes, out_error);
    if (status == ERYX_OK) {
        *out_data = bytes.data;
        *out_size = bytes.size;
    }
    use_end(sandbox);
    return status;
}

/* ---- Deriving -------------------------------------------------------------------------------- */

static eryx_status check_header(const eryx_engine *base, const state_header *header,
                                const uint8_t *rest, uint64_t size, uint64_t max_memory_bytes,
                                eryx_error *out_error)
{
    const image *source = &base->image;
    if (!state_header_fits(header, FORMAT_VERSION, source)) {
        return status_fail(ERYX_WRONG_BUILD, out_error,
                           "the factory was made by another build of eryx");
    }
    bool fits = header->range_count <= size / sizeof(live_range);
    uint64_t ranges_size = fits ? header->range_count * sizeof(live_range) : 0;
    fits = fits && header->contents_size <= size - ranges_size &&
           header->files_size == size - ranges_size - header->contents_size;
    if (!fits || header->memory_pages > 65536 || header->memory_pages < source->memory_pages ||
        header->checksum != state_header_checksum(header, rest, size)) {
        return status_fail(ERYX_INITIALIZATION, out_error, "the factory is damaged");
    }
    uint64_t memory_size = header->memory_pages * MEMORY_PAGE_BYTES;
    if (header->memory_pages > source->memory_pages && memory_size > max_memory_bytes) {
        return status_fail(ERYX_RESOURCE_LIMIT, out_error,
                           "the factory needs %llu bytes of memory, the limit is %llu",
                           (unsigned long long)memory_size, (unsigned long long)max_memory_bytes);
    }
    return ERYX_OK;
}

/* What files that were written in so many bytes may take beside the bytes themselves. */
static vfs_quota quota_of_files(uint64_t size)
{
    const uint64_t entry_size = 64; /* of the shortest entry, or less */
    return (vfs_quota){.max_bytes = MEMORY_FILE_WRITTEN_MAX, .max_entries = size / entry_size + 2};
}

/* Whether the files can be had: a sandbox that they do not fit into says so when it is made. */
static eryx_status take_files(eryx_engine *engine, const uint8_t *data, uint64_t size,
                              eryx_error *out_error)
{
    if (size == 0) {
        return ERYX_OK;
    }
    live_bytes bytes = {malloc(size), size};
    if (bytes.data == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    memcpy(bytes.data, data, size);
    engine->start_files = bytes.data;
    engine->start_files_size = size;
    vfs *files = NULL;
    handle_table handles;
    vfs_quota quota = quota_of_files(size);
    handles_init(&handles, 1 << 24, NULL);
    eryx_error reason = {.message = ""};
    eryx_status status = live_store_read(&bytes, engine->stdlib, engine->mounts, &quota, false,
                                         &files, &handles, &reason);
    if (status != ERYX_OK) {
        return status_fail(status, out_error, "the factory is damaged: %s", reason.message);
    }
    handles_clear(&handles);
    vfs_destroy(files);
    return ERYX_OK;
}

static eryx_status take_packages(eryx_engine *engine, eryx_packages *packages,
                                 eryx_error *out_error)
{
    if (packages == NULL) {
        return ERYX_OK;
    }
    engine->packages = packages_retain(packages);
    if (vfs_mounts_create(&engine->mounts) != VFS_OK ||
        vfs_mounts_add_packages(engine->mounts, packages) != VFS_OK) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    return ERYX_OK;
}

static eryx_status take_memory(eryx_engine *engine, const state_header *header, const uint8_t *rest,
                               eryx_error *out_error)
{
    size_t ranges_size = (size_t)header->range_count * sizeof(live_range);
    live_range *ranges = malloc(ranges_size > 0 ? ranges_size : 1);
    if (ranges == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    memcpy(ranges, rest, ranges_size);
    eryx_status status;
    if (state_header_ranges_are_sound(header, ranges, true)) {
        const live_memory memory = {
            .pages = header->memory_pages,
            .stack_pointer = header->stack_pointer,
            .ranges = ranges,
            .range_count = (size_t)header->range_count,
            .contents = (uint8_t *)(uintptr_t)(rest + ranges_size),
            .size = header->contents_size,
        };
        status = image_over_create(&engine->base->image, &memory, header->checksum, &engine->image,
                                   out_error);
    } else {
        status = status_fail(ERYX_INITIALIZATION, out_error, "the factory is damaged");
    }
    free(ranges);
    return status;
}

eryx_status eryx_engine_derive(eryx_engine *base, const uint8_t *data, size_t size,
                               eryx_packages *packages, uint64_t max_memory_bytes,
                               eryx_engine **out_engine, eryx_error *out_error)
{
    if (base == NULL || data == NULL || out_engine == NULL || base->base != NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "a factory needs an engine that was opened, and a frozen sandbox");
    }
    state_header header;
    if (size < sizeof header || memcmp(data, magic, sizeof magic) != 0) {
        return status_fail(ERYX_INITIALIZATION, out_error, "the bytes are no frozen sandbox");
    }
    memcpy(&header, data, sizeof header);
    const uint8_t *rest = data + sizeof header;
    eryx_engine *frozen_over;
    eryx_status status = seeds_find(base, header.image_checksum, &frozen_over, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    base = frozen_over != NULL ? frozen_over : base;
    status = check_header(base, &header, rest, size - sizeof header, max_memory_bytes, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    eryx_engine *engine;
    status = engine_create_over(base, &engine, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    status = take_packages(engine, packages, out_error);
    if (status == ERYX_OK) {
        const uint8_t *files =
            rest + header.range_count * sizeof(live_range) + header.contents_size;
        status = take_files(engine, files, header.files_size, out_error);
    }
    if (status == ERYX_OK) {
        status = take_memory(engine, &header, rest, out_error);
    }
    if (status != ERYX_OK) {
        eryx_engine_destroy(engine);
        return status;
    }
    engine->has_image = true;
    *out_engine = engine;
    return ERYX_OK;
}
