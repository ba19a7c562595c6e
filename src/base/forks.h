/* What a fork() of the host means to us: objects belong to the process that made them. */
#ifndef ERYX_BASE_FORKS_H
#define ERYX_BASE_FORKS_H

#include <stdint.h>

/*
 * Counts the fork()s between the first process and this one, so that what remembers the number at
 * its making knows whether this is still the process. Watches from the first call on. Threads: any.
 */
uint64_t forks_generation(void);

#endif
