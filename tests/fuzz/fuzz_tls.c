/*
 * TLS against a hostile guest and a hostile network: a guest that calls the host's operations in
 * any order with any data, on sessions that it feeds, and a real server whose bytes are changed on
 * their way now and then. Plain bytes may only ever be those that the server has sent.
 */
#include "fuzz.h"

#include "fake_guest.h"
#include "guest_imports.h"
#include "imports/eryx_tls.h"
#include "net/net.h"
#include "net/tls_sessions.h"
#include "protocol/ask.h"
#include "tls/session.h"
#include "tls_identities.h"

enum { MEMORY = 256 * 1024, MAX_CALLS = 300, SESSIONS = 4, DATA = 4096, OUT = 65536, ROOM = 65536 };

static fuzz_input input;
static identity root, shown;
static net_policy *policy;
static SSL_CTX *server_context;

/* What the guest has opened; a server is at the other end of each. */
typedef struct pair {
    uint32_t id;
    SSL *server;
} pair;

static pair pairs[SESSIONS];

static void prepare(void)
{
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    root = make_identity((identity_options){.common_name = "root", .is_authority = true});
    shown = make_identity(
        (identity_options){.common_name = "server", .names = "DNS:example.com", .issuer = &root});
    unsigned char *der = NULL;
    eryx_bytes bytes = {NULL, (size_t)i2d_X509(root.certificate, &der)};
    bytes.data = der;
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.max_connections = SESSIONS;
    options.root_certificates = &bytes;
    options.root_certificate_count = 1;
    FUZZ_REQUIRE(net_policy_create(&options, &policy, NULL) == ERYX_OK);
    OPENSSL_free(der);
    server_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server_context, shown.certificate);
    SSL_CTX_use_PrivateKey(server_context, shown.key);
}

static void close_pair(pair *closed)
{
    SSL_free(closed->server);
    *closed = (pair){0, NULL};
}

static int32_t call(guest_instance *guest, uint32_t operation, uint32_t session, uint32_t size,
                    uint32_t room)
{
    return (int32_t)tls_guest_operation(guest, operation, session, DATA, size, OUT, room);
}

static uint32_t put_field(fake_guest *guest, uint32_t end, uint32_t field, const void *bytes,
                          uint32_t size)
{
    uint8_t *at = fake_guest_bytes(guest, DATA + end, 8 + size);
    memcpy(at, &field, 4);
    memcpy(at + 4, &size, 4);
    memcpy(at + 8, bytes, size);
    return end + 8 + size;
}

static void open_pair(fake_guest *guest, pair *opened)
{
    static const char *const names[] = {"example.com", "EXAMPLE.com.", "other.com", "10.0.0.1",
                                        "[::1]",       "a\0b",         "",          "*.com"};
    const char *name = names[fuzz_below(&input, 3) == 0 ? fuzz_below(&input, 8) : 0];
    uint32_t end = put_field(guest, 0, TLS_FIELD_NAME, name, (uint32_t)strlen(name));
    for (uint32_t more = fuzz_below(&input, 3); more > 0; more--) {
        uint8_t bytes[40];
        uint32_t size = fuzz_below(&input, sizeof bytes);
        for (uint32_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)fuzz_number(&input, 1);
        }
        if (fuzz_below(&input, 2) == 0) {
            end = put_field(guest, end, 4 + fuzz_below(&input, 6), bytes, size);
        }
    }
    int32_t id = call(fake_guest_instance(guest), TLS_OPEN, 0, end, 0);
    if (id <= 0) {
        return;
    }
    opened->id = (uint32_t)id;
    opened->server = SSL_new(server_context);
    SSL_set_bio(opened->server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(opened->server);
}

