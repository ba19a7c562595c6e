/*
 * wasi:io/poll: what a guest waits for. Timers are compared with the clock, connections are asked
 * with one poll() for all of them, and while there is nothing the host waits on the descriptor of
 * the network (net_before_wait()).
 */
#include <poll.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/uninitialized.h"
#include "guest_imports.h"
#include "imports/abi.h"
#include "imports/eryx_network.h"
#include "imports/wasi_io.h"
#include "imports/wasi_streams.h"
#include "machine/guest_cost.h"
#include "machine/guest_memory.h"
#include "net/lookup.h"
#include "sandbox/callbacks.h"
#include "sandbox/determinism.h"
#include "sandbox/run.h"
#include "sandbox/threads.h"

/* Something outside is waited for that tells when it is ready. */
#define AT_ANY_TIME_NS (UINT64_MAX - 1)

/* Entries of one poll. */
#define MAX_POLL_HANDLES 4096u

/* What one poll waits for. */
typedef struct waiting {
    uint32_t *list; /* handles */
    uint32_t count;
    uint64_t ceiling_ns; /* when connections have been waited for too long */
    bool has_connected;  /* there are some */
    uint64_t wake_ns;    /* when the first lookup is over */
    uint64_t timer_ns;   /* when the first timer is, by the guest's clock */
    uint32_t ready;
    bool is_ready[MAX_POLL_HANDLES];
} waiting;

/* Those entries that only the system can tell about. */
typedef struct questions {
    struct pollfd fds[MAX_POLL_HANDLES];
    uint16_t entry[MAX_POLL_HANDLES];
    uint32_t count;
} questions;

bool wasi_is_pollable(const handle *found)
{
    return found != NULL &&
           (found->kind == HANDLE_POLLABLE_READY || found->kind == HANDLE_POLLABLE_INPUT ||
            found->kind == HANDLE_POLLABLE_TIMER || found->kind == HANDLE_POLLABLE_TCP ||
            found->kind == HANDLE_POLLABLE_LOOKUP);
}

uint32_t wasi_subscribe_connection(guest_instance *instance, net_connection *connection,
                                   net_poll_kind kind)
{
    uint32_t index = 0;
    if (connection != NULL) {
        net_connection_retain(connection);
    }
    if (!handles_add(handles_of(instance), HANDLE_POLLABLE_TCP, connection, (uint64_t)kind,
                     &index)) {
        net_connection_release(connection);
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
    }
    return index;
}

void wasi_io_poll_drop_pollable(guest_instance *instance, uint32_t self)
{
    if (!wasi_is_pollable(handles_find(handles_of(instance), self))) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    handles_remove(handles_of(instance), self);
}

static void lower(uint64_t *io_ns, uint64_t ns)
{
    *io_ns = ns < *io_ns ? ns : *io_ns;
}

static void mark_ready(waiting *poll, uint32_t entry)
{
    poll->ready += poll->is_ready[entry] ? 0 : 1;
    poll->is_ready[entry] = true;
}

/* An entry that is a connection. */
static void look_at_connection(waiting *poll, questions *asked, uint32_t entry, const handle *found)
{
    net_connection *connection = found->object;
    short events = 0;
    if (connection == NULL ||
        net_connection_ready(connection, (net_poll_kind)found->value, &events)) {
        mark_ready(poll, entry);
        return;
    }
    if (events != 0) {
        asked->fds[asked->count] = (struct pollfd){.fd = connection->fd, .events = events};
        asked->entry[asked->count++] = (uint16_t)entry;
    }
    if (connection->state == NET_CONNECTED) {
        poll->has_connected = true;
        lower(&poll->wake_ns, poll->ceiling_ns);
    }
}

/* Asks the system about connections. Those that are not ready will wake the host. */
static void ask_system(guest_instance *instance, waiting *poll_state, questions *asked)
{
    int found = asked->count > 0 ? poll(asked->fds, asked->count, 0) : 0;
    for (uint32_t i = 0; i < asked->count; i++) {
        uint32_t entry = asked->entry[i];
        if (found > 0 && asked->fds[i].revents != 0) {
            mark_ready(poll_state, entry);
        } else {
            const handle *waits = handles_find(handles_of(instance), poll_state->list[entry]);
            net_connection *connection = waits->object;
            connection->wanted |= asked->fds[i].events == POLLIN ? EPOLLIN : EPOLLOUT;
        }
    }
}

/* Connections that were waited for too long: their next transfer fails. */
static void time_out(guest_instance *instance, waiting *poll)
{
    for (uint32_t i = 0; i < poll->count; i++) {
        const handle *found = handles_find(handles_of(instance), poll->list[i]);
        net_connection *connection = found->object;
        if (found->kind == HANDLE_POLLABLE_TCP && connection != NULL &&
            connection->state == NET_CONNECTED) {
            net_connection_time_out(connection);
            mark_ready(poll, i);
        }
    }
}

