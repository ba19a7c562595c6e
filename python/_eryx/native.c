/* Native modules: capsules of eryx_native_module, which live until the process ends. */
#include "binding.h"

static const char capsule_name[] = "eryx.native_module";

/* An array of the modules in a tuple of capsules, which owns them; freed with PyMem_Free(). NULL
 * with an exception set if they are not such capsules. */
static const eryx_native_module **parse_modules(PyObject *tuple)
{
    const Py_ssize_t count = PyTuple_Size(tuple);
    const eryx_native_module **modules =
        PyMem_Calloc((size_t)count + 1, sizeof(const eryx_native_module *));
    if (modules == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        modules[index] = PyCapsule_GetPointer(PyTuple_GetItem(tuple, index), capsule_name);
        if (modules[index] == NULL) {
            PyMem_Free((void *)modules);
            return NULL;
        }
    }
    return modules;
}

int native_parse_allowed(PyObject *tuple, eryx_sandbox_options *options)
{
    if (tuple == NULL) {
        return 0;
    }
    options->native_modules = parse_modules(tuple);
    if (options->native_modules == NULL) {
        return -1;
    }
    options->native_module_count = (size_t)PyTuple_Size(tuple);
    return 0;
}

void native_free_allowed(eryx_sandbox_options *options)
{
    PyMem_Free((void *)(uintptr_t)options->native_modules);
    options->native_modules = NULL;
}

/* What a module was opened with goes with its capsule. */
static void forget_source(PyObject *capsule)
{
    Py_XDECREF(PyCapsule_GetContext(capsule));
}

PyObject *native_open_module(PyObject *module, PyObject *args)
{
    const char *path = NULL;
    const char *digest = NULL;
    Py_ssize_t digest_size = 0;
    PyObject *needed = NULL;
    if (!PyArg_ParseTuple(args, "yy#O!:open_native_module", &path, &digest, &digest_size,
                          &PyTuple_Type, &needed)) {
        return NULL;
    }
    if (digest_size != 32) {
        PyErr_SetString(PyExc_ValueError, "a SHA-256 has 32 bytes");
        return NULL;
    }
    const size_t count = (size_t)PyTuple_Size(needed);
    const eryx_native_module **modules = parse_modules(needed);
    if (modules == NULL) {
        return NULL;
    }
    const eryx_native_module *opened = NULL;
    eryx_error error = {.message = ""};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status =
        eryx_native_module_open(path, (const uint8_t *)digest, modules, count, &opened, &error);
    Py_END_ALLOW_THREADS
    PyMem_Free((void *)modules);
    if (status != ERYX_OK) {
        return binding_raise(PyModule_GetState(module), status, &error);
    }
    PyObject *capsule = PyCapsule_New((void *)(uintptr_t)opened, capsule_name, forget_source);
    if (capsule != NULL && PyCapsule_SetContext(capsule, Py_NewRef(args)) != 0) {
        Py_DECREF(args);
        Py_CLEAR(capsule);
    }
    return capsule;
}

PyObject *native_module_source(PyObject *module, PyObject *capsule)
{
    (void)module;
    PyObject *source =
        PyCapsule_GetPointer(capsule, capsule_name) == NULL ? NULL : PyCapsule_GetContext(capsule);
    return source == NULL ? NULL : Py_NewRef(source);
}
