#include "worker/served.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/forks.h"
#include "base/status.h"
#include "sandbox/mounts.h"

/* Questions that are answered at a time: others wait as well. */
enum { MOST_QUESTIONS = 32 };

bool served_is_needed(const eryx_sandbox_options *options)
{
    return options->mount_count > 0 || options->volume_count > 0 || options->provider_count > 0;
}

static eryx_status open_files(served *self, const eryx_sandbox_options *options,
                              eryx_error *out_error)
{
    self->descriptors = descriptors_share_create();
    if (self->descriptors == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    eryx_status status =
        sandbox_mounts_open(options, NULL, self->descriptors, &self->mounts, out_error);
    if (status == ERYX_OK) {
        self->files = served_files_create(self->mounts);
        if (self->files == NULL) {
            status = status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
        }
    }
    return status;
}

/* With nothing to serve yet; NULL without memory. */
static served *create(void)
{
    served *self = calloc(1, sizeof *self);
    if (self != NULL) {
        self->fork_generation = forks_generation();
        self->channel = (channel){.fd = -1, .file = -1};
        atomic_init(&self->references, 1);
        atomic_init(&self->is_broken, false);
        pthread_mutex_init(&self->lock, NULL);
    }
    return self;
}

bool served_network_is_needed(const eryx_sandbox_options *options)
{
    return options->network != NULL || options->secret_count > 0;
}

eryx_status served_create_network(const eryx_sandbox_options *options, served **out_served,
                                  eryx_error *out_error)
{
    served *self = create();
    if (self == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    const eryx_status status = served_network_create(options, &self->network, out_error);
    if (status != ERYX_OK) {
        served_release(self);
        return status;
    }
    *out_served = self;
    return ERYX_OK;
}

served *served_copy_network(served *original)
{
    served *self = create();
    pthread_mutex_lock(&original->lock);
    if (self != NULL && original->network != NULL) {
        self->network = served_network_copy(original->network);
    }
    pthread_mutex_unlock(&original->lock);
    if (self != NULL && self->network == NULL) {
        served_release(self);
        return NULL;
    }
    return self;
}

eryx_status served_create(const eryx_sandbox_options *options, served **out_served,
                          eryx_error *out_error)
{
    served *self = create();
    if (self == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    const eryx_status status = open_files(self, options, out_error);
    if (status != ERYX_OK) {
        served_release(self);
        return status;
    }
    *out_served = self;
    return ERYX_OK;
}

served *served_retain(served *self)
{
    if (self != NULL) {
        atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    }
    return self;
}

/* Closes files, and all that is kept of them. */
static void end_files(served *self)
{
    while (self->checkpoints != NULL) {
        served_checkpoint *first = self->checkpoints;
        self->checkpoints = first->next;
        served_kept_free(first->kept);
        free(first);
    }
    served_files_destroy(self->files);
    self->files = NULL;
    served_network_destroy(self->network);
    self->network = NULL;
}

void served_release(served *self)
{
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (self->fork_generation != forks_generation()) {
        return; /* a thread that is not here may have been in the middle of it */
    }
    served_end(self);
    vfs_mounts_release(self->mounts);
    descriptors_share_release(self->descriptors);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

void served_describe(const served *self, message_writer *writer)
{
    if (self == NULL) {
        message_put_u32(writer, 0);
    } else {
        served_files_describe(self->files, writer);
    }
}

bool served_allows(const served *self, uint32_t provider, uint32_t operation)
{
    if (self == NULL || operation < ERYX_FILES_STAT || operation > ERYX_FILES_MAKE_DIRECTORY) {
        return false;
    }
    const bool reads = operation <= ERYX_FILES_READ;
    for (uint32_t i = 0; i < self->mounts->source_count; i++) {
        const vfs_source *source = &self->mounts->sources[i];
        if (source->provided && source->provider == provider) {
            return reads || !source->read_only;
        }
    }
    return false;
}

/* Answers one question. out_file: goes along. False if it makes no sense, or there is no memory. */
static bool answer(served *self, const message *came, int *out_file)
{
    message_writer *writer = &self->channel.output;
    if (self->network != NULL) {
        message_begin(writer, SERVICE_ANSWER, came->header.number);
        return served_network_take(self->network, came, writer, out_file) && message_end(writer);
    }
    if (!service_has_answer(came->header.kind)) {
        return served_files_take(self->files, came, NULL);
    }
    message_begin(writer, SERVICE_ANSWER, came->header.number);
    return served_files_take(self->files, came, writer) && message_end(writer);
}

/* What a state of the socket means for the service. */
static served_state state_of(channel_state state)
{
    return state == CHANNEL_AGAIN ? SERVED_SENDS : SERVED_HAS_ENDED;
}

static served_state take_questions(served *self)
{
    channel_state state = channel_send(&self->channel);
    for (int i = 0; state == CHANNEL_OK && i < MOST_QUESTIONS; i++) {
        message came;
        int file = -1;
        state = channel_receive(&self->channel, &came);
        if (state == CHANNEL_AGAIN) {
            return SERVED_WAITS;
        }
        if (state == CHANNEL_BROKEN || (state == CHANNEL_OK && !answer(self, &came, &file))) {
            atomic_store(&self->is_broken, true);
            return SERVED_HAS_ENDED;
        }
        if (state != CHANNEL_OK) {
            return SERVED_HAS_ENDED;
        }
        state =
            file >= 0 ? channel_send_with_file(&self->channel, file) : channel_send(&self->channel);
        if (state == CHANNEL_OK && !channel_has_message(&self->channel)) {
            return SERVED_WAITS; /* it asks one at a time */
        }
    }
    return state == CHANNEL_OK ? SERVED_IS_BUSY : state_of(state);
}

served_state served_go_on(served *self)
{
    pthread_mutex_lock(&self->lock);
    const served_state state =
        self->files != NULL || self->network != NULL ? take_questions(self) : SERVED_HAS_ENDED;
    pthread_mutex_unlock(&self->lock);
    return state;
}

/* A child of this process may have the socket as well. */
static void shut(served *self)
{
    if (self->channel.fd >= 0) {
        shutdown(self->channel.fd, SHUT_RDWR);
    }
}

void served_end(served *self)
{
    pthread_mutex_lock(&self->lock);
    shut(self);
    channel_close(&self->channel);
    end_files(self);
    pthread_mutex_unlock(&self->lock);
}

void served_use(served *self)
{
    if (self != NULL) {
        pthread_mutex_lock(&self->lock);
        self->users++;
        pthread_mutex_unlock(&self->lock);
    }
}

void served_unuse(served *self)
{
    if (self == NULL || self->fork_generation != forks_generation()) {
        return;
    }
    pthread_mutex_lock(&self->lock);
    if (--self->users == 0) {
        shut(self); /* which has the servant close it */
        end_files(self);
        vfs_mounts_release(self->mounts);
        self->mounts = NULL;
    }
    pthread_mutex_unlock(&self->lock);
}

/* ---- Checkpoints ------------------------------------------------------------------------------
 */

static eryx_status status_of(vfs_error error, eryx_error *out_error)
{
    switch (error) {
    case VFS_OK:
        return ERYX_OK;
    case VFS_INSUFFICIENT_SPACE:
        return status_fail(ERYX_RESOURCE_LIMIT, out_error, "the storages are too large");
    default:
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
}

eryx_status served_keep(served *self, uint64_t name, eryx_error *out_error)
{
    if (self == NULL) {
        return ERYX_OK;
    }
    served_checkpoint *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    made->name = name;
    pthread_mutex_lock(&self->lock);
    const vfs_error error =
        self->files != NULL ? served_files_keep(self->files, &made->kept) : VFS_OK;
    if (error == VFS_OK) {
        made->next = self->checkpoints;
        self->checkpoints = made;
    } else {
        free(made);
    }
    pthread_mutex_unlock(&self->lock);
    return status_of(error, out_error);
}

/* Where a checkpoint hangs; the end if there is none. */
static served_checkpoint **find_checkpoint(served *self, uint64_t name)
{
    served_checkpoint **link = &self->checkpoints;
    while (*link != NULL && (*link)->name != name) {
        link = &(*link)->next;
    }
    return link;
}

eryx_status served_put_back(served *self, uint64_t name, eryx_error *out_error)
{
    vfs_error error = VFS_OK;
    if (self == NULL) {
        return ERYX_OK;
    }
    pthread_mutex_lock(&self->lock);
    const served_checkpoint *found = *find_checkpoint(self, name);
    if (found != NULL && found->kept != NULL && self->files != NULL) {
        error = served_files_put_back(self->files, found->kept);
    }
    pthread_mutex_unlock(&self->lock);
    return status_of(error, out_error);
}

void served_forget(served *self, uint64_t name)
{
    if (self == NULL) {
        return;
    }
    pthread_mutex_lock(&self->lock);
    served_checkpoint **link = find_checkpoint(self, name);
    served_checkpoint *found = *link;
    if (found != NULL) {
        *link = found->next;
        served_kept_free(found->kept);
        free(found);
    }
    pthread_mutex_unlock(&self->lock);
}
