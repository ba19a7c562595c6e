/*
 * Changes: one eryx_changes, what a run has made, changed and removed of its files.
 */
#include "binding.h"

#include <errno.h>

typedef struct changes_object {
    PyObject_HEAD
    eryx_changes *changes; /* counted */
} changes_object;

static const eryx_changes *changes_of(PyObject *self)
{
    return ((changes_object *)self)->changes;
}

PyObject *changes_wrap(const binding_state *state, eryx_changes *changes)
{
    if (changes == NULL) {
        return Py_NewRef(Py_None);
    }
    changes_object *self = (changes_object *)PyType_GenericAlloc(state->changes_type, 0);
    if (self != NULL) {
        self->changes = eryx_changes_retain(changes);
    }
    return (PyObject *)self;
}

PyObject *changes_of_volume(PyObject *self, PyObject *path)
{
    const char *guest_path = PyUnicode_AsUTF8AndSize(path, NULL);
    if (guest_path == NULL) {
        return NULL;
    }
    eryx_sandbox *sandbox = core_sandbox(self);
    eryx_changes *changes = NULL;
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_volume_changes(sandbox, guest_path, &changes, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    PyObject *wrapped = changes_wrap(core_state(self), changes);
    eryx_changes_destroy(changes);
    return wrapped;
}

PyObject *changes_discard(PyObject *self, PyObject *path)
{
    const char *guest_path = PyUnicode_AsUTF8AndSize(path, NULL);
    if (guest_path == NULL) {
        return NULL;
    }
    eryx_error error = {.message = ""};
    const eryx_status status = eryx_sandbox_volume_discard(core_sandbox(self), guest_path, &error);
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, &error);
    }
    Py_RETURN_NONE;
}

static void changes_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    eryx_changes *changes = ((changes_object *)self)->changes;
    Py_BEGIN_ALLOW_THREADS
    eryx_changes_destroy(changes);
    Py_END_ALLOW_THREADS
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *changes_rows(PyObject *self, PyObject *unused)
{
    (void)unused;
    const eryx_changes *changes = changes_of(self);
    const size_t count = eryx_changes_count(changes);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        const eryx_change *change = eryx_changes_get(changes, i);
        PyObject *row = Py_BuildValue("(siiK)", change->path, (int)change->change,
                                      (int)change->kind, (unsigned long long)change->size);
        if (row == NULL || PyList_SetItem(list, (Py_ssize_t)i, row) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *changes_truncated(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(eryx_changes_truncated(changes_of(self)));
}

static PyObject *changes_read(PyObject *self, PyObject *argument)
{
    const size_t index = PyLong_AsSize_t(argument);
    if (index == (size_t)-1 && PyErr_Occurred()) {
        return NULL;
    }
    uint8_t *data = NULL;
    size_t size = 0;
    eryx_file_error error;
    Py_BEGIN_ALLOW_THREADS
    error = eryx_changes_read(changes_of(self), index, &data, &size);
    Py_END_ALLOW_THREADS
    if (error == ERYX_FILE_OUT_OF_MEMORY) {
        return PyErr_NoMemory();
    }
    if (error != ERYX_FILE_OK) {
        errno = error == ERYX_FILE_IS_DIRECTORY ? EISDIR
                : error == ERYX_FILE_NOT_FOUND  ? ENOENT
                                                : EIO;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
    eryx_free(data);
    return bytes;
}

static PyMethodDef changes_methods[] = {
    {"rows", changes_rows, METH_NOARGS,
     "rows($self, /)\n--\n\nPath, kind of change, kind of file and size of each, by path."},
    {"truncated", changes_truncated, METH_NOARGS,
     "truncated($self, /)\n--\n\nWhether some are missing."},
    {"read", changes_read, METH_O, "read($self, index, /)\n--\n\nContents of a file."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot changes_slots[] = {
    {Py_tp_doc, "What has changed of some files, with what they hold."},
    {Py_tp_dealloc, changes_dealloc},
    {Py_tp_methods, changes_methods},
    {0, NULL},
};

PyType_Spec changes_spec = {
    .name = "eryx._eryx.Changes",
    .basicsize = (int)sizeof(changes_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = changes_slots,
};
