/* Questions to a place about the state of its sandbox: copies of it, checkpoints, saved sessions.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/status.h"
#include "live/saved_file.h"
#include "worker/place.h"

eryx_status place_fork(place *self, eryx_error *out_error)
{
    const int fd = channel_take_file(&self->channel);
    if (fd < 0) {
        place_give_up(self);
        return ERYX_OK;
    }
    place *made = place_create(self->worker, fd);
    if (made == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    const eryx_status status = eryx_sandbox_fork(self->sandbox, &made->sandbox, out_error);
    if (status != ERYX_OK) {
        made->is_gone = true;
    } else if (self->asks != NULL) {
        made->asks = asking_retain(self->asks);
    }
    return status;
}

eryx_status place_checkpoint_make(place *self, uint64_t *out_name, eryx_error *out_error)
{
    place_checkpoint *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    const eryx_status status =
        eryx_checkpoint_create(self->sandbox, false, &made->checkpoint, out_error);
    if (status != ERYX_OK) {
        free(made);
        return status;
    }
    made->name = *out_name = ++self->worker->last_checkpoint;
    made->next = self->checkpoints;
    self->checkpoints = made;
    return ERYX_OK;
}

/* Where a checkpoint hangs, whichever sandbox it was made of; NULL if there is none. */
static place_checkpoint **find_checkpoint(worker *owner, uint64_t name)
{
    for (place *each = owner->places; each != NULL; each = each->next) {
        for (place_checkpoint **link = &each->checkpoints; *link != NULL; link = &(*link)->next) {
            if ((*link)->name == name) {
                return link;
            }
        }
    }
    return NULL;
}

eryx_status place_roll_back(place *self, message_reader *reader, eryx_error *out_error)
{
    place_checkpoint **found = find_checkpoint(self->worker, message_get_u64(reader));
    if (!message_is_whole(reader)) {
        place_give_up(self);
        return ERYX_OK;
    }
    if (found == NULL) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "the checkpoint went with the session that it was made of");
    }
    place_end_run(self);
    return eryx_sandbox_rollback(self->sandbox, (*found)->checkpoint, out_error);
}

eryx_status place_forget(place *self, message_reader *reader)
{
    place_checkpoint **found = find_checkpoint(self->worker, message_get_u64(reader));
    if (found != NULL) {
        place_checkpoint *forgotten = *found;
        *found = forgotten->next;
        eryx_checkpoint_destroy(forgotten->checkpoint);
        free(forgotten);
    }
    return ERYX_OK;
}

eryx_status place_save_or_load(place *self, const message *from, eryx_error *out_error)
{
    message_reader reader = message_read(from);
    const bool loads = from->header.kind == WORKER_LOAD;
    const char *name = loads ? message_get_text(&reader, MESSAGE_MAX_BYTES) : "";
    const int file = channel_take_file(&self->channel);
    if (!message_is_whole(&reader) || file < 0 || name == NULL) {
        place_give_up(self);
        if (file >= 0) {
            close(file);
        }
        return ERYX_OK;
    }
    const eryx_status status = loads ? saved_file_read(self->sandbox, file, name, out_error)
                                     : saved_file_write(self->sandbox, file, out_error);
    close(file);
    return status;
}

/* What is written in an overlay, which is forgotten then if that is wanted. */
eryx_status place_tell_overlay(place *self, const message *from, eryx_error *out_error)
{
    message_reader reader = message_read(from);
    const char *path = message_get_text(&reader, MESSAGE_MAX_BYTES);
    const bool discards = message_get_bool(&reader);
    eryx_changes *changes = NULL;
    if (!message_is_whole(&reader) || path == NULL) {
        place_give_up(self);
        return ERYX_OK;
    }
    if (discards) {
        return eryx_sandbox_volume_discard(self->sandbox, path, out_error);
    }
    const eryx_status status =
        eryx_sandbox_volume_changes(self->sandbox, path, &changes, out_error);
    if (status == ERYX_OK) {
        message_begin(&self->channel.output, WORKER_CHANGES, from->header.number);
        protocol_put_changes(&self->channel.output, changes);
        place_finish_message(self);
    }
    eryx_changes_destroy(changes);
    return status;
}
