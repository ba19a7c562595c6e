#include "imports/eryx_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "net/net.h"
#include "net/tls_sessions.h"
#include "protocol/ask.h"
#include "sandbox/run.h"
#include "secrets/secrets.h"
#include "tls/certificate.h"
#include "tls/identity.h"

/* Whatever the limit of connections is: those that are fed need none, and those that have failed do
 * not count. */
#define MAX_SESSIONS 4096u

/* What is told of certificates and ciphers is seldom more. */
#define MAX_TOLD_BYTES ((size_t)32 << 10)

/* A call of the guest: data and out are checked. */
typedef struct call {
    net *net;                /* NULL without a network */
    tls_sessions **tls;      /* where those of the sandbox are; NULL there before the first */
    struct secrets *secrets; /* NULL without secrets */
    tls_entry *target;       /* NULL for operations without a session */
    const uint8_t *data;
    size_t size;
    uint8_t *out;
    size_t room;
} call;

/* The sessions of the sandbox; NULL without memory for them. */
static tls_sessions *sessions_of(const call *made)
{
    if (*made->tls == NULL) {
        *made->tls = tls_sessions_create();
    }
    return *made->tls;
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* What TLS_OPEN asks for. */
typedef struct request {
    const uint8_t *name;
    size_t name_size;
    bool has_local;
    bool has_remote;
    net_address local;
    net_address remote;
    tls_session_options options;
} request;

static uint32_t load_u32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static int load_u16(const uint8_t *bytes)
{
    return bytes[0] | bytes[1] << 8;
}

static bool read_address(const uint8_t *bytes, size_t size, net_address *out_address)
{
    if (size != 23) {
        return false;
    }
    *out_address = (net_address){.is_v6 = bytes[0] == 1,
                                 .port = (uint16_t)load_u16(bytes + 17),
                                 .scope = load_u32(bytes + 19)};
    memcpy(out_address->bytes, bytes + 1, out_address->is_v6 ? 16 : 4);
    return true;
}

static bool read_field(uint32_t field, const uint8_t *bytes, size_t size, request *out)
{
    tls_session_options *options = &out->options;
    switch (field) {
    case TLS_FIELD_NAME:
        out->name = bytes;
        out->name_size = size;
        return true;
    case TLS_FIELD_LOCAL:
        out->has_local = true;
        return read_address(bytes, size, &out->local);
    case TLS_FIELD_REMOTE:
        out->has_remote = true;
        return read_address(bytes, size, &out->remote);
    case TLS_FIELD_ALPN:
        options->alpn = bytes;
        options->alpn_size = size;
        return true;
    case TLS_FIELD_VERSIONS:
        if (size != 4) {
            return false;
        }
        options->minimum_version = load_u16(bytes);
        options->maximum_version = load_u16(bytes + 2);
        return true;
    case TLS_FIELD_STRICT:
        options->strict = true;
        return true;
    case TLS_FIELD_CERTIFICATE:
        options->certificate = (const char *)bytes;
        options->certificate_size = size;
        return true;
    case TLS_FIELD_KEY:
        options->key = (const char *)bytes;
        options->key_size = size;
        return true;
    default:
        return false;
    }
}

static bool read_request(const uint8_t *data, size_t size, request *out)
{
    *out = (request){.name = NULL};
    while (size > 0) {
        if (size < 8 || load_u32(data + 4) > size - 8) {
            return false;
        }
        size_t field_size = load_u32(data + 4);
        if (!read_field(load_u32(data), data + 8, field_size, out)) {
            return false;
        }
        data += 8 + field_size;
        size -= 8 + field_size;
    }
    const tls_session_options *options = &out->options;
    return out->has_local == out->has_remote &&
           (options->certificate == NULL) == (options->key == NULL);
}

/* The reason that the network gave for a refusal. */
static int32_t refuse(const call *made, tls_error *error)
{
    tls_error_set(error, "%s", net_last_refusal(made->net));
    return TLS_REFUSED;
}

/* The name of a session that the guest feeds itself: any that the rules allow. */
static int32_t choose_fed_name(const call *made, const request *asked, const char *name)
{
    tls_error *error = &(*made->tls)->error;
    if (asked->name_size == 0) {
        tls_error_set(error, "a server_hostname is needed: without one, eryx can't tell who the "
                             "server should be");
        return TLS_FAILED;
    }
    bool is_allowed = net_allows_name(made->net, (const uint8_t *)name, strlen(name));
    return is_allowed ? TLS_OK : refuse(made, error);
}

/* The name of a session that takes over a connection: one that this was made to. */
static int32_t choose_attached_name(const call *made, const request *asked,
                                    const net_connection *connection, char name[NET_MAX_NAME + 1],
                                    bool *is_address)
{
    tls_error *error = &(*made->tls)->error;
    const char *known;
    bool has_name = net_connection_name(connection, 0, &known);
    char address[NET_ADDRESS_TEXT_SIZE];
    net_address_text(&connection->remote, address);
    if (asked->name_size == 0) {
        snprintf(name, NET_MAX_NAME + 1, "%s", has_name ? known : address);
        *is_address = !has_name;
    } else if (!net_connection_has_name(connection, name)) {
        tls_error_set(error,
                      "server_hostname '%s' is not what the connection was made to, which is '%s'",
                      name, has_name ? known : address);
        net_refuse(made->net, "%s", error->message);
        return TLS_REFUSED;
    }
    return TLS_OK;
}

/* Lower case, an address in its usual text. */
static int32_t normalize_name(const call *made, const request *asked, char name[NET_MAX_NAME + 1],
                              bool *is_address, net_address *address)
{
    char reason[NET_REASON_SIZE];
    const uint8_t *text = asked->name;
    size_t size = asked->name_size;
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    *is_address = size > 0 && net_address_parse((const char *)text, size, address);
    if (*is_address) {
        char usual[NET_ADDRESS_TEXT_SIZE];
        net_address_text(address, usual);
        snprintf(name, NET_MAX_NAME + 1, "%s", usual);
    } else if (size > 0 && !net_name_normalize(text, size, name, reason)) {
        tls_error_set(&(*made->tls)->error, "%s", reason);
        return TLS_FAILED;
    }
    return TLS_OK;
}

static int32_t find_connection(const call *made, const request *asked,
                               net_connection **out_connection)
{
    tls_error *error = &(*made->tls)->error;
    net_connection *found = net_find_connection(made->net, &asked->local, &asked->remote);
    if (found == NULL) {
        tls_error_set(error, "the socket is not connected");
        return TLS_FAILED;
    }
    if (found->attached) {
        tls_error_set(error, "the connection is used for TLS already");
        return TLS_FAILED;
    }
    if (found->unsent_size > 0) {
        return TLS_NOT_READY;
    }
    *out_connection = found;
    return TLS_OK;
}

static int32_t create_session(const call *made, const request *asked, const char *name,
                              tls_entry *opened)
{
    tls_error *error = &(*made->tls)->error;
    const eryx_bytes *roots;
    size_t root_count = net_policy_root_certificates(net_get_policy(made->net), &roots);
    SSL_CTX *context;
    if (!tls_context_get(roots, root_count, &context, error)) {
        return TLS_FAILED;
    }
    net_connection *connection = opened->connection;
    net_transport below;
    if (connection != NULL) {
        below = net_connection_transport(connection);
    }
    bool good = tls_session_create(context, &asked->options, connection != NULL ? &below : NULL,
                                   &opened->session, error);
    SSL_CTX_free(context);
    if (!good) {
        return TLS_FAILED;
    }
    /* Secrets go into what the guest writes, here and nowhere else. */
    net_filter *filter = NULL;
    if (!secrets_new_filter(made->secrets, made->net, connection, name, &filter)) {
        tls_error_set(error, "out of memory");
        goto fail;
    }
    tls_session_set_filter(opened->session, filter);
    if (connection != NULL &&
        !net_connection_attach(connection, opened, tls_sessions_connection_gone)) {
        tls_error_set(error, "the connection is not one that TLS can begin on");
        goto fail;
    }
    return TLS_OK;

fail:
    tls_session_destroy(opened->session);
    opened->session = NULL;
    return TLS_FAILED;
}

/* When the handshake must be over: with the connect's own time, unless plain bytes came before. */
static uint64_t deadline_of(const call *made, const net_connection *connection)
{
    if (connection != NULL && connection->bytes_in == 0 && connection->bytes_out == 0) {
        return connection->deadline_ns;
    }
    uint64_t timeout_ms = net_policy_limits(net_get_policy(made->net))->connect_timeout_ms;
    return add_saturating(clock_now_ns(), clock_ms_to_ns(timeout_ms));
}

static int32_t open_session(call *made)
{
    tls_sessions *state = (*made->tls);
    request asked;
    if (!read_request(made->data, made->size, &asked)) {
        return TLS_BAD_CALL;
    }
    if (made->net == NULL) {
        return refuse(made, &state->error);
    }
    uint64_t limit = net_policy_limits(net_get_policy(made->net))->max_connections;
    if (state->count >= MAX_SESSIONS || tls_sessions_count_live(state) >= limit) {
        tls_error_set(&state->error, "too many TLS sessions: the limit of connections is %llu",
                      (unsigned long long)(limit < MAX_SESSIONS ? limit : MAX_SESSIONS));
        return TLS_FAILED;
    }
    char name[NET_MAX_NAME + 1] = "";
    net_address address;
    net_connection *connection = NULL;
    bool is_address;
    int32_t status = normalize_name(made, &asked, name, &is_address, &address);
    if (status == TLS_OK && asked.has_local) {
        status = find_connection(made, &asked, &connection);
    }
    if (status == TLS_OK) {
        status = connection != NULL
                     ? choose_attached_name(made, &asked, connection, name, &is_address)
                     : choose_fed_name(made, &asked, name);
    }
    if (status != TLS_OK) {
        return status;
    }
    tls_entry *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        tls_error_set(&state->error, "out of memory");
        return TLS_FAILED;
    }
    asked.options.name = name;
    asked.options.is_address = is_address;
    opened->connection = connection;
    opened->deadline_ns = deadline_of(made, connection);
    status = create_session(made, &asked, name, opened);
    if (status != TLS_OK) {
        free(opened);
        return status;
    }
    tls_sessions_add(state, opened);
    return (int32_t)opened->id;
}

