/*
 * What the boundary around guests rests on, tried out rather than assumed: some systems and
 * surroundings take one of these away without a word.
 */
#ifndef ERYX_MACHINE_WALL_H
#define ERYX_MACHINE_WALL_H

#include "eryx/eryx.h"
#include "machine/memory.h"

/* Whether this processor and system can run guests at all; installs nothing. ERYX_INITIALIZATION
 * with the reason if not. Threads: any. */
eryx_status wall_check_system(eryx_error *out_error);

/*
 * Once a process, before its first guest runs: generated code reaches the memory that it should and
 * no other, what lies outside of it is unmapped, faults become traps, and code that never looks at
 * anything is stopped. Prepares the thread (trap.h).
 *
 * map, memory: those of a guest, which is not running; nothing is written. ERYX_INITIALIZATION with
 * the reason if something does not hold; the next call then tries again. Threads: any.
 */
eryx_status wall_check(const memory_map *map, const wasm_rt_memory_t *memory,
                       eryx_error *out_error);

/* For the child of a fork(): another thread may have been checking. */
void wall_after_fork(void);

#endif
