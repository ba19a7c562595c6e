/*
 * Whether the system is short of memory, as it says itself (pressure stall information): the
 * control group if it tells, else the whole system.
 */
#ifndef ERYX_MACHINE_MEMORY_PRESSURE_H
#define ERYX_MACHINE_MEMORY_PRESSURE_H

#include <stdbool.h>

/* Looks at most twice a second. False where the kernel does not tell. Threads: any. */
bool memory_is_short(void);

/* From now on memory is never short: for a process that may open no files. Threads: any. */
void memory_pressure_ignore(void);

#endif
