/* Limits between Python and C. */
#include "binding.h"

int limits_parse(PyObject *tuple, eryx_limits *limits)
{
    uint64_t *const fields[] = {
#define ADDRESS_OF_LIMIT(name, default_value, bounds, reached) &limits->name,
        ERYX_LIMITS_MAP(ADDRESS_OF_LIMIT) ERYX_LATER_LIMITS_MAP(ADDRESS_OF_LIMIT)
#undef ADDRESS_OF_LIMIT
    };
    const Py_ssize_t count = (Py_ssize_t)(sizeof fields / sizeof fields[0]);
    if (PyTuple_Size(tuple) != count + 1) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "there are %zd limits, and whether to count fuel",
                         count);
        }
        return -1;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        const unsigned long long value = PyLong_AsUnsignedLongLong(PyTuple_GetItem(tuple, index));
        if (value == (unsigned long long)-1 && PyErr_Occurred()) {
            return -1;
        }
        *fields[index] = value;
    }
    const int metered = PyObject_IsTrue(PyTuple_GetItem(tuple, count));
    if (metered < 0) {
        return -1;
    }
    limits->metered = metered != 0;
    return 0;
}

/* value: taken over; NULL with an exception set. */
static int add_object(PyObject *module, const char *name, PyObject *value)
{
    const int result = value != NULL ? PyModule_AddObjectRef(module, name, value) : -1;
    Py_XDECREF(value);
    return result;
}

int limits_add(PyObject *module)
{
    static const struct {
        const char *name;
        unsigned long long value;
    } defaults[] = {
#define NAME_AND_DEFAULT(name, default_value, bounds, reached) {#name, (default_value)},
        ERYX_LIMITS_MAP(NAME_AND_DEFAULT) ERYX_LATER_LIMITS_MAP(NAME_AND_DEFAULT)
#undef NAME_AND_DEFAULT
    };
    const Py_ssize_t count = sizeof defaults / sizeof defaults[0];
    PyObject *limits = PyTuple_New(count);
    for (Py_ssize_t i = 0; limits != NULL && i < count; i++) {
        PyObject *pair = Py_BuildValue("(sK)", defaults[i].name, defaults[i].value);
        if (pair == NULL || PyTuple_SetItem(limits, i, pair) < 0) {
            Py_CLEAR(limits);
        }
    }
    if (add_object(module, "LIMITS", limits) < 0) {
        return -1;
    }
    return add_object(module, "UNLIMITED", PyLong_FromUnsignedLongLong(ERYX_UNLIMITED));
}
