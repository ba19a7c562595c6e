#include "imports/eryx_network.h"

#include <errno.h>
#include <string.h>

#include "machine/guest_memory.h"
#include "net/lookup.h"
#include "sandbox/run.h"

/* Addresses of one lookup that are told. */
#define MAX_TOLD 64

static uint32_t give_text(guest_instance *instance, const char *text, uint32_t out, uint32_t room)
{
    size_t size = strlen(text);
    uint32_t given = size < room ? (uint32_t)size : room;
    return guest_write(instance, guest_at(out), text, given) ? given : (uint32_t)NETWORK_UNKNOWN;
}

static const char *errno_name(int error)
{
    switch (error) {
    case 0:
        return "";
    case EACCES:
    case EPERM:
        return "EACCES";
    case EMFILE:
    case ENFILE:
        return "EMFILE";
    case ENOMEM:
    case ENOBUFS:
        return "ENOMEM";
    case ETIMEDOUT:
        return "ETIMEDOUT";
    case EPIPE:
        return "EPIPE";
    case ECONNRESET:
        return "ECONNRESET";
    case ECONNREFUSED:
        return "ECONNREFUSED";
    case EHOSTUNREACH:
    case EHOSTDOWN:
        return "EHOSTUNREACH";
    case ENETUNREACH:
    case ENETDOWN:
        return "ENETUNREACH";
    case EADDRNOTAVAIL:
        return "EADDRNOTAVAIL";
    default:
        return "ECONNABORTED";
    }
}

static enum network_failure failure_of(net_lookup_status status)
{
    switch (status) {
    case NET_LOOKUP_PENDING:
        return NETWORK_PENDING;
    case NET_LOOKUP_REFUSED:
    case NET_LOOKUP_TOO_MANY:
        return NETWORK_REFUSED;
    case NET_LOOKUP_NOT_FOUND:
        return NETWORK_NOT_FOUND;
    case NET_LOOKUP_TEMPORARY:
        return NETWORK_TEMPORARY;
    case NET_LOOKUP_NO_MEMORY:
        return NETWORK_NO_MEMORY;
    case NET_LOOKUP_DONE:
    case NET_LOOKUP_FAILED:
        break;
    }
    return NETWORK_FAILED;
}

/* A lookup that the guest watches is a handle like others, so that the limit of these and their end
 * hold for it. */
static uint32_t begin_lookup(guest_instance *instance, uint32_t data, uint32_t size)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    uint8_t *name;
    net_lookup *lookup;
    uint32_t index;
    if (sandbox->net == NULL) {
        return (uint32_t)NETWORK_REFUSED;
    }
    if (!guest_slice(instance, guest_at(data), size, &name)) {
        guest_ask_trap(instance, WASM_RT_TRAP_OOB);
        return (uint32_t)NETWORK_UNKNOWN;
    }
    net_lookup_status status = net_lookup_start(sandbox->net, name, size, &lookup);
    if (status != NET_LOOKUP_DONE && status != NET_LOOKUP_PENDING) {
        return (uint32_t)failure_of(status);
    }
    if (!handles_add(&sandbox->handles, HANDLE_LOOKUP, lookup, 1, &index)) {
        net_lookup_release(lookup);
        return (uint32_t)NETWORK_NO_MEMORY;
    }
    return index;
}

/* The handle of such a lookup; NULL if there is none. */
static handle *find_lookup(eryx_sandbox *sandbox, uint32_t session)
{
    handle *found = handles_get(&sandbox->handles, session, HANDLE_LOOKUP);
    return found != NULL && found->value == 1 ? found : NULL;
}

static uint32_t give_lookup(guest_instance *instance, uint32_t session, uint32_t out, uint32_t room)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    char text[MAX_TOLD * NET_ADDRESS_TEXT_SIZE];
    size_t length = 0;
    const handle *found = find_lookup(sandbox, session);
    if (found == NULL) {
        return (uint32_t)NETWORK_UNKNOWN;
    }
    net_lookup *lookup = found->object;
    net_lookup_status status =
        lookup != NULL ? net_lookup_get_status(lookup) : NET_LOOKUP_TEMPORARY;
    if (status == NET_LOOKUP_PENDING) {
        return (uint32_t)NETWORK_PENDING;
    }
    net_address address;
    for (int i = 0; status == NET_LOOKUP_DONE && i < MAX_TOLD && net_lookup_next(lookup, &address);
         i++) {
        if (length > 0) {
            text[length++] = ' ';
        }
        net_address_text(&address, text + length);
        length += strlen(text + length);
    }
    text[length] = 0;
    handles_remove(&sandbox->handles, session);
    return status == NET_LOOKUP_DONE ? give_text(instance, text, out, room)
                                     : (uint32_t)failure_of(status);
}

bool net_guest_has_news(eryx_sandbox *sandbox, uint64_t *io_wake_ns)
{
    const handle_table *handles = &sandbox->handles;
    for (uint32_t i = 0; handles->sockets > 0 && i < handles->used; i++) {
        const handle *found = &handles->dynamic[i];
        if (found->kind == HANDLE_LOOKUP && found->value == 1) {
            net_lookup *lookup = found->object;
            if (lookup == NULL || net_lookup_get_status(lookup) != NET_LOOKUP_PENDING) {
                return true;
            }
            uint64_t deadline_ns = net_lookup_deadline_ns(lookup);
            *io_wake_ns = deadline_ns < *io_wake_ns ? deadline_ns : *io_wake_ns;
        }
    }
    return false;
}

uint32_t net_guest_operation(guest_instance *instance, uint32_t operation, uint32_t session,
                             uint32_t data, uint32_t size, uint32_t out, uint32_t room)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    switch (operation) {
    case NETWORK_LAST_REFUSAL:
        return give_text(instance, net_last_refusal(sandbox->net), out, room);
    case NETWORK_LAST_ERROR:
        return give_text(instance, errno_name(net_last_errno(sandbox->net)), out, room);
    case NETWORK_LOOKUP:
        return begin_lookup(instance, data, size);
    case NETWORK_LOOKUP_RESULT:
        return give_lookup(instance, session, out, room);
    case NETWORK_LOOKUP_FORGET:
        if (find_lookup(sandbox, session) != NULL) {
            handles_remove(&sandbox->handles, session);
            return 0;
        }
        return (uint32_t)NETWORK_UNKNOWN;
    default:
        return (uint32_t)NETWORK_UNKNOWN;
    }
}
