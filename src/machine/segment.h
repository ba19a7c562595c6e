/* The GS segment base, through which generated code reaches guest memory. Linux leaves it to
 * programs. */
#ifndef ERYX_MACHINE_SEGMENT_H
#define ERYX_MACHINE_SEGMENT_H

#include <stdbool.h>

/*
 * Sets the base for this thread and gives the earlier one. False if the system refuses, or says yes
 * and does not do it: generated code must not run then, since it would read the host's memory.
 */
bool segment_exchange(void *base, void **out_earlier);

/* Whether the base can be set on this system. Threads: any. */
bool segment_works(void);

#endif