/* ---- Operations on a session ----------------------------------------------------------------- */

/* Gives a text or bytes to the guest, and frees them. */
static int32_t give_text(call *made, tls_text *text)
{
    int32_t result = text->failed || text->size > made->room ? TLS_TOO_LARGE : (int32_t)text->size;
    if (result > 0) {
        memcpy(made->out, text->data, text->size);
    }
    tls_text_clear(text);
    return result;
}

static int32_t shake_hands(call *made)
{
    tls_status status = tls_session_handshake(made->target->session);
    bool waits = status == TLS_WANT_READ || status == TLS_WANT_WRITE;
    return waits && clock_now_ns() >= made->target->deadline_ns ? TLS_TIMED_OUT : (int32_t)status;
}

static int32_t time_left(const call *made)
{
    uint64_t now = clock_now_ns();
    uint64_t left_ms =
        made->target->deadline_ns > now ? (made->target->deadline_ns - now) / 1000000 + 1 : 0;
    return left_ms < INT32_MAX ? (int32_t)left_ms : INT32_MAX;
}

static int32_t read_bytes(call *made)
{
    size_t size;
    if (made->room == 0) {
        return 0;
    }
    tls_status status = tls_session_read(made->target->session, made->out, made->room, &size);
    return status == TLS_OK ? (int32_t)size : (int32_t)status;
}

