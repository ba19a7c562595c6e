/*
 * Local variables begin as zero (-ftrivial-auto-var-init), which for a large one costs more than
 * what is done with it. UNINITIALIZED is for those of which only what was written is read.
 */
#ifndef ERYX_BASE_UNINITIALIZED_H
#define ERYX_BASE_UNINITIALIZED_H

#if defined(__has_attribute) && __has_attribute(uninitialized)
#define UNINITIALIZED __attribute__((uninitialized))
#else
#define UNINITIALIZED
#endif

#endif
