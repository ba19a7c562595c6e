/*
 * A connection with secrets but without a socket, for tests: what the filter sends is kept, what it
 * receives is given. The secrets are KEY (for api.example.com and 192.0.2.*) and OTHER (for
 * other.example.com); DEFAULT is for what the network allows.
 */
#ifndef ERYX_SECRETS_RIG_H
#define ERYX_SECRETS_RIG_H

#include <stdlib.h>
#include <string.h>

#include "net/internal.h"
#include "sandbox/sandbox.h"
#include "secrets/secrets.h"

#define RIG_KEY "k3y/VALUE+1 &x"
#define RIG_OTHER "0ther-value-22"
#define RIG_DEFAULT "d3fault.value"

enum { RIG_MAX = 1 << 20 };

typedef struct rig {
    eryx_sandbox sandbox;
    net_connection connection;
    net_filter *filter;
    net_transport below;
    char sent[RIG_MAX]; /* terminated */
    size_t sent_size;
    size_t write_limit; /* bytes that one write takes, 0 for all */
    bool is_full;       /* writes give AGAIN */
    const char *input;
    size_t input_size;
    size_t read_limit; /* bytes that one read gives, 0 for all */
    bool is_closed;    /* after the input comes the end, not AGAIN */
} rig;

static inline net_io rig_write(void *self, const uint8_t *data, size_t size, size_t *out_size)
{
    rig *made = self;
    if (made->is_full) {
        return NET_IO_AGAIN;
    }
    size = made->write_limit > 0 && size > made->write_limit ? made->write_limit : size;
    if (size > RIG_MAX - 1 - made->sent_size) {
        return NET_IO_FAILED;
    }
    memcpy(made->sent + made->sent_size, data, size);
    made->sent_size += size;
    made->sent[made->sent_size] = 0;
    *out_size = size;
    return NET_IO_OK;
}

static inline net_io rig_read(void *self, uint8_t *buffer, size_t room, size_t *out_size)
{
    rig *made = self;
    if (made->input_size == 0) {
        return made->is_closed ? NET_IO_CLOSED : NET_IO_AGAIN;
    }
    size_t size = made->input_size < room ? made->input_size : room;
    size = made->read_limit > 0 && size > made->read_limit ? made->read_limit : size;
    memcpy(buffer, made->input, size);
    made->input += size;
    made->input_size -= size;
    *out_size = size;
    return NET_IO_OK;
}

/* name: that was looked up for the address; NULL for none. tls_name: NULL for a plain connection.
 * NULL if it can't be made. */
static inline rig *rig_create(const char *name, const char *address, const char *tls_name)
{
    static const char *const key_hosts[] = {"api.example.com", "192.0.2.*"};
    static const char *const other_hosts[] = {"*.Other.example.com."};
    static const char *const allowed[] = {"api.example.com", "default.example.com"};
    const eryx_secret list[] = {
        {"KEY", {(const uint8_t *)RIG_KEY, strlen(RIG_KEY)}, {key_hosts, 2}},
        {"OTHER", {(const uint8_t *)RIG_OTHER, strlen(RIG_OTHER)}, {other_hosts, 1}},
        {"DEFAULT", {(const uint8_t *)RIG_DEFAULT, strlen(RIG_DEFAULT)}, {NULL, 0}},
    };
    eryx_network_options network;
    eryx_sandbox_options options;
    eryx_network_options_init(&network);
    eryx_sandbox_options_init(&options);
    network.allowed_hosts = (eryx_texts){allowed, 2};
    options.secrets = list;
    options.secret_count = 3;
    rig *made = calloc(1, sizeof *made);
    net_policy *policy;
    if (made == NULL || net_policy_create(&network, &policy, NULL) != ERYX_OK ||
        !net_create(policy, &made->sandbox.net) ||
        secrets_create(&options, &made->sandbox.secrets, NULL) != ERYX_OK) {
        return NULL;
    }
    net_begin_run(made->sandbox.net);
    made->connection.network = made->sandbox.net;
    if (!net_address_parse(address, strlen(address), &made->connection.remote) ||
        (name != NULL && !net_remember(made->sandbox.net, &made->connection.remote, name)) ||
        !secrets_new_filter(made->sandbox.secrets, made->sandbox.net, &made->connection, tls_name,
                            &made->filter)) {
        return NULL;
    }
    made->below = (net_transport){made, rig_read, rig_write};
    return made;
}

static inline void rig_destroy(rig *made)
{
    made->filter->destroy(made->filter);
    net_destroy(made->sandbox.net);
    secrets_destroy(made->sandbox.secrets);
    free(made);
}

/* Writes all of it in pieces of that size. The first answer that is not OK ends it. */
static inline net_io rig_send(rig *made, const void *data, size_t size, size_t step)
{
    const uint8_t *next = data;
    while (size > 0) {
        size_t taken = 0;
        net_io io = made->filter->write(made->filter, &made->below, next, size < step ? size : step,
                                        &taken);
        if (io != NET_IO_OK) {
            return io;
        }
        next += taken;
        size -= taken;
    }
    return NET_IO_OK;
}

/* The placeholder of a secret: 0 KEY, 1 OTHER, 2 DEFAULT. */
static inline const char *rig_placeholder(const rig *made, size_t index)
{
    return made->sandbox.secrets->placeholders.texts[index];
}

/* Reads until nothing comes; what was read, terminated, in out. Returns the last answer. */
static inline net_io rig_receive(rig *made, const char *input, size_t step, char *out)
{
    net_io io;
    size_t size = 0;
    made->input = input;
    made->input_size = strlen(input);
    made->read_limit = step;
    do {
        out += size;
        size = 0;
        io = made->filter->read(made->filter, &made->below, (uint8_t *)out, 7, &size);
    } while (io == NET_IO_OK);
    *out = 0;
    return io;
}

#endif
