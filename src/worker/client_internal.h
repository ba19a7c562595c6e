/* What the files of the client share. */
#ifndef ERYX_WORKER_CLIENT_INTERNAL_H
#define ERYX_WORKER_CLIENT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/pattern.h"
#include "sandbox/standard_input.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/protocol.h"
#include "worker/served.h"

/* Output of a run, kept until it has ended. */
typedef struct kept_output {
    uint8_t *data;
    size_t size;
    size_t capacity;
} kept_output;

/* A call that nobody has answered. */
typedef struct open_call {
    uint32_t id;
    uint64_t memory_bytes;
} open_call;

struct worker_client {
    channel channel;
    pthread_mutex_t lock; /* of the output, because cancel() comes from other threads */
    uint64_t fork_generation;
    eryx_limits limits;
    bool is_deterministic;
    served *served;                      /* counted; NULL for a sandbox that has nothing here */
    worker_servant *servant;             /* of the worker; borrowed */
    served *network;                     /* counted: network and secrets; NULL without both */
    char connect_host[NET_MAX_NAME + 1]; /* texts of ERYX_EVENT_CONNECT */
    char connect_address[NET_ADDRESS_TEXT_SIZE];
    bool asks_to_connect; /* that event has not been answered */
    vfs *watched; /* the storages of it, for what a run changes; NULL if none can be written */
    eryx_changes *storage_changes; /* of the last run; NULL for none */
    protocol_result overlay;       /* what was told of one last */
    uint8_t *overlay_bytes;        /* that it points into */
    bool is_alive;
    const char *reason; /* why it is not; a constant */
    uint32_t asked;     /* number of the last question */
    uint32_t answered;  /* and of the last answer */

    /* Of the present run, or the last. */
    uint32_t run;
    atomic_bool is_running;
    bool is_broken; /* it has to be reset */
    bool streams;
    bool holds_guest; /* it waits until the caller steps on, as a guest of this process would */
    atomic_bool cancel_waits;
    uint64_t max_display_bytes;
    uint64_t end_ns; /* when the worker is given up (CLOCK_MONOTONIC) */
    standard_input input;
    uint32_t input_asked; /* bytes that the worker waits for; 0 for none */
    open_call *calls;
    size_t call_count;
    size_t call_capacity;
    uint64_t calls_made;
    uint64_t calls_bytes; /* memory of those that are open */
    uint32_t *questions;  /* about files of providers, that nobody has answered */
    size_t question_count;
    size_t question_capacity;
    kept_output written[2];
    eryx_status refused;
    eryx_error refusal;
    protocol_result left;
    uint8_t *result_bytes; /* what it points into */
    bool has_result;
};

/* What a worker says to a question. */
typedef struct worker_answer {
    eryx_status status;
    eryx_error error;
    uint64_t value;
} worker_answer;

/* Whether a client may be used: OK, FORKED or WORKER_CRASHED. */
eryx_status worker_client_check_use(const worker_client *client, eryx_error *out_error);

/* Nothing is said to the worker any more. reason: for people; a constant. */
void worker_client_give_up(worker_client *client, const char *reason);

/* The same, after the socket was found to be in that state. */
void worker_client_give_up_after(worker_client *client, channel_state state);

/* Holds what comes against the limits from now on. */
void worker_client_take_limits(worker_client *client, const eryx_limits *limits);

/*
 * Begins a message, and takes the lock; the caller writes its parts. worker_client_end_message()
 * sends it, with a file unless that is -1; worker_client_leave_message() leaves that to the next
 * one. Both let go of the lock. Errors: OUT_OF_MEMORY (the message is not there), WORKER_CRASHED.
 */
message_writer *worker_client_begin_message(worker_client *client, worker_kind kind,
                                            uint32_t number);
eryx_status worker_client_end_message(worker_client *client, int file, eryx_error *out_error);
eryx_status worker_client_leave_message(worker_client *client);

/* Begins and ends to look at storages: for a run (client_files.c). */
void worker_client_watch_storages(worker_client *client);
void worker_client_end_watch(worker_client *client);

/* Takes WORKER_CHANGES. False if it is not that. */
bool worker_client_take_overlay(worker_client *client, const message *from);

/* A run begins, or is over, for what the network does here (client_network.c). */
void worker_client_begin_network(worker_client *client);
void worker_client_end_network(worker_client *client);

/* Draws new placeholders, which are a part of WORKER_RESET. False if there is no network. */
bool worker_client_renew_network(worker_client *client, message_writer *writer);

/* Whether the embedder is to be asked about a connect; the event, if so. */
bool worker_client_take_connect(worker_client *client, eryx_event *out_event);

/* Has what the client has of a network and secrets known to the worker. */
eryx_status worker_client_tell_network(worker_client *client, worker_servant *servant,
                                       eryx_error *out_error);

/* Two ends of a socket; false with an error. */
bool worker_client_make_sockets(int out_ends[2], eryx_error *out_error);

/* Frees what is about files. */
void worker_client_free_files(worker_client *client);

/* Sends what was left, if there is something. */
void worker_client_flush(worker_client *client);

/* Takes an answer, which has to be that of the oldest question. False if it is not. */
bool worker_client_take_answer(worker_client *client, const message *from,
                               worker_answer *out_answer);

/* Whether the sandbox may be asked between two runs: OK, BUSY, FORKED or WORKER_CRASHED. */
eryx_status worker_client_check(const worker_client *client, eryx_error *out_error);

/* Begins a question, whose parts the caller writes; worker_client_get_answer() sends it, with a
 * file unless that is -1, and waits for its answer. */
message_writer *worker_client_ask(worker_client *client, worker_kind kind);
eryx_status worker_client_get_answer(worker_client *client, int file, worker_answer *out_answer,
                                     eryx_error *out_error);

/* After a question that has put the sandbox into another state; gives the status back. */
eryx_status worker_client_replaced(worker_client *client, eryx_status status);

#endif
