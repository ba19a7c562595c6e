/* Answers to calls of the guest: those of the embedder, and that there is none in time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/callbacks.h"
#include "sandbox/run.h"
#include "sandbox/use.h"
#include "secrets/secrets.h"

void callbacks_expire(eryx_sandbox *sandbox)
{
    callback_table *table = &sandbox->callbacks;
    uint64_t now_ns = clock_now_ns();
    for (uint32_t id; (id = callbacks_expired(table, now_ns)) != 0;) {
        uint8_t *text = malloc(24);
        int length = text == NULL
                         ? 0
                         : snprintf((char *)text, 24, "%llu",
                                    (unsigned long long)sandbox->limits.callback_timeout_ms);
        callbacks_answer(table, id, ANSWER_TIMEOUT, text, (size_t)length);
        eryx_event event = {.kind = ERYX_EVENT_CALLBACK_EXPIRED};
        event.as.callback.id = id;
        run_yield(sandbox, event);
    }
}

/* Hands over a copy of the parts, joined. */
static eryx_status answer(eryx_sandbox *sandbox, uint32_t id, uint32_t status, eryx_bytes first,
                          eryx_bytes second)
{
    size_t size = first.size + second.size;
    uint8_t *data = malloc(size + 1);
    if (data == NULL) {
        return ERYX_OUT_OF_MEMORY;
    }
    memcpy(data, first.data, first.size);
    memcpy(data + first.size, second.data, second.size);
    size = secrets_scrub_in_place(sandbox->secrets, ERYX_SCRUB_CALLBACKS, data, size);
    if (sandbox->state != SANDBOX_RUNNING ||
        !callbacks_answer(&sandbox->callbacks, id, status, data, size)) {
        free(data);
        return ERYX_INVALID_ARGUMENT;
    }
    return ERYX_OK;
}

eryx_status eryx_callback_return(eryx_sandbox *sandbox, uint32_t id, const char *json, size_t size)
{
    if (json == NULL) {
        return ERYX_INVALID_ARGUMENT;
    }
    eryx_status status = use_begin(sandbox, NULL);
    if (status == ERYX_OK) {
        status = size > sandbox->limits.max_callback_bytes || size > UINT32_MAX
                     ? ERYX_RESOURCE_LIMIT
                     : answer(sandbox, id, ANSWER_VALUE, (eryx_bytes){(const uint8_t *)json, size},
                              (eryx_bytes){(const uint8_t *)"", 0});
        use_end(sandbox);
    }
    return status;
}

eryx_status eryx_callback_raise(eryx_sandbox *sandbox, uint32_t id, const char *type,
                                const char *message)
{
    if (type == NULL || message == NULL) {
        return ERYX_INVALID_ARGUMENT;
    }
    eryx_status status = use_begin(sandbox, NULL);
    if (status == ERYX_OK) {
        const uint64_t cap = sandbox->limits.max_callback_bytes;
        size_t size = strnlen(message, cap < (1 << 20) ? (size_t)cap : (size_t)1 << 20);
        status = answer(sandbox, id, ANSWER_EXCEPTION,
                        (eryx_bytes){(const uint8_t *)type, strnlen(type, CALLBACKS_MAX_NAME) + 1},
                        (eryx_bytes){(const uint8_t *)message, size});
        use_end(sandbox);
    }
    return status;
}
