/* Threads by numbers that are never used again, as those of the system are. */
#ifndef ERYX_BASE_THREADS_H
#define ERYX_BASE_THREADS_H

#include <stdint.h>

/* The number of the calling thread: never 0, and no other thread of this process has it or has had
 * it. Threads: any. */
uint64_t threads_number(void);

#endif
