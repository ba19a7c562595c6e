/*
 * What is done as memory gets short: garbage in cycles is collected, and what a run is begun and
 * ended with gets its own.
 *
 * Python collects by the number of objects, and here all garbage is, by bytes: whenever what is in
 * use has grown by a quarter, and before a program gets a MemoryError. A collection runs Python
 * code, so it has to wait for the next moment that allows it, as signals do; until then the program
 * has the cushion. Blocks that are too large for it are given only what is free, but those of
 * objects, whose making runs no code of anybody, can wait for a collection right there.
 */
#ifndef ERYX_GUEST_PRESSURE_H
#define ERYX_GUEST_PRESSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who allocates, and what it may take when memory is used up. */
enum memory_user {
    MEMORY_OF_RESCUE = 0,  /* all of the reserve: beginning a run, and what is to free memory */
    MEMORY_OF_RUNTIME = 1, /* the reserve, but not the last part of it */
    MEMORY_OF_PROGRAM = 2, /* the cushion */
};

/* From now on memory is that one's. Gives the earlier one. */
enum memory_user pressure_set_user(enum memory_user user);

/* Where that is kept: each thread has its own. */
uint32_t *pressure_user_word(void);

/* Memory was taken or given back, other than from the reserve. */
void pressure_add(size_t bytes);
void pressure_remove(size_t bytes);

/*
 * There is none left for so many bytes. True if there may be some now, and it is worth to try once
 * more. may_collect: whether the caller can have Python code run in between.
 */
bool pressure_relieve(size_t size, bool may_collect);

/* A block of the reserve, for whom it is meant; NULL otherwise, or if there is none. */
void *pressure_take_reserve(size_t size);

/* Whether memory was used up by this run. */
bool pressure_was_high(void);

/* Nothing is left of a program that has been reported but its state. */
void pressure_end_program(void);

/* Begins to watch. Called once, before the image is taken. */
void pressure_start(void);

#endif
