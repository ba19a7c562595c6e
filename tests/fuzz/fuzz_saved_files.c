/*
 * The files of a saved session (src/state/store_format.h), changed. Whatever is read is a sound
 * tree of files with sound handles, within its quotas.
 */
#include "mutate.h"

#include "sandbox/handle_drop.h"
#include "state/store.h"
#include "vfs/storage.h"

enum { CAPACITY = 16384, HANDLE_LIMIT = 40, MAX_ENTRIES = 60, MAX_BYTES = 1 << 20 };

static const vfs_quota quota = {.max_bytes = MAX_BYTES, .max_entries = MAX_ENTRIES};
static eryx_storage *storage; /* at /store */
static vfs_mounts *mounts;

/* ---- A sample --------------------------------------------------------------------------------
 */

static void put(vfs *files, handle_table *handles, const char *path, uint64_t offset)
{
    vfs_file *file;
    size_t done;
    uint32_t index;
    FUZZ_REQUIRE(vfs_open(vfs_root(files), path, strlen(path),
                          VFS_OPEN_READ | VFS_OPEN_WRITE | VFS_OPEN_CREATE, &file) == VFS_OK);
    FUZZ_REQUIRE(vfs_write(file, offset, (const uint8_t *)"contents", 8, &done) == VFS_OK);
    FUZZ_REQUIRE(handles_add(handles, HANDLE_DESCRIPTOR, file, 0, &index));
}

static void open_directory(vfs *files, handle_table *handles, const char *path)
{
    vfs_file *file;
    uint32_t index;
    FUZZ_REQUIRE(vfs_open(vfs_root(files), path, strlen(path), VFS_OPEN_READ | VFS_OPEN_DIRECTORY,
                          &file) == VFS_OK);
    FUZZ_REQUIRE(handles_add(handles, HANDLE_DIRECTORY_STREAM, file, 1, &index));
}

static void make_tree(vfs *files, handle_table *handles, const char *root)
{
    static const char *const names[] = {"d", "d/e"};
    char path[64];
    char second[64];
    for (size_t i = 0; i < 2; i++) {
        int length = snprintf(path, sizeof path, "%s/%s", root, names[i]);
        FUZZ_REQUIRE(vfs_make_directory(vfs_root(files), path, (size_t)length) == VFS_OK);
    }
    snprintf(path, sizeof path, "%s/d/f", root);
    put(files, handles, path, 0);
    int length = snprintf(second, sizeof second, "%s/d/e/g", root);
    FUZZ_REQUIRE(vfs_make_link(vfs_root(files), path, strlen(path), false, vfs_root(files), second,
                               (size_t)length) == VFS_OK);
    length = snprintf(path, sizeof path, "%s/s", root);
    FUZZ_REQUIRE(vfs_make_symbolic_link(vfs_root(files), "d/e", 3, path, (size_t)length) == VFS_OK);
    length = snprintf(path, sizeof path, "%s/gone", root);
    put(files, handles, path, 65536);
    FUZZ_REQUIRE(vfs_unlink(vfs_root(files), path, (size_t)length) == VFS_OK);
    open_directory(files, handles, root);
}

static size_t make_sample(uint8_t *out)
{
    vfs *files;
    handle_table handles;
    live_bytes bytes = {0};
    FUZZ_REQUIRE(eryx_storage_create(MAX_BYTES, MAX_ENTRIES, &storage) == ERYX_FILE_OK);
    FUZZ_REQUIRE(vfs_mounts_create(&mounts) == VFS_OK);
    FUZZ_REQUIRE(vfs_mounts_add_storage(mounts, "/store", storage, false) == VFS_OK);
    FUZZ_REQUIRE(vfs_mounts_add_storage(mounts, "/other", storage, true) == VFS_OK);
    FUZZ_REQUIRE(vfs_create(NULL, &quota, &files) == VFS_OK);
    FUZZ_REQUIRE(vfs_use_mounts(files, mounts) == VFS_OK);
    handles_init(&handles, HANDLE_LIMIT, handle_drop_object);
    make_tree(files, &handles, "data");
    make_tree(files, &handles, "store");
    open_directory(files, &handles, "dev");
    FUZZ_REQUIRE(live_store_write(files, &handles, true, &bytes, NULL) == ERYX_OK);
    FUZZ_REQUIRE(bytes.size <= CAPACITY);
    memcpy(out, bytes.data, bytes.size);
    free(bytes.data);
    handles_clear(&handles);
    vfs_destroy(files);
    return bytes.size;
}

