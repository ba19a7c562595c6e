/*
 * What the parent of a worker does for one sandbox there (service.h): it holds the files, and takes
 * the questions about them. Threads: any; one at a time is inside.
 */
#ifndef ERYX_WORKER_SERVED_H
#define ERYX_WORKER_SERVED_H

#include <pthread.h>
#include <stdatomic.h>

#include "worker/channel.h"
#include "worker/served_files.h"
#include "worker/served_network.h"

/* Storages of a checkpoint of the worker. */
typedef struct served_checkpoint {
    struct served_checkpoint *next;
    uint64_t name;
    served_kept *kept; /* owned */
} served_checkpoint;

typedef struct served {
    struct served *next; /* of those of its servant */
    atomic_size_t references;
    uint64_t fork_generation; /* of the process that made it */
    pthread_mutex_t lock;     /* of all that follows */
    channel channel;          /* -1 once it has ended */
    bool waits_for_room;      /* of the servant: the socket is waited for to take more */
    vfs_mounts *mounts;       /* counted */
    descriptor_share *descriptors;
    served_files *files;            /* NULL once it has ended, and in one for the network */
    served_network *network;        /* the same, in one for files */
    uint32_t users;                 /* clients; with the last it ends */
    served_checkpoint *checkpoints; /* owned */
    atomic_bool is_broken;          /* the worker has said what it should not */
} served;

/* Whether a sandbox with these options needs one. */
bool served_is_needed(const eryx_sandbox_options *options);

/*
 * Opens what the options have.
 *
 * out_served: with one owner.
 * Errors: those of eryx_sandbox_create() for these options.
 */
eryx_status served_create(const eryx_sandbox_options *options, served **out_served,
                          eryx_error *out_error);

/* The same for network and secrets, which a sandbox shares with nobody. */
bool served_network_is_needed(const eryx_sandbox_options *options);
eryx_status served_create_network(const eryx_sandbox_options *options, served **out_served,
                                  eryx_error *out_error);

/* One for a fork; NULL without memory. */
served *served_copy_network(served *original);

/* One more owner. NULL gives NULL. */
served *served_retain(served *self);

/* One owner less. NULL is allowed. */
void served_release(served *self);

/* Whether a provider of that number may be asked for that (eryx_files_operation). self: NULL for
 * nothing. */
bool served_allows(const served *self, uint32_t provider, uint32_t operation);

/* Describes it to the worker, as a part of WORKER_CREATE; self: NULL for nothing. */
void served_describe(const served *self, message_writer *writer);

/* What is left to do after served_go_on(). */
typedef enum served_state {
    SERVED_WAITS,   /* for questions */
    SERVED_SENDS,   /* until the worker has taken an answer */
    SERVED_IS_BUSY, /* there are more questions already */
    SERVED_HAS_ENDED,
} served_state;

/* Answers what has come. */
served_state served_go_on(served *self);

/* Closes the socket and all files. */
void served_end(served *self);

/* One more client, or one less: with the last it ends, at once. NULL is allowed. */
void served_use(served *self);
void served_unuse(served *self);

/* Keeps the storages for a checkpoint of that name, puts them back, and forgets them. Nothing is
 * done for a name without any. Errors: OUT_OF_MEMORY, RESOURCE_LIMIT. */
eryx_status served_keep(served *self, uint64_t name, eryx_error *out_error);
eryx_status served_put_back(served *self, uint64_t name, eryx_error *out_error);
void served_forget(served *self, uint64_t name);

#endif
