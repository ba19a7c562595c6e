/* The host's functions as the module _eryx has them: calls, their answers, and trace events. */
#include "host.h"
#include "module.h"
#include "threads.h"

#include <stdlib.h>

/* call(name: str, arguments: str) -> int */
PyObject *callbacks_call(PyObject *self, PyObject *arguments)
{
    const char *name;
    const char *json;
    Py_ssize_t name_size;
    Py_ssize_t json_size;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "s#s#:call", &name, &name_size, &json, &json_size)) {
        return NULL;
    }
    return PyLong_FromLong(host_call(name, (size_t)name_size, json, (size_t)json_size));
}

/* (id, status, text) of an answer, whose data it frees. What is not UTF-8 becomes replacement
 * characters. */
static PyObject *answer_tuple(const struct callback_answer *answer)
{
    char *data = (char *)(uintptr_t)answer->data;
    PyObject *text =
        PyUnicode_DecodeUTF8(data != NULL ? data : "", (Py_ssize_t)answer->size, "replace");
    eryx_guest_free(data);
    if (text == NULL) {
        return NULL;
    }
    return Py_BuildValue("(IIN)", answer->id, answer->status, text); /* takes the reference */
}

/* wait(timeout_ns: int) -> list[tuple[int, int, str]] */
PyObject *callbacks_wait(PyObject *self, PyObject *timeout)
{
    struct callback_answer answer;
    long long timeout_ns = PyLong_AsLongLong(timeout);
    (void)self;
    if (timeout_ns == -1 && PyErr_Occurred() != NULL) {
        return NULL;
    }
    PyThreadState *state = thread_count > 0 && timeout_ns != 0 ? PyEval_SaveThread() : NULL;
    host_wait(timeout_ns < 0 ? UINT64_MAX : (uint64_t)timeout_ns);
    if (state != NULL) {
        PyEval_RestoreThread(state);
    }
    if (PyErr_CheckSignals() != 0) {
        return NULL; /* before any answer is taken */
    }
    PyObject *answers = PyList_New(0);
    while (answers != NULL && host_answer(&answer) != 0) {
        PyObject *tuple = answer_tuple(&answer);
        if (tuple == NULL || PyList_Append(answers, tuple) != 0) {
            Py_DecRef(answers);
            answers = NULL;
        }
        Py_DecRef(tuple);
    }
    return answers;
}

/* trace(events: str) */
PyObject *callbacks_trace(PyObject *self, PyObject *events)
{
    Py_ssize_t size;
    const char *json = PyUnicode_AsUTF8AndSize(events, &size);
    (void)self;
    if (json == NULL) {
        return NULL;
    }
    host_trace(json, (size_t)size);
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}

/* watch_answers() */
PyObject *callbacks_watch(PyObject *self, PyObject *nothing)
{
    (void)self;
    (void)nothing;
    host_watch_answers();
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}
