/* The packed file of the standard library: lookup, and refusal of everything that is malformed. */
#include "archive_builder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/utf8.h"

static const archive_row rows[] = {
    {0, "", NULL},   {0, "a", NULL}, {0, "b", "contents of b"}, {0, "ba", "x"}, {1, "deep", NULL},
    {1, "e", "eee"}, {4, "z", "zz"}, {4, "\xc3\xa4", ""},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static void expect_refusal(const archive_bytes *bytes, const char *part)
{
    archive *opened = NULL;
    char error[ARCHIVE_ERROR_SIZE] = "";
    ASSERT(!archive_open_bytes(bytes->data, bytes->size, &opened, error));
    ASSERT_NULL(opened);
    ASSERT_STR_CONTAINS(error, part);
    ASSERT_STR_CONTAINS(error, "/tmp/eryx-archive-");
}

static uint32_t find(const archive *opened, uint32_t directory, const char *name)
{
    uint32_t entry;
    return archive_find(opened, directory, name, strlen(name), &entry) ? entry : UINT32_MAX;
}

static void test_finds(void)
{
    archive_bytes bytes = archive_build(rows, ROWS);
    archive *opened;
    char error[ARCHIVE_ERROR_SIZE];
    if (!archive_open_bytes(bytes.data, bytes.size, &opened, error)) {
        test_fail(__FILE__, __LINE__, "%s", error);
    }
    ASSERT_EQ(archive_entry_count(opened), ROWS);
    ASSERT_EQ_U(archive_time(opened), 1700000000);
    for (uint32_t i = 1; i < ROWS; i++) {
        ASSERT_EQ(find(opened, rows[i].parent, rows[i].name), i);
        ASSERT_EQ(archive_parent(opened, i), rows[i].parent);
        ASSERT_EQ(archive_is_directory(opened, i), rows[i].contents == NULL);
        size_t length;
        const char *name = archive_name(opened, i, &length);
        ASSERT_BYTES_EQ(name, length, rows[i].name, strlen(rows[i].name));
        uint64_t size;
        const uint8_t *data = archive_data(opened, i, &size);
        const char *contents = rows[i].contents != NULL ? rows[i].contents : "";
        ASSERT_BYTES_EQ(data, (size_t)size, contents, strlen(contents));
    }
    static const char *const absent[] = {"", "A", "aa", "bb", "c", "b\0", "deep", "e"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0] - 2; i++) {
        uint32_t entry;
        size_t length = absent[i][0] == 'b' && absent[i][1] == 0 ? 2 : strlen(absent[i]);
        ASSERT(!archive_find(opened, ARCHIVE_ROOT, absent[i], length, &entry));
    }
    ASSERT_EQ(find(opened, 0, "deep"), UINT32_MAX);
    ASSERT_EQ(find(opened, 2, "b"), UINT32_MAX); /* a file has no children */
    archive_close(opened);
    free(bytes.data);
}

static void test_children(void)
{
    archive *opened = archive_sample();
    uint32_t first;
    uint32_t count;
    archive_children(opened, ARCHIVE_ROOT, &first, &count);
    ASSERT_EQ(first, 1);
    ASSERT_EQ(count, 4);
    archive_children(opened, find(opened, 0, "re"), &first, &count);
    ASSERT_EQ(count, 0);
    archive_children(opened, find(opened, 0, "os.pyc"), &first, &count);
    ASSERT_EQ(count, 0);
    archive_close(opened);
}

static void test_only_a_root(void)
{
    archive_bytes bytes = archive_build(rows, 1);
    archive *opened;
    char error[ARCHIVE_ERROR_SIZE];
    ASSERT(archive_open_bytes(bytes.data, bytes.size, &opened, error));
    ASSERT_EQ(archive_entry_count(opened), 1);
    archive_close(opened);
    free(bytes.data);
}

