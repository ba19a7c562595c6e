/* Contents, names, quotas, times and identity of files. */
#include <time.h>

#include "vfs_tree.h"

enum { CHUNK = 65536 };

static const uint64_t plenty = 1 << 20;

static void write_at(vfs_file *file, uint64_t offset, const char *text)
{
    size_t done;
    ASSERT_EQ(vfs_write(file, offset, (const uint8_t *)text, strlen(text), &done), VFS_OK);
    ASSERT_EQ_U(done, strlen(text));
}

/* So many bytes 'w' at offset; the bytes that were taken, or the error as a negative number. */
static int64_t fill(vfs_file *file, uint64_t offset, size_t size)
{
    uint8_t *data = malloc(size + 1);
    ASSERT_NOT_NULL(data);
    memset(data, 'w', size);
    size_t done = 0;
    vfs_error error = vfs_write(file, offset, data, size, &done);
    free(data);
    return error == VFS_OK ? (int64_t)done : -(int64_t)error;
}

static void expect_bytes(vfs_file *file, uint64_t offset, size_t size, uint8_t value)
{
    uint8_t *data = malloc(size);
    ASSERT_NOT_NULL(data);
    memset(data, (uint8_t)~value, size);
    size_t got;
    ASSERT_EQ(vfs_read(file, offset, data, size, &got), VFS_OK);
    ASSERT_EQ_U(got, size);
    for (size_t i = 0; i < size; i++) {
        if (data[i] != value) {
            test_fail(__FILE__, __LINE__, "byte %zu is %u, not %u", i, data[i], value);
        }
    }
    free(data);
}

static void test_reads_and_writes(void)
{
    vfs *files = tree_create(NULL, plenty, 100);
    vfs_file *file = tree_get(files, "data/f", TREE_CREATE);
    uint8_t buffer[16];
    size_t got;
    ASSERT_EQ(vfs_read(file, 0, buffer, sizeof buffer, &got), VFS_OK);
    ASSERT_EQ(got, 0);
    write_at(file, 0, "hello world");
    write_at(file, 6, "W");
    ASSERT_EQ_U(vfs_size(file), 11);
    ASSERT_EQ(vfs_read(file, 4, buffer, 5, &got), VFS_OK);
    ASSERT_BYTES_EQ(buffer, got, "o Wor", 5);
    ASSERT_EQ(vfs_read(file, 9, buffer, sizeof buffer, &got), VFS_OK);
    ASSERT_BYTES_EQ(buffer, got, "ld", 2);
    ASSERT_EQ(vfs_read(file, 11, buffer, sizeof buffer, &got), VFS_OK);
    ASSERT_EQ(got, 0);
    ASSERT_EQ(vfs_read(file, UINT64_MAX, buffer, sizeof buffer, &got), VFS_OK);
    ASSERT_EQ(got, 0);
    size_t done;
    ASSERT_EQ(vfs_append(file, (const uint8_t *)"!", 1, &done), VFS_OK);
    tree_expect(files, "data/f", "hello World!");
    ASSERT_EQ(vfs_write(file, 1000, buffer, 0, &done), VFS_OK);
    ASSERT_EQ(done, 0);
    ASSERT_EQ_U(vfs_size(file), 12);
    vfs_close(file);
    vfs_destroy(files);
}

static void test_access(void)
{
    archive *stdlib = archive_sample();
    vfs *files = tree_create(stdlib, plenty, 100);
    ASSERT_EQ(tree_put(files, "data/f", "f"), VFS_OK);
    uint8_t byte = 'x';
    size_t done;
    vfs_file *reader = tree_get(files, "data/f", TREE_READ);
    ASSERT_EQ(vfs_write(reader, 0, &byte, 1, &done), VFS_BAD_DESCRIPTOR);
    ASSERT_EQ(vfs_append(reader, &byte, 1, &done), VFS_BAD_DESCRIPTOR);
    ASSERT_EQ(vfs_set_size(reader, 0), VFS_BAD_DESCRIPTOR);
    ASSERT_EQ(vfs_open_flags(reader), VFS_OPEN_READ);
    vfs_file *writer = tree_get(files, "data/f", VFS_OPEN_WRITE);
    ASSERT_EQ(vfs_read(writer, 0, &byte, 1, &done), VFS_BAD_DESCRIPTOR);
    ASSERT_EQ(vfs_write(writer, 0, &byte, 1, &done), VFS_OK);
    vfs_file *directory = tree_get(files, "data", TREE_DIRECTORY);
    ASSERT_EQ(vfs_read(directory, 0, &byte, 1, &done), VFS_IS_DIRECTORY);
    ASSERT_EQ(vfs_write(directory, 0, &byte, 1, &done), VFS_IS_DIRECTORY);
    ASSERT_EQ(vfs_set_size(directory, 0), VFS_IS_DIRECTORY);
    ASSERT_EQ(vfs_size(directory), 0);
    uint64_t cursor = 0;
    vfs_directory_entry entry;
    bool found;
    ASSERT_EQ(vfs_list(reader, &cursor, &entry, &found), VFS_NOT_DIRECTORY);
    vfs_file *library = tree_get(files, "python-stdlib/os.pyc", TREE_READ);
    uint8_t text[8];
    ASSERT_EQ(vfs_read(library, 1, text, sizeof text, &done), VFS_OK);
    ASSERT_BYTES_EQ(text, done, "s!", 2);
    ASSERT_EQ(vfs_read(library, 3, text, sizeof text, &done), VFS_OK);
    ASSERT_EQ(done, 0);
    ASSERT_EQ(vfs_read(library, UINT64_MAX, text, sizeof text, &done), VFS_OK);
    ASSERT_EQ(done, 0);
    ASSERT_EQ(vfs_size(library), 3);
    ASSERT_EQ(vfs_write(library, 0, &byte, 1, &done), VFS_BAD_DESCRIPTOR);
    vfs_close(library);
    vfs_close(directory);
    vfs_close(writer);
    vfs_close(reader);
    vfs_close(NULL);
    vfs_close(vfs_root(files));
    vfs_destroy(files);
    archive_close(stdlib);
}

