/*
 * eryx_storage_from_bytes() with bytes that have the right checksum and were changed otherwise.
 * What comes out keeps its quota, can be used and taken apart, and is the same after a second round
 * through bytes.
 */
#include "mutate.h"

#include "eryx/eryx.h"
#include "storage_bytes.h"
#include "vfs/storage.h"

enum { CAPACITY = 16384, MAX_BYTES = 1 << 20, MAX_ENTRIES = 64 };

static void make_name(vfs_file *root, const char *from, const char *to)
{
    FUZZ_REQUIRE(vfs_make_link(root, from, strlen(from), false, root, to, strlen(to)) == VFS_OK);
}

/* Files, a gap, links, names that share a file, directories in each other. */
static size_t make_sample(uint8_t *out)
{
    static const char *const paths[] = {"a", "d/b", "d/e/c", "d/e/f/g", "h"};
    eryx_storage *storage;
    FUZZ_REQUIRE(eryx_storage_create(MAX_BYTES, MAX_ENTRIES, &storage) == ERYX_FILE_OK);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        FUZZ_REQUIRE(eryx_storage_write(storage, paths[i], (const uint8_t *)"contents", 8) ==
                     ERYX_FILE_OK);
    }
    vfs_file *root = &storage->view.root;
    vfs_file *file;
    size_t done;
    FUZZ_REQUIRE(vfs_open(root, "h", 1, VFS_OPEN_WRITE, &file) == VFS_OK);
    FUZZ_REQUIRE(vfs_write(file, 131072, (const uint8_t *)"end", 3, &done) == VFS_OK);
    vfs_close(file);
    make_name(root, "a", "d/again");
    make_name(root, "d/b", "d/e/again");
    FUZZ_REQUIRE(vfs_make_symbolic_link(root, "d/e", 3, "link", 4) == VFS_OK);
    make_name(root, "link", "d/link");
    uint8_t *data;
    size_t size;
    FUZZ_REQUIRE(eryx_storage_to_bytes(storage, &data, &size) == ERYX_FILE_OK);
    FUZZ_REQUIRE(size <= CAPACITY);
    memcpy(out, data, size);
    eryx_free(data);
    eryx_storage_destroy(storage);
    return size;
}

static void check_quota(eryx_storage *storage)
{
    eryx_storage_usage usage;
    FUZZ_REQUIRE(eryx_storage_get_usage(storage, &usage) == ERYX_FILE_OK);
    FUZZ_REQUIRE(usage.bytes <= MAX_BYTES);
    FUZZ_REQUIRE(usage.entries <= MAX_ENTRIES);
}

/* Reads and removes all that is under a path. */
static void take_apart(eryx_storage *storage, const char *path, int depth)
{
    eryx_storage_entry *entries;
    size_t count;
    if (eryx_storage_list(storage, path, &entries, &count) != ERYX_FILE_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        char inner[VFS_PATH_MAX];
        int length = snprintf(inner, sizeof inner, "%s/%s", path, entries[i].name);
        if (length < 0 || (size_t)length >= sizeof inner) {
            continue;
        }
        uint8_t *data;
        size_t size;
        if (eryx_storage_read(storage, inner, &data, &size) == ERYX_FILE_OK) {
            eryx_free(data);
        }
        if (entries[i].kind == ERYX_STORAGE_DIRECTORY && depth < MAX_ENTRIES) {
            take_apart(storage, inner, depth + 1);
        }
        FUZZ_REQUIRE(eryx_storage_remove(storage, inner) == ERYX_FILE_OK);
    }
    eryx_free(entries);
}

static void use(eryx_storage *storage)
{
    eryx_storage *again = NULL;
    uint8_t *data;
    size_t size;
    uint8_t *second;
    size_t second_size;
    check_quota(storage);
    FUZZ_REQUIRE(eryx_storage_to_bytes(storage, &data, &size) == ERYX_FILE_OK);
    FUZZ_REQUIRE(eryx_storage_from_bytes(data, size, MAX_BYTES, MAX_ENTRIES, &again) ==
                 ERYX_FILE_OK);
    FUZZ_REQUIRE(eryx_storage_to_bytes(again, &second, &second_size) == ERYX_FILE_OK);
    FUZZ_REQUIRE(size == second_size && memcmp(data, second, size) == 0);
    eryx_free(data);
    eryx_free(second);
    eryx_storage_destroy(again);
    (void)eryx_storage_write(storage, "d/new", (const uint8_t *)"x", 1);
    take_apart(storage, "", 0);
    eryx_storage_usage usage;
    FUZZ_REQUIRE(eryx_storage_get_usage(storage, &usage) == ERYX_FILE_OK);
    FUZZ_REQUIRE(usage.bytes == 0 && usage.entries == 0);
    FUZZ_REQUIRE(storage->tree.metadata == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sample[CAPACITY];
    static size_t sample_size;
    static uint8_t bytes[CAPACITY];
    if (sample_size == 0) {
        sample_size = make_sample(sample);
    }
    fuzz_input input = {data, size};
    size_t length = sample_size;
    memcpy(bytes, sample, sample_size);
    if (fuzz_below(&input, 8) == 0) { /* nothing but what the input says */
        length = input.left < CAPACITY - STORAGE_HEADER_BYTES ? input.left
                                                              : CAPACITY - STORAGE_HEADER_BYTES;
        memcpy(bytes + STORAGE_HEADER_BYTES, input.next, length);
        length += STORAGE_HEADER_BYTES;
    } else {
        length = mutate_bytes(&input, bytes, STORAGE_HEADER_BYTES, length, CAPACITY);
    }
    storage_bytes_seal(bytes, length);
    eryx_storage *storage = NULL;
    eryx_file_error error =
        eryx_storage_from_bytes(bytes, length, MAX_BYTES, MAX_ENTRIES, &storage);
    FUZZ_REQUIRE((error == ERYX_FILE_OK) == (storage != NULL));
    if (storage != NULL) {
        use(storage);
        eryx_storage_destroy(storage);
    }
    return 0;
}
