/*
 * Storages and mounts when the host has no memory: each allocation of a scenario fails in turn. The
 * parts that allocate are compiled into this file, with an allocator that can be told to fail.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocation_faults.h"
#include "test.h"
#include "vfs/storage.h"

#define malloc fault_malloc
#define calloc fault_calloc
#define realloc fault_realloc
#define node_of storage_node_of
#include "../../src/vfs/storage.c"
#undef node_of
#define level pack_level
#include "../../src/vfs/storage_pack.c"
#undef level
#include "../../src/vfs/memory_copy.c"
#include "../../src/vfs/mounts.c"
#undef malloc
#undef calloc
#undef realloc

/* Whether it went well, or failed for want of memory, which is all that may happen. */
static bool went_well(eryx_file_error error)
{
    if (error != ERYX_FILE_OK) {
        ASSERT_EQ(error, ERYX_FILE_OUT_OF_MEMORY);
        ASSERT(has_failed);
    }
    return error == ERYX_FILE_OK;
}

static void copy_and_pack(eryx_storage *storage)
{
    eryx_storage *copy;
    uint8_t *data;
    size_t size;
    if (went_well(eryx_storage_fork(storage, &copy))) {
        eryx_storage_destroy(copy);
    }
    if (went_well(eryx_storage_to_bytes(storage, &data, &size))) {
        if (went_well(eryx_storage_from_bytes(data, size, 1 << 20, 100, &copy))) {
            eryx_storage_destroy(copy);
        }
        eryx_free(data);
    }
}

static void list_and_read(eryx_storage *storage)
{
    eryx_storage_entry *entries;
    size_t count;
    uint8_t *data;
    size_t size;
    if (went_well(eryx_storage_list(storage, "d", &entries, &count))) {
        ASSERT_EQ_U(count, 3);
        eryx_free(entries);
    }
    if (went_well(eryx_storage_read(storage, "d/b", &data, &size))) {
        ASSERT_BYTES_EQ(data, size, "text", 4);
        eryx_free(data);
    }
}

static void scenario(void)
{
    static const char *const paths[] = {"a", "d/a", "d/b", "d/e/f"};
    eryx_storage *storage;
    if (!went_well(eryx_storage_create(1 << 20, 100, &storage))) {
        return;
    }
    bool complete = true;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        complete &= went_well(eryx_storage_write(storage, paths[i], (const uint8_t *)"text", 4));
    }
    if (complete) {
        list_and_read(storage);
        copy_and_pack(storage);
    }
    eryx_storage_destroy(storage);
}

static void mount_scenario(void)
{
    eryx_storage *storage;
    vfs_mounts *mounts;
    vfs *files;
    vfs_quota quota = {1000, 10};
    if (!went_well(eryx_storage_create(1 << 20, 100, &storage))) {
        return;
    }
    if (vfs_mounts_create(&mounts) == VFS_OK) {
        vfs_error first = vfs_mounts_add_storage(mounts, "/data", storage, false);
        vfs_error second = vfs_mounts_add_storage(mounts, "/mnt/deep/in", storage, true);
        ASSERT((first == VFS_OK && second == VFS_OK) || has_failed);
        ASSERT_EQ(vfs_create(NULL, &quota, &files), VFS_OK);
        if (vfs_use_mounts(files, mounts) != VFS_OK) {
            ASSERT(has_failed);
        }
        vfs_destroy(files);
        vfs_mounts_release(mounts);
    }
    eryx_storage_destroy(storage);
}

static void fail_each_in_turn(void (*run)(void))
{
    long count = 0;
    do {
        has_failed = false;
        allocations_left = count++;
        run();
        allocations_left = -1;
    } while (has_failed);
    ASSERT_GT(count, 3);
}

static void test_storage_without_memory(void)
{
    fail_each_in_turn(scenario);
}

static void test_mounts_without_memory(void)
{
    fail_each_in_turn(mount_scenario);
}

TEST_MAIN(TEST_CASE(test_storage_without_memory), TEST_CASE(test_mounts_without_memory))
