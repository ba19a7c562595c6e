/*
 * Factories: packages, frozen sandboxes, and the engines that are derived from them.
 */
#include "binding.h"

static PyObject *packages_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"archive", NULL};
    Py_buffer data;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "y*:Packages", names, &data)) {
        return NULL;
    }
    packages_object *self = (packages_object *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        PyBuffer_Release(&data);
        return NULL;
    }
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_packages_create(data.buf, (size_t)data.len, &self->packages, &error);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&data);
    if (status != ERYX_OK) {
        Py_DECREF(self);
        return binding_raise(PyType_GetModuleState(type), status, &error);
    }
    return (PyObject *)self;
}

static void packages_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    eryx_packages_destroy(packages_of(self));
    PyObject_Free(self);
    Py_DECREF(type);
}

PyObject *factory_freeze(PyObject *self, PyObject *unused)
{
    (void)unused;
    eryx_sandbox *sandbox = core_sandbox(self);
    eryx_error error = {.message = ""};
    eryx_status status;
    uint8_t *data = NULL;
    size_t size = 0;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_freeze(sandbox, &data, &size, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
    eryx_free(data);
    return bytes;
}

PyObject *factory_derive(PyObject *self, PyObject *args)
{
    const binding_state *state = PyType_GetModuleState(Py_TYPE(self));
    Py_buffer data;
    PyObject *packages = Py_None;
    unsigned long long max_memory_bytes = ERYX_UNLIMITED;
    if (!PyArg_ParseTuple(args, "y*|OK:derive", &data, &packages, &max_memory_bytes)) {
        return NULL;
    }
    if (packages != Py_None && Py_TYPE(packages) != state->packages_type) {
        PyBuffer_Release(&data);
        PyErr_SetString(PyExc_TypeError, "packages are Packages or None");
        return NULL;
    }
    eryx_engine *base = ((engine_object *)self)->engine;
    eryx_engine *engine = NULL;
    eryx_error error = {.message = ""};
    eryx_status status;
    eryx_packages *tree = packages != Py_None ? packages_of(packages) : NULL;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_engine_derive(base, data.buf, (size_t)data.len, tree, max_memory_bytes, &engine,
                                &error);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&data);
    if (status != ERYX_OK) {
        return binding_raise(state, status, &error);
    }
    engine_object *derived = (engine_object *)PyType_GenericAlloc(Py_TYPE(self), 0);
    if (derived == NULL) {
        eryx_engine_destroy(engine);
        return NULL;
    }
    derived->engine = engine;
    return (PyObject *)derived;
}

static PyType_Slot packages_slots[] = {
    {Py_tp_doc, "Packages(archive)\n--\n\nFiles that sandboxes see at /site-packages."},
    {Py_tp_new, packages_new},
    {Py_tp_dealloc, packages_dealloc},
    {0, NULL},
};

PyType_Spec packages_spec = {
    .name = "eryx._eryx.Packages",
    .basicsize = (int)sizeof(packages_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = packages_slots,
};
