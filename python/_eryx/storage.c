/*
 * Storage: one eryx_storage. Failures of file operations are OSErrors, as those of open() are.
 */
#include "binding.h"

#include <errno.h>
#include <stdio.h>

typedef struct storage_object {
    PyObject_HEAD
    eryx_storage *storage;
} storage_object;

static eryx_storage *storage_of(PyObject *self)
{
    return ((storage_object *)self)->storage;
}

/* errno of a failed file operation; 0 for those that are no OSError. */
static int error_number(eryx_file_error error)
{
    switch (error) {
#define FILE_ERROR_NUMBER(name, number, text, number_of_error)                                     \
    case ERYX_FILE_##name:                                                                         \
        return (number_of_error);
        ERYX_FILE_ERROR_MAP(FILE_ERROR_NUMBER)
#undef FILE_ERROR_NUMBER
    }
    return 0;
}

/* Sets the exception of a failed operation; path: NULL if it is not about one. Returns NULL. */
static PyObject *raise_file_error(const binding_state *state, eryx_file_error error,
                                  const char *path)
{
    const int number = error_number(error);
    if (error == ERYX_FILE_OUT_OF_MEMORY) {
        return PyErr_NoMemory();
    }
    if (error == ERYX_FILE_FORKED) {
        eryx_error reason;
        snprintf(reason.message, sizeof reason.message, "%s", eryx_file_error_text(error));
        return binding_raise(state, ERYX_FORKED, &reason);
    }
    if (number == 0) {
        PyErr_SetString(PyExc_ValueError, path != NULL
                                              ? "not a path of a storage"
                                              : "the bytes are damaged or of another version");
        return NULL;
    }
    errno = number;
    return path != NULL ? PyErr_SetFromErrnoWithFilename(PyExc_OSError, path)
                        : PyErr_SetFromErrno(PyExc_OSError);
}

static const binding_state *state_of(PyObject *self)
{
    return PyType_GetModuleState(Py_TYPE(self));
}

/* An object for a storage, which it takes over. */
static PyObject *wrap(PyTypeObject *type, eryx_storage *storage)
{
    storage_object *self = (storage_object *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        eryx_storage_destroy(storage);
        return NULL;
    }
    self->storage = storage;
    return (PyObject *)self;
}

static PyObject *storage_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"max_bytes", "max_entries", NULL};
    unsigned long long max_bytes;
    unsigned long long max_entries;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "KK:Storage", names, &max_bytes,
                                     &max_entries)) {
        return NULL;
    }
    eryx_storage *storage;
    const eryx_file_error error = eryx_storage_create(max_bytes, max_entries, &storage);
    if (error != ERYX_FILE_OK) {
        return raise_file_error(PyType_GetModuleState(type), error, NULL);
    }
    return wrap(type, storage);
}

static void storage_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    eryx_storage *storage = storage_of(self);
    Py_BEGIN_ALLOW_THREADS
    eryx_storage_destroy(storage);
    Py_END_ALLOW_THREADS
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *storage_read(PyObject *self, PyObject *args)
{
    const char *path;
    if (!PyArg_ParseTuple(args, "s:read", &path)) {
        return NULL;
    }
    uint8_t *data = NULL;
    size_t size = 0;
    eryx_file_error error;
    Py_BEGIN_ALLOW_THREADS
    error = eryx_storage_read(storage_of(self), path, &data, &size);
    Py_END_ALLOW_THREADS
    if (error != ERYX_FILE_OK) {
        return raise_file_error(state_of(self), error, path);
    }
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
    eryx_free(data);
    return bytes;
}

static PyObject *storage_write(PyObject *self, PyObject *args)
{
    const char *path;
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "sy*:write", &path, &data)) {
        return NULL;
    }
    eryx_file_error error;
    Py_BEGIN_ALLOW_THREADS
    error = eryx_storage_write(storage_of(self), path, data.buf, (size_t)data.len);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&data);
    if (error != ERYX_FILE_OK) {
        return raise_file_error(state_of(self), error, path);
    }
    Py_RETURN_NONE;
}

