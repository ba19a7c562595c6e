#include "machine/memory_pressure.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Memory is short when somebody had to wait for it for that share of the last ten seconds. */
enum { SHORT_PERCENT = 10 };

#define LOOK_EVERY_NS UINT64_C(500000000)

static const char *const files[] = {"/sys/fs/cgroup/memory.pressure", "/proc/pressure/memory"};

static atomic_uint_fast64_t next_look;
static atomic_bool is_short;
static atomic_bool is_ignored;

/* The share of the last ten seconds in percent; -1 if the file does not say. */
static long read_share(const char *path)
{
    static const char before[] = "some avg10=";
    char text[64];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return -1;
    }
    ssize_t size = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    text[size > 0 ? size : 0] = '\0';
    return strncmp(text, before, sizeof before - 1) == 0
               ? strtol(text + sizeof before - 1, NULL, 10)
               : -1;
}

static bool look(void)
{
    long share = -1;
    for (size_t i = 0; share < 0 && i < sizeof files / sizeof files[0]; i++) {
        share = read_share(files[i]);
    }
    return share >= SHORT_PERCENT;
}

void memory_pressure_ignore(void)
{
    atomic_store_explicit(&is_ignored, true, memory_order_relaxed);
}

bool memory_is_short(void)
{
    struct timespec time;
    if (atomic_load_explicit(&is_ignored, memory_order_relaxed)) {
        return false;
    }
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    uint64_t now = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
    uint_fast64_t due = atomic_load_explicit(&next_look, memory_order_relaxed);
    if (now >= due && atomic_compare_exchange_strong(&next_look, &due, now + LOOK_EVERY_NS)) {
        atomic_store_explicit(&is_short, look(), memory_order_relaxed);
    }
    return atomic_load_explicit(&is_short, memory_order_relaxed);
}
