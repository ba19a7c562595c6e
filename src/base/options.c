#include "base/options.h"

#include <string.h>

#include "base/status.h"

void options_init(void *options, size_t size, const void *defaults, size_t own_size)
{
    size_t known = size < own_size ? size : own_size;
    memset(options, 0, size);
    memcpy(options, defaults, known);
    if (size >= sizeof size) {
        memcpy(options, &size, sizeof size);
    }
}

eryx_status options_take(const char *type, const void *options, void *own, size_t own_size,
                         eryx_error *out_error)
{
    size_t size;
    memcpy(&size, options, sizeof size);
    if (size <= sizeof size || size % sizeof(void *) != 0) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error, "%s must be made with %s_init()", type,
                           type);
    }
    if (size > own_size) {
        return status_fail(ERYX_INVALID_ARGUMENT, out_error,
                           "%s has %zu bytes, in this version of the library, %s, it has %zu: the "
                           "program was built for a later one",
                           type, size, eryx_version(), own_size);
    }
    memcpy(own, options, size);
    memcpy(own, &own_size, sizeof own_size);
    return ERYX_OK;
}
