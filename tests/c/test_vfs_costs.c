/* That no path, file or directory makes one operation take long, whatever a guest has built. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfs/internal.h"
#include "vfs_tree.h"

enum { LINKS = VFS_SYMBOLIC_LINKS_MAX };

/* A path of the longest length that goes to and fro between a directory and what is above it. */
static size_t fill_to_and_fro(char *path, const char *unit, const char *end)
{
    size_t unit_length = strlen(unit);
    size_t end_length = strlen(end);
    size_t length = 0;
    while (length + unit_length + end_length <= VFS_PATH_MAX) {
        memcpy(path + length, unit, unit_length);
        length += unit_length;
    }
    memcpy(path + length, end, end_length);
    return length + end_length;
}

/* Links of the longest length, each of which leads through the one before it. */
static void plant_links(vfs *files, const char *unit)
{
    char target[VFS_PATH_MAX];
    char name[32] = "a";
    for (int i = 0; i < LINKS; i++) {
        char path[48];
        size_t length = fill_to_and_fro(target, unit, name);
        snprintf(name, sizeof name, "l%d", i);
        snprintf(path, sizeof path, "data/%s", name);
        ASSERT_EQ(vfs_make_symbolic_link(vfs_root(files), target, length, path, strlen(path)),
                  VFS_OK);
    }
}

/* Every operation that walks, along as many of those links as are allowed. */
static void expect_refusals(vfs *files, const char *link, vfs_error expected)
{
    char inside[64];
    char target[VFS_PATH_MAX];
    size_t target_length;
    vfs_status status;
    const vfs_new_time now = {.kind = VFS_TIME_NOW};
    vfs_file *root = vfs_root(files);
    snprintf(inside, sizeof inside, "%s/x", link);
    size_t length = strlen(inside);
    ASSERT_EQ(tree_stat(files, link, &status), expected);
    ASSERT_EQ(tree_stat(files, inside, &status), expected);
    ASSERT_EQ(tree_try(files, link, TREE_READ), expected);
    ASSERT_EQ(tree_try(files, inside, TREE_CREATE), expected);
    ASSERT_EQ(tree_mkdir(files, inside), expected);
    ASSERT_EQ(tree_rmdir(files, inside), expected);
    ASSERT_EQ(tree_unlink(files, inside), expected);
    ASSERT_EQ(tree_rename(files, inside, "data/y"), expected);
    ASSERT_EQ(tree_rename(files, "data/a", inside), expected);
    ASSERT_EQ(tree_link(files, inside, "data/y"), expected);
    ASSERT_EQ(tree_link(files, "data/f", inside), expected);
    ASSERT_EQ(tree_symlink(files, "f", inside), expected);
    ASSERT_EQ(vfs_read_link(root, inside, length, target, &target_length), expected);
    ASSERT_EQ(vfs_set_times_at(root, inside, length, true, &now, &now), expected);
}

static void test_paths_that_links_make_long(void)
{
    vfs *files = tree_create(NULL, 1 << 20, 1000);
    ASSERT_EQ(tree_mkdir(files, "data/a"), VFS_OK);
    ASSERT_EQ(tree_put(files, "data/f", "f"), VFS_OK);
    plant_links(files, "a/../");
    vfs_status status;
    ASSERT_EQ(tree_stat(files, "data/l0", &status), VFS_OK);
    ASSERT_EQ(tree_stat(files, "data/l1", &status), VFS_OK);
    expect_refusals(files, "data/l38", VFS_NAME_TOO_LONG);
    expect_refusals(files, "data/l2", VFS_NAME_TOO_LONG);
    vfs_destroy(files);
}

static void test_dots_are_steps(void)
{
    vfs *files = tree_create(NULL, 1 << 20, 1000);
    ASSERT_EQ(tree_mkdir(files, "data/a"), VFS_OK);
    ASSERT_EQ(tree_put(files, "data/f", "f"), VFS_OK);
    plant_links(files, "./");
    vfs_status status;
    ASSERT_EQ(tree_stat(files, "data/l1", &status), VFS_NAME_TOO_LONG);
    ASSERT_EQ(tree_stat(files, "data/l0", &status), VFS_OK);
    vfs_destroy(files);
}

