/* From statuses of the library to exceptions. */
#include "binding.h"

static const char *const exception_names[] = {
#define BINDING_EXCEPTION_NAME(name, number, text, exception) [number] = #exception,
    ERYX_STATUS_MAP(BINDING_EXCEPTION_NAME)
#undef BINDING_EXCEPTION_NAME
};

_Static_assert(sizeof exception_names / sizeof exception_names[0] == BINDING_STATUS_COUNT,
               "statuses are numbered without gaps");

PyObject *binding_raise(const binding_state *state, eryx_status status, const eryx_error *error)
{
    PyObject *exception = PyExc_SystemError;
    if ((unsigned)status < (unsigned)BINDING_STATUS_COUNT && status != ERYX_OK) {
        exception = state->exceptions[status];
    }
    const char *message = eryx_status_text(status);
    if (error != NULL && error->message[0] != '\0') {
        message = error->message;
    }
    PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    if (text != NULL) {
        PyErr_SetObject(exception, text);
        Py_DECREF(text);
    }
    return NULL;
}

int errors_find(binding_state *state)
{
    int result = -1;
    PyObject *builtins = NULL;
    PyObject *errors = PyImport_ImportModule("eryx._errors");
    if (errors == NULL) {
        return -1;
    }
    builtins = PyImport_ImportModule("builtins");
    if (builtins == NULL) {
        goto done;
    }
    for (size_t status = 0; status < BINDING_STATUS_COUNT; status++) {
        const char *name = exception_names[status];
        if (strcmp(name, "None") == 0) {
            state->exceptions[status] = Py_NewRef(Py_None);
            continue;
        }
        PyObject *class = PyObject_GetAttrString(errors, name);
        if (class == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            class = PyObject_GetAttrString(builtins, name);
        }
        if (class == NULL) {
            goto done;
        }
        state->exceptions[status] = class;
    }
    result = 0;

done:
    Py_XDECREF(builtins);
    Py_DECREF(errors);
    return result;
}

int errors_add(PyObject *module, const binding_state *state)
{
    PyObject *tuple = PyTuple_New(BINDING_STATUS_COUNT);
    if (tuple == NULL) {
        return -1;
    }
    for (Py_ssize_t status = 0; status < BINDING_STATUS_COUNT; status++) {
        if (PyTuple_SetItem(tuple, status, Py_NewRef(state->exceptions[status])) < 0) {
            Py_DECREF(tuple);
            return -1;
        }
    }
    const int result = PyModule_AddObjectRef(module, "EXCEPTIONS", tuple);
    Py_DECREF(tuple);
    return result;
}
