/* TLS as the guest sees it (module "eryx:host", see guest/protocol.h). */
#include "guest_imports.h"
#include "guest_memory.h"
#include "run.h"

uint32_t eryx_host_tls(guest_instance *instance, uint32_t operation, uint32_t session,
                       uint32_t data, uint32_t size, uint32_t out, uint32_t room)
{
    (void)instance, (void)operation, (void)session, (void)data, (void)size, (void)out, (void)room;
    return (uint32_t)-1;
}
