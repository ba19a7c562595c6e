/* Images on disk, and memory that is mapped from them. */
#include "machine/image.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/dirty_pages.h"
#include "machine/memory_reset.h"
#include "test.h"

enum { PAGES = 40, PAGE = 4096 };

static char path[] = "/tmp/eryx-test-image-XXXXXX";

/* Memory with data at both ends (there is nothing in the page at 0), a short and a long gap. */
static uint8_t *make_memory(void)
{
    uint8_t *memory = calloc(PAGES, MEMORY_PAGE_BYTES);
    ASSERT_NOT_NULL(memory);
    memory[PAGE] = 1;
    memory[4 * PAGE + 5] = 2;
    memory[500 * PAGE] = 3;
    memory[PAGES * MEMORY_PAGE_BYTES - 1] = 4;
    return memory;
}

static void write_image(const uint8_t *memory)
{
    eryx_error error = {{0}};
    eryx_status status = image_write(path, memory, PAGES * MEMORY_PAGE_BYTES, 77, &error);
    ASSERT_STR_EQ(error.message, "");
    ASSERT_EQ(status, ERYX_OK);
}

static void assert_memory_is(const wasm_rt_memory_t *memory, const uint8_t *expected)
{
    ASSERT_BYTES_EQ(memory->data + PAGE, memory->size - PAGE, expected + PAGE, memory->size - PAGE);
}

static void test_memory_comes_back_as_it_was(void)
{
    uint8_t *memory = make_memory();
    write_image(memory);
    image opened;
    ASSERT_EQ(image_open(path, &opened, NULL), ERYX_OK);
    ASSERT_EQ(opened.memory_pages, PAGES);
    ASSERT_EQ(opened.stack_pointer, 77);
    ASSERT_EQ(opened.segment_count, 3);

    memory_map map;
    wasm_rt_memory_t mapped;
    ASSERT(memory_create(&map, &opened, 0, &mapped));
    ASSERT_EQ_U(mapped.size, PAGES * MEMORY_PAGE_BYTES);
    assert_memory_is(&mapped, memory);
    memory_destroy(&map);
    image_close(&opened);
    free(memory);
}

static void test_written_pages_are_private_and_dropped_by_reset(void)
{
    uint8_t *memory = make_memory();
    write_image(memory);
    image opened;
    ASSERT_EQ(image_open(path, &opened, NULL), ERYX_OK);
    memory_map maps[2];
    wasm_rt_memory_t mapped[2];
    for (int i = 0; i < 2; i++) {
        ASSERT(memory_create(&maps[i], &opened, 0, &mapped[i]));
        memory_set_limit(&mapped[i], (PAGES + 2) * MEMORY_PAGE_BYTES);
    }
    memset(mapped[0].data + PAGE, 0xff, mapped[0].size - PAGE);
    ASSERT_EQ(mapped[1].data[PAGE], 1);
    ASSERT(memory_grow(&mapped[0], 2));
    memset(mapped[0].data + PAGES * MEMORY_PAGE_BYTES, 0xff, 2 * MEMORY_PAGE_BYTES);
    ASSERT(memory_reset(&maps[0], &mapped[0], &opened));
    ASSERT_EQ_U(mapped[0].size, PAGES * MEMORY_PAGE_BYTES);
    assert_memory_is(&mapped[0], memory);
    ASSERT(memory_grow(&mapped[0], 2));
    for (size_t i = 0; i < 2 * MEMORY_PAGE_BYTES; i++) {
        ASSERT_EQ(mapped[0].data[PAGES * MEMORY_PAGE_BYTES + i], 0);
    }
    memory_destroy(&maps[0]);
    memory_destroy(&maps[1]);
    image_close(&opened);
    free(memory);
}

static size_t own_pages(const wasm_rt_memory_t *memory)
{
    dirty_range ranges[64];
    size_t count;
    size_t bytes = 0;
    if (!dirty_pages_find(memory->data, memory->size, ranges, 64, &count)) {
        return SIZE_MAX; /* the kernel cannot tell */
    }
    for (size_t i = 0; i < count; i++) {
        bytes += ranges[i].size;
    }
    return bytes / IMAGE_PAGE_BYTES;
}

/* One guest that has written much must not make the resets of all later ones slow. */
static void test_pages_that_nobody_uses_any_more_are_dropped(void)
{
    uint8_t *expected = make_memory();
    write_image(expected);
    image opened;
    ASSERT_EQ(image_open(path, &opened, NULL), ERYX_OK);
    memory_map map;
    wasm_rt_memory_t memory;
    ASSERT(memory_create(&map, &opened, 0, &memory));
    memory_set_limit(&memory, memory.size);
    memset(memory.data + PAGE, 0xff, memory.size - PAGE);
    ASSERT(memory_reset(&map, &memory, &opened));
    size_t before = own_pages(&memory);
    for (int i = 0; i < 20; i++) {
        memset(memory.data + 5 * IMAGE_PAGE_BYTES, i + 1, 2 * IMAGE_PAGE_BYTES);
        ASSERT(memory_reset(&map, &memory, &opened));
    }
    if (before != SIZE_MAX) {
        ASSERT_EQ_U(before, memory.size / IMAGE_PAGE_BYTES - 1);
        ASSERT_EQ_U(own_pages(&memory), 2);
    }
    assert_memory_is(&memory, expected);
    memory_destroy(&map);
    image_close(&opened);
    free(expected);
}

