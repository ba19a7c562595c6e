/* An allocator that can be told to fail, for tests that include .c files and call it malloc there.
 */
#ifndef ERYX_ALLOCATION_FAULTS_H
#define ERYX_ALLOCATION_FAULTS_H

#include <stdbool.h>
#include <stdlib.h>

static long allocations_left = -1; /* the one that comes when it is 0 fails; below 0 none does */
static bool fail_for_good;         /* and all that come later */
static bool has_failed;

static inline bool allocation_fails(void)
{
    if (allocations_left == 0) {
        has_failed = true;
        allocations_left = fail_for_good ? 0 : -1;
        return true;
    }
    allocations_left -= allocations_left > 0;
    return false;
}

static inline void *fault_malloc(size_t size)
{
    return allocation_fails() ? NULL : malloc(size);
}

static inline void *fault_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : calloc(count, size);
}

static inline void *fault_realloc(void *moved, size_t size)
{
    return allocation_fails() ? NULL : realloc(moved, size);
}

#endif
