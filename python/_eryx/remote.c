/*
 * RemoteCore: a sandbox in a worker process, with the methods of Core. What comes from the worker
 * is checked by the library (src/worker/client.c); what Python objects are made of it is the same
 * as for a sandbox of this process.
 */
#include "binding.h"
#include "gate.h"

#include <time.h>

#include "worker/client.h"

enum {
    /* How long a signal may go unnoticed while the guest runs. */
    WAIT_SLICE_NS = 25 * 1000 * 1000,
};

typedef struct remote_object {
    PyObject_HEAD
    worker_client *client; /* owned */
} remote_object;

static worker_client *client_of(PyObject *self)
{
    return ((remote_object *)self)->client;
}

static PyObject *raise_status(PyObject *self, eryx_status status, const eryx_error *error)
{
    return binding_raise(core_state(self), status, error);
}

/* None, or an exception. */
static PyObject *none_or_raise(PyObject *self, eryx_status status, const eryx_error *error)
{
    if (status != ERYX_OK) {
        return raise_status(self, status, error);
    }
    Py_RETURN_NONE;
}

/* ---- What stays here --------------------------------------------------------------------------
 */

typedef struct servant_object {
    PyObject_HEAD
    worker_servant *servant; /* owned */
} servant_object;

static worker_servant *servant_of(PyObject *self)
{
    return ((servant_object *)self)->servant;
}

static PyObject *servant_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, ":Servant", names)) {
        return NULL;
    }
    servant_object *self = (servant_object *)PyType_GenericAlloc(type, 0);
    if (self != NULL && (self->servant = worker_servant_create()) == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void servant_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    worker_servant_destroy(servant_of(self));
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot servant_slots[] = {
    {Py_tp_doc, "Servant()\n--\n\nDoes what the sandboxes of one worker ask for."},
    {Py_tp_new, servant_new},
    {Py_tp_dealloc, servant_dealloc},
    {0, NULL},
};

PyType_Spec servant_spec = {
    .name = "eryx._eryx.Servant",
    .basicsize = (int)sizeof(servant_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = servant_slots,
};

/* ---- Construction -----------------------------------------------------------------------------
 */

static PyObject *from_client(PyTypeObject *type, worker_client *client)
{
    remote_object *self = (remote_object *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        worker_client_destroy(client);
        return NULL;
    }
    self->client = client;
    return (PyObject *)self;
}

/* Reads (frozen, archive, most memory), or None for an engine that the worker has; the recipe
 * refers to them. False with an exception set. */
static bool parse_recipe(PyObject *parts, uint64_t number, worker_recipe *out_recipe)
{
    *out_recipe = (worker_recipe){.number = number};
    if (parts == Py_None) {
        return true;
    }
    const char *frozen;
    const char *archive;
    Py_ssize_t frozen_size;
    Py_ssize_t archive_size;
    unsigned long long most;
    if (!PyTuple_Check(parts)) {
        PyErr_SetString(PyExc_TypeError, "a recipe is a tuple or None");
        return false;
    }
    if (!PyArg_ParseTuple(parts, "y#y#K", &frozen, &frozen_size, &archive, &archive_size, &most)) {
        return false;
    }
    out_recipe->frozen = (eryx_bytes){(const uint8_t *)frozen, (size_t)frozen_size};
    if (archive_size > 0) {
        out_recipe->packages = (eryx_bytes){(const uint8_t *)archive, (size_t)archive_size};
    }
    out_recipe->max_memory_bytes = most;
    return true;
}

static PyObject *remote_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"control", "servant",   "limits",  "engine",  "recipe",        "mounts",
                            "volumes", "providers", "network", "secrets", "deterministic", NULL};
    const binding_state *state = PyType_GetModuleState(type);
    int control = -1;
    PyObject *servant = NULL;
    PyObject *limits = NULL;
    unsigned long long engine = 0;
    PyObject *parts = Py_None;
    core_equipment equipment = {.mounts = NULL};
    PyObject *deterministic = Py_None;
    eryx_deterministic repeatable;
    worker_recipe recipe;
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    if (!PyArg_ParseTupleAndKeywords(
            args, keywords, "iO!O!|KOO!O!O!OOO:RemoteCore", names, &control, state->servant_type,
            &servant, &PyTuple_Type, &limits, &engine, &parts, &PyTuple_Type, &equipment.mounts,
            &PyTuple_Type, &equipment.volumes, &PyTuple_Type, &equipment.providers,
            &equipment.network, &equipment.secrets, &deterministic) ||
        !core_take_deterministic(deterministic, &repeatable, &options) ||
        limits_parse(limits, &options.limits) < 0 || !parse_recipe(parts, engine, &recipe) ||
        equipment_parse(state, &equipment, &options) < 0) {
        return NULL;
    }
    worker_client *client = NULL;
    eryx_error error = {.message = ""};
    PyThreadState *thread = gate_give_up();
    const eryx_status status = worker_client_create(
        control, servant_of(servant), engine == 0 ? NULL : &recipe, &options, &client, &error);
    gate_take(thread);
    equipment_free(&options);
    if (status != ERYX_OK) {
        return binding_raise(PyType_GetModuleState(type), status, &error);
    }
    return from_client(type, client);
}

