#include "tls/chain.h"

#include <string.h>

#include "tls/key.h"

enum { HEADER_BYTES = 4, LIST_SIZE_BYTES = 3, EXTENSIONS_SIZE_BYTES = 2 };

/* What is left of a message. */
typedef struct reader {
    const uint8_t *data;
    size_t size;
} reader;

/* Takes a run of bytes with its size, a number of so many bytes, in front. */
static bool take(reader *io, size_t size_bytes, reader *out_bytes)
{
    size_t size = 0;
    if (io->size < size_bytes) {
        return false;
    }
    for (size_t i = 0; i < size_bytes; i++) {
        size = size << 8 | io->data[i];
    }
    if (size > io->size - size_bytes) {
        return false;
    }
    *out_bytes = (reader){io->data + size_bytes, size};
    io->data += size_bytes + size;
    io->size -= size_bytes + size;
    return true;
}

bool tls_chain_is_quick(int version, const uint8_t *message, size_t size)
{
    if (size < HEADER_BYTES) {
        return false;
    }
    reader rest = {message + HEADER_BYTES, size - HEADER_BYTES};
    reader list;
    reader skipped;
    if (version == TLS1_3_VERSION && !take(&rest, 1, &skipped)) {
        return false;
    }
    if (!take(&rest, LIST_SIZE_BYTES, &list) || rest.size > 0) {
        return false;
    }
    for (int count = 0; list.size > 0; count++) {
        reader certificate;
        if (count == TLS_MAX_CHAIN_CERTIFICATES || !take(&list, LIST_SIZE_BYTES, &certificate) ||
            (version == TLS1_3_VERSION && !take(&list, EXTENSIONS_SIZE_BYTES, &skipped)) ||
            !tls_key_is_quick_certificate(certificate.data, certificate.size)) {
            return false;
        }
    }
    return true;
}

static void on_message(int is_written, int version, int content_type, const void *message,
                       size_t size, SSL *ssl, void *io_refused)
{
    (void)ssl;
    const uint8_t *bytes = message;
    if (is_written || content_type != SSL3_RT_HANDSHAKE || size < HEADER_BYTES ||
        bytes[0] != SSL3_MT_CERTIFICATE || tls_chain_is_quick(version, bytes, size)) {
        return;
    }
    /* OpenSSL lets one see a message, but not refuse it. So it is made one that has to be refused
     * at its first bytes, in the buffer that it is in. */
    *(bool *)io_refused = true;
    memset((uint8_t *)(uintptr_t)message + HEADER_BYTES, 0xff, size - HEADER_BYTES);
}

void tls_chain_watch(SSL *ssl, bool *io_refused)
{
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, io_refused);
}
