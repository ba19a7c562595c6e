/*
 * What a run may use. Included by eryx.h.
 */
#ifndef ERYX_PUBLIC_LIMITS_H
#define ERYX_PUBLIC_LIMITS_H

#include "eryx/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ERYX_UNLIMITED UINT64_MAX

/*
 * Every limit: name, whose end is its unit; default; what it bounds; what happens when it is
 * reached. A later version adds its own at the end.
 */
#define ERYX_LIMITS_MAP(X)                                                                         \
    X(execution_timeout_ms, 30000, "wall clock of one run, from its first step on",                \
      "the run ends with TIMEOUT")                                                                 \
    X(cpu_timeout_ms, ERYX_UNLIMITED, "processor time of the guest in one run",                    \
      "the run ends with TIMEOUT")                                                                 \
    X(max_memory_bytes, (uint64_t)128 << 20, "linear memory of the guest, its image included",     \
      "the guest gets MemoryError")                                                                \
    X(max_fuel, ERYX_UNLIMITED, "fuel of one run, which is metered then",                          \
      "the run ends with RESOURCE_LIMIT")                                                          \
    X(max_output_bytes, (uint64_t)16 << 20,                                                        \
      "stdout and stderr kept of one run, together; when one has flooded it, the other has an "    \
      "eighth more",                                                                               \
      "the middle is left out")                                                                    \
    X(max_result_bytes, (uint64_t)16 << 20, "JSON of the result variable", "result_error says so") \
    X(max_vfs_bytes, (uint64_t)64 << 20, "contents of all in-memory files",                        \
      "the guest gets OSError")                                                                    \
    X(max_vfs_entries, 16384, "in-memory files, directories and links, together",                  \
      "the guest gets OSError")                                                                    \
    X(max_open_handles, 1024, "open files, directories, streams and timers",                       \
      "the guest gets OSError")                                                                    \
    X(callback_timeout_ms, 10000, "wall clock of one callback", "the guest gets TimeoutError")     \
    X(max_callback_invocations, 1000, "callbacks of one run, the failed ones included",            \
      "the guest gets an exception")                                                               \
    X(max_callback_bytes, (uint64_t)1 << 20,                                                       \
      "arguments of one call, and its answer, each; it bounds the work of arguments as well (see " \
      "eryx_json_measure()), to a quarter unit for each byte of it",                               \
      "the guest gets an exception")                                                               \
    X(max_pending_callback_bytes, (uint64_t)64 << 20,                                              \
      "all calls without an answer and all answers that the guest has not taken, by what the "     \
      "host needs for them (see eryx_json_measure())",                                             \
      "the guest gets an exception")

/* Those that came later, behind the others. */
#define ERYX_LATER_LIMITS_MAP(X)                                                                   \
    X(max_threads, 64, "threads of the guest at a time, beside the first; never more than 1,024",  \
      "the guest gets RuntimeError")

typedef struct eryx_limits {
    size_t struct_size; /* sizeof(eryx_limits); set by the _init function */
#define ERYX_LIMITS_MEMBER(name, default_value, bounds, reached) uint64_t name;
    ERYX_LIMITS_MAP(ERYX_LIMITS_MEMBER)
    bool metered; /* count fuel, without a limit of it as well; false. Runs that are not
                     metered are faster, and do the same. */
    ERYX_LATER_LIMITS_MAP(ERYX_LIMITS_MEMBER)
    uint64_t reserved[7]; /* for later versions; 0 */
#undef ERYX_LIMITS_MEMBER
} eryx_limits;

ERYX_API void eryx_limits_init_sized(eryx_limits *limits, size_t size);

/* Fills in the defaults. */
static inline void eryx_limits_init(eryx_limits *limits)
{
    eryx_limits_init_sized(limits, sizeof *limits);
}

#ifdef __cplusplus
}
#endif

#endif
