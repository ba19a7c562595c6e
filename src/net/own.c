#include "net/own.h"

#include <ifaddrs.h>
#include <stdlib.h>

#include "base/clock.h"

#define READ_EVERY_NS 1000000000u

/* What was read before stays where the system has no answer. */
static void read_all(net_own *own)
{
    struct ifaddrs *list;
    size_t room = 0;
    if (getifaddrs(&list) != 0) {
        return;
    }
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        room++;
    }
    net_address *addresses = calloc(room > 0 ? room : 1, sizeof *addresses);
    size_t count = 0;
    for (const struct ifaddrs *entry = list; addresses != NULL && entry != NULL;
         entry = entry->ifa_next) {
        if (entry->ifa_addr != NULL &&
            net_address_from_system(entry->ifa_addr, &addresses[count])) {
            count++;
        }
    }
    if (addresses != NULL) {
        free(own->addresses);
        own->addresses = addresses;
        own->count = count;
    }
    freeifaddrs(list);
}

bool net_own_has(net_own *own, const net_address *address)
{
    net_address plain = net_address_unmap(address);
    uint64_t now = clock_now_ns();
    if (now >= own->next_read_ns) {
        own->next_read_ns = now + READ_EVERY_NS;
        read_all(own);
    }
    for (size_t i = 0; i < own->count; i++) {
        if (net_address_same_host(&own->addresses[i], &plain)) {
            return true;
        }
    }
    return own->has_learned && net_address_same_host(&own->learned, &plain);
}

void net_own_learn(net_own *own, const net_address *address)
{
    own->learned = net_address_unmap(address);
    own->has_learned = true;
}

void net_own_free(net_own *own)
{
    free(own->addresses);
    *own = (net_own){0};
}
