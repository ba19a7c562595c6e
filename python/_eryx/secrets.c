/*
 * The secrets of a Core. Values are borrowed from their bytes; the library copies them.
 */
#include "binding.h"

static int parse_hosts(PyObject *tuple, eryx_secret *secret)
{
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "the hosts of a secret are a tuple");
        return -1;
    }
    const Py_ssize_t count = PyTuple_Size(tuple);
    const char **hosts = PyMem_Calloc(count > 0 ? (size_t)count : 1, sizeof *hosts);
    if (hosts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    secret->hosts = (eryx_texts){.items = hosts, .count = (size_t)count};
    for (Py_ssize_t index = 0; index < count; index++) {
        Py_ssize_t size = 0;
        hosts[index] = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(tuple, index), &size);
        if (hosts[index] == NULL) {
            return -1;
        }
        if (strlen(hosts[index]) != (size_t)size) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return -1;
        }
    }
    return 0;
}

static int parse_secret(PyObject *tuple, eryx_secret *secret)
{
    PyObject *value = NULL;
    PyObject *hosts = NULL;
    char *data = NULL;
    Py_ssize_t size = 0;
    if (!PyTuple_Check(tuple) ||
        !PyArg_ParseTuple(tuple, "sOO:secret", &secret->name, &value, &hosts) ||
        PyBytes_AsStringAndSize(value, &data, &size) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "a secret is a tuple");
        }
        return -1;
    }
    secret->value = (eryx_bytes){.data = (const uint8_t *)data, .size = (size_t)size};
    return parse_hosts(hosts, secret);
}

int secrets_parse(PyObject *secrets, eryx_sandbox_options *options)
{
    PyObject *list = NULL;
    unsigned int scrub = 0;
    if (secrets == NULL || secrets == Py_None) {
        return 0;
    }
    if (!PyTuple_Check(secrets)) {
        PyErr_SetString(PyExc_TypeError, "secrets are a tuple or None");
        return -1;
    }
    if (!PyArg_ParseTuple(secrets, "O!I:secrets", &PyTuple_Type, &list, &scrub)) {
        return -1;
    }
    const Py_ssize_t count = PyTuple_Size(list);
    eryx_secret *parsed = PyMem_Calloc(count > 0 ? (size_t)count : 1, sizeof *parsed);
    if (parsed == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    options->secrets = parsed;
    options->secret_count = (size_t)count;
    options->scrub = scrub;
    for (Py_ssize_t index = 0; index < count; index++) {
        if (parse_secret(PyTuple_GetItem(list, index), &parsed[index]) < 0) {
            secrets_free(options);
            return -1;
        }
    }
    return 0;
}

void secrets_free(eryx_sandbox_options *options)
{
    for (size_t index = 0; options->secrets != NULL && index < options->secret_count; index++) {
        PyMem_Free((void *)(uintptr_t)options->secrets[index].hosts.items);
    }
    PyMem_Free((void *)(uintptr_t)options->secrets);
    options->secrets = NULL;
    options->secret_count = 0;
}