static void test_devices(void)
{
    vfs *files = tree_create(NULL, 10, 0);
    uint8_t buffer[1000];
    size_t done;
    vfs_file *null = tree_get(files, "dev/null", TREE_TRUNCATE);
    ASSERT_EQ(vfs_file_type(null), VFS_TYPE_CHARACTER_DEVICE);
    ASSERT_EQ(vfs_write(null, 5, buffer, sizeof buffer, &done), VFS_OK);
    ASSERT_EQ(done, sizeof buffer);
    ASSERT_EQ(vfs_append(null, buffer, sizeof buffer, &done), VFS_OK);
    ASSERT_EQ(vfs_read(null, 0, buffer, sizeof buffer, &done), VFS_OK);
    ASSERT_EQ(done, 0);
    ASSERT_EQ(vfs_set_size(null, 1000), VFS_OK);
    ASSERT_EQ(vfs_size(null), 0);
    vfs_close(null);
    vfs_file *zero = tree_get(files, "dev/zero", TREE_READ);
    expect_bytes(zero, 123456789, 1000, 0);
    vfs_close(zero);
    static const char *const sources[] = {"dev/urandom", "dev/random"};
    for (size_t i = 0; i < 2; i++) {
        vfs_file *source = tree_get(files, sources[i], TREE_READ);
        uint8_t more[1000];
        ASSERT_EQ(vfs_read(source, 0, buffer, sizeof buffer, &done), VFS_OK);
        ASSERT_EQ(done, sizeof buffer);
        ASSERT_EQ(vfs_read(source, 0, more, sizeof more, &done), VFS_OK);
        ASSERT_NE(memcmp(buffer, more, sizeof more), 0);
        vfs_close(source);
    }
    vfs_destroy(files);
}

static void test_gaps_are_zeros_and_free(void)
{
    vfs *files = tree_create(NULL, 100 * CHUNK, 100);
    vfs_file *file = tree_get(files, "data/f", TREE_CREATE);
    write_at(file, 10 * CHUNK + 7, "x");
    ASSERT_EQ_U(vfs_size(file), 10 * CHUNK + 8);
    ASSERT_LE_U(vfs_get_usage(files).bytes, 64);
    expect_bytes(file, 0, 10 * CHUNK + 7, 0);
    expect_bytes(file, 10 * CHUNK + 7, 1, 'x');
    /* inside one chunk */
    write_at(file, 3 * CHUNK + 5000, "y");
    expect_bytes(file, 3 * CHUNK, 5000, 0);
    expect_bytes(file, 3 * CHUNK + 5001, CHUNK, 0);
    ASSERT_EQ(vfs_set_size(file, 99 * CHUNK), VFS_OK);
    expect_bytes(file, 11 * CHUNK, 88 * CHUNK, 0);
    ASSERT_LE_U(vfs_get_usage(files).bytes, 64 + 5056);
    vfs_close(file);
    vfs_destroy(files);
}

/* What was cut off never comes back, at no length. */
static void test_truncation(void)
{
    vfs *files = tree_create(NULL, 10 * CHUNK, 100);
    vfs_file *file = tree_get(files, "data/f", TREE_CREATE);
    static const uint64_t lengths[] = {
        0, 1, 63, 64, 65, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1, 3 * CHUNK};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        ASSERT_EQ(vfs_set_size(file, 0), VFS_OK);
        ASSERT_EQ_U(vfs_get_usage(files).bytes, 0);
        ASSERT_EQ(fill(file, 0, 3 * CHUNK), 3 * CHUNK);
        ASSERT_EQ(vfs_set_size(file, lengths[i]), VFS_OK);
        ASSERT_EQ_U(vfs_size(file), lengths[i]);
        ASSERT_EQ_U(vfs_get_usage(files).bytes, lengths[i]);
        ASSERT_EQ(vfs_set_size(file, 4 * CHUNK), VFS_OK);
        if (lengths[i] > 0) {
            expect_bytes(file, 0, lengths[i], 'w');
        }
        expect_bytes(file, lengths[i], 4 * CHUNK - lengths[i], 0);
        /* Growing by a write past the end. */
        ASSERT_EQ(vfs_set_size(file, lengths[i]), VFS_OK);
        write_at(file, 4 * CHUNK, "e");
        expect_bytes(file, lengths[i], 4 * CHUNK - lengths[i], 0);
    }
    vfs_close(file);
    vfs_destroy(files);
}

