#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Not public, by IANA's registries of special addresses; the clouds' metadata services besides. The
 * first one that fits tells. */
typedef struct special {
    const char *block;
    const char *why;
} special;

static const special internal_v4[] = {
    {"0.0.0.0/8", "unspecified"},
    {"10.0.0.0/8", "private network"},
    {"100.100.100.200", "metadata service"},
    {"100.64.0.0/10", "shared address space"},
    {"127.0.0.0/8", "loopback"},
    {"168.63.129.16", "metadata service"},
    {"169.254.0.0/16", "link-local"},
    {"172.16.0.0/12", "private network"},
    {"192.0.0.0/24", "reserved"},
    {"192.0.2.0/24", "documentation"},
    {"192.88.99.0/24", "reserved"},
    {"192.168.0.0/16", "private network"},
    {"198.18.0.0/15", "benchmarking"},
    {"198.51.100.0/24", "documentation"},
    {"203.0.113.0/24", "documentation"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
};

static const special internal_v6[] = {
    {"::", "unspecified"},          {"::1", "loopback"},
    {"fc00::/7", "unique local"},   {"fe80::/10", "link-local"},
    {"fec0::/10", "site-local"},    {"ff00::/8", "multicast"},
    {"2001::/23", "reserved"},      {"2001:db8::/32", "documentation"},
    {"3fff::/20", "documentation"},
};

static const char global_unicast[] = "2000::/3";

/* See net_address_is_guarded(). */
static const char *const guarded[] = {
    "0.0.0.0/8",       /* Linux connects 0.0.0.0 to itself */
    "127.0.0.0/8",     /* loopback */
    "169.254.0.0/16",  /* link-local: the metadata services of most clouds */
    "100.100.100.200", /* that of Alibaba */
    "168.63.129.16",   /* Azure */
    "192.0.0.192",     /* Oracle, the older one */
    "::/127",          /* unspecified and loopback */
    "fe80::/10",       /* link-local */
    "fd00:ec2::/32",   /* Amazon */
    "fd20:ce::254",    /* Google */
    "fd00:c1::/32",    /* Oracle */
    "fd00:42::42",     /* Scaleway */
};

void net_address_text(const net_address *address, char out_text[NET_ADDRESS_TEXT_SIZE])
{
    int family = address->is_v6 ? AF_INET6 : AF_INET;
    if (inet_ntop(family, address->bytes, out_text, NET_ADDRESS_TEXT_SIZE) == NULL) {
        out_text[0] = 0;
    }
}

bool net_address_same_host(const net_address *a, const net_address *b)
{
    bool link_local = a->is_v6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
    return a->is_v6 == b->is_v6 && memcmp(a->bytes, b->bytes, a->is_v6 ? 16 : 4) == 0 &&
           (!link_local || a->scope == b->scope);
}

bool net_address_equal(const net_address *a, const net_address *b)
{
    return a->port == b->port && net_address_same_host(a, b);
}

socklen_t net_address_to_system(const net_address *address, struct sockaddr_storage *out_system)
{
    memset(out_system, 0, sizeof *out_system);
    if (address->is_v6) {
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                                  .sin6_port = htons(address->port),
                                  .sin6_scope_id = address->scope};
        memcpy(&v6.sin6_addr, address->bytes, 16);
        memcpy(out_system, &v6, sizeof v6);
        return sizeof v6;
    }
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&v4.sin_addr, address->bytes, 4);
    memcpy(out_system, &v4, sizeof v4);
    return sizeof v4;
}

bool net_address_from_system(const struct sockaddr *system, net_address *out_address)
{
    if (system->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, system, sizeof v4);
        *out_address = (net_address){.port = ntohs(v4.sin_port)};
        memcpy(out_address->bytes, &v4.sin_addr, 4);
        return true;
    }
    if (system->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, system, sizeof v6);
        *out_address =
            (net_address){.is_v6 = true, .port = ntohs(v6.sin6_port), .scope = v6.sin6_scope_id};
        memcpy(out_address->bytes, &v6.sin6_addr, 16);
        return true;
    }
    return false;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* One part of an IPv4 address: decimal, or octal after "0", or hexadecimal after "0x". */
