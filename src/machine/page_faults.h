/*
 * Page faults of the calling thread, as the kernel counts them.
 *
 * The first write to a page of a private mapping is a page fault of the thread that writes, or for
 * which the kernel writes. Where a thread has had none, it has made no page one of its own.
 */
#ifndef ERYX_MACHINE_PAGE_FAULTS_H
#define ERYX_MACHINE_PAGE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the kernel counts what is written above: tried out by the first call. Threads: any. */
bool page_faults_are_counted(void);

/* How many the calling thread has had. False if the system does not say. Threads: any. */
bool page_faults_count(uint64_t *out_count);

#endif
