#include "sandbox/lines.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 4096 };

size_t lines_whole(const uint8_t *data, size_t size)
{
    while (size > 0 && data[size - 1] != '\n') {
        size--;
    }
    return size;
}

bool lines_hold(line_holder *holder, const uint8_t *data, size_t size)
{
    if (size > MOST_BYTES - holder->size) {
        return false;
    }
    if (holder->bytes == NULL) {
        holder->bytes = malloc(MOST_BYTES);
        if (holder->bytes == NULL) {
            return false;
        }
    }
    if (size > 0) {
        memcpy(holder->bytes + holder->size, data, size);
        holder->size += size;
    }
    return true;
}

void lines_clear(line_holder *holder)
{
    free(holder->bytes);
    *holder = (line_holder){0};
}
