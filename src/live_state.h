/*
 * The whole state of a sandbox between two runs: memory, files, and what the guest has open.
 */
#ifndef ERYX_LIVE_STATE_H
#define ERYX_LIVE_STATE_H

#include "live_memory.h"
#include "sandbox.h"

typedef struct live_state {
    live_memory memory;
    vfs *files;
    handle_table handles;
} live_state;

/* Errors: BUSY (a run is going on), NEEDS_RESET. */
eryx_status live_check_ready(const eryx_sandbox *sandbox, eryx_error *out_error);

/* Copies the state of a sandbox that is in use by the caller. out_state: freed with
 * live_state_free(). Errors: NEEDS_RESET, BUSY (a run is going on), OUT_OF_MEMORY. */
eryx_status live_state_capture(eryx_sandbox *sandbox, live_state *out_state, eryx_error *out_error);

/*
 * Puts a sandbox, in use by the caller, into a state; what it had before is gone. On failure it is
 * as it was. The state's files and handles are taken over.
 * Errors: INITIALIZATION (no address space or memory).
 */
eryx_status live_state_move(live_state *state, eryx_sandbox *sandbox, eryx_error *out_error);

/* The same without taking anything. Errors also OUT_OF_MEMORY. */
eryx_status live_state_copy(const live_state *state, eryx_sandbox *sandbox, eryx_error *out_error);

/* Allowed on one of zeros. */
void live_state_free(live_state *state);

/* Copies a tree of files together with the handles that are open in it. Errors: OUT_OF_MEMORY. */
eryx_status live_files_copy(vfs *files, const handle_table *handles, vfs **out_files,
                            handle_table *out_handles, eryx_error *out_error);

/* Whether handles of a kind have a vfs_file. */
bool live_handle_takes_file(handle_kind kind);

/* Whether a handle has one. */
static inline bool live_handle_has_file(const handle *open)
{
    return live_handle_takes_file(open->kind) && open->object != NULL;
}

#endif