static PyObject *storage_remove(PyObject *self, PyObject *args)
{
    const char *path;
    if (!PyArg_ParseTuple(args, "s:remove", &path)) {
        return NULL;
    }
    eryx_file_error error;
    Py_BEGIN_ALLOW_THREADS
    error = eryx_storage_remove(storage_of(self), path);
    Py_END_ALLOW_THREADS
    if (error != ERYX_FILE_OK) {
        return raise_file_error(state_of(self), error, path);
    }
    Py_RETURN_NONE;
}

static PyObject *storage_list(PyObject *self, PyObject *args)
{
    const char *path;
    if (!PyArg_ParseTuple(args, "s:list", &path)) {
        return NULL;
    }
    eryx_storage_entry *entries = NULL;
    size_t count = 0;
    eryx_file_error error;
    Py_BEGIN_ALLOW_THREADS
    error = eryx_storage_list(storage_of(self), path, &entries, &count);
    Py_END_ALLOW_THREADS
    if (error != ERYX_FILE_OK) {
        return raise_file_error(state_of(self), error, path);
    }
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *entry = Py_BuildValue("(si)", entries[i].name, (int)entries[i].kind);
        if (entry == NULL || PyList_SetItem(list, (Py_ssize_t)i, entry) < 0) {
            Py_CLEAR(list);
        }
    }
    eryx_free(entries);
    return list;
}

static PyObject *storage_usage(PyObject *self, PyObject *unused)
{
    (void)unused;
    eryx_storage_usage usage;
    const eryx_file_error error = eryx_storage_get_usage(storage_of(self), &usage);
    if (error != ERYX_FILE_OK) {
        return raise_file_error(state_of(self), error, NULL);
    }
    return Py_BuildValue("(KKKK)", (unsigned long long)usage.bytes,
                         (unsigned long long)usage.entries, (unsigned long long)usage.max_bytes,
                         (unsigned long long)usage.max_entries);
}

static PyObject *storage_fork(PyObject *self, PyObject *unused)
{
    (void)unused;
    eryx_storage *copy = NULL;
    eryx_file_error error;
    Py_BEGIN_ALLOW_THREADS
    error = eryx_storage_fork(storage_of(self), &copy);
    Py_END_ALLOW_THREADS
    if (error != ERYX_FILE_OK) {
        return raise_file_error(state_of(self), error, NULL);
    }
    return wrap(Py_TYPE(self), copy);
}

static PyObject *storage_to_bytes(PyObject *self, PyObject *unused)
{
    (void)unused;
    uint8_t *data = NULL;
    size_t size = 0;
    eryx_file_error error;
    Py_BEGIN_ALLOW_THREADS
    error = eryx_storage_to_bytes(storage_of(self), &data, &size);
    Py_END_ALLOW_THREADS
    if (error != ERYX_FILE_OK) {
        return raise_file_error(state_of(self), error, NULL);
    }
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
    eryx_free(data);
    return bytes;
}

static PyObject *storage_from_bytes(PyObject *type, PyObject *args)
{
    Py_buffer data;
    unsigned long long max_bytes;
    unsigned long long max_entries;
    if (!PyArg_ParseTuple(args, "y*KK:from_bytes", &data, &max_bytes, &max_entries)) {
        return NULL;
    }
    eryx_storage *storage = NULL;
    eryx_file_error error;
    Py_BEGIN_ALLOW_THREADS
    error = eryx_storage_from_bytes(data.buf, (size_t)data.len, max_bytes, max_entries, &storage);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&data);
    if (error != ERYX_FILE_OK) {
        return raise_file_error(PyType_GetModuleState((PyTypeObject *)type), error, NULL);
    }
    return wrap((PyTypeObject *)type, storage);
}

