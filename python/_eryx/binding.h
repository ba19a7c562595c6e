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

/* The heap types: each has a spec and a field in the state. */
#define BINDING_TYPES(EACH)                                                                        \
    EACH(engine)                                                                                   \
    EACH(core)                                                                                     \
    EACH(checkpoint)                                                                               \
    EACH(changes)                                                                                  \
    EACH(storage)                                                                                  \
    EACH(packages)                                                                                 \
    EACH(remote)                                                                                   \
    EACH(servant)                                                                                  \
    EACH(turn)

/* Per-module state, so that every interpreter has its own types and exceptions. */
typedef struct binding_state {
#define BINDING_TYPE_FIELD(name) PyTypeObject *name##_type;
    BINDING_TYPES(BINDING_TYPE_FIELD)
#undef BINDING_TYPE_FIELD
    PyTypeObject *outcome_type;
    PyObject *exceptions[BINDING_STATUS_COUNT]; /* class for each status; None for OK */
} binding_state;

typedef struct engine_object {
    PyObject_HEAD
    eryx_engine *engine;
} engine_object;

typedef struct core_object {
    PyObject_HEAD
    eryx_sandbox *sandbox; /* owned */
} core_object;

typedef struct packages_object {
    PyObject_HEAD
    eryx_packages *packages; /* owned */
} packages_object;

/* Specs of the heap types. None of them can be subclassed but that of turns, which has no need of
 * the state, so PyType_GetModuleState() on the type of an object gives it. */
#define BINDING_TYPE_SPEC(name) extern PyType_Spec name##_spec;
BINDING_TYPES(BINDING_TYPE_SPEC)
#undef BINDING_TYPE_SPEC
extern PyStructSequence_Desc outcome_description;

/* State of the module that a Core belongs to. */
static inline const binding_state *core_state(PyObject *self)
{
    return PyType_GetModuleState(Py_TYPE(self));
}

/* The sandbox of a Core, which owns it. */
static inline eryx_sandbox *core_sandbox(PyObject *self)
{
    return ((core_object *)self)->sandbox;
}

/* Reads a tuple (seed, start, tick), or None, into out, which has to live as long as the options.
 * False with an exception set. */
bool core_take_deterministic(PyObject *given, eryx_deterministic *out,
                             eryx_sandbox_options *options);

/* None, or an exception after a failure to move a clock. */
PyObject *core_clock_moved(PyObject *self, eryx_status status);

/*
 * Reads the arguments of Core.begin() into options, which refer to them; freed with
 * core_free_run(). False with an exception set, and nothing to free.
 */
bool core_parse_run(PyObject *args, PyObject *keywords, eryx_run_options *out_options);
void core_free_run(eryx_run_options *options);

/* A tuple that begins with the kind of an event that is neither a pause nor the end. */
PyObject *core_event(const eryx_event *event);

/* Reads a tuple of integers in the order of struct eryx_limits; -1 with an exception set if it is
 * not one. */
int limits_parse(PyObject *tuple, eryx_limits *limits);

/* Gives the module UNLIMITED and LIMITS, names and defaults in that order. -1 with an exception
 * set. */
int limits_add(PyObject *module);

/* Gives it the numbers of events, commands and flags. -1 with an exception set. */
int numbers_add(PyObject *module);

/*
 * Reads tuples of (guest path, Storage, read_only) and (host path, guest path, mode) into
 * options; either may be NULL. They must outlive the options. The arrays are freed with
 * storage_free_mounts(). Returns -1 with an exception set, and nothing to free, if they are not
 * such tuples.
 */
int storage_parse_mounts(const binding_state *state, PyObject *mounts, PyObject *volumes,
                         eryx_sandbox_options *options);
void storage_free_mounts(eryx_sandbox_options *options);

/* A Changes for a list, which gets one more owner; None for NULL. NULL with an exception set if
 * memory is short. */
PyObject *changes_wrap(const binding_state *state, eryx_changes *changes);

/* The packages of a Packages, which owns them. */
static inline eryx_packages *packages_of(PyObject *self)
{
    return ((packages_object *)self)->packages;
}

/* Methods of Core and of Engine for factories (factory.c). */
PyObject *factory_freeze(PyObject *self, PyObject *unused);
PyObject *factory_derive(PyObject *self, PyObject *args);

/*
 * Reads the rules of the network, which eryx._network.core_network() makes, into options; NULL and
 * None mean no network. The tuple must outlive the options, and what they get here is freed with
 * network_free(). Returns -1 with an exception set, and nothing to free, if it is not such a tuple.
 */
