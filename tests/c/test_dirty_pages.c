/* Pages of a private mapping that were written, with PAGEMAP_SCAN and on kernels without it. */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "test.h"

static bool has_scan; /* whether the kernel that is played knows the call */
static bool was_scanned;

static int play_ioctl(int file, unsigned long request, void *argument);

#define ioctl(file, request, argument) play_ioctl(file, request, argument)
#include "../../src/machine/dirty_pages.c"
#undef ioctl

static int play_ioctl(int file, unsigned long request, void *argument)
{
    if (!has_scan) {
        errno = ENOTTY;
        return -1;
    }
    int found = ioctl(file, request, argument);
    was_scanned = was_scanned || found >= 0;
    return found;
}

enum { PAGES = 3000, RANGES = 2000 };

static uint8_t *map_file(void)
{
    int file = memfd_create("test", MFD_CLOEXEC);
    ASSERT_GE(file, 0);
    ASSERT_EQ(ftruncate(file, (off_t)PAGES * PAGE_BYTES), 0);
    uint8_t *memory =
        mmap(NULL, (size_t)PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    ASSERT(memory != MAP_FAILED);
    close(file);
    return memory;
}

/* Writes some pages and reads others; tells which were written. */
static void touch(uint8_t *memory, bool *written)
{
    static volatile uint8_t seen;
    unsigned random = 1;
    for (size_t i = 0; i < PAGES; i++) {
        random = random * 1103515245 + 12345;
        written[i] = i < 4 || (i >= 500 && i < 1100) || random >> 16 & 1 || i == PAGES - 1;
        if (written[i]) {
            memory[i * PAGE_BYTES + i] = 1;
        } else if (random >> 17 & 1) {
            seen = memory[i * PAGE_BYTES];
        }
    }
    (void)seen;
}

static void check(bool scan)
{
    static dirty_range ranges[RANGES];
    bool written[PAGES];
    bool found[PAGES] = {false};
    uint8_t *memory = map_file();
    size_t count = 99;
    has_scan = scan;
    ASSERT(dirty_pages_find(memory, (size_t)PAGES * PAGE_BYTES, ranges, RANGES, &count));
    ASSERT_EQ_U(count, 0);
    touch(memory, written);
    ASSERT(dirty_pages_find(memory, (size_t)PAGES * PAGE_BYTES, ranges, RANGES, &count));
    const uint8_t *end = memory;
    for (size_t i = 0; i < count; i++) {
        ASSERT(ranges[i].start >= end && (scan || i == 0 || ranges[i].start > end));
        ASSERT_EQ_U(ranges[i].size % PAGE_BYTES, 0);
        end = ranges[i].start + ranges[i].size;
        size_t first = (size_t)(ranges[i].start - memory) / PAGE_BYTES;
        memset(found + first, true, ranges[i].size / PAGE_BYTES);
    }
    ASSERT_BYTES_EQ((uint8_t *)found, sizeof found, (uint8_t *)written, sizeof written);
    ASSERT(!dirty_pages_find(memory, (size_t)PAGES * PAGE_BYTES, ranges, count - 1, &count));
    ASSERT(dirty_pages_find(memory + 10 * PAGE_BYTES, 0, ranges, 0, &count));
    ASSERT_EQ_U(count, 0);
    munmap(memory, (size_t)PAGES * PAGE_BYTES);
}

static void test_with_the_call(void)
{
    has_scan = true;
    check(true);
    printf("the kernel %s PAGEMAP_SCAN\n", was_scanned ? "has" : "does not have");
}

static void test_page_by_page(void)
{
    check(false);
}

TEST_MAIN(TEST_CASE(test_with_the_call), TEST_CASE(test_page_by_page))
