/*
 * The network of a Core: its rules, the question before a connection, and the list afterwards.
 */
#include "binding.h"

enum {
    NUMBER_COUNT = 5,
    FLAG_COUNT = 4,
    TEXTS_COUNT = 6,
    PART_COUNT = 4, /* of the argument of Core */
};

/* The options and all that they point to but the texts and bytes, which their tuple owns. */
typedef struct parsed_network {
    eryx_network_options options;
    eryx_bytes *certificates;
    const char **texts[TEXTS_COUNT];
} parsed_network;

/* ---- Rules ------------------------------------------------------------------------------------
 */

static int parse_numbers(PyObject *tuple, eryx_network_options *options)
{
    uint64_t *const fields[NUMBER_COUNT] = {
        &options->max_connections,       &options->connect_timeout_ms, &options->io_timeout_ms,
        &options->max_total_connections, &options->max_bytes,
    };
    for (Py_ssize_t index = 0; index < NUMBER_COUNT; index++) {
        const unsigned long long value = PyLong_AsUnsignedLongLong(PyTuple_GetItem(tuple, index));
        if (value == (unsigned long long)-1 && PyErr_Occurred()) {
            return -1;
        }
        *fields[index] = value;
    }
    return 0;
}

static int parse_flags(PyObject *tuple, eryx_network_options *options)
{
    bool *const fields[FLAG_COUNT] = {
        &options->allow_all_hosts,
        &options->block_internal,
        &options->allow_localhost,
        &options->ask_on_connect,
    };
    for (Py_ssize_t index = 0; index < FLAG_COUNT; index++) {
        const int value = PyObject_IsTrue(PyTuple_GetItem(tuple, index));
        if (value < 0) {
            return -1;
        }
        *fields[index] = value != 0;
    }
    return 0;
}

/* Reads a tuple of str. out_array: freed with PyMem_Free(), also after an error. */
static int parse_texts(PyObject *tuple, const char ***out_array, eryx_texts *out_texts)
{
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "a list of texts is a tuple");
        return -1;
    }
    const Py_ssize_t count = PyTuple_Size(tuple);
    if (count == 0) {
        return 0;
    }
    const char **array = PyMem_Calloc((size_t)count, sizeof *array);
    if (array == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *out_array = array;
    for (Py_ssize_t index = 0; index < count; index++) {
        Py_ssize_t size = 0;
        array[index] = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(tuple, index), &size);
        if (array[index] == NULL) {
            return -1;
        }
        if (strlen(array[index]) != (size_t)size) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
            return -1;
        }
    }
    *out_texts = (eryx_texts){.items = array, .count = (size_t)count};
    return 0;
}

