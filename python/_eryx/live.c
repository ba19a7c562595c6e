/*
 * Live state of a Core: commands of a session, forks, checkpoints.
 */
#include "binding.h"

typedef struct checkpoint_object {
    PyObject_HEAD
    eryx_checkpoint *checkpoint;
} checkpoint_object;

bool live_parse_command(PyObject *args, eryx_run_options *out_options)
{
    int command = 0;
    eryx_run_options options;
    eryx_run_options_init(&options);
    Py_ssize_t size = 0;
    unsigned long long pause_every_ms = 0;
    if (!PyArg_ParseTuple(args, "iy#K:begin_command", &command, &options.source, &size,
                          &pause_every_ms)) {
        return false;
    }
    options.command = (eryx_run_command)command;
    options.source_size = (size_t)size;
    options.result_variable = NULL;
    options.keep_state = true;
    options.pause_every_ms = pause_every_ms;
    *out_options = options;
    return true;
}

PyObject *live_begin_command(PyObject *self, PyObject *args)
{
    eryx_run_options options;
    if (!live_parse_command(args, &options)) {
        return NULL;
    }
    eryx_error error = {.message = ""};
    const eryx_status status = eryx_run_begin(core_sandbox(self), &options, &error);
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    Py_RETURN_NONE;
}

/* A Core of a sandbox, which it takes over. NULL with an exception set, and the sandbox freed, if
 * memory is short. */
static PyObject *from_sandbox(PyTypeObject *type, eryx_sandbox *sandbox)
{
    core_object *self = (core_object *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        eryx_sandbox_destroy(sandbox);
        return NULL;
    }
    self->sandbox = sandbox;
    return (PyObject *)self;
}

PyObject *live_fork(PyObject *self, PyObject *unused)
{
    (void)unused;
    eryx_sandbox *sandbox = core_sandbox(self);
    eryx_sandbox *fork = NULL;
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_fork(sandbox, &fork, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    return from_sandbox(Py_TYPE(self), fork);
}

PyObject *live_checkpoint(PyObject *self, PyObject *include_storages)
{
    const binding_state *state = core_state(self);
    const int include = PyObject_IsTrue(include_storages);
    if (include < 0) {
        return NULL;
    }
    checkpoint_object *object = (checkpoint_object *)PyType_GenericAlloc(state->checkpoint_type, 0);
    if (object == NULL) {
        return NULL;
    }
    eryx_sandbox *sandbox = core_sandbox(self);
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_checkpoint_create(sandbox, include != 0, &object->checkpoint, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        Py_DECREF(object);
        return binding_raise(state, status, &error);
    }
    return (PyObject *)object;
}

PyObject *live_rollback(PyObject *self, PyObject *checkpoint)
{
    const binding_state *state = core_state(self);
    if (Py_TYPE(checkpoint) != state->checkpoint_type) {
        PyErr_SetString(PyExc_TypeError, "a checkpoint is needed");
        return NULL;
    }
    eryx_sandbox *sandbox = core_sandbox(self);
    eryx_checkpoint *target = ((checkpoint_object *)checkpoint)->checkpoint;
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_rollback(sandbox, target, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        return binding_raise(state, status, &error);
    }
    Py_RETURN_NONE;
}

PyObject *live_set_limits(PyObject *self, PyObject *limits)
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
    const eryx_status status = eryx_sandbox_set_limits(core_sandbox(self), &values);
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, NULL);
    }
    Py_RETURN_NONE;
}

PyObject *live_save(PyObject *self, PyObject *args)
{
    PyObject *path = NULL;
    int include = 0;
    if (!PyArg_ParseTuple(args, "O&p:save", PyUnicode_FSConverter, &path, &include)) {
        return NULL;
    }
    eryx_sandbox *sandbox = core_sandbox(self);
    const char *name = PyBytes_AsString(path);
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_save(sandbox, name, include != 0, &error);
    Py_END_ALLOW_THREADS
    Py_DECREF(path);
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    Py_RETURN_NONE;
}

PyObject *live_load(PyObject *self, PyObject *argument)
{
    PyObject *path = NULL;
    if (!PyUnicode_FSConverter(argument, (void *)&path)) {
        return NULL;
    }
    eryx_sandbox *sandbox = core_sandbox(self);
    const char *name = PyBytes_AsString(path);
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_load(sandbox, name, &error);
    Py_END_ALLOW_THREADS
    Py_DECREF(path);
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    Py_RETURN_NONE;
}

static PyObject *checkpoint_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    (void)type;
    (void)args;
    (void)keywords;
    PyErr_SetString(PyExc_TypeError, "checkpoints are made with Core.checkpoint()");
    return NULL;
}

static void checkpoint_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    eryx_checkpoint *checkpoint = ((checkpoint_object *)self)->checkpoint;
    Py_BEGIN_ALLOW_THREADS
    eryx_checkpoint_destroy(checkpoint);
    Py_END_ALLOW_THREADS
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot checkpoint_slots[] = {
    {Py_tp_doc, "State of a Core at one moment."},
    {Py_tp_new, checkpoint_new},
    {Py_tp_dealloc, checkpoint_dealloc},
    {0, NULL},
};

PyType_Spec checkpoint_spec = {
    .name = "eryx._eryx.Checkpoint",
    .basicsize = (int)sizeof(checkpoint_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = checkpoint_slots,
};
