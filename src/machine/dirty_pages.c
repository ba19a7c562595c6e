#include "machine/dirty_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* linux/fs.h has these since 6.7; older headers do not. */
struct scanned_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

struct scan_argument {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end;
    uint64_t vec;
    uint64_t vec_len;
    uint64_t max_pages;
    uint64_t category_inverted;
    uint64_t category_mask;
    uint64_t category_anyof_mask;
    uint64_t return_mask;
};

#define SCAN_PAGES _IOWR('f', 16, struct scan_argument)
#define PAGE_IS_FILE ((uint64_t)1 << 2)
#define PAGE_IS_PRESENT ((uint64_t)1 << 3)
#define PAGE_IS_SWAPPED ((uint64_t)1 << 4)

/* What the file itself holds, for each page. */
#define ENTRY_IS_FILE ((uint64_t)1 << 61)
#define ENTRY_IS_SWAPPED ((uint64_t)1 << 62)
#define ENTRY_IS_PRESENT ((uint64_t)1 << 63)

enum { PAGE_BYTES = 4096, REGIONS_PER_CALL = 256, ENTRIES_PER_CALL = 512 };

static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;
static int pagemap_file = -1;

static int pagemap(void)
{
    pthread_mutex_lock(&file_lock);
    if (pagemap_file < 0) {
        pagemap_file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    }
    int file = pagemap_file;
    pthread_mutex_unlock(&file_lock);
    return file;
}

void dirty_pages_after_fork(void)
{
    pthread_mutex_init(&file_lock, NULL);
    if (pagemap_file >= 0) {
        close(pagemap_file);
        pagemap_file = -1;
    }
}

/* The same page by page, for kernels without the call. */
static bool read_entries(int file, uint8_t *memory, size_t size, dirty_range *out_ranges,
                         size_t capacity, size_t *out_count)
{
    uint64_t entries[ENTRIES_PER_CALL];
    size_t count = 0;
    dirty_range last = {.start = memory, .size = 0};
    size_t got;
    for (size_t at = 0; at < size; at += got * PAGE_BYTES) {
        size_t wanted = (size - at) / PAGE_BYTES;
        wanted = wanted < ENTRIES_PER_CALL ? wanted : ENTRIES_PER_CALL;
        off_t place = (off_t)((uintptr_t)(memory + at) / PAGE_BYTES * sizeof entries[0]);
        ssize_t bytes = pread(file, entries, wanted * sizeof entries[0], place);
        got = bytes > 0 ? (size_t)bytes / sizeof entries[0] : 0;
        if (got == 0) {
            return false;
        }
        for (size_t i = 0; i < got; i++) {
            uint8_t *page = memory + at + i * PAGE_BYTES;
            if ((entries[i] & ENTRY_IS_FILE) != 0 ||
                (entries[i] & (ENTRY_IS_PRESENT | ENTRY_IS_SWAPPED)) == 0) {
                continue;
            }
            if (last.size > 0 && last.start + last.size == page) {
                last.size += PAGE_BYTES;
            } else if (count == capacity) {
                return false;
            } else {
                last = (dirty_range){page, PAGE_BYTES};
                count++;
            }
            out_ranges[count - 1] = last;
        }
    }
    *out_count = count;
    return true;
}

bool dirty_pages_find(uint8_t *memory, size_t size, dirty_range *out_ranges, size_t capacity,
                      size_t *out_count)
{
    int file = pagemap();
    if (file < 0) {
        return false;
    }
    struct scanned_region regions[REGIONS_PER_CALL];
    struct scan_argument argument = {
        .size = sizeof argument,
        .start = (uint64_t)(uintptr_t)memory,
        .end = (uint64_t)(uintptr_t)memory + size,
        .vec = (uint64_t)(uintptr_t)regions,
        .vec_len = REGIONS_PER_CALL,
        .category_inverted = PAGE_IS_FILE,
        .category_mask = PAGE_IS_FILE,
        .category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
    };
    size_t count = 0;
    while (argument.start < argument.end) {
        int found = ioctl(file, SCAN_PAGES, &argument);
        if (found < 0) {
            return read_entries(file, memory, size, out_ranges, capacity, out_count);
        }
        if ((size_t)found > capacity - count || argument.walk_end <= argument.start) {
            return false;
        }
        for (int i = 0; i < found; i++) {
            out_ranges[count++] = (dirty_range){memory + (regions[i].start - (uintptr_t)memory),
                                                regions[i].end - regions[i].start};
        }
        argument.start = argument.walk_end;
    }
    *out_count = count;
    return true;
}