static PyMethodDef storage_methods[] = {
    {"read", storage_read, METH_VARARGS, "read($self, path, /)\n--\n\nContents of a file."},
    {"write", storage_write, METH_VARARGS,
     "write($self, path, data, /)\n--\n\nMakes or replaces a file."},
    {"remove", storage_remove, METH_VARARGS,
     "remove($self, path, /)\n--\n\nRemoves a file, a link or an empty directory."},
    {"list", storage_list, METH_VARARGS,
     "list($self, path, /)\n--\n\nNames and kinds of the entries of a directory."},
    {"usage", storage_usage, METH_NOARGS,
     "usage($self, /)\n--\n\nBytes, entries, and the most of each."},
    {"fork", storage_fork, METH_NOARGS, "fork($self, /)\n--\n\nA copy that goes its own way."},
    {"to_bytes", storage_to_bytes, METH_NOARGS, "to_bytes($self, /)\n--\n\nAll files as bytes."},
    {"from_bytes", storage_from_bytes, METH_VARARGS | METH_CLASS,
     "from_bytes($type, data, max_bytes, max_entries, /)\n--\n\nThe reverse of to_bytes()."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot storage_slots[] = {
    {Py_tp_doc, "Storage(max_bytes, max_entries)\n--\n\nA directory tree in memory."},
    {Py_tp_new, storage_new},
    {Py_tp_dealloc, storage_dealloc},
    {Py_tp_methods, storage_methods},
    {0, NULL},
};

PyType_Spec storage_spec = {
    .name = "eryx._eryx.Storage",
    .basicsize = (int)sizeof(storage_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = storage_slots,
};

/* ---- Mounts of a Core -------------------------------------------------------------------------
 */

static int parse_mounts(const binding_state *state, PyObject *tuple, eryx_mount *mounts)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(tuple); i++) {
        PyObject *storage;
        int read_only;
        if (!PyArg_ParseTuple(PyTuple_GetItem(tuple, i), "sO!p", &mounts[i].guest_path,
                              state->storage_type, &storage, &read_only)) {
            return -1;
        }
        mounts[i].storage = storage_of(storage);
        mounts[i].read_only = read_only != 0;
    }
    return 0;
}

/* The third item of a volume, which are numbers of eryx._storage. */
enum { VOLUME_READ_ONLY = 1, VOLUME_OVERLAY = 2 };

static int parse_volumes(PyObject *tuple, eryx_volume *volumes)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(tuple); i++) {
        int mode;
        if (!PyArg_ParseTuple(PyTuple_GetItem(tuple, i), "ysi", &volumes[i].host_path,
                              &volumes[i].guest_path, &mode)) {
            return -1;
        }
        volumes[i].read_only = mode == VOLUME_READ_ONLY;
        volumes[i].overlay = mode == VOLUME_OVERLAY;
    }
    return 0;
}

int storage_parse_mounts(const binding_state *state, PyObject *mounts, PyObject *volumes,
                         eryx_sandbox_options *options)
{
    const size_t mount_count = mounts != NULL ? (size_t)PyTuple_Size(mounts) : 0;
    const size_t volume_count = volumes != NULL ? (size_t)PyTuple_Size(volumes) : 0;
    eryx_mount *mount_array = PyMem_Calloc(mount_count, sizeof *mount_array);
    eryx_volume *volume_array = PyMem_Calloc(volume_count, sizeof *volume_array);
    options->mounts = mount_array;
    options->volumes = volume_array;
    options->mount_count = mount_count;
    options->volume_count = volume_count;
    if (mount_array == NULL || volume_array == NULL) {
        PyErr_NoMemory();
        storage_free_mounts(options);
        return -1;
    }
    if ((mounts != NULL && parse_mounts(state, mounts, mount_array) < 0) ||
        (volumes != NULL && parse_volumes(volumes, volume_array) < 0)) {
        storage_free_mounts(options);
        return -1;
    }
    return 0;
}

void storage_free_mounts(eryx_sandbox_options *options)
{
    PyMem_Free((void *)(uintptr_t)options->mounts);
    PyMem_Free((void *)(uintptr_t)options->volumes);
    options->mounts = NULL;
    options->volumes = NULL;
}
