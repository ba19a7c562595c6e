#define _WASI_EMULATED_SIGNAL /* libpython brings the emulation; only a number is needed here */
#include "module.h"

#include "host.h"
#include "pressure.h"
#include "threads.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The interpreter's own way to be interrupted is a signal. This one is never sent by anything else
 * here, and its name says what it is for; SIGINT stays the user's.
 */
#define INTERRUPT_SIGNAL SIGXCPU

static volatile uint32_t interrupt;

/* Waits that were refused since the first thread has last looked; its exception is still to be
 * raised. */
static uint32_t waits_refused;

/*
 * What the host writes to when it interrupts the program, at any instruction and without calling
 * the guest: the flags of a signal that has been received, as CPython's trip_signal() sets them.
 * Its handler raises at the next bytecode that looks for signals. Offsets into struct
 * pyruntimestate of CPython 3.14.7, which module_check_interrupt() makes sure of.
 */
enum {
    RUNTIME_MAIN_THREAD = 820,
    RUNTIME_SIGNALS = 1044, /* of each signal: flag, handler */
    RUNTIME_SIGNAL_BYTES = 8,
    RUNTIME_TRIPPED = 1572,
    THREAD_EVAL_BREAKER = 12,
};

static struct interrupt_flags flags;

void module_clear_interrupt(void)
{
    interrupt = 0;
}

bool module_check_interrupt(void)
{
    char *thread;
    memcpy(&thread, _PyRuntime + RUNTIME_MAIN_THREAD, sizeof thread);
    if (thread != (char *)PyThreadState_Get()) {
        PyErr_SetString(PyExc_RuntimeError, "the main thread is not where it should be");
        return false;
    }
    volatile uint32_t *signal =
        (volatile uint32_t *)(void *)(_PyRuntime + RUNTIME_SIGNALS +
                                      INTERRUPT_SIGNAL * RUNTIME_SIGNAL_BYTES);
    volatile uint32_t *tripped = (volatile uint32_t *)(void *)(_PyRuntime + RUNTIME_TRIPPED);
    volatile uint32_t *breaker = (volatile uint32_t *)(void *)(thread + THREAD_EVAL_BREAKER);
    bool clear = *signal == 0 && *tripped == 0 && (*breaker & INTERRUPT_EVAL_BREAKER_BIT) == 0;
    PyErr_SetInterruptEx(INTERRUPT_SIGNAL);
    bool set = *signal == 1 && *tripped == 1 && (*breaker & INTERRUPT_EVAL_BREAKER_BIT) != 0;
    bool taken = PyErr_CheckSignals() == 0 && *signal == 0 && *tripped == 0;
    *breaker &= ~(uint32_t)INTERRUPT_EVAL_BREAKER_BIT;
    flags = (struct interrupt_flags){
        .kind = (uint32_t)(uintptr_t)&interrupt,
        .signal = (uint32_t)(uintptr_t)signal,
        .tripped = (uint32_t)(uintptr_t)tripped,
        .eval_breaker = (uint32_t)(uintptr_t)breaker,
    };
    if (!threads_describe(&flags)) {
        return false;
    }
    if (!clear || !set || !taken) {
        PyErr_SetString(PyExc_RuntimeError, "the flags of a signal are not where they should be");
        return false;
    }
    return true;
}

/* Where the flags are, for the host. */
GUEST_EXPORT(eryx_guest_interrupt_flags)
const struct interrupt_flags *eryx_guest_interrupt_flags(void);
const struct interrupt_flags *eryx_guest_interrupt_flags(void)
{
    return &flags;
}

void module_refuse_wait(void)
{
    enum { MOST = 100 };
    if (waits_refused == MOST) {
        abort(); /* who waits here asks again and again, and never looks */
    }
    waits_refused++;
    PyErr_SetInterruptEx(INTERRUPT_SIGNAL);
}

static PyObject *none(void)
{
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}

/* By enum interrupt_kind: what is raised, set by set_interrupt(), and what it says. */
static PyObject *interrupt_classes[4];
static const char *const interrupt_messages[4] = {
    [INTERRUPT_TIMEOUT] = "execution timed out",
    [INTERRUPT_CANCEL] = "execution was cancelled",
    [INTERRUPT_FUEL] = "fuel exhausted",
};

/* set_interrupt(kind: int, exception_class: type) */
static PyObject *module_set_interrupt(PyObject *self, PyObject *arguments)
{
    int kind;
    PyObject *exception_class;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "iO:set_interrupt", &kind, &exception_class)) {
        return NULL;
    }
    if (kind < INTERRUPT_TIMEOUT || kind > INTERRUPT_FUEL) {
        PyErr_SetString(PyExc_ValueError, "no such kind of interrupt");
        return NULL;
    }
    Py_IncRef(exception_class);
    Py_DecRef(interrupt_classes[kind]);
    interrupt_classes[kind] = exception_class;
    return none();
}