static int32_t write_bytes(call *made)
{
    size_t size;
    if (made->size == 0) {
        return 0;
    }
    tls_status status = tls_session_write(made->target->session, made->data, made->size, &size);
    return status == TLS_OK ? (int32_t)size : (int32_t)status;
}

static int32_t shut_down(call *made)
{
    tls_entry *target = made->target;
    tls_status status = tls_session_shutdown(target->session);
    if (status == TLS_OK && target->connection != NULL && tls_session_is_shut(target->session)) {
        /* Plain bytes may follow. */
        net_connection_detach(target->connection);
        target->connection = NULL;
        tls_session_cut(target->session);
    }
    return status;
}

static const char *errno_name(int number)
{
    switch (number) {
    case ECONNRESET:
        return "ECONNRESET";
    case EPIPE:
        return "EPIPE";
    case ETIMEDOUT:
        return "ETIMEDOUT";
    case ECONNABORTED:
        return "ECONNABORTED";
    case ENOTCONN:
        return "ENOTCONN";
    case EDQUOT:
        return "EDQUOT";
    default:
        return NULL;
    }
}

static int32_t tell_error(call *made)
{
    tls_error none = {.verify_code = 0};
    const tls_error *error = made->target != NULL   ? tls_session_error(made->target->session)
                             : (*made->tls) != NULL ? &(*made->tls)->error
                                                    : &none;
    tls_text text = {0};
    tls_text_put(&text, "{\"library\":");
    tls_text_string_or_null(&text, error->library[0] != 0 ? error->library : NULL);
    tls_text_put(&text, ",\"reason\":");
    tls_text_string_or_null(&text, error->reason[0] != 0 ? error->reason : NULL);
    tls_text_put(&text, ",\"message\":");
    tls_text_string_or_null(&text, error->message);
    tls_text_put(&text, ",\"refusal\":");
    tls_text_string_or_null(&text, net_last_refusal(made->net));
    tls_text_put(&text, ",\"verify_code\":");
    tls_text_number(&text, error->verify_code);
    tls_text_put(&text, ",\"verify_message\":");
    tls_text_string_or_null(&text, error->verify_message);
    tls_text_put(&text, ",\"errno\":");
    tls_text_string_or_null(&text,
                            errno_name(made->net != NULL ? net_last_errno(made->net) : ENOTCONN));
    tls_text_put(&text, "}");
    return give_text(made, &text);
}

