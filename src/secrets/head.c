#include "secrets/head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secrets/target.h"

bool secrets_bytes_add(secrets_bytes *bytes, const void *data, size_t size)
{
    if (size > bytes->allocated - bytes->size) {
        /* Never realloc(), which would leave a copy behind. */
        size_t allocated = bytes->size + size < 4096 ? 4096 : 2 * (bytes->size + size);
        uint8_t *grown = malloc(allocated);
        if (grown == NULL) {
            return false;
        }
        if (bytes->size > 0) {
            memcpy(grown, bytes->data, bytes->size);
            explicit_bzero(bytes->data, bytes->allocated);
        }
        free(bytes->data);
        bytes->data = grown;
        bytes->allocated = allocated;
    }
    if (size > 0) {
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
    }
    return true;
}

void secrets_bytes_free(secrets_bytes *bytes)
{
    if (bytes->data != NULL) {
        explicit_bzero(bytes->data, bytes->allocated);
    }
    free(bytes->data);
    *bytes = (secrets_bytes){0};
}

/* One head while it is being filled. */
typedef struct filling {
    const secrets *secrets;
    const secrets_target *target;
    const uint8_t *head;
    const http_request_head *parsed;
    secrets_bytes *out;
    bool *used;
    char *reason;
    size_t copied; /* so much of the head is in out */
    bool filled;
} filling;

#define REFUSE(filling, ...)                                                                       \
    (snprintf((filling)->reason, NET_REASON_SIZE, __VA_ARGS__), SECRETS_REFUSED)

/* ---- Who may have it ------------------------------------------------------------------------- */

/* The authority that the request names in its target; false if it names none. */
static bool target_authority(const filling *work, http_span *out_authority)
{
    http_span target = work->parsed->target;
    const uint8_t *text = work->head + target.at;
    const uint8_t *begin = memmem(text, target.size, "://", 3);
    if (text[0] == '/' || text[0] == '*' || begin == NULL) {
        return false;
    }
    begin += 3;
    uint32_t size = 0;
    uint32_t left = target.size - (uint32_t)(begin - text);
    while (size < left && begin[size] != '/' && begin[size] != '?' && begin[size] != '#') {
        size++;
    }
    *out_authority = (http_span){(uint32_t)(begin - work->head), size};
    return true;
}

static secrets_verdict check_authority(const filling *work, const secret_entry *secret,
                                       secrets_match match, http_span authority)
{
    const uint8_t *text = work->head + authority.at;
    if (memchr(text, '@', authority.size) != NULL ||
        !secrets_match_authority(secret, work->target, match, text, authority.size)) {
        return REFUSE(
            work, "secret '%s' is not allowed for '%.*s', which the request names as its host",
            secret->name, authority.size < 253 ? (int)authority.size : 253, (const char *)text);
    }
    return SECRETS_FILLED;
}

