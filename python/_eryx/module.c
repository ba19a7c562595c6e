/*
 * The extension module eryx._eryx: set-up, module state, and the table from status to exception.
 */
#include "binding.h"

static const char *const exception_names[] = {
#define BINDING_EXCEPTION_NAME(name, number, text, exception) [number] = #exception,
    ERYX_STATUS_MAP(BINDING_EXCEPTION_NAME)
#undef BINDING_EXCEPTION_NAME
};

_Static_assert(sizeof exception_names / sizeof exception_names[0] == BINDING_STATUS_COUNT,
               "statuses are numbered without gaps");

PyObject *binding_raise(const binding_state *state, eryx_status status, const eryx_error *error)
{
    PyObject *exception = PyExc_SystemError;
    if ((unsigned)status < (unsigned)BINDING_STATUS_COUNT && status != ERYX_OK) {
        exception = state->exceptions[status];
    }
    const char *message = eryx_status_text(status);
    if (error != NULL && error->message[0] != '\0') {
        message = error->message;
    }
    PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    if (text != NULL) {
        PyErr_SetObject(exception, text);
        Py_DECREF(text);
    }
    return NULL;
}

/* Finds the exception classes: ours by name in eryx._errors, the rest among the builtins. */
static int find_exceptions(binding_state *state)
{
    int result = -1;
    PyObject *builtins = NULL;
    PyObject *errors = PyImport_ImportModule("eryx._errors");
    if (errors == NULL) {
        return -1;
    }
    builtins = PyImport_ImportModule("builtins");
    if (builtins == NULL) {
        goto done;
    }
    for (size_t status = 0; status < BINDING_STATUS_COUNT; status++) {
        const char *name = exception_names[status];
        if (strcmp(name, "None") == 0) {
            state->exceptions[status] = Py_NewRef(Py_None);
            continue;
        }
        PyObject *class = PyObject_GetAttrString(errors, name);
        if (class == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            class = PyObject_GetAttrString(builtins, name);
        }
        if (class == NULL) {
            goto done;
        }
        state->exceptions[status] = class;
    }
    result = 0;

done:
    Py_XDECREF(builtins);
    Py_DECREF(errors);
    return result;
}

static int add_exceptions(PyObject *module, const binding_state *state)
{
    PyObject *tuple = PyTuple_New(BINDING_STATUS_COUNT);
    if (tuple == NULL) {
        return -1;
    }
    for (Py_ssize_t status = 0; status < BINDING_STATUS_COUNT; status++) {
        if (PyTuple_SetItem(tuple, status, Py_NewRef(state->exceptions[status])) < 0) {
            Py_DECREF(tuple);
            return -1;
        }
    }
    const int result = PyModule_AddObjectRef(module, "EXCEPTIONS", tuple);
    Py_DECREF(tuple);
    return result;
}

static int add_types(PyObject *module, binding_state *state)
{
    state->engine_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &engine_spec, NULL);
    if (state->engine_type == NULL || PyModule_AddType(module, state->engine_type) < 0) {
        return -1;
    }
    state->core_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &core_spec, NULL);
    if (state->core_type == NULL || PyModule_AddType(module, state->core_type) < 0) {
        return -1;
    }
    state->checkpoint_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &checkpoint_spec, NULL);
    if (state->checkpoint_type == NULL || PyModule_AddType(module, state->checkpoint_type) < 0) {
        return -1;
    }
    state->storage_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &storage_spec, NULL);
    if (state->storage_type == NULL || PyModule_AddType(module, state->storage_type) < 0) {
        return -1;
    }
    state->packages_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &packages_spec, NULL);
    if (state->packages_type == NULL || PyModule_AddType(module, state->packages_type) < 0) {
        return -1;
    }
    state->outcome_type = PyStructSequence_NewType(&outcome_description);
    if (state->outcome_type == NULL || PyModule_AddType(module, state->outcome_type) < 0) {
        return -1;
    }
    return 0;
}

/* value: taken over; NULL with an exception set. */
static int add_object(PyObject *module, const char *name, PyObject *value)
{
    const int result = value != NULL ? PyModule_AddObjectRef(module, name, value) : -1;
    Py_XDECREF(value);
    return result;
}

