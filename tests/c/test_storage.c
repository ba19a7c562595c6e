/* Storages: the embedder's calls, sharing, copies, bytes. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eryx/eryx.h"
#include "storage_bytes.h"
#include "vfs/storage.h"
#include "vfs_tree.h"

enum { MIB = 1 << 20 };

static eryx_storage *make(uint64_t max_bytes, uint64_t max_entries)
{
    eryx_storage *storage;
    ASSERT_EQ(eryx_storage_create(max_bytes, max_entries, &storage), ERYX_FILE_OK);
    return storage;
}

static eryx_file_error put(eryx_storage *storage, const char *path, const char *text)
{
    return eryx_storage_write(storage, path, (const uint8_t *)text, strlen(text));
}

static void expect(eryx_storage *storage, const char *path, const char *text)
{
    uint8_t *data;
    size_t size;
    eryx_file_error error = eryx_storage_read(storage, path, &data, &size);
    if (error != ERYX_FILE_OK) {
        test_fail(__FILE__, __LINE__, "reading %s: error %d", path, (int)error);
    }
    ASSERT_BYTES_EQ(data, size, text, strlen(text));
    eryx_free(data);
}

static eryx_file_error try_read(eryx_storage *storage, const char *path)
{
    uint8_t *data;
    size_t size;
    eryx_file_error error = eryx_storage_read(storage, path, &data, &size);
    if (error == ERYX_FILE_OK) {
        eryx_free(data);
    }
    return error;
}

/* The names of a directory, joined with spaces. */
static const char *names(eryx_storage *storage, const char *path)
{
    static char text[4096];
    eryx_storage_entry *entries;
    size_t count;
    ASSERT_EQ(eryx_storage_list(storage, path, &entries, &count), ERYX_FILE_OK);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(text, i > 0 ? " " : "");
        strcat(text, entries[i].name);
    }
    eryx_free(entries);
    return text;
}

static eryx_storage_usage usage(eryx_storage *storage)
{
    eryx_storage_usage used;
    ASSERT_EQ(eryx_storage_get_usage(storage, &used), ERYX_FILE_OK);
    return used;
}

