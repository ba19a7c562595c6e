/*
 * Memory that programs cannot take: what begins and ends a run finds it where a program has used up
 * all there is.
 *
 * A heap of its own, with one list of blocks that is searched from where the last search ended. It
 * is part of the image and untouched as long as there is other memory.
 */
#ifndef ERYX_GUEST_RESERVE_H
#define ERYX_GUEST_RESERVE_H

#include <stdbool.h>
#include <stddef.h>

/* Takes the memory. Called once, before the image is taken. */
void reserve_start(void);

/* A block, aligned for anything; NULL if the reserve has none, or if fewer than left bytes would be
 * left of it. */
void *reserve_allocate(size_t size, size_t left);

/* Whether it is a block of the reserve. */
bool reserve_has(const void *block);

/* The size of a block of the reserve, which may be a little more than was asked for. */
size_t reserve_block_size(const void *block);

void reserve_free(void *block);

#endif
