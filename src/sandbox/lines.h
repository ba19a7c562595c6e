/* Holds the begin of a line back, so that output is handed over by whole lines. */
#ifndef ERYX_SANDBOX_LINES_H
#define ERYX_SANDBOX_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct line_holder {
    uint8_t *bytes; /* owned; NULL until something is held */
    size_t size;
} line_holder;

/* How many bytes of data are whole lines. */
size_t lines_whole(const uint8_t *data, size_t size);

/* Adds to what is held. False, and nothing is changed, if there is no room for it: 4 KiB are held
 * at most, and none without memory. */
bool lines_hold(line_holder *holder, const uint8_t *data, size_t size);

/* Forgets what is held, and frees the memory. */
void lines_clear(line_holder *holder);

#endif