static int32_t operate(call *made, uint32_t operation)
{
    tls_session *session = made->target->session;
    tls_text text = {0};
    switch (operation) {
    case TLS_CLOSE:
        tls_sessions_remove((*made->tls), made->target);
        return 0;
    case TLS_HANDSHAKE:
        return shake_hands(made);
    case TLS_READ:
        return read_bytes(made);
    case TLS_WRITE:
        return write_bytes(made);
    case TLS_SHUTDOWN:
        return shut_down(made);
    case TLS_PENDING:
        return (int32_t)tls_session_pending(session);
    case TLS_FEED:
        return (int32_t)tls_session_feed(session, made->data, made->size);
    case TLS_FEED_END:
        tls_session_feed_end(session);
        return 0;
    case TLS_DRAIN:
        return (int32_t)tls_session_drain(session, made->out, made->room);
    case TLS_DESCRIBE:
        tls_session_describe(session, &text);
        return give_text(made, &text);
    case TLS_PEER:
        tls_session_describe_peer(session, &text);
        return give_text(made, &text);
    case TLS_CHAIN:
        tls_session_append_chain(session, made->size == 1 && made->data[0] == 1, &text);
        return give_text(made, &text);
    case TLS_BINDING:
        return (int32_t)tls_session_binding(session, made->out, made->room);
    case TLS_TIME_LEFT:
        return time_left(made);
    default:
        return TLS_BAD_CALL;
    }
}

/* ---- Operations without one ------------------------------------------------------------------ */

static int32_t describe_certificate(call *made)
{
    tls_text text = {0};
    if (!tls_library_begin() || !tls_certificate_describe_der(made->data, made->size, &text)) {
        tls_text_clear(&text);
        return TLS_FAILED;
    }
    return give_text(made, &text);
}

static int32_t tell_library(call *made)
{
    tls_text text = {0};
    unsigned long number = OpenSSL_version_num();
    const char bytes[4] = {(char)number, (char)(number >> 8), (char)(number >> 16),
                           (char)(number >> 24)};
    tls_text_add(&text, bytes, sizeof bytes);
    tls_text_put(&text, OpenSSL_version(OPENSSL_VERSION));
    return give_text(made, &text);
}

static int32_t list_ciphers(call *made)
{
    tls_error error;
    SSL_CTX *context;
    tls_text text = {0};
    if (!tls_context_get(NULL, 0, &context, &error)) {
        return TLS_FAILED;
    }
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(context);
    tls_text_put(&text, "[");
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        int algorithm_bits;
        int bits = SSL_CIPHER_get_bits(cipher, &algorithm_bits);
        tls_text_put(&text, i > 0 ? ",{\"id\":" : "{\"id\":");
        tls_text_number(&text, (int64_t)SSL_CIPHER_get_id(cipher));
        tls_text_put(&text, ",\"name\":");
        tls_text_string_or_null(&text, SSL_CIPHER_get_name(cipher));
        tls_text_put(&text, ",\"protocol\":");
        tls_text_string_or_null(&text, SSL_CIPHER_get_version(cipher));
        tls_text_put(&text, ",\"strength_bits\":");
        tls_text_number(&text, bits);
        tls_text_put(&text, ",\"alg_bits\":");
        tls_text_number(&text, algorithm_bits);
        tls_text_put(&text, "}");
    }
    tls_text_put(&text, "]");
    SSL_CTX_free(context);
    return give_text(made, &text);
}

/* Whether a client certificate and its key are well-formed and belong together. */
static int32_t check_identity(call *made)
{
    request asked;
    SSL_CTX *context;
    if (!read_request(made->data, made->size, &asked) || asked.options.key == NULL) {
        return TLS_BAD_CALL;
    }
    tls_error *error = &(*made->tls)->error;
    if (made->net == NULL) {
        return refuse(made, error); /* it could never be shown to a server */
    }
    if (!tls_context_get(NULL, 0, &context, error)) {
        return TLS_FAILED;
    }
    const tls_session_options *options = &asked.options;
    bool good = tls_identity_check(context, options->certificate, options->certificate_size,
                                   options->key, options->key_size, error);
    SSL_CTX_free(context);
    return good ? TLS_OK : TLS_FAILED;
}

