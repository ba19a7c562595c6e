/* The files of a saved session, made up row by row (src/state/store_format.h). */
#include "sandbox/handle_drop.h"
#include "state/store.h"
#include "state/store_format.h"
#include "test.h"
#include "vfs/storage.h"

enum { LIMIT = 10 };

static const vfs_quota quota = {.max_bytes = 1 << 20, .max_entries = 20};

static uint8_t bytes[65536];
static size_t size;

static void put(uint64_t number)
{
    memcpy(bytes + size, &number, sizeof number);
    size += sizeof number;
}

static void put_text(const char *text)
{
    put(strlen(text));
    memcpy(bytes + size, text, strlen(text));
    size += strlen(text);
}

/* Of the node that comes next; NULL for none. */
static const char *origin;

static void put_origin(void)
{
    put(origin != NULL ? strlen(origin) + 1 : 0);
    if (origin != NULL) {
        memcpy(bytes + size, origin, strlen(origin));
        size += strlen(origin);
        origin = NULL;
    }
}

static void put_head(vfs_type type, uint64_t number)
{
    put((uint64_t)type);
    put(number);
    put(type == VFS_TYPE_DIRECTORY ? 0755 : 0644);
    for (int i = 0; i < 6; i++) {
        put(1); /* times */
    }
    put_origin();
}

/* A tree of the sandbox's own files with so many nodes. */
static void begin(uint64_t nodes)
{
    size = 0;
    put(0); /* overlays */
    put(1);
    put(0);
    put(100);
    put(nodes);
}

static void put_directory(uint64_t number, uint64_t entries)
{
    put_head(VFS_TYPE_DIRECTORY, number);
    put(entries);
    put(entries);
}

static void put_entry(uint64_t cursor, uint64_t node, const char *name)
{
    put(cursor);
    put(node);
    put_text(name);
}

static void put_link(const char *target)
{
    put_head(VFS_TYPE_SYMBOLIC_LINK, 9);
    put_text(target);
}

/* A file with one chunk. */
static void put_file(uint64_t length, uint64_t offset, const char *text)
{
    put_head(VFS_TYPE_FILE, 8);
    put(length);
    put(1);
    put(offset);
    put_text(text);
}

static void put_handle(handle_kind kind, enum store_file file, uint64_t item, uint64_t flags)
{
    put((uint64_t)kind);
    put(0);
    put((uint64_t)file);
    put(item);
    put(flags);
}

static vfs *files;
static handle_table handles;

static eryx_status read_store(vfs_mounts *mounts, bool include_storages)
{
    const live_bytes store = {bytes, size};
    files = NULL;
    handles_init(&handles, LIMIT, handle_drop_object);
    return live_store_read(&store, NULL, mounts, &quota, include_storages, &files, &handles, NULL);
}

static void drop(void)
{
    handles_clear(&handles);
    vfs_destroy(files);
}

static void expect_refused(void)
{
    ASSERT_EQ(read_store(NULL, false), ERYX_INITIALIZATION);
    ASSERT_NULL(files);
}

static void expect_read(void)
{
    ASSERT_EQ(read_store(NULL, false), ERYX_OK);
    drop();
}

/* /data/f, or what stands for the file, open as it is said. */
static void put_open(vfs_type type, handle_kind kind, uint64_t flags)
{
    begin(3);
    put_directory(1, 1);
    put_entry(1, 2, "f");
    put_directory(2, 0);
    if (type == VFS_TYPE_FILE) {
        put_file(4, 0, "text");
    } else if (type == VFS_TYPE_DIRECTORY) {
        put_directory(7, 0);
    } else {
        put_link("somewhere");
    }
    put(1);
    put_handle(kind, STORE_DATA, 2, flags);
}

