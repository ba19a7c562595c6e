#include "net/address.h"
#include "test.h"

/* Every way to write an address: what it is (NULL: none), and why it is not public (NULL: it is).
 */
typedef struct form {
    const char *text;
    const char *address;
    const char *internal;
} form;

static const form forms[] = {
    /* IPv4, as inet_aton() reads it. */
    {"93.184.216.34", "93.184.216.34", NULL},
    {"1572395042", "93.184.216.34", NULL},
    {"0x5db8d822", "93.184.216.34", NULL},
    {"0135.0270.0330.042", "93.184.216.34", NULL},
    {"127.0.0.1", "127.0.0.1", "loopback"},
    {"127.1", "127.0.0.1", "loopback"},
    {"127.0.1", "127.0.0.1", "loopback"},
    {"2130706433", "127.0.0.1", "loopback"},
    {"0x7f000001", "127.0.0.1", "loopback"},
    {"0X7F.0.0.1", "127.0.0.1", "loopback"},
    {"0x7f.1", "127.0.0.1", "loopback"},
    {"017700000001", "127.0.0.1", "loopback"},
    {"0177.0.0.01", "127.0.0.1", "loopback"},
    {"0x7f.0x0.0x0.0x1", "127.0.0.1", "loopback"},
    {"127.255.255.254", "127.255.255.254", "loopback"},
    {"0", "0.0.0.0", "unspecified"},
    {"0x", "0.0.0.0", "unspecified"},
    {"0.0.0.0", "0.0.0.0", "unspecified"},
    {"0.1.2.3", "0.1.2.3", "unspecified"},
    {"10.0.0.1", "10.0.0.1", "private network"},
    {"10.1", "10.0.0.1", "private network"},
    {"172.16.0.1", "172.16.0.1", "private network"},
    {"172.31.255.255", "172.31.255.255", "private network"},
    {"172.32.0.1", "172.32.0.1", NULL},
    {"172.15.255.255", "172.15.255.255", NULL},
    {"192.168.1.1", "192.168.1.1", "private network"},
    {"0xc0a80101", "192.168.1.1", "private network"},
    {"100.64.0.1", "100.64.0.1", "shared address space"},
    {"100.127.255.255", "100.127.255.255", "shared address space"},
    {"100.128.0.1", "100.128.0.1", NULL},
    {"100.100.100.200", "100.100.100.200", "metadata service"},
    {"169.254.169.254", "169.254.169.254", "link-local"},
    {"0xa9fea9fe", "169.254.169.254", "link-local"},
    {"168.63.129.16", "168.63.129.16", "metadata service"},
    {"192.0.0.192", "192.0.0.192", "reserved"},
    {"192.0.2.1", "192.0.2.1", "documentation"},
    {"192.88.99.1", "192.88.99.1", "reserved"},
    {"198.18.0.1", "198.18.0.1", "benchmarking"},
    {"198.51.100.7", "198.51.100.7", "documentation"},
    {"203.0.113.7", "203.0.113.7", "documentation"},
    {"224.0.0.1", "224.0.0.1", "multicast"},
    {"239.255.255.255", "239.255.255.255", "multicast"},
    {"240.0.0.1", "240.0.0.1", "reserved"},
    {"255.255.255.255", "255.255.255.255", "reserved"},
    {"0xffffffff", "255.255.255.255", "reserved"},
    /* IPv6. */
    {"2606:2800:220:1::1", "2606:2800:220:1::1", NULL},
    {"2606:2800:0220:0001:0000:0000:0000:0001", "2606:2800:220:1::1", NULL},
    {"::", "::", "unspecified"},
    {"0:0:0:0:0:0:0:0", "::", "unspecified"},
    {"::1", "::1", "loopback"},
    {"0:0:0:0:0:0:0:1", "::1", "loopback"},
    {"::0001", "::1", "loopback"},
    {"::0.0.0.1", "::1", "loopback"},
    {"::ffff:127.0.0.1", "::ffff:127.0.0.1", "loopback"},
    {"::FFFF:7F00:1", "::ffff:127.0.0.1", "loopback"},
    {"0:0:0:0:0:ffff:a00:1", "::ffff:10.0.0.1", "private network"},
    {"::ffff:169.254.169.254", "::ffff:169.254.169.254", "link-local"},
    {"::ffff:0.0.0.0", "::ffff:0.0.0.0", "unspecified"},
    {"::ffff:93.184.216.34", "::ffff:93.184.216.34", NULL},
    {"::ffff:0:127.0.0.1", "::ffff:0:7f00:1", "loopback"},
    {"::127.0.0.1", "::127.0.0.1", "loopback"},
    {"::93.184.216.34", "::93.184.216.34", "reserved"},
    {"64:ff9b::7f00:1", "64:ff9b::7f00:1", "loopback"},
    {"64:ff9b::10.0.0.1", "64:ff9b::a00:1", "private network"},
    {"64:ff9b::93.184.216.34", "64:ff9b::5db8:d822", NULL},
    {"64:ff9b:1::1", "64:ff9b:1::1", "reserved"},
    {"2002:7f00:1::1", "2002:7f00:1::1", "loopback"},
    {"2002:a9fe:a9fe::", "2002:a9fe:a9fe::", "link-local"},
    {"2002:5db8:d822::1", "2002:5db8:d822::1", NULL},
    {"2001:0:5db8:d822::80ff:fffe", "2001:0:5db8:d822::80ff:fffe", "loopback"},
    {"2001:0:7f00:1::", "2001:0:7f00:1::", "reserved"},
    {"2606:2800:220:1:0:5efe:10.0.0.1", "2606:2800:220:1:0:5efe:a00:1", "private network"},
    {"2001:db8::1", "2001:db8::1", "documentation"},
    {"3fff::1", "3fff::1", "documentation"},
    {"2001:2::1", "2001:2::1", "reserved"},
    {"fc00::1", "fc00::1", "unique local"},
    {"fd00:ec2::254", "fd00:ec2::254", "unique local"},
    {"fdff:ffff::1", "fdff:ffff::1", "unique local"},
    {"fe80::1", "fe80::1", "link-local"},
    {"fe80::1%1", "fe80::1", "link-local"},
    {"fe80::5efe:8.8.8.8", "fe80::5efe:808:808", "link-local"},
    {"febf::1", "febf::1", "link-local"},
    {"fec0::1", "fec0::1", "site-local"},
    {"ff02::1", "ff02::1", "multicast"},
    {"100::1", "100::1", "reserved"},
    {"4000::1", "4000::1", "reserved"},
    /* None of these is an address. */
    {"", NULL, NULL},
    {".", NULL, NULL},
    {"1.", NULL, NULL},
    {".1", NULL, NULL},
    {"1..2", NULL, NULL},
    {"1.2.3.4.5", NULL, NULL},
    {"256.0.0.1", NULL, NULL},
    {"1.2.3.256", NULL, NULL},
    {"1.2.65536", NULL, NULL},
    {"1.16777216", NULL, NULL},
    {"4294967296", NULL, NULL},
    {"99999999999999999999999", NULL, NULL},
    {"08.1.1.1", NULL, NULL},
    {"0x7g.1", NULL, NULL},
    {"127.0.0.1 ", NULL, NULL},
    {" 127.0.0.1", NULL, NULL},
    {"+127.0.0.1", NULL, NULL},
    {"-1", NULL, NULL},
    {"127.0.0.1:80", NULL, NULL},
    {"example.com", NULL, NULL},
    {"[::1]", NULL, NULL},
    {":", NULL, NULL},
    {":::", NULL, NULL},
    {"1::2::3", NULL, NULL},
    {"fe80::1%eth0", NULL, NULL},
    {"fe80::1%", NULL, NULL},
    {"::1/128", NULL, NULL},
    {"12345::", NULL, NULL},
    {"1:2:3:4:5:6:7:8:9", NULL, NULL},
    {"::ffff:1.2.3", NULL, NULL},
};