/* A path alone may have as many components as fit into it. */
static void test_longest_path(void)
{
    vfs *files = tree_create(NULL, 1 << 20, 4096);
    char path[VFS_PATH_MAX];
    vfs_status status;
    size_t length = fill_to_and_fro(path, "./", "data");
    ASSERT_EQ(vfs_stat_at(vfs_root(files), path, length, true, &status), VFS_OK);
    memcpy(path, "data", 4);
    for (length = 4; length + 2 <= VFS_PATH_MAX; length += 2) {
        memcpy(path + length, "/d", 2);
        ASSERT_EQ(vfs_make_directory(vfs_root(files), path, length + 2), VFS_OK);
    }
    ASSERT_EQ(vfs_stat_at(vfs_root(files), path, length, true, &status), VFS_OK);
    vfs_destroy(files);
}

/* What is left to be freed may take room of the quota, and never more than that. */
static void expect_within_quota(const vfs *files)
{
    const memory_tree *tree = &files->memory;
    ASSERT_LE(tree->used.bytes + tree->discarded_bytes, tree->quota.max_bytes);
    ASSERT_LE((tree->metadata + tree->discarded_rows * sizeof(memory_chunk)) / 1024,
              (tree->quota.max_bytes + tree->quota.max_entries * 65536) / 256 / 1024);
}

static void fill(vfs_file *file, size_t size)
{
    static uint8_t block[1 << 20];
    for (size_t offset = 0; offset < size;) {
        size_t done;
        size_t step = size - offset < sizeof block ? size - offset : sizeof block;
        ASSERT_EQ(vfs_write(file, offset, block, step, &done), VFS_OK);
        ASSERT_EQ_U(done, step);
        offset += done;
    }
}

/* The ways in which a file loses its contents. */
static void lose_contents(vfs *files, int way, vfs_file *file)
{
    switch (way) {
    case 0:
        ASSERT_EQ(vfs_set_size(file, 0), VFS_OK);
        break;
    case 1:
        vfs_close(tree_get(files, "data/f", TREE_TRUNCATE));
        break;
    case 2:
        ASSERT_EQ(tree_unlink(files, "data/f"), VFS_OK);
        break;
    default:
        ASSERT_EQ(tree_put(files, "data/g", ""), VFS_OK);
        ASSERT_EQ(tree_rename(files, "data/g", "data/f"), VFS_OK);
        break;
    }
    vfs_close(file);
}

/* Large contents are freed by the calls that come after, and nobody has less room for that. */
static void test_large_files_are_freed_in_steps(void)
{
    enum { SIZE = 32 << 20 };
    vfs *files = tree_create(NULL, SIZE + 100, 100);
    for (int way = 0; way < 8; way++) {
        vfs_file *file = tree_get(files, "data/f", TREE_TRUNCATE);
        fill(file, SIZE);
        expect_within_quota(files);
        ASSERT_EQ_U(vfs_get_usage(files).bytes, SIZE);
        lose_contents(files, way % 4, file);
        ASSERT_EQ_U(vfs_get_usage(files).bytes, 0);
        ASSERT(files->memory.discarded_bytes > SIZE / 2);
        ASSERT(files->memory.discarded_bytes < SIZE);
        expect_within_quota(files);
    }
    for (int i = 0; files->memory.discards != NULL; i++) {
        ASSERT_LT(i, 100);
        ASSERT_EQ(tree_put(files, "data/f", "small"), VFS_OK);
    }
    ASSERT_EQ_U(files->memory.discarded_bytes, 0);
    ASSERT_EQ_U(files->memory.discarded_rows, 0);
    vfs_destroy(files);
}

