/* What the guest reports of a run, and the public view of it. */
#ifndef ERYX_SANDBOX_RESULT_H
#define ERYX_SANDBOX_RESULT_H

#include "eryx/eryx.h"
#include "protocol/run.h"

enum { RESULT_FIELDS = REPORT_THREAD_NAMES + 1 };

typedef struct run_result {
    eryx_bytes fields[RESULT_FIELDS]; /* by report_field; owned */
    char message[512];
    bool available; /* view may be shown to the embedder */
    eryx_result view;
} run_result;

/* Empties the result. */
void result_clear(run_result *result);

/*
 * Takes a copy of one reported field; an earlier one of the same number is replaced. More than cap
 * bytes of JSON are refused with an explanation in the error field; texts are cut. Unknown fields
 * are ignored.
 */
void result_report(run_result *result, uint32_t field, const uint8_t *data, size_t size,
                   uint64_t cap);

/* The part of a field that result_report() keeps at most, so that nobody works on the rest: all of
 * a JSON up to cap, and nothing of a longer one. */
eryx_bytes result_kept(uint32_t field, const uint8_t *data, size_t size, uint64_t cap);

#endif
