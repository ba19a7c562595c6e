/*
 * The network and the secrets of a sandbox in a worker, on the parent's side: rules, sockets, TLS,
 * and what puts values into requests. Each step is one that a guest of this process could ask for,
 * and goes through the same functions. Threads: one at a time, but for served_network_texts().
 */
#ifndef ERYX_WORKER_SERVED_NETWORK_H
#define ERYX_WORKER_SERVED_NETWORK_H

#include "worker/service.h"

typedef struct served_network served_network;

/* Of the options of a sandbox: network and secrets. Errors as those of eryx_sandbox_create(). */
eryx_status served_network_create(const eryx_sandbox_options *options, served_network **out_network,
                                  eryx_error *out_error);

/* For a copy of the sandbox: the same rules, secrets and placeholders. NULL without memory. */
served_network *served_network_copy(const served_network *network);

/* Ends all of it. NULL is allowed. */
void served_network_destroy(served_network *network);

/* Whether there is something to ask for: else only secrets are described. */
bool served_network_is_asked(const served_network *network);

/* Describes it to the worker, without any value: WORKER_NETWORK. */
void served_network_describe(const served_network *network, message_writer *writer);

/* The placeholders, PLACEHOLDER_SIZE bytes of each, into WORKER_RESET; draws new ones first. */
void served_network_renew(served_network *network, message_writer *writer);

/* A run begins, or is over: then all connections are closed, and nothing is done until the next. */
void served_network_begin_run(served_network *network);
void served_network_end_run(served_network *network);

/* What the result lists, until the next run; its duration comes to be no less. */
void served_network_list(served_network *network, eryx_result *result);

/*
 * Takes a question and writes the parts of its answer.
 *
 * out_file: goes along, and stays the network's; -1 for none. False if the worker says what it
 * should not.
 */
bool served_network_take(served_network *network, const message *from, message_writer *writer,
                         int *out_file);

/* The connect that the embedder is to be asked about: false if there is none. Texts are those of
 * ERYX_EVENT_CONNECT, until the answer. */
bool served_network_asks(const served_network *network, eryx_event *out_event);

/* Its answer. False if nothing is asked. */
bool served_network_answer(served_network *network, bool allow);

#endif