/* Carries bytes both ways; sometimes one of the server's is changed. */
static void carry(fake_guest *guest, pair *between)
{
    guest_instance *instance = fake_guest_instance(guest);
    int32_t size = call(instance, TLS_DRAIN, between->id, 0, ROOM);
    FUZZ_REQUIRE(size >= 0 && size <= ROOM);
    if (size > 0) {
        BIO_write(SSL_get_rbio(between->server), fake_guest_bytes(guest, OUT, (uint32_t)size),
                  size);
    }
    char bytes[256];
    if (SSL_do_handshake(between->server) == 1) {
        while (SSL_read(between->server, bytes, sizeof bytes) > 0) {
        }
        if (fuzz_below(&input, 4) == 0) {
            memset(bytes, 'S', sizeof bytes);
            SSL_write(between->server, bytes, 1 + (int)fuzz_below(&input, sizeof bytes));
        }
        if (fuzz_below(&input, 32) == 0) {
            SSL_shutdown(between->server);
        }
    }
    int count = BIO_read(SSL_get_wbio(between->server), fake_guest_bytes(guest, DATA, OUT - DATA),
                         OUT - DATA);
    if (count > 0) {
        if (fuzz_below(&input, 8) == 0) {
            *fake_guest_bytes(guest, DATA + fuzz_below(&input, (uint32_t)count), 1) ^=
                (uint8_t)(1 + fuzz_below(&input, 255));
        }
        int32_t taken = call(instance, TLS_FEED, between->id, (uint32_t)count, 0);
        FUZZ_REQUIRE(taken >= 0 && taken <= count);
    }
    ERR_clear_error();
}

static void operate(fake_guest *guest, uint32_t id)
{
    guest_instance *instance = fake_guest_instance(guest);
    uint32_t operation = fuzz_below(&input, 22);
    uint32_t size = fuzz_below(&input, 4) == 0 ? fuzz_below(&input, OUT - DATA) : 0;
    uint32_t room = fuzz_below(&input, 2) == 0 ? ROOM : 0;
    if (operation == TLS_OPEN || operation == TLS_FEED || operation == TLS_CLOSE) {
        return; /* the others do them */
    }
    int32_t result = call(instance, operation, id, size, room);
    if (operation == TLS_READ && result > 0) {
        for (int32_t i = 0; i < result; i++) {
            FUZZ_REQUIRE(*fake_guest_bytes(guest, OUT + (uint32_t)i, 1) == 'S');
        }
    }
    FUZZ_REQUIRE(room == 0 || result <= (int32_t)room);
    FUZZ_REQUIRE(fake_guest_take_trap(guest) == WASM_RT_TRAP_NONE);
}

/* Places that are not in memory: a trap, whatever else is asked for. */
static void call_outside(fake_guest *guest)
{
    uint32_t data = (uint32_t)fuzz_number(&input, 4);
    uint32_t size = (uint32_t)fuzz_number(&input, 4);
    uint32_t out = (uint32_t)fuzz_number(&input, 4);
    uint32_t room = (uint32_t)fuzz_number(&input, 4);
    tls_guest_operation(fake_guest_instance(guest), fuzz_below(&input, 22),
                        (uint32_t)fuzz_number(&input, 4), data, size, out, room);
    bool is_inside = (uint64_t)data + size <= MEMORY &&
                     (uint64_t)out + (room < (1 << 20) ? room : 1 << 20) <= MEMORY;
    FUZZ_REQUIRE((fake_guest_take_trap(guest) == WASM_RT_TRAP_NONE) == is_inside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (policy == NULL) {
        prepare();
    }
    input = (fuzz_input){data, size};
    fake_guest *guest = fake_guest_create(MEMORY, 16);
    FUZZ_REQUIRE(net_create(net_policy_retain(policy), &guest->sandbox.net));
    for (int i = 0; i < MAX_CALLS && input.left > 0; i++) {
        pair *chosen = &pairs[fuzz_below(&input, SESSIONS)];
        uint32_t what = fuzz_below(&input, 16);
        if (chosen->id == 0 && what < 14) {
            open_pair(guest, chosen);
        } else if (what < 8) {
            call(fake_guest_instance(guest), TLS_HANDSHAKE, chosen->id, 0, 0);
            carry(guest, chosen);
        } else if (what < 14) {
            operate(guest, chosen->id);
        } else if (what == 14) {
            call_outside(guest);
        } else if (fuzz_below(&input, 4) == 0) {
            call(fake_guest_instance(guest), TLS_CLOSE, chosen->id, 0, 0);
            close_pair(chosen);
        }
    }
    for (size_t i = 0; i < SESSIONS; i++) {
        close_pair(&pairs[i]);
    }
    tls_sessions_destroy(guest->sandbox.tls);
    guest->sandbox.tls = NULL;
    net_destroy(guest->sandbox.net);
    guest->sandbox.net = NULL;
    fake_guest_destroy(guest);
    return 0;
}
