#include "worker/message.h"

#include <stdlib.h>
#include <string.h>

/* In place of a size: there are no bytes. */
#define NO_BYTES UINT32_MAX

#define FIRST_CAPACITY ((size_t)4096)

/* ---- Writing ---------------------------------------------------------------------------------
 */

/* Room for so many bytes more; NULL without memory. */
static uint8_t *reserve(message_writer *writer, size_t size)
{
    if (writer->is_failed || size > MESSAGE_MAX_BYTES) {
        writer->is_failed = true;
        return NULL;
    }
    if (writer->capacity - writer->end < size) {
        size_t capacity = writer->capacity == 0 ? FIRST_CAPACITY : writer->capacity;
        while (capacity - writer->end < size) {
            capacity *= 2;
        }
        uint8_t *grown = realloc(writer->data, capacity);
        if (grown == NULL) {
            writer->is_failed = true;
            return NULL;
        }
        writer->data = grown;
        writer->capacity = capacity;
    }
    uint8_t *place = writer->data + writer->end;
    writer->end += size;
    return place;
}

static void put(message_writer *writer, const void *data, size_t size)
{
    uint8_t *place = reserve(writer, size);
    if (place != NULL && size > 0) {
        memcpy(place, data, size);
    }
}

void message_begin(message_writer *writer, uint32_t kind, uint32_t number)
{
    message_header header = {.kind = kind, .number = number};
    writer->header = writer->end;
    writer->is_failed = false;
    put(writer, &header, sizeof header);
}

void message_put_u8(message_writer *writer, uint8_t value)
{
    put(writer, &value, sizeof value);
}

void message_put_u32(message_writer *writer, uint32_t value)
{
    put(writer, &value, sizeof value);
}

void message_put_u64(message_writer *writer, uint64_t value)
{
    put(writer, &value, sizeof value);
}

void message_put_bytes(message_writer *writer, eryx_bytes bytes)
{
    if (bytes.data == NULL) {
        message_put_u32(writer, NO_BYTES);
    } else if (bytes.size > MESSAGE_MAX_BYTES) {
        writer->is_failed = true;
    } else {
        message_put_u32(writer, (uint32_t)bytes.size);
        put(writer, bytes.data, bytes.size);
    }
}

void message_put_text(message_writer *writer, const char *text)
{
    /* With its zero, so that it can be used where it lies. */
    eryx_bytes bytes = {(const uint8_t *)text, text == NULL ? 0 : strlen(text) + 1};
    message_put_bytes(writer, bytes);
}

void message_put_raw(message_writer *writer, const void *data, size_t size)
{
    put(writer, data, size);
}

bool message_end(message_writer *writer)
{
    const size_t size = writer->end - writer->header - sizeof(message_header);
    if (writer->is_failed || size > MESSAGE_MAX_BYTES) {
        writer->is_failed = false;
        writer->end = writer->header;
        return false;
    }
    uint32_t counted = (uint32_t)size;
    memcpy(writer->data + writer->header + offsetof(message_header, size), &counted,
           sizeof counted);
    return true;
}

void message_writer_free(message_writer *writer)
{
    free(writer->data);
    *writer = (message_writer){0};
}

/* ---- Reading ---------------------------------------------------------------------------------
 */

message_reader message_read(const message *from)
{
    return (message_reader){.at = from->payload, .left = from->header.size};
}

/* The next bytes; NULL if there are not so many. */
static const uint8_t *take(message_reader *reader, size_t size)
{
    if (reader->is_bad || reader->left < size) {
        reader->is_bad = true;
        return NULL;
    }
    const uint8_t *taken = reader->at;
    reader->at += size;
    reader->left -= size;
    return taken;
}

static void get(message_reader *reader, void *out_value, size_t size)
{
    const uint8_t *from = take(reader, size);
    if (from != NULL) {
        memcpy(out_value, from, size);
    }
}

uint8_t message_get_u8(message_reader *reader)
{
    uint8_t value = 0;
    get(reader, &value, sizeof value);
    return value;
}

uint32_t message_get_u32(message_reader *reader)
{
    uint32_t value = 0;
    get(reader, &value, sizeof value);
    return value;
}

uint64_t message_get_u64(message_reader *reader)
{
    uint64_t value = 0;
    get(reader, &value, sizeof value);
    return value;
}

bool message_get_bool(message_reader *reader)
{
    const uint8_t value = message_get_u8(reader);
    reader->is_bad = reader->is_bad || value > 1;
    return value == 1 && !reader->is_bad;
}

eryx_bytes message_get_bytes(message_reader *reader, size_t most)
{
    const uint32_t size = message_get_u32(reader);
    if (reader->is_bad || size == NO_BYTES) {
        return (eryx_bytes){.data = NULL, .size = 0};
    }
    if (size > most) {
        reader->is_bad = true;
    }
    const uint8_t *data = take(reader, size);
    return (eryx_bytes){.data = data, .size = data == NULL ? 0 : size};
}

const char *message_get_text(message_reader *reader, size_t most)
{
    const eryx_bytes bytes = message_get_bytes(reader, most < SIZE_MAX ? most + 1 : most);
    if (bytes.data == NULL) {
        return NULL;
    }
    if (bytes.size == 0 || memchr(bytes.data, 0, bytes.size) != bytes.data + bytes.size - 1) {
        reader->is_bad = true;
        return NULL;
    }
    return (const char *)bytes.data;
}

bool message_is_whole(const message_reader *reader)
{
    return !reader->is_bad && reader->left == 0;
}
