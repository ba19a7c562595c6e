#include "worker/protocol.h"

#include <stdlib.h>
#include <string.h>

/* What a traceback, an exception's text and the like have together at most; src/sandbox/result.c
 * and the guest cut them to less. */
#define TEXTS_MAX ((size_t)8 << 20)

#define MOST_ARGUMENTS ((uint32_t)1 << 20)

enum {
    RUN_KEEPS_STATE = 1,
    RUN_STREAMS = 2,
    RUN_SOURCE_IS_FILE = 4,
    RUN_HIDES_TRACEBACK = 8,
    RUN_STREAMS_LINES = 16,
    RUN_ASKS_FOR_INPUT = 32,
    RUN_FLAGS = 63,
};

/* ---- Limits ----------------------------------------------------------------------------------
 */

void protocol_put_limits(message_writer *writer, const eryx_limits *limits)
{
#define PUT_LIMIT(name, default_value, bounds, reached) message_put_u64(writer, limits->name);
    ERYX_LIMITS_MAP(PUT_LIMIT)
    message_put_u8(writer, limits->metered);
    ERYX_LATER_LIMITS_MAP(PUT_LIMIT)
#undef PUT_LIMIT
}

void protocol_get_limits(message_reader *reader, eryx_limits *out_limits)
{
    eryx_limits_init(out_limits);
#define GET_LIMIT(name, default_value, bounds, reached) out_limits->name = message_get_u64(reader);
    ERYX_LIMITS_MAP(GET_LIMIT)
    out_limits->metered = message_get_bool(reader);
    ERYX_LATER_LIMITS_MAP(GET_LIMIT)
#undef GET_LIMIT
}

void protocol_put_deterministic(message_writer *writer, const eryx_deterministic *given)
{
    message_put_u8(writer, given != NULL);
    message_put_u64(writer, given != NULL ? given->seed : 0);
    message_put_u64(writer, given != NULL ? given->start_ns : 0);
    message_put_u64(writer, given != NULL ? given->tick_ns : 0);
}

bool protocol_get_deterministic(message_reader *reader, eryx_deterministic *out_given)
{
    eryx_deterministic_init(out_given);
    const bool is_deterministic = message_get_bool(reader);
    out_given->seed = message_get_u64(reader);
    out_given->start_ns = message_get_u64(reader);
    out_given->tick_ns = message_get_u64(reader);
    return is_deterministic;
}

/* ---- Runs ------------------------------------------------------------------------------------
 */

static eryx_bytes bytes_of(const void *data, size_t size)
{
    /* Empty but there, if only the address says so. */
    return (eryx_bytes){data, data == NULL ? 0 : size};
}

void protocol_put_run(message_writer *writer, const eryx_run_options *options, bool asks_for_input)
{
    uint32_t flags = 0;
    flags |= options->keep_state ? RUN_KEEPS_STATE : 0;
    flags |= options->stream_output ? RUN_STREAMS : 0;
    flags |= options->source_is_file ? RUN_SOURCE_IS_FILE : 0;
    flags |= options->hide_traceback ? RUN_HIDES_TRACEBACK : 0;
    flags |= options->stream_lines ? RUN_STREAMS_LINES : 0;
    flags |= asks_for_input ? RUN_ASKS_FOR_INPUT : 0;
    uint32_t count = 0;
    while (options->arguments != NULL && options->arguments[count] != NULL) {
        count++;
    }
    message_put_u32(writer, (uint32_t)options->command);
    message_put_u32(writer, flags);
    message_put_u64(writer, options->max_trace_events);
    message_put_u64(writer, options->max_display_bytes);
    message_put_bytes(writer, bytes_of(options->source, options->source_size));
    message_put_text(writer, options->result_variable);
    message_put_bytes(writer, bytes_of(options->standard_input, options->standard_input_size));
    message_put_text(writer, options->callbacks);
    message_put_text(writer, options->trace);
    message_put_bytes(writer, bytes_of(options->given, options->given_size));
    message_put_u32(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        message_put_text(writer, options->arguments[i]);
    }
}