static void remote_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    worker_client *client = client_of(self);
    PyThreadState *thread = gate_give_up(); /* it may wait for a step of a file that goes on */
    worker_client_destroy(client);
    gate_take(thread);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* ---- Runs -------------------------------------------------------------------------------------
 */

static PyObject *remote_begin(PyObject *self, PyObject *args, PyObject *keywords)
{
    eryx_run_options options;
    if (!core_parse_run(args, keywords, &options)) {
        return NULL;
    }
    eryx_error error = {.message = ""};
    eryx_status status;
    PyThreadState *thread = gate_give_up();
    status = worker_client_begin(client_of(self), &options, &error);
    gate_take(thread);
    core_free_run(&options);
    return none_or_raise(self, status, &error);
}

static PyObject *remote_begin_command(PyObject *self, PyObject *args)
{
    eryx_run_options options;
    if (!live_parse_command(args, &options)) {
        return NULL;
    }
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = worker_client_begin(client_of(self), &options, &error);
    Py_END_ALLOW_THREADS
    return none_or_raise(self, status, &error);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* The next event; false with an exception set. wait: wait for it, for one slice at most. */
static bool take_event(PyObject *self, bool wait, eryx_event *out_event)
{
    worker_client *client = client_of(self);
    eryx_error error = {.message = ""};
    eryx_status status;
    PyThreadState *thread = gate_give_up();
    status = worker_client_step(client, out_event, &error);
    if (status == ERYX_OK && wait && out_event->kind == ERYX_EVENT_WAIT) {
        worker_client_wait(out_event, now_ns() + WAIT_SLICE_NS);
    }
    gate_take(thread);
    if (status != ERYX_OK) {
        (void)raise_status(self, status, &error);
        return false;
    }
    return true;
}

static PyObject *remote_outcome(PyObject *self, PyObject *unused)
{
    (void)unused;
    const eryx_result *result = worker_client_result(client_of(self));
    if (result == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "no run has ended");
        return NULL;
    }
    return outcome_from_result(core_state(self), result);
}

/* (path, change, kind, size, contents or None) of one file. */
static PyObject *change_row(const protocol_change *change)
{
    PyObject *path =
        PyUnicode_DecodeUTF8(change->path, (Py_ssize_t)strlen(change->path), "replace");
    if (path == NULL) {
        return NULL;
    }
    return Py_BuildValue("(NiiKy#)", path, (int)change->change, (int)change->kind,
                         (unsigned long long)change->size, (const char *)change->contents.data,
                         (Py_ssize_t)change->contents.size);
}

/* (rows, whether some are missing) of what a worker has told. */
static PyObject *change_rows(const protocol_result *left)
{
    PyObject *list = PyList_New((Py_ssize_t)left->change_count);
    for (uint32_t i = 0; list != NULL && i < left->change_count; i++) {
        PyObject *row = change_row(&left->changes[i]);
        if (row == NULL || PyList_SetItem(list, (Py_ssize_t)i, row) < 0) {
            Py_CLEAR(list);
        }
    }
    return list == NULL ? NULL
                        : Py_BuildValue("(NO)", list, left->changes_truncated ? Py_True : Py_False);
}

