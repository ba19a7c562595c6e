/* What the guest asks about native modules (protocol/native.h). */
#ifndef ERYX_IMPORTS_ERYX_NATIVE_H
#define ERYX_IMPORTS_ERYX_NATIVE_H

#include "machine/guest_instance.h"

/* Does an operation; parameters and result as those of the import (protocol/ask.h). */
uint32_t native_guest_operation(guest_instance *instance, uint32_t operation, uint32_t number,
                                uint32_t data, uint32_t size, uint32_t out, uint32_t room);

#endif