/* A file that is written through a handle was taken for one that has contents. */
static void test_a_link_cannot_be_open(void)
{
    put_open(VFS_TYPE_SYMBOLIC_LINK, HANDLE_DESCRIPTOR, VFS_OPEN_READ);
    expect_refused();
    put_open(VFS_TYPE_SYMBOLIC_LINK, HANDLE_FILE_OUTPUT, VFS_OPEN_WRITE);
    expect_refused();
    put_open(VFS_TYPE_FILE, HANDLE_DESCRIPTOR, VFS_OPEN_READ | VFS_OPEN_WRITE);
    expect_read();
}

static void test_what_is_open_fits_its_handle(void)
{
    put_open(VFS_TYPE_DIRECTORY, HANDLE_DESCRIPTOR, VFS_OPEN_READ | VFS_OPEN_WRITE);
    expect_refused();
    put_open(VFS_TYPE_FILE, HANDLE_DIRECTORY_STREAM, VFS_OPEN_READ);
    expect_refused();
    put_open(VFS_TYPE_DIRECTORY, HANDLE_DIRECTORY_STREAM, VFS_OPEN_READ);
    expect_read();
    put_open(VFS_TYPE_FILE, HANDLE_DESCRIPTOR, VFS_OPEN_READ | VFS_OPEN_CREATE);
    expect_refused();
    put_open(VFS_TYPE_FILE, HANDLE_TCP_SOCKET, VFS_OPEN_READ);
    expect_refused();
    put_open(VFS_TYPE_FILE, (handle_kind)1000, VFS_OPEN_READ);
    expect_refused();
}

static void test_names_and_targets_are_those_that_guests_can_make(void)
{
    static const char *const wrong[] = {"", ".", "..", "a/b", "\xff", "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        begin(3);
        put_directory(1, 1);
        put_entry(1, 2, wrong[i]);
        put_directory(2, 0);
        put_file(1, 0, "x");
        put(0);
        expect_refused();
    }
    static const char *const targets[] = {"", "\xff"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        begin(3);
        put_directory(1, 1);
        put_entry(1, 2, "l");
        put_directory(2, 0);
        put_link(targets[i]);
        put(0);
        expect_refused();
    }
}

static void test_directories_make_a_tree(void)
{
    begin(3); /* in itself */
    put_directory(1, 0);
    put_directory(2, 0);
    put_directory(3, 1);
    put_entry(1, 2, "d");
    put(0);
    expect_refused();

    begin(4); /* in each other */
    put_directory(1, 0);
    put_directory(2, 0);
    put_directory(3, 1);
    put_entry(1, 3, "d");
    put_directory(4, 1);
    put_entry(1, 2, "d");
    put(0);
    expect_refused();

    begin(3); /* two names */
    put_directory(1, 1);
    put_entry(1, 2, "d");
    put_directory(2, 1);
    put_entry(1, 2, "d");
    put_directory(3, 0);
    put(0);
    expect_refused();

    begin(2); /* a root in a root */
    put_directory(1, 1);
    put_entry(1, 1, "tmp");
    put_directory(2, 0);
    put(0);
    expect_refused();

    begin(3); /* one name twice */
    put_directory(1, 2);
    put_entry(1, 2, "f");
    put_entry(2, 2, "f");
    put_directory(2, 0);
    put_file(1, 0, "x");
    put(0);
    expect_refused();

    begin(3); /* cursors that go back */
    put_directory(1, 2);
    put_entry(2, 2, "f");
    put_entry(1, 2, "g");
    put_directory(2, 0);
    put_file(1, 0, "x");
    put(0);
    expect_refused();
}

