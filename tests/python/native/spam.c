/* A native module for the tests: state, pointers to functions of its own and of others, and ways to
 * misbehave. */
#include "python_api.h"

#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

static long counter;
static long constructed;
static const char *const names[] = {"first", "second"};

__attribute__((constructor)) static void construct(void)
{
    constructed = 42;
}

/* Called by qsort() of the guest's libc through the table. */
static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int (*volatile comparison)(const void *, const void *) = compare;

/* A pointer to a function of libc, which has to get a place in the table. */
static int (*volatile absolute)(int) = abs;

static PyObject *count(PyObject *self, PyObject *arguments)
{
    (void)self, (void)arguments;
    return PyLong_FromLong(++counter);
}

static PyObject *sort(PyObject *self, PyObject *arguments)
{
    int values[3];
    (void)self;
    if (!PyArg_ParseTuple(arguments, "iii:sort", &values[0], &values[1], &values[2])) {
        return NULL;
    }
    qsort(values, 3, sizeof values[0], comparison);
    return Py_BuildValue("iiis", values[0], values[1], absolute(values[2]), names[1]);
}

static PyObject *initialised(PyObject *self, PyObject *arguments)
{
    (void)self, (void)arguments;
    return PyLong_FromLong(constructed);
}

static PyObject *fail(PyObject *self, PyObject *arguments)
{
    (void)self, (void)arguments;
    PyErr_SetString(PyExc_ValueError, "from native code");
    return NULL;
}

/* __int128 and long double need helpers of the compiler. */
static PyObject *high_word(PyObject *self, PyObject *number)
{
    (void)self;
    long long value = PyLong_AsLongLong(number);
    __int128 product = (__int128)value * value;
    return PyLong_FromLong((long)(product >> 64));
}

static PyObject *loop(PyObject *self, PyObject *arguments)
{
    volatile int going = 1;
    (void)self, (void)arguments;
    while (going) {
    }
    return NULL;
}

static PyObject *out_of_bounds(PyObject *self, PyObject *arguments)
{
    (void)self, (void)arguments;
    *(volatile int *)0xfffffff0u = 1;
    return NULL;
}

/* Without a frame in linear memory: only the native stack grows. */
static int deep(int n, int (*again)(int, void *), void *argument)
{
    return n == 0 ? 0 : again(n + 1, argument) + 1;
}

static int deeper(int n, void *argument)
{
    return deep(n, (int (*)(int, void *))argument, argument) * 3;
}

static PyObject *recurse(PyObject *self, PyObject *arguments)
{
    (void)self, (void)arguments;
    return PyLong_FromLong(deeper(1, (void *)deeper));
}

/* poke(address, value): what any native code can do, to its own sandbox. */
static PyObject *poke(PyObject *self, PyObject *arguments)
{
    unsigned address;
    unsigned value;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "II:poke", &address, &value)) {
        return NULL;
    }
    *(volatile unsigned *)address = value;
    return PyLong_FromLong(0);
}

static PyObject *wrong_pointer(PyObject *self, PyObject *number)
{
    (void)self;
    ((void (*)(double))(uintptr_t)PyLong_AsLong(number))(1.0);
    return NULL;
}

static PyObject *wrong_type(PyObject *self, PyObject *arguments)
{
    (void)self, (void)arguments;
    ((void (*)(double))(uintptr_t)comparison)(1.0);
    return NULL;
}

/* Methods with fewer parameters than they are called with, as much C code has them. */
PyObject *PyModule_GetNameObject(PyObject *module);
static PyObject *only_self(PyObject *self)
{
    return PyModule_GetNameObject(self);
}

static PyObject *no_parameters(void)
{
    return PyLong_FromLong(7);
}

/* More parameters than a caller gives, which nothing can make up for. */
static PyObject *too_many(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    (void)self, (void)arguments, (void)keywords;
    return PyLong_FromLong(8);
}

static double other_result(PyObject *self, PyObject *arguments)
{
    (void)self, (void)arguments;
    return 1;
}

#define METH_KEYWORDS 0x0002
#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"count", count, METH_NOARGS, "Counts its calls."},
    {"sort", sort, METH_VARARGS, NULL},
    {"initialised", initialised, METH_NOARGS, NULL},
    {"fail", fail, METH_NOARGS, NULL},
    {"high_word", high_word, METH_O, NULL},
    {"loop", loop, METH_NOARGS, NULL},
    {"out_of_bounds", out_of_bounds, METH_NOARGS, NULL},
    {"recurse", recurse, METH_NOARGS, NULL},
    {"poke", poke, METH_VARARGS, NULL},
    {"wrong_pointer", wrong_pointer, METH_O, NULL},
    {"wrong_type", wrong_type, METH_NOARGS, NULL},
    {"only_self", METHOD(only_self), METH_NOARGS, NULL},
    {"only_self_with_keywords", METHOD(only_self), METH_VARARGS | METH_KEYWORDS, NULL},
    {"no_parameters", METHOD(no_parameters), METH_NOARGS, NULL},
    {"too_many", METHOD(too_many), METH_VARARGS, NULL},
    {"other_result", METHOD(other_result), METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    .ob_base = {.ob_refcnt = 1},
    .m_name = "spam",
    .m_size = -1,
    .m_methods = methods,
};

EXPORT PyObject *PyInit_spam(void);
PyObject *PyInit_spam(void)
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