/*
 * Finds out which entries are ready, and else when one of them will be. False if one is no
 * pollable.
 */
static bool look(guest_instance *instance, waiting *poll)
{
    UNINITIALIZED questions asked;
    asked.count = 0;
    poll->ready = 0;
    poll->has_connected = false;
    poll->wake_ns = UINT64_MAX;
    poll->timer_ns = UINT64_MAX;
    uint64_t now = 0;
    for (uint32_t i = 0; i < poll->count; i++) {
        const handle *found = handles_find(handles_of(instance), poll->list[i]);
        poll->is_ready[i] = false;
        if (!wasi_is_pollable(found)) {
            return false;
        }
        if (found->kind == HANDLE_POLLABLE_READY) {
            mark_ready(poll, i);
        } else if (found->kind == HANDLE_POLLABLE_INPUT) {
            if (standard_input_is_ready(&sandbox_of(instance)->input)) {
                mark_ready(poll, i);
            } else {
                lower(&poll->wake_ns, AT_ANY_TIME_NS);
            }
        } else if (found->kind == HANDLE_POLLABLE_TCP) {
            look_at_connection(poll, &asked, i, found);
        } else if (found->kind == HANDLE_POLLABLE_LOOKUP) {
            net_lookup *lookup = found->object;
            if (lookup == NULL || net_lookup_get_status(lookup) != NET_LOOKUP_PENDING) {
                mark_ready(poll, i);
            } else {
                lower(&poll->wake_ns, net_lookup_deadline_ns(lookup));
            }
        } else {
            now = now != 0 ? now : sandbox_now_ns(sandbox_of(instance));
            if (found->value <= now) {
                mark_ready(poll, i);
            } else {
                lower(&poll->timer_ns, found->value);
            }
        }
    }
    if (asked.count > 0) {
        lower(&poll->wake_ns, AT_ANY_TIME_NS);
    }
    ask_system(instance, poll, &asked);
    if (poll->ready == 0 && poll->has_connected && clock_now_ns() >= poll->ceiling_ns) {
        time_out(instance, poll);
    }
    return true;
}

/* Whether the poll is to end because an answer of a callback or of a lookup can be taken. */
static bool has_answer(eryx_sandbox *sandbox, uint64_t *io_wake_ns)
{
    if (!threads_watches(sandbox)) {
        return false;
    }
    if (threads_poked(sandbox)) {
        return true;
    }
    callbacks_expire(sandbox);
    lower(io_wake_ns, callbacks_next_deadline(&sandbox->callbacks));
    return sandbox_answers(sandbox) > 0 || net_guest_has_news(sandbox, io_wake_ns);
}

/* Waits until an entry is ready or the wait is given up. False if an entry is not a pollable. */
static bool wait_for(guest_instance *instance, waiting *poll)
{
    eryx_sandbox *sandbox = sandbox_of(instance);
    poll->ceiling_ns = sandbox->net != NULL ? net_io_ceiling_ns(sandbox->net) : UINT64_MAX;
    do {
        if (!look(instance, poll)) {
            guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
            return false;
        }
    } while (poll->ready == 0 && !has_answer(sandbox, &poll->wake_ns) &&
             run_wait(sandbox, poll->timer_ns, poll->wake_ns));
    return true;
}

void wasi_io_poll_pollable_block(guest_instance *instance, uint32_t self)
{
    UNINITIALIZED waiting poll;
    poll.list = &self;
    poll.count = 1;
    wait_for(instance, &poll);
}

/*
 * If the wait is given up because the run is being interrupted, the list that comes back is empty:
 * libc takes it for a poll in which nothing happened, and the interpreter then sees the
 * interruption.
 */
void wasi_io_poll_poll(guest_instance *instance, uint32_t list, uint32_t count, uint32_t result)
{
    UNINITIALIZED uint32_t entries[MAX_POLL_HANDLES];
    UNINITIALIZED waiting poll;
    if (count == 0 || count > MAX_POLL_HANDLES) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
        return;
    }
    if (!guest_read(instance, guest_at(list), entries, count * sizeof entries[0])) {
        return;
    }
    guest_charge(instance, count);
    poll.list = entries;
    poll.count = count;
    if (!wait_for(instance, &poll)) {
        return;
    }
    threads_unwatch(sandbox_of(instance));
    uint32_t ready = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (poll.is_ready[i]) {
            entries[ready++] = i; /* ready <= i: the entry is not needed any more */
        }
    }
    guest_ptr indices = guest_at(0);
    if (ready > 0) {
        uint32_t size = ready * (uint32_t)sizeof entries[0];
        indices = guest_allocate(instance, size);
        if (!guest_write(instance, indices, entries, size)) {
            return;
        }
    }
    guest_store_u32(instance, guest_at(result), indices.offset);
    guest_store_u32(instance, guest_offset(guest_at(result), 4), ready);
}
