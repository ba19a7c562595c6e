/*
 * A real TLS server for tests: OpenSSL over one end of a socketpair. Client and server are stepped
 * in turns by one thread.
 */
#ifndef ERYX_TLS_SERVER_H
#define ERYX_TLS_SERVER_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connection.h"
#include "tls_identities.h"

/* One end of a socketpair as the transport of a session. */
typedef struct wire_end {
    int fd;
    size_t most; /* bytes of one transfer, 0 for any number */
} wire_end;

static inline net_io wire_result(ssize_t count, size_t *out_size)
{
    if (count > 0) {
        *out_size = (size_t)count;
        return NET_IO_OK;
    }
    if (count == 0) {
        return NET_IO_CLOSED;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? NET_IO_AGAIN : NET_IO_FAILED;
}

static inline net_io wire_read(void *self, uint8_t *buffer, size_t room, size_t *out_size)
{
    const wire_end *end = self;
    size_t share = end->most != 0 && end->most < room ? end->most : room;
    return wire_result(recv(end->fd, buffer, share, MSG_DONTWAIT), out_size);
}

static inline net_io wire_write(void *self, const uint8_t *data, size_t size, size_t *out_size)
{
    const wire_end *end = self;
    size_t share = end->most != 0 && end->most < size ? end->most : size;
    return wire_result(send(end->fd, data, share, MSG_DONTWAIT | MSG_NOSIGNAL), out_size);
}

typedef struct tls_server {
    SSL_CTX *context;
    SSL *ssl;
    int fd;           /* its end */
    wire_end *client; /* the other; where it is does not change */
} tls_server;

static inline int server_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                              const unsigned char *in, unsigned in_size, void *argument)
{
    static const unsigned char known[] = "\x08http/1.1";
    (void)ssl, (void)argument;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_size, known,
                                 sizeof known - 1, in, in_size) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

static inline tls_server start_server(const identity *shown, const identity *between)
{
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    tls_server server = {SSL_CTX_new(TLS_server_method()), NULL, ends[0], malloc(sizeof(wire_end))};
    *server.client = (wire_end){ends[1], 0};
    SSL_CTX_set_security_level(server.context, 0);
    SSL_CTX_set_session_cache_mode(server.context, SSL_SESS_CACHE_OFF);
    ASSERT_EQ(SSL_CTX_use_certificate(server.context, shown->certificate), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey(server.context, shown->key), 1);
    if (between != NULL) {
        ASSERT_EQ(SSL_CTX_add1_chain_cert(server.context, between->certificate), 1);
    }
    SSL_CTX_set_alpn_select_cb(server.context, server_alpn, NULL);
    server.ssl = SSL_new(server.context);
    ASSERT_EQ(SSL_set_fd(server.ssl, server.fd), 1);
    SSL_set_accept_state(server.ssl);
    return server;
}

static inline void close_server_end(tls_server *server)
{
    if (server->fd >= 0) {
        close(server->fd);
        server->fd = -1;
    }
}

static inline void stop_server(tls_server *server)
{
    SSL_free(server->ssl);
    SSL_CTX_free(server->context);
    close_server_end(server);
    close(server->client->fd);
    free(server->client);
}

/* Makes the server's socket blocking or not: a step of the server must not wait for the client. */
static inline void unblock_server(const tls_server *server)
{
    struct timeval soon = {0, 1000};
    ASSERT_EQ(setsockopt(server->fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), 0);
    ASSERT_EQ(setsockopt(server->fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon), 0);
}

static inline net_transport client_transport(const tls_server *server)
{
    return (net_transport){server->client, wire_read, wire_write};
}

#endif
