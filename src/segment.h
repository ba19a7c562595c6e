/* The GS segment base, through which generated code reaches guest memory. Linux leaves it to
 * programs. */
#ifndef ERYX_SEGMENT_H
#define ERYX_SEGMENT_H

/* Sets the base for this thread and gives the earlier one back. */
void *segment_exchange(void *base);

#endif
