/* Passwords of the guest, by OpenSSL's digests (protocol/digests.h). */
#ifndef ERYX_IMPORTS_ERYX_DIGESTS_H
#define ERYX_IMPORTS_ERYX_DIGESTS_H

#include "machine/guest_instance.h"

/* Does what the guest asks (protocol/digests.h) and gives how many bytes it wrote; a negative
 * number if something of it is not as it should be. Parameters as those of the import
 * (protocol/ask.h). */
uint32_t eryx_digests_operation(guest_instance *instance, uint32_t operation, uint32_t number,
                                uint32_t data, uint32_t size, uint32_t out, uint32_t room);

#endif