static void test_what_is_no_archive(void)
{
    static const char *const paths[] = {"/nonexistent/stdlib.bin", "/tmp", "/dev/zero", ""};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        archive *opened = NULL;
        char error[ARCHIVE_ERROR_SIZE] = "";
        ASSERT(!archive_open(paths[i], &opened, error));
        ASSERT_NULL(opened);
        ASSERT_STR_CONTAINS(error, paths[i]);
        ASSERT_GT(strlen(error), strlen(paths[i]) + 5);
    }
    expect_refusal(&(archive_bytes){NULL, 0}, "is empty");
    /* A fifo must not block. */
    char path[] = "/tmp/eryx-fifo-XXXXXX";
    int descriptor = mkstemp(path);
    ASSERT_GE(descriptor, 0);
    close(descriptor);
    unlink(path);
    ASSERT_EQ(mkfifo(path, 0600), 0);
    archive *opened;
    char error[ARCHIVE_ERROR_SIZE];
    ASSERT(!archive_open(path, &opened, error));
    ASSERT_STR_CONTAINS(error, "is not a regular file");
    unlink(path);
}

/* A path longer than the error text must not run over it. */
static void test_long_path(void)
{
    char path[5000];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = 0;
    archive *opened;
    char error[ARCHIVE_ERROR_SIZE];
    ASSERT(!archive_open(path, &opened, error));
    ASSERT_EQ(strlen(error), ARCHIVE_ERROR_SIZE - 1);
}

typedef struct damage {
    size_t offset;
    uint64_t value;
    size_t width;
    const char *message;
} damage;

static void test_damage(void)
{
    static const char tree[] = "its entries are not one tree";
    const damage damages[] = {
        {0, 'X', 1, "not an archive"},
        {8, 2, 4, "format version"},
        {12, 0, 4, "does not fit"},
        {12, 1000, 4, "does not fit"},
        {12, UINT32_MAX, 4, "does not fit"},
        {12, ROWS - 1, 4, "broken archive"},
        {24, UINT64_MAX, 8, "does not fit"},
        {24, 10000, 8, "does not fit"},
        {24, 0, 8, "a name lies outside"},
        {32, 1, 8, "its size"},
        {archive_field(0, FIELD_TYPE), 2, 1, "its root"},
        {archive_field(0, FIELD_PARENT), 1, 4, "its root"},
        {archive_field(0, FIELD_NAME_LENGTH), 1, 2, "its root"},
        {archive_field(0, FIELD_FIRST_CHILD), 0, 4, tree},
        {archive_field(0, FIELD_FIRST_CHILD), 2, 4, tree},
        {archive_field(0, FIELD_CHILD_COUNT), 2, 4, tree},
        {archive_field(0, FIELD_CHILD_COUNT), 4, 4, tree},
        {archive_field(0, FIELD_CHILD_COUNT), UINT32_MAX, 4, tree},
        {archive_field(1, FIELD_FIRST_CHILD), 0, 4, tree},
        {archive_field(1, FIELD_PARENT), 1, 4, tree},
        {archive_field(1, FIELD_CHILD_COUNT), 0, 4, tree},
        {archive_field(1, FIELD_DATA_SIZE), 1, 8, "a directory has contents"},
        {archive_field(2, FIELD_TYPE), 0, 1, "neither a file nor a directory"},
        {archive_field(2, FIELD_TYPE), 3, 1, "neither a file nor a directory"},
        {archive_field(2, FIELD_TYPE) + 1, 1, 1, "bits set"},
        {archive_field(2, 20), 1, 4, "bits set"},
        {archive_field(2, FIELD_CHILD_COUNT), 1, 4, "neither a file nor a directory"},
        {archive_field(2, FIELD_NAME_OFFSET), UINT32_MAX, 4, "a name lies outside"},
        {archive_field(2, FIELD_NAME_LENGTH), UINT16_MAX, 2, "a name lies outside"},
        {archive_field(2, FIELD_NAME_LENGTH), 0, 2, "a name is not allowed"},
        {archive_field(2, FIELD_NAME_OFFSET), 0, 4, "not in order"}, /* a second "a" */
        {archive_field(2, FIELD_PARENT), 1, 4, tree},
        {archive_field(2, FIELD_PARENT), 6, 4, tree},
        {archive_field(2, FIELD_DATA_OFFSET), 0, 8, "contents of a file lie outside"},
        {archive_field(2, FIELD_DATA_OFFSET), UINT64_MAX, 8, "contents of a file lie outside"},
        {archive_field(2, FIELD_DATA_SIZE), UINT64_MAX, 8, "contents of a file lie outside"},
        {archive_field(2, FIELD_DATA_SIZE), 1000, 8, "contents of a file lie outside"},
        {archive_field(ROWS, 0), '/', 1, "a name is not allowed"},
        {archive_field(ROWS, 0), '.', 1, "a name is not allowed"},
        {archive_field(ROWS, 0), 0, 1, "a name is not allowed"},
        {archive_field(ROWS, 0), 0xff, 1, "a name is not allowed"},
        {archive_field(ROWS, 0), 'b', 1, "not in order"},
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        archive_bytes bytes = archive_build(rows, ROWS);
        archive_put(&bytes, damages[i].offset, damages[i].value, damages[i].width);
        expect_refusal(&bytes, damages[i].message);
        free(bytes.data);
    }
}

