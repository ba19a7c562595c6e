/* Permission bits and pipes as the module _eryx has them; file_modes.py and pipes.py make os.chmod,
 * os.pipe and the like of it. */
#include "file_mode.h"

#include "descriptors.h"
#include "module.h"
#include "pipes.h"

#include <errno.h>

/* change_mode(directory: int, path: bytes, mode: int) -> int: 0 or a number of errno. */
PyObject *files_change_mode(PyObject *self, PyObject *arguments)
{
    int directory;
    const char *path;
    unsigned int mode;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "iyI:change_mode", &directory, &path, &mode)) {
        return NULL;
    }
    return PyLong_FromLong(file_mode_change(directory, path, mode) == 0 ? 0 : errno);
}

/* change_open_mode(file: int, mode: int) -> int: the same for an open file. */
PyObject *files_change_open_mode(PyObject *self, PyObject *arguments)
{
    int file;
    unsigned int mode;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "iI:change_open_mode", &file, &mode)) {
        return NULL;
    }
    return PyLong_FromLong(file_mode_change_open(file, mode) == 0 ? 0 : errno);
}

/* umask(mask: int) -> int: what it was. */
PyObject *files_umask(PyObject *self, PyObject *arguments)
{
    unsigned int mask;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "I:umask", &mask)) {
        return NULL;
    }
    return PyLong_FromLong((long)file_mode_set_mask(mask));
}

/* pipe() -> (int, int): the end that is read and the end that is written. */
PyObject *files_pipe(PyObject *self, PyObject *nothing)
{
    int ends[2];
    (void)self;
    (void)nothing;
    if (pipes_make(ends) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return Py_BuildValue("ii", ends[0], ends[1]);
}

/* dup(int) -> int: another descriptor of the same. */
PyObject *files_dup(PyObject *self, PyObject *arguments)
{
    int file;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "i:dup", &file)) {
        return NULL;
    }
    int made = dup(file);
    return made < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(made);
}

/* dup2(int, int) -> int: the same with that number, which is closed before. */
PyObject *files_dup2(PyObject *self, PyObject *arguments)
{
    int file;
    int number;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "ii:dup2", &file, &number)) {
        return NULL;
    }
    int made = dup2(file, number);
    return made < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(made);
}