/* A tree of files that has the storage mounted at /data. */
static vfs *mount(eryx_storage *storage, bool read_only)
{
    vfs *files = tree_create(NULL, MIB, 100);
    vfs_mounts *mounts;
    ASSERT_EQ(vfs_mounts_create(&mounts), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/data", storage, read_only), VFS_OK);
    ASSERT_EQ(vfs_use_mounts(files, mounts), VFS_OK);
    vfs_mounts_release(mounts);
    return files;
}

static void test_write_read_list_remove(void)
{
    eryx_storage *storage = make(MIB, 100);
    ASSERT_EQ(put(storage, "a.txt", "first"), ERYX_FILE_OK);
    ASSERT_EQ(put(storage, "/b/c/d.txt", "deep"), ERYX_FILE_OK);
    ASSERT_EQ(put(storage, "a.txt", "second"), ERYX_FILE_OK);
    expect(storage, "/a.txt", "second");
    expect(storage, "b//c/./d.txt", "deep");
    ASSERT_STR_EQ(names(storage, "/"), "a.txt b");
    ASSERT_STR_EQ(names(storage, "b/c"), "d.txt");
    ASSERT_EQ(try_read(storage, "b"), ERYX_FILE_IS_DIRECTORY);
    ASSERT_EQ(try_read(storage, "nothing"), ERYX_FILE_NOT_FOUND);
    ASSERT_EQ(try_read(storage, "no/thing"), ERYX_FILE_NOT_FOUND);
    ASSERT_EQ(try_read(storage, "a.txt/x"), ERYX_FILE_NOT_DIRECTORY);
    ASSERT_EQ(put(storage, "b", "x"), ERYX_FILE_IS_DIRECTORY);
    ASSERT_EQ(put(storage, "/", "x"), ERYX_FILE_IS_DIRECTORY);
    ASSERT_EQ(put(storage, "a.txt/x", "x"), ERYX_FILE_NOT_DIRECTORY);
    ASSERT_EQ(put(storage, "../x", "x"), ERYX_FILE_NOT_PERMITTED);
    ASSERT_EQ(put(storage, "\xff", "x"), ERYX_FILE_INVALID);
    ASSERT_EQ(eryx_storage_remove(storage, "b"), ERYX_FILE_NOT_EMPTY);
    ASSERT_EQ(eryx_storage_remove(storage, "b/c/d.txt"), ERYX_FILE_OK);
    ASSERT_EQ(eryx_storage_remove(storage, "b/c"), ERYX_FILE_OK);
    ASSERT_EQ(eryx_storage_remove(storage, "b/c"), ERYX_FILE_NOT_FOUND);
    ASSERT_STR_EQ(names(storage, ""), "a.txt b");
    eryx_storage_destroy(storage);
}

static void test_a_write_over_the_quota_changes_nothing(void)
{
    eryx_storage *storage = make(1000, 3);
    char text[1200];
    memset(text, 'x', sizeof text);
    text[900] = '\0';
    ASSERT_EQ(put(storage, "a", text), ERYX_FILE_OK);
    uint64_t before = usage(storage).bytes;
    ASSERT_EQ(put(storage, "b", text), ERYX_FILE_NO_SPACE);
    ASSERT_EQ(try_read(storage, "b"), ERYX_FILE_NOT_FOUND);
    ASSERT_EQ_U(usage(storage).bytes, before);
    /* What is replaced does not count against what comes. */
    text[0] = 'y';
    ASSERT_EQ(put(storage, "a", text), ERYX_FILE_OK);
    expect(storage, "a", text);
    text[900] = 'x';
    text[1100] = '\0';
    ASSERT_EQ(put(storage, "a", text), ERYX_FILE_NO_SPACE);
    text[900] = '\0';
    expect(storage, "a", text);
    ASSERT_EQ(put(storage, "b", ""), ERYX_FILE_OK);
    ASSERT_EQ(put(storage, "c", ""), ERYX_FILE_OK);
    ASSERT_EQ(put(storage, "d", ""), ERYX_FILE_NO_SPACE);
    ASSERT_EQ(eryx_storage_remove(storage, "a"), ERYX_FILE_OK);
    ASSERT_EQ_U(usage(storage).bytes, 0);
    ASSERT_EQ_U(usage(storage).entries, 2);
    eryx_storage_destroy(storage);
}

static void test_trees_share_a_storage(void)
{
    eryx_storage *storage = make(MIB, 100);
    vfs *first = mount(storage, false);
    vfs *second = mount(storage, false);
    vfs *reader = mount(storage, true);
    ASSERT_EQ(tree_put(first, "data/x", "one"), VFS_OK);
    tree_expect(second, "data/x", "one");
    expect(storage, "x", "one");
    vfs_file *open = tree_get(second, "data/x", TREE_READ);
    ASSERT_EQ(put(storage, "x", "two"), ERYX_FILE_OK);
    tree_expect(first, "data/x", "two");
    ASSERT_EQ(eryx_storage_remove(storage, "x"), ERYX_FILE_OK);
    uint8_t buffer[8];
    size_t got;
    ASSERT_EQ(vfs_read(open, 0, buffer, sizeof buffer, &got), VFS_OK);
    ASSERT_BYTES_EQ(buffer, got, "two", 3);
    vfs_close(open);
    ASSERT_EQ_U(usage(storage).bytes, 0);
    ASSERT_EQ(tree_put(reader, "data/x", "three"), VFS_READ_ONLY);
    ASSERT_EQ(tree_mkdir(reader, "data/d"), VFS_READ_ONLY);
    ASSERT_EQ(tree_put(first, "tmp/x", "private"), VFS_OK);
    ASSERT_EQ(tree_try(second, "tmp/x", TREE_READ), VFS_NO_ENTRY);
    ASSERT_EQ(tree_rename(first, "tmp/x", "data/x"), VFS_CROSS_DEVICE);
    eryx_storage_destroy(storage); /* the trees keep it */
    ASSERT_EQ(tree_put(first, "data/y", "four"), VFS_OK);
    tree_expect(reader, "data/y", "four");
    vfs_destroy(first);
    vfs_destroy(second);
    vfs_destroy(reader);
}

static void test_mount_paths(void)
{
    static const struct {
        const char *path;
        vfs_error error;
    } cases[] = {
        {"/data", VFS_OK},
        {"/mnt/deep/in", VFS_OK},
        {"/mnt/deep/out", VFS_OK},
        {"/data", VFS_EXIST},
        {"/", VFS_INVALID},
        {"", VFS_INVALID},
        {"data", VFS_INVALID},
        {"//x", VFS_INVALID},
        {"/x/", VFS_INVALID},
        {"/x/../y", VFS_INVALID},
        {"/./x", VFS_INVALID},
        {"/dev", VFS_INVALID},
        {"/dev/null", VFS_INVALID},
        {"/dev/x", VFS_INVALID},
        {"/python-stdlib", VFS_INVALID},
        {"/site-packages/x", VFS_INVALID},
        {"/\xff", VFS_INVALID},
    };
    eryx_storage *storage = make(MIB, 100);
    vfs_mounts *mounts;
    ASSERT_EQ(vfs_mounts_create(&mounts), VFS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vfs_error error = vfs_mounts_add_storage(mounts, cases[i].path, storage, false);
        if (error != cases[i].error) {
            test_fail(__FILE__, __LINE__, "%s: %d", cases[i].path, (int)error);
        }
    }
    vfs *files = tree_create(NULL, MIB, 100);
    ASSERT_EQ(vfs_use_mounts(files, mounts), VFS_OK);
    vfs_mounts_release(mounts);
    ASSERT_STR_EQ(tree_list(files, "."), "python-stdlib site-packages data tmp dev mnt");
    ASSERT_STR_EQ(tree_list(files, "mnt/deep"), "in out");
    ASSERT_EQ(tree_put(files, "mnt/deep/in/f", "x"), VFS_OK);
    tree_expect(files, "data/f", "x");
    tree_expect(files, "mnt/deep/in/../out/f", "x");
    ASSERT_EQ(tree_put(files, "mnt/f", "x"), VFS_READ_ONLY);
    ASSERT_EQ(tree_rmdir(files, "mnt/deep/in"), VFS_READ_ONLY);
    ASSERT_EQ(tree_link(files, "data/f", "mnt/deep/out/g"), VFS_OK);
    eryx_storage_destroy(storage);
    vfs_destroy(files);
}

/* A mount in the root of another, deeper in it, and above one that was there first. */
static void test_mounts_under_mounts(void)
{
    eryx_storage *outer = make(MIB, 100);
    eryx_storage *inner = make(MIB, 100);
    ASSERT_EQ(put(outer, "x/hidden", "x"), ERYX_FILE_OK);
    ASSERT_EQ(put(outer, "seen", "s"), ERYX_FILE_OK);
    ASSERT_EQ(put(inner, "f", "inner"), ERYX_FILE_OK);
    vfs_mounts *mounts;
    ASSERT_EQ(vfs_mounts_create(&mounts), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/data/x", inner, false), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/data", outer, false), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/data/a/b", inner, true), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/data/x/y", outer, false), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/tmp/t", inner, false), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_storage(mounts, "/data/x", outer, false), VFS_EXIST);
    char path[VFS_PATH_MAX + 1];
    ASSERT_EQ_U(vfs_source_path(mounts, 3, path), 9);
    ASSERT_STR_EQ(path, "/data/x/y");
    ASSERT(!vfs_mounts_find_file_above(mounts, path));
    vfs *files = tree_create(NULL, MIB, 100);
    ASSERT_EQ(vfs_use_mounts(files, mounts), VFS_OK);
    vfs_mounts_release(mounts);

    ASSERT_STR_EQ(tree_list(files, "data"), "seen x a");
    ASSERT_STR_EQ(tree_list(files, "data/x"), "f y");
    ASSERT_STR_EQ(tree_list(files, "data/x/y"), "x seen");
    ASSERT_STR_EQ(tree_list(files, "data/a"), "b");
    ASSERT_STR_EQ(tree_list(files, "tmp"), "t");
    tree_expect(files, "data/x/f", "inner");
    tree_expect(files, "data/x/y/x/hidden", "x");
    tree_expect(files, "data/x/y/../../seen", "s");
    tree_expect(files, "data/a/b/../../x/../seen", "s");
    tree_expect(files, "tmp/t/../t/f", "inner");

    /* What leads to a mount, and the mount itself, stays where it is. */
    ASSERT_EQ(tree_rmdir(files, "data/x"), VFS_BUSY);
    ASSERT_EQ(tree_rmdir(files, "data/a"), VFS_BUSY);
    ASSERT_EQ(tree_rmdir(files, "data/a/b"), VFS_READ_ONLY);
    ASSERT_EQ(tree_rename(files, "data/x", "data/z"), VFS_BUSY);
    ASSERT_EQ(tree_rename(files, "data/seen", "data/a"), VFS_BUSY);
    ASSERT_EQ(tree_put(files, "data/a/new", "n"), VFS_READ_ONLY);
    ASSERT_EQ(tree_put(files, "data/a/b/new", "n"), VFS_READ_ONLY);
    ASSERT_EQ(tree_mkdir(files, "data/x"), VFS_EXIST);

    /* Across: as between any two; the same storage in two places is one. */
    ASSERT_EQ(tree_rename(files, "data/x/f", "data/f"), VFS_CROSS_DEVICE);
    ASSERT_EQ(tree_rename(files, "data/x/f", "tmp/t/g"), VFS_OK);
    ASSERT_EQ(tree_rename(files, "data/seen", "data/x/y/moved"), VFS_OK);
    ASSERT_STR_EQ(tree_list(files, "data"), "moved x a");
    ASSERT_EQ(tree_rename(files, "data/x/y/x", "data/x/y/x/in"), VFS_INVALID);
    expect(inner, "g", "inner");

    /* Hidden, not gone. */
    expect(outer, "x/hidden", "x");
    vfs_destroy(files);
    eryx_storage_destroy(outer);
    eryx_storage_destroy(inner);
}