static void test_byte_quota(void)
{
    static const uint64_t quotas[] = {1, 1000, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 200001};
    for (size_t i = 0; i < sizeof quotas / sizeof quotas[0]; i++) {
        uint64_t quota = quotas[i];
        vfs *files = tree_create(NULL, quota, 100);
        vfs_file *file = tree_get(files, "data/f", TREE_CREATE);
        /* In one go: exactly the quota fits, one byte more does not. */
        ASSERT_EQ(fill(file, 0, quota), (int64_t)quota);
        ASSERT_EQ_U(vfs_get_usage(files).bytes, quota);
        ASSERT_EQ(fill(file, quota, 1), -VFS_INSUFFICIENT_SPACE);
        ASSERT_EQ(tree_put(files, "tmp/other", "x"), VFS_INSUFFICIENT_SPACE);
        ASSERT_EQ(vfs_set_size(file, quota + 1), VFS_INSUFFICIENT_SPACE);
        expect_bytes(file, 0, quota, 'w');
        ASSERT_EQ(fill(file, 0, quota), (int64_t)quota); /* over itself */
        ASSERT_EQ(vfs_set_size(file, quota - 1), VFS_OK);
        ASSERT_EQ_U(vfs_get_usage(files).bytes, quota - 1);
        ASSERT_EQ(tree_put(files, "tmp/other", "x"), VFS_OK);
        ASSERT_EQ(tree_unlink(files, "tmp/other"), VFS_OK);
        /* More than fits: as much as fits. */
        ASSERT_EQ(vfs_set_size(file, 0), VFS_OK);
        ASSERT_EQ(fill(file, 0, quota + 1), (int64_t)quota);
        ASSERT_EQ(vfs_set_size(file, 0), VFS_OK);
        /* Byte by byte. */
        uint64_t small = quota < 5000 ? quota : 5000;
        for (uint64_t offset = 0; offset < small; offset++) {
            ASSERT_EQ(fill(file, offset, 1), 1);
        }
        if (small == quota) {
            ASSERT_EQ(fill(file, small, 1), -VFS_INSUFFICIENT_SPACE);
        }
        vfs_close(file);
        ASSERT_EQ(tree_unlink(files, "data/f"), VFS_OK);
        ASSERT_EQ_U(vfs_get_usage(files).bytes, 0);
        ASSERT_EQ_U(vfs_get_usage(files).entries, 0);
        vfs_destroy(files);
    }
}

static void test_huge_offsets(void)
{
    vfs *files = tree_create(NULL, 64 << 20, 100);
    vfs_file *file = tree_get(files, "data/f", TREE_CREATE);
    static const uint64_t offsets[] = {(uint64_t)1 << 30, (uint64_t)1 << 40, INT64_MAX - 1};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        ASSERT_EQ(fill(file, offsets[i], 1), -VFS_INSUFFICIENT_SPACE);
        ASSERT_EQ(vfs_set_size(file, offsets[i]), VFS_INSUFFICIENT_SPACE);
    }
    ASSERT_EQ(fill(file, INT64_MAX, 1), -VFS_FILE_TOO_LARGE);
    ASSERT_EQ(fill(file, (uint64_t)INT64_MAX + 1, 1), -VFS_FILE_TOO_LARGE);
    ASSERT_EQ(fill(file, UINT64_MAX - 1, 1), -VFS_FILE_TOO_LARGE);
    ASSERT_EQ(fill(file, UINT64_MAX, 1), -VFS_FILE_TOO_LARGE);
    ASSERT_EQ(vfs_set_size(file, UINT64_MAX), VFS_FILE_TOO_LARGE);
    ASSERT_EQ_U(vfs_size(file), 0);
    ASSERT_EQ_U(vfs_get_usage(files).bytes, 0);
    vfs_close(file);
    vfs_destroy(files);

    /* Without a quota of bytes the table of a very sparse file is what is refused. */
    files = tree_create(NULL, UINT64_MAX, 1000);
    file = tree_get(files, "data/f", TREE_CREATE);
    ASSERT_EQ(fill(file, INT64_MAX - 1, 1), -VFS_FILE_TOO_LARGE);
    ASSERT_EQ(fill(file, (uint64_t)16 << 30, 1), -VFS_FILE_TOO_LARGE);
    ASSERT_EQ(fill(file, ((uint64_t)16 << 30) - 1, 2), 1);
    ASSERT_EQ(vfs_set_size(file, INT64_MAX), VFS_OK);
    expect_bytes(file, INT64_MAX - 100, 100, 0);
    ASSERT_EQ(vfs_set_size(file, (uint64_t)INT64_MAX + 1), VFS_FILE_TOO_LARGE);
    vfs_close(file);
    vfs_destroy(files);
}

