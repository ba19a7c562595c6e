/* Times of the system's clocks in nanoseconds, and sums of times that may be endless. */
#ifndef ERYX_BASE_CLOCK_H
#define ERYX_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_MS ((uint64_t)1000000)
#define CLOCK_NS_PER_SECOND ((uint64_t)1000000000)

/* CLOCK_MONOTONIC: what all deadlines of the host are in. From any thread; tests stand in for it.
 */
uint64_t clock_now_ns(void);

/* The time of a clock that cannot fail, such as CLOCK_THREAD_CPUTIME_ID. Safe in signal handlers.
 */
static inline uint64_t clock_read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * CLOCK_NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* a + b; UINT64_MAX, which stands for no end, when that is too large. */
static inline uint64_t add_saturating(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Milliseconds in nanoseconds; UINT64_MAX when that is too large. */
static inline uint64_t clock_ms_to_ns(uint64_t milliseconds)
{
    return milliseconds > UINT64_MAX / CLOCK_NS_PER_MS ? UINT64_MAX
                                                       : milliseconds * CLOCK_NS_PER_MS;
}

#endif
