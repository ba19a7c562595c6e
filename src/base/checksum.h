/* A fast checksum for files of our own: finds damage, not malice. */
#ifndef ERYX_BASE_CHECKSUM_H
#define ERYX_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from the checksum of what comes before; 0 to begin with. */
uint64_t checksum_update(uint64_t state, const uint8_t *data, uint64_t size);

#endif