static void test_chunks_that_lie_outside_or_over_each_other(void)
{
    put_open(VFS_TYPE_FILE, HANDLE_DESCRIPTOR, VFS_OPEN_READ);
    static const struct {
        uint64_t length;
        uint64_t offset;
        bool fits;
    } cases[] = {
        {4, 0, true},
        {2, 0, true},
        {0, 0, true},
        {4, UINT64_MAX, true},
        {UINT64_MAX, 0, false},
        {(uint64_t)1 << 40, 0, false},
        {1 << 20, 0, true},
        {(1 << 20) + 1, 0, false},
        {INT64_MAX, INT64_MAX - 2, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(3);
        put_directory(1, 1);
        put_entry(1, 2, "f");
        put_directory(2, 0);
        put_file(cases[i].length, cases[i].offset, "text");
        put(0);
        eryx_status status = read_store(NULL, false);
        if ((status == ERYX_OK) != cases[i].fits) {
            test_fail(__FILE__, __LINE__, "case %d: %d", (int)i, (int)status);
        }
        if (status == ERYX_OK) {
            ASSERT_LE_U(vfs_get_usage(files).bytes, 1 << 20);
            drop();
        }
    }
    begin(3); /* the second goes over the first */
    put_directory(1, 1);
    put_entry(1, 2, "f");
    put_directory(2, 0);
    put_head(VFS_TYPE_FILE, 8);
    put(4);
    put(2);
    put(0);
    put_text("abcd");
    put(1);
    put_text("XY");
    put(0);
    ASSERT_EQ(read_store(NULL, false), ERYX_OK);
    vfs_file *file;
    uint8_t text[8];
    size_t got;
    ASSERT_EQ(vfs_open(vfs_root(files), "data/f", 6, VFS_OPEN_READ, &file), VFS_OK);
    ASSERT_EQ(vfs_read(file, 0, text, sizeof text, &got), VFS_OK);
    ASSERT_BYTES_EQ(text, got, "aXYd", 4);
    vfs_close(file);
    drop();
}

static void test_overlays_and_what_only_they_have(void)
{
    static const char *const wrong[] = {"/", "/a", "a/", "..", "a/../b", "a//b", "./a", "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        begin(3);
        put_directory(1, 1);
        put_entry(1, 2, "f");
        put_directory(2, 0);
        origin = wrong[i];
        put_head(VFS_TYPE_FILE, 8);
        put(0);
        put(0);
        put(0);
        expect_refused();
    }
    begin(3); /* a whiteout where there is no overlay */
    put_directory(1, 1);
    put_entry(1, 2, "f");
    put_directory(2, 0);
    put_head(VFS_TYPE_UNKNOWN, 8);
    put(0);
    put(0);
    expect_refused();

    begin(2); /* an overlay that is not there */
    put_directory(1, 0);
    put_directory(2, 0);
    put(0);
    const uint64_t overlays = 1;
    memcpy(bytes, &overlays, sizeof overlays);
    expect_refused();
}

static void test_counts_that_cannot_be(void)
{
    static const uint64_t counts[] = {0,         1, 3, 1000, (uint64_t)1 << 32, (uint64_t)1 << 61,
                                      UINT64_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        begin(counts[i]); /* nodes */
        put_directory(1, 0);
        put_directory(2, 0);
        put(0);
        expect_refused();

        begin(2); /* entries */
        put_directory(1, counts[i] != 0 ? counts[i] : 5);
        put_directory(2, 0);
        put(0);
        expect_refused();

        begin(2); /* handles */
        put_directory(1, 0);
        put_directory(2, 0);
        put(counts[i] != 0 ? counts[i] : 2);
        expect_refused();

        begin(2); /* trees */
        put_directory(1, 0);
        put_directory(2, 0);
        put(0);
        uint64_t trees = counts[i] != 1 ? counts[i] : 2;
        memcpy(bytes + sizeof trees, &trees, sizeof trees); /* behind the count of overlays */
        expect_refused();
        ASSERT_EQ(read_store(NULL, true), ERYX_INITIALIZATION);
    }
    begin(2);
    put_directory(1, 0);
    put_directory(2, 0);
    put(0);
    expect_read();
    put(0); /* something behind it */
    expect_refused();
}

static void test_every_truncation_is_refused(void)
{
    put_open(VFS_TYPE_FILE, HANDLE_DESCRIPTOR, VFS_OPEN_READ | VFS_OPEN_WRITE);
    size_t whole = size;
    for (size = 0; size < whole; size++) {
        expect_refused();
    }
    expect_read();
}

/* The sandbox's own tree, and then one for the storage at a path with a file in it. */
static void put_storages(const char *first, const char *second)
{
    begin(2);
    put_directory(1, 0);
    put_directory(2, 0);
    const char *paths[] = {first, second};
    uint64_t trees = 1;
    for (size_t i = 0; i < 2 && paths[i] != NULL; i++, trees++) {
        put_text(paths[i]);
        put(100);
        put(2);
        put_directory(1, 1);
        put_entry(1, 1, "f");
        put_file(4, 0, "text");
    }
    put(1);
    put_handle(HANDLE_DESCRIPTOR, STORE_STORAGE, 1, VFS_OPEN_READ);
    put(1);
    memcpy(bytes + sizeof trees, &trees, sizeof trees); /* behind the count of overlays */
}

static void test_storages_are_those_that_are_mounted(void)
{
    eryx_storage *storage;
    vfs_mounts *mounts;
    ASSERT_EQ(eryx_storage_create(1 << 20, 20, &storage), ERYX_FILE_OK);
    ASSERT_EQ(vfs_mounts_create(&mounts), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/s", storage, false), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/s/again", storage, false), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/r", storage, true), VFS_OK);
    static const struct {
        const char *first;
        const char *second;
        eryx_status status;
    } cases[] = {
        {"/s", NULL, ERYX_OK},
        {"/s/again", NULL, ERYX_OK},
        {"/s", "/s", ERYX_INITIALIZATION},       /* the same place */
        {"/s", "/s/again", ERYX_INITIALIZATION}, /* the same storage */
        {"/r", NULL, ERYX_INITIALIZATION},       /* not to be written */
        {"/x", NULL, ERYX_INITIALIZATION},
        {"s", NULL, ERYX_INITIALIZATION},
        {"/s/", NULL, ERYX_INITIALIZATION},
        {"", NULL, ERYX_INITIALIZATION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_storages(cases[i].first, cases[i].second);
        eryx_status status = read_store(mounts, true);
        if (status != cases[i].status) {
            test_fail(__FILE__, __LINE__, "case %d: %d", (int)i, (int)status);
        }
        if (status == ERYX_OK) {
            ASSERT(live_storages_any(files));
            drop();
        }
    }
    put_storages("/s", NULL); /* where none is wanted */
    ASSERT_EQ(read_store(mounts, false), ERYX_INITIALIZATION);
    put_storages("/s", NULL); /* a handle in a tree that is not there */
    uint64_t tree = 2;
    memcpy(bytes + size - sizeof tree, &tree, sizeof tree);
    ASSERT_EQ(read_store(mounts, true), ERYX_INITIALIZATION);
    tree = 0;
    memcpy(bytes + size - sizeof tree, &tree, sizeof tree);
    ASSERT_EQ(read_store(mounts, true), ERYX_INITIALIZATION);
    eryx_storage_usage usage;
    ASSERT_EQ(eryx_storage_get_usage(storage, &usage), ERYX_FILE_OK);
    ASSERT_EQ_U(usage.entries, 0);
    vfs_mounts_release(mounts);
    eryx_storage_destroy(storage);
}

TEST_MAIN(TEST_CASE(test_a_link_cannot_be_open), TEST_CASE(test_what_is_open_fits_its_handle),
          TEST_CASE(test_names_and_targets_are_those_that_guests_can_make),
          TEST_CASE(test_directories_make_a_tree),
          TEST_CASE(test_chunks_that_lie_outside_or_over_each_other),
          TEST_CASE(test_overlays_and_what_only_they_have), TEST_CASE(test_counts_that_cannot_be),
          TEST_CASE(test_every_truncation_is_refused),
          TEST_CASE(test_storages_are_those_that_are_mounted))
