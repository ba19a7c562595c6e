/*
 * Every operation of tls_guest_operation() in its worst case: one that has none here fails the
 * test. The keys and certificates are what a guest, or a server that is on its side, would send.
 */
#include "costs.h"
#include "fake_guest.h"
#include "guest_imports.h"
#include "imports/eryx_network.h"
#include "imports/eryx_secrets.h"
#include "imports/eryx_tls.h"
#include "net/net.h"
#include "net/tls_sessions.h"
#include "protocol/ask.h"
#include "secrets/secrets.h"
#include "tls_identities.h"

enum { MEMORY = 8 << 20, DATA = 4096, DATA_SIZE = 2 << 20, OUT = 4 << 20, ROOM = 1 << 20 };

static fake_guest *guest;
static guest_instance *g;
static identity root;
static identity plain;   /* of a server, for example.com */
static identity crowded; /* the same, with names without end */
static net_policy *policy;

/* A session of the guest, and the server at the other end. */
static uint32_t session;
static SSL_CTX *server_context;
static SSL *server;

static int32_t call(uint32_t operation, uint32_t id, uint32_t size, uint32_t room)
{
    guest->heap_next = FAKE_GUEST_HEAP;
    int32_t result = (int32_t)tls_guest_operation(g, operation, id, DATA, size, OUT, room);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    return result;
}

static uint8_t *data_at(uint32_t offset)
{
    return fake_guest_bytes(guest, DATA, DATA_SIZE) + offset;
}

static uint32_t put_field(uint32_t end, uint32_t field, const void *bytes, size_t size)
{
    const uint32_t size32 = (uint32_t)size;
    memcpy(data_at(end), &field, 4);
    memcpy(data_at(end + 4), &size32, 4);
    memcpy(data_at(end + 8), bytes, size);
    return end + 8 + size32;
}

static uint32_t put_bio(uint32_t end, uint32_t field, BIO *pem)
{
    char *text;
    const long size = BIO_get_mem_data(pem, &text);
    end = put_field(end, field, text, (size_t)size);
    BIO_free(pem);
    return end;
}

/* ---- Certificates ---------------------------------------------------------------------------- */

/* Text of so many alternative names. */
static char *many_names(size_t count)
{
    char *text = malloc(32 + count * 48);
    ASSERT_NOT_NULL(text);
    size_t size = (size_t)sprintf(text, "DNS:example.com");
    for (size_t i = 0; i < count; i++) {
        size += (size_t)sprintf(text + size, ",DNS:*.a.b.c.d.%zu.example", i);
    }
    return text;
}

/* One whose subject has so many parts, of a type that nobody knows. */
static identity with_long_subject(int count, const char *type)
{
    identity made = make_identity((identity_options){.common_name = "x", .issuer = &root});
    X509_NAME *name = X509_NAME_new();
    ASN1_OBJECT *object = OBJ_txt2obj(type, 1);
    ASSERT_NOT_NULL(object);
    for (int i = 0; i < count; i++) {
        ASSERT_EQ(X509_NAME_add_entry_by_OBJ(name, object, MBSTRING_ASC, (const unsigned char *)"x",
                                             1, -1, 0),
                  1);
    }
    ASSERT_EQ(X509_set_subject_name(made.certificate, name), 1);
    ASSERT(X509_sign(made.certificate, root.key, EVP_sha256()) > 0);
    X509_NAME_free(name);
    ASN1_OBJECT_free(object);
    return made;
}

static identity with_long_serial_number(size_t bits)
{
    identity made = make_identity((identity_options){.common_name = "x", .issuer = &root});
    BIGNUM *number = BN_new();
    ASSERT_EQ(BN_set_bit(number, (int)bits), 1);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made.certificate));
    ASSERT(X509_sign(made.certificate, root.key, EVP_sha256()) > 0);
    BN_free(number);
    return made;
}