/* The arguments, of which there are as many as the message has room for. */
static bool get_arguments(message_reader *reader, protocol_run *run)
{
    const uint32_t count = message_get_u32(reader);
    if (reader->is_bad || count > MOST_ARGUMENTS || count > reader->left / sizeof(uint32_t)) {
        return false;
    }
    run->arguments = calloc((size_t)count + 1, sizeof *run->arguments);
    for (uint32_t i = 0; run->arguments != NULL && i < count; i++) {
        run->arguments[i] = message_get_text(reader, MESSAGE_MAX_BYTES);
        reader->is_bad = reader->is_bad || run->arguments[i] == NULL;
    }
    run->options.arguments = run->arguments;
    return run->arguments != NULL;
}

bool protocol_get_run(message_reader *reader, protocol_run *out_run)
{
    protocol_run run = {0};
    eryx_run_options *options = &run.options;
    eryx_run_options_init(options);
    const uint32_t command = message_get_u32(reader);
    const uint32_t flags = message_get_u32(reader);
    options->command = (eryx_run_command)command;
    options->keep_state = (flags & RUN_KEEPS_STATE) != 0;
    options->source_is_file = (flags & RUN_SOURCE_IS_FILE) != 0;
    options->hide_traceback = (flags & RUN_HIDES_TRACEBACK) != 0;
    options->stream_lines = (flags & RUN_STREAMS_LINES) != 0;
    run.streams = (flags & RUN_STREAMS) != 0;
    run.asks_for_input = (flags & RUN_ASKS_FOR_INPUT) != 0;
    options->max_trace_events = message_get_u64(reader);
    options->max_display_bytes = message_get_u64(reader);
    const eryx_bytes source = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    options->source = (const char *)source.data;
    options->source_size = source.size;
    options->result_variable = message_get_text(reader, MESSAGE_MAX_BYTES);
    const eryx_bytes input = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    options->standard_input = input.data;
    options->standard_input_size = input.size;
    options->callbacks = message_get_text(reader, MESSAGE_MAX_BYTES);
    options->trace = message_get_text(reader, PROTOCOL_TEXT_MAX);
    const eryx_bytes given = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    options->given = given.data;
    options->given_size = given.size;
    const bool sound = !reader->is_bad && (flags & ~(uint32_t)RUN_FLAGS) == 0 &&
                       command <= ERYX_RUN_FILES && get_arguments(reader, &run);
    if (!sound || !message_is_whole(reader)) {
        protocol_run_free(&run);
        return false;
    }
    *out_run = run;
    return true;
}

void protocol_run_free(protocol_run *run)
{
    free(run->arguments);
    run->arguments = NULL;
}

/* ---- Files of providers -----------------------------------------------------------------------
 */

/* What an entry has at least. */
#define ENTRY_BYTES_LEAST ((size_t)28)

void protocol_put_files(message_writer *writer, uint32_t id, const eryx_files_answer *answer)
{
    message_put_u32(writer, id);
    message_put_u32(writer, (uint32_t)answer->error_number);
    message_put_bytes(writer, bytes_of(answer->data, answer->size));
    message_put_u32(writer, (uint32_t)answer->entry_count);
    for (size_t i = 0; i < answer->entry_count; i++) {
        const eryx_files_entry *entry = &answer->entries[i];
        message_put_text(writer, entry->name);
        message_put_u32(writer, (uint32_t)entry->kind);
        message_put_u64(writer, entry->size);
        message_put_u64(writer, entry->modified_seconds);
        message_put_u32(writer, entry->modified_nanoseconds);
    }
}

bool protocol_get_files(message_reader *reader, protocol_files *out_files)
{
    protocol_files files = {.id = message_get_u32(reader)};
    files.answer.error_number = (int)message_get_u32(reader);
    const eryx_bytes data = message_get_bytes(reader, MESSAGE_MAX_BYTES);
    files.answer.data = data.data;
    files.answer.size = data.size;
    const uint32_t count = message_get_u32(reader);
    if (reader->is_bad || count > reader->left / ENTRY_BYTES_LEAST) {
        return false;
    }
    files.entries = calloc(count + (size_t)1, sizeof *files.entries);
    for (uint32_t i = 0; files.entries != NULL && i < count; i++) {
        eryx_files_entry *entry = &files.entries[i];
        entry->name = message_get_text(reader, MESSAGE_MAX_BYTES);
        entry->kind = (eryx_storage_kind)message_get_u32(reader);
        entry->size = message_get_u64(reader);
        entry->modified_seconds = message_get_u64(reader);
        entry->modified_nanoseconds = message_get_u32(reader);
    }
    files.answer.entries = files.entries;
    files.answer.entry_count = count;
    if (files.entries == NULL || !message_is_whole(reader)) {
        protocol_files_free(&files);
        return false;
    }
    *out_files = files;
    return true;
}

