/*
 * A fake guest that has everything of which host calls cost the most: a file of 60 MiB, a directory
 * with 15,000 entries, a path through 39 links, a socket.
 */
#ifndef ERYX_TESTS_COST_RIG_H
#define ERYX_TESTS_COST_RIG_H

#include "fake_guest.h"
#include "guest_imports.h"
#include "imports/eryx_network.h"
#include "net/internal.h"
#include "test.h"
#include "vfs/vfs.h"

enum {
    MEMORY = 160 << 20,
    RESULT = 12288,
    PATH = 4096,
    OTHER_PATH = 16384,
    BYTES = 96 << 20, /* so many from here on are the arguments of large calls */
    BYTES_SIZE = 60 << 20,
    LIMIT = 1024,
    MAX_ENTRIES = 16384,
    MANY = 15000,
    LINKS = 39,
    NOTHING = 9999999,
};

static const uint64_t max_file_bytes = (uint64_t)64 << 20;

static struct {
    fake_guest *guest;
    uint32_t file;   /* of 60 MiB */
    uint32_t many;   /* a directory with MANY entries */
    uint32_t socket; /* not connected */
} rig;

static guest_instance *g;

static uint32_t put_path(uint32_t offset, const char *path)
{
    const uint32_t size = (uint32_t)strlen(path);
    memcpy(fake_guest_bytes(rig.guest, offset, size), path, size);
    return size;
}

static void fresh_heap(void)
{
    rig.guest->heap_next = FAKE_GUEST_HEAP;
    rig.guest->output_size[1] = rig.guest->output_size[2] = 0;
    fake_guest_take_trap(rig.guest);
}

/* The last call was granted. */
#define expect_ok()                                                                                \
    do {                                                                                           \
        ASSERT_EQ(fake_guest_take_trap(rig.guest), WASM_RT_TRAP_NONE);                             \
        ASSERT_EQ(fake_guest_u8(rig.guest, RESULT), 0);                                            \
    } while (0)

static uint32_t open_path(const char *path, uint32_t flags)
{
    const uint32_t size = put_path(PATH, path);
    const uint32_t access = flags == 1 ? 3 : 1;
    wasi_filesystem_types_descriptor_open_at(g, HANDLE_ROOT, 1, PATH, size, flags, access, RESULT);
    expect_ok();
    return fake_guest_u32(rig.guest, RESULT + 4);
}

static void make_link(const char *target, const char *path)
{
    const uint32_t target_size = put_path(OTHER_PATH, target);
    const uint32_t size = put_path(PATH, path);
    wasi_filesystem_types_descriptor_symlink_at(g, HANDLE_ROOT, OTHER_PATH, target_size, PATH, size,
                                                RESULT);
    expect_ok();
}

static void make_directory(const char *path)
{
    const uint32_t size = put_path(PATH, path);
    wasi_filesystem_types_descriptor_create_directory_at(g, HANDLE_ROOT, PATH, size, RESULT);
    expect_ok();
}

/* The path that takes the longest to walk: to the last of 39 links, each of which is as long as a
 * path may be and goes to and fro before it leads to the one before. */
static const char bomb[] = "tmp/l38/x";

static void make_bomb(void)
{
    make_directory("tmp/a");
    make_link("a", "tmp/l0");
    for (int i = 1; i < LINKS; i++) {
        char target[4096] = "";
        char name[32];
        size_t size = 0;
        while (size + 20 < 4000) {
            memcpy(target + size, "a/../", 5);
            size += 5;
        }
        snprintf(target + size, sizeof target - size, "l%d", i - 1);
        snprintf(name, sizeof name, "tmp/l%d", i);
        make_link(target, name);
    }
}

static void make_many(void)
{
    make_directory("tmp/many");
    for (int i = 0; i < MANY; i++) {
        char name[64];
        snprintf(name, sizeof name, "tmp/many/a-file-with-a-name-%05d", i);
        wasi_filesystem_types_drop_descriptor(g, open_path(name, 1));
    }
    rig.many = open_path("tmp/many", 2);
}

static void grow_file(uint32_t file)
{
    for (uint64_t at = 0; at < BYTES_SIZE; at += (uint64_t)1 << 20) {
        wasi_filesystem_types_descriptor_write(g, file, BYTES, 1 << 20, at, RESULT);
        expect_ok();
    }
}

static void make_network(void)
{
    eryx_network_options options;
    eryx_network_options_init(&options);
    options.max_connections = LIMIT;
    net_policy *policy = NULL;
    ASSERT_EQ(net_policy_create(&options, &policy, NULL), ERYX_OK);
    ASSERT(net_create(policy, &rig.guest->sandbox.net));
    net_begin_run(rig.guest->sandbox.net);
    wasi_sockets_tcp_create_socket_create_tcp_socket(g, 0, RESULT);
    expect_ok();
    rig.socket = fake_guest_u32(rig.guest, RESULT + 4);
}

static void begin(void)
{
    static const vfs_quota quota = {.max_bytes = (uint64_t)64 << 20, .max_entries = MAX_ENTRIES};
    rig.guest = fake_guest_create(MEMORY, LIMIT);
    g = fake_guest_instance(rig.guest);
    eryx_sandbox *sandbox = &rig.guest->sandbox;
    sandbox->limits = (eryx_limits){.max_result_bytes = (uint64_t)16 << 20,
                                    .callback_timeout_ms = 10000,
                                    .max_callback_invocations = 1000,
                                    .max_callback_bytes = (uint64_t)1 << 20,
                                    .max_pending_callback_bytes = (uint64_t)64 << 20};
    ASSERT_EQ(vfs_create(NULL, &quota, &sandbox->files), VFS_OK);
    sandbox->handles.fixed[HANDLE_ROOT].object = vfs_root(sandbox->files);
    sandbox->timing.deadline_ns = UINT64_MAX;
    sandbox->timing.cpu_timeout_ns = UINT64_MAX;
    callbacks_begin(&sandbox->callbacks, sandbox->limits.max_pending_callback_bytes);
    memset(fake_guest_bytes(rig.guest, BYTES, BYTES_SIZE), 'x', BYTES_SIZE);
    make_bomb();
    make_many();
    make_network();
    rig.file = open_path("tmp/large", 1);
    grow_file(rig.file);
}

static void finish(void)
{
    callbacks_free(&rig.guest->sandbox.callbacks);
    result_clear(&rig.guest->sandbox.result);
    handles_clear(&rig.guest->sandbox.handles);
    vfs_destroy(rig.guest->sandbox.files);
    fake_guest_destroy(rig.guest);
}

#endif
