#include "secrets/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "secrets/memory.h"

static bool is_name(const char *name)
{
    size_t size = name == NULL ? 0 : strnlen(name, SECRET_MAX_NAME + 1);
    if (size == 0 || size > SECRET_MAX_NAME || (name[0] >= '0' && name[0] <= '9')) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '_')) {
            return false;
        }
    }
    return true;
}

static eryx_status check(const eryx_secret *secrets, size_t count, size_t index,
                         eryx_error *out_error)
{
    const eryx_secret *secret = &secrets[index];
    if (!is_name(secret->name)) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "the name of a secret is not made of letters, digits and '_': '%.80s'",
                           secret->name != NULL ? secret->name : "");
    }
    for (size_t i = index + 1; i < count; i++) {
        if (secrets[i].name != NULL && strcmp(secrets[i].name, secret->name) == 0) {
            return status_fail(ERYX_INVALID_ARGUMENT, out_error, "secret '%s' is there twice",
                               secret->name);
        }
    }
    if (secret->value.data == NULL || secret->value.size == 0) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "the value of secret '%s' is empty",
                           secret->name);
    }
    if (secret->value.size > SECRET_MAX_VALUE) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "the value of secret '%s' is longer than %u bytes", secret->name,
                           SECRET_MAX_VALUE);
    }
    for (size_t i = 0; i < secret->value.size; i++) {
        uint8_t byte = secret->value.data[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                               "the value of secret '%s' has a line break or another control "
                               "character, which no header can have",
                               secret->name);
        }
    }
    return ERYX_OK;
}

static eryx_status out_of_memory(eryx_error *out_error)
{
    return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
}

static eryx_status copy_hosts(const eryx_secret *secret, secret_entry *entry, eryx_error *out_error)
{
    entry->hosts = calloc(secret->hosts.count > 0 ? secret->hosts.count : 1, sizeof *entry->hosts);
    if (entry->hosts == NULL) {
        return out_of_memory(out_error);
    }
    for (size_t i = 0; i < secret->hosts.count; i++) {
        const char *problem = "is missing";
        const char *text = secret->hosts.items[i];
        if (text == NULL || !net_pattern_parse(text, &entry->hosts[i], &problem)) {
            return problem == NULL ? out_of_memory(out_error)
                                   : status_fail(ERYX_INVALID_ARGUMENT, out_error,
                                                 "secret '%s': the host pattern '%.80s' %s",
                                                 secret->name, text != NULL ? text : "", problem);
        }
        entry->host_count++;
    }
    return ERYX_OK;
}

static eryx_status copy(const eryx_secret *secrets, size_t count, secret_store *store,
                        eryx_error *out_error)
{
    for (size_t i = 0; i < count; i++) {
        store->values_size += secrets[i].value.size;
    }
    store->entries = calloc(count, sizeof *store->entries);
    store->values = secret_memory_create(store->values_size);
    if (store->entries == NULL || store->values == NULL) {
        return out_of_memory(out_error);
    }
    uint8_t *next = store->values;
    for (size_t i = 0; i < count; i++) {
        secret_entry *entry = &store->entries[i];
        store->count++;
        memcpy(next, secrets[i].value.data, secrets[i].value.size);
        entry->value = (eryx_bytes){next, secrets[i].value.size};
        next += secrets[i].value.size;
        entry->name = strdup(secrets[i].name);
        if (entry->name == NULL) {
            return out_of_memory(out_error);
        }
        eryx_status status = copy_hosts(&secrets[i], entry, out_error);
        if (status != ERYX_OK) {
            return status;
        }
    }
    return ERYX_OK;
}

eryx_status secret_store_create(const eryx_secret *secrets, size_t count, secret_store **out_store,
                                eryx_error *out_error)
{
    if (secrets == NULL || count > ERYX_MAX_SECRETS) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "there are more than %d secrets",
                           ERYX_MAX_SECRETS);
    }
    for (size_t i = 0; i < count; i++) {
        eryx_status status = check(secrets, count, i, out_error);
        if (status != ERYX_OK) {
            return status;
        }
    }
    secret_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return out_of_memory(out_error);
    }
    atomic_init(&store->references, 1);
    eryx_status status = copy(secrets, count, store, out_error);
    if (status != ERYX_OK) {
        secret_store_release(store);
        return status;
    }
    *out_store = store;
    return ERYX_OK;
}

secret_store *secret_store_retain(secret_store *store)
{
    atomic_fetch_add_explicit(&store->references, 1, memory_order_relaxed);
    return store;
}

void secret_store_release(secret_store *store)
{
    if (store == NULL ||
        atomic_fetch_sub_explicit(&store->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    secret_memory_destroy(store->values, store->values_size);
    for (size_t i = 0; i < store->count; i++) {
        free(store->entries[i].name);
        for (size_t j = 0; j < store->entries[i].host_count; j++) {
            net_pattern_free(&store->entries[i].hosts[j]);
        }
        free(store->entries[i].hosts);
    }
    free(store->entries);
    free(store);
}
