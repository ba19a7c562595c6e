/*
 * Archives for tests, written byte by byte, so that they can also be wrong.
 */
#ifndef ERYX_ARCHIVE_BUILDER_H
#define ERYX_ARCHIVE_BUILDER_H

#include <unistd.h>

#include "test.h"
#include "vfs/archive.h"

/* One entry; a table of them is breadth first, children sorted, as the format wants it. */
typedef struct archive_row {
    uint32_t parent;
    const char *name;
    const char *contents; /* NULL for a directory */
} archive_row;

enum {
    ARCHIVE_HEADER_SIZE = 40,
    ARCHIVE_ENTRY_SIZE = 40,
    /* Where the fields of an entry are. */
    FIELD_PARENT = 0,
    FIELD_NAME_OFFSET = 4,
    FIELD_NAME_LENGTH = 8,
    FIELD_TYPE = 10,
    FIELD_FIRST_CHILD = 12,
    FIELD_CHILD_COUNT = 16,
    FIELD_DATA_OFFSET = 24,
    FIELD_DATA_SIZE = 32,
};

typedef struct archive_bytes {
    uint8_t *data;
    size_t size;
} archive_bytes;

static inline void archive_put(archive_bytes *bytes, size_t offset, uint64_t value, size_t width)
{
    memcpy(bytes->data + offset, &value, width); /* little-endian, like the format */
}

static inline size_t archive_field(uint32_t entry, size_t field)
{
    return ARCHIVE_HEADER_SIZE + (size_t)entry * ARCHIVE_ENTRY_SIZE + field;
}

/* An archive of those rows; the caller frees data. */
static inline archive_bytes archive_build(const archive_row *rows, uint32_t count)
{
    size_t names_size = 0;
    size_t data_size = 0;
    for (uint32_t i = 0; i < count; i++) {
        names_size += strlen(rows[i].name);
        data_size += rows[i].contents != NULL ? strlen(rows[i].contents) : 0;
    }
    size_t names = ARCHIVE_HEADER_SIZE + (size_t)count * ARCHIVE_ENTRY_SIZE;
    archive_bytes bytes = {.size = names + names_size + data_size};
    bytes.data = calloc(1, bytes.size);
    ASSERT_NOT_NULL(bytes.data);
    memcpy(bytes.data, ARCHIVE_MAGIC, 8);
    archive_put(&bytes, 8, ARCHIVE_VERSION, 4);
    archive_put(&bytes, 12, count, 4);
    archive_put(&bytes, 16, 1700000000, 8);
    archive_put(&bytes, 24, names_size, 8);
    archive_put(&bytes, 32, bytes.size, 8);

    size_t name = 0;
    size_t data = names + names_size;
    uint32_t next_child = 1;
    for (uint32_t i = 0; i < count; i++) {
        size_t length = strlen(rows[i].name);
        memcpy(bytes.data + names + name, rows[i].name, length);
        archive_put(&bytes, archive_field(i, FIELD_PARENT), rows[i].parent, 4);
        archive_put(&bytes, archive_field(i, FIELD_NAME_OFFSET), name, 4);
        archive_put(&bytes, archive_field(i, FIELD_NAME_LENGTH), length, 2);
        name += length;
        if (rows[i].contents == NULL) {
            uint32_t children = 0;
            for (uint32_t child = 1; child < count; child++) {
                children += rows[child].parent == i;
            }
            archive_put(&bytes, archive_field(i, FIELD_TYPE), 1, 1);
            archive_put(&bytes, archive_field(i, FIELD_FIRST_CHILD), next_child, 4);
            archive_put(&bytes, archive_field(i, FIELD_CHILD_COUNT), children, 4);
            next_child += children;
        } else {
            size_t size = strlen(rows[i].contents);
            memcpy(bytes.data + data, rows[i].contents, size);
            archive_put(&bytes, archive_field(i, FIELD_TYPE), 2, 1);
            archive_put(&bytes, archive_field(i, FIELD_DATA_OFFSET), data, 8);
            archive_put(&bytes, archive_field(i, FIELD_DATA_SIZE), size, 8);
            data += size;
        }
    }
    return bytes;
}

/* Opens bytes as an archive, by way of a file that is gone afterwards. */
static inline bool archive_open_bytes(const uint8_t *data, size_t size, archive **out_archive,
                                      char *out_error)
{
    char path[] = "/tmp/eryx-archive-XXXXXX";
    int descriptor = mkstemp(path);
    ASSERT_GE(descriptor, 0);
    ASSERT_EQ(write(descriptor, data, size), (ssize_t)size);
    close(descriptor);
    bool opened = archive_open(path, out_archive, out_error);
    unlink(path);
    return opened;
}

/* /encodings/{__init__,utf_8}.pyc, /os.pyc, /re/ and an empty file, opened. */
static inline archive *archive_sample(void)
{
    static const archive_row rows[] = {
        {0, "", NULL},          {0, "empty", ""}, {0, "encodings", NULL},
        {0, "os.pyc", "os!"},   {0, "re", NULL},  {2, "__init__.pyc", "init"},
        {2, "utf_8.pyc", "u8"},
    };
    archive_bytes bytes = archive_build(rows, sizeof rows / sizeof rows[0]);
    archive *opened = NULL;
    char error[ARCHIVE_ERROR_SIZE] = "";
    if (!archive_open_bytes(bytes.data, bytes.size, &opened, error)) {
        test_fail(__FILE__, __LINE__, "%s", error);
    }
    free(bytes.data);
    return opened;
}

#endif