static PyObject *remote_changes(PyObject *self, PyObject *unused)
{
    (void)unused;
    const protocol_result *left = worker_client_left(client_of(self));
    if (left == NULL || (left->change_count == 0 && !left->changes_truncated)) {
        Py_RETURN_NONE;
    }
    return change_rows(left);
}

static PyObject *remote_storage_changes(PyObject *self, PyObject *unused)
{
    (void)unused;
    const eryx_changes *changes = worker_client_storage_changes(client_of(self));
    return changes_wrap(core_state(self), (eryx_changes *)(uintptr_t)changes);
}

static PyObject *remote_volume_changes(PyObject *self, PyObject *argument)
{
    const char *path = PyUnicode_AsUTF8AndSize(argument, NULL);
    const protocol_result *left = NULL;
    eryx_error error = {.message = ""};
    eryx_status status;
    if (path == NULL) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = worker_client_overlay_changes(client_of(self), path, &left, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        return raise_status(self, status, &error);
    }
    if (left->change_count == 0 && !left->changes_truncated) {
        Py_RETURN_NONE;
    }
    return change_rows(left);
}

static PyObject *remote_volume_discard(PyObject *self, PyObject *argument)
{
    const char *path = PyUnicode_AsUTF8AndSize(argument, NULL);
    eryx_error error = {.message = ""};
    eryx_status status;
    if (path == NULL) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = worker_client_overlay_discard(client_of(self), path, &error);
    Py_END_ALLOW_THREADS
    return none_or_raise(self, status, &error);
}

static PyObject *remote_run(PyObject *self, PyObject *unused)
{
    (void)unused;
    for (;;) {
        eryx_event event;
        if (!take_event(self, true, &event)) {
            return NULL;
        }
        if (event.kind == ERYX_EVENT_DONE) {
            return remote_outcome(self, NULL);
        }
        if (event.kind == ERYX_EVENT_CALLBACK) {
            (void)worker_client_raise(client_of(self), event.as.callback.id, "LookupError",
                                      "there are no callbacks");
        }
        if (PyErr_CheckSignals() < 0) {
            return NULL; /* as in core.c */
        }
    }
}

static PyObject *remote_step(PyObject *self, PyObject *slice)
{
    (void)slice;
    eryx_event event;
    if (!take_event(self, false, &event)) {
        return NULL;
    }
    if (event.kind == ERYX_EVENT_DONE) {
        Py_RETURN_NONE;
    }
    return core_event(&event);
}

/* True if the call got its answer; False if nobody waits for it any more. */
static PyObject *answered(PyObject *self, eryx_status status)
{
    if (status == ERYX_INVALID_ARGUMENT) {
        Py_RETURN_FALSE;
    }
    if (status != ERYX_OK) {
        return raise_status(self, status, NULL);
    }
    Py_RETURN_TRUE;
}

static PyObject *remote_callback_return(PyObject *self, PyObject *args)
{
    unsigned long id = 0;
    const char *json = NULL;
    Py_ssize_t size = 0;
    if (!PyArg_ParseTuple(args, "ks#:callback_return", &id, &json, &size)) {
        return NULL;
    }
    return answered(self, worker_client_return(client_of(self), (uint32_t)id, json, (size_t)size));
}

static PyObject *remote_callback_raise(PyObject *self, PyObject *args)
{
    unsigned long id = 0;
    const char *type = NULL;
    const char *text = NULL;
    if (!PyArg_ParseTuple(args, "kyy:callback_raise", &id, &type, &text)) {
        return NULL;
    }
    return answered(self, worker_client_raise(client_of(self), (uint32_t)id, type, text));
}

static PyObject *remote_answer_files(PyObject *self, PyObject *args)
{
    unsigned long id;
    eryx_files_answer answer;
    if (!files_parse_answer(args, &id, &answer)) {
        return NULL;
    }
    const eryx_status status = worker_client_answer_files(client_of(self), (uint32_t)id, &answer);
    files_free_answer(&answer);
    return answered(self, status);
}

static PyObject *remote_connect_answer(PyObject *self, PyObject *allow)
{
    const int allowed = PyObject_IsTrue(allow);
    if (allowed < 0) {
        return NULL;
    }
    return none_or_raise(self, worker_client_connect_answer(client_of(self), allowed != 0), NULL);
}