static void test_growth_ends_at_the_limit(void)
{
    memory_map map;
    wasm_rt_memory_t memory;
    ASSERT(memory_create(&map, NULL, 2, &memory));
    ASSERT(!memory_grow(&memory, 1));
    memory_set_limit(&memory, 5 * MEMORY_PAGE_BYTES + 1);
    ASSERT(memory_grow(&memory, 0));
    ASSERT(!memory_grow(&memory, 4));
    ASSERT(memory_grow(&memory, 3));
    ASSERT(!memory_grow(&memory, 1));
    ASSERT(!memory_grow(&memory, UINT32_MAX));
    ASSERT_EQ_U(memory.size, 5 * MEMORY_PAGE_BYTES);
    memory.data[memory.size - 1] = 1;
    memory_set_limit(&memory, 1);
    ASSERT(!memory_grow(&memory, 1));
    memory_set_limit(&memory, UINT64_MAX);
    ASSERT_EQ_U(memory.max_pages, 65536);
    memory_destroy(&map);
    memory_destroy(&map);
}

static eryx_status open_status(void)
{
    image opened;
    eryx_error error = {{0}};
    eryx_status status = image_open(path, &opened, &error);
    if (status == ERYX_OK) {
        image_close(&opened);
    } else {
        ASSERT_STR_CONTAINS(error.message, path);
    }
    return status;
}

static bool is_whole(void)
{
    image opened;
    ASSERT_EQ(image_open(path, &opened, NULL), ERYX_OK);
    bool whole = image_is_whole(&opened);
    image_close(&opened);
    return whole;
}

static void test_every_changed_byte_is_noticed(void)
{
    uint8_t *memory = make_memory();
    write_image(memory);
    int file = open(path, O_RDWR);
    ASSERT_GE(file, 0);
    struct stat attributes;
    ASSERT_EQ(fstat(file, &attributes), 0);
    off_t step = 1;
    for (off_t at = 0; at < attributes.st_size; at += step) {
        uint8_t byte;
        ASSERT_EQ(pread(file, &byte, 1, at), 1);
        uint8_t changed = byte ^ (uint8_t)(1 << (at % 8));
        ASSERT_EQ(pwrite(file, &changed, 1, at), 1);
        eryx_status status = open_status();
        if (at < PAGE) {
            ASSERT(status == ERYX_INITIALIZATION || (at < 64 && status == ERYX_WRONG_BUILD));
        } else {
            ASSERT_EQ(status, ERYX_OK); /* of what the guest can change itself */
            ASSERT(!is_whole());
        }
        ASSERT_EQ(pwrite(file, &byte, 1, at), 1);
        step = at < PAGE ? 1 : 1009;
    }
    ASSERT_EQ(open_status(), ERYX_OK);
    ASSERT(is_whole());
    close(file);
    free(memory);
}

static void test_truncated_and_lengthened_files(void)
{
    uint8_t *memory = make_memory();
    write_image(memory);
    struct stat attributes;
    ASSERT_EQ(stat(path, &attributes), 0);
    off_t sizes[] = {attributes.st_size - 1, attributes.st_size - PAGE, PAGE, PAGE - 1, 100, 0};
    ASSERT_EQ(truncate(path, attributes.st_size + PAGE), 0);
    ASSERT_EQ(open_status(), ERYX_INITIALIZATION);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ASSERT_EQ(truncate(path, sizes[i]), 0);
        ASSERT_EQ(open_status(), ERYX_INITIALIZATION);
    }
    free(memory);
}

static void test_files_that_are_no_images(void)
{
    eryx_error error;
    image opened;
    ASSERT_EQ(image_open("/nonexistent/image", &opened, &error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "/nonexistent/image: No such file");
    ASSERT_EQ(image_open("/tmp", &opened, &error), ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "not an eryx image");
    ASSERT_EQ(image_open("/dev/zero", &opened, &error), ERYX_INITIALIZATION);
}

static void test_unwritable_place(void)
{
    uint8_t *memory = make_memory();
    eryx_error error;
    ASSERT_EQ(image_write("/nonexistent/image", memory, MEMORY_PAGE_BYTES, 0, &error),
              ERYX_INITIALIZATION);
    ASSERT_STR_CONTAINS(error.message, "/nonexistent/image");
    free(memory);
}

#ifndef __SANITIZE_ADDRESS__
static void test_without_address_space(void)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {(rlim_t)1 << 30, (rlim_t)1 << 30};
        memory_map map = {0};
        wasm_rt_memory_t memory;
        setrlimit(RLIMIT_AS, &limit);
        _exit(memory_create(&map, NULL, 2, &memory) || map.reservation != NULL);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
}
#endif

static void test_begin(void)
{
    int file = mkstemp(path);
    ASSERT_GE(file, 0);
    close(file);
}

static void test_end(void)
{
    ASSERT_EQ(unlink(path), 0);
}

TEST_MAIN(TEST_CASE(test_begin), TEST_CASE(test_memory_comes_back_as_it_was),
          TEST_CASE(test_written_pages_are_private_and_dropped_by_reset),
          TEST_CASE(test_pages_that_nobody_uses_any_more_are_dropped),
          TEST_CASE(test_growth_ends_at_the_limit), TEST_CASE(test_every_changed_byte_is_noticed),
          TEST_CASE(test_truncated_and_lengthened_files), TEST_CASE(test_files_that_are_no_images),
          TEST_CASE(test_unwritable_place),
#ifndef __SANITIZE_ADDRESS__
          TEST_CASE(test_without_address_space),
#endif
          TEST_CASE(test_end))