static void test_truncation_in_the_middle(void)
{
    vfs *files = tree_create(NULL, 32 << 20, 100);
    vfs_file *file = tree_get(files, "data/f", TREE_CREATE);
    fill(file, 16 << 20);
    const uint8_t text[] = "kept";
    size_t done;
    ASSERT_EQ(vfs_write(file, (8 << 20) + 10, text, sizeof text, &done), VFS_OK);
    ASSERT_EQ(vfs_set_size(file, (8 << 20) + 12), VFS_OK);
    ASSERT_EQ_U(vfs_get_usage(files).bytes, (8 << 20) + 12);
    ASSERT_EQ(vfs_set_size(file, 12 << 20), VFS_OK);
    uint8_t read[8];
    size_t got;
    ASSERT_EQ(vfs_read(file, (8 << 20) + 10, read, sizeof read, &got), VFS_OK);
    ASSERT_BYTES_EQ(read, got, "ke\0\0\0\0\0\0", 8);
    ASSERT_EQ(vfs_set_size(file, 0), VFS_OK);
    ASSERT_EQ_U(vfs_get_usage(files).bytes, 0);
    vfs_close(file);
    vfs_destroy(files);
}

/* Tables of which nearly all is empty. */
static void test_sparse_files_are_freed_in_steps(void)
{
    vfs *files = tree_create(NULL, (uint64_t)1 << 40, 100);
    for (int i = 0; i < 300; i++) {
        vfs_file *file = tree_get(files, "data/f", TREE_TRUNCATE);
        size_t done;
        ASSERT_EQ(vfs_write(file, ((uint64_t)4 << 30) - 1, (const uint8_t *)"x", 1, &done), VFS_OK);
        vfs_close(file);
        ASSERT_LE(files->memory.discarded_rows, 200000);
    }
    vfs_destroy(files);
}

/* Contents that a copy has as well are not the original's to free. */
static void test_shared_contents(void)
{
    vfs *files = tree_create(NULL, 32 << 20, 100);
    vfs *copy = tree_create(NULL, 32 << 20, 100);
    vfs_file *file = tree_get(files, "data/f", TREE_CREATE);
    fill(file, 8 << 20);
    ASSERT_EQ(memory_copy(&files->data, &copy->data), VFS_OK);
    ASSERT_EQ(vfs_set_size(file, 100), VFS_OK);
    vfs_close(file);
    ASSERT_EQ(tree_unlink(files, "data/f"), VFS_OK);
    vfs_destroy(files);
    file = tree_get(copy, "data/f", TREE_READ);
    ASSERT_EQ_U(vfs_size(file), 8 << 20);
    vfs_close(file);
    vfs_destroy(copy);
}

/* A directory cannot be moved under itself, however far that is, and nobody walks up for ever. */
static void test_moves_in_deep_trees(void)
{
    enum { DEPTH = 17000 };
    vfs *files = tree_create(NULL, 1 << 20, DEPTH + 10);
    vfs_file *directory = tree_get(files, "data", TREE_DIRECTORY);
    ASSERT_EQ(tree_mkdir(files, "data/other"), VFS_OK);
    for (int i = 0; i < DEPTH; i++) {
        vfs_file *child;
        ASSERT_EQ(vfs_make_directory(directory, "d", 1), VFS_OK);
        ASSERT_EQ(vfs_open(directory, "d", 1, TREE_DIRECTORY, &child), VFS_OK);
        vfs_close(directory);
        directory = child;
        if (i == 1000) {
            ASSERT_EQ(vfs_rename(vfs_root(files), "data/d", 6, directory, "x", 1), VFS_INVALID);
            ASSERT_EQ(vfs_rename(vfs_root(files), "data/other", 10, directory, "o", 1), VFS_OK);
            ASSERT_EQ(vfs_rename(directory, "o", 1, vfs_root(files), "data/other", 10), VFS_OK);
        }
    }
    ASSERT_EQ(vfs_rename(vfs_root(files), "data/d", 6, directory, "x", 1), VFS_LOOP);
    ASSERT_EQ(vfs_rename(vfs_root(files), "data/other", 10, directory, "o", 1), VFS_LOOP);
    vfs_close(directory);
    vfs_destroy(files);
}

