/*
 * Addresses of the network as numbers: what rules are applied to, whatever text a guest or a server
 * gave for them.
 */
#ifndef ERYX_NET_ADDRESS_H
#define ERYX_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* An IPv4 or IPv6 address with a port. */
typedef struct net_address {
    bool is_v6;
    uint8_t bytes[16]; /* network byte order; the first 4 for IPv4, the others 0 */
    uint16_t port;     /* host byte order */
    uint32_t scope;    /* of an IPv6 address */
} net_address;

/* A range of addresses: those whose first bits are the same. */
typedef struct net_block {
    bool is_v6;
    uint8_t bytes[16];
    uint8_t bits; /* 0 to 32 or 128 */
} net_block;

/* Room for the text of any address, terminated. */
#define NET_ADDRESS_TEXT_SIZE 48u

/* The address without its port, in its usual text ("192.0.2.1", "2001:db8::1"). */
void net_address_text(const net_address *address, char out_text[NET_ADDRESS_TEXT_SIZE]);

/* Whether all of two addresses is the same; the scope counts for link-local ones only. */
bool net_address_equal(const net_address *a, const net_address *b);

/* The same without the ports. */
bool net_address_same_host(const net_address *a, const net_address *b);

/* To and from the system's form. The second gives false for other families. */
socklen_t net_address_to_system(const net_address *address, struct sockaddr_storage *out_system);
bool net_address_from_system(const struct sockaddr *system, net_address *out_address);

/*
 * An address as text in any form that a resolver takes for one and does not look up: IPv6, dotted
 * IPv4 and the old forms of inet_aton() ("127.1", "0x7f000001", "017700000001"). The port is 0.
 * text: size bytes. False if it is none of these.
 */
bool net_address_parse(const char *text, size_t size, net_address *out_address);

/* "10.0.0.0/8", "fd00::/8", or one address in its usual form. The bits after the prefix must be 0.
 * text: terminated. False if it is none of these. */
bool net_block_parse(const char *text, net_block *out_block);

/* Whether an address is in a block. An IPv4 address that an IPv6 one carries is not looked at. */
bool net_block_contains(const net_block *block, const net_address *address);

/*
 * Why an address is not a public one of the internet: a short text such as "loopback" or "private
 * network"; NULL if it is public. An IPv6 address that carries an IPv4 one is public only if that
 * is. Never freed.
 */
const char *net_address_internal(const net_address *address);

/*
 * The IPv4 addresses that an IPv6 address carries (mapped, compatible, translated, NAT64, 6to4,
 * ISATAP; Teredo carries two). Returns how many; 0 for an IPv4 address.
 */
size_t net_address_carried(const net_address *address, net_address out_carried[2]);

/* Whether it is a loopback address, also as a mapped one. */
bool net_address_is_loopback(const net_address *address);

/*
 * Whether it leads to the machine itself or to what trusts the machine: loopback, unspecified and
 * link-local addresses, and the metadata services of clouds, also where an IPv6 address carries
 * one. No name may lead there unless a rule says it of that name.
 */
bool net_address_is_guarded(const net_address *address);

/* The IPv4 address in a mapped one (::ffff:0:0/96); other addresses are given back as they are. */
net_address net_address_unmap(const net_address *address);

#endif
