#include "sandbox/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Texts of exceptions: a traceback is cut at its start, since its end says what happened. */
#define TEXT_CAP ((size_t)1 << 20)

/* Each becomes objects of the host. */
enum { MOST_DISPLAYS = 1000 };

static void field_set(run_result *result, uint32_t field, const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, data, size);
        copy[size] = 0;
    }
    free((void *)(uintptr_t)result->fields[field].data);
    result->fields[field] = (eryx_bytes){copy, copy != NULL ? size : 0};
}

static void field_drop(run_result *result, uint32_t field)
{
    free((void *)(uintptr_t)result->fields[field].data);
    result->fields[field] = (eryx_bytes){NULL, 0};
}

void result_clear(run_result *result)
{
    for (uint32_t i = 0; i < RESULT_FIELDS; i++) {
        field_drop(result, i);
    }
    result->display_count = 0;
    result->displays_allocated = 0;
    result->displays_dropped = 0;
    eryx_changes_destroy(result->view.changes);
    result->message[0] = 0;
    result->available = false;
    result->view = (eryx_result){0};
}

eryx_bytes result_kept(uint32_t field, const uint8_t *data, size_t size, uint64_t cap)
{
    if (field == REPORT_RESULT_JSON || field == REPORT_VALUE_JSON) {
        return (eryx_bytes){data, size > cap ? 0 : size};
    }
    if (size > TEXT_CAP) {
        data += field == REPORT_TRACEBACK ? size - TEXT_CAP : 0;
        size = TEXT_CAP;
    }
    return (eryx_bytes){data, size};
}

/* A result that is not kept, and why. */
static void refuse_result(run_result *result, size_t size, uint64_t cap)
{
    char text[128];
    int length =
        snprintf(text, sizeof text, "result is too large: %zu bytes of JSON, the limit is %llu",
                 size, (unsigned long long)cap);
    field_drop(result, REPORT_RESULT_JSON);
    field_set(result, REPORT_RESULT_ERROR, (const uint8_t *)text, (size_t)length);
}

void result_report(run_result *result, uint32_t field, const uint8_t *data, size_t size,
                   uint64_t cap)
{
    if (field == 0 || field >= REPORT_DISPLAY) {
        return;
    }
    if (field == REPORT_RESULT_JSON && size > cap) {
        refuse_result(result, size, cap);
        return;
    }
    if (field == REPORT_VALUE_JSON && size > cap) {
        field_drop(result, field);
        return;
    }
    eryx_bytes kept = result_kept(field, data, size, cap);
    field_set(result, field, kept.data, kept.size);
}

void result_add_display(run_result *result, const uint8_t *data, size_t size, uint64_t cap)
{
    eryx_bytes *displays = &result->fields[REPORT_DISPLAY];
    if (size >= cap || displays->size > cap - size - 1 || result->display_count == MOST_DISPLAYS) {
        result->displays_dropped++;
        return;
    }
    const size_t needed = displays->size + size + 1;
    uint8_t *bytes = (uint8_t *)(uintptr_t)displays->data;
    if (needed > result->displays_allocated) {
        const size_t room = needed < SIZE_MAX / 2 ? needed * 2 : needed;
        bytes = realloc(bytes, room);
        if (bytes == NULL) {
            result->displays_dropped++;
            return;
        }
        result->displays_allocated = room;
    }
    memcpy(bytes + displays->size, data, size);
    bytes[needed - 1] = '\n';
    result->display_count++;
    *displays = (eryx_bytes){bytes, needed};
}
