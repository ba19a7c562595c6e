/*
 * A hostile guest: calls of all WASI imports in any order with any arguments, over guest memory
 * that it writes at will, also from within its allocator. Nothing may happen but traps and answers,
 * and the limits hold whatever it does.
 */
#include "fuzz.h"

#include "fake_guest.h"
#include "guest_imports.h"
#include "test.h"
#include "vfs/vfs.h"

enum {
    MEMORY = 192 * 1024,
    PATHS = 8192, /* where the paths are that a guest would use */
    HANDLE_LIMIT = 24,
    MAX_VFS_BYTES = 256 * 1024,
    MAX_VFS_ENTRIES = 40,
    MAX_CALLS = 300,
};

static const char *const paths[] = {
    "data",
    "data/a",
    "data/b",
    "data/a/b",
    "data/link",
    "tmp",
    "tmp/a",
    "tmp/d/",
    "tmp/d/e/../f",
    "python-stdlib",
    ".",
    "..",
    "",
    "/",
    "/data/a",
    "data/../data/a",
    "dev/zero",
    "dev/null",
    "dev/urandom",
    "data/a/",
    "data//a",
    "../data",
    "data/../..",
    "site-packages/x",
    "data/\xff",
    "data/\xc3\xa9",
    "dev/random",
};

/* Of the input that is being run; read by allocate_hostile(). */
static fuzz_input input;

/* ---- Arguments ------------------------------------------------------------------------------- */

static uint32_t any_offset(void)
{
    switch (fuzz_below(&input, 8)) {
    case 0:
        return MEMORY - fuzz_below(&input, 128);
    case 1:
        return (uint32_t)fuzz_number(&input, 4);
    case 2:
        return UINT32_MAX - fuzz_below(&input, 128);
    case 3:
        return fuzz_below(&input, PATHS);
    default:
        return GUEST_LOWEST_ADDRESS + fuzz_below(&input, PATHS - GUEST_LOWEST_ADDRESS);
    }
}

static uint32_t any_handle(void)
{
    switch (fuzz_below(&input, 8)) {
    case 0:
        return fuzz_below(&input, HANDLE_FIRST_DYNAMIC);
    case 1:
        return (uint32_t)fuzz_number(&input, 4);
    case 2:
        return HANDLE_ROOT;
    default:
        return HANDLE_FIRST_DYNAMIC + fuzz_below(&input, HANDLE_LIMIT + HANDLE_RESERVE + 2);
    }
}

static uint32_t any_size(void)
{
    switch (fuzz_below(&input, 6)) {
    case 0:
        return (uint32_t)fuzz_number(&input, 4);
    case 1:
        return fuzz_below(&input, MEMORY);
    default:
        return fuzz_below(&input, 64);
    }
}

static uint64_t any_u64(void)
{
    switch (fuzz_below(&input, 6)) {
    case 0:
        return fuzz_number(&input, 8);
    case 1:
        return UINT64_MAX - fuzz_below(&input, 70000);
    case 2:
        return fuzz_below(&input, 1 << 20);
    default:
        return fuzz_below(&input, 5000);
    }
}

/*
 * Draws one argument for each letter: h handle, r place of a result, p path (two arguments: place
 * and size), l list (the same, arbitrary), n size, w small number, L 64-bit number.
 */
static void draw(const char *letters, uint64_t *arguments)
{
    for (; *letters != 0; letters++) {
        switch (*letters) {
        case 'h':
            *arguments++ = any_handle();
            break;
        case 'r':
            *arguments++ = any_offset();
            break;
        case 'p':
            if (fuzz_below(&input, 8) != 0) {
                uint32_t path = fuzz_below(&input, sizeof paths / sizeof paths[0]);
                *arguments++ = PATHS + path * 32;
                *arguments++ = strlen(paths[path]);
                break;
            }
            __attribute__((fallthrough));
        case 'l':
            *arguments++ = any_offset();
            *arguments++ = any_size();
            break;
        case 'n':
            *arguments++ = any_size();
            break;
        case 'w':
            *arguments++ = fuzz_number(&input, 1) % 32;
            break;
        case 'L':
            *arguments++ = any_u64();
            break;
        }
    }
}

/* ---- Calls ----------------------------------------------------------------------------------- */

#define W(i) ((uint32_t)a[i])
#define CALL(letters, call)                                                                        \
    {                                                                                              \
        draw(letters, a);                                                                          \
        call;                                                                                      \
        break;                                                                                     \
    }