static void test_every_length(void)
{
    archive_bytes bytes = archive_build(rows, ROWS);
    for (size_t size = 0; size < bytes.size; size++) {
        archive_bytes cut = {.data = bytes.data, .size = size};
        expect_refusal(&cut, size == 0 ? "is empty" : "broken archive");
        if (size >= ARCHIVE_HEADER_SIZE) { /* and with a header that agrees with the length */
            archive_bytes lying = {.data = malloc(size), .size = size};
            ASSERT_NOT_NULL(lying.data);
            memcpy(lying.data, bytes.data, size);
            archive_put(&lying, 32, size, 8);
            expect_refusal(&lying, "broken archive");
            free(lying.data);
        }
    }
    free(bytes.data);
}

/* Whatever one byte is changed to: refused, or a whole archive that can be read to the end. */
static void test_every_byte(void)
{
    archive_bytes bytes = archive_build(rows, ROWS);
    for (size_t i = 0; i < archive_field(ROWS, 0); i++) {
        static const uint8_t flips[] = {1, 0x80, 0xff};
        for (size_t flip = 0; flip < sizeof flips; flip++) {
            archive *opened;
            char error[ARCHIVE_ERROR_SIZE];
            bytes.data[i] ^= flips[flip];
            if (archive_open_bytes(bytes.data, bytes.size, &opened, error)) {
                uint64_t sum = 0;
                for (uint32_t entry = 0; entry < archive_entry_count(opened); entry++) {
                    uint64_t size;
                    const uint8_t *data = archive_data(opened, entry, &size);
                    for (uint64_t byte = 0; byte < size; byte++) {
                        sum += data[byte];
                    }
                    ASSERT_LT(archive_parent(opened, entry), archive_entry_count(opened));
                }
                ASSERT_GT(sum, 0);
                archive_close(opened);
            }
            bytes.data[i] ^= flips[flip];
        }
    }
    free(bytes.data);
}

static void test_close_accepts_null(void)
{
    archive_close(NULL);
}

static void test_utf8(void)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain text that is longer than a word", true},
        {"\xc2\x80\xdf\xbf", true},
        {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
        {"12345678\xc3\xa4", true},
        {"\x80", false},
        {"\xc0\x80", false}, /* overlong */
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xf4\x90\x80\x80", false}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xc3", false}, /* cut short */
        {"\xe2\x82", false},
        {"\xf0\x9f\x98", false},
        {"\xc3(", false},
        {"\xe2\x82(", false},
        {"1234567\xc3", false},
        {"12345678\xe2\x82", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length = strlen(cases[i].text);
        char *exact = malloc(length + 1); /* so that a sanitizer sees a read over the end */
        ASSERT_NOT_NULL(exact);
        memcpy(exact, cases[i].text, length);
        char *text = realloc(exact, length > 0 ? length : 1);
        ASSERT_NOT_NULL(text);
        if (utf8_is_valid(text, length) != cases[i].valid) {
            test_fail(__FILE__, __LINE__, "case %zu", i);
        }
        free(text);
    }
    ASSERT(utf8_is_valid("a\0b", 3));
}

TEST_MAIN(TEST_CASE(test_finds), TEST_CASE(test_children), TEST_CASE(test_only_a_root),
          TEST_CASE(test_what_is_no_archive), TEST_CASE(test_long_path), TEST_CASE(test_damage),
          TEST_CASE(test_every_length), TEST_CASE(test_every_byte),
          TEST_CASE(test_close_accepts_null), TEST_CASE(test_utf8))
