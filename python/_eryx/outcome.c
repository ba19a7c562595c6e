/*
 * Outcome: everything that a run left, as a named tuple of Python values.
 */
#include "binding.h"

static PyStructSequence_Field outcome_fields[] = {
    {"status", "number of the eryx_status"},
    {"message", "what happened, for people; empty when all went well"},
    {"stdout", "exact bytes that were kept"},
    {"stderr", "exact bytes that were kept"},
    {"stdout_dropped", "bytes of stdout left out"},
    {"stderr_dropped", "bytes of stderr left out"},
    {"result_json", "JSON of the result variable, or None"},
    {"result_error", "why there is no JSON although there is a variable, or None"},
    {"exception_type", "name of the type of the uncaught exception, or None"},
    {"exception_message", "text of the uncaught exception, or None"},
    {"traceback", "as CPython prints it, or None"},
    {"exit_code", "of sys.exit() or os._exit(); 0 otherwise"},
    {"memory_limit_hit", "whether the guest was refused memory"},
    {"duration_ns", "wall clock of the run"},
    {"fuel_consumed", "fuel of the run, or None if it was not metered"},
    {"peak_memory_bytes", "most memory that the guest had"},
    {"callback_invocations", "calls of host functions"},
    {"connections", "tuples in the order of eryx.Connection"},
    {"connections_total", "connections with those that are not listed"},
    {"threads_json", "JSON of the threads that are left, or None"},
    {"value_json", "JSON of the last expression, or None"},
    {"value_repr", "its repr(), or None"},
    {"displays", "JSON objects, each with a newline behind it, or None"},
    {"displays_dropped", "displays that are not in it"},
    {"changes", "Changes of files, or None"},
    {NULL, NULL},
};

PyStructSequence_Desc outcome_description = {
    .name = "eryx._eryx.Outcome",
    .doc = "What a run left.",
    .fields = outcome_fields,
    .n_in_sequence = (int)(sizeof outcome_fields / sizeof outcome_fields[0]) - 1,
};

static PyObject *bytes_or_empty(eryx_bytes bytes)
{
    return PyBytes_FromStringAndSize((const char *)bytes.data,
                                     bytes.data == NULL ? 0 : (Py_ssize_t)bytes.size);
}

/* Text from the guest: its encoding is not to be relied on. */
static PyObject *text_or_none(eryx_bytes bytes)
{
    if (bytes.data == NULL) {
        return Py_NewRef(Py_None);
    }
    return PyUnicode_DecodeUTF8((const char *)bytes.data, (Py_ssize_t)bytes.size, "replace");
}

/* JSON that a parser may be given; None if there is none. */
static PyObject *checked_or_none(eryx_bytes json)
{
    if (json.data != NULL && json_check(json.data, json.size) != NULL) {
        return Py_NewRef(Py_None);
    }
    return text_or_none(json);
}

static PyObject *text_from_c(const char *text)
{
    const size_t size = text == NULL ? 0 : strlen(text);
    return PyUnicode_DecodeUTF8(size == 0 ? "" : text, (Py_ssize_t)size, "replace");
}

PyObject *outcome_from_result(const binding_state *state, const eryx_result *result)
{
    eryx_bytes json = result->result_json;
    const char *json_problem = json.data == NULL ? NULL : json_check(json.data, json.size);
    if (json_problem != NULL) {
        json = (eryx_bytes){.data = NULL, .size = 0};
    }

    PyObject *outcome = PyStructSequence_New(state->outcome_type);
    if (outcome == NULL) {
        return NULL;
    }
    PyObject *values[] = {
        PyLong_FromLong((long)result->status),
        text_from_c(result->message),
        bytes_or_empty(result->standard_output),
        bytes_or_empty(result->standard_error),
        PyLong_FromUnsignedLongLong(result->standard_output_dropped),
        PyLong_FromUnsignedLongLong(result->standard_error_dropped),
        text_or_none(json),
        json_problem != NULL ? text_from_c(json_problem) : text_or_none(result->result_error),
        text_or_none(result->exception_type),
        text_or_none(result->exception_message),
        text_or_none(result->traceback),
        PyLong_FromLong((long)result->exit_code),
        PyBool_FromLong(result->memory_limit_hit),
        PyLong_FromUnsignedLongLong(result->duration_ns),
        result->metered ? PyLong_FromUnsignedLongLong(result->fuel_consumed) : Py_NewRef(Py_None),
        PyLong_FromUnsignedLongLong(result->peak_memory_bytes),
        PyLong_FromUnsignedLongLong(result->callback_invocations),
        network_connections(result),
        PyLong_FromUnsignedLongLong(result->connections_total),
        text_or_none(result->threads_json),
        checked_or_none(result->value_json),
        text_or_none(result->value_repr),
        checked_or_none(result->displays),
        PyLong_FromUnsignedLongLong(result->displays_dropped),
        changes_wrap(state, result->changes),
    };
    const Py_ssize_t count = (Py_ssize_t)(sizeof values / sizeof values[0]);
    bool complete = true;
    for (Py_ssize_t index = 0; index < count; index++) {
        complete = complete && values[index] != NULL;
        /* Takes the reference, also of values that are thrown away with the tuple. */
        PyStructSequence_SetItem(outcome, index, values[index]);
    }
    if (!complete) {
        Py_DECREF(outcome);
        return NULL;
    }
    return outcome;
}

int binding_deliver(PyObject *on_output, int stream, PyObject *data)
{
    PyObject *result = PyObject_CallFunction(on_output, "iO", stream, data);
    if (result == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) {
            return -1;
        }
        PyErr_WriteUnraisable(on_output);
        return 0;
    }
    Py_DECREF(result);
    return 0;
}
