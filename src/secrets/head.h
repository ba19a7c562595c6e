/*
 * One request on its way out: the head as the guest wrote it becomes the head that is sent, with
 * values in the place of placeholders.
 */
#ifndef ERYX_SECRETS_HEAD_H
#define ERYX_SECRETS_HEAD_H

#include "net/policy.h"
#include "secrets/http_request.h"
#include "secrets/secrets.h"

/* The head may have grown to this. */
#define SECRETS_MAX_HEAD ((size_t)512 << 10)

/* Where the connection goes. */
typedef struct secrets_target {
    const net_connection *connection; /* its names and its address count; NULL for none */
    const char *tls_name;             /* this name alone counts; NULL for a plain connection */
    const net_policy *policy;         /* of allowed_hosts; NULL for none */
} secrets_target;

/* Bytes that may hold values: wiped when they are freed. */
typedef struct secrets_bytes {
    uint8_t *data;
    size_t size;
    size_t allocated;
} secrets_bytes;

/* Adds to it. False without memory; it is then as it was. */
bool secrets_bytes_add(secrets_bytes *bytes, const void *data, size_t size);

/* Wipes and frees it; it is then empty. */
void secrets_bytes_free(secrets_bytes *bytes);

typedef enum secrets_verdict {
    SECRETS_PLAIN,   /* the head goes as it is */
    SECRETS_WATCHED, /* out_head is the head without what asks for an answer in another form */
    SECRETS_FILLED,  /* the same with values in it */
    SECRETS_REFUSED, /* nothing of it may be sent: out_reason */
    SECRETS_NO_MEMORY,
} secrets_verdict;

/*
 * Decides about a head that http_request_parse() has taken apart.
 *
 * head: its bytes; spans of parsed refer to it.
 * may_fill: whether placeholders become values; if not, they are nothing but text.
 * out_head: empty before; for SECRETS_WATCHED and SECRETS_FILLED the new head, else to be freed by
 *           the caller all the same.
 * out_used: by the index of the secret, set to true for each whose value is in it.
 * out_reason: for SECRETS_REFUSED, a sentence without values.
 */
secrets_verdict secrets_fill_head(const secrets *state, const secrets_target *target,
                                  const uint8_t *head, size_t size, const http_request_head *parsed,
                                  bool may_fill, secrets_bytes *out_head, bool *out_used,
                                  char out_reason[NET_REASON_SIZE]);

#endif