void protocol_files_free(protocol_files *files)
{
    free(files->entries);
    files->entries = NULL;
}

/* ---- Results ---------------------------------------------------------------------------------
 */

static bool has_contents(const eryx_change *change)
{
    return change->change != ERYX_CHANGE_REMOVED && change->kind != ERYX_STORAGE_DIRECTORY;
}

void protocol_put_changes(message_writer *writer, const eryx_changes *changes)
{
    const size_t count = eryx_changes_count(changes);
    size_t room = PROTOCOL_FILES_MAX;
    message_put_u8(writer, eryx_changes_truncated(changes));
    message_put_u32(writer, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const eryx_change *change = eryx_changes_get(changes, i);
        uint8_t *data = NULL;
        size_t size = 0;
        const bool is_read = has_contents(change) && change->size <= room &&
                             eryx_changes_read(changes, i, &data, &size) == ERYX_FILE_OK &&
                             size <= room;
        message_put_text(writer, change->path);
        message_put_u32(writer, (uint32_t)change->change);
        message_put_u32(writer, (uint32_t)change->kind);
        message_put_u64(writer, change->size);
        /* What is empty is there all the same. */
        const uint8_t *there = size == 0 ? (const uint8_t *)"" : data;
        message_put_bytes(writer, (eryx_bytes){is_read ? there : NULL, size});
        room -= is_read ? size : 0;
        eryx_free(data);
    }
}

void protocol_put_result(message_writer *writer, const eryx_result *result, bool is_broken)
{
    message_put_u32(writer, (uint32_t)result->status);
    message_put_u8(writer, is_broken);
    message_put_text(writer, result->message);
    message_put_bytes(writer, result->standard_output);
    message_put_bytes(writer, result->standard_error);
    message_put_u64(writer, result->standard_output_dropped);
    message_put_u64(writer, result->standard_error_dropped);
    message_put_bytes(writer, result->result_json);
    message_put_bytes(writer, result->result_error);
    message_put_bytes(writer, result->exception_type);
    message_put_bytes(writer, result->exception_message);
    message_put_bytes(writer, result->traceback);
    message_put_u32(writer, (uint32_t)result->exit_code);
    message_put_u8(writer, result->memory_limit_hit);
    message_put_u64(writer, result->duration_ns);
    message_put_u8(writer, result->metered);
    message_put_u64(writer, result->fuel_consumed);
    message_put_u64(writer, result->peak_memory_bytes);
    message_put_u64(writer, result->callback_invocations);
    message_put_bytes(writer, result->threads_json);
    message_put_bytes(writer, result->value_json);
    message_put_bytes(writer, result->value_repr);
    message_put_bytes(writer, result->displays);
    message_put_u64(writer, result->displays_dropped);
    protocol_put_changes(writer, result->changes);
}

static size_t at_most(uint64_t size)
{
    return size < MESSAGE_MAX_BYTES ? (size_t)size : MESSAGE_MAX_BYTES;
}

/* Output that is kept: a flood of one stream leaves an eighth more for the other. */
static size_t output_most(const eryx_limits *limits)
{
    const size_t kept = at_most(limits->max_output_bytes);
    return at_most((uint64_t)kept + kept / 8 + PROTOCOL_OUTPUT_MAX);
}

/* JSON that the caller is going to parse without another look at it: none rather than one that is
 * too much for a parser. */
static eryx_bytes parseable(eryx_bytes json)
{
    if (json.data != NULL) {
        const eryx_json_cost cost = eryx_json_measure(json.data, json.size);
        if (cost.depth > ERYX_JSON_DEPTH_MAX || cost.digits > ERYX_JSON_DIGITS_MAX) {
            return (eryx_bytes){.data = NULL, .size = 0};
        }
    }
    return json;
}

static bool can_end_a_run(uint32_t status)
{
    return status == ERYX_OK || (status >= ERYX_EXECUTION && status <= ERYX_CANCELLED);
}