static void call_io(guest_instance *g, uint32_t which)
{
    uint64_t a[16] = {0};
    switch (which) {
    case 0:
        CALL("h", wasi_io_error_drop_error(g, W(0)))
    case 1:
        CALL("h", wasi_io_poll_drop_pollable(g, W(0)))
    case 2:
        CALL("h", wasi_io_streams_drop_input_stream(g, W(0)))
    case 3:
        CALL("h", wasi_io_streams_drop_output_stream(g, W(0)))
    case 4:
        CALL("h", wasi_io_poll_pollable_block(g, W(0)))
    case 5:
        CALL("rwr", wasi_io_poll_poll(g, W(0), W(1), W(2)))
    case 6:
        CALL("lr", wasi_io_poll_poll(g, W(0), W(1), W(2)))
    case 7:
        CALL("hLr", wasi_io_streams_input_stream_read(g, W(0), a[1], W(2)))
    case 8:
        CALL("h", wasi_io_streams_input_stream_subscribe(g, W(0)))
    case 9:
        CALL("hr", wasi_io_streams_output_stream_check_write(g, W(0), W(1)))
    case 10:
        CALL("hlr", wasi_io_streams_output_stream_write(g, W(0), W(1), W(2), W(3)))
    case 11:
        CALL("hr", wasi_io_streams_output_stream_blocking_flush(g, W(0), W(1)))
    case 12:
        CALL("h", wasi_io_streams_output_stream_subscribe(g, W(0)))
    case 13:
        CALL("r", wasi_cli_environment_get_environment(g, W(0)))
    case 14:
        CALL("r", wasi_cli_environment_get_arguments(g, W(0)))
    case 15:
        CALL("w", wasi_cli_exit_exit(g, W(0)))
    case 16:
        CALL("r", wasi_cli_terminal_stdin_get_terminal_stdin(g, W(0)))
    case 17:
        CALL("h", wasi_cli_terminal_input_drop_terminal_input(g, W(0)))
    case 18:
        CALL("ww", eryx_host_thread_wake(g, W(0), W(1)))
    case 19:
        CALL("L", wasi_clocks_monotonic_clock_subscribe_duration(g, a[0]))
    case 20:
        CALL("r", wasi_clocks_wall_clock_now(g, W(0)))
    case 21:
        CALL("r", wasi_clocks_wall_clock_resolution(g, W(0)))
    case 22:
        CALL("Lr", wasi_random_random_get_random_bytes(g, a[0], W(1)))
    case 23:
        CALL("wr", wasi_sockets_tcp_create_socket_create_tcp_socket(g, W(0), W(1)))
    case 24:
        CALL("hlr", wasi_sockets_ip_name_lookup_resolve_addresses(g, W(0), W(1), W(2), W(3)))
    case 25:
        CALL("h", wasi_sockets_tcp_drop_tcp_socket(g, W(0)))
    default:
        break;
    }
}

static void call_filesystem(guest_instance *g, uint32_t which)
{
    uint64_t a[16] = {0};
    switch (which) {
    case 0:
        CALL("h", wasi_filesystem_types_drop_descriptor(g, W(0)))
    case 1:
        CALL("h", wasi_filesystem_types_drop_directory_entry_stream(g, W(0)))
    case 2:
        CALL("hLr", wasi_filesystem_types_descriptor_read_via_stream(g, W(0), a[1], W(2)))
    case 3:
        CALL("hLr", wasi_filesystem_types_descriptor_write_via_stream(g, W(0), a[1], W(2)))
    case 4:
        CALL("hr", wasi_filesystem_types_descriptor_append_via_stream(g, W(0), W(1)))
    case 5:
        CALL("hLLwr", wasi_filesystem_types_descriptor_advise(g, W(0), a[1], a[2], W(3), W(4)))
    case 6:
        CALL("hr", wasi_filesystem_types_descriptor_sync_data(g, W(0), W(1)))
    case 7:
        CALL("hr", wasi_filesystem_types_descriptor_get_flags(g, W(0), W(1)))
    case 8:
        CALL("hLr", wasi_filesystem_types_descriptor_set_size(g, W(0), a[1], W(2)))
    case 9:
        CALL("hwLnwLnr", wasi_filesystem_types_descriptor_set_times(g, W(0), W(1), a[2], W(3), W(4),
                                                                    a[5], W(6), W(7)))
    case 10:
        CALL("hLLr", wasi_filesystem_types_descriptor_read(g, W(0), a[1], a[2], W(3)))
    case 11:
        CALL("hlLr", wasi_filesystem_types_descriptor_write(g, W(0), W(1), W(2), a[3], W(4)))
    case 12:
        CALL("hr", wasi_filesystem_types_descriptor_read_directory(g, W(0), W(1)))
    case 13:
        CALL("hr", wasi_filesystem_types_descriptor_sync(g, W(0), W(1)))
    case 14:
        CALL("hpr", wasi_filesystem_types_descriptor_create_directory_at(g, W(0), W(1), W(2), W(3)))
    case 15:
        CALL("hr", wasi_filesystem_types_descriptor_stat(g, W(0), W(1)))
    case 16:
        CALL("hwpr", wasi_filesystem_types_descriptor_stat_at(g, W(0), W(1), W(2), W(3), W(4)))
    case 17:
        CALL("hwpwLnwLnr",
             wasi_filesystem_types_descriptor_set_times_at(g, W(0), W(1), W(2), W(3), W(4), a[5],
                                                           W(6), W(7), a[8], W(9), W(10)))
    case 18:
        CALL("hwphpr", wasi_filesystem_types_descriptor_link_at(g, W(0), W(1), W(2), W(3), W(4),
                                                                W(5), W(6), W(7)))
    case 19:
    case 20:
    case 21:
        CALL("hwpwwr",
             wasi_filesystem_types_descriptor_open_at(g, W(0), W(1), W(2), W(3), W(4), W(5), W(6)))
    case 22:
        CALL("hpr", wasi_filesystem_types_descriptor_readlink_at(g, W(0), W(1), W(2), W(3)))
    case 23:
        CALL("hpr", wasi_filesystem_types_descriptor_remove_directory_at(g, W(0), W(1), W(2), W(3)))
    case 24:
        CALL("hphpr", wasi_filesystem_types_descriptor_rename_at(g, W(0), W(1), W(2), W(3), W(4),
                                                                 W(5), W(6)))
    case 25:
        CALL("hppr",
             wasi_filesystem_types_descriptor_symlink_at(g, W(0), W(1), W(2), W(3), W(4), W(5)))
    case 26:
        CALL("hpr", wasi_filesystem_types_descriptor_unlink_file_at(g, W(0), W(1), W(2), W(3)))
    case 27:
        CALL("hr", wasi_filesystem_types_descriptor_metadata_hash(g, W(0), W(1)))
    case 28:
        CALL("hwpr",
             wasi_filesystem_types_descriptor_metadata_hash_at(g, W(0), W(1), W(2), W(3), W(4)))
    case 29:
        CALL("hr", wasi_filesystem_types_directory_entry_stream_read_directory_entry(g, W(0), W(1)))
    case 30:
        CALL("r", wasi_filesystem_preopens_get_directories(g, W(0)))
    default:
        break;
    }
}

