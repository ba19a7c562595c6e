/*
 * An image that lies over another: the pages that differ, in a file in memory that sandboxes map
 * over the image below.
 */
#ifndef ERYX_MACHINE_IMAGE_OVER_H
#define ERYX_MACHINE_IMAGE_OVER_H

#include "machine/image.h"
#include "machine/memory_difference.h"

/*
 * Makes the image.
 *
 * below: must live as long as the image.
 * memory: sound ranges in order; the contents are differences from the image below.
 * checksum: what the image is to be known by.
 * out_image: closed with image_close().
 * Errors: INITIALIZATION (no memory or descriptor for the file; ranges so far apart that it would
 * be many times as long as the contents), OUT_OF_MEMORY.
 */
eryx_status image_over_create(const image *below, const live_memory *memory, uint64_t checksum,
                              image *out_image, eryx_error *out_error);

/* Changes a page to its difference from another (NULL: a page of zeros), or back. */
void image_over_difference(uint8_t *page, const uint8_t *original);

#endif
