/* Threads as the guest sees them (module "eryx:host", see protocol/threads.h). */
#include "guest_imports.h"
#include "machine/guest_cost.h"
#include "sandbox/threads.h"

/* Making one may map a stack; the others look at all there are. */
#define COST_CREATE (UINT64_C(4) * COST_SYSTEM_CALL)

static void charge_look(guest_instance *instance)
{
    guest_charge(instance, 1 + threads_count(sandbox_of(instance)) / 4);
}

uint32_t eryx_host_thread_create(guest_instance *instance, uint32_t argument, uint32_t stack)
{
    guest_charge(instance, COST_CREATE);
    return threads_create(sandbox_of(instance), argument, stack);
}

uint32_t eryx_host_thread_wait(guest_instance *instance, uint32_t key, uint64_t deadline_ns)
{
    charge_look(instance);
    return threads_wait(sandbox_of(instance), key, deadline_ns);
}

uint32_t eryx_host_thread_wake(guest_instance *instance, uint32_t key, uint32_t most)
{
    charge_look(instance);
    return threads_wake(sandbox_of(instance), key, most);
}

void eryx_host_thread_give_way(guest_instance *instance, uint32_t may_wait)
{
    charge_look(instance);
    threads_give_way(sandbox_of(instance), may_wait != 0);
}

void eryx_host_thread_interrupt(guest_instance *instance, uint32_t number)
{
    threads_interrupt(sandbox_of(instance), number);
}

uint32_t eryx_host_thread_state(guest_instance *instance, uint32_t number)
{
    return threads_state(sandbox_of(instance), number);
}

void eryx_host_thread_poke(guest_instance *instance)
{
    charge_look(instance);
    threads_poke(sandbox_of(instance));
}