static void begin(void)
{
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    plain = make_identity(
        (identity_options){.common_name = "server", .names = "DNS:example.com", .issuer = &root});
    char *names = many_names(900); /* about 30 kB */
    crowded =
        make_identity((identity_options){.common_name = "server", .names = names, .issuer = &root});
    free(names);
    unsigned char *der = NULL;
    eryx_bytes bytes = {NULL, (size_t)i2d_X509(root.certificate, &der)};
    bytes.data = der;
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.root_certificates = &bytes;
    options.root_certificate_count = 1;
    ASSERT_EQ(net_policy_create(&options, &policy, NULL), ERYX_OK);
    OPENSSL_free(der);
    guest = fake_guest_create(MEMORY, 64);
    g = fake_guest_instance(guest);
    ASSERT(net_create(net_policy_retain(policy), &guest->sandbox.net));
    net_begin_run(guest->sandbox.net);
}

static void finish(void)
{
    tls_sessions_destroy(guest->sandbox.tls);
    guest->sandbox.tls = NULL;
    net_destroy(guest->sandbox.net);
    guest->sandbox.net = NULL;
    fake_guest_destroy(guest);
    net_policy_release(policy);
    free_identity(&crowded);
    free_identity(&plain);
    free_identity(&root);
}

/* ---- Sessions -------------------------------------------------------------------------------- */

static void open_session(const identity *shown)
{
    session = (uint32_t)call(TLS_OPEN, 0, put_field(0, TLS_FIELD_NAME, "example.com", 11), 0);
    ASSERT_GT((int32_t)session, 0);
    server_context = SSL_CTX_new(TLS_server_method());
    ASSERT_EQ(SSL_CTX_use_certificate(server_context, shown->certificate), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey(server_context, shown->key), 1);
    server = SSL_new(server_context);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(server);
}

static void close_session(void)
{
    call(TLS_CLOSE, session, 0, 0);
    SSL_free(server);
    SSL_CTX_free(server_context);
}

/* Takes what the guest has for the server. */
static void drain(void)
{
    for (int32_t size; (size = call(TLS_DRAIN, session, 0, ROOM)) > 0;) {
        BIO_write(SSL_get_rbio(server), fake_guest_bytes(guest, OUT, (uint32_t)size), size);
    }
}

/* Gives what the server has for the guest: how many bytes. */
static uint32_t feed(void)
{
    const int size = BIO_read(SSL_get_wbio(server), data_at(0), DATA_SIZE);
    uint32_t fed = 0;
    while (size > 0 && fed < (uint32_t)size) {
        memmove(data_at(0), data_at(fed), (uint32_t)size - fed);
        const int32_t taken = call(TLS_FEED, session, (uint32_t)size - fed, 0);
        ASSERT_GE(taken, 0);
        if (taken == 0) {
            break;
        }
        fed += (uint32_t)taken;
    }
    return fed;
}

/* The server's first flight has been fed: its certificates are looked at next. */
static void begin_handshake(const identity *shown)
{
    open_session(shown);
    call(TLS_HANDSHAKE, session, 0, 0);
    drain();
    SSL_do_handshake(server);
    feed();
}

static void connect_to(const identity *shown)
{
    begin_handshake(shown);
    ASSERT_EQ(call(TLS_HANDSHAKE, session, 0, 0), 0);
    drain();
    ASSERT_EQ(SSL_do_handshake(server), 1);
    feed();
}

static void measure(uint32_t operation, uint32_t size, uint32_t room)
{
    COST_BEGIN();
    call(operation, session, size, room);
    COST_END();
}

static void open_one(void)
{
    const uint32_t size = put_field(0, TLS_FIELD_NAME, "example.com", 11);
    COST_BEGIN();
    session = (uint32_t)call(TLS_OPEN, 0, size, 0);
    COST_END();
    call(TLS_CLOSE, session, 0, 0);
}

