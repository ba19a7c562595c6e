/*
 * Saved sessions that somebody made up: the checksum is right, what it is of is not. Whatever is
 * loaded can do in the sandbox what a program can do, and no more.
 */
#include <unistd.h>

#include "base/checksum.h"
#include "live.h"

enum {
    STACK_POINTER_AT = 12,
    CHECKSUM_AT = 56,
    PAGES_AT = 64,
    RANGE_COUNT_AT = 72,
    CONTENTS_SIZE_AT = 80,
    STORE_SIZE_AT = 88,
    HEADER_BYTES = 96,
    RANGE_BYTES = 16,
    PAGE = 4096,
};

static char path[64];
static uint8_t *original;
static size_t original_size;
static uint8_t *data; /* a copy with room for more */
static size_t size;

static uint64_t number_at(size_t at)
{
    uint64_t number;
    memcpy(&number, original + at, sizeof number);
    return number;
}

static void set(size_t at, uint64_t number)
{
    memcpy(data + at, &number, sizeof number);
}

static eryx_status run(eryx_sandbox *sandbox, const char *source)
{
    eryx_run_options program = live_program(source);
    program.keep_state = true;
    const eryx_result *result;
    return eryx_execute(sandbox, &program, &result, NULL);
}

static void restore(void)
{
    memcpy(data, original, original_size);
    size = original_size;
}

static void write_data(void)
{
    memset(data + CHECKSUM_AT, 0, sizeof(uint64_t));
    uint64_t sum = checksum_update(checksum_update(0, data, HEADER_BYTES), data + HEADER_BYTES,
                                   size - HEADER_BYTES);
    set(CHECKSUM_AT, sum);
    FILE *file = fopen(path, "wb");
    ASSERT_NOT_NULL(file);
    ASSERT_EQ(fwrite(data, 1, size, file), (int64_t)size);
    fclose(file);
}

static void make_original(void)
{
    snprintf(path, sizeof path, "/tmp/eryx-forged-%d", (int)getpid());
    eryx_sandbox *sandbox = live_create(NULL);
    ASSERT_EQ(run(sandbox, "x = 7\nf = open('/data/f', 'w+'); f.write('one')"), ERYX_OK);
    ASSERT_EQ(eryx_sandbox_save(sandbox, path, false, NULL), ERYX_OK);
    eryx_sandbox_destroy(sandbox);
    FILE *file = fopen(path, "rb");
    ASSERT_NOT_NULL(file);
    fseek(file, 0, SEEK_END);
    original_size = (size_t)ftell(file);
    rewind(file);
    original = malloc(original_size);
    data = malloc(original_size + 2 * PAGE);
    ASSERT_NOT_NULL(original);
    ASSERT_NOT_NULL(data);
    ASSERT_EQ(fread(original, 1, original_size, file), (int64_t)original_size);
    fclose(file);
    ASSERT_GT(number_at(RANGE_COUNT_AT), 4);
}

static void remove_original(void)
{
    unlink(path);
    free(original);
    free(data);
}

/* A sandbox that lets nobody run for long. */
static eryx_sandbox *create_short(void)
{
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.execution_timeout_ms = 200;
    eryx_sandbox *sandbox = live_create(&options);
    ASSERT_EQ(run(sandbox, "x = 8"), ERYX_OK);
    return sandbox;
}

/* The state that the sandbox had is still there. */
static void expect_untouched(eryx_sandbox *sandbox)
{
    ASSERT_EQ(run(sandbox, "assert x == 8"), ERYX_OK);
}

static void expect_refused(eryx_sandbox *sandbox)
{
    write_data();
    eryx_error error = {{0}};
    eryx_status status = eryx_sandbox_load(sandbox, path, &error);
    ASSERT(status == ERYX_INITIALIZATION || status == ERYX_RESOURCE_LIMIT);
    ASSERT_STR_CONTAINS(error.message, path);
    expect_untouched(sandbox);
}

/* Lets whatever was loaded run, however it ends, and brings the sandbox back. */
static void run_and_reset(eryx_sandbox *sandbox)
{
    static const char *const programs[] = {
        "import os, gc\nfor i in range(100): [bytearray(1000) for _ in range(50)]; gc.collect(0)\n"
        "f.seek(0); f.read(); f.close(); print(os.listdir('/data'))",
        "x = {i: str(i) for i in range(1000)}",
    };
    for (size_t i = 0; i < 2; i++) {
        (void)run(sandbox, programs[i]);
    }
    ASSERT_EQ(eryx_sandbox_reset(sandbox, NULL), ERYX_OK);
    ASSERT_EQ(run(sandbox, "x = 8"), ERYX_OK);
}

