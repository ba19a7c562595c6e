/*
 * What the guest asks of the network besides WASI: service ASK_NETWORK of ask.h.
 */
#ifndef ERYX_PROTOCOL_NETWORK_H
#define ERYX_PROTOCOL_NETWORK_H

enum network_operation {
    NETWORK_LAST_REFUSAL = 1, /* writes the text of the last refusal, "" for none */
    NETWORK_LAST_ERROR = 2,   /* writes the name of the errno of the last failure ("ECONNRESET") */
    NETWORK_LOOKUP = 3, /* begins to look the name in data up; gives its id, or a network_failure.
                             The guest watches it like a callback: see NETWORK_LOOKUP_RESULT. */
    NETWORK_LOOKUP_RESULT = 4, /* number: the id. Writes the addresses, separated by spaces, and
                                    forgets it; or gives a network_failure */
    NETWORK_LOOKUP_FORGET = 5, /* number: the id */
};

/* What an operation gives in place of a size. */
enum network_failure {
    NETWORK_UNKNOWN = -1, /* no such operation or id */
    NETWORK_PENDING = -2,
    NETWORK_REFUSED = -3, /* NETWORK_LAST_REFUSAL tells why */
    NETWORK_NOT_FOUND = -4,
    NETWORK_TEMPORARY = -5,
    NETWORK_FAILED = -6,
    NETWORK_NO_MEMORY = -7,
};

#endif