static void close_one(void)
{
    connect_to(&plain);
    COST_BEGIN();
    call(TLS_CLOSE, session, 0, 0);
    COST_END();
    SSL_free(server);
    SSL_CTX_free(server_context);
}

static void say_hello(void)
{
    open_session(&plain);
    measure(TLS_HANDSHAKE, 0, 0);
    close_session();
}

static void verify_a_server(void)
{
    begin_handshake(&plain);
    measure(TLS_HANDSHAKE, 0, 0);
    close_session();
}

static void verify_a_server_of_many_names(void)
{
    begin_handshake(&crowded);
    measure(TLS_HANDSHAKE, 0, 0);
    close_session();
}

/* The server sends so many times one more certificate. */
static void verify_chain(identity more, int count)
{
    open_session(&plain);
    for (int i = 0; i < count; i++) {
        ASSERT_EQ(SSL_add1_chain_cert(server, more.certificate), 1);
    }
    free_identity(&more);
    call(TLS_HANDSHAKE, session, 0, 0);
    drain();
    SSL_do_handshake(server);
    feed();
    measure(TLS_HANDSHAKE, 0, 0);
    close_session();
}

/* One with a point that has to be computed. */
static identity with_compressed_point(void)
{
    EVP_PKEY *curve = EVP_EC_gen("P-521");
    ASSERT_EQ(EVP_PKEY_set_utf8_string_param(curve, "point-format", "compressed"), 1);
    identity made = make_identity((identity_options){.common_name = "y", .issuer = &root});
    X509_set_pubkey(made.certificate, curve);
    ASSERT(X509_sign(made.certificate, root.key, EVP_sha256()) > 0);
    EVP_PKEY_free(curve);
    return made;
}

static void verify_most_certificates(void)
{
    verify_chain(with_compressed_point(), 11);
}

static void verify_too_many_certificates(void)
{
    verify_chain(with_compressed_point(), 100);
}

static void verify_large_certificates(void)
{
    verify_chain(with_long_subject(1900, "1.2.3"), 1);
}

static void read_most(void)
{
    connect_to(&plain);
    char *bytes = calloc(1, 1 << 20);
    ASSERT_NOT_NULL(bytes);
    ASSERT_EQ(SSL_write(server, bytes, 1 << 20), 1 << 20);
    free(bytes);
    feed();
    measure(TLS_READ, 0, ROOM);
    close_session();
}

static void write_most(void)
{
    connect_to(&plain);
    measure(TLS_WRITE, DATA_SIZE, 0);
    close_session();
}

static void feed_most(void)
{
    connect_to(&plain);
    measure(TLS_FEED, DATA_SIZE, 0);
    close_session();
}

static void drain_most(void)
{
    connect_to(&plain);
    call(TLS_WRITE, session, 1 << 20, 0);
    measure(TLS_DRAIN, 0, ROOM);
    close_session();
}

#define ON_CONNECTED(function, operation, size, room)                                              \
    static void function(void)                                                                     \
    {                                                                                              \
        connect_to(&crowded);                                                                      \
        memset(data_at(0), 1, 16);                                                                 \
        measure(operation, size, room);                                                            \
        close_session();                                                                           \
    }
ON_CONNECTED(shut_down, TLS_SHUTDOWN, 0, 0)
ON_CONNECTED(ask_pending, TLS_PENDING, 0, 0)
ON_CONNECTED(end_feed, TLS_FEED_END, 0, 0)
ON_CONNECTED(describe_session, TLS_DESCRIBE, 0, ROOM)
ON_CONNECTED(describe_peer, TLS_PEER, 0, ROOM)
ON_CONNECTED(give_chain, TLS_CHAIN, 1, ROOM)
ON_CONNECTED(give_binding, TLS_BINDING, 0, ROOM)
ON_CONNECTED(tell_error, TLS_ERROR, 0, ROOM)
ON_CONNECTED(tell_time, TLS_TIME_LEFT, 0, 0)

