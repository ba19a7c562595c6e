#include "secrets/memory.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

static bool locks_none;

void secret_memory_lock_none(void)
{
    locks_none = true;
}

void *secret_memory_create(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    /* Without these it is a little less well hidden from who may read all of this process. */
    (void)madvise(memory, size, MADV_DONTDUMP);
    if (!locks_none) {
        (void)mlock(memory, size);
    }
    return memory;
}

void secret_memory_destroy(void *memory, size_t size)
{
    if (memory != NULL) {
        explicit_bzero(memory, size);
        munmap(memory, size);
    }
}