static int parse_all_texts(PyObject *tuple, parsed_network *parsed)
{
    eryx_network_options *options = &parsed->options;
    eryx_texts *const fields[TEXTS_COUNT] = {
        &options->allowed_hosts,    &options->blocked_hosts,    &options->internal_hosts,
        &options->allowed_networks, &options->blocked_networks, &options->dns_servers,
    };
    for (Py_ssize_t index = 0; index < TEXTS_COUNT; index++) {
        if (parse_texts(PyTuple_GetItem(tuple, index), &parsed->texts[index], fields[index]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int parse_certificates(PyObject *tuple, parsed_network *parsed)
{
    const Py_ssize_t count = PyTuple_Size(tuple);
    if (count <= 0) {
        return (int)count;
    }
    parsed->certificates = PyMem_Calloc((size_t)count, sizeof *parsed->certificates);
    if (parsed->certificates == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        char *data = NULL;
        Py_ssize_t size = 0;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(tuple, index), &data, &size) < 0) {
            return -1;
        }
        parsed->certificates[index] =
            (eryx_bytes){.data = (const uint8_t *)data, .size = (size_t)size};
    }
    parsed->options.root_certificates = parsed->certificates;
    parsed->options.root_certificate_count = (size_t)count;
    return 0;
}

/* Gives an item that is a tuple of so many items, any number if count is negative; borrowed. */
static PyObject *inner_tuple(PyObject *tuple, Py_ssize_t index, Py_ssize_t count)
{
    PyObject *inner = PyTuple_GetItem(tuple, index);
    if (inner != NULL && (!PyTuple_Check(inner) || (count >= 0 && PyTuple_Size(inner) != count))) {
        PyErr_SetString(PyExc_TypeError, "not what core_network() makes");
        return NULL;
    }
    return inner;
}

int network_parse(PyObject *network, eryx_sandbox_options *options)
{
    if (network == NULL || network == Py_None) {
        return 0;
    }
    if (!PyTuple_Check(network) || PyTuple_Size(network) != PART_COUNT) {
        PyErr_SetString(PyExc_TypeError, "network is a tuple of four, or None");
        return -1;
    }
    PyObject *numbers = inner_tuple(network, 0, NUMBER_COUNT);
    PyObject *flags = numbers == NULL ? NULL : inner_tuple(network, 1, FLAG_COUNT);
    PyObject *texts = flags == NULL ? NULL : inner_tuple(network, 2, TEXTS_COUNT);
    PyObject *certificates = texts == NULL ? NULL : inner_tuple(network, 3, -1);
    if (certificates == NULL) {
        return -1;
    }
    parsed_network *parsed = PyMem_Calloc(1, sizeof *parsed);
    if (parsed == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    eryx_network_options_init(&parsed->options);
    options->network = &parsed->options;
    if (parse_numbers(numbers, &parsed->options) < 0 || parse_flags(flags, &parsed->options) < 0 ||
        parse_all_texts(texts, parsed) < 0 || parse_certificates(certificates, parsed) < 0) {
        network_free(options);
        return -1;
    }
    return 0;
}

void network_free(eryx_sandbox_options *options)
{
    if (options->network == NULL) {
        return;
    }
    /* The options are the first member of what network_parse() has allocated. */
    parsed_network *parsed = (parsed_network *)(uintptr_t)options->network;
    for (int index = 0; index < TEXTS_COUNT; index++) {
        PyMem_Free(parsed->texts[index]);
    }
    PyMem_Free(parsed->certificates);
    PyMem_Free(parsed);
    options->network = NULL;
}

/* ---- A run ------------------------------------------------------------------------------------
 */

PyObject *network_connect_event(const eryx_event *event)
{
    return Py_BuildValue("(issi)", (int)event->kind, event->as.connect.host,
                         event->as.connect.address, (int)event->as.connect.port);
}

PyObject *network_connect_answer(PyObject *self, PyObject *allow)
{
    const int value = PyObject_IsTrue(allow);
    if (value < 0) {
        return NULL;
    }
    const eryx_status status = eryx_connect_answer(core_sandbox(self), value != 0);
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, NULL);
    }
    Py_RETURN_NONE;
}

/* Text of the library that may hold what a guest or a server has sent. */
static PyObject *text_of(const char *text)
{
    if (text == NULL) {
        return Py_NewRef(Py_None);
    }
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *connection_row(const eryx_connection *connection)
{
    PyObject *host = text_of(connection->host);
    PyObject *address = text_of(connection->address);
    PyObject *refusal = text_of(connection->refusal);
    PyObject *secrets = text_of(connection->secrets);
    PyObject *secret_refusal = text_of(connection->secret_refusal);
    if (host == NULL || address == NULL || refusal == NULL || secrets == NULL ||
        secret_refusal == NULL) {
        Py_XDECREF(host);
        Py_XDECREF(address);
        Py_XDECREF(refusal);
        Py_XDECREF(secrets);
        Py_XDECREF(secret_refusal);
        return NULL;
    }
    return Py_BuildValue(
        "(NNiNKKdNNdNN)", host, address, (int)connection->port, PyBool_FromLong(connection->tls),
        (unsigned long long)connection->bytes_in, (unsigned long long)connection->bytes_out,
        (double)connection->duration_ns / 1e6, PyBool_FromLong(connection->connected), refusal,
        (double)connection->started_ns / 1e6, secrets, secret_refusal);
}

static PyObject *rows_of(const eryx_connection *connections, size_t count)
{
    PyObject *rows = PyTuple_New((Py_ssize_t)count);
    if (rows == NULL) {
        return NULL;
    }
    for (size_t index = 0; index < count; index++) {
        PyObject *row = connection_row(&connections[index]);
        if (row == NULL || PyTuple_SetItem(rows, (Py_ssize_t)index, row) < 0) {
            Py_DECREF(rows);
            return NULL;
        }
    }
    return rows;
}

PyObject *network_connections(const eryx_result *result)
{
    return rows_of(result->connections, result->connection_count);
}

PyObject *network_so_far(PyObject *self, PyObject *unused)
{
    (void)unused;
    const eryx_connection *connections = NULL;
    size_t count = 0;
    uint64_t total = 0;
    const eryx_status status =
        eryx_sandbox_connections(core_sandbox(self), &connections, &count, &total);
    if (status != ERYX_OK) {
        return binding_raise(core_state(self), status, NULL);
    }
    return rows_of(connections, count);
}
