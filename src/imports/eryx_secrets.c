/* Secrets as the guest sees them. */
#include "imports/eryx_secrets.h"

#include <string.h>

#include "machine/guest_memory.h"
#include "sandbox/sandbox.h"
#include "secrets/secrets.h"

uint32_t eryx_secrets_operation(guest_instance *instance, uint32_t operation, uint32_t number,
                                uint32_t data, uint32_t size, uint32_t out, uint32_t room)
{
    (void)number, (void)data, (void)size;
    const secrets *state = sandbox_of(instance)->secrets;
    if (operation != SECRETS_ENVIRONMENT) {
        return (uint32_t)-1;
    }
    uint32_t total = 0;
    for (size_t i = 0; state != NULL && i < state->store->count; i++) {
        uint32_t name_size = (uint32_t)strlen(state->store->entries[i].name) + 1;
        if (room > 0) {
            if (room - total < name_size + PLACEHOLDER_SIZE + 1) {
                return (uint32_t)-1;
            }
            guest_ptr next = guest_offset(guest_at(out), total);
            guest_write(instance, next, state->store->entries[i].name, name_size);
            guest_write(instance, guest_offset(next, name_size), state->placeholders.texts[i],
                        PLACEHOLDER_SIZE + 1);
        }
        total += name_size + (uint32_t)PLACEHOLDER_SIZE + 1;
    }
    return total;
}
