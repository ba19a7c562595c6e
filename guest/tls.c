/* The host's TLS as the module _eryx has it; _ssl.py makes CPython's module of it. */
#include "host.h"
#include "module.h"

#include <stdlib.h>

/*
 * tls(operation: int, session: int, data: bytes, room: int) -> int | bytes
 *
 * With room, what the host writes there (at most so many bytes); a number if there is none or if it
 * failed, negative then: enum tls_status.
 */
PyObject *tls_call(PyObject *self, PyObject *arguments)
{
    int operation;
    unsigned int session;
    Py_buffer data;
    Py_ssize_t room;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "iIy*n:tls", &operation, &session, &data, &room)) {
        return NULL;
    }
    char *out = NULL;
    PyObject *result = NULL;
    if (room < 0 || room > TLS_MAX_TRANSFER_BYTES) {
        PyErr_SetString(PyExc_ValueError, "room is out of range");
    } else if (room > 0 && (out = malloc((size_t)room)) == NULL) {
        result = PyErr_NoMemory();
    } else {
        int32_t count =
            host_tls((uint32_t)operation, session, data.buf, (size_t)data.len, out, (size_t)room);
        result = out != NULL && count >= 0 ? PyBytes_FromStringAndSize(out, count)
                                           : PyLong_FromLong(count);
    }
    free(out);
    PyBuffer_Release(&data);
    return result;
}

/* tls_into(operation: int, session: int, buffer) -> int: what the host writes goes into the
 * buffer. */
PyObject *tls_call_into(PyObject *self, PyObject *arguments)
{
    int operation;
    unsigned int session;
    Py_buffer out;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "iIw*:tls_into", &operation, &session, &out)) {
        return NULL;
    }
    size_t room = out.len < TLS_MAX_TRANSFER_BYTES ? (size_t)out.len : TLS_MAX_TRANSFER_BYTES;
    int32_t count = host_tls((uint32_t)operation, session, NULL, 0, out.buf, room);
    PyBuffer_Release(&out);
    return PyLong_FromLong(count);
}