static void call_any(fake_guest *guest)
{
    uint32_t which = fuzz_below(&input, 64);
    if (which < 26) {
        call_io(fake_guest_instance(guest), which);
    } else {
        call_filesystem(fake_guest_instance(guest), which - 26);
    }
}

/* ---- The guest ------------------------------------------------------------------------------- */

static void poke_memory(fake_guest *guest)
{
    uint32_t at = GUEST_LOWEST_ADDRESS + fuzz_below(&input, PATHS - GUEST_LOWEST_ADDRESS - 64);
    uint32_t handle_index = any_handle();
    if (fuzz_below(&input, 4) == 0) {
        at = GUEST_LOWEST_ADDRESS + fuzz_below(&input, MEMORY - GUEST_LOWEST_ADDRESS - 8);
    }
    memcpy(fake_guest_bytes(guest, at & ~3u, 4), &handle_index, 4);
}

/* Guest code that runs while the host waits for its allocation; calls imports of its own. */
static void allocate_hostile(fake_guest *guest)
{
    guest->heap_next = FAKE_GUEST_HEAP; /* what was allocated before is overwritten */
    if (fuzz_below(&input, 4) == 0) {
        void (*again)(fake_guest *) = guest->on_allocate;
        guest->on_allocate = NULL;
        call_any(guest);
        fake_guest_take_trap(guest); /* guest_leave_host() would have ended the guest */
        guest->on_allocate = again;
    }
}

static void require_limits(fake_guest *guest)
{
    vfs_usage usage = vfs_get_usage(guest->sandbox.files);
    FUZZ_REQUIRE(usage.bytes <= MAX_VFS_BYTES);
    FUZZ_REQUIRE(usage.entries <= MAX_VFS_ENTRIES);
    FUZZ_REQUIRE(guest->sandbox.handles.live <= HANDLE_LIMIT + HANDLE_RESERVE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const vfs_quota quota = {.max_bytes = MAX_VFS_BYTES, .max_entries = MAX_VFS_ENTRIES};
    static const uint8_t text[] = "some text on stdin";
    input = (fuzz_input){data, size};
    fake_guest *guest = fake_guest_create(MEMORY, HANDLE_LIMIT);
    FUZZ_REQUIRE(vfs_create(NULL, &quota, &guest->sandbox.files) == VFS_OK);
    guest->sandbox.handles.fixed[HANDLE_ROOT].object = vfs_root(guest->sandbox.files);
    fake_guest_give_input(guest, text, sizeof text - 1);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        memcpy(fake_guest_bytes(guest, PATHS + (uint32_t)i * 32, 32), paths[i], strlen(paths[i]));
    }
    guest->on_allocate = allocate_hostile;
    guest->interrupt_after = fuzz_below(&input, 16);

    for (unsigned calls = 0; calls < MAX_CALLS && input.left > 0; calls++) {
        if (fuzz_below(&input, 8) == 0) {
            poke_memory(guest);
        }
        guest->refuse_allocation = fuzz_below(&input, 32) == 1;
        call_any(guest);
        fake_guest_take_trap(guest);
        require_limits(guest);
        if (guest->output_size[1] + guest->output_size[2] > (1 << 20)) {
            break;
        }
    }
    handles_clear(&guest->sandbox.handles);
    vfs_destroy(guest->sandbox.files);
    fake_guest_destroy(guest);
    return 0;
}
