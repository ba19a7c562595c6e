/* What the guest's Python asks about secrets (protocol/secrets.h). */
#ifndef ERYX_IMPORTS_ERYX_SECRETS_H
#define ERYX_IMPORTS_ERYX_SECRETS_H

#include "machine/guest_instance.h"

/* Does what the guest asks (protocol/secrets.h); a negative number if it is unknown or the room is
 * too small. Parameters as those of the import (protocol/ask.h). */
uint32_t eryx_secrets_operation(guest_instance *instance, uint32_t operation, uint32_t number,
                                uint32_t data, uint32_t size, uint32_t out, uint32_t room);

#endif
