/* The guest's view of the file system: arguments, results and handles in canonical-ABI form. */
#include "fake_guest.h"
#include "guest_imports.h"
#include "protocol/files.h"
#include "vfs_tree.h"

enum {
    RESULT = 18432, /* where results go */
    PATH = 4096,    /* where paths are put */
    PATH_2 = 10240,
    DATA = 20480,
    MEMORY = 6 << 20,
    HANDLES = 8,

    /* error codes, by the numbers of the interface */
    BAD_DESCRIPTOR = 3,
    QUOTA = 6,
    EXIST = 7,
    FILE_TOO_LARGE = 8,
    ILLEGAL_BYTE_SEQUENCE = 9,
    INVALID = 12,
    IS_DIRECTORY = 14,
    LOOP = 15,
    NAME_TOO_LONG = 18,
    NO_ENTRY = 20,
    INSUFFICIENT_SPACE = 23,
    NOT_DIRECTORY = 24,
    NOT_EMPTY = 25,
    NOT_PERMITTED = 31,
    READ_ONLY = 33,

    FOLLOW = 1,
    CREATE = 1,
    DIRECTORY = 2,
    EXCLUSIVE = 4,
    TRUNCATE = 8,
    READ = 1,
    WRITE = 2,
};

static fake_guest *guest;
static guest_instance *instance;
static vfs *files;
static archive *stdlib;

static void begin(void)
{
    stdlib = archive_sample();
    guest = fake_guest_create(MEMORY, HANDLES);
    instance = fake_guest_instance(guest);
    files = tree_create(stdlib, 2 << 20, 100);
    guest->sandbox.files = files;
    guest->sandbox.handles.fixed[HANDLE_ROOT].object = vfs_root(files);
    ASSERT_EQ(tree_put(files, "data/f", "hello"), VFS_OK);
}

static void end(void)
{
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
    fake_guest_destroy(guest);
    vfs_destroy(files);
    archive_close(stdlib);
}

/* Puts text into guest memory; the length is what its caller passes next to it. */
static uint32_t put(uint32_t offset, const char *text)
{
    memcpy(fake_guest_bytes(guest, offset, (uint32_t)strlen(text) + 1), text, strlen(text) + 1);
    return (uint32_t)strlen(text);
}

/* The error of a result whose payload is aligned so; -1 for none. */
static int error_at(uint32_t payload)
{
    uint8_t tag = fake_guest_u8(guest, RESULT);
    ASSERT_LE(tag, 1);
    return tag == 0 ? -1 : fake_guest_u8(guest, RESULT + payload);
}

static void open_path(uint32_t base, const char *path, uint32_t flags, uint32_t access)
{
    wasi_filesystem_types_descriptor_open_at(instance, base, FOLLOW, PATH, put(PATH, path), flags,
                                             access, RESULT);
}

static uint32_t open_ok(const char *path, uint32_t flags, uint32_t access)
{
    open_path(HANDLE_ROOT, path, flags, access);
    ASSERT_EQ(error_at(4), -1);
    return fake_guest_u32(guest, RESULT + 4);
}

static void close_handle(uint32_t descriptor)
{
    wasi_filesystem_types_drop_descriptor(instance, descriptor);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_NONE);
}

static void expect_read(uint32_t descriptor, uint64_t length, uint64_t offset, const char *text,
                        bool at_end)
{
    wasi_filesystem_types_descriptor_read(instance, descriptor, length, offset, RESULT);
    ASSERT_EQ(error_at(4), -1);
    uint32_t size = fake_guest_u32(guest, RESULT + 8);
    const uint8_t *bytes = fake_guest_bytes(guest, fake_guest_u32(guest, RESULT + 4), size);
    ASSERT_BYTES_EQ(bytes, size, text, strlen(text));
    ASSERT_EQ(fake_guest_u8(guest, RESULT + 12), at_end);
}

static void test_preopens(void)
{
    begin();
    wasi_filesystem_preopens_get_directories(instance, RESULT);
    uint32_t list = fake_guest_u32(guest, RESULT);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 4), 1);
    ASSERT_EQ(fake_guest_u32(guest, list), HANDLE_ROOT);
    ASSERT_EQ(fake_guest_u32(guest, list + 8), 1);
    ASSERT_EQ(fake_guest_u8(guest, fake_guest_u32(guest, list + 4)), '/');
    close_handle(HANDLE_ROOT); /* has no effect */
    close_handle(open_ok("data", DIRECTORY, READ));
    end();
}

