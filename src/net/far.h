/*
 * A network that somebody else has: a sandbox in a worker asks its parent, which has the rules, the
 * sockets, TLS and the secrets. Each function of net.h, connection.h and lookup.h that would do
 * something asks one question here, which is answered by the same function there.
 */
#ifndef ERYX_NET_FAR_H
#define ERYX_NET_FAR_H

#include "net/address.h"
#include "net/policy.h"

typedef enum net_far_operation {
    NET_FAR_OPEN = 1,      /* value: whether IPv6. Gives the number, 0 for none. */
    NET_FAR_CLOSE,         /* a connection */
    NET_FAR_CHECK,         /* address: an errno; value: whether the embedder is to be asked */
    NET_FAR_DENIED,        /* address */
    NET_FAR_START,         /* address: an errno */
    NET_FAR_FINISH,        /* an errno; if it is connected local and remote */
    NET_FAR_SHUTDOWN,      /* value: 1 to read, 2 to write: an errno */
    NET_FAR_READY,         /* value: net_poll_kind: whether it is; else a wait is armed for it */
    NET_FAR_TIME_OUT,      /* its next transfer fails */
    NET_FAR_READ,          /* room: a net_io, and bytes */
    NET_FAR_WRITE,         /* data: a net_io */
    NET_FAR_WRITABLE,      /* value: how many bytes */
    NET_FAR_CAN_FAIL,      /* whether */
    NET_FAR_SET_OPTION,    /* value: net_option, and what in the upper half: an errno */
    NET_FAR_LOOKUP,        /* data: a net_lookup_status; value: the number; deadline */
    NET_FAR_LOOKUP_STATUS, /* a net_lookup_status */
    NET_FAR_LOOKUP_NEXT,   /* whether there is one; local: the address */
    NET_FAR_LOOKUP_CLOSE,  /* a lookup */
    NET_FAR_BEFORE_WAIT,   /* value: when to wake; a descriptor may come along */
    NET_FAR_AFTER_WAIT,    /* nothing */
    NET_FAR_UNSENT,        /* whether */
    NET_FAR_TLS,           /* value: an operation of TLS, on the session of that number */
    NET_FAR_OPERATION_COUNT,
} net_far_operation;

typedef struct net_far_question {
    net_far_operation operation;
    uint32_t number; /* of a connection, a lookup or a TLS session */
    uint64_t value;
    net_address address;
    const uint8_t *data; /* to be sent */
    size_t size;
    size_t room; /* for bytes that come back */
} net_far_question;

typedef struct net_far_answer {
    int64_t result;
    uint64_t value;
    uint64_t deadline_ns;
    net_address local;
    net_address remote;
    const uint8_t *data; /* until the next question */
    size_t size;
    int last_errno; /* of the network, and its refusal; NULL for the one that there was */
    const char *refusal;
    int file; /* that came along, the caller's; -1 for none */
} net_far_answer;

typedef struct net_far {
    void *self;
    /* Asks and waits. False if nobody answers any more. */
    bool (*ask)(void *self, const net_far_question *question, net_far_answer *out_answer);
    void (*destroy)(void *self);
} net_far;

#endif