/* Many sparse files: their tables are bounded as well. */
static void test_sparse_tables(void)
{
    vfs *files = tree_create(NULL, 64 << 20, 16384);
    char name[32];
    vfs_error error = VFS_OK;
    int made = 0;
    for (; made < 4000 && error == VFS_OK; made++) {
        snprintf(name, sizeof name, "data/%d", made);
        vfs_file *file = tree_get(files, name, TREE_CREATE);
        size_t done;
        error = vfs_write(file, (64 << 20) - 1, (const uint8_t *)"x", 1, &done);
        vfs_close(file);
    }
    ASSERT_EQ(error, VFS_INSUFFICIENT_SPACE);
    ASSERT_GT(made, 100);
    for (int i = 0; i < made; i++) {
        snprintf(name, sizeof name, "data/%d", i);
        ASSERT_EQ(tree_unlink(files, name), VFS_OK);
    }
    /* All of it comes back. */
    vfs_file *file = tree_get(files, "data/f", TREE_CREATE);
    ASSERT_EQ(fill(file, 0, 64 << 20), 64 << 20);
    vfs_close(file);
    vfs_destroy(files);
}

static void test_entry_quota(void)
{
    vfs *files = tree_create(NULL, plenty, 4);
    ASSERT_EQ(tree_put(files, "data/f", ""), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "tmp/d"), VFS_OK);
    ASSERT_EQ(tree_symlink(files, "x", "data/s"), VFS_OK);
    ASSERT_EQ(tree_link(files, "data/f", "data/h"), VFS_OK);
    ASSERT_EQ_U(vfs_get_usage(files).entries, 4);
    ASSERT_EQ(tree_put(files, "data/g", ""), VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(tree_mkdir(files, "data/g"), VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(tree_symlink(files, "x", "data/g"), VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(tree_link(files, "data/f", "data/g"), VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(tree_try(files, "data/g", TREE_READ), VFS_NO_ENTRY);
    ASSERT_EQ_U(vfs_get_usage(files).entries, 4);
    /* Renaming takes no entry, removing gives one back. */
    ASSERT_EQ(tree_rename(files, "data/f", "data/renamed"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "tmp/d", "data/d"), VFS_OK);
    ASSERT_EQ_U(vfs_get_usage(files).entries, 4);
    ASSERT_EQ(tree_rename(files, "data/s", "data/h"), VFS_OK);
    ASSERT_EQ_U(vfs_get_usage(files).entries, 3);
    /* A file that is open keeps its entry after it has lost its name. */
    vfs_file *file = tree_get(files, "data/renamed", TREE_WRITE);
    ASSERT_EQ(tree_unlink(files, "data/renamed"), VFS_OK);
    ASSERT_EQ_U(vfs_get_usage(files).entries, 3);
    vfs_close(file);
    ASSERT_EQ_U(vfs_get_usage(files).entries, 2);
    ASSERT_EQ(tree_rmdir(files, "data/d"), VFS_OK);
    ASSERT_EQ(tree_unlink(files, "data/h"), VFS_OK);
    ASSERT_EQ_U(vfs_get_usage(files).entries, 0);

    vfs_quota quota = {.max_bytes = 1, .max_entries = 1};
    vfs_set_quota(files, &quota);
    ASSERT_EQ(tree_put(files, "data/f", "1"), VFS_OK);
    ASSERT_EQ(tree_put(files, "data/g", ""), VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(tree_put(files, "data/f", ""), VFS_OK);
    vfs_destroy(files);
}

static void test_lowered_quota(void)
{
    vfs *files = tree_create(NULL, plenty, 100);
    ASSERT_EQ(tree_put(files, "data/f", "0123456789"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/d"), VFS_OK);
    vfs_quota none = {.max_bytes = 0, .max_entries = 0};
    vfs_set_quota(files, &none);
    tree_expect(files, "data/f", "0123456789");
    vfs_file *file = tree_get(files, "data/f", TREE_WRITE);
    ASSERT_EQ(fill(file, 10, 1), -VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(vfs_set_size(file, 5), VFS_OK);
    vfs_close(file);
    tree_expect(files, "data/f", "01234");
    ASSERT_EQ(tree_mkdir(files, "data/e"), VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(tree_unlink(files, "data/f"), VFS_OK);
    ASSERT_EQ_U(vfs_get_usage(files).bytes, 0);
    vfs_destroy(files);
}

static void test_open_after_unlink(void)
{
    vfs *files = tree_create(NULL, plenty, 100);
    ASSERT_EQ(tree_put(files, "data/f", "contents"), VFS_OK);
    vfs_file *file = tree_get(files, "data/f", TREE_WRITE);
    vfs_file *second = vfs_retain(file);
    ASSERT_EQ(tree_unlink(files, "data/f"), VFS_OK);
    ASSERT_EQ(tree_try(files, "data/f", TREE_READ), VFS_NO_ENTRY);
    ASSERT_EQ(tree_put(files, "data/f", "another"), VFS_OK);
    write_at(file, 8, "!");
    uint8_t buffer[16];
    size_t got;
    ASSERT_EQ(vfs_read(file, 0, buffer, sizeof buffer, &got), VFS_OK);
    ASSERT_BYTES_EQ(buffer, got, "contents!", 9);
    vfs_status status;
    ASSERT_EQ(vfs_stat(file, &status), VFS_OK);
    ASSERT_EQ_U(status.links, 0);
    uint64_t before = vfs_get_usage(files).bytes;
    vfs_close(file);
    ASSERT_EQ_U(vfs_get_usage(files).bytes, before); /* the other owner's */
    ASSERT_EQ_U(vfs_size(second), 9);
    vfs_close(second);
    ASSERT_EQ_U(vfs_get_usage(files).bytes, 64); /* "another" */
    tree_expect(files, "data/f", "another");
    /* The same when it is renamed over. */
    file = tree_get(files, "data/f", TREE_READ);
    ASSERT_EQ(tree_put(files, "tmp/g", "new"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "tmp/g", "data/f"), VFS_OK);
    ASSERT_EQ(vfs_read(file, 0, buffer, sizeof buffer, &got), VFS_OK);
    ASSERT_BYTES_EQ(buffer, got, "another", 7);
    tree_expect(files, "data/f", "new");
    vfs_close(file);
    ASSERT_EQ_U(vfs_get_usage(files).entries, 1);
    vfs_destroy(files);
}

static void test_rename(void)
{
    vfs *files = tree_create(NULL, plenty, 100);
    ASSERT_EQ(tree_put(files, "data/a", "a"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "data/a", "data/b"), VFS_OK);
    ASSERT_EQ(tree_try(files, "data/a", TREE_READ), VFS_NO_ENTRY);
    tree_expect(files, "data/b", "a");
    ASSERT_EQ(tree_rename(files, "data/b", "data/b"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "data/b", "tmp/c"), VFS_OK);
    tree_expect(files, "tmp/c", "a");
    ASSERT_STR_EQ(tree_list(files, "data"), "");
    /* Directories, with what is in them. */
    ASSERT_EQ(tree_mkdir(files, "data/d"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/d/e"), VFS_OK);
    ASSERT_EQ(tree_put(files, "data/d/e/f", "deep"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "data/d/", "tmp/d2/"), VFS_OK);
    tree_expect(files, "tmp/d2/e/f", "deep");
    tree_expect(files, "tmp/d2/e/../../d2/e/f", "deep");
    ASSERT_EQ(tree_mkdir(files, "data/empty"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "tmp/d2/e", "data/empty"), VFS_OK);
    tree_expect(files, "data/empty/f", "deep");
    tree_expect(files, "data/empty/../empty/f", "deep");
    ASSERT_EQ(tree_rename(files, "tmp/d2", "data/empty"), VFS_NOT_EMPTY);
    ASSERT_EQ(tree_rename(files, "data/empty", "data/empty/x"), VFS_INVALID);
    /* The parent of what is moved. */
    ASSERT_EQ(tree_rename(files, "data/empty/f", "data"), VFS_READ_ONLY);
    ASSERT_EQ(tree_mkdir(files, "data/p"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/p/q"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "data/p/q", "data/p"), VFS_NOT_EMPTY);
    /* Links are moved themselves. */
    ASSERT_EQ(tree_symlink(files, "empty", "data/s"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "data/s", "data/t"), VFS_OK);
    vfs_status status;
    ASSERT_EQ(tree_lstat(files, "data/t", &status), VFS_OK);
    ASSERT_EQ(status.type, VFS_TYPE_SYMBOLIC_LINK);
    ASSERT_EQ(tree_rename(files, "tmp/c", "data/t"), VFS_OK);
    tree_expect(files, "data/t", "a");
    /* Two names of one file: nothing happens. */
    ASSERT_EQ(tree_link(files, "data/t", "data/u"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "data/t", "data/u"), VFS_OK);
    ASSERT_STR_EQ(tree_list(files, "data"), "empty p t u");
    vfs_destroy(files);
}

static void test_hard_links(void)
{
    vfs *files = tree_create(NULL, plenty, 100);
    ASSERT_EQ(tree_put(files, "data/a", "one"), VFS_OK);
    ASSERT_EQ(tree_link(files, "data/a", "tmp/b"), VFS_OK);
    vfs_status a;
    vfs_status b;
    ASSERT_EQ(tree_stat(files, "data/a", &a), VFS_OK);
    ASSERT_EQ(tree_stat(files, "tmp/b", &b), VFS_OK);
    ASSERT_EQ_U(a.identity, b.identity);
    ASSERT_EQ_U(a.links, 2);
    ASSERT_EQ(tree_put(files, "tmp/b", "two"), VFS_OK);
    tree_expect(files, "data/a", "two");
    ASSERT_EQ(tree_unlink(files, "data/a"), VFS_OK);
    tree_expect(files, "tmp/b", "two");
    ASSERT_EQ(tree_stat(files, "tmp/b", &b), VFS_OK);
    ASSERT_EQ_U(b.links, 1);
    ASSERT_EQ_U(vfs_get_usage(files).entries, 1);
    /* To a link itself, or to what it leads to. */
    ASSERT_EQ(tree_symlink(files, "b", "tmp/s"), VFS_OK);
    ASSERT_EQ(tree_link(files, "tmp/s", "tmp/s2"), VFS_OK);
    ASSERT_EQ(tree_lstat(files, "tmp/s2", &a), VFS_OK);
    ASSERT_EQ(a.type, VFS_TYPE_SYMBOLIC_LINK);
    vfs_file *root = vfs_root(files);
    ASSERT_EQ(vfs_make_link(root, "tmp/s", 5, true, root, "tmp/b2", 6), VFS_OK);
    ASSERT_EQ(tree_lstat(files, "tmp/b2", &a), VFS_OK);
    ASSERT_EQ_U(a.identity, b.identity);
    vfs_destroy(files);
}

/* Entries that are there all the time are listed once; the directory changes with every step. */
static void test_listing_while_changing(void)
{
    enum { FILES = 300 };
    vfs *files = tree_create(NULL, plenty, 2000);
    char name[32];
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "data/%d", i);
        ASSERT_EQ(tree_put(files, name, ""), VFS_OK);
    }
    int seen[FILES] = {0};
    vfs_file *directory = tree_get(files, "data", TREE_DIRECTORY);
    uint64_t cursor = 0;
    int others = 0;
    for (int step = 0;; step++) {
        vfs_directory_entry entry;
        bool found;
        ASSERT_EQ(vfs_list(directory, &cursor, &entry, &found), VFS_OK);
        if (!found) {
            break;
        }
        ASSERT_EQ(entry.type, VFS_TYPE_FILE);
        snprintf(name, sizeof name, "%.*s", (int)entry.name_length, entry.name);
        if (name[0] == 'n') {
            others++;
        } else {
            seen[atoi(name)]++;
        }
        /* What is divisible by 3 goes, early or late; new ones come and go. */
        snprintf(name, sizeof name, "data/%d", step * 37 % FILES / 3 * 3);
        vfs_error error = tree_unlink(files, name);
        ASSERT(error == VFS_OK || error == VFS_NO_ENTRY);
        if (step < 100) {
            snprintf(name, sizeof name, "data/n%d", step);
            ASSERT_EQ(tree_put(files, name, ""), VFS_OK);
        }
        snprintf(name, sizeof name, "data/n%d", step / 2);
        tree_unlink(files, name);
    }
    for (int i = 0; i < FILES; i++) {
        ASSERT_LE(seen[i], 1);
        if (i % 3 != 0) {
            ASSERT_EQ(seen[i], 1);
        }
    }
    ASSERT_LE(others, 100);
    vfs_close(directory);
    vfs_destroy(files);
}

static void test_many_names(void)
{
    enum { FILES = 16384 };
    vfs *files = tree_create(NULL, plenty, FILES);
    char name[32];
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "data/file-%d", i);
        ASSERT_EQ(tree_put(files, name, ""), VFS_OK);
    }
    ASSERT_EQ(tree_put(files, "data/one-more", ""), VFS_INSUFFICIENT_SPACE);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "data/file-%d", i);
        vfs_status status;
        ASSERT_EQ(tree_stat(files, name, &status), VFS_OK);
        snprintf(name, sizeof name, "data/fail-%d", i);
        ASSERT_EQ(tree_stat(files, name, &status), VFS_NO_ENTRY);
    }
    for (int i = 0; i < FILES; i++) { /* in an order of its own */
        snprintf(name, sizeof name, "data/file-%d", i * 5 % FILES);
        ASSERT_EQ(tree_unlink(files, name), VFS_OK);
    }
    ASSERT_EQ_U(vfs_get_usage(files).entries, 0);
    ASSERT_STR_EQ(tree_list(files, "data"), "");
    vfs_destroy(files);
}

/* A chain of directories far deeper than a path is long; freeing it must not use up the stack. */
static void test_deep_nesting(void)
{
    enum { DEPTH = 100000 };
    vfs *files = tree_create(NULL, plenty, DEPTH + 10);
    vfs_file *directory = tree_get(files, "data", TREE_DIRECTORY);
    for (int i = 0; i < DEPTH; i++) {
        vfs_file *child;
        ASSERT_EQ(vfs_make_directory(directory, "d", 1), VFS_OK);
        ASSERT_EQ(vfs_open(directory, "d", 1, TREE_DIRECTORY, &child), VFS_OK);
        vfs_close(directory);
        directory = child;
    }
    ASSERT_EQ(vfs_rename(vfs_root(files), "data/d", 6, directory, "x", 1), VFS_LOOP);
    vfs_close(directory);
    ASSERT_EQ(tree_rename(files, "data/d", "tmp/d"), VFS_OK);
    ASSERT_EQ(tree_rmdir(files, "tmp/d"), VFS_NOT_EMPTY);
    ASSERT_EQ_U(vfs_get_usage(files).entries, DEPTH);
    vfs_destroy(files);
}

static bool at_least(vfs_time time, struct timespec reference)
{
    return time.seconds > (uint64_t)reference.tv_sec ||
           (time.seconds == (uint64_t)reference.tv_sec &&
            time.nanoseconds >= (uint32_t)reference.tv_nsec);
}

static struct timespec wait_a_little(void)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    nanosleep(&pause, NULL);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now;
}

static void test_times(void)
{
    vfs *files = tree_create(NULL, plenty, 100);
    vfs_status before;
    vfs_status after;
    ASSERT_EQ(tree_put(files, "data/f", "text"), VFS_OK);
    ASSERT_EQ(tree_stat(files, "data/f", &before), VFS_OK);
    struct timespec mark = wait_a_little();
    tree_expect(files, "data/f", "text");
    ASSERT_EQ(tree_stat(files, "data/f", &after), VFS_OK);
    ASSERT(at_least(after.accessed, mark));
    ASSERT(!at_least(after.modified, mark));
    vfs_file *file = tree_get(files, "data/f", TREE_WRITE);
    ASSERT_EQ(vfs_stat(file, &after), VFS_OK);
    ASSERT(!at_least(after.modified, mark));
    write_at(file, 0, "T");
    ASSERT_EQ(vfs_stat(file, &after), VFS_OK);
    ASSERT(at_least(after.modified, mark));
    ASSERT(at_least(after.changed, mark));
    /* Set to what one likes, but for the time of change. */
    vfs_new_time old = {.kind = VFS_TIME_SET, .time = {.seconds = 86400, .nanoseconds = 5}};
    vfs_new_time keep = {.kind = VFS_TIME_KEEP};
    vfs_new_time now = {.kind = VFS_TIME_NOW};
    vfs_new_time wrong = {.kind = VFS_TIME_SET, .time = {.nanoseconds = 1000000000}};
    ASSERT_EQ(vfs_set_times(file, &keep, &old), VFS_OK);
    ASSERT_EQ(vfs_stat(file, &after), VFS_OK);
    ASSERT_EQ_U(after.modified.seconds, 86400);
    ASSERT_EQ_U(after.modified.nanoseconds, 5);
    ASSERT(at_least(after.accessed, mark));
    ASSERT(at_least(after.changed, mark));
    ASSERT_EQ(vfs_set_times(file, &wrong, &keep), VFS_INVALID);
    ASSERT_EQ(vfs_set_times(file, &keep, &wrong), VFS_INVALID);
    mark = wait_a_little();
    ASSERT_EQ(vfs_set_times_at(vfs_root(files), "data/f", 6, true, &old, &now), VFS_OK);
    ASSERT_EQ(vfs_stat(file, &after), VFS_OK);
    ASSERT_EQ_U(after.accessed.seconds, 86400);
    ASSERT(at_least(after.modified, mark));
    vfs_close(file);
    /* A link has times of its own. */
    ASSERT_EQ(tree_symlink(files, "f", "data/s"), VFS_OK);
    ASSERT_EQ(vfs_set_times_at(vfs_root(files), "data/s", 6, false, &old, &old), VFS_OK);
    ASSERT_EQ(tree_lstat(files, "data/s", &after), VFS_OK);
    ASSERT_EQ_U(after.modified.seconds, 86400);
    ASSERT_EQ(tree_stat(files, "data/s", &after), VFS_OK);
    ASSERT(at_least(after.modified, mark));
    /* A directory changes with its names. */
    mark = wait_a_little();
    ASSERT_EQ(tree_stat(files, "data", &before), VFS_OK);
    ASSERT(!at_least(before.modified, mark));
    ASSERT_EQ(tree_put(files, "data/new", ""), VFS_OK);
    ASSERT_EQ(tree_stat(files, "data", &after), VFS_OK);
    ASSERT(at_least(after.modified, mark));
    mark = wait_a_little();
    ASSERT_EQ(tree_unlink(files, "data/new"), VFS_OK);
    ASSERT_EQ(tree_stat(files, "data", &after), VFS_OK);
    ASSERT(at_least(after.modified, mark));
    vfs_destroy(files);
}

static unsigned mode_of(vfs *files, const char *path)
{
    vfs_status status;
    ASSERT_EQ(tree_lstat(files, path, &status), VFS_OK);
    return status.mode;
}

/* Kept as they are set, and never looked at. */
static void test_modes(void)
{
    archive *stdlib = archive_sample();
    vfs *files = tree_create(stdlib, plenty, 100);
    ASSERT_EQ(tree_put(files, "data/f", "text"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/d"), VFS_OK);
    ASSERT_EQ(tree_symlink(files, "f", "data/s"), VFS_OK);
    ASSERT_EQ(mode_of(files, "data/f"), 0644);
    ASSERT_EQ(mode_of(files, "data/d"), 0755);
    ASSERT_EQ(mode_of(files, "data/s"), 0777);
    ASSERT_EQ(mode_of(files, "tmp"), 0755);
    ASSERT_EQ(mode_of(files, "."), 0755);
    ASSERT_EQ(mode_of(files, "dev/null"), 0666);
    ASSERT_EQ(mode_of(files, "python-stdlib/re"), 0755);
    ASSERT_EQ(mode_of(files, "python-stdlib/os.pyc"), 0644);
    /* By path through links, by an open file, and with nothing but permission bits. */
    ASSERT_EQ(vfs_set_mode_at(vfs_root(files), "data/s", 6, 0100000 | 04400), VFS_OK);
    ASSERT_EQ(mode_of(files, "data/f"), 04400);
    ASSERT_EQ(mode_of(files, "data/s"), 0777);
    vfs_file *file = tree_get(files, "data/f", TREE_WRITE);
    ASSERT_EQ(vfs_set_mode(file, 0), VFS_OK);
    ASSERT_EQ(mode_of(files, "data/f"), 0);
    vfs_close(file);
    tree_expect(files, "data/f", "text");
    ASSERT_EQ(vfs_set_mode_at(vfs_root(files), "data/no", 7, 0600), VFS_NO_ENTRY);
    ASSERT_EQ(vfs_set_mode_at(vfs_root(files), "python-stdlib/re", 16, 0600), VFS_READ_ONLY);
    ASSERT_EQ(vfs_set_mode_at(vfs_root(files), "dev/null", 8, 0600), VFS_READ_ONLY);
    /* What is made gets what was said, and what is there keeps what it has. */
    vfs_set_mode_of_new(files, 0600);
    ASSERT_EQ(tree_put(files, "data/f", "new"), VFS_OK);
    ASSERT_EQ(tree_put(files, "data/g", ""), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "tmp/e"), VFS_OK);
    vfs_set_mode_of_new(files, VFS_MODE_USUAL);
    ASSERT_EQ(tree_put(files, "data/h", ""), VFS_OK);
    ASSERT_EQ(mode_of(files, "data/f"), 0);
    ASSERT_EQ(mode_of(files, "data/g"), 0600);
    ASSERT_EQ(mode_of(files, "tmp/e"), 0600);
    ASSERT_EQ(mode_of(files, "data/h"), 0644);
    vfs_destroy(files);
    archive_close(stdlib);
}

/* No two files of one tree are the same, and none is like one that is gone. */
static void test_identity(void)
{
    archive *stdlib = archive_sample();
    vfs *files = tree_create(stdlib, plenty, 100);
    static const char *const paths[] = {
        ".",
        "data",
        "tmp",
        "dev",
        "dev/null",
        "dev/zero",
        "dev/random",
        "dev/urandom",
        "site-packages",
        "python-stdlib",
        "python-stdlib/os.pyc",
        "python-stdlib/re",
        "python-stdlib/encodings",
        "python-stdlib/encodings/utf_8.pyc",
        "data/f",
        "tmp/f",
        "data/g",
    };
    enum { PATHS = sizeof paths / sizeof paths[0] };
    ASSERT_EQ(tree_put(files, "data/gone", ""), VFS_OK);
    vfs_status gone;
    ASSERT_EQ(tree_stat(files, "data/gone", &gone), VFS_OK);
    ASSERT_EQ(tree_unlink(files, "data/gone"), VFS_OK);
    ASSERT_EQ(tree_put(files, "data/f", ""), VFS_OK);
    ASSERT_EQ(tree_put(files, "tmp/f", ""), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/g"), VFS_OK);
    uint64_t identities[PATHS];
    for (size_t i = 0; i < PATHS; i++) {
        vfs_status status;
        ASSERT_EQ(tree_stat(files, paths[i], &status), VFS_OK);
        ASSERT_NE_U(status.identity, gone.identity);
        identities[i] = status.identity;
        for (size_t j = 0; j < i; j++) {
            ASSERT_NE_U(identities[i], identities[j]);
        }
    }
    /* And they stay the same. */
    ASSERT_EQ(tree_rename(files, "data/f", "tmp/renamed"), VFS_OK);
    vfs_status status;
    ASSERT_EQ(tree_stat(files, "tmp/renamed", &status), VFS_OK);
    ASSERT_EQ_U(status.identity, identities[14]);
    ASSERT_EQ(tree_stat(files, "python-stdlib/../python-stdlib/./re/", &status), VFS_OK);
    ASSERT_EQ_U(status.identity, identities[11]);
    vfs_destroy(files);
    archive_close(stdlib);
}

TEST_MAIN(TEST_CASE(test_reads_and_writes), TEST_CASE(test_access), TEST_CASE(test_devices),
          TEST_CASE(test_gaps_are_zeros_and_free), TEST_CASE(test_truncation),
          TEST_CASE(test_byte_quota), TEST_CASE(test_huge_offsets), TEST_CASE(test_sparse_tables),
          TEST_CASE(test_entry_quota), TEST_CASE(test_lowered_quota),
          TEST_CASE(test_open_after_unlink), TEST_CASE(test_rename), TEST_CASE(test_hard_links),
          TEST_CASE(test_listing_while_changing), TEST_CASE(test_many_names),
          TEST_CASE(test_deep_nesting), TEST_CASE(test_times), TEST_CASE(test_modes),
          TEST_CASE(test_identity))