static void test_every_form_of_an_address(void)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const form *tried = &forms[i];
        net_address address;
        bool parsed = net_address_parse(tried->text, strlen(tried->text), &address);
        if (parsed != (tried->address != NULL)) {
            test_fail(__FILE__, __LINE__, "\"%s\": parsed %d", tried->text, parsed);
        }
        if (!parsed) {
            continue;
        }
        char text[NET_ADDRESS_TEXT_SIZE];
        net_address_text(&address, text);
        ASSERT_STR_EQ(text, tried->address);
        const char *internal = net_address_internal(&address);
        if ((internal == NULL) != (tried->internal == NULL) ||
            (internal != NULL && strcmp(internal, tried->internal) != 0)) {
            test_fail(__FILE__, __LINE__, "\"%s\": %s", tried->text,
                      internal != NULL ? internal : "public");
        }
    }
}

static void test_zero_bytes_end_no_text(void)
{
    net_address address;
    ASSERT(!net_address_parse("1.2.3.4\0", 8, &address));
    ASSERT(!net_address_parse("::1\0", 4, &address));
    ASSERT(!net_address_parse("\0", 1, &address));
}

static net_address address_of(const char *text)
{
    net_address address;
    ASSERT(net_address_parse(text, strlen(text), &address));
    return address;
}