/* What no limit is, and names and defaults of all. */
static int add_limits(PyObject *module)
{
    static const struct {
        const char *name;
        unsigned long long value;
    } defaults[] = {
#define NAME_AND_DEFAULT(name, default_value, bounds, reached) {#name, (default_value)},
        ERYX_LIMITS_MAP(NAME_AND_DEFAULT)
#undef NAME_AND_DEFAULT
    };
    const Py_ssize_t count = sizeof defaults / sizeof defaults[0];
    PyObject *limits = PyTuple_New(count);
    for (Py_ssize_t i = 0; limits != NULL && i < count; i++) {
        PyObject *pair = Py_BuildValue("(sK)", defaults[i].name, defaults[i].value);
        if (pair == NULL || PyTuple_SetItem(limits, i, pair) < 0) {
            Py_CLEAR(limits);
        }
    }
    if (add_object(module, "LIMITS", limits) < 0) {
        return -1;
    }
    return add_object(module, "UNLIMITED", PyLong_FromUnsignedLongLong(ERYX_UNLIMITED));
}

static int module_exec(PyObject *module)
{
    binding_state *state = PyModule_GetState(module);
    if (state == NULL || find_exceptions(state) < 0 || add_types(module, state) < 0 ||
        add_exceptions(module, state) < 0 ||
        PyModule_AddStringConstant(module, "VERSION", eryx_version()) < 0 ||
        PyModule_AddStringConstant(module, "BUILD_ID", eryx_build_id()) < 0) {
        return -1;
    }
    return add_limits(module);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    binding_state *state = PyModule_GetState(module);
    if (state == NULL) {
        return 0;
    }
    Py_VISIT(state->engine_type);
    Py_VISIT(state->core_type);
    Py_VISIT(state->outcome_type);
    Py_VISIT(state->storage_type);
    Py_VISIT(state->packages_type);
    Py_VISIT(state->checkpoint_type);
    for (size_t status = 0; status < BINDING_STATUS_COUNT; status++) {
        Py_VISIT(state->exceptions[status]);
    }
    return 0;
}

static int module_clear(PyObject *module)
{
    binding_state *state = PyModule_GetState(module);
    if (state == NULL) {
        return 0;
    }
    Py_CLEAR(state->engine_type);
    Py_CLEAR(state->core_type);
    Py_CLEAR(state->outcome_type);
    Py_CLEAR(state->storage_type);
    Py_CLEAR(state->packages_type);
    Py_CLEAR(state->checkpoint_type);
    for (size_t status = 0; status < BINDING_STATUS_COUNT; status++) {
        Py_CLEAR(state->exceptions[status]);
    }
    return 0;
}

static void module_free(void *module)
{
    (void)module_clear(module);
}

/* deliver(on_output, stream, data): calls a handler; see core.c for what becomes of its exceptions.
 */
static PyObject *module_deliver(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *on_output = NULL;
    int stream = 0;
    PyObject *data = NULL;
    if (!PyArg_ParseTuple(args, "OiO:deliver", &on_output, &stream, &data)) {
        return NULL;
    }
    if (binding_deliver(on_output, stream, data) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *module_set_stop_signal(PyObject *module, PyObject *args)
{
    (void)module;
    int number = 0;
    if (!PyArg_ParseTuple(args, "i:set_stop_signal", &number)) {
        return NULL;
    }
    return PyBool_FromLong(eryx_set_stop_signal(number) == ERYX_OK);
}

static PyObject *module_set_descriptor_limits(PyObject *module, PyObject *args)
{
    (void)module;
    Py_ssize_t together = 0;
    Py_ssize_t per_sandbox = 0;
    if (!PyArg_ParseTuple(args, "nn:set_descriptor_limits", &together, &per_sandbox)) {
        return NULL;
    }
    eryx_set_descriptor_limits((size_t)together, (size_t)per_sandbox);
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"set_stop_signal", module_set_stop_signal, METH_VARARGS,
     "set_stop_signal($module, number, /)\n--\n\n"
     "Chooses the signal by which guests are stopped; False if that cannot be."},
    {"set_descriptor_limits", module_set_descriptor_limits, METH_VARARGS,
     "set_descriptor_limits($module, together, per_sandbox, /)\n--\n\n"
     "Sets how many descriptors guests may take; 0 for the defaults."},
    {"deliver", module_deliver, METH_VARARGS,
     "deliver($module, on_output, stream, data, /)\n--\n\n"
     "Calls a handler of output; what it raises is reported as unraisable."},
    {"json_large", json_large, METH_VARARGS,
     "json_large($module, text, least, /)\n--\n\n"
     "Where the lists and objects of a JSON text start that have so many characters."},
    {"open_native_module", native_open_module, METH_VARARGS,
     "open_native_module($module, path, sha256, needed, /)\n--\n\n"
     "Opens a translated native module."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "eryx._eryx",
    .m_doc = "Binding of liberyx; use the package eryx.",
    .m_size = (Py_ssize_t)sizeof(binding_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__eryx(void);

PyMODINIT_FUNC PyInit__eryx(void)
{
    return PyModuleDef_Init(&module_definition);
}
