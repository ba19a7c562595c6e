#include "fake_guest.h"

#include <poll.h>

#include "base/clock.h"
#include "sandbox/handle_drop.h"
#include "sandbox/determinism.h"
#include "sandbox/run.h"
#include "sandbox/threads.h"
#include "test.h"

uint64_t fake_clock_ns = 1000000000;

static fake_guest *fake_of(guest_instance *instance)
{
    return (fake_guest *)instance;
}

fake_guest *fake_guest_create(uint32_t memory_bytes, uint32_t handle_limit)
{
    fake_guest *guest = calloc(1, sizeof *guest);
    ASSERT_NOT_NULL(guest);
    wasm_rt_memory_t *memory = &guest->sandbox.instance.memory;
    memory->data = malloc(memory_bytes);
    ASSERT_NOT_NULL(memory->data);
    memset(memory->data, 0xa5, memory_bytes);
    memory->size = memory_bytes;
    guest->heap_next = FAKE_GUEST_HEAP;
    guest->patience_ms = 50;
    handles_init(&guest->sandbox.handles, handle_limit, handle_drop_object);
    standard_input_init(&guest->sandbox.input);
    return guest;
}

void fake_guest_destroy(fake_guest *guest)
{
    handles_clear(&guest->sandbox.handles);
    net_destroy(guest->sandbox.net);
    standard_input_end(&guest->sandbox.input, true);
    standard_input_destroy(&guest->sandbox.input);
    free(guest->sandbox.instance.memory.data);
    for (size_t stream = 0; stream < 3; stream++) {
        free(guest->output[stream]);
    }
    free(guest);
}

void fake_guest_give_input(fake_guest *guest, const uint8_t *bytes, size_t size)
{
    eryx_run_options options;
    eryx_run_options_init(&options);
    options.standard_input = bytes;
    options.standard_input_size = size;
    ASSERT_EQ(standard_input_begin(&guest->sandbox.input, &options, NULL), ERYX_OK);
}

guest_instance *fake_guest_instance(fake_guest *guest)
{
    return &guest->sandbox.instance;
}

uint32_t fake_guest_take_trap(fake_guest *guest)
{
    uint32_t trap = guest->sandbox.instance.pending_trap;
    guest->sandbox.instance.pending_trap = WASM_RT_TRAP_NONE;
    return trap;
}

uint8_t *fake_guest_bytes(fake_guest *guest, uint32_t offset, uint32_t size)
{
    uint8_t *bytes;
    ASSERT(guest_slice(&guest->sandbox.instance, guest_at(offset), size, &bytes));
    return bytes;
}

uint8_t fake_guest_u8(fake_guest *guest, uint32_t offset)
{
    return *fake_guest_bytes(guest, offset, 1);
}

uint32_t fake_guest_u32(fake_guest *guest, uint32_t offset)
{
    uint32_t value;
    memcpy(&value, fake_guest_bytes(guest, offset, sizeof value), sizeof value);
    return value;
}

uint64_t fake_guest_u64(fake_guest *guest, uint32_t offset)
{
    uint64_t value;
    memcpy(&value, fake_guest_bytes(guest, offset, sizeof value), sizeof value);
    return value;
}

/* ---- What the host functions call ------------------------------------------------------------ */

guest_ptr guest_try_allocate(guest_instance *instance, uint32_t size)
{
    fake_guest *guest = fake_of(instance);
    if (guest->on_allocate != NULL) {
        guest->on_allocate(guest);
    }
    uint64_t start = (guest->heap_next + UINT64_C(15)) & ~UINT64_C(15);
    if (guest->refuse_allocation || start + size > instance->memory.size) {
        return guest_at(0);
    }
    guest->heap_next = (uint32_t)(start + size);
    guest->allocations++;
    return guest_at((uint32_t)start);
}

guest_ptr guest_allocate(guest_instance *instance, uint32_t size)
{
    guest_ptr block = guest_try_allocate(instance, size);
    if (block.offset == 0) {
        guest_ask_trap(instance, WASM_RT_TRAP_UNREACHABLE);
    }
    return block;
}

uint64_t clock_now_ns(void)
{
    return fake_clock_ns;
}

/* Waits for real, but no longer than real servers on this machine take; then the clock jumps. */
static void wait_for_network(eryx_sandbox *sandbox, uint64_t wake_ns, int patience_ms)
{
    struct pollfd look = {.fd = net_before_wait(sandbox->net, &wake_ns), .events = POLLIN};
    if (poll(&look, 1, look.fd >= 0 ? patience_ms : 0) != 1 && wake_ns != UINT64_MAX &&
        wake_ns > fake_clock_ns) {
        fake_clock_ns = wake_ns;
    }
    net_after_wait(sandbox->net);
}