static void test_open_and_read(void)
{
    begin();
    uint32_t file = open_ok("data/f", 0, READ);
    ASSERT_GE(file, HANDLE_FIRST_DYNAMIC);
    expect_read(file, 100, 0, "hello", false);
    expect_read(file, 3, 1, "ell", false);
    expect_read(file, UINT64_MAX, 3, "lo", false);
    unsigned allocations = guest->allocations;
    expect_read(file, 100, 5, "", true);
    expect_read(file, 100, UINT64_MAX, "", true);
    expect_read(file, 0, 0, "", false);
    ASSERT_EQ(guest->allocations, allocations); /* nothing is allocated for nothing */
    wasi_filesystem_types_descriptor_write(instance, file, DATA, 1, 0, RESULT);
    ASSERT_EQ(error_at(8), BAD_DESCRIPTOR);
    close_handle(file);

    uint32_t library = open_ok("python-stdlib/os.pyc", 0, READ);
    expect_read(library, 100, 0, "os!", false);
    close_handle(library);
    uint32_t zero = open_ok("dev/zero", 0, READ);
    wasi_filesystem_types_descriptor_read(instance, zero, UINT64_MAX, 0, RESULT);
    ASSERT_EQ(error_at(4), -1);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 8), 1 << 20); /* the most that one read gives */
    close_handle(zero);
    end();
}

static void test_open_errors(void)
{
    static const struct {
        const char *path;
        uint32_t flags;
        uint32_t access;
        int error;
    } cases[] = {
        {"data/none", 0, READ, NO_ENTRY},
        {"", 0, READ, NO_ENTRY},
        {"/data/f", 0, READ, NOT_PERMITTED},
        {"../x", 0, READ, NO_ENTRY},
        {"data/f", CREATE | EXCLUSIVE, WRITE, EXIST},
        {"data/f", DIRECTORY, READ, NOT_DIRECTORY},
        {"data", 0, WRITE, IS_DIRECTORY},
        {"data/f/", 0, READ, NOT_DIRECTORY},
        {"python-stdlib/os.pyc", 0, WRITE, READ_ONLY},
        {"python-stdlib/os.pyc", TRUNCATE, READ, READ_ONLY},
        {"new", CREATE, WRITE, READ_ONLY},
        {"data/\xff", 0, READ, ILLEGAL_BYTE_SEQUENCE},
        {"data/loop", 0, READ, LOOP},
    };
    begin();
    ASSERT_EQ(tree_symlink(files, "loop", "data/loop"), VFS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_path(HANDLE_ROOT, cases[i].path, cases[i].flags, cases[i].access);
        ASSERT_EQ(error_at(4), cases[i].error);
    }
    wasi_filesystem_types_descriptor_open_at(instance, HANDLE_ROOT, 0, PATH, 5000, 0, READ, RESULT);
    ASSERT_EQ(error_at(4), NAME_TOO_LONG);
    ASSERT_EQ(guest->sandbox.handles.live, 0);
    end();
}

