/* A native module for the tests: setjmp() and longjmp(). */
#include "python_api.h"

#include <setjmp.h>
#include <stdlib.h>

static jmp_buf place;
static jmp_buf outer;

static _Noreturn void leave(long depth, int value)
{
    if (depth > 0) {
        leave(depth - 1, value);
    }
    longjmp(place, value);
}

/* returned(value, depth) -> what setjmp() gives the second time, and a local variable. */
static PyObject *returned(PyObject *self, PyObject *arguments)
{
    int value;
    long depth;
    volatile int local = 1;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "il:returned", &value, &depth)) {
        return NULL;
    }
    int result = setjmp(place);
    if (result == 0) {
        local = 2;
        leave(depth, value);
    }
    return Py_BuildValue("ii", result, (int)local);
}

static int compare(const void *a, const void *b)
{
    (void)a, (void)b;
    longjmp(outer, 5);
}

/* nested() -> which of two places is gone to, also from a callback of the guest's qsort(). */
static PyObject *nested(PyObject *self, PyObject *nothing)
{
    volatile int steps = 0;
    int numbers[] = {2, 1};
    (void)self, (void)nothing;
    int result = setjmp(outer);
    if (result == 0) {
        if (setjmp(place) == 0) {
            leave(3, 1);
        }
        steps += 1;
        qsort(numbers, 2, sizeof numbers[0], compare);
        steps += 10;
    }
    return Py_BuildValue("ii", result, (int)steps);
}

static __attribute__((noinline)) int set(void)
{
    return setjmp(place);
}

/* stale(): goes to a function that has returned. */
static PyObject *stale(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    if (set() == 0) {
        longjmp(place, 1);
    }
    return self;
}

/* times(count) -> how many jumps there were. */
static PyObject *times(PyObject *self, PyObject *number)
{
    volatile long count = 0;
    volatile long left = PyLong_AsLong(number);
    (void)self;
    while (left > 0) {
        left--;
        if (setjmp(place) == 0) {
            leave(1, 1);
        }
        count++;
    }
    return PyLong_FromLong(count);
}

static PyMethodDef methods[] = {
    {"returned", returned, METH_VARARGS, NULL},
    {"nested", nested, METH_NOARGS, NULL},
    {"stale", stale, METH_NOARGS, NULL},
    {"times", times, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    .ob_base = {.ob_refcnt = 1},
    .m_name = "leap",
    .m_size = -1,
    .m_methods = methods,
};

__attribute__((visibility("default"))) PyObject *PyInit_leap(void);
PyObject *PyInit_leap(void)
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