static void test_a_fork_goes_its_own_way(void)
{
    eryx_storage *storage = make(16 * MIB, 1000);
    size_t size = 3 * MEMORY_CHUNK_SIZE + 5;
    uint8_t *large = malloc(size);
    ASSERT_NOT_NULL(large);
    memset(large, 'L', size);
    ASSERT_EQ(eryx_storage_write(storage, "large", large, size), ERYX_FILE_OK);
    vfs *files = mount(storage, false);
    ASSERT_EQ(tree_link(files, "data/large", "data/again"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/d"), VFS_OK);
    ASSERT_EQ(tree_symlink(files, "../large", "data/d/link"), VFS_OK);

    eryx_storage *copy;
    ASSERT_EQ(eryx_storage_fork(storage, &copy), ERYX_FILE_OK);
    ASSERT_EQ_U(usage(copy).bytes, usage(storage).bytes);
    ASSERT_EQ_U(usage(copy).entries, usage(storage).entries);
    vfs *copied = mount(copy, false);
    vfs_file *file = tree_get(files, "data/large", TREE_WRITE);
    size_t done;
    ASSERT_EQ(vfs_write(file, MEMORY_CHUNK_SIZE, (const uint8_t *)"changed", 7, &done), VFS_OK);
    ASSERT_EQ(vfs_set_size(file, 2 * MEMORY_CHUNK_SIZE - 3), VFS_OK);
    vfs_close(file);
    ASSERT_EQ(put(copy, "new", "of the copy"), ERYX_FILE_OK);

    uint8_t *data;
    size_t got;
    ASSERT_EQ(eryx_storage_read(copy, "d/link", &data, &got), ERYX_FILE_OK);
    ASSERT_BYTES_EQ(data, got, large, size);
    eryx_free(data);
    ASSERT_EQ(try_read(storage, "new"), ERYX_FILE_NOT_FOUND);
    /* Extending what was cut gives zeros, not what others have there. */
    file = tree_get(files, "data/large", TREE_WRITE);
    ASSERT_EQ(vfs_set_size(file, 2 * MEMORY_CHUNK_SIZE + 1), VFS_OK);
    vfs_close(file);
    ASSERT_EQ(eryx_storage_read(storage, "again", &data, &got), ERYX_FILE_OK);
    ASSERT_EQ_U(got, 2 * MEMORY_CHUNK_SIZE + 1);
    ASSERT_BYTES_EQ(data + MEMORY_CHUNK_SIZE, 8, "changedL", 8);
    ASSERT_BYTES_EQ(data + 2 * MEMORY_CHUNK_SIZE - 4, 5, "L\0\0\0\0", 5);
    eryx_free(data);
    /* The two names are still one file in the copy. */
    ASSERT_EQ(tree_put(copied, "data/again", "both"), VFS_OK);
    expect(copy, "large", "both");
    vfs_destroy(files);
    vfs_destroy(copied);
    eryx_storage_destroy(storage);
    expect(copy, "new", "of the copy");
    eryx_storage_destroy(copy);
    free(large);
}

static eryx_storage *sample(void)
{
    eryx_storage *storage = make(MIB, 100);
    vfs *files = mount(storage, false);
    ASSERT_EQ(tree_mkdir(files, "data/d"), VFS_OK);
    ASSERT_EQ(tree_mkdir(files, "data/d/e"), VFS_OK);
    ASSERT_EQ(tree_put(files, "data/d/e/f", "contents"), VFS_OK);
    ASSERT_EQ(tree_link(files, "data/d/e/f", "data/same"), VFS_OK);
    ASSERT_EQ(tree_symlink(files, "d/e", "data/link"), VFS_OK);
    vfs_file *file = tree_get(files, "data/sparse", TREE_CREATE);
    size_t done;
    ASSERT_EQ(vfs_write(file, 196700, (const uint8_t *)"end", 3, &done), VFS_OK);
    vfs_close(file);
    vfs_destroy(files);
    return storage;
}

static void test_bytes_and_back(void)
{
    eryx_storage *storage = sample();
    uint8_t *data;
    size_t size;
    ASSERT_EQ(eryx_storage_to_bytes(storage, &data, &size), ERYX_FILE_OK);
    ASSERT_LT(size, 1000);
    eryx_storage *copy;
    ASSERT_EQ(eryx_storage_from_bytes(data, size, MIB, 100, &copy), ERYX_FILE_OK);
    ASSERT_STR_EQ(names(copy, ""), "d link same sparse");
    expect(copy, "link/f", "contents");
    ASSERT_EQ(put(copy, "same", "changed"), ERYX_FILE_OK);
    expect(copy, "d/e/f", "changed");
    uint8_t *sparse;
    size_t got;
    ASSERT_EQ(eryx_storage_read(copy, "sparse", &sparse, &got), ERYX_FILE_OK);
    ASSERT_EQ_U(got, 196703);
    ASSERT_BYTES_EQ(sparse + 196699, 4, "\0end", 4);
    eryx_free(sparse);
    ASSERT_EQ_U(usage(copy).entries, usage(storage).entries);
    eryx_storage_destroy(copy);
    ASSERT_EQ(eryx_storage_from_bytes(data, size, 4, 100, &copy), ERYX_FILE_NO_SPACE);
    ASSERT_EQ(eryx_storage_from_bytes(data, size, MIB, 3, &copy), ERYX_FILE_NO_SPACE);
    eryx_free(data);
    eryx_storage_destroy(storage);
}

static unsigned mode_of(eryx_storage *storage, const char *path)
{
    vfs *files = mount(storage, false);
    vfs_status status;
    ASSERT_EQ(tree_stat(files, path, &status), VFS_OK);
    vfs_destroy(files);
    return status.mode;
}

static void test_modes_are_kept_in_copies_and_bytes(void)
{
    eryx_storage *storage = sample();
    vfs *files = mount(storage, false);
    ASSERT_EQ(vfs_set_mode_at(vfs_root(files), "data/same", 9, 0600), VFS_OK);
    ASSERT_EQ(vfs_set_mode_at(vfs_root(files), "data/d/e", 8, 01700), VFS_OK);
    ASSERT_EQ(vfs_set_mode_at(vfs_root(files), "data", 4, 0711), VFS_OK);
    vfs_destroy(files);
    eryx_storage *copy;
    ASSERT_EQ(eryx_storage_fork(storage, &copy), ERYX_FILE_OK);
    ASSERT_EQ(mode_of(copy, "data/d/e/f"), 0600);
    ASSERT_EQ(mode_of(copy, "data/d/e"), 01700);
    ASSERT_EQ(mode_of(copy, "data"), 0711);
    ASSERT_EQ(mode_of(copy, "data/sparse"), 0644);
    eryx_storage_destroy(copy);
    uint8_t *data;
    size_t size;
    ASSERT_EQ(eryx_storage_to_bytes(storage, &data, &size), ERYX_FILE_OK);
    eryx_storage_destroy(storage);
    ASSERT_EQ(eryx_storage_from_bytes(data, size, MIB, 100, &copy), ERYX_FILE_OK);
    eryx_free(data);
    ASSERT_EQ(mode_of(copy, "data/d/e/f"), 0600);
    ASSERT_EQ(mode_of(copy, "data/d/e"), 01700);
    ASSERT_EQ(mode_of(copy, "data/sparse"), 0644);
    eryx_storage_destroy(copy);
}

/* Bytes of before files had modes. */
static void test_bytes_without_modes_are_read(void)
{
    enum { RECORDS = 1 + 1 + 2 + 1 + 8 + 4 + 8 + 4 + 1 };
    uint8_t data[STORAGE_HEADER_BYTES + RECORDS] = "ERYXFILE\1";
    uint8_t *record = data + STORAGE_HEADER_BYTES;
    record[0] = 1; /* a file */
    record[2] = 1; /* length of its name */
    record[4] = 'f';
    record[RECORDS - 1] = 5; /* the end */
    storage_bytes_seal(data, sizeof data);
    eryx_storage *storage;
    ASSERT_EQ(eryx_storage_from_bytes(data, sizeof data, MIB, 100, &storage), ERYX_FILE_OK);
    expect(storage, "f", "");
    ASSERT_EQ(mode_of(storage, "data/f"), 0644);
    eryx_storage_destroy(storage);
}

static void test_damaged_bytes_are_refused(void)
{
    eryx_storage *storage = sample();
    uint8_t *data;
    size_t size;
    eryx_storage *copy;
    ASSERT_EQ(eryx_storage_to_bytes(storage, &data, &size), ERYX_FILE_OK);
    eryx_storage_destroy(storage);
    uint8_t *damaged = malloc(size);
    ASSERT_NOT_NULL(damaged);
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(damaged, data, size);
            damaged[i] ^= (uint8_t)(1 << bit);
            ASSERT_EQ(eryx_storage_from_bytes(damaged, size, MIB, 100, &copy), ERYX_FILE_INVALID);
            /* Forged ones give an error or some storage, within the quota. */
            storage_bytes_seal(damaged, size);
            if (eryx_storage_from_bytes(damaged, size, MIB, 100, &copy) == ERYX_FILE_OK) {
                ASSERT_LE_U(usage(copy).bytes, MIB);
                eryx_storage_destroy(copy);
            }
        }
        memcpy(damaged, data, size);
        ASSERT_EQ(eryx_storage_from_bytes(damaged, i, MIB, 100, &copy), ERYX_FILE_INVALID);
        if (i > 28) {
            storage_bytes_seal(damaged, i);
            ASSERT_NE(eryx_storage_from_bytes(damaged, i, MIB, 100, &copy), ERYX_FILE_OK);
        }
    }
    free(damaged);
    eryx_free(data);
}