static void test_write(void)
{
    begin();
    uint32_t file = open_ok("data/new", CREATE | EXCLUSIVE, READ | WRITE);
    wasi_filesystem_types_descriptor_write(instance, file, PATH, put(PATH, "some text"), 2, RESULT);
    ASSERT_EQ(error_at(8), -1);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 8), 9);
    wasi_filesystem_types_descriptor_read(instance, file, 100, 0, RESULT);
    ASSERT_BYTES_EQ(fake_guest_bytes(guest, fake_guest_u32(guest, RESULT + 4), 11), 11,
                    "\0\0some text", 11);
    wasi_filesystem_types_descriptor_set_size(instance, file, 6, RESULT);
    ASSERT_EQ(error_at(1), -1);
    expect_read(file, 100, 2, "some", false);
    wasi_filesystem_types_descriptor_set_size(instance, file, 3 << 20, RESULT);
    ASSERT_EQ(error_at(1), INSUFFICIENT_SPACE);
    wasi_filesystem_types_descriptor_write(instance, file, DATA, 1, UINT64_MAX, RESULT);
    ASSERT_EQ(error_at(8), FILE_TOO_LARGE);
    /* As much as the quota leaves, then nothing. */
    uint64_t done = 0;
    for (int i = 0; i < 2; i++) {
        wasi_filesystem_types_descriptor_write(instance, file, DATA, 3 << 20, done, RESULT);
        ASSERT_EQ(error_at(8), -1);
        done += fake_guest_u64(guest, RESULT + 8);
    }
    ASSERT_GT(done, 1 << 20);
    ASSERT_LE_U(done, 2 << 20);
    wasi_filesystem_types_descriptor_write(instance, file, DATA, 1, 2 << 20, RESULT);
    ASSERT_EQ(error_at(8), INSUFFICIENT_SPACE);
    /* However much there is room for, one call does not take everything. */
    vfs_quota quota = {.max_bytes = 100 << 20, .max_entries = 100};
    vfs_set_quota(files, &quota);
    wasi_filesystem_types_descriptor_write(instance, file, DATA, 5 << 20, 0, RESULT);
    ASSERT_EQ(error_at(8), -1);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 8), 1 << 20);
    wasi_filesystem_types_descriptor_sync(instance, file, RESULT);
    ASSERT_EQ(error_at(1), -1);
    wasi_filesystem_types_descriptor_sync_data(instance, file, RESULT);
    ASSERT_EQ(error_at(1), -1);
    wasi_filesystem_types_descriptor_advise(instance, file, 0, 1, 2, RESULT);
    ASSERT_EQ(error_at(1), -1);
    close_handle(file);
    end();
}

/* Every byte of the record that has a meaning. */
static void test_stat(void)
{
    begin();
    vfs_new_time accessed = {.kind = VFS_TIME_SET, .time = {1000, 111}};
    vfs_new_time modified = {.kind = VFS_TIME_SET, .time = {2000, 222}};
    ASSERT_EQ(vfs_set_times_at(vfs_root(files), "data/f", 6, true, &accessed, &modified), VFS_OK);
    ASSERT_EQ(tree_link(files, "data/f", "data/g"), VFS_OK);
    for (int by_path = 0; by_path < 2; by_path++) {
        if (by_path) {
            wasi_filesystem_types_descriptor_stat_at(instance, HANDLE_ROOT, FOLLOW, PATH,
                                                     put(PATH, "data/f"), RESULT);
        } else {
            uint32_t file = open_ok("data/f", 0, READ);
            wasi_filesystem_types_descriptor_stat(instance, file, RESULT);
            close_handle(file);
        }
        ASSERT_EQ(fake_guest_u8(guest, RESULT), 0);
        ASSERT_EQ(fake_guest_u8(guest, RESULT + 8), 6);
        ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 16), 2 | UINT64_C(0644) << FILE_MODE_SHIFT);
        ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 24), 5);
        ASSERT_EQ(fake_guest_u8(guest, RESULT + 32), 1);
        ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 40), 1000);
        ASSERT_EQ(fake_guest_u32(guest, RESULT + 48), 111);
        ASSERT_EQ(fake_guest_u8(guest, RESULT + 56), 1);
        ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 64), 2000);
        ASSERT_EQ(fake_guest_u32(guest, RESULT + 72), 222);
        ASSERT_EQ(fake_guest_u8(guest, RESULT + 80), 1);
        ASSERT_GT(fake_guest_u64(guest, RESULT + 88), 2000);
    }
    static const struct {
        const char *path;
        uint32_t flags;
        int type;
    } types[] = {
        {"data", 0, 3},
        {".", 0, 3},
        {"dev/null", 0, 2},
        {"data/s", 0, 5},
        {"data/s", FOLLOW, 6},
        {"python-stdlib", 0, 3},
        {"python-stdlib/os.pyc", 0, 6},
    };
    ASSERT_EQ(tree_symlink(files, "f", "data/s"), VFS_OK);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        wasi_filesystem_types_descriptor_stat_at(instance, HANDLE_ROOT, types[i].flags, PATH,
                                                 put(PATH, types[i].path), RESULT);
        ASSERT_EQ(error_at(8), -1);
        ASSERT_EQ(fake_guest_u8(guest, RESULT + 8), types[i].type);
    }
    wasi_filesystem_types_descriptor_stat_at(instance, HANDLE_ROOT, 0, PATH, put(PATH, "data/none"),
                                             RESULT);
    ASSERT_EQ(error_at(8), NO_ENTRY);
    end();
}