static void test_ranges_that_are_not_in_order(void)
{
    eryx_sandbox *sandbox = create_short();
    const size_t first = HEADER_BYTES;
    const size_t second = first + RANGE_BYTES;
    uint64_t offset = number_at(first);
    uint64_t length = number_at(first + 8);
    uint64_t end = number_at(PAGES_AT) * 65536;
    const struct {
        size_t at;
        uint64_t number;
    } cases[] = {
        {first, offset + 1},
        {first, offset + 8},
        {first, end},
        {first, end - PAGE + length},
        {first, UINT64_MAX - PAGE + 1},
        {first, (uint64_t)1 << 32},
        {first, (uint64_t)1 << 63},
        {first + 8, 0},
        {first + 8, length + 1},
        {first + 8, length + PAGE},
        {first + 8, UINT64_MAX},
        {first + 8, UINT64_MAX - PAGE + 1},
        {first + 8, (uint64_t)1 << 63},
        {second, offset},
        {second, offset + length - PAGE},
        {second, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (number_at(cases[i].at) == cases[i].number) {
            continue;
        }
        restore();
        set(cases[i].at, cases[i].number);
        expect_refused(sandbox);
    }
    restore(); /* two that have changed places, of one size and of others */
    memcpy(data + first, original + second, RANGE_BYTES);
    memcpy(data + second, original + first, RANGE_BYTES);
    expect_refused(sandbox);
    restore(); /* the same twice */
    memcpy(data + second, original + first, RANGE_BYTES);
    expect_refused(sandbox);
    eryx_sandbox_destroy(sandbox);
}

static void test_sizes_that_do_not_fit(void)
{
    eryx_sandbox *sandbox = create_short();
    static const size_t fields[] = {PAGES_AT, RANGE_COUNT_AT, CONTENTS_SIZE_AT, STORE_SIZE_AT};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        uint64_t was = number_at(fields[i]);
        const uint64_t numbers[] = {
            0,
            was - 1,
            was + 8,
            was * 2,
            (uint64_t)1 << 32,
            UINT64_MAX,
            UINT64_MAX / 2,
            UINT64_MAX - 7,
            UINT64_MAX / 16 + 1,
        };
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            if (fields[i] == PAGES_AT && numbers[k] > was && numbers[k] * 65536 <= 128 << 20) {
                continue; /* more memory may be */
            }
            restore();
            set(fields[i], numbers[k]);
            expect_refused(sandbox);
        }
    }
    for (size_t cut = 1; cut < original_size - HEADER_BYTES; cut = cut * 3 / 2 + 1) {
        restore(); /* sizes of the parts that add up to a file that is too short */
        size -= cut;
        expect_refused(sandbox);
        uint64_t store = number_at(STORE_SIZE_AT);
        if (cut < store) {
            set(STORE_SIZE_AT, store - cut);
            expect_refused(sandbox);
        }
    }
    restore();
    memset(data + size, 0, PAGE);
    size += PAGE;
    expect_refused(sandbox);
    eryx_sandbox_destroy(sandbox);
}

static void test_any_stack_pointer(void)
{
    eryx_sandbox *sandbox = create_short();
    uint32_t was;
    memcpy(&was, original + STACK_POINTER_AT, sizeof was);
    const uint32_t pointers[] = {
        0,       1,        16,         was - 16,        was + 4,
        was / 2, 1u << 31, UINT32_MAX, UINT32_MAX - 15, (uint32_t)(number_at(PAGES_AT) * 65536)};
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        restore();
        memcpy(data + STACK_POINTER_AT, &pointers[i], sizeof pointers[i]);
        write_data();
        if (eryx_sandbox_load(sandbox, path, NULL) == ERYX_OK) {
            run_and_reset(sandbox);
        } else {
            expect_untouched(sandbox);
        }
    }
    eryx_sandbox_destroy(sandbox);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The interpreter's own objects, overwritten at random. */
static void test_any_memory(void)
{
    eryx_sandbox *sandbox = create_short();
    uint64_t random = 0x9e3779b97f4a7c15;
    size_t begin = HEADER_BYTES + (size_t)number_at(RANGE_COUNT_AT) * RANGE_BYTES;
    uint64_t contents = number_at(CONTENTS_SIZE_AT);
    int loaded = 0;
    for (int i = 0; i < 150; i++) {
        restore();
        uint64_t count = (uint64_t)1 << next_random(&random) % 14;
        for (uint64_t k = 0; k < count; k++) {
            uint64_t value = next_random(&random);
            value = value % 3 == 0 ? value : value % 3 == 1 ? value % 100 : UINT64_MAX;
            memcpy(data + begin + next_random(&random) % (contents - 4), &value, 4);
        }
        write_data();
        if (eryx_sandbox_load(sandbox, path, NULL) == ERYX_OK) {
            run_and_reset(sandbox);
            loaded++;
        } else { /* the list of native modules is looked at */
            expect_untouched(sandbox);
        }
    }
    ASSERT_GT(loaded, 50);
    eryx_sandbox_destroy(sandbox);
}

TEST_MAIN(TEST_CASE(live_open), TEST_CASE(make_original),
          TEST_CASE(test_ranges_that_are_not_in_order), TEST_CASE(test_sizes_that_do_not_fit),
          TEST_CASE(test_any_stack_pointer), TEST_CASE(test_any_memory), TEST_CASE(remove_original),
          TEST_CASE(live_close))
