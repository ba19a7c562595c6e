/* What a sandbox of a worker has from its parent (service.h). */
#include <stdlib.h>
#include <unistd.h>

#include "base/status.h"
#include "net/net.h"
#include "secrets/secrets.h"
#include "worker/place.h"

/* Things that are mounted in one sandbox, whatever the parent says. */
enum { MOST_SOURCES = 65536 };

/* One source of the description (service_source). */
typedef struct source {
    const char *path;
    uint32_t kind;
    bool read_only;
    uint32_t number;
    uint32_t storage;
    uint64_t cache_ns;
} source;

static bool get_source(message_reader *reader, source *out_source)
{
    out_source->path = message_get_text(reader, VFS_PATH_MAX);
    out_source->kind = message_get_u32(reader);
    out_source->read_only = message_get_bool(reader);
    out_source->number = message_get_u32(reader);
    out_source->storage = message_get_u32(reader);
    out_source->cache_ns = message_get_u64(reader);
    return !reader->is_bad && out_source->path != NULL && out_source->kind <= SERVICE_PROVIDER;
}

static vfs_error add_volume(vfs_mounts *mounts, far_files *files, uint32_t index,
                            const source *added)
{
    const far_volume_options options = {
        .number = index,
        .storage = added->storage,
        .root_type = added->number == VFS_TYPE_FILE ? VFS_TYPE_FILE : VFS_TYPE_DIRECTORY,
        .is_storage = added->kind == SERVICE_STORAGE};
    host_volume *volume = far_volume_create(files, &options);
    if (volume == NULL) {
        return VFS_INSUFFICIENT_MEMORY;
    }
    const vfs_error error =
        added->kind == SERVICE_OVERLAY
            ? vfs_mounts_add_overlay(mounts, added->path, volume)
            : vfs_mounts_add_volume(mounts, added->path, volume, added->read_only);
    if (error != VFS_OK) {
        host_volume_close(volume);
    }
    return error;
}

static vfs_error add_sources(vfs_mounts *mounts, asking *asks, message_reader *reader,
                             uint32_t count)
{
    far_files *files = far_files_create(asks);
    vfs_error error = files == NULL ? VFS_INSUFFICIENT_MEMORY : VFS_OK;
    for (uint32_t i = 0; error == VFS_OK && i < count; i++) {
        source added;
        if (!get_source(reader, &added)) {
            error = VFS_INVALID;
        } else if (added.kind == SERVICE_PROVIDER) {
            error = vfs_mounts_add_provider(mounts, added.path, added.number, added.read_only,
                                            added.cache_ns);
        } else {
            error = add_volume(mounts, files, i, &added);
        }
    }
    far_files_release(files);
    return error;
}

static eryx_status mount(place *self, eryx_engine *engine, message_reader *reader, uint32_t count,
                         sandbox_parts *out_parts, eryx_error *out_error)
{
    vfs_mounts *mounts;
    vfs_error error = vfs_mounts_create(&mounts);
    if (error != VFS_OK) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    error = add_sources(mounts, self->asks, reader, count);
    if (error == VFS_OK && engine->packages != NULL) {
        error = vfs_mounts_add_packages(mounts, engine->packages);
    }
    if (error != VFS_OK) {
        vfs_mounts_release(mounts);
        return status_fail(error == VFS_INSUFFICIENT_MEMORY ? ERYX_OUT_OF_MEMORY
                                                            : ERYX_INVALID_ARGUMENT,
                           out_error, "what the parent has cannot be mounted");
    }
    out_parts->mounts = mounts;
    return ERYX_OK;
}

eryx_status place_take_equipment(place *self, eryx_engine *engine, message_reader *reader,
                                 sandbox_parts *out_parts, eryx_error *out_error)
{
    const uint32_t count = message_get_u32(reader);
    if (reader->is_bad || count > MOST_SOURCES) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a message that makes no sense");
    }
    if (count == 0) {
        return ERYX_OK;
    }
    const int fd = channel_take_file(&self->channel);
    self->asks = fd >= 0 ? asking_create(fd) : NULL;
    if (self->asks == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    return mount(self, engine, reader, count, out_parts, out_error);
}

/* ---- Network and secrets ----------------------------------------------------------------------
 */

/* Stands for each value: those are with the parent alone. */
static const char no_value[] = "it is not here";

static eryx_status get_secrets(message_reader *reader, secrets **out_secrets, eryx_error *out_error)
{
    eryx_secret named[ERYX_MAX_SECRETS];
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.scrub = message_get_u32(reader);
    const uint32_t count = message_get_u32(reader);
    bool sound = count <= ERYX_MAX_SECRETS;
    for (uint32_t i = 0; sound && i < count; i++) {
        named[i] = (eryx_secret){
            .name = message_get_text(reader, MESSAGE_MAX_BYTES),
            .value = {.data = (const uint8_t *)no_value, .size = sizeof no_value - 1}};
        sound = named[i].name != NULL;
    }
    const eryx_bytes texts = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    if (!sound || !message_is_whole(reader)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a message that makes no sense");
    }
    options.secrets = named;
    options.secret_count = count;
    secrets *made = NULL;
    const eryx_status status = secrets_create(&options, &made, out_error);
    if (status == ERYX_OK && made != NULL && !secrets_use_far(made, texts.data, texts.size)) {
        secrets_destroy(made);
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "a message that makes no sense");
    }
    *out_secrets = made;
    return status;
}

/* The network asks over the socket that came along. */
static eryx_status connect_network(place *self, net *network, eryx_error *out_error)
{
    const int fd = channel_take_file(&self->channel);
    asking *asks = fd >= 0 ? asking_create(fd) : NULL;
    if (asks == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    net_use_far(network, far_network(asks));
    return ERYX_OK;
}

eryx_status place_take_network(place *self, const message *from, eryx_error *out_error)
{
    message_reader reader = message_read(from);
    const bool has_network = message_get_bool(&reader);
    net_limits limits = {.max_total_connections = UINT64_MAX, .max_bytes = UINT64_MAX};
    limits.max_connections = message_get_u64(&reader);
    limits.io_timeout_ms = message_get_u64(&reader);
    limits.connect_timeout_ms = message_get_u64(&reader);
    limits.ask_on_connect = message_get_bool(&reader);
    if (self->sandbox != NULL) {
        /* A fork, which has the rest already. */
        return has_network && net_is_far(self->sandbox->net)
                   ? connect_network(self, self->sandbox->net, out_error)
                   : ERYX_OK;
    }
    eryx_status status = get_secrets(&reader, &self->parts.secrets, out_error);
    if (status == ERYX_OK && has_network) {
        if (!net_create_far(&limits, &self->parts.net)) {
            return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        }
        status = connect_network(self, self->parts.net, out_error);
    }
    return status;
}
