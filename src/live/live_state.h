/*
 * The whole state of a sandbox between two runs: memory, files, and what the guest has open.
 */
#ifndef ERYX_LIVE_LIVE_STATE_H
#define ERYX_LIVE_LIVE_STATE_H

#include "machine/memory_difference.h"
#include "sandbox/sandbox.h"
#include "state/files.h"

typedef struct live_state {
    eryx_engine *engine; /* of the image that the memory differs from; not counted */
    live_memory memory;
    vfs *files; /* with stand-ins for the storages that belong to the state (state/storages.h) */
    handle_table handles;
    bool needs_entropy; /* as in a sandbox */
} live_state;

/* Errors: BUSY (a run is going on), NEEDS_RESET. */
eryx_status live_check_ready(const eryx_sandbox *sandbox, eryx_error *out_error);

/* Copies the state of a sandbox that is in use by the caller, with the storages that it may write
 * to or without. out_state: freed with live_state_free(). Errors: NEEDS_RESET, BUSY (a run is going
 * on), OUT_OF_MEMORY. */
eryx_status live_state_capture(eryx_sandbox *sandbox, bool include_storages, live_state *out_state,
                               eryx_error *out_error);

/*
 * Puts a sandbox, in use by the caller, into a state of its engine, or of one of the same seeds,
 * which becomes its own; what it had before is gone. On failure it is
 * as it was. The state's files and handles are taken over; it must have no stand-ins.
 * Errors: INITIALIZATION (no address space or memory).
 */
eryx_status live_state_move(live_state *state, eryx_sandbox *sandbox, eryx_error *out_error);

/* The same without taking anything; what stands in for storages is put back into them. Errors also
 * OUT_OF_MEMORY. */
eryx_status live_state_copy(const live_state *state, eryx_sandbox *sandbox, eryx_error *out_error);

/* Allowed on one of zeros. */
void live_state_free(live_state *state);

#endif