/* Gives what is said where all threads wait. */
static PyObject *deadlock_text;

/* set_deadlock_text(function) */
static PyObject *module_set_deadlock_text(PyObject *self, PyObject *function)
{
    (void)self;
    Py_IncRef(function);
    Py_DecRef(deadlock_text);
    deadlock_text = function;
    return none();
}

/* on_interrupt(signal_number, frame): the handler of INTERRUPT_SIGNAL. In C, so that the traceback
 * ends where the program was stopped. */
static PyObject *module_on_interrupt(PyObject *self, PyObject *arguments)
{
    uint32_t kind = interrupt;
    bool refused = waits_refused > 0;
    (void)self;
    (void)arguments;
    interrupt = 0;
    waits_refused = 0;
    if (kind >= INTERRUPT_TIMEOUT && kind <= INTERRUPT_FUEL && interrupt_classes[kind] != NULL) {
        PyErr_SetString(interrupt_classes[kind], interrupt_messages[kind]);
        return NULL;
    }
    if (refused) {
        PyObject *text = deadlock_text != NULL ? PyObject_CallNoArgs(deadlock_text) : NULL;
        if (text != NULL) {
            PyErr_SetObject(PyExc_RuntimeError, text);
            Py_DecRef(text);
        }
        return NULL;
    }
    return none(); /* it came after the end of the run it was meant for */
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

/* All of it, however little the host takes at a time; a text stream without a buffer relies on it.
 */
static PyObject *write_all(int descriptor, PyObject *data)
{
    Py_buffer view;
    Py_ssize_t written = 0;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) != 0) {
        return NULL;
    }
    while (written < view.len) {
        ssize_t count =
            write(descriptor, (const char *)view.buf + written, (size_t)(view.len - written));
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

/* allocate_for(user: int) -> int: from now on enum memory_user; gives the earlier one. */
static PyObject *module_allocate_for(PyObject *self, PyObject *arguments)
{
    int user;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "i:allocate_for", &user)) {
        return NULL;
    }
    return PyLong_FromLong((long)pressure_set_user((enum memory_user)user));
}

/* memory_was_short() -> bool: whether memory was used up by this run. */
static PyObject *module_memory_was_short(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyBool_FromLong(pressure_was_high());
}

/* memory_limit() -> int */
static PyObject *module_memory_limit(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyLong_FromUnsignedLongLong(host_memory_limit());
}

static PyMethodDef module_methods[] = {
    {"set_interrupt", module_set_interrupt, METH_VARARGS, NULL},
    {"on_interrupt", module_on_interrupt, METH_VARARGS, NULL},
    {"report", module_report, METH_VARARGS, NULL},
    {"report_exit_code", module_report_exit_code, METH_VARARGS, NULL},
    {"make_immortal", module_make_immortal, METH_O, NULL},
    {"allocate_for", module_allocate_for, METH_VARARGS, NULL},
    {"memory_was_short", module_memory_was_short, METH_NOARGS, NULL},
    {"memory_limit", module_memory_limit, METH_NOARGS, NULL},
    {"write_output", module_write_output, METH_O, NULL},
    {"write_error", module_write_error, METH_O, NULL},
    {"call", callbacks_call, METH_VARARGS, NULL},
    {"wait", callbacks_wait, METH_O, NULL},
    {"trace", callbacks_trace, METH_O, NULL},
    {"watch_answers", callbacks_watch, METH_NOARGS, NULL},
    {"change_mode", files_change_mode, METH_VARARGS, NULL},
    {"change_open_mode", files_change_open_mode, METH_VARARGS, NULL},
    {"umask", files_umask, METH_VARARGS, NULL},
    {"pipe", files_pipe, METH_NOARGS, NULL},
    {"dup", files_dup, METH_VARARGS, NULL},
    {"dup2", files_dup2, METH_VARARGS, NULL},
    {"forget_random", random_forget, METH_NOARGS, NULL},
    {"thread_state", threads_state_of, METH_O, NULL},
    {"stop_thread", threads_stop, METH_VARARGS, NULL},
    {"threads_rest", threads_rest, METH_NOARGS, NULL},
    {"thread_count", threads_number, METH_NOARGS, NULL},
    {"poke", threads_poke, METH_NOARGS, NULL},
    {"set_deadlock_text", module_set_deadlock_text, METH_O, NULL},
    {"ask", ask_call, METH_VARARGS, NULL},
    {"ask_into", ask_call_into, METH_VARARGS, NULL},
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
