/*
 * What happens when the host has no memory: each allocation of a scenario fails in turn. The parts
 * that allocate are compiled into this file, with an allocator that can be told to fail.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "allocation_faults.h"
#include "vfs_tree.h"

#define malloc fault_malloc
#define calloc fault_calloc
#define realloc fault_realloc
#include "../../src/vfs/memory.c"
#include "../../src/vfs/memory_directory.c"
#include "../../src/vfs/memory_file.c"
#include "../../src/vfs/vfs.c"
#undef malloc
#undef calloc
#undef realloc

/* With memory everything works; without, that is the only error, and nothing is charged for what
 * failed. */
#define STEP(files, call)                                                                          \
    do {                                                                                           \
        vfs_usage step_before_ = vfs_get_usage(files);                                             \
        vfs_error step_error_ = (call);                                                            \
        if (step_error_ != VFS_OK) {                                                               \
            ASSERT(has_failed);                                                                    \
            ASSERT_EQ(step_error_, VFS_INSUFFICIENT_MEMORY);                                       \
            vfs_usage step_after_ = vfs_get_usage(files);                                          \
            ASSERT_EQ_U(step_after_.bytes, step_before_.bytes);                                    \
            ASSERT_EQ_U(step_after_.entries, step_before_.entries);                                \
            return;                                                                                \
        }                                                                                          \
    } while (0)

static vfs_error write_blocks(vfs *files, const char *path)
{
    static uint8_t block[3 * MEMORY_CHUNK_SIZE];
    vfs_file *file;
    vfs_error error = tree_open(files, path, TREE_WRITE, &file);
    if (error != VFS_OK) {
        return error;
    }
    for (size_t done = 0; done < sizeof block && error == VFS_OK;) {
        size_t step = 0;
        error = vfs_write(file, done, block + done, sizeof block - done, &step);
        if (error == VFS_OK) {
            ASSERT_GT(step, 0);
        } else {
            /* What was written stays; the caller looks for nothing being charged. */
            ASSERT_EQ_U(vfs_size(file), done);
            ASSERT_EQ(vfs_set_size(file, 0), VFS_OK);
        }
        done += step;
    }
    vfs_close(file);
    return error;
}

static void scenario(vfs *files)
{
    char name[32];
    STEP(files, tree_mkdir(files, "data/d"));
    STEP(files, tree_try(files, "data/d/f", TREE_EXCLUSIVE));
    STEP(files, tree_put(files, "data/d/f", "text"));
    STEP(files, tree_symlink(files, "d/f", "data/s"));
    STEP(files, tree_link(files, "data/d/f", "tmp/h"));
    STEP(files, tree_rename(files, "tmp/h", "tmp/renamed-to-a-longer-name"));
    STEP(files, tree_rename(files, "data/d", "tmp/d"));
    for (int i = 0; i < 40; i++) { /* the name table grows several times */
        snprintf(name, sizeof name, "data/%d", i);
        STEP(files, tree_mkdir(files, name));
    }
    for (int i = 0; i < 39; i++) { /* and shrinks, which may fail unseen */
        snprintf(name, sizeof name, "data/%d", i);
        ASSERT_EQ(tree_rmdir(files, name), VFS_OK);
    }
    STEP(files, tree_try(files, "data/big", TREE_EXCLUSIVE));
    STEP(files, write_blocks(files, "data/big"));
    vfs_file *file;
    STEP(files, tree_open(files, "data/big", TREE_WRITE, &file));
    /* Cutting a chunk must work without memory, and what is cut off must be gone. */
    ASSERT_EQ(vfs_set_size(file, MEMORY_CHUNK_SIZE + 10), VFS_OK);
    ASSERT_EQ(vfs_set_size(file, 2 * MEMORY_CHUNK_SIZE), VFS_OK);
    uint8_t tail[100];
    size_t got;
    ASSERT_EQ(vfs_read(file, MEMORY_CHUNK_SIZE + 10, tail, sizeof tail, &got), VFS_OK);
    for (size_t i = 0; i < sizeof tail; i++) {
        ASSERT_EQ(tail[i], 0);
    }
    vfs_close(file);
}

static void remove_all(vfs *files, const char *path)
{
    char names[4096];
    char child[5000];
    snprintf(names, sizeof names, "%s", tree_list(files, path));
    for (char *name = strtok(names, " "); name != NULL; name = strtok(NULL, " ")) {
        snprintf(child, sizeof child, "%s/%s", path, name);
        if (strcmp(name, "d") == 0) {
            tree_unlink(files, "data/d/f");
            tree_unlink(files, "tmp/d/f");
        }
        if (tree_unlink(files, child) != VFS_OK) {
            ASSERT_EQ(tree_rmdir(files, child), VFS_OK);
        }
    }
}

static void test_each_allocation_fails_once(void)
{
    long attempts = 0;
    do {
        has_failed = false;
        vfs_quota quota = {.max_bytes = 1 << 20, .max_entries = 1000};
        vfs *files = NULL;
        allocations_left = attempts++;
        vfs_error error = vfs_create(NULL, &quota, &files);
        if (error != VFS_OK) {
            ASSERT_EQ(error, VFS_INSUFFICIENT_MEMORY);
            ASSERT_NULL(files);
            continue;
        }
        scenario(files);
        allocations_left = -1;
        if (attempts % 2 == 0) { /* else the tree is freed as it is */
            remove_all(files, "data");
            remove_all(files, "tmp");
            ASSERT_EQ_U(vfs_get_usage(files).entries, 0);
            ASSERT_EQ_U(vfs_get_usage(files).bytes, 0);
            ASSERT_EQ_U(files->memory.metadata, 0);
        }
        vfs_destroy(files);
    } while (has_failed);
    ASSERT_GT(attempts, 100);
}

/* As long as memory is short: the same, with every allocation from the nth on failing for good. */
static void test_no_memory_from_some_point_on(void)
{
    for (long n = 1; n < 160; n++) {
        vfs *files = tree_create(NULL, 1 << 20, 1000);
        has_failed = false;
        fail_for_good = true;
        allocations_left = n;
        scenario(files);
        if (has_failed) { /* whatever still works must not need memory */
            ASSERT_EQ(tree_mkdir(files, "data/again"), VFS_INSUFFICIENT_MEMORY);
            vfs_status status;
            ASSERT_EQ(tree_stat(files, "data", &status), VFS_OK);
        }
        allocations_left = -1;
        fail_for_good = false;
        ASSERT_EQ(tree_mkdir(files, "data/again"), VFS_OK);
        vfs_destroy(files);
    }
}

TEST_MAIN(TEST_CASE(test_each_allocation_fails_once), TEST_CASE(test_no_memory_from_some_point_on))
