/*
 * Where the large lists and objects of a JSON text are, so that it can be decoded in pieces.
 */
#include "binding.h"

static int append_number(PyObject *list, Py_ssize_t number)
{
    PyObject *value = PyLong_FromSsize_t(number);
    if (value == NULL) {
        return -1;
    }
    const int result = PyList_Append(list, value);
    Py_DECREF(value);
    return result;
}

/* Appends the starts of those that have so many characters. What is nested too deeply, or is no
 * JSON, is passed over. */
static int find_large(const uint8_t *data, Py_ssize_t size, Py_ssize_t least, PyObject *starts)
{
    Py_ssize_t open[ERYX_JSON_DEPTH_MAX]; /* where they start, in characters */
    size_t depth = 0;
    Py_ssize_t character = 0;
    bool in_string = false;
    for (Py_ssize_t index = 0; index < size; index++) {
        const uint8_t byte = data[index];
        if ((byte & 0xC0) == 0x80) {
            continue; /* goes on with a character */
        }
        if (in_string) {
            if (byte == '\\') {
                index++;
                character++;
            }
            in_string = byte != '"';
        } else if (byte == '"') {
            in_string = true;
        } else if (byte == '[' || byte == '{') {
            if (depth < ERYX_JSON_DEPTH_MAX) {
                open[depth] = character;
            }
            depth++;
        } else if ((byte == ']' || byte == '}') && depth > 0) {
            depth--;
            if (depth < ERYX_JSON_DEPTH_MAX && character - open[depth] >= least &&
                append_number(starts, open[depth]) < 0) {
                return -1;
            }
        }
        character++;
    }
    return 0;
}

PyObject *json_large(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *text = NULL;
    Py_ssize_t least = 0;
    if (!PyArg_ParseTuple(args, "Un:json_large", &text, &least)) {
        return NULL;
    }
    Py_ssize_t size = 0;
    const char *data = PyUnicode_AsUTF8AndSize(text, &size);
    if (data == NULL) {
        return NULL;
    }
    PyObject *starts = PyList_New(0);
    if (starts != NULL && find_large((const uint8_t *)data, size, least, starts) < 0) {
        Py_CLEAR(starts);
    }
    return starts;
}
