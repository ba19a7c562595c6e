/* The request that begins a run, in the form that protocol/run.h says. */
#ifndef ERYX_SANDBOX_REQUEST_H
#define ERYX_SANDBOX_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eryx/eryx.h"
#include "protocol/run.h"

/* Encodes the options. flags: of request_flag, besides those that the options say. out_request:
 * allocated with malloc(), the caller's. False without memory. */
bool request_build(const eryx_run_options *options, uint32_t flags, uint8_t **out_request,
                   size_t *out_size);

#endif
