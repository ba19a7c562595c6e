/* The secrets of a sandbox as the embedder gave them. Never changed after it was made, shared by a
 * sandbox and its forks; threads: any. */
#ifndef ERYX_SECRETS_STORE_H
#define ERYX_SECRETS_STORE_H

#include <stdatomic.h>

#include "eryx/eryx.h"
#include "net/pattern.h"

/* Longest name and value. */
#define SECRET_MAX_NAME 255u
#define SECRET_MAX_VALUE 16384u

typedef struct secret_entry {
    char *name;       /* terminated */
    eryx_bytes value; /* in the store's memory */
    net_pattern *hosts;
    size_t host_count;
} secret_entry;

typedef struct secret_store {
    atomic_size_t references;
    size_t count;
    secret_entry *entries;
    uint8_t *values; /* memory.h */
    size_t values_size;
} secret_store;

/*
 * Checks and copies them.
 *
 * count: at least 1. out_store: one reference, let go with secret_store_release().
 * Errors: INVALID_ARGUMENT (the message names what is malformed, never a value), OUT_OF_MEMORY.
 */
eryx_status secret_store_create(const eryx_secret *secrets, size_t count, secret_store **out_store,
                                eryx_error *out_error);

/* One more owner. */
secret_store *secret_store_retain(secret_store *store);

/* Lets go; the last owner wipes and frees it. NULL is allowed. */
void secret_store_release(secret_store *store);

#endif
