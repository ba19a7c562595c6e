#define _WASI_EMULATED_SIGNAL /* libpython brings the emulation; only a number is needed here */
#include "module.h"

#include "host.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/*
 * The interpreter's own way to be interrupted is a signal. This one is never sent by anything else here,
 * and its name says what it is for; SIGINT stays the user's.
 */
#define INTERRUPT_SIGNAL SIGXCPU

static volatile int interrupt;

void module_clear_interrupt(void)
{
    interrupt = 0;
}

/* Called by the host at any loop head: marks the signal as received, nothing more. The handler that the
 * runner installed raises at the next bytecode that looks for signals. */
GUEST_EXPORT(eryx_guest_interrupt) void eryx_guest_interrupt(uint32_t kind);
void eryx_guest_interrupt(uint32_t kind)
{
    interrupt = (int)kind;
    PyErr_SetInterruptEx(INTERRUPT_SIGNAL);
}

static PyObject *none(void)
{
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}

/* take_interrupt() -> int: the kind asked for since the run began, 0 for none; asked only once. */
static PyObject *module_take_interrupt(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    int kind = interrupt;
    interrupt = 0;
    return PyLong_FromLong(kind);
}

/* report(field: int, data: bytes) */
static PyObject *module_report(PyObject *self, PyObject *arguments)
{
    int field;
    const char *bytes;
    Py_ssize_t size;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "iy#:report", &field, &bytes, &size)) {
        return NULL;
    }
    host_report((uint32_t)field, bytes, (size_t)size);
    return none();
}

/* report_exit_code(code: int) */
static PyObject *module_report_exit_code(PyObject *self, PyObject *arguments)
{
    int code;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "i:report_exit_code", &code)) {
        return NULL;
    }
    host_report_exit_code(code);
    return none();
}

/* All of it, however little the host takes at a time; a text stream without a buffer relies on it. */
static PyObject *write_all(int descriptor, PyObject *data)
{
    Py_buffer view;
    Py_ssize_t written = 0;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) != 0) {
        return NULL;
    }
    while (written < view.len) {
        ssize_t count = write(descriptor, (const char *)view.buf + written,
                              (size_t)(view.len - written));
        if (count > 0) {
            written += count;
        } else if (count < 0 && errno != EINTR && errno != EAGAIN) {
            PyBuffer_Release(&view);
            return PyErr_SetFromErrno(PyExc_OSError);
        } else if (PyErr_CheckSignals() != 0) {
            PyBuffer_Release(&view);
            return NULL;
        }
    }
    PyBuffer_Release(&view);
    return PyLong_FromSsize_t(written);
}

/* write_output(data) -> int */
static PyObject *module_write_output(PyObject *self, PyObject *data)
{
    (void)self;
    return write_all(STDOUT_FILENO, data);
}

/* write_error(data) -> int */
static PyObject *module_write_error(PyObject *self, PyObject *data)
{
    (void)self;
    return write_all(STDERR_FILENO, data);
}

/*
 * make_immortal(object): its references are not counted any more.
 *
 * A sandbox shares the pages of the image until it writes to them, and counting references is most
 * of what would make it write to objects that it only uses.
 */
static PyObject *module_make_immortal(PyObject *self, PyObject *object)
{
    (void)self;
    if (object->ob_refcnt < PYTHON_IMMORTAL_LEAST) {
        object->ob_refcnt = PYTHON_IMMORTAL;
    }
    return none();
}

static PyMethodDef module_methods[] = {
    {"take_interrupt", module_take_interrupt, METH_NOARGS, NULL},
    {"report", module_report, METH_VARARGS, NULL},
    {"report_exit_code", module_report_exit_code, METH_VARARGS, NULL},
    {"make_immortal", module_make_immortal, METH_O, NULL},
    {"write_output", module_write_output, METH_O, NULL},
    {"write_error", module_write_error, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_definition = {
    .ob_base = {.ob_refcnt = 1},
    .m_name = "_eryx",
    .m_doc = "What the sandbox's runtime asks of its host.",
    .m_size = -1,
    .m_methods = module_methods,
};

PyObject *module_initialize(void)
{
    return PyModule_Create2(&module_definition, PYTHON_API_VERSION);
}