bool run_wait(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns)
{
    uint64_t wake_ns = guest_ns < host_ns ? guest_ns : host_ns;
    fake_guest *guest = (fake_guest *)sandbox;
    guest->waits++;
    guest->waited_for_ns = wake_ns;
    if (guest->interrupt_after != 0 && guest->waits >= guest->interrupt_after) {
        return false;
    }
    if (sandbox->net != NULL) {
        wait_for_network(sandbox, wake_ns, guest->patience_ms);
        return true;
    }
    if (guest->early_wakes > 0) {
        guest->early_wakes--;
        fake_clock_ns++;
    } else if (wake_ns > fake_clock_ns) {
        fake_clock_ns = wake_ns;
    }
    return true;
}

bool run_goes_on(eryx_sandbox *sandbox)
{
    fake_guest *guest = (fake_guest *)sandbox;
    return guest->interrupt_after == 0 || guest->waits < guest->interrupt_after;
}

void run_yield(eryx_sandbox *sandbox, eryx_event event)
{
    fake_guest *guest = (fake_guest *)sandbox;
    guest->yields++;
    sandbox->run.event = event;
    if (guest->on_yield != NULL) {
        guest->on_yield(guest, &event);
    }
}

void run_wait_event(eryx_sandbox *sandbox, uint64_t guest_ns, uint64_t host_ns)
{
    run_wait(sandbox, guest_ns, host_ns);
}

/* There is one thread. */

uint32_t threads_create(eryx_sandbox *sandbox, uint32_t argument, uint32_t stack_pointer)
{
    (void)sandbox;
    (void)argument;
    (void)stack_pointer;
    return 0;
}

uint32_t threads_wait(eryx_sandbox *sandbox, uint32_t key, uint64_t deadline_ns)
{
    (void)key;
    return run_wait(sandbox, deadline_ns, UINT64_MAX) ? THREAD_TIMED_OUT : THREAD_INTERRUPTED;
}

uint32_t threads_wake(eryx_sandbox *sandbox, uint32_t key, uint32_t most)
{
    (void)sandbox;
    (void)key;
    (void)most;
    return 0;
}

void threads_give_way(eryx_sandbox *sandbox, bool may_wait)
{
    (void)sandbox;
    (void)may_wait;
}

void threads_interrupt(eryx_sandbox *sandbox, uint32_t number)
{
    (void)sandbox;
    (void)number;
}

uint32_t threads_state(const eryx_sandbox *sandbox, uint32_t number)
{
    (void)sandbox;
    (void)number;
    return THREAD_GONE;
}

void threads_poke(eryx_sandbox *sandbox)
{
    (void)sandbox;
}

uint32_t threads_count(const eryx_sandbox *sandbox)
{
    (void)sandbox;
    return 0;
}

void threads_turn(eryx_sandbox *sandbox, uint64_t now_ns)
{
    (void)sandbox;
    (void)now_ns;
}

void threads_tell_stop(eryx_sandbox *sandbox)
{
    (void)sandbox;
}

uint64_t threads_interval_ns(eryx_sandbox *sandbox)
{
    (void)sandbox;
    return UINT64_MAX;
}

void threads_watch(eryx_sandbox *sandbox)
{
    sandbox->run.watch_answers = true;
}

bool threads_watches(const eryx_sandbox *sandbox)
{
    return sandbox->run.watch_answers;
}

bool threads_poked(const eryx_sandbox *sandbox)
{
    (void)sandbox;
    return false;
}

void threads_unwatch(eryx_sandbox *sandbox)
{
    sandbox->run.watch_answers = false;
}

void run_pause(eryx_sandbox *sandbox)
{
    (void)sandbox;
}

void run_output(eryx_sandbox *sandbox, int stream, const uint8_t *data, size_t size)
{
    fake_guest *guest = (fake_guest *)sandbox;
    ASSERT(stream == 1 || stream == 2);
    size_t before = guest->output_size[stream];
    guest->output[stream] = realloc(guest->output[stream], before + size + 1);
    ASSERT_NOT_NULL(guest->output[stream]);
    memcpy(guest->output[stream] + before, data, size);
    guest->output_size[stream] = before + size;
}

void run_exit(eryx_sandbox *sandbox, int32_t exit_code)
{
    fake_guest *guest = (fake_guest *)sandbox;
    guest->exited = true;
    guest->exit_code = exit_code;
    guest_ask_trap(&sandbox->instance, GUEST_TRAP_EXIT);
}

/* No fake guest has a clock of its own. */

uint64_t determinism_now_ns(const eryx_sandbox *sandbox)
{
    (void)sandbox;
    abort();
}

uint64_t determinism_wall_ns(const eryx_sandbox *sandbox)
{
    (void)sandbox;
    abort();
}

uint64_t determinism_processor_ns(const eryx_sandbox *sandbox)
{
    (void)sandbox;
    abort();
}

void determinism_fill(determinism *state, uint8_t *bytes, size_t size)
{
    (void)state;
    (void)bytes;
    (void)size;
    abort();
}

bool determinism_is_impatient(eryx_sandbox *sandbox)
{
    (void)sandbox;
    return false;
}

size_t determinism_answers(const eryx_sandbox *sandbox)
{
    (void)sandbox;
    abort();
}