/* Whether what an operation gives is the number of bytes that it has written. */
static bool gives_bytes(uint32_t operation)
{
    switch (operation) {
    case TLS_READ:
    case TLS_DRAIN:
    case TLS_DESCRIBE:
    case TLS_PEER:
    case TLS_CHAIN:
    case TLS_BINDING:
    case TLS_ERROR:
    case TLS_CERTIFICATE:
    case TLS_LIBRARY:
    case TLS_CIPHERS:
        return true;
    default:
        return false;
    }
}

static int32_t dispatch(call *made, uint32_t operation, uint32_t session)
{
    if (made->room > 0 && !gives_bytes(operation)) {
        return TLS_BAD_CALL;
    }
    switch (operation) {
    case TLS_LIBRARY:
        return tell_library(made);
    case TLS_CIPHERS:
        return list_ciphers(made);
    case TLS_CERTIFICATE:
        return describe_certificate(made);
    case TLS_IDENTITY:
        return sessions_of(made) != NULL ? check_identity(made) : TLS_FAILED;
    case TLS_OPEN:
        return sessions_of(made) != NULL ? open_session(made) : TLS_FAILED;
    default:
        break;
    }
    if (operation == TLS_ERROR && session == 0) {
        return tell_error(made);
    }
    made->target = tls_sessions_find((*made->tls), session);
    if (made->target == NULL) {
        return TLS_NO_SESSION;
    }
    return operation == TLS_ERROR ? tell_error(made) : operate(made, operation);
}

/* Charges for the work that an operation does, before it is done. */
static void charge(guest_instance *instance, uint32_t operation, size_t size)
{
    switch (operation) {
    case TLS_OPEN:
    case TLS_IDENTITY:
    case TLS_HANDSHAKE:
        guest_charge(instance, COST_KEY);
        break;
    case TLS_CERTIFICATE:
        guest_charge_work(instance, size, COST_BYTES_DECODED);
        break;
    case TLS_CIPHERS:
    case TLS_PEER:
    case TLS_CHAIN:
        guest_charge_work(instance, MAX_TOLD_BYTES, COST_BYTES_READ);
        break;
    default:
        guest_charge_work(instance, size, COST_BYTES_READ);
        break;
    }
}

int32_t tls_operation(net *network, tls_sessions **sessions, struct secrets *state,
                      const tls_operation_parts *parts)
{
    call made = {.net = network,
                 .tls = sessions,
                 .secrets = state,
                 .data = parts->data,
                 .size = parts->size,
                 .out = parts->out,
                 .room = parts->room};
    return dispatch(&made, parts->operation, parts->session);
}

bool tls_operation_gives_bytes(uint32_t operation)
{
    return gives_bytes(operation);
}

/* Has whoever has the network do it. */
static int32_t ask_far(net *network, const tls_operation_parts *parts)
{
    net_far_answer answer;
    const net_far_question question = {.operation = NET_FAR_TLS,
                                       .number = parts->session,
                                       .value = parts->operation,
                                       .data = parts->data,
                                       .size = parts->size,
                                       .room = parts->room};
    if (!net_ask_far(network, &question, &answer) || answer.size > parts->room ||
        answer.result < INT32_MIN || answer.result > INT32_MAX) {
        return TLS_FAILED;
    }
    if (answer.size > 0) {
        memcpy(parts->out, answer.data, answer.size);
    }
    return (int32_t)answer.result;
}

uint32_t tls_guest_operation(guest_instance *instance, uint32_t operation, uint32_t session,
                             uint32_t data, uint32_t size, uint32_t out, uint32_t room)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    tls_operation_parts made = {.operation = operation, .session = session, .size = size};
    made.room = room < ASK_MAX_TRANSFER_BYTES ? room : ASK_MAX_TRANSFER_BYTES;
    uint8_t *bytes;
    if (!guest_slice(instance, guest_at(data), size, &bytes) ||
        !guest_slice(instance, guest_at(out), made.room, &made.out)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return (uint32_t)TLS_BAD_CALL;
    }
    made.data = bytes;
    if (size > ASK_MAX_TRANSFER_BYTES) {
        if (operation != TLS_WRITE && operation != TLS_FEED) {
            return (uint32_t)TLS_BAD_CALL;
        }
        made.size = ASK_MAX_TRANSFER_BYTES; /* the rest comes again */
    }
    charge(instance, operation, made.size);
    int32_t result = net_is_far(sandbox->net)
                         ? ask_far(sandbox->net, &made)
                         : tls_operation(sandbox->net, &sandbox->tls, sandbox->secrets, &made);
    if (result > 0 && gives_bytes(operation)) {
        guest_charge_work(instance, (uint64_t)result, COST_BYTES_READ);
    }
    return (uint32_t)result;
}
