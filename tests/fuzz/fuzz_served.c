/*
 * A hostile worker and the files that its parent has for it (worker/served.c): it asks for names
 * that are none, for nodes that it was never given, for more than it may. Whatever it says, what
 * lies outside of a volume and what is only to be read stays as it is.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "vfs/storage.h"
#include "worker/served.h"

enum { MOST_MESSAGES = 60 };

static char folder[64];
static eryx_storage *storage;

static void make_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    FUZZ_REQUIRE(file >= 0);
    FUZZ_REQUIRE(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
}

static void require_file(const char *name, const char *text)
{
    char path[128];
    char found[64] = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    FUZZ_REQUIRE(file >= 0);
    FUZZ_REQUIRE(read(file, found, sizeof found - 1) == (ssize_t)strlen(text));
    FUZZ_REQUIRE(strcmp(found, text) == 0);
    close(file);
}

static void remove_folder(void)
{
    char order[128];
    snprintf(order, sizeof order, "rm -rf '%s'", folder);
    (void)!system(order);
}

static void make_folder(void)
{
    char path[128];
    strcpy(folder,
           access("/dev/shm", W_OK) == 0 ? "/dev/shm/eryx-fuzz-XXXXXX" : "/tmp/eryx-fuzz-XXXXXX");
    FUZZ_REQUIRE(mkdtemp(folder) != NULL);
    atexit(remove_folder);
    for (const char *const *name = (const char *const[]){"ro", "rw", "rw/deep", NULL};
         *name != NULL; name++) {
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        FUZZ_REQUIRE(mkdir(path, 0755) == 0);
    }
    make_file("outside", "outside");
    make_file("ro/a", "read only");
    make_file("one", "one file");
    snprintf(path, sizeof path, "%s/rw/out", folder);
    FUZZ_REQUIRE(symlink("../outside", path) == 0);
    snprintf(path, sizeof path, "%s/ro/out", folder);
    FUZZ_REQUIRE(symlink("/etc/passwd", path) == 0);
    FUZZ_REQUIRE(eryx_storage_create(1 << 20, 200, &storage) == ERYX_FILE_OK);
}

static served *make_served(channel *out_worker)
{
    char paths[3][128];
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"rw", "ro", "one"};
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
    }
    const eryx_volume volumes[] = {
        {.guest_path = "/rw", .host_path = paths[0]},
        {.guest_path = "/ro", .host_path = paths[1], .read_only = true},
        {.guest_path = "/ov", .host_path = paths[1], .overlay = true},
        {.guest_path = "/one", .host_path = paths[2], .read_only = true}};
    const eryx_mount mounts[] = {{.guest_path = "/s", .storage = storage},
                                 {.guest_path = "/t", .storage = storage, .read_only = true}};
    const eryx_provider providers[] = {{.guest_path = "/p"}};
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.volumes = volumes;
    options.volume_count = sizeof volumes / sizeof volumes[0];
    options.mounts = mounts;
    options.mount_count = sizeof mounts / sizeof mounts[0];
    options.providers = providers;
    options.provider_count = 1;
    served *made;
    int ends[2];
    FUZZ_REQUIRE(served_create(&options, &made, NULL) == ERYX_OK);
    FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    channel_open(&made->channel, ends[0], SERVICE_MESSAGE_MAX);
    channel_open(out_worker, ends[1], SERVICE_MESSAGE_MAX);
    return made;
}

static void put_node(message_writer *writer, fuzz_input *input)
{
    message_put_u32(writer, fuzz_below(input, 100) == 0 ? (uint32_t)fuzz_number(input, 4)
                                                        : fuzz_below(input, 14));
}

static void put_name(message_writer *writer, fuzz_input *input)
{
    static const char *const names[] = {
        "a",  "b",   "deep",        "out",        "c", "x.db", "x.db.lock", "link",
        "..", "a/b", "/etc/passwd", "../outside", "",  ".",    "\xff\xfe",  "deep/../../outside"};
    const uint32_t choice = fuzz_below(input, 250);
    const char *name = names[choice < 16 ? choice : choice % 8];
    if (choice == 249) {
        message_put_bytes(writer, (eryx_bytes){(const uint8_t *)"a\0b", 3});
    } else {
        message_put_bytes(writer, (eryx_bytes){(const uint8_t *)name, strlen(name)});
    }
}

static void put_parts(message_writer *writer, uint32_t kind, fuzz_input *input)
{
    if (kind == SERVICE_NOTHING) {
        return;
    }
    put_node(writer, input);
    switch (kind) {
    case SERVICE_RELEASE:
        message_put_u32(writer, fuzz_below(input, 3));
        break;
    case SERVICE_FIND:
        put_name(writer, input);
        break;
    case SERVICE_LIST:
    case SERVICE_SET_SIZE:
        message_put_u64(writer, fuzz_below(input, 4) == 0 ? fuzz_number(input, 8)
                                                          : fuzz_below(input, 9000));
        break;
    case SERVICE_READ:
        message_put_u64(writer,
                        fuzz_below(input, 8) == 0 ? fuzz_number(input, 8) : fuzz_below(input, 100));
        message_put_u32(writer, fuzz_below(input, 9) == 0 ? (uint32_t)fuzz_number(input, 4)
                                                          : fuzz_below(input, 1000));
        break;
    case SERVICE_WRITE:
        message_put_u64(writer, fuzz_below(input, 8) == 0 ? UINT64_MAX : fuzz_below(input, 5000));
        put_name(writer, input);
        break;
    case SERVICE_OPEN:
    case SERVICE_SET_MODE:
        message_put_u32(writer, (uint32_t)fuzz_number(input, 2));
        break;
    case SERVICE_SET_TIMES:
        for (int i = 0; i < 2; i++) {
            message_put_u32(writer, fuzz_below(input, 4));
            message_put_u64(writer, fuzz_number(input, 8));
            message_put_u32(writer, (uint32_t)fuzz_number(input, 4));
        }
        break;
    case SERVICE_MAKE:
        put_name(writer, input);
        message_put_u32(writer, fuzz_below(input, 8));
        put_name(writer, input);
        break;
    case SERVICE_LINK:
    case SERVICE_REMOVE:
        put_name(writer, input);
        put_node(writer, input);
        break;
    case SERVICE_RENAME:
        put_name(writer, input);
        put_node(writer, input);
        put_node(writer, input);
        put_name(writer, input);
        message_put_u8(writer, (uint8_t)fuzz_below(input, 3));
        put_node(writer, input);
        break;
    default:
        break;
    }
}

static void put_message(message_writer *writer, fuzz_input *input)
{
    const size_t begin = writer->end;
    const uint32_t kind = fuzz_below(input, 64) == 0 ? (uint32_t)fuzz_number(input, 1)
                                                     : SERVICE_NOTHING + fuzz_below(input, 16);
    message_begin(writer, kind, fuzz_below(input, 4));
    put_parts(writer, kind, input);
    if (fuzz_below(input, 100) == 0) {
        message_put_u8(writer, 7);
    }
    (void)message_end(writer);
    if (fuzz_below(input, 100) == 0 && writer->end > begin + 12) {
        writer->data[begin + fuzz_below(input, (uint32_t)(writer->end - begin))] ^= 0x41;
    }
}

/* Says one thing and takes what is answered. False once the parent has had enough. */
static bool say(served *self, channel *worker, fuzz_input *input)
{
    message came;
    served_state state = SERVED_WAITS;
    put_message(&worker->output, input);
    for (int round = 0; round < 100; round++) {
        if (channel_send(worker) == CHANNEL_CLOSED) {
            return false;
        }
        state = served_go_on(self);
        while (channel_receive(worker, &came) == CHANNEL_OK) {
            FUZZ_REQUIRE(came.header.kind == SERVICE_ANSWER);
        }
        if (state == SERVED_HAS_ENDED || (state == SERVED_WAITS && channel_unsent(worker) == 0)) {
            break;
        }
    }
    return state != SERVED_HAS_ENDED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    channel worker;
    served_kept *kept = NULL;
    if (storage == NULL) {
        make_folder();
    }
    served *self = make_served(&worker);
    for (int i = 0; i < MOST_MESSAGES && input.left > 0; i++) {
        if (i == 20) {
            FUZZ_REQUIRE(served_files_keep(self->files, &kept) == VFS_OK);
        }
        if (i == 40) {
            (void)served_files_put_back(self->files, kept);
        }
        if (!say(self, &worker, &input)) {
            break;
        }
    }
    served_kept_free(kept);
    served_end(self);
    served_release(self);
    channel_close(&worker);
    require_file("outside", "outside");
    require_file("ro/a", "read only");
    require_file("one", "one file");
    eryx_storage_usage usage;
    FUZZ_REQUIRE(eryx_storage_get_usage(storage, &usage) == ERYX_FILE_OK);
    FUZZ_REQUIRE(usage.bytes <= usage.max_bytes && usage.entries <= usage.max_entries);
    return 0;
}
