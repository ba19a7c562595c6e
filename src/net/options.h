/* The socket options that a guest may set, kept from before there is a socket. */
#ifndef ERYX_NET_OPTIONS_H
#define ERYX_NET_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum net_option {
    NET_OPTION_KEEP_ALIVE,    /* 0 or 1 */
    NET_OPTION_KEEP_IDLE,     /* seconds */
    NET_OPTION_KEEP_INTERVAL, /* seconds */
    NET_OPTION_KEEP_COUNT,
    NET_OPTION_HOP_LIMIT,
    NET_OPTION_RECEIVE_BUFFER, /* bytes */
    NET_OPTION_SEND_BUFFER,    /* bytes */
    NET_OPTION_COUNT,
} net_option;

typedef struct net_options {
    uint8_t is_set; /* bit by net_option */
    int values[NET_OPTION_COUNT];
} net_options;

/* Remembers a value, brought into the range that makes sense, and sets it on fd unless that is -1.
 * 0 or an errno. */
int net_options_set(net_options *options, int fd, bool is_v6, net_option option, uint64_t value);

/* The value that was set, else that of the socket (fd, or the system's usual one if that is -1). */
uint64_t net_options_get(const net_options *options, int fd, bool is_v6, net_option option);

/* Sets on a new socket all that were set. Options that the system does not take are left out. */
void net_options_apply(const net_options *options, int fd, bool is_v6);

#endif
