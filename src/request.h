/* The request that begins a run, in the form that guest/protocol.h says. */
#ifndef ERYX_REQUEST_H
#define ERYX_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eryx/eryx.h"

/* What the Python part of the guest knows beside enum request_flag; bits from REQUEST_COMMAND_SHIFT
 * on are the eryx_run_command. */
enum {
    REQUEST_NEEDS_ENTROPY = 2,  /* seed random anew: this guest began as a copy of another */
    REQUEST_HAS_SECRETS = 4,    /* ask for the placeholders (SECRETS_ENVIRONMENT) */
    REQUEST_SOURCE_IS_FILE = 8, /* the source says itself how it is encoded */
    REQUEST_COMMAND_SHIFT = 8,
};

/* Encodes the options. flags: more of the above. out_request: allocated with malloc(), the
 * caller's. False without memory. */
bool request_build(const eryx_run_options *options, uint32_t flags, uint8_t **out_request,
                   size_t *out_size);

#endif