static void test_blocks(void)
{
    static const struct {
        const char *block;
        const char *inside;
        const char *outside;
    } cases[] = {
        {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
        {"10.0.0.0/8", "10.0.0.0", "9.255.255.255"},
        {"192.168.4.0/22", "192.168.7.255", "192.168.8.0"},
        {"1.2.3.4", "1.2.3.4", "1.2.3.5"},
        {"1.2.3.4/32", "1.2.3.4", "1.2.3.3"},
        {"0.0.0.0/0", "255.1.2.3", "::1"},
        {"128.0.0.0/1", "255.1.2.3", "127.0.0.1"},
        {"fd00::/8", "fdff::1", "fc00::1"},
        {"::1", "::1", "::2"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
        {"::/0", "1234::1", "1.2.3.4"},
        {"2001:db8::1/128", "2001:db8::1", "2001:db8::"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        net_block block;
        net_address inside = address_of(cases[i].inside);
        net_address outside = address_of(cases[i].outside);
        ASSERT(net_block_parse(cases[i].block, &block));
        ASSERT(net_block_contains(&block, &inside));
        ASSERT(!net_block_contains(&block, &outside));
    }
}

static void test_malformed_blocks(void)
{
    static const char *const texts[] = {
        "",
        "/",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0.0/8",
        "10/8",
        "::/129",
        "fd00::1/8",
        "10.0.0.0/-1",
        "10.0.0.0/08",
        "10.0.0.0/8 ",
        " 10.0.0.0/8",
        "10.0.0.0/8/8",
        "0x0a000000/8",
        "example.com",
        "10.0.0.0/1e1",
        "[::1]",
        "::1%1",
        "10.0.0.0/0000008",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        net_block block;
        if (net_block_parse(texts[i], &block)) {
            test_fail(__FILE__, __LINE__, "\"%s\" was taken for a network", texts[i]);
        }
    }
}

static void test_system_form_and_back(void)
{
    static const char *const texts[] = {"1.2.3.4", "2001:db8::7", "fe80::1%3", "::ffff:1.2.3.4"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        net_address address = address_of(texts[i]);
        address.port = 65535;
        struct sockaddr_storage system;
        net_address back;
        ASSERT(net_address_to_system(&address, &system) > 0);
        ASSERT(net_address_from_system((struct sockaddr *)&system, &back));
        ASSERT(net_address_equal(&address, &back));
        back.port = 1;
        ASSERT(!net_address_equal(&address, &back));
        ASSERT(net_address_same_host(&address, &back));
    }
    struct sockaddr_storage local = {.ss_family = AF_UNIX};
    net_address none;
    ASSERT(!net_address_from_system((struct sockaddr *)&local, &none));
    net_address first = address_of("fe80::1%1");
    net_address second = address_of("fe80::1%2");
    ASSERT(!net_address_same_host(&first, &second));
}

static void test_unmap_and_loopback(void)
{
    net_address mapped = address_of("::ffff:127.0.0.9");
    mapped.port = 80;
    net_address plain = net_address_unmap(&mapped);
    ASSERT(!plain.is_v6);
    ASSERT_EQ(plain.port, 80);
    ASSERT_EQ(plain.bytes[3], 9);
    ASSERT(net_address_is_loopback(&mapped));
    net_address v6 = address_of("::1");
    ASSERT(net_address_is_loopback(&v6));
    net_address other = address_of("::2");
    ASSERT(!net_address_is_loopback(&other));
    net_address compatible = address_of("::127.0.0.1");
    ASSERT(!net_address_is_loopback(&compatible));
}

TEST_MAIN(TEST_CASE(test_every_form_of_an_address), TEST_CASE(test_zero_bytes_end_no_text),
          TEST_CASE(test_blocks), TEST_CASE(test_malformed_blocks),
          TEST_CASE(test_system_form_and_back), TEST_CASE(test_unmap_and_loopback))
