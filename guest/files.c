/* Permission bits as the module _eryx has them; file_modes.py makes os.chmod and the like of it. */
#include "file_mode.h"
#include "module.h"

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
