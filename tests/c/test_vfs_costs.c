/* That no path, file or directory makes one operation take long, whatever a guest has built. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfs_internal.h"
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
          TEST_CASE(test_longest_path), TEST_CASE(test_steps_of_volumes))
