/*
 * Placeholders: the texts that stand for secrets inside the guest, "eryx_secret_" and 32
 * hexadecimal digits of the system's random numbers.
 */
#ifndef ERYX_SECRETS_PLACEHOLDER_H
#define ERYX_SECRETS_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACEHOLDER_PREFIX "eryx_secret_"
#define PLACEHOLDER_PREFIX_SIZE (sizeof PLACEHOLDER_PREFIX - 1)
#define PLACEHOLDER_SIZE (PLACEHOLDER_PREFIX_SIZE + 32)

/* The placeholders of one sandbox; index is that of the secret. */
typedef struct placeholder_set {
    size_t count;
    char (*texts)[PLACEHOLDER_SIZE + 1]; /* terminated; owned */
} placeholder_set;

/* Draws count new ones. out_set: freed with placeholder_set_free(). False without memory or random
 * numbers. */
bool placeholder_set_create(size_t count, placeholder_set *out_set);

/* Makes a set with the same texts. False without memory. */
bool placeholder_set_copy(const placeholder_set *set, placeholder_set *out_set);

/* Frees it; it is then empty. */
void placeholder_set_free(placeholder_set *set);

/*
 * The first placeholder in data: *out_at is where it begins, *out_index which it is. False if there
 * is none. Time is proportional to size.
 */
bool placeholder_find(const placeholder_set *set, const uint8_t *data, size_t size, size_t *out_at,
                      size_t *out_index);

/* How many bytes at the end of data are the start of a placeholder that data does not complete;
 * less than PLACEHOLDER_SIZE. */
size_t placeholder_tail(const placeholder_set *set, const uint8_t *data, size_t size);

#endif
