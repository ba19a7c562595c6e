/*
 * The import "ask" of module "eryx:host": what the guest asks of the host's services.
 *
 *   ask(service, operation, number, data, size, out, room) -> result
 *
 * number: what the operation is about, such as a session. data, size: bytes of the guest, of which
 * a service may take the first ASK_MAX_TRANSFER_BYTES only. out, room: where the host may write.
 * The result is a number of bytes or another one that is not negative, or a negative one that the
 * service defines; ASK_UNKNOWN if there is no such service.
 */
#ifndef ERYX_PROTOCOL_ASK_H
#define ERYX_PROTOCOL_ASK_H

enum ask_service {
    ASK_TLS = 1,     /* tls.h */
    ASK_NETWORK = 2, /* network.h */
    ASK_SECRETS = 3, /* secrets.h */
    ASK_NATIVE = 4,  /* native.h */
    ASK_DIGESTS = 5, /* digests.h */
};

enum ask_result {
    ASK_UNKNOWN = -1,
};

#define ASK_MAX_TRANSFER_BYTES (1 << 20)

#endif
