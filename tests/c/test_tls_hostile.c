/* Servers and networks that do what they should not, and what TLS costs the guest's stack. */
#include "tls/session.h"

#include <sys/mman.h>
#include <ucontext.h>

#include "machine/coroutine.h"
#include "tls_server.h"

__attribute__((constructor)) static void forget_system_roots(void)
{
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
}

static SSL_CTX *context_with(const identity *root)
{
    tls_error error;
    SSL_CTX *context;
    unsigned char *der = NULL;
    eryx_bytes bytes = {NULL, (size_t)i2d_X509(root->certificate, &der)};
    bytes.data = der;
    ASSERT(tls_context_get(&bytes, 1, &context, &error));
    OPENSSL_free(der);
    return context;
}

static tls_session *open_session(const identity *root, const net_transport *below)
{
    tls_error error;
    tls_session *session;
    SSL_CTX *context = context_with(root);
    const tls_session_options options = {.name = "example.com"};
    ASSERT(tls_session_create(context, &options, below, &session, &error));
    SSL_CTX_free(context);
    return session;
}

static void make_chain(int rsa_bits, identity *out_root, identity *out_shown)
{
    *out_root = make_identity(
        (identity_options){.common_name = "root", .is_authority = true, .rsa_bits = rsa_bits});
    *out_shown = make_identity((identity_options){.common_name = "server",
                                                  .names = "DNS:example.com",
                                                  .issuer = out_root,
                                                  .rsa_bits = rsa_bits});
}

/* ---- A network that changes bytes ------------------------------------------------------------ */

typedef struct changing_wire {
    const wire_end *end;
    size_t position; /* of the next byte */
    size_t target;   /* the byte that is changed */
    uint8_t change;
} changing_wire;

static net_io read_changed(void *self, uint8_t *buffer, size_t room, size_t *out_size)
{
    changing_wire *wire = self;
    net_io io = wire_read((void *)(uintptr_t)wire->end, buffer, room, out_size);
    if (io == NET_IO_OK) {
        if (wire->target >= wire->position && wire->target - wire->position < *out_size) {
            buffer[wire->target - wire->position] ^= wire->change;
        }
        wire->position += *out_size;
    }
    return io;
}

static net_io write_same(void *self, const uint8_t *data, size_t size, size_t *out_size)
{
    const changing_wire *wire = self;
    return wire_write((void *)(uintptr_t)wire->end, data, size, out_size);
}

/* A handshake with one byte changed, and a message of the server after it. */
static tls_status meet(const identity *root, const identity *shown, int version,
                       changing_wire *wire)
{
    tls_server server = start_server(shown, NULL);
    unblock_server(&server);
    SSL_set_max_proto_version(server.ssl, version);
    wire->end = server.client;
    wire->position = 0;
    net_transport below = {wire, read_changed, write_same};
    tls_session *session = open_session(root, &below);
    tls_status status = TLS_WANT_READ;
    for (int turn = 0; turn < 6 && (status == TLS_WANT_READ || status == TLS_WANT_WRITE); turn++) {
        status = tls_session_handshake(session);
        SSL_do_handshake(server.ssl);
    }
    if (status == TLS_OK) {
        uint8_t buffer[16];
        size_t size;
        ASSERT_EQ(SSL_write(server.ssl, "true", 4), 4);
        status = tls_session_read(session, buffer, sizeof buffer, &size);
        if (status == TLS_OK) {
            ASSERT_BYTES_EQ(buffer, size, "true", 4);
        }
    }
    tls_session_destroy(session);
    stop_server(&server);
    ERR_clear_error();
    return status;
}

static void test_no_changed_byte_is_taken_for_the_servers(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    identity root, shown;
    make_chain(0, &root, &shown);
    for (size_t i = 0; i < 2; i++) {
        changing_wire wire = {.target = SIZE_MAX};
        ASSERT_EQ(meet(&root, &shown, versions[i], &wire), TLS_OK);
        size_t length = wire.position;
        ASSERT(length > 500);
        /* The version in the header of a record means nothing. */
        size_t harmless = 0;
        for (wire.target = 0; wire.target < length;
             wire.target += (1 + wire.target % 3) * test_step(7)) {
            wire.change = (uint8_t)(1u << wire.target % 8);
            harmless += meet(&root, &shown, versions[i], &wire) == TLS_OK;
        }
        ASSERT_LE(harmless, 12);
    }
    free_identity(&root);
    free_identity(&shown);
}

/* ---- A server with a mind of its own --------------------------------------------------------- */

