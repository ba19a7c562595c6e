/* What the host's services give, for the Python half of the guest (protocol/ask.h). */
#include "host.h"
#include "module.h"

#include <stdlib.h>

/*
 * ask(service: int, operation: int, number: int, data: bytes, room: int) -> int | bytes
 *
 * With room, what the host writes there (at most so many bytes); a number if there is none or if it
 * failed, negative then.
 */
PyObject *ask_call(PyObject *self, PyObject *arguments)
{
    unsigned int service;
    unsigned int operation;
    unsigned int number;
    Py_buffer data;
    Py_ssize_t room;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "IIIy*n:ask", &service, &operation, &number, &data, &room)) {
        return NULL;
    }
    char *out = NULL;
    PyObject *result = NULL;
    if (room < 0 || room > ASK_MAX_TRANSFER_BYTES) {
        PyErr_SetString(PyExc_ValueError, "room is out of range");
    } else if (room > 0 && (out = malloc((size_t)room)) == NULL) {
        result = PyErr_NoMemory();
    } else {
        int32_t count =
            host_ask(service, operation, number, data.buf, (size_t)data.len, out, (size_t)room);
        result = out != NULL && count >= 0 ? PyBytes_FromStringAndSize(out, count)
                                           : PyLong_FromLong(count);
    }
    free(out);
    PyBuffer_Release(&data);
    return result;
}

/* ask_into(service: int, operation: int, number: int, buffer) -> int: what the host writes goes
 * into the buffer. */
PyObject *ask_call_into(PyObject *self, PyObject *arguments)
{
    unsigned int service;
    unsigned int operation;
    unsigned int number;
    Py_buffer out;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "IIIw*:ask_into", &service, &operation, &number, &out)) {
        return NULL;
    }
    size_t room = out.len < ASK_MAX_TRANSFER_BYTES ? (size_t)out.len : ASK_MAX_TRANSFER_BYTES;
    int32_t count = host_ask(service, operation, number, NULL, 0, out.buf, room);
    PyBuffer_Release(&out);
    return PyLong_FromLong(count);
}
