#include "machine/page_faults.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TRIAL_PAGE_BYTES = 4096, TRIAL_PAGES = 16 };

bool page_faults_count(uint64_t *out_count)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0) {
        return false;
    }
    *out_count = (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
    return true;
}

/* Ways to write to a page. */
static bool write_by_ourselves(volatile uint8_t *page)
{
    page[0] = 1;
    return true;
}

static bool write_by_the_kernel(volatile uint8_t *page)
{
    return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, page) == 0;
}

/* Whether each first write to a page is counted, those of pages that have been read included. What
 * else the thread faults on meanwhile is less than that. */
static bool is_counted(volatile uint8_t *pages, bool (*write_to)(volatile uint8_t *page))
{
    uint64_t before, after;
    bool done = true;
    for (size_t i = 0; i < TRIAL_PAGES; i += 2) {
        done = done && pages[i * TRIAL_PAGE_BYTES] == 0;
    }
    done = done && page_faults_count(&before);
    for (size_t i = 0; i < TRIAL_PAGES; i++) {
        done = done && write_to(pages + i * TRIAL_PAGE_BYTES);
    }
    return done && page_faults_count(&after) && after - before >= TRIAL_PAGES;
}

/* The same in a private mapping of its own; file: -1 for none. */
static bool is_counted_in_mapping(int file, bool (*write_to)(volatile uint8_t *page))
{
    const size_t bytes = (size_t)TRIAL_PAGES * TRIAL_PAGE_BYTES;
    int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_PRIVATE;
    uint8_t *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
    if (pages == MAP_FAILED) {
        return false;
    }
    (void)madvise(pages, bytes, MADV_NOHUGEPAGE); /* a system without huge pages refuses */
    bool counted = is_counted(pages, write_to);
    munmap(pages, bytes);
    return counted;
}

static bool try_all(void)
{
    int file = memfd_create("eryx", MFD_CLOEXEC);
    if (file < 0) {
        return false;
    }
    bool counted = ftruncate(file, (off_t)TRIAL_PAGES * TRIAL_PAGE_BYTES) == 0 &&
                   is_counted_in_mapping(file, write_by_ourselves) &&
                   is_counted_in_mapping(file, write_by_the_kernel) &&
                   is_counted_in_mapping(-1, write_by_ourselves) &&
                   is_counted_in_mapping(-1, write_by_the_kernel);
    close(file);
    return counted;
}

bool page_faults_are_counted(void)
{
    /* Threads that come at the same time all try, and find the same. */
    static atomic_int answer; /* 0: not tried yet */
    enum { YES = 1, NO = 2 };
    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == 0) {
        known = try_all() ? YES : NO;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known == YES;
}
