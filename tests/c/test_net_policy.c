#include "net/policy.h"
#include "test.h"
#include "tls_identities.h"

/* ---- Patterns -------------------------------------------------------------------------------- */

/* Whether a pattern fits a name or, if the text is one, an address. */
static bool matches(const char *text, const char *host)
{
    const char *problem = "";
    net_pattern pattern;
    net_address address;
    if (!net_pattern_parse(text, &pattern, &problem)) {
        test_fail(__FILE__, __LINE__, "'%s' %s", text, problem);
    }
    bool is_address = net_address_parse(host, strlen(host), &address);
    bool fits = is_address ? net_pattern_matches_address(&pattern, &address, host)
                           : net_pattern_matches_name(&pattern, host);
    net_pattern_free(&pattern);
    return fits;
}

static void test_patterns(void)
{
    static const struct {
        const char *pattern;
        const char *name;
        bool fits;
    } cases[] = {
        {"*", "example.com", true},
        {"*", "10.0.0.1", true},
        {"example.com", "example.com", true},
        {"EXAMPLE.Com", "example.com", true},
        {"example.com", "xexample.com", false},
        {"example.com", "example.comx", false},
        {"example.com", "example.co", false},
        {"example.com", "a.example.com", false},
        {"*.example.com", "a.example.com", true},
        {"*.example.com", "a.b.c.example.com", true},
        {"*.example.com", "example.com", false},
        {"*.example.com", "notexample.com", false},
        {"*.example.com", "example.com.evil.org", false},
        {"api.*.com", "api.x.com", true},
        {"api.*.com", "api.x.y.com", true},
        {"api.*.com", "api.com", false},
        {"api.*.com", "xapi.y.com", false},
        {"10.*", "10.0.0.1", true},
        {"10.*", "10.attacker.example", false},
        {"10.*", "110.0.0.1", false},
        {"10.*", "10", false},
        {"10.*.1", "10.0.0.1", true},
        {"*.1", "10.0.0.1", true},
        {"*.1", "host.1.example", false},
        {"1*", "1.2.3.4", true},
        {"1*", "1password.example", false},
        {"a*", "a000::1", false},
        {"*a*", "fd00::a", false},
        {"f*", "fd00::1", false},
        {"fd00:*", "fd00::1", true},
        {"*:*", "::1", true},
        {"*:*", "example.com", false},
        {"*.com", "example.com", true},
        {"*.*", "example.com", true},
        {"*.*", "10.0.0.1", true},
        {"127.1", "127.0.0.1", true},
        {"0x7f000001", "127.0.0.1", true},
        {"127.0.0.1.", "127.0.0.1", true},
        {"::ffff:10.0.0.1", "10.0.0.1", true},
        {"0:0::1", "::1", true},
        {"EXAMPLE.com.", "example.com", true},
        {"*a*b*", "xaxxbx", true},
        {"*a*b*", "xbxxax", false},
        {"a*", "a", true},
        {"*a", "a", true},
        {"**", "a", true},
        {"::1", "::1", true},
        {"2001:db8:*", "2001:db8::1", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (matches(cases[i].pattern, cases[i].name) != cases[i].fits) {
            test_fail(__FILE__, __LINE__, "'%s' and '%s'", cases[i].pattern, cases[i].name);
        }
    }
}

/* Time that grows with a power of the number of stars would not come to an end here. */
static void test_many_stars_are_quick(void)
{
    char pattern[NET_MAX_NAME + 1];
    char name[NET_MAX_NAME + 1];
    for (size_t i = 0; i + 1 < sizeof pattern; i++) {
        pattern[i] = i % 2 == 0 ? '*' : 'a';
        name[i] = 'a';
    }
    pattern[NET_MAX_NAME - 1] = 'b';
    pattern[NET_MAX_NAME] = name[NET_MAX_NAME] = 0;
    ASSERT(!matches(pattern, name));
}

static void test_patterns_that_fit_nothing_are_refused(void)
{
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        {"", "is empty"},
        {"256.0.0.1", "is no IPv4 address"},
        {"1.2.3.4.5", "is no IPv4 address"},
        {"example.com:80", "is no IPv6 address"},
        {"1::2::3", "is no IPv6 address"},
        {"10.0.0.0/8", "networks go into"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        net_pattern pattern;
        const char *problem = NULL;
        ASSERT(!net_pattern_parse(cases[i].text, &pattern, &problem));
        ASSERT_STR_CONTAINS(problem, cases[i].problem);
    }
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void assert_name(const char *given, size_t size, const char *expected)
{
    char name[NET_MAX_NAME + 1];
    char reason[NET_REASON_SIZE] = "";
    bool taken = net_name_normalize((const uint8_t *)given, size, name, reason);
    if (taken != (expected != NULL)) {
        test_fail(__FILE__, __LINE__, "'%s': %d %s", given, taken, reason);
    }
    if (taken) {
        ASSERT_STR_EQ(name, expected);
    } else {
        ASSERT(reason[0] != 0);
    }
}

static void test_names(void)
{
    static const struct {
        const char *given;
        const char *name;
    } cases[] = {
        {"example.com", "example.com"},
        {"Example.COM.", "example.com"},
        {"a", "a"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"_srv._tcp.example.com", "_srv._tcp.example.com"},
        {"127.0.0.1", "127.0.0.1"},
        {"127.0.0.1.", "127.0.0.1"},
        {"0X7F.1", "0x7f.1"},
        {"::1", "::1"},
        {"FE80::1%2", "fe80::1%2"},
        {"1.example", "1.example"},
        {"", NULL},
        {".", NULL},
        {"..", NULL},
        {"a..b", NULL},
        {".a", NULL},
        {"a b", NULL},
        {"a/b", NULL},
        {"a@b", NULL},
        {"a\nb", NULL},
        {"a\\b", NULL},
        {"a%2eb", NULL},
        {"b\xc3\xbc"
         "cher.example",
         NULL},
        {"\xff", NULL},
        {"1.2.3.4.5", NULL},
        {"256.256.256.256", NULL},
        {"example.0x1", NULL},
        {"a:80", NULL},
        {"[::1]", NULL},
        {"fe80::1%eth0", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_name(cases[i].given, strlen(cases[i].given), cases[i].name);
    }
    assert_name("good.example\0.evil", 18, NULL);
    assert_name("\0", 1, NULL);
}

static void test_lengths_of_names(void)
{
    char name[512];
    for (size_t i = 0; i < sizeof name; i++) {
        name[i] = i % 64 == 63 ? '.' : 'a';
    }
    name[253] = 0;
    assert_name(name, 253, name);
    assert_name(name, 254, NULL);
    assert_name(name, 512, NULL);
    memset(name, 'a', sizeof name);
    assert_name(name, 64, NULL);
    name[63] = 0;
    assert_name(name, 63, name);
}

/* ---- Policies -------------------------------------------------------------------------------- */

static net_policy *make(const eryx_network_options *options)
{
    net_policy *policy = NULL;
    eryx_error error = {{0}};
    net_policy_create(options, &policy, &error);
    ASSERT_STR_EQ(error.message, "");
    return policy;
}

static eryx_texts texts(const char *const *items)
{
    size_t count = 0;
    while (items[count] != NULL) {
        count++;
    }
    return (eryx_texts){items, count};
}

#define TEXTS(...) texts((const char *const[]){__VA_ARGS__, NULL})

/* The machine of these tests; never read anew. */
static net_address own_addresses[] = {
    {.bytes = {127, 0, 0, 1}},
    {.bytes = {8, 8, 4, 4}},
    {.bytes = {10, 7, 7, 7}},
    {.is_v6 = true, .bytes = {0x2a, 0, [15] = 7}},
};
static net_own own = {.addresses = own_addresses, .count = 4, .next_read_ns = UINT64_MAX};

static void assert_name_is(const net_policy *policy, const char *name, const char *refusal)
{
    char reason[NET_REASON_SIZE] = "";
    bool allowed = net_policy_allows_name(policy, &own, name, reason);
    if (allowed) {
        reason[0] = 0;
    }
    ASSERT_STR_EQ(reason, refusal != NULL ? refusal : "");
    ASSERT_EQ(allowed, refusal == NULL);
}

static void assert_address_is(const net_policy *policy, const char *name, const char *text,
                              const char *refusal)
{
    char reason[NET_REASON_SIZE] = "";
    net_address address;
    ASSERT(net_address_parse(text, strlen(text), &address));
    bool allowed = net_policy_allows_address(policy, &own, name, &address, reason);
    if (allowed) {
        reason[0] = 0;
    }
    ASSERT_STR_EQ(reason, refusal != NULL ? refusal : "");
    ASSERT_EQ(allowed, refusal == NULL);
}

static void test_default_allows_public_hosts_only(void)
{
    eryx_network_options options;
    eryx_network_options_init(&options);
    net_policy *policy = make(&options);
    assert_name_is(policy, "example.com", NULL);
    assert_name_is(policy, "localhost",
                   "host 'localhost' is blocked: it is a name of the host itself");
    assert_name_is(policy, "x.localhost",
                   "host 'x.localhost' is blocked: it is a name of the host itself");
    assert_name_is(policy, "localhost.localdomain",
                   "host 'localhost.localdomain' is blocked: it is a name of the host itself");
    assert_name_is(policy, "0x7f.1", "address 127.0.0.1 is blocked: loopback");
    assert_address_is(policy, NULL, "93.184.216.34", NULL);
    assert_address_is(policy, "example.com", "93.184.216.34", NULL);
    assert_address_is(policy, "example.com", "10.0.0.1",
                      "address 10.0.0.1 of host 'example.com' is blocked: private network");
    assert_address_is(policy, NULL, "::ffff:169.254.169.254",
                      "address 169.254.169.254 is blocked: link-local");
    assert_address_is(policy, NULL, "fd00:ec2::254",
                      "address fd00:ec2::254 is blocked: unique local");
    net_policy_release(policy);
}

static void test_allowlist(void)
{
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.allow_all_hosts = false;
    options.allowed_hosts = TEXTS("api.example.com", "*.Example.ORG.", "1.1.1.1", "2606:0:0::1");
    net_policy *policy = make(&options);
    assert_name_is(policy, "api.example.com", NULL);
    assert_name_is(policy, "a.b.example.org", NULL);
    assert_name_is(policy, "example.org", "host 'example.org' is not in the allowed list");
    assert_name_is(policy, "evil.com", "host 'evil.com' is not in the allowed list");
    assert_name_is(policy, "1.1.1.1", NULL);
    assert_name_is(policy, "16843009", NULL);
    assert_address_is(policy, NULL, "1.1.1.1", NULL);
    assert_address_is(policy, NULL, "::ffff:1.1.1.1", NULL);
    assert_address_is(policy, NULL, "2606::1", NULL);
    assert_address_is(policy, NULL, "1.1.1.2", "address 1.1.1.2 is not in the allowed list");
    assert_address_is(policy, "api.example.com", "1.1.1.2", NULL);
    assert_address_is(policy, "api.example.com", "127.0.0.1",
                      "address 127.0.0.1 of host 'api.example.com' is blocked: loopback");
    net_policy_release(policy);
}

static void test_blocks_come_first(void)
{
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.allowed_hosts = TEXTS("a.evil.com");
    options.internal_hosts = TEXTS("b.evil.com");
    options.allowed_networks = TEXTS("10.0.0.0/8", "9.9.9.9");
    options.blocked_hosts = TEXTS("*.evil.com", "10.1.*", "9.9.9.9");
    options.blocked_networks = TEXTS("10.2.0.0/16", "8.8.8.0/24", "2606:4700::/32");
    options.allow_localhost = true;
    net_policy *policy = make(&options);
    assert_name_is(policy, "a.evil.com", "host 'a.evil.com' is blocked by rule '*.evil.com'");
    assert_name_is(policy, "b.evil.com", "host 'b.evil.com' is blocked by rule '*.evil.com'");
    assert_name_is(policy, "evil.com", NULL);
    assert_address_is(policy, NULL, "10.0.0.1", NULL);
    assert_address_is(policy, NULL, "10.1.0.1", "address 10.1.0.1 is blocked by rule '10.1.*'");
    assert_address_is(policy, "evil.com", "10.1.0.1",
                      "address 10.1.0.1 of host 'evil.com' is blocked by rule '10.1.*'");
    assert_address_is(policy, NULL, "::ffff:10.1.0.1",
                      "address 10.1.0.1 is blocked by rule '10.1.*'");
    assert_address_is(policy, NULL, "10.2.0.1",
                      "address 10.2.0.1 is in the blocked network 10.2.0.0/16");
    assert_address_is(policy, NULL, "64:ff9b::8.8.8.8",
                      "address 64:ff9b::808:808 is in the blocked network 8.8.8.0/24");
    assert_address_is(policy, NULL, "2606:4700::1",
                      "address 2606:4700::1 is in the blocked network 2606:4700::/32");
    assert_address_is(policy, NULL, "9.9.9.9", "address 9.9.9.9 is blocked by rule '9.9.9.9'");
    assert_address_is(policy, NULL, "127.0.0.1", NULL);
    net_policy_release(policy);
}

static void test_exceptions_from_the_internal_block(void)
{
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.allow_all_hosts = false;
    options.internal_hosts = TEXTS("*.corp.example", "192.168.7.7");
    options.allowed_networks = TEXTS("172.16.5.0/24");
    net_policy *policy = make(&options);
    assert_name_is(policy, "db.corp.example", NULL);
    assert_address_is(policy, "db.corp.example", "10.0.0.1", NULL);
    assert_address_is(policy, "db.corp.example", "fd00::1", NULL);
    assert_address_is(policy, "db.corp.example", "::1",
                      "address ::1 of host 'db.corp.example' is blocked: loopback, which "
                      "internal_hosts allows only with '=' and the address");
    assert_address_is(policy, NULL, "192.168.7.7", NULL);
    assert_address_is(policy, NULL, "192.168.7.8",
                      "address 192.168.7.8 is blocked: private network");
    assert_address_is(policy, NULL, "172.16.5.1", NULL);
    assert_address_is(policy, NULL, "172.16.6.1", "address 172.16.6.1 is blocked: private network");
    assert_address_is(policy, NULL, "8.8.8.8", "address 8.8.8.8 is not in the allowed list");
    assert_name_is(policy, "localhost",
                   "host 'localhost' is blocked: it is a name of the host itself");
    net_policy_release(policy);

    options.internal_hosts = options.allowed_networks = (eryx_texts){0};
    options.allow_localhost = true;
    policy = make(&options);
    assert_name_is(policy, "localhost", NULL);
    assert_address_is(policy, "localhost", "127.0.0.1", NULL);
    assert_address_is(policy, NULL, "::1", NULL);
    assert_address_is(policy, NULL, "::ffff:127.0.0.5", NULL);
    assert_address_is(policy, NULL, "0.0.0.0", "address 0.0.0.0 is blocked: unspecified");
    assert_address_is(policy, NULL, "10.0.0.1", "address 10.0.0.1 is blocked: private network");
    assert_name_is(policy, "example.com", "host 'example.com' is not in the allowed list");
    net_policy_release(policy);

    options.allow_localhost = false;
    options.allow_all_hosts = true;
    options.block_internal = false;
    policy = make(&options);
    assert_name_is(policy, "localhost", NULL);
    assert_address_is(policy, NULL, "10.0.0.1", NULL);
    assert_address_is(policy, NULL, "169.254.169.254", NULL);
    net_policy_release(policy);
}

/* A name of the network inside leads where its owner likes: also to the machine and to what gives
 * out its credentials. */
static void test_an_internal_name_does_not_open_the_machine_itself(void)
{
    static const char *const guarded[] = {
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "0.0.0.0",
        "::",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "fe80::a9fe:a9fe",
        "::ffff:169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "64:ff9b::169.254.169.254",
        "fd00:ec2::23",
        "fd00:42::42",
        "fd00:c1::a9fe:a9fe",
    };
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.internal_hosts = TEXTS("*.corp.example", "*", "10.*", "loc*");
    net_policy *policy = make(&options);
    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
        net_address address;
        char reason[NET_REASON_SIZE];
        ASSERT(net_address_parse(guarded[i], strlen(guarded[i]), &address));
        ASSERT(!net_policy_allows_address(policy, &own, "db.corp.example", &address, reason));
        ASSERT_STR_CONTAINS(reason, "internal_hosts allows only with '='");
        ASSERT(!net_policy_allows_address(policy, &own, NULL, &address, reason));
    }
    assert_name_is(policy, "localhost",
                   "host 'localhost' is blocked: it is a name of the host itself");
    assert_address_is(policy, "db.corp.example", "192.168.1.1", NULL);
    assert_address_is(policy, NULL, "192.168.1.1", NULL);
    assert_address_is(policy, "10.attacker.example", "127.0.0.1",
                      "address 127.0.0.1 of host '10.attacker.example' is blocked: loopback, "
                      "which internal_hosts allows only with '=' and the address");
    net_policy_release(policy);

    options.internal_hosts = TEXTS("10.*");
    policy = make(&options);
    assert_address_is(policy, "10.attacker.example", "127.0.0.1",
                      "address 127.0.0.1 of host '10.attacker.example' is blocked: loopback");
    assert_address_is(policy, NULL, "10.9.9.9", NULL);
    net_policy_release(policy);
}

/* A service that listens on all interfaces is reached under the public address, too. */
static void test_the_public_addresses_of_the_machine_are_not_public(void)
{
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.internal_hosts = TEXTS("*.corp.example");
    net_policy *policy = make(&options);
    assert_address_is(policy, NULL, "8.8.4.5", NULL);
    assert_address_is(policy, NULL, "8.8.4.4",
                      "address 8.8.4.4 is blocked: an address of this machine");
    assert_name_is(policy, "134743044", "address 8.8.4.4 is blocked: an address of this machine");
    assert_address_is(policy, NULL, "::ffff:8.8.4.4",
                      "address 8.8.4.4 is blocked: an address of this machine");
    assert_address_is(policy, "x.example", "2a00::7",
                      "address 2a00::7 of host 'x.example' is blocked: an address of this machine");
    assert_address_is(policy, NULL, "2a00::8", NULL);
    assert_address_is(policy, "db.corp.example", "10.7.7.8", NULL);
    assert_address_is(policy, "db.corp.example", "10.7.7.7",
                      "address 10.7.7.7 of host 'db.corp.example' is blocked: private network, "
                      "which internal_hosts allows only with '=' and the address");
    net_address learned = {.bytes = {9, 9, 9, 9}};
    assert_address_is(policy, NULL, "9.9.9.9", NULL);
    net_own_learn(&own, &learned);
    assert_address_is(policy, NULL, "9.9.9.9",
                      "address 9.9.9.9 is blocked: an address of this machine");
    net_policy_release(policy);

    options.allowed_networks = TEXTS("8.8.4.4");
    options.internal_hosts = TEXTS("a.example=2a00::7", "9.9.9.9");
    policy = make(&options);
    assert_address_is(policy, NULL, "8.8.4.4", NULL);
    assert_address_is(policy, "a.example", "2a00::7", NULL);
    assert_address_is(policy, NULL, "9.9.9.9", NULL);
    net_policy_release(policy);

    options.allowed_networks = options.internal_hosts = (eryx_texts){0};
    options.allow_localhost = true;
    policy = make(&options);
    assert_address_is(policy, NULL, "8.8.4.4", NULL);
    assert_address_is(policy, NULL, "10.7.7.7", "address 10.7.7.7 is blocked: private network");
    net_policy_release(policy);

    options.allow_localhost = options.block_internal = false;
    policy = make(&options);
    assert_address_is(policy, NULL, "8.8.4.4", NULL);
    net_policy_release(policy);
    own.has_learned = false;
}

static void test_the_addresses_of_interfaces_are_read(void)
{
    net_own read = {0};
    const net_address loopback = {.bytes = {127, 0, 0, 1}};
    const net_address mapped = {.is_v6 = true, .bytes = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
    const net_address other = {.bytes = {127, 9, 9, 9}};
    ASSERT(net_own_has(&read, &loopback));
    ASSERT(net_own_has(&read, &mapped));
    ASSERT(!net_own_has(&read, &other));
    net_own_free(&read);
}

static void test_an_internal_host_says_where_it_leads(void)
{
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.internal_hosts =
        TEXTS("db.example=127.0.0.0/8", "*.cloud.example=169.254.169.254", "both.example",
              "both.example=::1", "a.localhost", "169.254.169.254");
    net_policy *policy = make(&options);
    assert_address_is(policy, "db.example", "127.0.0.1", NULL);
    assert_address_is(policy, "db.example", "::ffff:127.0.0.1", NULL);
    assert_address_is(policy, "db.example", "10.0.0.1",
                      "address 10.0.0.1 of host 'db.example' is blocked: private network");
    assert_address_is(policy, "x.cloud.example", "169.254.169.254", NULL);
    assert_address_is(policy, "x.cloud.example", "169.254.169.253",
                      "address 169.254.169.253 of host 'x.cloud.example' is blocked: link-local");
    assert_address_is(policy, "both.example", "10.0.0.1", NULL);
    assert_address_is(policy, "both.example", "::1", NULL);
    assert_name_is(policy, "a.localhost", NULL);
    assert_address_is(policy, "a.localhost", "127.0.0.1", NULL);
    assert_name_is(policy, "localhost",
                   "host 'localhost' is blocked: it is a name of the host itself");
    assert_address_is(policy, NULL, "169.254.169.254", NULL);
    assert_address_is(policy, NULL, "127.0.0.1", "address 127.0.0.1 is blocked: loopback");
    net_policy_release(policy);
}

/* ---- Bad options ----------------------------------------------------------------------------- */

static void assert_invalid(const eryx_network_options *options, const char *part)
{
    net_policy *policy = NULL;
    eryx_error error = {{0}};
    ASSERT_EQ(net_policy_create(options, &policy, &error), ERYX_INVALID_ARGUMENT);
    ASSERT(policy == NULL);
    ASSERT_STR_CONTAINS(error.message, part);
}

static void test_malformed_options_are_named(void)
{
    eryx_network_options usual;
    eryx_network_options_init(&usual);
    eryx_network_options options = usual;
    options.struct_size--;
    assert_invalid(&options, "eryx_network_options_init");
    options = usual;
    options.allowed_hosts = TEXTS("ok", "a b");
    assert_invalid(&options, "allowed_hosts: pattern 'a b'");
    options.allowed_hosts = TEXTS("");
    assert_invalid(&options, "is empty");
    options.allowed_hosts = TEXTS("b\xc3\xbc"
                                  "cher.example");
    assert_invalid(&options, "xn--");
    options.allowed_hosts = TEXTS("10.0.0.0/8");
    assert_invalid(&options, "allowed_networks");
    options = usual;
    options.internal_hosts = TEXTS("db.example=");
    assert_invalid(&options, "internal_hosts: 'db.example=' has no network");
    options.internal_hosts = TEXTS("10.*=127.0.0.1");
    assert_invalid(&options, "what is an address already");
    options.internal_hosts = (eryx_texts){0};
    options.allowed_hosts = (eryx_texts){NULL, 3};
    assert_invalid(&options, "allowed_hosts");
    options = usual;
    options.blocked_networks = TEXTS("10.0.0.0/8", "10.0.0.1/8");
    assert_invalid(&options, "blocked_networks: '10.0.0.1/8'");
    options = usual;
    options.dns_servers = TEXTS("dns.example.com");
    assert_invalid(&options, "dns_servers: 'dns.example.com'");
    options.dns_servers = TEXTS("1.2.3.4:0");
    assert_invalid(&options, "1.2.3.4:0");
    options.dns_servers = TEXTS("1.2.3.4:65536");
    assert_invalid(&options, "1.2.3.4:65536");
    options.dns_servers = TEXTS("[::1");
    assert_invalid(&options, "[::1");
    options = usual;
    options.root_certificates = &(eryx_bytes){NULL, 0};
    options.root_certificate_count = 1;
    assert_invalid(&options, "certificate 0 is empty");
}

/* They were found out at the first connection, by the guest. */
static void test_roots_that_are_no_certificates_are_refused(void)
{
    identity root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    uint8_t *der = NULL;
    size_t size = (size_t)i2d_X509(root.certificate, &der);
    eryx_network_options options;
    eryx_network_options_init(&options);
    eryx_bytes roots[] = {{der, size}, {der, size - 1}};
    options.root_certificates = roots;
    options.root_certificate_count = 2;
    assert_invalid(&options, "root certificate 2 (");
    roots[1] = (eryx_bytes){(const uint8_t *)"0\3\2\1\1", 5};
    assert_invalid(&options, "root certificate 2 (5 bytes) is not a certificate in DER");
    options.root_certificate_count = 1;
    net_policy_release(make(&options));
    OPENSSL_free(der);
    free_identity(&root);
}

static void test_servers_and_certificates_are_copied(void)
{
    eryx_network_options options;
    eryx_network_options_init(&options);
    identity root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    uint8_t *certificate = NULL;
    size_t size = (size_t)i2d_X509(root.certificate, &certificate);
    options.dns_servers = TEXTS("1.2.3.4", "1.2.3.4:5353", "::1", "[2001:db8::1]:53");
    options.root_certificates = &(eryx_bytes){certificate, size};
    options.root_certificate_count = 1;
    net_policy *policy = make(&options);
    OPENSSL_free(certificate);
    certificate = NULL;
    i2d_X509(root.certificate, &certificate);
    ASSERT_STR_EQ(net_policy_dns_servers(policy),
                  "1.2.3.4:53,1.2.3.4:5353,[::1]:53,[2001:db8::1]:53");
    const eryx_bytes *certificates;
    ASSERT_EQ(net_policy_root_certificates(policy, &certificates), 1);
    ASSERT_BYTES_EQ(certificates[0].data, certificates[0].size, certificate, size);
    OPENSSL_free(certificate);
    free_identity(&root);
    ASSERT_EQ(net_policy_retain(policy), policy);
    net_policy_release(policy);
    ASSERT_EQ(net_policy_limits(policy)->max_connections, 10);
    net_policy_release(policy);
    net_policy_release(NULL);
}

TEST_MAIN(TEST_CASE(test_patterns), TEST_CASE(test_many_stars_are_quick),
          TEST_CASE(test_patterns_that_fit_nothing_are_refused), TEST_CASE(test_names),
          TEST_CASE(test_lengths_of_names), TEST_CASE(test_default_allows_public_hosts_only),
          TEST_CASE(test_allowlist), TEST_CASE(test_blocks_come_first),
          TEST_CASE(test_exceptions_from_the_internal_block),
          TEST_CASE(test_an_internal_name_does_not_open_the_machine_itself),
          TEST_CASE(test_the_public_addresses_of_the_machine_are_not_public),
          TEST_CASE(test_the_addresses_of_interfaces_are_read),
          TEST_CASE(test_an_internal_host_says_where_it_leads),
          TEST_CASE(test_malformed_options_are_named),
          TEST_CASE(test_roots_that_are_no_certificates_are_refused),
          TEST_CASE(test_servers_and_certificates_are_copied))