/* ---- Without a session ----------------------------------------------------------------------- */

static void describe(identity made)
{
    unsigned char *der = NULL;
    const int size = i2d_X509(made.certificate, &der);
    ASSERT_GT(size, 0);
    ASSERT_LE(size, 32 << 10);
    memcpy(data_at(0), der, (size_t)size);
    OPENSSL_free(der);
    session = 0;
    COST_BEGIN();
    ASSERT_NE(call(TLS_CERTIFICATE, 0, (uint32_t)size, ROOM), TLS_BAD_CALL);
    COST_END();
    free_identity(&made);
}

static void describe_names(void)
{
    X509_up_ref(crowded.certificate);
    describe((identity){crowded.certificate, NULL});
}

static void describe_long_subject(void)
{
    describe(with_long_subject(1900, "1.2.3"));
}

/* The text of one number of hundreds of digits. */
static void describe_long_types(void)
{
    char type[600];
    memset(type, '9', sizeof type);
    memcpy(type, "1.2.", 4);
    type[sizeof type - 1] = 0;
    describe(with_long_subject(60, type));
}

static void describe_long_serial_number(void)
{
    describe(with_long_serial_number(240000));
}

/* One more extension, made of so many times the same text. */
static void describe_extension(const char *name, const char *unit, size_t count)
{
    char *value = malloc(count * (strlen(unit) + 1) + 1);
    ASSERT_NOT_NULL(value);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += (size_t)sprintf(value + size, "%s%s", i > 0 ? "," : "", unit);
    }
    describe(make_identity((identity_options){
        .common_name = "x", .issuer = &root, .more_name = name, .more_value = value}));
    free(value);
}

static void describe_addresses(void)
{
    describe_extension("subjectAltName", "IP:1.2.3.4", 5300);
}

static void describe_object_names(void)
{
    describe_extension("subjectAltName", "RID:1.2.3.4.5", 5300);
}

static void describe_access(void)
{
    describe_extension("authorityInfoAccess", "OCSP;URI:a", 2000);
}

static void describe_revocation_lists(void)
{
    describe_extension("crlDistributionPoints", "URI:a", 3200);
}

