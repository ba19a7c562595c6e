#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

const char *eryx_status_name(eryx_status status)
{
    switch (status) {
#define STATUS_NAME(name, number, text, exception)                                                 \
    case ERYX_##name:                                                                              \
        return #name;
        ERYX_STATUS_MAP(STATUS_NAME)
#undef STATUS_NAME
    default:
        return "UNKNOWN";
    }
}

const char *eryx_status_text(eryx_status status)
{
    switch (status) {
#define STATUS_TEXT(name, number, text, exception)                                                 \
    case ERYX_##name:                                                                              \
        return text;
        ERYX_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    default:
        return "unknown status";
    }
}

const char *eryx_file_error_name(eryx_file_error error)
{
    switch (error) {
#define FILE_ERROR_NAME(name, number, text, number_of_error)                                       \
    case ERYX_FILE_##name:                                                                         \
        return #name;
        ERYX_FILE_ERROR_MAP(FILE_ERROR_NAME)
#undef FILE_ERROR_NAME
    default:
        return "UNKNOWN";
    }
}

const char *eryx_file_error_text(eryx_file_error error)
{
    switch (error) {
#define FILE_ERROR_TEXT(name, number, text, number_of_error)                                       \
    case ERYX_FILE_##name:                                                                         \
        return text;
        ERYX_FILE_ERROR_MAP(FILE_ERROR_TEXT)
#undef FILE_ERROR_TEXT
    default:
        return "unknown file error";
    }
}

const char *eryx_version(void)
{
    return ERYX_VERSION;
}

eryx_status status_fail(eryx_status status, eryx_error *out_error, const char *format, ...)
{
    if (out_error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(out_error->message, sizeof out_error->message, format, arguments);
        va_end(arguments);
    }
    return status;
}
