/*
 * TLS, service ASK_TLS of ask.h: sessions, whose number goes with each operation (0 where there is
 * none yet). Keys, certificates and all decisions about them stay with the host.
 *
 * The result is a number of bytes or another number that is not negative, or a tls_status or
 * tls_refusal.
 */
#ifndef ERYX_PROTOCOL_TLS_H
#define ERYX_PROTOCOL_TLS_H

/* What the data and the result of each are; session is 0 where there is none yet. */
enum tls_operation {
    TLS_OPEN = 1,       /* data: tls_field rows; gives the session, a positive number */
    TLS_CLOSE = 2,      /* lets go of it without a word to the server */
    TLS_HANDSHAKE = 3,  /* 0 once it is done */
    TLS_READ = 4,       /* out: plain bytes, at least one */
    TLS_WRITE = 5,      /* data: plain bytes; gives how many were taken */
    TLS_SHUTDOWN = 6,   /* 0 once both sides have said that they are done */
    TLS_PENDING = 7,    /* how many plain bytes can be read at once */
    TLS_FEED = 8,       /* data: bytes of the wire; gives how many were taken */
    TLS_FEED_END = 9,   /* there won't be more of them */
    TLS_DRAIN = 10,     /* out: bytes for the wire; gives how many, may be 0 */
    TLS_DESCRIBE = 11,  /* out: JSON of tls_session_describe() */
    TLS_PEER = 12,      /* out: JSON of the server's certificate, nothing before the handshake */
    TLS_CHAIN = 13,     /* data: one byte, 1 for the verified chain; out: certificates in DER, each
                           after its size (u32) */
    TLS_BINDING = 14,   /* out: the tls-unique channel binding */
    TLS_ERROR = 15,     /* out: JSON {"library", "reason", "message", "verify_code",
                           "verify_message", "errno"} of the last failure; of the session, or of
                           TLS_OPEN for session 0 */
    TLS_TIME_LEFT = 16, /* milliseconds that are left for the handshake */
    TLS_CERTIFICATE = 17, /* data: a certificate in DER; out: its JSON; TLS_FAILED if it is none */
    TLS_LIBRARY = 18,     /* out: the version number of OpenSSL (u32) and its text */
    TLS_CIPHERS = 19,     /* out: JSON of the ciphers that may be agreed upon */
    TLS_IDENTITY = 20,    /* data: rows CERTIFICATE and KEY; 0 if they can be used */
};

/* Rows of TLS_OPEN: { u32 field, u32 size, bytes }, little-endian, without padding. With both
 * addresses the session takes over the connection between them, else it is fed. */
enum tls_field {
    TLS_FIELD_NAME = 1,        /* of the server; absent for one that the connection was made to */
    TLS_FIELD_LOCAL = 2,       /* u8 1 for IPv6, 16 bytes, u16 port, u32 scope */
    TLS_FIELD_REMOTE = 3,      /* the same */
    TLS_FIELD_ALPN = 4,        /* protocols, each after its length as a byte */
    TLS_FIELD_VERSIONS = 5,    /* u16 lowest, u16 highest; 0 for what the host allows */
    TLS_FIELD_STRICT = 6,      /* no bytes: X509_STRICT */
    TLS_FIELD_CERTIFICATE = 7, /* PEM of the client's, with its chain */
    TLS_FIELD_KEY = 8,         /* PEM */
};

/* Results besides those of tls_status. */
enum tls_refusal {
    TLS_TIMED_OUT = -8,  /* the handshake took longer than connect_timeout_ms */
    TLS_NO_SESSION = -9, /* there is no such session (any more) */
    TLS_TOO_LARGE = -10, /* the result does not fit */
    TLS_BAD_CALL = -11,  /* no such operation, or its data is malformed */
    TLS_NOT_READY = -12, /* plain bytes of the connection have to be sent first: as WANT_WRITE */
};

typedef enum tls_status {
    TLS_OK = 0,
    TLS_FAILED = -1,     /* tls_session_error(); the session is of no more use */
    TLS_WANT_READ = -2,  /* bytes from the server are needed */
    TLS_WANT_WRITE = -3, /* bytes to the server have to go first */
    TLS_CLOSED = -4,     /* the server has said that it sends no more */
    TLS_EOF = -5,        /* the connection ended without that: what was read may be cut short */
    TLS_BROKEN = -6,     /* the transport failed */
    TLS_REFUSED = -7,    /* a rule of the host forbids it */
} tls_status;

#endif