static PyObject *remote_advance_clock(PyObject *self, PyObject *nanoseconds)
{
    const unsigned long long number = PyLong_AsUnsignedLongLong(nanoseconds);
    eryx_status status;
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = worker_client_advance_clock(client_of(self), number);
    Py_END_ALLOW_THREADS
    return core_clock_moved(self, status);
}

static PyObject *remote_cancel(PyObject *self, PyObject *unused)
{
    (void)unused;
    worker_client_cancel(client_of(self));
    Py_RETURN_NONE;
}

/* ---- State ------------------------------------------------------------------------------------
 */

static PyObject *remote_reset(PyObject *self, PyObject *unused)
{
    (void)unused;
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = worker_client_reset(client_of(self));
    Py_END_ALLOW_THREADS
    return none_or_raise(self, status, NULL);
}

static PyObject *remote_fix_hash_seed(PyObject *self, PyObject *unused)
{
    (void)unused;
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = worker_client_fix_hash_seed(client_of(self), &error);
    Py_END_ALLOW_THREADS
    if (status == ERYX_INVALID_ARGUMENT) {
        Py_RETURN_FALSE;
    }
    return status == ERYX_OK ? PyBool_FromLong(1) : raise_status(self, status, &error);
}

static PyObject *remote_set_limits(PyObject *self, PyObject *limits)
{
    eryx_limits values;
    eryx_limits_init(&values);
    if (!PyTuple_Check(limits)) {
        PyErr_SetString(PyExc_TypeError, "limits are a tuple");
        return NULL;
    }
    if (limits_parse(limits, &values) < 0) {
        return NULL;
    }
    return none_or_raise(self, worker_client_set_limits(client_of(self), &values), NULL);
}

static PyObject *remote_fork(PyObject *self, PyObject *unused)
{
    (void)unused;
    worker_client *fork = NULL;
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = worker_client_fork(client_of(self), &fork, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        return raise_status(self, status, &error);
    }
    return from_client(Py_TYPE(self), fork);
}

static PyObject *remote_checkpoint(PyObject *self, PyObject *include_storages)
{
    const int include = PyObject_IsTrue(include_storages);
    uint64_t name = 0;
    if (include < 0) {
        return NULL;
    }
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = worker_client_checkpoint(client_of(self), include != 0, &name, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        return raise_status(self, status, &error);
    }
    return PyLong_FromUnsignedLongLong(name);
}

/* Reads the name of a checkpoint; false with an exception set. */
static bool name_of(PyObject *number, uint64_t *out_name)
{
    const unsigned long long value = PyLong_AsUnsignedLongLong(number);
    if (value == (unsigned long long)-1 && PyErr_Occurred()) {
        return false;
    }
    *out_name = value;
    return true;
}

static PyObject *remote_rollback(PyObject *self, PyObject *checkpoint)
{
    uint64_t name;
    if (!name_of(checkpoint, &name)) {
        return NULL;
    }
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = worker_client_rollback(client_of(self), name, &error);
    Py_END_ALLOW_THREADS
    return none_or_raise(self, status, &error);
}

static PyObject *remote_forget(PyObject *self, PyObject *checkpoint)
{
    uint64_t name;
    if (!name_of(checkpoint, &name)) {
        return NULL;
    }
    worker_client_forget(client_of(self), name);
    Py_RETURN_NONE;
}

/* Saves or loads. */
static PyObject *with_path(PyObject *self, PyObject *argument,
                           eryx_status (*done)(worker_client *, const char *, eryx_error *))
{
    PyObject *path = NULL;
    if (!PyUnicode_FSConverter(argument, (void *)&path)) {
        return NULL;
    }
    const char *name = PyBytes_AsString(path);
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = done(client_of(self), name, &error);
    Py_END_ALLOW_THREADS
    Py_DECREF(path);
    return none_or_raise(self, status, &error);
}

static PyObject *remote_save(PyObject *self, PyObject *path)
{
    return with_path(self, path, worker_client_save);
}

static PyObject *remote_load(PyObject *self, PyObject *path)
{
    return with_path(self, path, worker_client_load);
}

static PyObject *remote_is_alive(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(worker_client_is_alive(client_of(self)));
}

