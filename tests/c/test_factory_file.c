/* Factory files: what is in them, and refusal of everything that is malformed. */
#include "factory_bytes.h"
#include "live/factory_file.h"
#include "test.h"

enum { CAPACITY = 1024 };

static const eryx_bytes parts[] = {
    {(const uint8_t *)"{}", 2},
    {(const uint8_t *)"archive", 7},
    {(const uint8_t *)"frozen memory", 13},
};

static uint8_t bytes[CAPACITY];
static size_t size;

static void build(void)
{
    memset(bytes, 0, sizeof bytes);
    size = factory_build(bytes, parts);
}

/* A file that is not sealed anew must be refused, one that is must be as well. */
static void expect(eryx_status status, const char *part, uint64_t max_bytes)
{
    uint8_t copy[CAPACITY]; /* it is changed */
    memcpy(copy, bytes, sizeof copy);
    factory_file file = {.parts = NULL};
    eryx_error error = {{0}};
    ASSERT_EQ(factory_file_unpack(copy, size, NULL, max_bytes, &file, &error), status);
    ASSERT_STR_CONTAINS(error.message, part);
    ASSERT_NULL(file.parts);
}

static void expect_sealed(eryx_status status, const char *part)
{
    factory_seal(bytes, size);
    expect(status, part, ERYX_UNLIMITED);
}

static void test_parts(void)
{
    build();
    factory_file file;
    eryx_error error = {{0}};
    factory_file_unpack(bytes, size, NULL, 22, &file, &error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_BYTES_EQ(file.packages.data, file.packages.size, "archive", 7);
    ASSERT_BYTES_EQ(file.frozen.data, file.frozen.size, "frozen memory", 13);
    factory_file_free(&file);
    factory_file_free(&file);
}

static void test_every_changed_byte_is_noticed(void)
{
    build();
    size_t whole = size;
    for (size_t at = 0; at < whole; at++) {
        bytes[at] ^= 0x10;
        uint8_t copy[CAPACITY];
        memcpy(copy, bytes, sizeof copy);
        factory_file file = {.parts = NULL};
        ASSERT(factory_file_unpack(copy, size, NULL, ERYX_UNLIMITED, &file, NULL) != ERYX_OK);
        bytes[at] ^= 0x10;
    }
    for (size = 0; size < whole; size++) {
        expect(ERYX_INITIALIZATION, "it is", ERYX_UNLIMITED);
    }
}

static void test_header(void)
{
    build();
    bytes[FACTORY_BUILD_ID] ^= 1;
    expect(ERYX_WRONG_BUILD, "another build", ERYX_UNLIMITED);
    build();
    bytes[FACTORY_VERSION] = 2;
    expect(ERYX_WRONG_BUILD, "format 2", ERYX_UNLIMITED);
    build();
    bytes[FACTORY_FLAGS] = 2;
    expect(ERYX_WRONG_BUILD, "not known", ERYX_UNLIMITED);
    build();
    bytes[FACTORY_FLAGS] = 1;
    expect(ERYX_INITIALIZATION, "with a key", ERYX_UNLIMITED);
    build();
    bytes[0] = 'X';
    expect(ERYX_INITIALIZATION, "not a factory file", ERYX_UNLIMITED);
    build();
    bytes[FACTORY_DIGEST] ^= 1;
    expect(ERYX_INITIALIZATION, "damaged", ERYX_UNLIMITED);
}

static void test_key(void)
{
    const eryx_bytes key = {(const uint8_t *)"key", 3};
    build();
    factory_file file;
    eryx_error error = {{0}};
    ASSERT_EQ(factory_file_unpack(bytes, size, &key, ERYX_UNLIMITED, &file, &error),
              ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "without a key");
    build();
    bytes[FACTORY_FLAGS] = 1;
    ASSERT_EQ(factory_file_unpack(bytes, size, &key, ERYX_UNLIMITED, &file, &error),
              ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "the key is another");
}

static void test_sizes(void)
{
    static const uint64_t wrong[] = {
        0, 1, 3, 100, 1000000, (uint64_t)1 << 31, (uint64_t)1 << 32, UINT64_MAX - 20, UINT64_MAX,
    };
    for (size_t part = 0; part < 3; part++) {
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            build();
            factory_put(bytes + FACTORY_SIZES + 8 * part, wrong[i], 8);
            expect_sealed(ERYX_INITIALIZATION,
                          wrong[i] > 1000000 ? "too large" : "sizes are wrong");
        }
    }
    build();
    expect(ERYX_RESOURCE_LIMIT, "it needs 22 bytes, the limit is 21", 21);
    size = FACTORY_PACKED - 1;
    expect_sealed(ERYX_INITIALIZATION, "no parts");
}

static void test_packed_data(void)
{
    build();
    bytes[FACTORY_PACKED] = 0; /* another format */
    expect_sealed(ERYX_INITIALIZATION, "sizes are wrong");
    build();
    bytes[size - 1] ^= 1; /* the checksum */
    expect_sealed(ERYX_INITIALIZATION, "sizes are wrong");
    build();
    size += 3; /* something behind it */
    expect_sealed(ERYX_INITIALIZATION, "sizes are wrong");
    build();
    size -= 5; /* cut off */
    expect_sealed(ERYX_INITIALIZATION, "sizes are wrong");
    build();
    size = FACTORY_PACKED; /* nothing */
    expect_sealed(ERYX_INITIALIZATION, "sizes are wrong");
}

TEST_MAIN(TEST_CASE(test_parts), TEST_CASE(test_every_changed_byte_is_noticed),
          TEST_CASE(test_header), TEST_CASE(test_key), TEST_CASE(test_sizes),
          TEST_CASE(test_packed_data))
