#include "scrypt.h"

#include <stddef.h>
#include <string.h>

enum { CELL_WORDS = 16, LOOK_EVERY_WORDS = 1 << 18 };

static uint32_t rotate(uint32_t value, int bits)
{
    return value << bits | value >> (32 - bits);
}

/* Four of Salsa20's steps: on a row or a column that begins at a. */
#define QUARTER(x, a, b, c, d)                                                                     \
    do {                                                                                           \
        (x)[b] ^= rotate((x)[a] + (x)[d], 7);                                                      \
        (x)[c] ^= rotate((x)[b] + (x)[a], 9);                                                      \
        (x)[d] ^= rotate((x)[c] + (x)[b], 13);                                                     \
        (x)[a] ^= rotate((x)[d] + (x)[c], 18);                                                     \
    } while (0)

static void salsa(uint32_t cell[CELL_WORDS])
{
    uint32_t x[CELL_WORDS];
    memcpy(x, cell, sizeof x);
    for (int round = 0; round < 8; round += 2) {
        QUARTER(x, 0, 4, 8, 12);
        QUARTER(x, 5, 9, 13, 1);
        QUARTER(x, 10, 14, 2, 6);
        QUARTER(x, 15, 3, 7, 11);
        QUARTER(x, 0, 1, 2, 3);
        QUARTER(x, 5, 6, 7, 4);
        QUARTER(x, 10, 11, 8, 9);
        QUARTER(x, 15, 12, 13, 14);
    }
    for (int i = 0; i < CELL_WORDS; i++) {
        cell[i] += x[i];
    }
}

/* BlockMix: from one block to another, of 2 * r cells each. */
static void mix_block(const uint32_t *from, uint32_t *to, uint32_t r)
{
    uint32_t cell[CELL_WORDS];
    memcpy(cell, from + (size_t)(2 * r - 1) * CELL_WORDS, sizeof cell);
    for (uint32_t i = 0; i < 2 * r; i++) {
        for (int word = 0; word < CELL_WORDS; word++) {
            cell[word] ^= from[(size_t)i * CELL_WORDS + (size_t)word];
        }
        salsa(cell);
        uint32_t place = (i & 1) * r + i / 2; /* the even ones first */
        memcpy(to + (size_t)place * CELL_WORDS, cell, sizeof cell);
    }
}

bool scrypt_mix(uint8_t *block, uint32_t n, uint32_t r, uint32_t *words, bool (*goes_on)(void))
{
    const size_t size = (size_t)32 * r; /* words of a block */
    const uint32_t look_every = (uint32_t)(LOOK_EVERY_WORDS / size) + 1;
    uint32_t *table = words;
    uint32_t *x = words + size * n;
    uint32_t *y = x + size;
    memcpy(x, block, size * sizeof *x); /* WebAssembly's numbers are little-endian as well */
    for (uint32_t i = 0; i < n; i++) {
        memcpy(table + size * i, x, size * sizeof *x);
        mix_block(x, y, r);
        uint32_t *other = x;
        x = y;
        y = other;
        if (i % look_every == 0 && !goes_on()) {
            return false;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *chosen = table + size * (x[(size_t)(2 * r - 1) * CELL_WORDS] & (n - 1));
        for (size_t word = 0; word < size; word++) {
            x[word] ^= chosen[word];
        }
        mix_block(x, y, r);
        uint32_t *other = x;
        x = y;
        y = other;
        if (i % look_every == 0 && !goes_on()) {
            return false;
        }
    }
    memcpy(block, x, size * sizeof *x);
    return true;
}
