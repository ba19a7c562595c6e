/* What a client has to do with files: storages, which are here, and overlays, which are there. */
#include <stdlib.h>
#include <string.h>

#include "base/forks.h"
#include "base/status.h"
#include "vfs/changes.h"
#include "worker/client_internal.h"

/* ---- Storages ---------------------------------------------------------------------------------
 */

/* A tree that shows what is served, as a place to watch the storages from. NULL if none of them can
 * be written, or without memory. */
static vfs *make_watched(const served *from)
{
    static const vfs_quota nothing = {0, 0};
    bool is_needed = false;
    for (uint32_t i = 0; i < from->mounts->source_count; i++) {
        const vfs_source *source = &from->mounts->sources[i];
        is_needed = is_needed || (source->storage != NULL && !source->read_only);
    }
    vfs *files = NULL;
    if (!is_needed || vfs_create(NULL, &nothing, &files) != VFS_OK) {
        return NULL;
    }
    if (vfs_use_mounts(files, from->mounts) != VFS_OK) {
        vfs_destroy(files);
        return NULL;
    }
    return files;
}

void worker_client_watch_storages(worker_client *client)
{
    eryx_changes_destroy(client->storage_changes);
    client->storage_changes = NULL;
    if (client->served == NULL) {
        return;
    }
    if (client->watched == NULL) {
        client->watched = make_watched(client->served);
    }
    if (client->watched != NULL) {
        vfs_watch_begin(client->watched);
    }
}

void worker_client_end_watch(worker_client *client)
{
    if (client->watched != NULL) {
        eryx_changes_destroy(client->storage_changes);
        client->storage_changes = vfs_watch_end(client->watched);
    }
}

const eryx_changes *worker_client_storage_changes(const worker_client *client)
{
    return client->storage_changes;
}

/* ---- Overlays ---------------------------------------------------------------------------------
 */

static void forget_overlay(worker_client *client)
{
    protocol_result_free(&client->overlay);
    free(client->overlay_bytes);
    client->overlay_bytes = NULL;
}

bool worker_client_take_overlay(worker_client *client, const message *from)
{
    forget_overlay(client);
    uint8_t *copy = malloc(from->header.size > 0 ? from->header.size : 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, from->payload, from->header.size);
    const message kept = {.header = from->header, .payload = copy};
    message_reader reader = message_read(&kept);
    if (!protocol_get_changes(&reader, &client->overlay)) {
        free(copy);
        return false;
    }
    client->overlay_bytes = copy;
    return true;
}

static eryx_status ask(worker_client *client, const char *guest_path, bool discards,
                       eryx_error *out_error)
{
    worker_answer answer;
    const eryx_status status = worker_client_check(client, out_error);
    forget_overlay(client);
    if (status != ERYX_OK) {
        return status;
    }
    message_writer *writer = worker_client_ask(client, WORKER_OVERLAY);
    message_put_text(writer, guest_path);
    message_put_u8(writer, discards);
    return worker_client_get_answer(client, -1, &answer, out_error);
}

eryx_status worker_client_overlay_changes(worker_client *client, const char *guest_path,
                                          const protocol_result **out_changes,
                                          eryx_error *out_error)
{
    const eryx_status status = ask(client, guest_path, false, out_error);
    if (status == ERYX_OK) {
        *out_changes = &client->overlay;
    }
    return status;
}

eryx_status worker_client_overlay_discard(worker_client *client, const char *guest_path,
                                          eryx_error *out_error)
{
    return ask(client, guest_path, true, out_error);
}

/* ---- Both -------------------------------------------------------------------------------------
 */

void worker_client_free_files(worker_client *client)
{
    eryx_changes_destroy(client->storage_changes);
    vfs_destroy(client->watched);
    client->watched = NULL;
    served_unuse(client->served);
    served_release(client->served);
    forget_overlay(client);
}