/* Making the tables of a directory anew takes as long as it has names. */
static void test_names_of_a_directory(void)
{
    enum { NAMES = 65536 };
    vfs *files = tree_create(NULL, 1 << 20, 2 * NAMES);
    char path[32];
    for (int i = 0; i < NAMES; i++) {
        snprintf(path, sizeof path, "data/%d", i);
        ASSERT_EQ(tree_symlink(files, "x", path), VFS_OK);
    }
    ASSERT_EQ(tree_symlink(files, "x", "data/more"), VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(tree_rename(files, "data/5", "data/more"), VFS_INSUFFICIENT_SPACE);
    ASSERT_EQ(tree_rename(files, "data/5", "data/6"), VFS_OK);
    ASSERT_EQ(tree_symlink(files, "x", "data/more"), VFS_OK);
    ASSERT_EQ(tree_symlink(files, "x", "tmp/more"), VFS_OK);
    vfs_destroy(files);
}

/* A read of random bytes may give less than it is asked for. */
static void test_random_devices(void)
{
    static uint8_t bytes[1 << 20];
    vfs *files = tree_create(NULL, 1 << 20, 10);
    vfs_file *device = tree_get(files, "dev/urandom", TREE_READ);
    size_t got;
    ASSERT_EQ(vfs_read(device, 0, bytes, sizeof bytes, &got), VFS_OK);
    ASSERT_EQ_U(got, 256 << 10);
    ASSERT_EQ(vfs_read(device, 0, bytes, 1000, &got), VFS_OK);
    ASSERT_EQ_U(got, 1000);
    vfs_close(device);
    vfs_destroy(files);
}

/* Steps in a directory of the host are system calls, so fewer of them are taken. */
static void test_steps_of_volumes(void)
{
    char host[] = "/tmp/eryx-costs-XXXXXX";
    char inner[sizeof host + 2];
    char path[VFS_PATH_MAX];
    ASSERT(mkdtemp(host) != NULL);
    snprintf(inner, sizeof inner, "%s/a", host);
    ASSERT_EQ(mkdir(inner, 0700), 0);
    eryx_error error;
    host_volume *volume;
    vfs_mounts *mounts;
    vfs *files = tree_create(NULL, 1 << 20, 1000);
    ASSERT_EQ(host_volume_open(host, false, NULL, &volume, &error), ERYX_OK);
    ASSERT_EQ(vfs_mounts_create(&mounts), VFS_OK);
    ASSERT_EQ(vfs_mounts_add_volume(mounts, "/v", volume, false), VFS_OK);
    ASSERT_EQ(vfs_use_mounts(files, mounts), VFS_OK);
    vfs_status status;
    memcpy(path, "v/./.", 5);
    for (size_t i = 5; i < 5 * 500; i += 5) {
        memcpy(path + i, "/a/..", 5);
    }
    ASSERT_EQ(vfs_stat_at(vfs_root(files), path, 5 * 200, true, &status), VFS_OK);
    ASSERT_EQ(vfs_stat_at(vfs_root(files), path, 5 * 400, true, &status), VFS_NAME_TOO_LONG);
    /* Through links in memory, which may lead anywhere. */
    char to_and_fro[512] = "";
    for (int i = 0; i < 90; i++) {
        strcat(to_and_fro, "a/../");
    }
    for (int i = 0; i < 4; i++) {
        char link[16];
        char target[sizeof to_and_fro + 32];
        snprintf(link, sizeof link, "data/m%d", i);
        snprintf(target, sizeof target, "../v/%s../data/m%d", to_and_fro, i - 1);
        ASSERT_EQ(tree_symlink(files, i == 0 ? "../v/a" : target, link), VFS_OK);
    }
    ASSERT_EQ(tree_stat(files, "data/m0", &status), VFS_OK);
    ASSERT_EQ(tree_stat(files, "data/m3", &status), VFS_NAME_TOO_LONG);
    vfs_destroy(files);
    vfs_mounts_release(mounts);
    ASSERT_EQ(rmdir(inner), 0);
    ASSERT_EQ(rmdir(host), 0);
}

TEST_MAIN(TEST_CASE(test_paths_that_links_make_long), TEST_CASE(test_dots_are_steps),
          TEST_CASE(test_longest_path), TEST_CASE(test_large_files_are_freed_in_steps),
          TEST_CASE(test_truncation_in_the_middle), TEST_CASE(test_sparse_files_are_freed_in_steps),
          TEST_CASE(test_shared_contents), TEST_CASE(test_moves_in_deep_trees),
          TEST_CASE(test_names_of_a_directory), TEST_CASE(test_random_devices),
          TEST_CASE(test_steps_of_volumes))
