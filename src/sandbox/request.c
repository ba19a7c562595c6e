#include "sandbox/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/options.h"

enum { FIELD_HEADER_BYTES = 8 };

static const eryx_run_options default_options = {.struct_size = sizeof default_options,
                                                 .source = "",
                                                 .result_variable = "result",
                                                 .max_trace_events = 100000,
                                                 .standard_input_fd = -1,
                                                 .max_display_bytes = (uint64_t)16 << 20};

void eryx_run_options_init_sized(eryx_run_options *options, size_t size)
{
    options_init(options, size, &default_options, sizeof default_options);
}

/* Writes one field at request + *size if request is not NULL, and counts it in any case. */
static void add_field(uint8_t *request, size_t *size, uint32_t field, const void *data,
                      size_t data_size)
{
    if (request != NULL) {
        uint32_t header[2] = {field, (uint32_t)data_size};
        memcpy(request + *size, header, sizeof header);
        memcpy(request + *size + sizeof header, data, data_size);
    }
    *size += FIELD_HEADER_BYTES + data_size;
}

static size_t encode(const eryx_run_options *options, uint32_t flags, uint8_t *request)
{
    size_t size = 0;
    flags |= options->keep_state ? REQUEST_KEEP_STATE : 0;
    flags |= options->hide_traceback ? REQUEST_HIDE_TRACEBACK : 0;
    flags |= options->source_is_file ? REQUEST_SOURCE_IS_FILE : 0;
    flags |= (uint32_t)options->command << REQUEST_COMMAND_SHIFT;
    add_field(request, &size, REQUEST_FLAGS, &flags, sizeof flags);
    if (options->result_variable != NULL) {
        add_field(request, &size, REQUEST_RESULT_VARIABLE, options->result_variable,
                  strlen(options->result_variable));
    }
    if (options->callbacks != NULL) {
        add_field(request, &size, REQUEST_CALLBACKS, options->callbacks,
                  strlen(options->callbacks));
    }
    if (options->trace != NULL) {
        add_field(request, &size, REQUEST_TRACE, options->trace, strlen(options->trace));
        add_field(request, &size, REQUEST_TRACE_LIMIT, &options->max_trace_events,
                  sizeof options->max_trace_events);
    }
    if (options->given != NULL) {
        add_field(request, &size, REQUEST_GIVEN, options->given, options->given_size);
    }
    for (const char *const *argument = options->arguments; argument != NULL && *argument != NULL;
         argument++) {
        add_field(request, &size, REQUEST_ARGUMENT, *argument, strlen(*argument));
    }
    add_field(request, &size, REQUEST_SOURCE, options->source, options->source_size);
    return size;
}

bool request_build(const eryx_run_options *options, uint32_t flags, uint8_t **out_request,
                   size_t *out_size)
{
    size_t size = encode(options, flags, NULL);
    uint8_t *request = malloc(size);
    if (request == NULL) {
        return false;
    }
    encode(options, flags, request);
    *out_request = request;
    *out_size = size;
    return true;
}
