/*
 * Which pages of a private mapping hold something of their own, as the kernel knows it: by
 * PAGEMAP_SCAN, or before Linux 6.7 page by page.
 */
#ifndef ERYX_MACHINE_DIRTY_PAGES_H
#define ERYX_MACHINE_DIRTY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dirty_range {
    uint8_t *start; /* whole pages */
    size_t size;
} dirty_range;

/*
 * Finds the pages in memory ... memory + size that are no longer, or never were, those of the
 * mapped file.
 *
 * out_ranges: in order of address; room for capacity of them.
 * False if the kernel cannot tell or there are more ranges; nothing is then known. Threads: any.
 */
bool dirty_pages_find(uint8_t *memory, size_t size, dirty_range *out_ranges, size_t capacity,
                      size_t *out_count);

/* For the child of a fork(): /proc/self/pagemap shows the process that opened it. */
void dirty_pages_after_fork(void);

#endif