static void test_a_child_process_is_told(void)
{
    eryx_storage *storage = make(MIB, 100);
    ASSERT_EQ(put(storage, "x", "y"), ERYX_FILE_OK);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        bool told = try_read(storage, "x") == ERYX_FILE_FORKED &&
                    put(storage, "x", "z") == ERYX_FILE_FORKED;
        eryx_storage_destroy(storage);
        _exit(told ? 0 : 1);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    expect(storage, "x", "y");
    eryx_storage_destroy(storage);
}

enum { ROUNDS = 2000 };

/* Does to shared names all that can be done to them, with a tree of its own. */
static void *disturb(void *argument)
{
    eryx_storage *storage = argument;
    vfs *files = mount(storage, false);
    for (int i = 0; i < ROUNDS; i++) {
        (void)tree_mkdir(files, "data/d");
        ASSERT_NE(tree_put(files, "data/a", "aaaa"), VFS_EXIST);
        (void)tree_rename(files, "data/a", "data/d/b");
        (void)tree_rename(files, "data/d/b", "data/c");
        (void)tree_link(files, "data/c", "data/a");
        (void)tree_unlink(files, "data/c");
        (void)tree_unlink(files, "data/d/b");
        (void)tree_rmdir(files, "data/d");
        (void)tree_list(files, "data") /* the static buffer is not looked at */;
    }
    vfs_destroy(files);
    return NULL;
}

