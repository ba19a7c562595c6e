/*
 * What the files of the extension module share. The module only translates between Python and
 * eryx/eryx.h; what is allowed, defaulted or retried is decided in python/eryx.
 */
#ifndef ERYX_BINDING_H
#define ERYX_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <string.h>

#include "eryx/eryx.h"

/* One more than the greatest status. */
#define BINDING_STATUS_ONE(name, number, text, exception) +1
enum { BINDING_STATUS_COUNT = 0 ERYX_STATUS_MAP(BINDING_STATUS_ONE) };
#undef BINDING_STATUS_ONE

/* Per-module state, so that every interpreter has its own types and exceptions. */
typedef struct binding_state {
    PyTypeObject *engine_type;
    PyTypeObject *core_type;
    PyTypeObject *outcome_type;
    PyObject *exceptions[BINDING_STATUS_COUNT]; /* class for each status; None for OK */
} binding_state;

typedef struct engine_object {
    PyObject_HEAD
    eryx_engine *engine;
} engine_object;

/* Specs of the heap types. None of them can be subclassed, so PyType_GetModuleState() on the type of an
 * object gives the state. */
extern PyType_Spec engine_spec;
extern PyType_Spec core_spec;
extern PyStructSequence_Desc outcome_description;

/*
 * Sets the exception that belongs to a status.
 *
 * error: its message is used if there is one, the text of the status otherwise; may be NULL.
 * Returns NULL always.
 */
PyObject *binding_raise(const binding_state *state, eryx_status status, const eryx_error *error);

/*
 * Gives data (bytes, or whatever the handler expects) to a handler of output.
 *
 * An Exception that it raises is reported as unraisable and forgotten: a faulty handler must not change
 * what the guest does. Returns -1 with an exception set for others, such as KeyboardInterrupt.
 */
int binding_deliver(PyObject *on_output, int stream, PyObject *data);

/*
 * Copies a result into an Outcome.
 *
 * Returns a new reference; NULL with an exception set if memory is short.
 */
PyObject *outcome_from_result(const binding_state *state, const eryx_result *result);

/*
 * Says whether JSON text from the guest can be given to a recursive parser.
 *
 * Returns NULL if it can, else one English sentence that says why not. Other defects of the text are
 * left to the parser.
 */
const char *json_check(const uint8_t *data, size_t size);

#endif
