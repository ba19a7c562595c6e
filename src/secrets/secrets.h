/*
 * The secrets of one sandbox: the placeholders that its guest has, what takes these out of its
 * output, and the filters that put values into its requests. NULL for a sandbox without secrets:
 * all functions take that and do nothing. Threads: the one that uses the sandbox.
 */
#ifndef ERYX_SECRETS_H
#define ERYX_SECRETS_H

#include "machine/guest_instance.h"
#include "net/connection.h"
#include "protocol/secrets.h"
#include "secrets/placeholder.h"
#include "secrets/redact.h"
#include "secrets/scrub.h"
#include "secrets/store.h"

typedef struct secrets {
    secret_store *store; /* counted reference */
    placeholder_set placeholders;
    uint32_t scrub; /* ERYX_SCRUB_... */
    bool is_far;    /* somebody else has the values, and draws the placeholders */
    bool any_sent;
    bool sent[ERYX_MAX_SECRETS]; /* the value has left, and may come back with any answer */
    redact_matcher *matcher;     /* made with the first value that is sent: most never are */
    scrub_stream streams[2];
    struct {
        uint8_t *data;
        size_t size;
    } scratch[2];
} secrets;

/*
 * Makes the secrets that the options of a sandbox have; *out_secrets is NULL if they have none.
 *
 * out_secrets: owned by the caller, freed with secrets_destroy().
 * Errors: INVALID_ARGUMENT (the message names what is malformed), OUT_OF_MEMORY.
 */
eryx_status secrets_create(const eryx_sandbox_options *options, secrets **out_secrets,
                           eryx_error *out_error);

/* Makes those of a copy of the sandbox, with the same placeholders: they are in its memory. NULL
 * gives NULL. False without memory. */
bool secrets_copy(const secrets *original, secrets **out_copy);

/* Has the placeholders be those that somebody else has drawn, who has the values: those here are
 * made up. texts: PLACEHOLDER_SIZE bytes of each. False if they are not so many. */
bool secrets_use_far(secrets *state, const uint8_t *texts, size_t size);

/* Draws new placeholders, for a sandbox whose memory is as new. False without memory; the old ones
 * stay then. */
bool secrets_renew(secrets *state);

/* Wipes and frees them. No filter may be left. */
void secrets_destroy(secrets *state);

/* A run begins: output that was held back is forgotten. */
void secrets_begin_run(secrets *state);

/* ---- Scrubbing ------------------------------------------------------------------------------- */

/*
 * Takes placeholders out of text. where: one of ERYX_SCRUB_...; if it is not set, nothing is done.
 *
 * slot: 0 or 1. If something has to be taken out, *io_data and *io_size become a copy, which is
 * valid until the slot is used again; else they stay as they are.
 * False without memory: the text must then not be handed on.
 */
bool secrets_scrub(secrets *state, uint32_t where, int slot, const uint8_t **io_data,
                   size_t *io_size);

/* The same for bytes that must keep their number (ERYX_SCRUB_FILES); uses slot 0. */
bool secrets_scrub_file(secrets *state, const uint8_t **io_data, size_t size);

/* The same in place for text that the caller may change; returns its new size. */
size_t secrets_scrub_in_place(const secrets *state, uint32_t where, uint8_t *data, size_t size);

/* The same for the next bytes of stdout (1) or stderr (2): a placeholder may be split over calls,
 * and the start of one is held back. Uses slot 0. */
bool secrets_scrub_output(secrets *state, int stream, const uint8_t **io_data, size_t *io_size);

/* Gives what is held back at the end of the run. Returns the bytes written to out. */
size_t secrets_flush_output(secrets *state, int stream, uint8_t out[PLACEHOLDER_SIZE]);

/* What finds the values in answers, made if there is none; NULL without memory. */
const redact_matcher *secrets_matcher(secrets *state);

/* ---- The network ----------------------------------------------------------------------------- */

/*
 * Makes what puts the values into the requests of a connection and takes them out of the answers.
 *
 * network: that of the sandbox, NULL for none.
 * connection: a plain one that is connected, or the one that a TLS session is attached to; NULL for
 * a TLS session without one.
 * tls_name: the name or address that the server's certificate is checked against, normalized; NULL
 * for a plain connection.
 * out_filter: owned by the caller until it is destroyed, which has to be before the sandbox is;
 * NULL if the sandbox has no secrets. It refers to the connection.
 * False without memory.
 */
bool secrets_new_filter(secrets *state, net *network, net_connection *connection,
                        const char *tls_name, net_filter **out_filter);

#endif
