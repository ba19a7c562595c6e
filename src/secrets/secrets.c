#include "secrets/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"

eryx_status secrets_create(const eryx_sandbox_options *options, secrets **out_secrets,
                           eryx_error *out_error)
{
    if (options == NULL || options->secret_count == 0) {
        *out_secrets = NULL;
        return ERYX_OK;
    }
    if ((options->scrub & ~(uint32_t)(ERYX_SCRUB_DEFAULT | ERYX_SCRUB_RESULT)) != 0) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "scrub has flags that are not ERYX_SCRUB_...");
    }
    secret_store *store;
    eryx_status status =
        secret_store_create(options->secrets, options->secret_count, &store, out_error);
    if (status != ERYX_OK) {
        return status;
    }
    secrets *made = calloc(1, sizeof *made);
    if (made == NULL) {
        secret_store_release(store);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "out of memory");
    }
    made->store = store;
    made->scrub = options->scrub;
    if (!placeholder_set_create(store->count, &made->placeholders)) {
        secrets_destroy(made);
        return status_fail(ERYX_OUT_OF_MEMORY, out_error, "no memory or random numbers");
    }
    *out_secrets = made;
    return ERYX_OK;
}

bool secrets_copy(const secrets *original, secrets **out_copy)
{
    if (original == NULL) {
        *out_copy = NULL;
        return true;
    }
    secrets *made = calloc(1, sizeof *made);
    if (made == NULL || !placeholder_set_copy(&original->placeholders, &made->placeholders)) {
        free(made);
        return false;
    }
    made->store = secret_store_retain(original->store);
    made->scrub = original->scrub;
    made->is_far = original->is_far;
    made->any_sent = original->any_sent;
    memcpy(made->sent, original->sent, sizeof made->sent);
    *out_copy = made;
    return true;
}

bool secrets_use_far(secrets *state, const uint8_t *texts, size_t size)
{
    if (size != state->store->count * PLACEHOLDER_SIZE) {
        return false;
    }
    state->is_far = true;
    for (size_t i = 0; i < state->store->count; i++) {
        memcpy(state->placeholders.texts[i], texts + i * PLACEHOLDER_SIZE, PLACEHOLDER_SIZE);
    }
    return true;
}

bool secrets_renew(secrets *state)
{
    placeholder_set placeholders;
    if (state == NULL || state->is_far) {
        return true;
    }
    if (!placeholder_set_create(state->store->count, &placeholders)) {
        return false;
    }
    placeholder_set_free(&state->placeholders);
    state->placeholders = placeholders;
    return true;
}

void secrets_destroy(secrets *state)
{
    if (state == NULL) {
        return;
    }
    redact_matcher_destroy(state->matcher);
    secret_store_release(state->store);
    placeholder_set_free(&state->placeholders);
    free(state->scratch[0].data);
    free(state->scratch[1].data);
    free(state);
}

void secrets_begin_run(secrets *state)
{
    if (state != NULL) {
        memset(state->streams, 0, sizeof state->streams);
    }
}

/* ---- Scrubbing ------------------------------------------------------------------------------- */

/* What is larger is not kept for the next time. */
#define KEPT_SCRATCH ((size_t)64 << 10)

static uint8_t *scratch(secrets *state, int slot, size_t size)
{
    uint8_t **data = &state->scratch[slot].data;
    size_t *allocated = &state->scratch[slot].size;
    if (*allocated < size || (*allocated > KEPT_SCRATCH && size <= KEPT_SCRATCH)) {
        free(*data);
        *allocated = size < 4096 ? 4096 : size;
        *data = malloc(*allocated);
        if (*data == NULL) {
            *allocated = 0;
        }
    }
    return *data;
}

static bool is_asked_for(const secrets *state, uint32_t where)
{
    return state != NULL && (state->scrub & where) != 0;
}

bool secrets_scrub(secrets *state, uint32_t where, int slot, const uint8_t **io_data,
                   size_t *io_size)
{
    if (!is_asked_for(state, where) || !scrub_is_needed(&state->placeholders, *io_data, *io_size)) {
        return true;
    }
    uint8_t *copy = scratch(state, slot, *io_size);
    if (copy == NULL) {
        return false;
    }
    *io_size = scrub_text(&state->placeholders, *io_data, *io_size, copy);
    *io_data = copy;
    return true;
}

bool secrets_scrub_file(secrets *state, const uint8_t **io_data, size_t size)
{
    if (!is_asked_for(state, ERYX_SCRUB_FILES) ||
        !scrub_is_needed(&state->placeholders, *io_data, size)) {
        return true;
    }
    uint8_t *copy = scratch(state, 0, size);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, *io_data, size);
    scrub_same_length(&state->placeholders, copy, size);
    *io_data = copy;
    return true;
}

size_t secrets_scrub_in_place(const secrets *state, uint32_t where, uint8_t *data, size_t size)
{
    return is_asked_for(state, where) ? scrub_text(&state->placeholders, data, size, data) : size;
}

static uint32_t flag_of(int stream)
{
    return stream == 1 ? ERYX_SCRUB_STDOUT : ERYX_SCRUB_STDERR;
}

bool secrets_scrub_output(secrets *state, int stream, const uint8_t **io_data, size_t *io_size)
{
    if (!is_asked_for(state, flag_of(stream))) {
        return true;
    }
    scrub_stream *held = &state->streams[stream - 1];
    if (scrub_passes(held, &state->placeholders, *io_data, *io_size)) {
        return true;
    }
    uint8_t *copy = scratch(state, 0, *io_size + PLACEHOLDER_SIZE);
    if (copy == NULL) {
        return false;
    }
    *io_size = scrub_feed(held, &state->placeholders, *io_data, *io_size, copy);
    *io_data = copy;
    return true;
}

size_t secrets_flush_output(secrets *state, int stream, uint8_t out[PLACEHOLDER_SIZE])
{
    return state == NULL ? 0 : scrub_flush(&state->streams[stream - 1], out);
}

const redact_matcher *secrets_matcher(secrets *state)
{
    eryx_bytes values[ERYX_MAX_SECRETS];
    for (size_t i = 0; i < state->store->count; i++) {
        values[i] = state->store->entries[i].value;
    }
    if (state->matcher == NULL &&
        !redact_matcher_create(values, state->store->count, &state->matcher)) {
        return NULL;
    }
    return state->matcher;
}
