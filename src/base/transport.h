/*
 * Bytes on their way between two ends, and what may look at them: what connections, TLS and secrets
 * are put together with.
 */
#ifndef ERYX_BASE_TRANSPORT_H
#define ERYX_BASE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a transfer ended. Only NET_IO_OK sets the out parameters. */
typedef enum net_io {
    NET_IO_OK = 0,      /* at least one byte, unless none was asked for */
    NET_IO_AGAIN = 1,   /* nothing can be done now */
    NET_IO_CLOSED = 2,  /* reading: the peer has sent all; writing: it takes no more */
    NET_IO_FAILED = 3,  /* the connection is broken: net_last_errno() */
    NET_IO_REFUSED = 4, /* a rule of the host forbids it: net_last_refusal() */
} net_io;

/* Something that bytes can be read from and written to: a socket or the TLS on it. */
typedef struct net_transport {
    void *self;
    /* Reads 1 to room bytes. */
    net_io (*read)(void *self, uint8_t *buffer, size_t room, size_t *out_size);
    /* Writes the first bytes of data, at least one. */
    net_io (*write)(void *self, const uint8_t *data, size_t size, size_t *out_size);
} net_transport;

/*
 * Something that sees and may change the plain bytes of a connection on their way (secrets). It
 * belongs to the connection or TLS session that it was given to, and may keep bytes back.
 */
typedef struct net_filter net_filter;
struct net_filter {
    /* As in net_transport, over the transport below. Bytes that write takes it either passes on or
     * keeps for a later write or flush. */
    net_io (*read)(net_filter *self, const net_transport *below, uint8_t *buffer, size_t room,
                   size_t *out_size);
    net_io (*write)(net_filter *self, const net_transport *below, const uint8_t *data, size_t size,
                    size_t *out_size);
    /* Sends what can be sent of the bytes kept by write. AGAIN if some of these are left; bytes of
     * a message that is not complete yet do not count. */
    net_io (*flush)(net_filter *self, const net_transport *below);
    /* The guest waits for input, or (at_end) writes no more: sends bytes of a message that is not
     * complete if they need not be the start of one, at the end in any case. What does not go now
     * is left for flush. */
    net_io (*settle)(net_filter *self, const net_transport *below, bool at_end);
    /* Whether flush has something to send. */
    bool (*has_output)(const net_filter *self);
    /* Whether read would give bytes although none come from below. */
    bool (*has_input)(const net_filter *self);
    void (*destroy)(net_filter *self);
};

#endif
