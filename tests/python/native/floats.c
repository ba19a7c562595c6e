/* A native module for the tests: floating-point flags. */
#include "python_api.h"

#include <fenv.h>
#include <math.h>

/* operate(which, a, b) -> the result, and which flags were raised. */
static PyObject *operate(PyObject *self, PyObject *arguments)
{
    const char *which;
    double a;
    double b;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "sdd:operate", &which, &a, &b)) {
        return NULL;
    }
    volatile double first = a;
    volatile double second = b;
    volatile double result = 0;
    feclearexcept(FE_ALL_EXCEPT);
    switch (which[0]) {
    case '/':
        result = first / second;
        break;
    case '*':
        result = first * second;
        break;
    case 's':
        result = sqrt(first);
        break;
    case '<':
        result = first < second ? 1 : first <= second ? 2 : 3;
        break;
    case '>':
        result = (float)first > (float)second ? 1 : (float)first >= (float)second ? 2 : 3;
        break;
    default:
        break;
    }
    return Py_BuildValue("di", (double)result, fetestexcept(FE_ALL_EXCEPT));
}

/* raised(flags), test() and hold() -> flags. */
static PyObject *raised(PyObject *self, PyObject *flags)
{
    (void)self;
    feraiseexcept((int)PyLong_AsLong(flags));
    return PyLong_FromLong(fetestexcept(FE_ALL_EXCEPT));
}

static PyObject *test(PyObject *self, PyObject *nothing)
{
    (void)self, (void)nothing;
    return PyLong_FromLong(fetestexcept(FE_ALL_EXCEPT));
}

static PyObject *hold(PyObject *self, PyObject *nothing)
{
    fenv_t kept;
    (void)self, (void)nothing;
    feholdexcept(&kept);
    long between = fetestexcept(FE_ALL_EXCEPT);
    feupdateenv(&kept);
    return Py_BuildValue("ii", (int)between, fetestexcept(FE_ALL_EXCEPT));
}

/* anything(cleared, raised): whatever bits are asked for. */
static PyObject *anything(PyObject *self, PyObject *arguments)
{
    int cleared;
    int added;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "ii:anything", &cleared, &added)) {
        return NULL;
    }
    return PyLong_FromLong(eryx_float_flags(cleared, added));
}

static PyMethodDef methods[] = {
    {"operate", operate, METH_VARARGS, NULL},   {"raised", raised, METH_O, NULL},
    {"test", test, METH_NOARGS, NULL},          {"hold", hold, METH_NOARGS, NULL},
    {"anything", anything, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    .ob_base = {.ob_refcnt = 1},
    .m_name = "floats",
    .m_size = -1,
    .m_methods = methods,
};

__attribute__((visibility("default"))) PyObject *PyInit_floats(void);
PyObject *PyInit_floats(void)
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
