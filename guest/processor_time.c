/*
 * What the guest has computed for, as the host knows it. libc takes the time of day for it, which
 * goes on in a sleep and began when the image was made.
 */
#define _GNU_SOURCE
#define _WASI_EMULATED_PROCESS_CLOCKS
#include <stdint.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "replaced.h"

#define SECOND_NS UINT64_C(1000000000)

REPLACES clock_t clock(void)
{
    return (clock_t)(host_processor_time() / (SECOND_NS / CLOCKS_PER_SEC));
}

/* In ticks of sysconf(_SC_CLK_TCK). */
REPLACES clock_t times(struct tms *out)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t tick_ns = SECOND_NS / (uint64_t)sysconf(_SC_CLK_TCK);
    *out = (struct tms){.tms_utime = (clock_t)(host_processor_time() / tick_ns)};
    return (clock_t)(((uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec) / tick_ns);
}