/* ---- What was read ---------------------------------------------------------------------------
 */

/* Lists, reads and removes what is under a path. */
static void take_apart(vfs *files, const char *path, int depth)
{
    vfs_file *directory;
    if (vfs_open(vfs_root(files), path, strlen(path), VFS_OPEN_READ | VFS_OPEN_DIRECTORY,
                 &directory) != VFS_OK) {
        return;
    }
    vfs_directory_entry entry;
    uint64_t cursor = 0;
    bool found = false;
    while (vfs_list(directory, &cursor, &entry, &found) == VFS_OK && found) {
        char inner[VFS_PATH_MAX];
        vfs_file *file;
        int length =
            snprintf(inner, sizeof inner, "%s/%.*s", path, (int)entry.name_length, entry.name);
        if (length < 0 || (size_t)length >= sizeof inner) {
            continue;
        }
        if (vfs_open(vfs_root(files), inner, (size_t)length, VFS_OPEN_READ, &file) == VFS_OK) {
            uint8_t buffer[64];
            size_t got;
            (void)vfs_read(file, vfs_size(file) / 2, buffer, sizeof buffer, &got);
            vfs_close(file);
        }
        if (entry.type == VFS_TYPE_DIRECTORY && depth < MAX_ENTRIES) {
            take_apart(files, inner, depth + 1);
            (void)vfs_remove_directory(vfs_root(files), inner, (size_t)length);
        } else {
            (void)vfs_unlink(vfs_root(files), inner, (size_t)length);
        }
    }
    vfs_close(directory);
}

static void use_handles(handle_table *handles)
{
    FUZZ_REQUIRE(handles->live <= handles_most(handles));
    for (uint32_t i = 0; i < handles->used; i++) {
        handle *open = &handles->dynamic[i];
        if (!handle_has_file(open)) {
            continue;
        }
        vfs_directory_entry entry;
        vfs_status status;
        uint8_t buffer[16];
        size_t size;
        bool found;
        (void)vfs_list(open->object, &open->value, &entry, &found);
        (void)vfs_stat(open->object, &status);
        (void)vfs_read(open->object, open->value, buffer, sizeof buffer, &size);
        (void)vfs_write(open->object, open->value, buffer, sizeof buffer, &size);
        (void)vfs_set_size(open->object, 5);
    }
}

static void use(vfs *files, handle_table *handles)
{
    vfs_usage used = vfs_get_usage(files);
    FUZZ_REQUIRE(used.bytes <= MAX_BYTES && used.entries <= MAX_ENTRIES + handles->used);
    /* As eryx_sandbox_load() does, and on into the storage. */
    vfs *copy;
    handle_table open;
    live_storages storages;
    FUZZ_REQUIRE(live_files_copy(files, handles, LIVE_STORAGES_PUT_BACK, &copy, &open, &storages,
                                 NULL) == ERYX_OK);
    live_storages_end(&storages, true);
    use_handles(&open);
    take_apart(copy, "data", 0);
    take_apart(copy, "tmp", 0);
    take_apart(copy, "store", 0);
    handles_clear(&open);
    used = vfs_get_usage(copy);
    FUZZ_REQUIRE(used.bytes == 0 && used.entries == 0 && copy->memory.metadata == 0);
    vfs_destroy(copy);
    if (live_storages_any(files)) {
        eryx_storage_usage usage;
        FUZZ_REQUIRE(eryx_storage_get_usage(storage, &usage) == ERYX_FILE_OK);
        FUZZ_REQUIRE(usage.bytes == 0 && usage.entries == 0 && storage->tree.metadata == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sample[CAPACITY];
    static size_t sample_size;
    uint8_t bytes[CAPACITY];
    if (sample_size == 0) {
        sample_size = make_sample(sample);
    }
    fuzz_input input = {data, size};
    memcpy(bytes, sample, sample_size);
    live_bytes changed = {bytes, sample_size};
    changed.size = mutate_bytes(&input, bytes, 0, sample_size, CAPACITY);
    vfs *files = NULL;
    handle_table handles;
    eryx_error error;
    handles_init(&handles, HANDLE_LIMIT, handle_drop_object);
    if (live_store_read(&changed, NULL, mounts, &quota, true, &files, &handles, &error) ==
        ERYX_OK) {
        use(files, &handles);
        handles_clear(&handles);
        vfs_destroy(files);
    }
    return 0;
}
