/* What the guest reports of a run, and the public view of it. */
#ifndef ERYX_SANDBOX_RESULT_H
#define ERYX_SANDBOX_RESULT_H

#include "eryx/eryx.h"
#include "protocol/run.h"

enum { RESULT_FIELDS = REPORT_DISPLAY + 1 };

typedef struct run_result {
    eryx_bytes fields[RESULT_FIELDS]; /* by report_field; owned */
    char message[512];
    size_t displays_allocated;
    uint32_t display_count;
    uint64_t displays_dropped;
    bool available; /* view may be shown to the embedder */
    eryx_result view;
} run_result;

/* Empties the result. */
void result_clear(run_result *result);

/*
 * Takes a copy of one reported field; an earlier one of the same number is replaced. More than cap
 * bytes of JSON are refused, with an explanation in the error field if it is the result; texts are
 * cut. Displays and unknown fields are ignored.
 */
void result_report(run_result *result, uint32_t field, const uint8_t *data, size_t size,
                   uint64_t cap);

/* The part of a field that result_report() keeps at most, so that nobody works on the rest: all of
 * a JSON up to cap, and nothing of a longer one. */
eryx_bytes result_kept(uint32_t field, const uint8_t *data, size_t size, uint64_t cap);

/* Adds a display, with a newline behind it, unless all of them would then be more than cap bytes:
 * then, without memory, and after 1,000 it is counted as dropped. */
void result_add_display(run_result *result, const uint8_t *data, size_t size, uint64_t cap);

#endif
