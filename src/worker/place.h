/*
 * A sandbox in a worker, with the socket over which its parent uses it: questions are answered and
 * runs are driven, one slice at a time.
 */
#ifndef ERYX_WORKER_PLACE_H
#define ERYX_WORKER_PLACE_H

#include "sandbox/sandbox.h"
#include "worker/asking.h"
#include "worker/channel.h"
#include "worker/far_files.h"
#include "worker/far_network.h"
#include "worker/protocol.h"

/* A state that the parent may have the sandbox go back to. */
typedef struct place_checkpoint {
    struct place_checkpoint *next;
    uint64_t name;
    eryx_checkpoint *checkpoint; /* owned */
} place_checkpoint;

typedef struct place place;

/* An engine of a factory. */
typedef struct place_engine {
    struct place_engine *next;
    uint64_t number;
    eryx_engine *engine; /* owned */
} place_engine;

/* What the places of a worker share. */
typedef struct worker {
    place *places;
    eryx_engine *engine;
    place_engine *engines;             /* of factories, until the worker ends */
    const eryx_native_module **native; /* that all sandboxes may use; owned */
    size_t native_count;
    int poll_fd; /* epoll, of the sockets and of what guests wait for */
    uint64_t last_checkpoint;
} worker;

typedef enum place_activity {
    PLACE_IDLE,    /* no run */
    PLACE_RUNS,    /* the guest can go on now */
    PLACE_WAITS,   /* until wake_ns, a message, or what wait_fd has */
    PLACE_BLOCKED, /* until the parent has taken what was sent */
    PLACE_HELD,    /* until the parent has seen a call */
} place_activity;

struct place {
    place *next;
    worker *worker;
    channel channel;
    eryx_sandbox *sandbox; /* NULL until it is made */
    asking *asks;          /* for what the parent has; counted, shared with forks; NULL for none */
    sandbox_parts parts;   /* of a sandbox that is about to be made; owned */
    place_checkpoint *checkpoints;
    place_activity activity;
    bool is_gone;      /* to be freed */
    bool watches_room; /* the socket is waited for to take more */
    uint32_t run;      /* the number of the present run, or the last */
    bool streams;      /* the parent wants output as it is written */
    uint64_t wake_ns;
    int wait_fd;  /* of the sandbox, in the epoll set; -1 for none */
    int input_fd; /* where standard input goes that the parent sends; -1 for none */
    bool input_asked;
    bool is_woken;     /* something came for the guest since it waited last */
    size_t input_room; /* what it takes at once */
    size_t held;       /* bytes of output that are kept back, since nobody wants them yet */
    uint8_t *held_bytes[2];
    size_t held_sizes[2];
};

/* A place for a socket, which it takes over; NULL without memory. */
place *place_create(worker *owner, int fd);

/* Ends what goes on and frees it. */
void place_destroy(place *self);

/*
 * Reads what a sandbox has besides its limits, of WORKER_CREATE.
 *
 * out_parts: all zeros before; set only as far as there is something.
 */
eryx_status place_take_equipment(place *self, eryx_engine *engine, message_reader *reader,
                                 sandbox_parts *out_parts, eryx_error *out_error);

/* Takes WORKER_NETWORK: parts for a sandbox that is made next, or the socket of a fork. */
eryx_status place_take_network(place *self, const message *from, eryx_error *out_error);

/* The parent says what it should not, or there is no memory to talk with it. */
void place_give_up(place *self);

/* Completes a message, or gives up. */
void place_finish_message(place *self);

/* The run is over, or is dropped. */
void place_end_run(place *self);

/* Questions about the state of the sandbox (place_state.c): parameters as in protocol.h; statuses
 * are those of the answer. */
eryx_status place_fork(place *self, eryx_error *out_error);
eryx_status place_checkpoint_make(place *self, uint64_t *out_name, eryx_error *out_error);
eryx_status place_roll_back(place *self, message_reader *reader, eryx_error *out_error);
eryx_status place_forget(place *self, message_reader *reader);
eryx_status place_save_or_load(place *self, const message *from, eryx_error *out_error);
eryx_status place_tell_overlay(place *self, const message *from, eryx_error *out_error);

/* Takes all messages that have come. */
void place_take_messages(place *self);

/* Lets the guest run for a slice, if it can, and sends what comes of it. */
void place_run(place *self);

/* Sends what can be sent. */
void place_send(place *self);

#endif
