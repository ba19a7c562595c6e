#include "worker/service.h"

#include <string.h>

enum { MOST_TEXT = 1024 };

static void put_address(message_writer *writer, const net_address *address)
{
    message_put_u8(writer, address->is_v6);
    message_put_raw(writer, address->bytes, sizeof address->bytes);
    message_put_u32(writer, address->port);
    message_put_u32(writer, address->scope);
}

static net_address get_address(message_reader *reader)
{
    net_address address = {.is_v6 = message_get_bool(reader)};
    for (size_t i = 0; i < sizeof address.bytes; i++) {
        address.bytes[i] = message_get_u8(reader);
    }
    const uint32_t port = message_get_u32(reader);
    reader->is_bad = reader->is_bad || port > UINT16_MAX;
    address.port = (uint16_t)port;
    address.scope = message_get_u32(reader);
    return address;
}

static eryx_bytes bytes_of(const uint8_t *data, size_t size)
{
    return (eryx_bytes){size > 0 ? data : NULL, size};
}

void service_put_question(message_writer *writer, const net_far_question *question)
{
    message_put_u32(writer, (uint32_t)question->operation);
    message_put_u32(writer, question->number);
    message_put_u64(writer, question->value);
    put_address(writer, &question->address);
    message_put_bytes(writer, bytes_of(question->data, question->size));
    message_put_u32(writer, (uint32_t)question->room);
}

bool service_get_question(message_reader *reader, net_far_question *out_question)
{
    net_far_question question = {.operation = (net_far_operation)message_get_u32(reader)};
    question.number = message_get_u32(reader);
    question.value = message_get_u64(reader);
    question.address = get_address(reader);
    const eryx_bytes data = message_get_bytes(reader, SERVICE_DATA_MAX);
    question.data = data.data != NULL ? data.data : (const uint8_t *)"";
    question.size = data.size;
    question.room = message_get_u32(reader);
    *out_question = question;
    return message_is_whole(reader) && question.operation >= NET_FAR_OPEN &&
           question.operation < NET_FAR_OPERATION_COUNT && question.room <= SERVICE_DATA_MAX;
}

void service_put_answer(message_writer *writer, const net_far_answer *answer)
{
    message_put_u64(writer, (uint64_t)answer->result);
    message_put_u64(writer, answer->value);
    message_put_u64(writer, answer->deadline_ns);
    put_address(writer, &answer->local);
    put_address(writer, &answer->remote);
    message_put_bytes(writer, bytes_of(answer->data, answer->size));
    message_put_u32(writer, (uint32_t)answer->last_errno);
    message_put_text(writer, answer->refusal);
}

bool service_get_answer(message_reader *reader, net_far_answer *out_answer)
{
    net_far_answer answer = {.result = (int64_t)message_get_u64(reader), .file = -1};
    answer.value = message_get_u64(reader);
    answer.deadline_ns = message_get_u64(reader);
    answer.local = get_address(reader);
    answer.remote = get_address(reader);
    const eryx_bytes data = message_get_bytes(reader, SERVICE_DATA_MAX);
    answer.data = data.data;
    answer.size = data.size;
    answer.last_errno = (int)message_get_u32(reader);
    answer.refusal = message_get_text(reader, MOST_TEXT);
    *out_answer = answer;
    return message_is_whole(reader);
}
