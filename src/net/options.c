#include "net/options.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

typedef struct option_place {
    int level;
    int name;
    int usual; /* while there is no socket */
    int least;
    int most;
} option_place;

static option_place place_of(net_option option, bool is_v6)
{
    switch (option) {
    case NET_OPTION_KEEP_IDLE:
        return (option_place){IPPROTO_TCP, TCP_KEEPIDLE, 7200, 1, 32767};
    case NET_OPTION_KEEP_INTERVAL:
        return (option_place){IPPROTO_TCP, TCP_KEEPINTVL, 75, 1, 32767};
    case NET_OPTION_KEEP_COUNT:
        return (option_place){IPPROTO_TCP, TCP_KEEPCNT, 9, 1, 127};
    case NET_OPTION_HOP_LIMIT:
        return is_v6 ? (option_place){IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64, 1, 255}
                     : (option_place){IPPROTO_IP, IP_TTL, 64, 1, 255};
    /* Buffers are the host's memory: no more than a guest can use. */
    case NET_OPTION_RECEIVE_BUFFER:
        return (option_place){SOL_SOCKET, SO_RCVBUF, 131072, 4096, 1 << 20};
    case NET_OPTION_SEND_BUFFER:
        return (option_place){SOL_SOCKET, SO_SNDBUF, 16384, 4096, 1 << 20};
    case NET_OPTION_KEEP_ALIVE:
    case NET_OPTION_COUNT:
        break;
    }
    return (option_place){SOL_SOCKET, SO_KEEPALIVE, 0, 0, 1};
}

static int set_on(int fd, const option_place *place, int value)
{
    return setsockopt(fd, place->level, place->name, &value, sizeof value) == 0 ? 0 : errno;
}

int net_options_set(net_options *options, int fd, bool is_v6, net_option option, uint64_t value)
{
    option_place place = place_of(option, is_v6);
    int fitting = value > (uint64_t)place.most ? place.most : (int)value;
    fitting = fitting < place.least ? place.least : fitting;
    options->values[option] = fitting;
    options->is_set |= (uint8_t)(1u << option);
    return fd >= 0 ? set_on(fd, &place, fitting) : 0;
}

uint64_t net_options_get(const net_options *options, int fd, bool is_v6, net_option option)
{
    option_place place = place_of(option, is_v6);
    if ((options->is_set >> option & 1) != 0) {
        return (uint64_t)options->values[option];
    }
    int value = 0;
    socklen_t size = sizeof value;
    if (fd < 0 || getsockopt(fd, place.level, place.name, &value, &size) != 0 || value < 0) {
        value = place.usual;
    }
    return (uint64_t)value;
}

void net_options_apply(const net_options *options, int fd, bool is_v6)
{
    for (int option = 0; option < NET_OPTION_COUNT; option++) {
        if ((options->is_set >> option & 1) != 0) {
            option_place place = place_of((net_option)option, is_v6);
            set_on(fd, &place, options->values[option]);
        }
    }
}