/* Whether a secret may go where this request goes. */
static secrets_verdict check_secret(const filling *work, const secret_entry *secret)
{
    secrets_match match = secrets_match_target(secret, work->target);
    if (match == SECRETS_NO_MATCH) {
        char name[NET_MAX_NAME + 1];
        secrets_target_text(work->target, name);
        return REFUSE(work, "secret '%s' is not allowed for host '%s'", secret->name, name);
    }
    http_span authority;
    if (target_authority(work, &authority)) {
        secrets_verdict verdict = check_authority(work, secret, match, authority);
        if (verdict != SECRETS_FILLED) {
            return verdict;
        }
    } else if (work->head[work->parsed->target.at] != '/' &&
               work->head[work->parsed->target.at] != '*') {
        return REFUSE(work, "secret '%s': the target of the request is not a path", secret->name);
    }
    for (uint32_t i = 0; i < work->parsed->field_count; i++) {
        const http_field *field = &work->parsed->fields[i];
        if (http_span_is(work->head, field->name, "host")) {
            return check_authority(work, secret, match, field->value);
        }
    }
    return SECRETS_FILLED;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static bool put(filling *work, const void *data, size_t size)
{
    return secrets_bytes_add(work->out, data, size);
}

/* Copies the head up to there. */
static bool copy_to(filling *work, size_t at)
{
    bool ok = put(work, work->head + work->copied, at - work->copied);
    work->copied = at;
    return ok;
}

/* Writes a text to bytes with the values of the placeholders in it. */
static secrets_verdict fill_text(filling *work, const uint8_t *text, size_t size,
                                 secrets_bytes *out)
{
    const placeholder_set *set = &work->secrets->placeholders;
    size_t at;
    size_t index;
    while (placeholder_find(set, text, size, &at, &index)) {
        const secret_entry *secret = &work->secrets->store->entries[index];
        secrets_verdict verdict = work->used[index] ? SECRETS_FILLED : check_secret(work, secret);
        if (verdict != SECRETS_FILLED) {
            return verdict;
        }
        if (out->size + secret->value.size > SECRETS_MAX_HEAD) {
            return REFUSE(work, "the head of the request is too long with the secrets in it");
        }
        if (!secrets_bytes_add(out, text, at) ||
            !secrets_bytes_add(out, secret->value.data, secret->value.size)) {
            return SECRETS_NO_MEMORY;
        }
        work->used[index] = true;
        work->filled = true;
        text += at + PLACEHOLDER_SIZE;
        size -= at + PLACEHOLDER_SIZE;
    }
    return secrets_bytes_add(out, text, size) ? SECRETS_FILLED : SECRETS_NO_MEMORY;
}

/* Fields that say how the request is to be read or where it goes. */
static bool is_framing(const uint8_t *head, http_span name)
{
    static const char *const names[] = {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "keep-alive",
        "proxy-connection",
        "range",
        "if-range",
        "accept-encoding",
        "accept-charset",
        "a-im",
        "http2-settings",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (http_span_is(head, name, names[i])) {
            return true;
        }
    }
    return false;
}

/* ---- Basic credentials ----------------------------------------------------------------------- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Adds the bytes of a Base64 text with padding. False without memory or if it is no such text. */
static bool decode_base64(const uint8_t *text, size_t size, secrets_bytes *out)
{
    if (size % 4 != 0) {
        return false;
    }
    while (size > 0 && text[size - 1] == '=') {
        size--;
    }
    uint32_t bits = 0;
    for (size_t i = 0; i < size; i++) {
        const char *digit = text[i] == 0 ? NULL : strchr(base64_digits, text[i]);
        if (digit == NULL) {
            return false;
        }
        bits = bits << 6 | (uint32_t)(digit - base64_digits);
        uint8_t byte = (uint8_t)(bits >> (6 - 2 * (i % 4)));
        if (i % 4 != 0 && !secrets_bytes_add(out, &byte, 1)) {
            return false;
        }
    }
    return true;
}

static bool encode_base64(const secrets_bytes *plain, secrets_bytes *out)
{
    for (size_t i = 0; i < plain->size; i += 3) {
        size_t left = plain->size - i;
        uint32_t group = (uint32_t)plain->data[i] << 16;
        group |= left > 1 ? (uint32_t)plain->data[i + 1] << 8 : 0;
        group |= left > 2 ? plain->data[i + 2] : 0;
        char text[4] = {base64_digits[group >> 18], base64_digits[(group >> 12) & 63],
                        left > 1 ? base64_digits[(group >> 6) & 63] : '=',
                        left > 2 ? base64_digits[group & 63] : '='};
        if (!secrets_bytes_add(out, text, sizeof text)) {
            return false;
        }
    }
    return true;
}

/* The credentials of "Basic ..."; false if the field has none. */
static bool find_basic(const filling *work, const http_field *field, http_span *out_credentials)
{
    static const char scheme[] = "basic ";
    const size_t scheme_size = sizeof scheme - 1;
    if (!http_span_is(work->head, field->name, "authorization") &&
        !http_span_is(work->head, field->name, "proxy-authorization")) {
        return false;
    }
    http_span value = field->value;
    if (value.size <= scheme_size) {
        return false;
    }
    for (size_t i = 0; i < scheme_size; i++) {
        if ((work->head[value.at + i] | 0x20) != (scheme[i] | 0x20)) {
            return false;
        }
    }
    value.at += (uint32_t)scheme_size;
    value.size -= (uint32_t)scheme_size;
    while (value.size > 0 && work->head[value.at] == ' ') {
        value.at++;
        value.size--;
    }
    *out_credentials = value;
    return true;
}

/* Fills what is inside of Basic credentials. */
static secrets_verdict fill_basic(filling *work, http_span credentials)
{
    secrets_bytes plain = {0};
    secrets_bytes filled = {0};
    secrets_verdict verdict = SECRETS_FILLED;
    size_t at;
    size_t index;
    if (decode_base64(work->head + credentials.at, credentials.size, &plain) &&
        placeholder_find(&work->secrets->placeholders, plain.data, plain.size, &at, &index)) {
        verdict = fill_text(work, plain.data, plain.size, &filled);
        if (verdict == SECRETS_FILLED) {
            verdict = copy_to(work, credentials.at) && encode_base64(&filled, work->out)
                          ? SECRETS_FILLED
                          : SECRETS_NO_MEMORY;
            work->copied = credentials.at + credentials.size;
        }
    }
    secrets_bytes_free(&plain);
    secrets_bytes_free(&filled);
    return verdict;
}

/* ---- The head -------------------------------------------------------------------------------- */

static secrets_verdict fill_field(filling *work, const http_field *field)
{
    size_t at;
    size_t index;
    http_span value = field->value;
    const uint8_t *text = work->head + value.at;
    if (placeholder_find(&work->secrets->placeholders, text, value.size, &at, &index)) {
        if (is_framing(work->head, field->name)) {
            return REFUSE(work, "secret '%s' may not be in the header field %.*s",
                          work->secrets->store->entries[index].name,
                          field->name.size < 32 ? (int)field->name.size : 32,
                          (const char *)work->head + field->name.at);
        }
        if (!copy_to(work, value.at)) {
            return SECRETS_NO_MEMORY;
        }
        secrets_verdict verdict = fill_text(work, text, value.size, work->out);
        work->copied = value.at + value.size;
        return verdict;
    }
    http_span credentials;
    return find_basic(work, field, &credentials) ? fill_basic(work, credentials) : SECRETS_FILLED;
}

/* Whether the answer to a request with this field could hide a value from the redactor: by another
 * coding, or by giving a part of it. */
static bool hides_answers(const uint8_t *head, http_span name)
{
    static const char *const names[] = {
        "accept-encoding", "accept-charset",           "te", "a-im", "range",
        "if-range",        "sec-websocket-extensions",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (http_span_is(head, name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool asks_for_hidden_answers(const uint8_t *head, const http_request_head *parsed)
{
    for (uint32_t i = 0; i < parsed->field_count; i++) {
        if (hides_answers(head, parsed->fields[i].name)) {
            return true;
        }
    }
    return false;
}

/* Copies a head to out without the fields that ask for answers in another form. */
static bool ask_for_plain_answers(const uint8_t *head, size_t size, const http_request_head *parsed,
                                  secrets_bytes *out)
{
    static const char identity[] = "Accept-Encoding: identity\r\n\r\n";
    size_t copied = 0;
    for (uint32_t i = 0; i < parsed->field_count; i++) {
        if (!hides_answers(head, parsed->fields[i].name)) {
            continue;
        }
        size_t line = parsed->fields[i].name.at;
        if (!secrets_bytes_add(out, head + copied, line - copied)) {
            return false;
        }
        const uint8_t *end = memchr(head + line, '\n', size - line);
        copied = end != NULL ? (size_t)(end - head) + 1 : size;
    }
    return secrets_bytes_add(out, head + copied, size - 2 - copied) &&
           secrets_bytes_add(out, identity, sizeof identity - 1);
}

/* The filled head becomes the one that is sent. */
static secrets_verdict finish_filled(filling *work, const secrets_bytes *filled, secrets_bytes *out)
{
    http_request_head *again = malloc(sizeof *again);
    secrets_verdict verdict = SECRETS_NO_MEMORY;
    if (again != NULL && !http_request_parse(filled->data, filled->size, again)) {
        verdict = REFUSE(work, "the head of the request is too long with the secrets in it");
    } else if (again != NULL && ask_for_plain_answers(filled->data, filled->size, again, out)) {
        verdict = SECRETS_FILLED;
    }
    free(again);
    return verdict;
}

secrets_verdict secrets_fill_head(const secrets *state, const secrets_target *target,
                                  const uint8_t *head, size_t size, const http_request_head *parsed,
                                  bool may_fill, secrets_bytes *out_head, bool *out_used,
                                  char out_reason[NET_REASON_SIZE])
{
    secrets_bytes filled = {0};
    filling work = {.secrets = state,
                    .target = target,
                    .head = head,
                    .parsed = parsed,
                    .out = &filled,
                    .used = out_used,
                    .reason = out_reason};
    secrets_verdict verdict = SECRETS_FILLED;
    for (uint32_t i = 0; i < parsed->field_count && verdict == SECRETS_FILLED && may_fill; i++) {
        verdict = fill_field(&work, &parsed->fields[i]);
    }
    if (verdict == SECRETS_FILLED && !work.filled) {
        verdict = SECRETS_PLAIN;
        if (state->any_sent && asks_for_hidden_answers(head, parsed)) {
            verdict = ask_for_plain_answers(head, size, parsed, out_head) ? SECRETS_WATCHED
                                                                          : SECRETS_NO_MEMORY;
        }
    }
    if (verdict == SECRETS_FILLED && http_span_is(head, parsed->method, "connect")) {
        verdict = REFUSE(&work, "secrets may not be in a CONNECT request");
    }
    for (uint32_t i = 0; i < parsed->field_count && verdict == SECRETS_FILLED; i++) {
        const http_field *field = &parsed->fields[i];
        if (http_span_is(head, field->name, "upgrade") &&
            http_span_lists(head, field->value, "h2c")) {
            verdict = REFUSE(&work, "a request with a secret may not ask for HTTP/2");
        }
    }
    if (verdict == SECRETS_FILLED) {
        verdict =
            copy_to(&work, size) ? finish_filled(&work, &filled, out_head) : SECRETS_NO_MEMORY;
    }
    secrets_bytes_free(&filled);
    return verdict;
}
