/*
 * TurnHolder: who has the turn to use a sandbox. Base of eryx._turn.Turn, which has those who wait
 * for it; here is what every run needs.
 *
 * Each method is one step, since the interpreter lock is held all along. If somebody waits the
 * holder does not leave by itself, so that it is Turn that says who comes next.
 */
#include "binding.h"

#include <pythread.h>
#include <unistd.h>

typedef struct turn_object {
    PyObject_HEAD
    unsigned long thread; /* that has it; TURN_FREE if nobody has */
    bool is_task;         /* and it is a task of this thread that has it */
    bool is_wanted;       /* somebody waits */
    pid_t process;        /* that it belongs to */
} turn_object;

/* No thread has this number: pthread_self() is an address. */
#define TURN_FREE 0UL

static PyObject *turn_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    (void)args;
    (void)keywords;
    turn_object *self = (turn_object *)PyType_GenericAlloc(type, 0);
    if (self != NULL) {
        self->process = getpid();
    }
    return (PyObject *)self;
}

static PyObject *turn_take(PyObject *object, PyObject *is_task)
{
    turn_object *self = (turn_object *)object;
    if (self->thread != TURN_FREE || self->process != getpid()) {
        Py_RETURN_FALSE;
    }
    self->thread = PyThread_get_thread_ident();
    self->is_task = is_task == Py_True;
    Py_RETURN_TRUE;
}

static PyObject *turn_leave(PyObject *object, PyObject *unused)
{
    (void)unused;
    turn_object *self = (turn_object *)object;
    if (self->is_wanted) {
        Py_RETURN_FALSE;
    }
    self->thread = TURN_FREE;
    Py_RETURN_TRUE;
}

static PyObject *turn_want(PyObject *object, PyObject *is_wanted)
{
    turn_object *self = (turn_object *)object;
    self->is_wanted = is_wanted == Py_True;
    return PyBool_FromLong(self->thread == TURN_FREE);
}

static PyObject *turn_give(PyObject *object, PyObject *args)
{
    turn_object *self = (turn_object *)object;
    unsigned long thread = 0;
    int is_task = 0;
    if (!PyArg_ParseTuple(args, "kp:give", &thread, &is_task)) {
        return NULL;
    }
    self->thread = thread;
    self->is_task = is_task != 0;
    Py_RETURN_NONE;
}

static PyObject *turn_held_here(PyObject *object, PyObject *unused)
{
    (void)unused;
    const turn_object *self = (turn_object *)object;
    return PyBool_FromLong(self->thread == PyThread_get_thread_ident());
}

static PyObject *turn_is_task(PyObject *object, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((turn_object *)object)->is_task);
}

static PyObject *turn_process(PyObject *object, void *unused)
{
    (void)unused;
    return PyLong_FromLong(((turn_object *)object)->process);
}

static PyMethodDef turn_methods[] = {
    {"take", turn_take, METH_O,
     "take($self, is_task, /)\n--\n\n"
     "Gives it to this thread, or a task of it, if nobody has it; says whether it did."},
    {"leave", turn_leave, METH_NOARGS,
     "leave($self, /)\n--\n\nNobody has it any more, unless somebody waits; says whether it did."},
    {"want", turn_want, METH_O,
     "want($self, is_wanted, /)\n--\n\nNotes whether somebody waits; says whether nobody has it."},
    {"give", turn_give, METH_VARARGS,
     "give($self, thread, is_task, /)\n--\n\nThat thread has it; 0 for nobody."},
    {"is_held_here", turn_held_here, METH_NOARGS,
     "is_held_here($self, /)\n--\n\nWhether this thread has it, or a task of it."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef turn_attributes[] = {
    {"is_held_by_task", turn_is_task, NULL, "Whether who had it last was a task.", NULL},
    {"process", turn_process, NULL, "Number of the process that it belongs to.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot turn_slots[] = {
    {Py_tp_doc, "Who has the turn to use a sandbox."},
    {Py_tp_new, turn_new},
    {Py_tp_methods, turn_methods},
    {Py_tp_getset, turn_attributes},
    {0, NULL},
};

PyType_Spec turn_spec = {
    .name = "eryx._eryx.TurnHolder",
    .basicsize = (int)sizeof(turn_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = turn_slots,
};
