/* The mixing of scrypt (RFC 7914), which takes its time and memory. */
#ifndef ERYX_GUEST_SCRYPT_H
#define ERYX_GUEST_SCRYPT_H

#include <stdbool.h>
#include <stdint.h>

/* Replaces a block of 128 * r bytes by scryptROMix of it. words: room for 32 * r * (n + 2) numbers.
 * goes_on is called now and then; false when that has said so. */
bool scrypt_mix(uint8_t *block, uint32_t n, uint32_t r, uint32_t *words, bool (*goes_on)(void));

#endif