/* Of a change: four numbers, and two sizes. */
#define CHANGE_BYTES_LEAST ((size_t)24)

bool protocol_get_changes(message_reader *reader, protocol_result *out_result)
{
    const bool truncated = message_get_bool(reader);
    const uint32_t count = message_get_u32(reader);
    if (reader->is_bad || count > reader->left / CHANGE_BYTES_LEAST) {
        return false;
    }
    protocol_change *changes = calloc(count > 0 ? count : 1, sizeof *changes);
    if (changes == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        protocol_change *change = &changes[i];
        change->path = message_get_text(reader, PROTOCOL_TEXT_MAX);
        const uint32_t what = message_get_u32(reader);
        const uint32_t kind = message_get_u32(reader);
        change->size = message_get_u64(reader);
        change->contents = message_get_bytes(reader, PROTOCOL_FILES_MAX);
        change->change = (eryx_change_kind)what;
        change->kind = (eryx_storage_kind)kind;
        if (change->path == NULL || what > ERYX_CHANGE_REMOVED ||
            kind > ERYX_STORAGE_SYMBOLIC_LINK) {
            reader->is_bad = true;
        }
    }
    if (!message_is_whole(reader)) {
        free(changes);
        return false;
    }
    out_result->changes = changes;
    out_result->change_count = count;
    out_result->changes_truncated = truncated;
    return true;
}

void protocol_result_free(protocol_result *result)
{
    free(result->changes);
    *result = (protocol_result){.result = {.status = ERYX_OK}};
}

bool protocol_get_result(message_reader *reader, const eryx_limits *limits,
                         uint64_t max_display_bytes, protocol_result *out_result)
{
    const size_t output = output_most(limits);
    const size_t text = TEXTS_MAX;
    /* The value of the last expression is bounded as the result is. */
    const size_t json =
        at_most(limits->max_result_bytes < TEXTS_MAX ? TEXTS_MAX : limits->max_result_bytes);
    eryx_result result = {0};
    const uint32_t status = message_get_u32(reader);
    const bool is_broken = message_get_bool(reader);
    result.status = (eryx_status)status;
    result.message = message_get_text(reader, text);
    result.standard_output = message_get_bytes(reader, output);
    result.standard_error = message_get_bytes(reader, output);
    result.standard_output_dropped = message_get_u64(reader);
    result.standard_error_dropped = message_get_u64(reader);
    result.result_json = message_get_bytes(reader, json);
    result.result_error = message_get_bytes(reader, text);
    result.exception_type = message_get_bytes(reader, text);
    result.exception_message = message_get_bytes(reader, text);
    result.traceback = message_get_bytes(reader, text);
    const uint32_t exit_code = message_get_u32(reader);
    memcpy(&result.exit_code, &exit_code, sizeof exit_code);
    result.memory_limit_hit = message_get_bool(reader);
    result.duration_ns = message_get_u64(reader);
    result.metered = message_get_bool(reader);
    result.fuel_consumed = message_get_u64(reader);
    result.peak_memory_bytes = message_get_u64(reader);
    result.callback_invocations = message_get_u64(reader);
    result.threads_json = message_get_bytes(reader, text);
    result.value_json = message_get_bytes(reader, json);
    result.value_repr = message_get_bytes(reader, text);
    result.displays = message_get_bytes(reader, at_most(max_display_bytes));
    result.displays_dropped = message_get_u64(reader);
    result.threads_json = parseable(result.threads_json);
    protocol_result read = {.result = result, .is_broken = is_broken};
    if (reader->is_bad || !can_end_a_run(status) || result.message == NULL ||
        !protocol_get_changes(reader, &read)) {
        return false;
    }
    *out_result = read;
    return true;
}

size_t protocol_largest(const eryx_limits *limits, uint64_t max_display_bytes)
{
    const uint64_t parts[] = {
        2 * (uint64_t)output_most(limits),   at_most(limits->max_result_bytes),
        at_most(limits->max_result_bytes),   at_most(max_display_bytes),
        at_most(limits->max_callback_bytes), 8 * (uint64_t)TEXTS_MAX};
    uint64_t most = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        most += parts[i];
    }
    return at_most(most);
}