static void describe_many_extensions(void)
{
    identity made = make_identity((identity_options){.common_name = "x", .issuer = &root});
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *object = OBJ_txt2obj("1.2.3", 1);
    ASSERT_EQ(ASN1_OCTET_STRING_set(value, (const unsigned char *)"x", 1), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
    for (int i = 0; i < 3500; i++) {
        ASSERT_EQ(X509_add_ext(made.certificate, extension, -1), 1);
    }
    ASSERT(X509_sign(made.certificate, root.key, EVP_sha256()) > 0);
    X509_EXTENSION_free(extension);
    ASN1_OBJECT_free(object);
    ASN1_OCTET_STRING_free(value);
    describe(made);
}

static void tell_library(void)
{
    session = 0;
    measure(TLS_LIBRARY, 0, ROOM);
}

static void list_ciphers(void)
{
    session = 0;
    measure(TLS_CIPHERS, 0, ROOM);
}

/* Eight certificates, each with a point that has to be computed, and the largest RSA key. */
static uint32_t put_largest_identity(void)
{
    static EVP_PKEY *rsa;
    static EVP_PKEY *curve;
    if (rsa == NULL) {
        rsa = EVP_RSA_gen(4096);
        curve = EVP_EC_gen("P-521");
        ASSERT_EQ(EVP_PKEY_set_utf8_string_param(curve, "point-format", "compressed"), 1);
    }
    identity shown = make_identity((identity_options){.common_name = "x", .issuer = &root});
    EVP_PKEY_free(shown.key);
    EVP_PKEY_up_ref(rsa);
    shown.key = rsa;
    X509_set_pubkey(shown.certificate, rsa);
    ASSERT(X509_sign(shown.certificate, root.key, EVP_sha256()) > 0);
    identity between = make_identity((identity_options){.common_name = "y", .issuer = &root});
    X509_set_pubkey(between.certificate, curve);
    ASSERT(X509_sign(between.certificate, root.key, EVP_sha256()) > 0);
    BIO *pem = pem_of(&shown, false);
    for (int i = 0; i < 10; i++) {
        PEM_write_bio_X509(pem, between.certificate);
    }
    uint32_t end = put_field(0, TLS_FIELD_NAME, "example.com", 11);
    end = put_bio(end, TLS_FIELD_CERTIFICATE, pem);
    end = put_bio(end, TLS_FIELD_KEY, pem_of(&shown, true));
    free_identity(&between);
    free_identity(&shown);
    return end;
}

static void check_identity(void)
{
    const uint32_t size = put_largest_identity();
    COST_BEGIN();
    ASSERT_EQ(call(TLS_IDENTITY, 0, size, 0), 0);
    COST_END();
}

static void open_with_identity(void)
{
    const uint32_t size = put_largest_identity();
    COST_BEGIN();
    session = (uint32_t)call(TLS_OPEN, 0, size, 0);
    COST_END();
    ASSERT_GT((int32_t)session, 0);
    call(TLS_CLOSE, session, 0, 0);
}

/* 64 KiB of PEM that hold no certificate, and a key of 16 KiB that is none. */
static void check_nonsense(void)
{
    static char text[64 << 10];
    static const char block[] = "-----BEGIN X-----\nMAA=\n-----END X-----\n";
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = block[i % (sizeof block - 1)];
    }
    uint32_t size = put_field(0, TLS_FIELD_CERTIFICATE, text, sizeof text);
    size = put_field(size, TLS_FIELD_KEY, text, 16 << 10);
    COST_BEGIN();
    call(TLS_IDENTITY, 0, size, 0);
    COST_END();
}

/* ---- The network and secrets, which share the way in ------------------------------------------
 */

static void ask_network(uint32_t operation, uint32_t size)
{
    memset(data_at(0), 'a', DATA_SIZE);
    session = 1;
    measure(operation, size, ROOM);
}

#define ON_NETWORK(function, operation, size)                                                      \
    static void function(void)                                                                     \
    {                                                                                              \
        ask_network(operation, size);                                                              \
    }
ON_NETWORK(tell_refusal, NETWORK_LAST_REFUSAL, 0)
ON_NETWORK(tell_network_error, NETWORK_LAST_ERROR, 0)
ON_NETWORK(look_up_a_long_name, NETWORK_LOOKUP, DATA_SIZE)
ON_NETWORK(look_up_a_name_of_most_bytes, NETWORK_LOOKUP, 253)
ON_NETWORK(give_lookup, NETWORK_LOOKUP_RESULT, 0)
ON_NETWORK(forget_lookup, NETWORK_LOOKUP_FORGET, 0)
ON_NETWORK(tell_environment, SECRETS_ENVIRONMENT, 0)

/* ---- All of them ----------------------------------------------------------------------------- */

