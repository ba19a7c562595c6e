/* A native module for the tests: what compilers make of numbers that are none. */
#include "python_api.h"

#include <math.h>
#include <string.h>

/* In memory, so that the constants stay in the code. */
static volatile double wide[6];
static volatile float narrow[6];

static void store(void)
{
    wide[0] = __builtin_nan("");
    wide[1] = -__builtin_nan("");
    wide[2] = __builtin_nan("0xabcdef");
    wide[3] = __builtin_nans("0x1");
    wide[4] = -(double)INFINITY;
    wide[5] = -0.0;
    narrow[0] = __builtin_nanf("");
    narrow[1] = -__builtin_nanf("");
    narrow[2] = __builtin_nanf("0xabcde");
    narrow[3] = __builtin_nansf("0x1");
    narrow[4] = -INFINITY;
    narrow[5] = -0.0f;
}

static PyObject *constants(PyObject *self, PyObject *arguments)
{
    char bytes[sizeof wide + sizeof narrow];
    (void)self, (void)arguments;
    store();
    memcpy(bytes, (const void *)wide, sizeof wide);
    memcpy(bytes + sizeof wide, (const void *)narrow, sizeof narrow);
    return PyBytes_FromStringAndSize(bytes, sizeof bytes);
}

static PyObject *copy_sign(PyObject *self, PyObject *arguments)
{
    double value;
    double sign;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "dd:copy_sign", &value, &sign)) {
        return NULL;
    }
    return Py_BuildValue("dd", copysign(value, sign), (double)copysignf((float)value, (float)sign));
}

static PyMethodDef methods[] = {
    {"constants", constants, METH_NOARGS, NULL},
    {"copy_sign", copy_sign, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    .ob_base = {.ob_refcnt = 1},
    .m_name = "figures",
    .m_size = -1,
    .m_methods = methods,
};

__attribute__((visibility("default"))) PyObject *PyInit_figures(void);
PyObject *PyInit_figures(void)
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