static void test_metadata_hash(void)
{
    begin();
    uint32_t file = open_ok("data/f", 0, READ);
    wasi_filesystem_types_descriptor_metadata_hash(instance, file, RESULT);
    ASSERT_EQ(error_at(8), -1);
    uint64_t lower = fake_guest_u64(guest, RESULT + 8);
    uint64_t upper = fake_guest_u64(guest, RESULT + 16);
    wasi_filesystem_types_descriptor_metadata_hash_at(instance, HANDLE_ROOT, FOLLOW, PATH,
                                                      put(PATH, "data/../data/f"), RESULT);
    ASSERT_EQ(error_at(8), -1);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 8), lower);
    ASSERT_EQ_U(fake_guest_u64(guest, RESULT + 16), upper);
    wasi_filesystem_types_descriptor_metadata_hash(instance, HANDLE_ROOT, RESULT);
    ASSERT_NE_U(fake_guest_u64(guest, RESULT + 8), lower);
    wasi_filesystem_types_descriptor_metadata_hash_at(instance, HANDLE_ROOT, 0, PATH,
                                                      put(PATH, "none"), RESULT);
    ASSERT_EQ(error_at(8), NO_ENTRY);
    close_handle(file);
    end();
}

static void test_flags(void)
{
    begin();
    static const struct {
        const char *path;
        uint32_t access;
        int flags;
    } cases[] = {{"data/f", READ, 1}, {"data/f", WRITE, 2}, {"data/f", READ | WRITE, 3},
                 {"data/f", 0, 0},    {"data", READ, 33},   {"data/f", READ | 4 | 8 | 16, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t file = open_ok(cases[i].path, 0, cases[i].access);
        wasi_filesystem_types_descriptor_get_flags(instance, file, RESULT);
        ASSERT_EQ(error_at(1), -1);
        ASSERT_EQ(fake_guest_u8(guest, RESULT + 1), cases[i].flags);
        close_handle(file);
    }
    end();
}

static void test_set_times(void)
{
    begin();
    uint32_t file = open_ok("data/f", 0, READ);
    vfs_status status;
    wasi_filesystem_types_descriptor_set_times(instance, file, 2, 10, 11, 2, 20, 21, RESULT);
    ASSERT_EQ(error_at(1), -1);
    ASSERT_EQ(tree_stat(files, "data/f", &status), VFS_OK);
    ASSERT_EQ_U(status.accessed.seconds, 10);
    ASSERT_EQ(status.accessed.nanoseconds, 11);
    ASSERT_EQ_U(status.modified.seconds, 20);
    ASSERT_EQ(status.modified.nanoseconds, 21);
    wasi_filesystem_types_descriptor_set_times_at(
        instance, HANDLE_ROOT, FOLLOW, PATH, put(PATH, "data/f"), 0, 77, 77, 1, 77, 77, RESULT);
    ASSERT_EQ(error_at(1), -1);
    ASSERT_EQ(tree_stat(files, "data/f", &status), VFS_OK);
    ASSERT_EQ_U(status.accessed.seconds, 10);
    ASSERT_GT(status.modified.seconds, 1000000);
    wasi_filesystem_types_descriptor_set_times(instance, file, 2, 0, 1000000000, 0, 0, 0, RESULT);
    ASSERT_EQ(error_at(1), INVALID);
    wasi_filesystem_types_descriptor_set_times(instance, file, 3, 0, 0, 0, 0, 0, RESULT);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
    wasi_filesystem_types_descriptor_set_times(instance, file, 0, 0, 0, UINT32_MAX, 0, 0, RESULT);
    ASSERT_EQ(fake_guest_take_trap(guest), WASM_RT_TRAP_UNREACHABLE);
    close_handle(file);
    end();
}

static void test_directories(void)
{
    begin();
    wasi_filesystem_types_descriptor_create_directory_at(instance, HANDLE_ROOT, PATH,
                                                         put(PATH, "data/d"), RESULT);
    ASSERT_EQ(error_at(1), -1);
    wasi_filesystem_types_descriptor_create_directory_at(instance, HANDLE_ROOT, PATH,
                                                         put(PATH, "data/d"), RESULT);
    ASSERT_EQ(error_at(1), EXIST);
    uint32_t directory = open_ok("data", DIRECTORY, READ);
    wasi_filesystem_types_descriptor_read_directory(instance, directory, RESULT);
    ASSERT_EQ(error_at(4), -1);
    uint32_t stream = fake_guest_u32(guest, RESULT + 4);
    close_handle(directory); /* the stream goes on without it */
    static const struct {
        const char *name;
        int type;
    } entries[] = {{"f", 6}, {"d", 3}};
    for (size_t i = 0; i < 2; i++) {
        wasi_filesystem_types_directory_entry_stream_read_directory_entry(instance, stream, RESULT);
        ASSERT_EQ(error_at(4), -1);
        ASSERT_EQ(fake_guest_u8(guest, RESULT + 4), 1);
        ASSERT_EQ(fake_guest_u8(guest, RESULT + 8), entries[i].type);
        uint32_t length = fake_guest_u32(guest, RESULT + 16);
        ASSERT_BYTES_EQ(fake_guest_bytes(guest, fake_guest_u32(guest, RESULT + 12), length), length,
                        entries[i].name, strlen(entries[i].name));
    }
    for (int i = 0; i < 2; i++) {
        wasi_filesystem_types_directory_entry_stream_read_directory_entry(instance, stream, RESULT);
        ASSERT_EQ(error_at(4), -1);
        ASSERT_EQ(fake_guest_u8(guest, RESULT + 4), 0);
    }
    wasi_filesystem_types_drop_directory_entry_stream(instance, stream);
    ASSERT_EQ(guest->sandbox.handles.live, 0);

    uint32_t file = open_ok("data/f", 0, READ);
    wasi_filesystem_types_descriptor_read_directory(instance, file, RESULT);
    ASSERT_EQ(error_at(4), NOT_DIRECTORY);
    wasi_filesystem_types_descriptor_read(instance, HANDLE_ROOT, 1, 0, RESULT);
    ASSERT_EQ(error_at(4), IS_DIRECTORY);
    close_handle(file);
    wasi_filesystem_types_descriptor_remove_directory_at(instance, HANDLE_ROOT, PATH,
                                                         put(PATH, "data/d"), RESULT);
    ASSERT_EQ(error_at(1), -1);
    wasi_filesystem_types_descriptor_remove_directory_at(instance, HANDLE_ROOT, PATH,
                                                         put(PATH, "data/f"), RESULT);
    ASSERT_EQ(error_at(1), NOT_DIRECTORY);
    ASSERT_EQ(tree_mkdir(files, "data/e"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/e/e"), VFS_OK);
    wasi_filesystem_types_descriptor_remove_directory_at(instance, HANDLE_ROOT, PATH,
                                                         put(PATH, "data/e"), RESULT);
    ASSERT_EQ(error_at(1), NOT_EMPTY);
    end();
}

static void test_names(void)
{
    begin();
    uint32_t directory = open_ok("data", DIRECTORY, READ);
    wasi_filesystem_types_descriptor_symlink_at(instance, directory, PATH, put(PATH, "f"), PATH_2,
                                                put(PATH_2, "s"), RESULT);
    ASSERT_EQ(error_at(1), -1);
    wasi_filesystem_types_descriptor_readlink_at(instance, HANDLE_ROOT, PATH, put(PATH, "data/s"),
                                                 RESULT);
    ASSERT_EQ(error_at(4), -1);
    ASSERT_EQ(fake_guest_u32(guest, RESULT + 8), 1);
    ASSERT_EQ(fake_guest_u8(guest, fake_guest_u32(guest, RESULT + 4)), 'f');
    wasi_filesystem_types_descriptor_readlink_at(instance, directory, PATH, put(PATH, "f"), RESULT);
    ASSERT_EQ(error_at(4), INVALID);
    wasi_filesystem_types_descriptor_link_at(instance, directory, 0, PATH, put(PATH, "f"),
                                             HANDLE_ROOT, PATH_2, put(PATH_2, "tmp/h"), RESULT);
    ASSERT_EQ(error_at(1), -1);
    tree_expect(files, "tmp/h", "hello");
    wasi_filesystem_types_descriptor_rename_at(instance, HANDLE_ROOT, PATH, put(PATH, "tmp/h"),
                                               directory, PATH_2, put(PATH_2, "r"), RESULT);
    ASSERT_EQ(error_at(1), -1);
    tree_expect(files, "data/r", "hello");
    wasi_filesystem_types_descriptor_rename_at(instance, directory, PATH, put(PATH, "x"), directory,
                                               PATH_2, put(PATH_2, "y"), RESULT);
    ASSERT_EQ(error_at(1), NO_ENTRY);
    wasi_filesystem_types_descriptor_unlink_file_at(instance, directory, PATH, put(PATH, "r"),
                                                    RESULT);
    ASSERT_EQ(error_at(1), -1);
    wasi_filesystem_types_descriptor_unlink_file_at(instance, directory, PATH, put(PATH, "r"),
                                                    RESULT);
    ASSERT_EQ(error_at(1), NO_ENTRY);
    wasi_filesystem_types_descriptor_unlink_file_at(instance, HANDLE_ROOT, PATH, put(PATH, "data"),
                                                    RESULT);
    ASSERT_EQ(error_at(1), IS_DIRECTORY);
    ASSERT_STR_EQ(tree_list(files, "data"), "f s");
    close_handle(directory);
    end();
}

static void test_streams_are_made(void)
{
    begin();
    uint32_t reader = open_ok("data/f", 0, READ);
    uint32_t writer = open_ok("data/f", 0, WRITE);
    wasi_filesystem_types_descriptor_read_via_stream(instance, reader, 3, RESULT);
    ASSERT_EQ(error_at(4), -1);
    const handle *stream =
        handles_get(&guest->sandbox.handles, fake_guest_u32(guest, RESULT + 4), HANDLE_FILE_INPUT);
    ASSERT_NOT_NULL(stream);
    ASSERT_EQ_U(stream->value, 3);
    wasi_filesystem_types_descriptor_write_via_stream(instance, writer, 4, RESULT);
    ASSERT_EQ(error_at(4), -1);
    stream =
        handles_get(&guest->sandbox.handles, fake_guest_u32(guest, RESULT + 4), HANDLE_FILE_OUTPUT);
    ASSERT_NOT_NULL(stream);
    ASSERT_EQ_U(stream->value, 4);
    wasi_filesystem_types_descriptor_append_via_stream(instance, writer, RESULT);
    ASSERT_EQ(error_at(4), -1);
    ASSERT_NOT_NULL(handles_get(&guest->sandbox.handles, fake_guest_u32(guest, RESULT + 4),
                                HANDLE_FILE_APPEND));
    wasi_filesystem_types_descriptor_read_via_stream(instance, writer, 0, RESULT);
    ASSERT_EQ(error_at(4), BAD_DESCRIPTOR);
    wasi_filesystem_types_descriptor_write_via_stream(instance, reader, 0, RESULT);
    ASSERT_EQ(error_at(4), BAD_DESCRIPTOR);
    wasi_filesystem_types_descriptor_append_via_stream(instance, reader, RESULT);
    ASSERT_EQ(error_at(4), BAD_DESCRIPTOR);
    wasi_filesystem_types_descriptor_read_via_stream(instance, HANDLE_ROOT, 0, RESULT);
    ASSERT_EQ(error_at(4), IS_DIRECTORY);
    close_handle(reader);
    close_handle(writer);
    end(); /* with streams open: they hold the file on their own */
}

/* The limit of handles refuses before anything is done. */
static void test_handle_limit(void)
{
    begin();
    uint32_t last = 0;
    for (int i = 0; i < HANDLES; i++) {
        last = open_ok("data/f", 0, READ);
    }
    open_path(HANDLE_ROOT, "data/f", TRUNCATE, READ | WRITE);
    ASSERT_EQ(error_at(4), QUOTA);
    tree_expect(files, "data/f", "hello");
    open_path(HANDLE_ROOT, "data/new", CREATE, READ | WRITE);
    ASSERT_EQ(error_at(4), QUOTA);
    ASSERT_EQ(tree_try(files, "data/new", TREE_READ), VFS_NO_ENTRY);
    wasi_filesystem_types_descriptor_read_directory(instance, HANDLE_ROOT, RESULT);
    ASSERT_EQ(error_at(4), QUOTA);
    wasi_filesystem_types_descriptor_read_via_stream(instance, last, 0, RESULT);
    ASSERT_EQ(error_at(4), QUOTA);
    close_handle(last);
    open_ok("data/f", 0, READ);
    end();
}

#define EXPECT_TRAP(trap, call)                                                                    \
    do {                                                                                           \
        call;                                                                                      \
        ASSERT_EQ(fake_guest_take_trap(guest), trap);                                              \
    } while (0)

/* Opens the file of a handle once more; the error, or -1. */
static int open_file_again(uint32_t descriptor, const char *format)
{
    char path[64];
    vfs_status status;
    ASSERT_EQ(
        vfs_stat(guest->sandbox.handles.dynamic[descriptor - HANDLE_FIRST_DYNAMIC].object, &status),
        VFS_OK);
    snprintf(path, sizeof path, format, (unsigned long long)status.identity);
    open_path(HANDLE_ROOT, path, CREATE | TRUNCATE, READ | WRITE);
    return error_at(4);
}

static void test_open_again(void)
{
    begin();
    uint32_t only_read = open_ok("data/f", 0, READ);
    ASSERT_EQ(open_file_again(only_read, FILE_AGAIN "%llx"), -1);
    uint32_t again = fake_guest_u32(guest, RESULT + 4);
    close_handle(only_read);
    expect_read(again, 100, 0, "hello", false); /* nothing was cut off */
    wasi_filesystem_types_descriptor_write(instance, again, DATA, 1, 0, RESULT);
    ASSERT_EQ(error_at(8), BAD_DESCRIPTOR); /* it may do what the other may */
    uint32_t written = open_ok("data/f", 0, READ | WRITE);
    ASSERT_EQ(open_file_again(again, FILE_AGAIN "%llx"), -1); /* the one that may do most */
    uint32_t third = fake_guest_u32(guest, RESULT + 4);
    wasi_filesystem_types_descriptor_write(instance, third, DATA, 1, 0, RESULT);
    ASSERT_EQ(error_at(8), -1);
    ASSERT_GE(open_file_again(again, FILE_AGAIN "%llxg"), 0);
    ASSERT_GE(open_file_again(again, FILE_AGAIN "0000000000000000%llx"), 0);
    ASSERT_GE(open_file_again(again, FILE_AGAIN "%llx/"), 0);
    ASSERT_GE(open_file_again(again, FILE_AGAIN "-%llx"), 0);
    uint32_t directory = open_ok("data", DIRECTORY, READ);
    ASSERT_EQ(open_file_again(directory, FILE_AGAIN "%llx"), -1);
    uint32_t same = fake_guest_u32(guest, RESULT + 4);
    close_handle(directory);
    ASSERT_EQ(open_file_again(same, FILE_AGAIN "%llx"), -1); /* it is still open */
    close_handle(fake_guest_u32(guest, RESULT + 4));
    close_handle(same);
    close_handle(written);
    close_handle(third);
    close_handle(again);
    open_path(HANDLE_ROOT, FILE_AGAIN "1", 0, READ);
    ASSERT_EQ(error_at(4), BAD_DESCRIPTOR); /* none has it open */
    open_path(HANDLE_ROOT, FILE_AGAIN, 0, READ);
    ASSERT_EQ(error_at(4), NO_ENTRY);
    end();
}

static void test_invented_handles(void)
{
    begin();
    uint32_t file = open_ok("data/f", 0, READ);
    wasi_filesystem_types_descriptor_read_via_stream(instance, file, 0, RESULT);
    uint32_t stream = fake_guest_u32(guest, RESULT + 4);
    uint32_t gone = open_ok("data/f", 0, READ);
    close_handle(gone);
    const uint32_t wrong[] = {0, HANDLE_STDIN, 9, stream, gone, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t h = wrong[i];
        const uint32_t trap = WASM_RT_TRAP_UNREACHABLE;
        uint32_t n = put(PATH, "data/f");
        memset(fake_guest_bytes(guest, RESULT, 128), 0xee, 128);
        EXPECT_TRAP(
            trap, wasi_filesystem_types_descriptor_open_at(instance, h, 0, PATH, n, 0, 1, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_read(instance, h, 1, 0, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_write(instance, h, PATH, n, 0, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_stat(instance, h, RESULT));
        EXPECT_TRAP(trap,
                    wasi_filesystem_types_descriptor_stat_at(instance, h, 0, PATH, n, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_sync(instance, h, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_advise(instance, h, 0, 0, 0, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_get_flags(instance, h, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_metadata_hash(instance, h, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_set_size(instance, h, 0, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_set_times(instance, h, 0, 0, 0, 0, 0, 0,
                                                                     RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_read_directory(instance, h, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_read_via_stream(instance, h, 0, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_rename_at(instance, HANDLE_ROOT, PATH, n,
                                                                     h, PATH, n, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_link_at(instance, HANDLE_ROOT, 0, PATH,
                                                                   n, h, PATH, n, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_directory_entry_stream_read_directory_entry(
                              instance, h, RESULT));
        EXPECT_TRAP(trap, wasi_filesystem_types_drop_descriptor(instance, h));
        EXPECT_TRAP(trap, wasi_filesystem_types_drop_directory_entry_stream(instance, h));
        ASSERT_EQ(fake_guest_u8(guest, RESULT), 0xee); /* and no answer */
    }
    EXPECT_TRAP(WASM_RT_TRAP_UNREACHABLE,
                wasi_filesystem_types_drop_directory_entry_stream(instance, file));
    close_handle(file);
    end();
}

static void test_places_outside_of_memory(void)
{
    begin();
    uint32_t file = open_ok("data/f", 0, READ | WRITE);
    const uint32_t size = MEMORY;
    const uint32_t trap = WASM_RT_TRAP_OOB;
    EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_open_at(instance, HANDLE_ROOT, 0, size - 1,
                                                               2, 0, 1, RESULT));
    EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_open_at(instance, HANDLE_ROOT, 0, UINT32_MAX,
                                                               1, 0, 1, RESULT));
    EXPECT_TRAP(trap,
                wasi_filesystem_types_descriptor_write(instance, file, 1, UINT32_MAX, 0, RESULT));
    EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_write(instance, file, size, 1, 0, RESULT));
    EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_stat(instance, file, size - 8));
    EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_stat(instance, file, UINT32_MAX));
    EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_read(instance, file, 5, 0, size));
    EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_symlink_at(
                          instance, HANDLE_ROOT, size, 1, PATH, put(PATH, "data/s"), RESULT));
    EXPECT_TRAP(trap, wasi_filesystem_types_descriptor_get_flags(instance, file, size));
    EXPECT_TRAP(trap, wasi_filesystem_preopens_get_directories(instance, UINT32_MAX));
    tree_expect(files, "data/f", "hello");
    close_handle(file);
    end();
}

static uint32_t doomed;

static void drop_doomed(fake_guest *fake)
{
    handles_remove(&fake->sandbox.handles, doomed);
}

/* A guest without memory, or one whose allocator closes what is being read. */
static void test_allocation_goes_wrong(void)
{
    begin();
    doomed = open_ok("data/f", 0, READ);
    guest->refuse_allocation = true;
    EXPECT_TRAP(WASM_RT_TRAP_UNREACHABLE,
                wasi_filesystem_preopens_get_directories(instance, RESULT));
    guest->refuse_allocation = false;
    ASSERT_EQ(tree_unlink(files, "data/f"), VFS_OK);
    guest->on_allocate = drop_doomed;
    EXPECT_TRAP(WASM_RT_TRAP_UNREACHABLE,
                wasi_filesystem_types_descriptor_read(instance, doomed, 5, 0, RESULT));
    ASSERT_EQ(tree_mkdir(files, "data/d"), VFS_OK);
    doomed = open_ok("data", DIRECTORY, READ);
    guest->on_allocate = NULL;
    wasi_filesystem_types_descriptor_read_directory(instance, doomed, RESULT);
    close_handle(doomed);
    doomed = fake_guest_u32(guest, RESULT + 4);
    guest->on_allocate = drop_doomed;
    wasi_filesystem_types_directory_entry_stream_read_directory_entry(instance, doomed, RESULT);
    ASSERT_EQ(error_at(4), -1);
    ASSERT_EQ(guest->sandbox.handles.live, 0);
    end();
}

TEST_MAIN(TEST_CASE(test_preopens), TEST_CASE(test_open_and_read), TEST_CASE(test_open_errors),
          TEST_CASE(test_write), TEST_CASE(test_stat), TEST_CASE(test_metadata_hash),
          TEST_CASE(test_flags), TEST_CASE(test_set_times), TEST_CASE(test_directories),
          TEST_CASE(test_names), TEST_CASE(test_streams_are_made), TEST_CASE(test_handle_limit),
          TEST_CASE(test_open_again), TEST_CASE(test_invented_handles),
          TEST_CASE(test_places_outside_of_memory), TEST_CASE(test_allocation_goes_wrong))