static const cost_case all[] = {
    {"TLS_OPEN", "without a key", open_one},
    {"TLS_OPEN", "eight certificates and an RSA key of 4,096 bits", open_with_identity},
    {"TLS_CLOSE", "", close_one},
    {"TLS_HANDSHAKE", "the first message", say_hello},
    {"TLS_HANDSHAKE", "a usual server", verify_a_server},
    {"TLS_HANDSHAKE", "a server of 900 names", verify_a_server_of_many_names},
    {"TLS_HANDSHAKE", "a server that sends 12 certificates", verify_most_certificates},
    {"TLS_HANDSHAKE", "a server with 1,900 parts of a subject", verify_large_certificates},
    {"TLS_HANDSHAKE", "a server that sends 101 certificates", verify_too_many_certificates},
    {"TLS_READ", "1 MiB", read_most},
    {"TLS_WRITE", "2 MiB", write_most},
    {"TLS_SHUTDOWN", "", shut_down},
    {"TLS_PENDING", "", ask_pending},
    {"TLS_FEED", "2 MiB", feed_most},
    {"TLS_FEED_END", "", end_feed},
    {"TLS_DRAIN", "1 MiB", drain_most},
    {"TLS_DESCRIBE", "", describe_session},
    {"TLS_PEER", "900 names", describe_peer},
    {"TLS_CHAIN", "900 names", give_chain},
    {"TLS_BINDING", "", give_binding},
    {"TLS_ERROR", "", tell_error},
    {"TLS_TIME_LEFT", "", tell_time},
    {"TLS_CERTIFICATE", "900 names", describe_names},
    {"TLS_CERTIFICATE", "1,900 parts of a subject", describe_long_subject},
    {"TLS_CERTIFICATE", "60 types of 600 digits", describe_long_types},
    {"TLS_CERTIFICATE", "5,300 addresses", describe_addresses},
    {"TLS_CERTIFICATE", "5,300 registered names", describe_object_names},
    {"TLS_CERTIFICATE", "2,000 places of OCSP", describe_access},
    {"TLS_CERTIFICATE", "3,200 revocation lists", describe_revocation_lists},
    {"TLS_CERTIFICATE", "3,500 extensions", describe_many_extensions},
    {"TLS_CERTIFICATE", "a serial number of 30 kB", describe_long_serial_number},
    {"NETWORK_LAST_REFUSAL", "", tell_refusal},
    {"NETWORK_LAST_ERROR", "", tell_network_error},
    {"NETWORK_LOOKUP", "2 MiB of a name", look_up_a_long_name},
    {"NETWORK_LOOKUP", "a name of 253 bytes", look_up_a_name_of_most_bytes},
    {"NETWORK_LOOKUP_RESULT", "", give_lookup},
    {"NETWORK_LOOKUP_FORGET", "", forget_lookup},
    {"SECRETS_ENVIRONMENT", "", tell_environment},
    {"TLS_LIBRARY", "", tell_library},
    {"TLS_CIPHERS", "", list_ciphers},
    {"TLS_IDENTITY", "eight certificates and an RSA key of 4,096 bits", check_identity},
    {"TLS_IDENTITY", "64 KiB of other PEM", check_nonsense},
};
enum { COUNT = sizeof all / sizeof all[0] };

/* Looks for the names of an enumeration of a header, which begin with a prefix: how many. */
static size_t look_for(const char *file, const char *begin_text, const char *prefix)
{
    char *header = cost_read_file(getenv("ERYX_SOURCE_DIR"), file);
    const char *at = strstr(header, begin_text);
    ASSERT_NOT_NULL(at);
    const char *end = strstr(at, "};");
    ASSERT_NOT_NULL(end);
    size_t found = 0;
    for (at = strstr(at, prefix); at != NULL && at < end; at = strstr(at + 1, prefix)) {
        char name[64];
        ASSERT_EQ(sscanf(at, " %63[A-Z_]", name), 1);
        if (!cost_has_case(all, COUNT, name)) {
            test_fail(__FILE__, __LINE__, "the operation %s has no case", name);
        }
        found++;
    }
    free(header);
    return found;
}

static void test_every_operation_has_a_case(void)
{
    ASSERT_GE(look_for("protocol/tls.h", "enum tls_operation {", "\n    TLS_"), 20);
    ASSERT_GE(look_for("protocol/network.h", "enum network_operation {", "\n    NETWORK_"), 5);
    ASSERT_GE(look_for("protocol/secrets.h", "enum secrets_operation {", "\n    SECRETS_"), 1);
}

static void test_no_operation_takes_long(void)
{
    begin();
    cost_check_all(all, COUNT);
    finish();
}

TEST_MAIN(TEST_CASE(test_every_operation_has_a_case), TEST_CASE(test_no_operation_takes_long))