static void test_large_chains_are_refused(void)
{
    identity root, shown;
    make_chain(0, &root, &shown);
    tls_server server = start_server(&shown, NULL);
    for (int i = 0; i < 400; i++) {
        ASSERT_EQ(SSL_CTX_add1_chain_cert(server.context, root.certificate), 1);
    }
    SSL_free(server.ssl);
    server.ssl = SSL_new(server.context);
    SSL_set_fd(server.ssl, server.fd);
    SSL_set_accept_state(server.ssl);
    unblock_server(&server);
    net_transport below = client_transport(&server);
    tls_session *session = open_session(&root, &below);
    tls_status status;
    do {
        status = tls_session_handshake(session);
        SSL_do_handshake(server.ssl);
    } while (status == TLS_WANT_READ || status == TLS_WANT_WRITE);
    ASSERT_EQ(status, TLS_FAILED);
    ASSERT_STR_EQ(tls_session_error(session)->reason, "EXCESSIVE_MESSAGE_SIZE");
    tls_session_destroy(session);
    stop_server(&server);
    free_identity(&root);
    free_identity(&shown);
}

static void test_key_updates_and_tickets(void)
{
    identity root, shown;
    make_chain(0, &root, &shown);
    tls_server server = start_server(&shown, NULL);
    unblock_server(&server);
    net_transport below = client_transport(&server);
    tls_session *session = open_session(&root, &below);
    while (tls_session_handshake(session) != TLS_OK) {
        SSL_do_handshake(server.ssl);
    }
    ASSERT_EQ(SSL_do_handshake(server.ssl), 1);
    uint8_t buffer[16];
    size_t size;
    for (int turn = 0; turn < 20; turn++) {
        ASSERT_EQ(SSL_key_update(server.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        ASSERT_EQ(SSL_write(server.ssl, "updated", 7), 7);
        tls_status status;
        while ((status = tls_session_read(session, buffer, sizeof buffer, &size)) ==
               TLS_WANT_READ) {
        }
        ASSERT_EQ(status, TLS_OK);
        ASSERT_BYTES_EQ(buffer, size, "updated", 7);
        ASSERT_EQ(tls_session_write(session, buffer, size, &size), TLS_OK);
        ASSERT_EQ(SSL_read(server.ssl, buffer, sizeof buffer), 7);
    }
    tls_session_destroy(session);
    stop_server(&server);
    free_identity(&root);
    free_identity(&shown);
}

/* ---- The stack ------------------------------------------------------------------------------- */

#if !defined(__SANITIZE_ADDRESS__)

/* Steps of the client run on this stack, as host functions do on that of a guest. */
enum { STACK_BYTES = 1 << 20 };
static uint8_t *stack;
static ucontext_t outside, inside;

typedef struct step {
    tls_session *session;
    tls_status status;
    const identity *root; /* to make a session with, if there is none */
    net_transport below;
} step;

static step *present;

static void make_step(void)
{
    if (present->session == NULL) {
        present->session = open_session(present->root, &present->below);
    } else {
        present->status = tls_session_handshake(present->session);
        if (present->status == TLS_OK) {
            tls_text text = {0};
            tls_session_describe_peer(present->session, &text);
            ASSERT(text.size > 100);
            tls_text_clear(&text);
        }
    }
}

static void run_step(step *made)
{
    present = made;
    ASSERT_EQ(getcontext(&inside), 0);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = STACK_BYTES;
    inside.uc_link = &outside;
    makecontext(&inside, make_step, 0);
    ASSERT_EQ(swapcontext(&outside, &inside), 0);
}

static void test_the_stack_of_a_guest_is_large_enough(void)
{
    unsetenv("SSL_CERT_FILE"); /* with all roots of this machine */
    unsetenv("SSL_CERT_DIR");
    stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(stack != MAP_FAILED);
    memset(stack, 0xa5, STACK_BYTES);
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const int bits[] = {0, 2048, 4096};
    for (size_t i = 0; i < 6; i++) {
        identity root, shown;
        make_chain(bits[i / 2], &root, &shown);
        tls_server server = start_server(&shown, NULL);
        unblock_server(&server);
        SSL_set_max_proto_version(server.ssl, versions[i % 2]);
        step made = {.status = TLS_WANT_READ, .root = &root, .below = client_transport(&server)};
        run_step(&made);
        while (made.status == TLS_WANT_READ || made.status == TLS_WANT_WRITE) {
            run_step(&made);
            SSL_do_handshake(server.ssl);
        }
        ASSERT_EQ(made.status, TLS_OK);
        tls_session_destroy(made.session);
        stop_server(&server);
        free_identity(&root);
        free_identity(&shown);
    }
    size_t untouched = 0;
    while (stack[untouched] == 0xa5) {
        untouched++;
    }
    size_t used = STACK_BYTES - untouched;
    printf("%zu bytes of stack\n", used);
    ASSERT_LE(used, COROUTINE_RESERVE_BYTES / 2);
    munmap(stack, STACK_BYTES);
}

#define STACK_CASES , TEST_CASE(test_the_stack_of_a_guest_is_large_enough)

#else
#define STACK_CASES
#endif

TEST_MAIN(TEST_CASE(test_no_changed_byte_is_taken_for_the_servers),
          TEST_CASE(test_large_chains_are_refused),
          TEST_CASE(test_key_updates_and_tickets) STACK_CASES)