static bool parse_part(const char *text, size_t size, uint32_t *out_value)
{
    uint32_t base = 10;
    size_t at = 0;
    if (size >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        at = 2; /* "0x" alone is taken for 0, as browsers do */
    } else if (size >= 2 && text[0] == '0') {
        base = 8;
        at = 1;
    } else if (size == 0) {
        return false;
    }
    uint64_t value = 0;
    for (; at < size; at++) {
        uint32_t digit = (uint32_t)digit_of(text[at]);
        if (digit >= base) {
            return false;
        }
        value = value * base + digit;
        if (value > UINT32_MAX) {
            return false;
        }
    }
    *out_value = (uint32_t)value;
    return true;
}

/* One to four parts; the last one fills the bytes that are left. */
static bool parse_v4(const char *text, size_t size, uint8_t out_bytes[4])
{
    uint32_t value = 0;
    uint32_t parts = 0;
    size_t at = 0;
    for (;;) {
        size_t end = at;
        while (end < size && text[end] != '.') {
            end++;
        }
        uint32_t part;
        if (!parse_part(text + at, end - at, &part)) {
            return false;
        }
        parts++;
        if (end == size) {
            uint32_t bits = 8 * (5 - parts);
            if (bits < 32 && part >> bits != 0) {
                return false;
            }
            value |= part;
            break;
        }
        if (parts == 4 || part > 255) {
            return false;
        }
        value |= part << (8 * (4 - parts));
        at = end + 1;
    }
    for (int i = 0; i < 4; i++) {
        out_bytes[i] = (uint8_t)(value >> (24 - 8 * i));
    }
    return true;
}