int network_parse(PyObject *network, eryx_sandbox_options *options);
void network_free(eryx_sandbox_options *options);

/* The same for secrets and what is scrubbed, which eryx._secrets.core_secrets() makes, and
 * secrets_free(). */
int secrets_parse(PyObject *secrets, eryx_sandbox_options *options);
void secrets_free(eryx_sandbox_options *options);

/* The connections of a result as a tuple of tuples in the order of eryx.Connection; NULL with an
 * exception set if memory is short. */
PyObject *network_connections(const eryx_result *result);

/* Core.connections(): the same of a run that goes on. */
PyObject *network_so_far(PyObject *self, PyObject *unused);

/* ERYX_EVENT_CONNECT as a tuple (kind, host, address, port), and the method of Core that answers
 * it (network.c). */
PyObject *network_connect_event(const eryx_event *event);
PyObject *network_connect_answer(PyObject *self, PyObject *allow);

/* Like network_parse() for the native modules that a sandbox may load, a tuple of capsules or NULL,
 * and native_free_allowed(). */
int native_parse_allowed(PyObject *tuple, eryx_sandbox_options *options);
void native_free_allowed(eryx_sandbox_options *options);

/* Reads tuples of (guest path, read_only, cache_ms) for providers, or NULL, and
 * files_free_providers() (files.c). */
int files_parse_providers(PyObject *tuple, eryx_sandbox_options *options);
void files_free_providers(eryx_sandbox_options *options);

/* What both kinds of Core are given from the start; each may be NULL. */
typedef struct core_equipment {
    PyObject *mounts;
    PyObject *volumes;
    PyObject *providers;
    PyObject *network;
    PyObject *secrets;
} core_equipment;

/* Does all of the above for these, and equipment_free() (equipment.c). */
int equipment_parse(const binding_state *state, const core_equipment *given,
                    eryx_sandbox_options *options);
void equipment_free(eryx_sandbox_options *options);

/* ERYX_EVENT_FILES as a tuple (kind, id, provider, operation, path, new path, data), and the method
 * of Core that answers it. */
PyObject *files_event(const eryx_event *event);
PyObject *files_answer(PyObject *self, PyObject *args);

/* Reads the arguments of answer_files(), which the answer refers to; freed with
 * files_free_answer(). False with an exception set, and nothing to free. */
bool files_parse_answer(PyObject *args, unsigned long *out_id, eryx_files_answer *out_answer);
void files_free_answer(eryx_files_answer *answer);

/* open_native_module(path, sha256, needed) -> capsule (native.c). */
PyObject *native_open_module(PyObject *module, PyObject *args);

/* native_module_source(capsule) -> what it was opened with. */
PyObject *native_module_source(PyObject *module, PyObject *capsule);

/* Methods of Core for live state (live.c). */
/* Reads the arguments of begin_command() into options, which refer to them; false with an exception
 * set. */
bool live_parse_command(PyObject *args, eryx_run_options *out_options);
PyObject *live_begin_command(PyObject *self, PyObject *args);
PyObject *live_fork(PyObject *self, PyObject *unused);
PyObject *live_checkpoint(PyObject *self, PyObject *include_storages);
PyObject *live_rollback(PyObject *self, PyObject *checkpoint);
PyObject *live_set_limits(PyObject *self, PyObject *limits);
PyObject *live_save(PyObject *self, PyObject *args);
PyObject *live_load(PyObject *self, PyObject *argument);

/* Changes of the volume that is mounted at a path, or None (changes.c). */
PyObject *changes_of_volume(PyObject *self, PyObject *path);

/* Forgets them (changes.c). */
PyObject *changes_discard(PyObject *self, PyObject *path);

/* Finds the exception classes of the statuses, ours by name in eryx._errors, the rest among the
 * builtins; and gives the module their table. -1 with an exception set. */
int errors_find(binding_state *state);
int errors_add(PyObject *module, const binding_state *state);

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
 * An Exception that it raises is reported as unraisable and forgotten: a faulty handler must not
 * change what the guest does. Returns -1 with an exception set for others, such as
 * KeyboardInterrupt.
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
 * Returns NULL if it can, else one English sentence that says why not. Other defects of the text
 * are left to the parser.
 */
const char *json_check(const uint8_t *data, size_t size);

/* json_large(text, least) -> list: where the lists and objects of a JSON text start that have at
 * least so many characters, in characters (json_large.c). */
PyObject *json_large(PyObject *module, PyObject *args);

#endif
