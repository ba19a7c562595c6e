/*
 * Descriptors of the host's process that guests use up: files and directories of volumes, sockets,
 * and what the host waits for sockets with.
 *
 * There is one count for the process, so that all guests together leave some to the host, and a
 * share for each sandbox, so that none takes them all. What the embedder opens itself by making a
 * sandbox or a factory is not counted.
 *
 * Threads: all functions may be called from any thread.
 */
#ifndef ERYX_BASE_DESCRIPTORS_H
#define ERYX_BASE_DESCRIPTORS_H

#include <stddef.h>

/* What one sandbox has taken; counted, for volumes outlive the sandbox that they were opened for.
 */
typedef struct descriptor_share descriptor_share;

/* A share with one owner, under the limits as they are now (eryx_set_descriptor_limits()). NULL
 * without memory. */
descriptor_share *descriptors_share_create(void);

/* One more owner. Returns the share; NULL gives NULL. */
descriptor_share *descriptors_share_retain(descriptor_share *share);

/* Gives up one owner's part; the last one frees the share. NULL is allowed. */
void descriptors_share_release(descriptor_share *share);

/*
 * Counts descriptors that are about to be opened.
 *
 * share: NULL for what belongs to no sandbox, which only the process has a limit for.
 * Returns 0; EMFILE if the share, or ENFILE if the process has no more, and nothing is counted.
 */
int descriptors_take(descriptor_share *share, size_t count);

/* Counts descriptors out again that were closed. */
void descriptors_give(descriptor_share *share, size_t count);

#endif
