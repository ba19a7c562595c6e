/* What _eryx has of threads, for the Python half of the guest (_eryx_runtime/threads.py). */
#include "host.h"
#include "module.h"
#include "threads.h"

/* The thread that threading.get_ident() names; NULL with an exception set. */
static struct thread *thread_of(PyObject *identity)
{
    long long number = PyLong_AsLongLong(identity);
    if (number == -1 && PyErr_Occurred() != NULL) {
        return NULL;
    }
    return (struct thread *)(uintptr_t)number;
}

/* thread_state(ident: int) -> int: enum thread_state. The ident is one that was alive lately. */
PyObject *threads_state_of(PyObject *self, PyObject *identity)
{
    (void)self;
    const struct thread *thread = thread_of(identity);
    return thread != NULL ? PyLong_FromUnsignedLong(host_thread_state(thread->number)) : NULL;
}

/* stop_thread(ident: int, exception: type): it is raised in the thread, whose present wait, or the
 * next one, ends for that. */
PyObject *threads_stop(PyObject *self, PyObject *arguments)
{
    PyObject *identity;
    PyObject *exception;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "OO:stop_thread", &identity, &exception)) {
        return NULL;
    }
    struct thread *thread = thread_of(identity);
    if (thread == NULL) {
        return NULL;
    }
    PyThreadState_SetAsyncExc((unsigned long)(uintptr_t)thread, exception);
    thread->stopping = true;
    host_thread_interrupt(thread->number);
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}

/* threads_rest(): lets the others go on; where none can, until one can. */
PyObject *threads_rest(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    PyThreadState *state = PyEval_SaveThread();
    host_thread_give_way(1);
    PyEval_RestoreThread(state);
    if (PyErr_CheckSignals() != 0) {
        return NULL;
    }
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}

/* thread_count() -> int: beside the first. */
PyObject *threads_number(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyLong_FromUnsignedLong(thread_count);
}

/* poke(): the waits that watch for it end, see watch_answers(). */
PyObject *threads_poke(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    host_thread_poke();
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}
