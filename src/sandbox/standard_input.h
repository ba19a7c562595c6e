/*
 * What a run reads from its standard input: bytes that came with it, or a descriptor of the
 * embedder, of which nothing is read that the guest has not asked for.
 *
 * Threads: the one that uses the sandbox, but for standard_input_wake().
 */
#ifndef ERYX_SANDBOX_STANDARD_INPUT_H
#define ERYX_SANDBOX_STANDARD_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wait_set.h"
#include "eryx/eryx.h"

typedef struct standard_input {
    uint8_t *bytes; /* owned; those from position on are the next ones */
    size_t size;
    size_t position;
    int fd;           /* a duplicate of the embedder's, where more comes from; -1 for none */
    bool is_file;     /* always ready, though it may take a moment */
    bool wanted;      /* the guest waits for it */
    size_t asked;     /* how much it wanted of what had not come yet; 0 if that is not known */
    wait_set waiting; /* of the descriptor */
} standard_input;

/* What there is to read. */
typedef enum standard_input_state {
    STANDARD_INPUT_READY,   /* at least one byte */
    STANDARD_INPUT_END,     /* nothing, and there never will be */
    STANDARD_INPUT_NOT_YET, /* nothing for now */
    STANDARD_INPUT_FAILED,  /* the system refuses */
} standard_input_state;

/* An input that is at its end. */
void standard_input_init(standard_input *input);

/* Takes over what the options of a run have: bytes are copied, the descriptor is duplicated. What
 * was there before is gone. Errors: INVALID_ARGUMENT (the descriptor is not open, or there are
 * bytes as well), OUT_OF_MEMORY (also without a free descriptor). */
eryx_status standard_input_begin(standard_input *input, const eryx_run_options *options,
                                 eryx_error *out_error);

/* Closes and frees all of it. is_ours: as in wait_set_close(). */
void standard_input_end(standard_input *input, bool is_ours);

/* Undoes standard_input_init() of an input that has ended. */
void standard_input_destroy(standard_input *input);

/* Whether a read would not have to wait. If it would, the next wait is for the input as well. */
bool standard_input_is_ready(standard_input *input);

/* Sees to it that there are bytes if there can be, at most so many of the descriptor. */
standard_input_state standard_input_fill(standard_input *input, size_t wanted);

/* What the next wait is to be for: a descriptor that is readable when that one is or when there is
 * input, or just that one (-1 for none) if the guest does not wait for input. Lowers *io_wake_ns if
 * there is nothing to wait with. */
int standard_input_before_wait(standard_input *input, int other_fd, uint64_t *io_wake_ns);

/* Takes note of the end of a wait. */
void standard_input_after_wait(standard_input *input);

/* Ends the present wait, or else the next. Threads: any. */
void standard_input_wake(standard_input *input);

#endif