static void *disturb_from_outside(void *argument)
{
    eryx_storage *storage = argument;
    for (int i = 0; i < ROUNDS; i++) {
        ASSERT_EQ(put(storage, "always", "1234"), ERYX_FILE_OK);
        expect(storage, "always", "1234");
        (void)put(storage, "d/b", "outside");
        eryx_storage *copy;
        ASSERT_EQ(eryx_storage_fork(storage, &copy), ERYX_FILE_OK);
        eryx_storage_destroy(copy);
        (void)eryx_storage_remove(storage, "a");
    }
    return NULL;
}

static void test_threads(void)
{
    eryx_storage *storage = make(MIB, 100);
    pthread_t threads[2];
    ASSERT_EQ(pthread_create(&threads[0], NULL, disturb, storage), 0);
    ASSERT_EQ(pthread_create(&threads[1], NULL, disturb_from_outside, storage), 0);
    for (int i = 0; i < 2; i++) {
        ASSERT_EQ(pthread_join(threads[i], NULL), 0);
    }
    /* Nothing was lost on the way: when all names are gone all is given back. */
    static const char *const left[] = {"always", "a", "c", "d/b", "d"};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        (void)eryx_storage_remove(storage, left[i]);
    }
    ASSERT_STR_EQ(names(storage, ""), "");
    ASSERT_EQ_U(usage(storage).bytes, 0);
    ASSERT_EQ_U(usage(storage).entries, 0);
    eryx_storage_destroy(storage);
}

TEST_MAIN(TEST_CASE(test_write_read_list_remove),
          TEST_CASE(test_a_write_over_the_quota_changes_nothing),
          TEST_CASE(test_trees_share_a_storage), TEST_CASE(test_mount_paths),
          TEST_CASE(test_mounts_under_mounts), TEST_CASE(test_a_fork_goes_its_own_way),
          TEST_CASE(test_bytes_and_back), TEST_CASE(test_modes_are_kept_in_copies_and_bytes),
          TEST_CASE(test_bytes_without_modes_are_read), TEST_CASE(test_damaged_bytes_are_refused),
          TEST_CASE(test_a_child_process_is_told), TEST_CASE(test_threads))