static PyMethodDef remote_methods[] = {
    {"begin", (PyCFunction)(void (*)(void))remote_begin, METH_VARARGS | METH_KEYWORDS,
     "begin($self, ...)\n--\n\nAs Core.begin(); what the worker refuses is told by the first "
     "step."},
    {"begin_command", remote_begin_command, METH_VARARGS,
     "begin_command($self, command, source, pause_every_ms, /)\n--\n\nAs that of Core."},
    {"run", remote_run, METH_NOARGS, "run($self, /)\n--\n\nAs Core.run()."},
    {"step", remote_step, METH_O,
     "step($self, slice_ns, /)\n--\n\nAs Core.step(), but computes nothing here."},
    {"callback_return", remote_callback_return, METH_VARARGS,
     "callback_return($self, identity, json, /)\n--\n\nAs that of Core."},
    {"callback_raise", remote_callback_raise, METH_VARARGS,
     "callback_raise($self, identity, type_name, message, /)\n--\n\nAs that of Core."},
    {"connect_answer", remote_connect_answer, METH_O,
     "connect_answer($self, allow, /)\n--\n\nAs that of Core."},
    {"answer_files", remote_answer_files, METH_VARARGS,
     "answer_files($self, identity, error_number, entries, data, /)\n--\n\nAs that of Core."},
    {"storage_changes", remote_storage_changes, METH_NOARGS,
     "storage_changes($self, /)\n--\n\nWhat the last run did in storages, as Changes, or None."},
    {"volume_changes", remote_volume_changes, METH_O,
     "volume_changes($self, guest_path, /)\n--\n\nRows of an overlay, as changes()."},
    {"volume_discard", remote_volume_discard, METH_O,
     "volume_discard($self, guest_path, /)\n--\n\nForgets them."},
    {"outcome", remote_outcome, METH_NOARGS, "outcome($self, /)\n--\n\nAs Core.outcome()."},
    {"changes", remote_changes, METH_NOARGS,
     "changes($self, /)\n--\n\nWhat the last run did with files: rows of path, change, kind, size "
     "and "
     "contents,\nand whether some are missing. None if it did nothing."},
    {"advance_clock", remote_advance_clock, METH_O,
     "advance_clock($self, nanoseconds, /)\n--\n\nAs Core.advance_clock()."},
    {"cancel", remote_cancel, METH_NOARGS, "cancel($self, /)\n--\n\nAs Core.cancel()."},
    {"reset", remote_reset, METH_NOARGS, "reset($self, /)\n--\n\nAs Core.reset()."},
    {"fix_hash_seed", remote_fix_hash_seed, METH_NOARGS,
     "fix_hash_seed($self, /)\n--\n\nAs Core.fix_hash_seed()."},
    {"set_limits", remote_set_limits, METH_O,
     "set_limits($self, limits, /)\n--\n\nAs Core.set_limits()."},
    {"fork", remote_fork, METH_NOARGS, "fork($self, /)\n--\n\nAs Core.fork(), in the same worker."},
    {"checkpoint", remote_checkpoint, METH_O,
     "checkpoint($self, include_storages, /)\n--\n\nThe number of a state of this worker, to go "
     "back to."},
    {"rollback", remote_rollback, METH_O,
     "rollback($self, checkpoint, /)\n--\n\nGoes back to a state."},
    {"forget", remote_forget, METH_O,
     "forget($self, checkpoint, /)\n--\n\nNobody goes back to a state any more."},
    {"save", remote_save, METH_O,
     "save($self, path, /)\n--\n\nWrites the present state to a file."},
    {"load", remote_load, METH_O, "load($self, path, /)\n--\n\nGoes on from a saved state."},
    {"is_alive", remote_is_alive, METH_NOARGS,
     "is_alive($self, /)\n--\n\nWhether the worker can still be asked."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot remote_slots[] = {
    {Py_tp_doc,
     "RemoteCore(control, servant, limits, engine=0, recipe=None, mounts=(), volumes=(), "
     "providers=(), network=None, secrets=None, deterministic=None)\n--\n\n"
     "One sandbox in the worker process whose socket is given."},
    {Py_tp_new, remote_new},
    {Py_tp_dealloc, remote_dealloc},
    {Py_tp_methods, remote_methods},
    {0, NULL},
};

PyType_Spec remote_spec = {
    .name = "eryx._eryx.RemoteCore",
    .basicsize = (int)sizeof(remote_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = remote_slots,
};
