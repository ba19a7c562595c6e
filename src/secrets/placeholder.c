#include "secrets/placeholder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

bool placeholder_set_create(size_t count, placeholder_set *out_set)
{
    static const char digits[] = "0123456789abcdef";
    char (*texts)[PLACEHOLDER_SIZE + 1] = calloc(count > 0 ? count : 1, sizeof *texts);
    if (texts == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t random[(PLACEHOLDER_SIZE - PLACEHOLDER_PREFIX_SIZE) / 2];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
            free(texts);
            return false;
        }
        memcpy(texts[i], PLACEHOLDER_PREFIX, PLACEHOLDER_PREFIX_SIZE);
        char *next = texts[i] + PLACEHOLDER_PREFIX_SIZE;
        for (size_t j = 0; j < sizeof random; j++) {
            *next++ = digits[random[j] >> 4];
            *next++ = digits[random[j] & 15];
        }
        *next = 0;
    }
    *out_set = (placeholder_set){count, texts};
    return true;
}

bool placeholder_set_copy(const placeholder_set *set, placeholder_set *out_set)
{
    char (*texts)[PLACEHOLDER_SIZE + 1] = calloc(set->count > 0 ? set->count : 1, sizeof *texts);
    if (texts == NULL) {
        return false;
    }
    if (set->count > 0) {
        memcpy(texts, set->texts, set->count * sizeof *texts);
    }
    *out_set = (placeholder_set){set->count, texts};
    return true;
}

void placeholder_set_free(placeholder_set *set)
{
    free(set->texts);
    *set = (placeholder_set){0};
}

bool placeholder_find(const placeholder_set *set, const uint8_t *data, size_t size, size_t *out_at,
                      size_t *out_index)
{
    size_t at = 0;
    while (set->count > 0 && size - at >= PLACEHOLDER_SIZE) {
        const uint8_t *found =
            memmem(data + at, size - at, PLACEHOLDER_PREFIX, PLACEHOLDER_PREFIX_SIZE);
        if (found == NULL) {
            return false;
        }
        at = (size_t)(found - data);
        for (size_t i = 0; i < set->count && size - at >= PLACEHOLDER_SIZE; i++) {
            if (memcmp(found, set->texts[i], PLACEHOLDER_SIZE) == 0) {
                *out_at = at;
                *out_index = i;
                return true;
            }
        }
        at += PLACEHOLDER_PREFIX_SIZE;
    }
    return false;
}

static bool begins_one(const placeholder_set *set, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < set->count; i++) {
        if (memcmp(data, set->texts[i], size) == 0) {
            return true;
        }
    }
    return false;
}

size_t placeholder_tail(const placeholder_set *set, const uint8_t *data, size_t size)
{
    size_t tail = size < PLACEHOLDER_SIZE - 1 ? size : PLACEHOLDER_SIZE - 1;
    for (; tail > 0; tail--) {
        const uint8_t *begin = data + size - tail;
        if (*begin == (uint8_t)PLACEHOLDER_PREFIX[0] && begins_one(set, begin, tail)) {
            return tail;
        }
    }
    return 0;
}
