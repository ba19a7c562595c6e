/*
 * Files of providers: what the guest asks for, and what the package answers.
 */
#include "binding.h"

int files_parse_providers(PyObject *tuple, eryx_sandbox_options *options)
{
    const size_t count = tuple != NULL ? (size_t)PyTuple_Size(tuple) : 0;
    eryx_provider *providers = PyMem_Calloc(count, sizeof *providers);
    options->providers = providers;
    options->provider_count = count;
    if (providers == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        int read_only;
        unsigned long long cache_ms;
        if (!PyArg_ParseTuple(PyTuple_GetItem(tuple, (Py_ssize_t)i), "spK",
                              &providers[i].guest_path, &read_only, &cache_ms)) {
            files_free_providers(options);
            return -1;
        }
        providers[i].read_only = read_only != 0;
        providers[i].cache_ms = cache_ms;
    }
    return 0;
}

void files_free_providers(eryx_sandbox_options *options)
{
    PyMem_Free((void *)(uintptr_t)options->providers);
    options->providers = NULL;
    options->provider_count = 0;
}

PyObject *files_event(const eryx_event *event)
{
    const eryx_bytes data = event->as.files.data;
    return Py_BuildValue("(ikIiszy#)", (int)event->kind, (unsigned long)event->as.files.id,
                         (unsigned)event->as.files.provider, (int)event->as.files.operation,
                         event->as.files.path, event->as.files.new_path,
                         data.data != NULL ? (const char *)data.data : "", (Py_ssize_t)data.size);
}

/* A list of (name, kind, size, seconds, nanoseconds); freed with PyMem_Free(). NULL with an
 * exception. */
static eryx_files_entry *parse_entries(PyObject *list, size_t count)
{
    eryx_files_entry *entries = PyMem_Calloc(count + 1, sizeof *entries);
    if (entries == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        int kind;
        unsigned long long size;
        unsigned long long seconds;
        unsigned int nanoseconds;
        if (!PyArg_ParseTuple(PyList_GetItem(list, (Py_ssize_t)i), "siKKI", &entries[i].name, &kind,
                              &size, &seconds, &nanoseconds)) {
            PyMem_Free(entries);
            return NULL;
        }
        entries[i].kind = (eryx_storage_kind)kind;
        entries[i].size = size;
        entries[i].modified_seconds = seconds;
        entries[i].modified_nanoseconds = nanoseconds;
    }
    return entries;
}

bool files_parse_answer(PyObject *args, unsigned long *out_id, eryx_files_answer *out_answer)
{
    eryx_files_answer answer = {.error_number = 0};
    PyObject *list;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "kiO!y#:answer_files", out_id, &answer.error_number, &PyList_Type,
                          &list, &answer.data, &size)) {
        return false;
    }
    answer.size = (size_t)size;
    answer.entry_count = (size_t)PyList_Size(list);
    answer.entries = parse_entries(list, answer.entry_count);
    if (answer.entries == NULL) {
        return false;
    }
    *out_answer = answer;
    return true;
}

void files_free_answer(eryx_files_answer *answer)
{
    PyMem_Free((void *)(uintptr_t)answer->entries);
    answer->entries = NULL;
}

PyObject *files_answer(PyObject *self, PyObject *args)
{
    unsigned long id;
    eryx_files_answer answer;
    if (!files_parse_answer(args, &id, &answer)) {
        return NULL;
    }
    const eryx_status status = eryx_answer_files(core_sandbox(self), (uint32_t)id, &answer);
    files_free_answer(&answer);
    if (status == ERYX_OUT_OF_MEMORY) {
        return PyErr_NoMemory();
    }
    return PyBool_FromLong(status == ERYX_OK);
}
