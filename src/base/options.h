/*
 * The structs of options of the public API. Their first member, struct_size, tells which version of
 * the header the caller was compiled with: members are only added, at the end.
 */
#ifndef ERYX_BASE_OPTIONS_H
#define ERYX_BASE_OPTIONS_H

#include <stddef.h>

#include "eryx/eryx.h"

/*
 * Sets a struct of the caller to the defaults.
 *
 * options: size bytes, of an older or newer version than ours; what we do not know of it is zeroed.
 * defaults: own_size bytes.
 */
void options_init(void *options, size_t size, const void *defaults, size_t own_size);

/*
 * Takes over a struct of the caller. An older, smaller one leaves the rest as it is.
 *
 * type: its name, for the message. own: own_size bytes, with the defaults in it.
 * INVALID_ARGUMENT, own as it was, if it was not initialized or is of a later version.
 */
eryx_status options_take(const char *type, const void *options, void *own, size_t own_size,
                         eryx_error *out_error);

#endif