bool net_address_parse(const char *text, size_t size, net_address *out_address)
{
    char copy[64];
    net_address parsed = {0};
    if (memchr(text, ':', size) == NULL) {
        if (!parse_v4(text, size, parsed.bytes)) {
            return false;
        }
        *out_address = parsed;
        return true;
    }
    const char *zone = memchr(text, '%', size);
    size_t length = zone != NULL ? (size_t)(zone - text) : size;
    if (length >= sizeof copy || memchr(text, 0, length) != NULL) {
        return false;
    }
    if (zone != NULL) {
        /* By number only: a name would tell which interfaces the host has. */
        if (!parse_part(zone + 1, size - length - 1, &parsed.scope)) {
            return false;
        }
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    if (inet_pton(AF_INET6, copy, parsed.bytes) != 1) {
        return false;
    }
    parsed.is_v6 = true;
    *out_address = parsed;
    return true;
}

bool net_block_parse(const char *text, net_block *out_block)
{
    char copy[NET_ADDRESS_TEXT_SIZE];
    net_block block = {0};
    const char *slash = strchr(text, '/');
    size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (length >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    block.is_v6 = strchr(copy, ':') != NULL;
    if (inet_pton(block.is_v6 ? AF_INET6 : AF_INET, copy, block.bytes) != 1) {
        return false;
    }
    uint32_t most = block.is_v6 ? 128 : 32;
    uint32_t bits = most;
    if (slash != NULL) {
        size_t digits = strlen(slash + 1);
        bits = 0;
        for (size_t i = 0; i < digits; i++) {
            char c = slash[1 + i];
            if (c < '0' || c > '9' || i >= 3) {
                return false;
            }
            bits = bits * 10 + (uint32_t)(c - '0');
        }
        if (digits == 0 || (digits > 1 && slash[1] == '0') || bits > most) {
            return false;
        }
    }
    for (uint32_t bit = bits; bit < most; bit++) {
        if ((block.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) {
            return false;
        }
    }
    block.bits = (uint8_t)bits;
    *out_block = block;
    return true;
}

bool net_block_contains(const net_block *block, const net_address *address)
{
    if (block->is_v6 != address->is_v6) {
        return false;
    }
    size_t whole = block->bits / 8;
    if (memcmp(block->bytes, address->bytes, whole) != 0) {
        return false;
    }
    uint32_t rest = block->bits % 8u;
    return rest == 0 || (block->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

/* ---- What kind of address -------------------------------------------------------------------- */

static bool starts_with(const net_address *address, const char *block_text)
{
    net_block block;
    return net_block_parse(block_text, &block) && net_block_contains(&block, address);
}

static net_address v4_of(const uint8_t *bytes)
{
    net_address address = {0};
    memcpy(address.bytes, bytes, 4);
    return address;
}

size_t net_address_carried(const net_address *address, net_address out_carried[2])
{
    const uint8_t *bytes = address->bytes;
    if (!address->is_v6) {
        return 0;
    }
    bool is_low = starts_with(address, "::/96") && !starts_with(address, "::/127");
    if (is_low || starts_with(address, "::ffff:0:0/96") ||
        starts_with(address, "::ffff:0:0:0/96") || starts_with(address, "64:ff9b::/96")) {
        out_carried[0] = v4_of(bytes + 12);
        return 1;
    }
    if (starts_with(address, "2002::/16")) {
        out_carried[0] = v4_of(bytes + 2);
        return 1;
    }
    if (starts_with(address, "2001::/32")) {
        uint8_t client[4];
        for (int i = 0; i < 4; i++) {
            client[i] = (uint8_t)~bytes[12 + i];
        }
        out_carried[0] = v4_of(client);
        out_carried[1] = v4_of(bytes + 4);
        return 2;
    }
    if ((bytes[8] & 0xfd) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe) {
        out_carried[0] = v4_of(bytes + 12); /* ISATAP */
        return 1;
    }
    return 0;
}

static const char *why_internal_v4(const net_address *address)
{
    for (size_t i = 0; i < sizeof internal_v4 / sizeof internal_v4[0]; i++) {
        if (starts_with(address, internal_v4[i].block)) {
            return internal_v4[i].why;
        }
    }
    return NULL;
}

const char *net_address_internal(const net_address *address)
{
    if (!address->is_v6) {
        return why_internal_v4(address);
    }
    net_address carried[2];
    size_t count = net_address_carried(address, carried);
    for (size_t i = 0; i < count; i++) {
        const char *why = why_internal_v4(&carried[i]);
        if (why != NULL) {
            return why;
        }
    }
    if (starts_with(address, "::ffff:0:0/96") || starts_with(address, "::ffff:0:0:0/96") ||
        starts_with(address, "64:ff9b::/96")) {
        return NULL; /* nothing but a way to write the IPv4 address */
    }
    for (size_t i = 0; i < sizeof internal_v6 / sizeof internal_v6[0]; i++) {
        if (starts_with(address, internal_v6[i].block)) {
            return internal_v6[i].why;
        }
    }
    return starts_with(address, global_unicast) ? NULL : "reserved";
}

net_address net_address_unmap(const net_address *address)
{
    if (!address->is_v6 || !starts_with(address, "::ffff:0:0/96")) {
        return *address;
    }
    net_address plain = v4_of(address->bytes + 12);
    plain.port = address->port;
    return plain;
}

bool net_address_is_loopback(const net_address *address)
{
    net_address plain = net_address_unmap(address);
    return plain.is_v6 ? starts_with(&plain, "::1") : plain.bytes[0] == 127;
}

bool net_address_is_guarded(const net_address *address)
{
    net_address forms[3] = {*address};
    size_t count = 1 + net_address_carried(address, forms + 1);
    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
        for (size_t form = 0; form < count; form++) {
            if (starts_with(&forms[form], guarded[i])) {
                return true;
            }
        }
    }
    return false;
}
