/*
 * The extension module eryx._eryx: set-up and module state.
 */
#include "binding.h"

static int add_types(PyObject *module, binding_state *state)
{
#define BINDING_TYPE_ADD(name)                                                                     \
    state->name##_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &name##_spec, NULL);     \
    if (state->name##_type == NULL || PyModule_AddType(module, state->name##_type) < 0) {          \
        return -1;                                                                                 \
    }
    BINDING_TYPES(BINDING_TYPE_ADD)
#undef BINDING_TYPE_ADD
    state->outcome_type = PyStructSequence_NewType(&outcome_description);
    if (state->outcome_type == NULL || PyModule_AddType(module, state->outcome_type) < 0) {
        return -1;
    }
    return 0;
}

static int module_exec(PyObject *module)
{
    binding_state *state = PyModule_GetState(module);
    if (state == NULL || errors_find(state) < 0 || add_types(module, state) < 0 ||
        errors_add(module, state) < 0 ||
        PyModule_AddStringConstant(module, "VERSION", eryx_version()) < 0 ||
        PyModule_AddStringConstant(module, "BUILD_ID", eryx_build_id()) < 0) {
        return -1;
    }
    PyObject *is_main =
        PyInterpreterState_GetID(PyInterpreterState_Get()) == 0 ? Py_True : Py_False;
    if (PyModule_AddObjectRef(module, "IN_MAIN_INTERPRETER", is_main) < 0) {
        return -1;
    }
    return numbers_add(module) < 0 ? -1 : limits_add(module);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    binding_state *state = PyModule_GetState(module);
    if (state == NULL) {
        return 0;
    }
#define BINDING_TYPE_EACH(name) Py_VISIT(state->name##_type);
    BINDING_TYPES(BINDING_TYPE_EACH)
#undef BINDING_TYPE_EACH
    Py_VISIT(state->outcome_type);
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
#define BINDING_TYPE_EACH(name) Py_CLEAR(state->name##_type);
    BINDING_TYPES(BINDING_TYPE_EACH)
#undef BINDING_TYPE_EACH
    Py_CLEAR(state->outcome_type);
    for (size_t status = 0; status < BINDING_STATUS_COUNT; status++) {
        Py_CLEAR(state->exceptions[status]);
    }
    return 0;
}

static void module_free(void *module)
{
    (void)module_clear(module);
}

/* deliver(on_output, stream, data): calls a handler; see outcome.c for what becomes of its
 * exceptions.
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

static PyObject *module_memory(PyObject *module, PyObject *unused)
{
    (void)unused;
    eryx_memory memory;
    eryx_error error = {0};
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_look_at_memory(&memory, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        return binding_raise(PyModule_GetState(module), status, &error);
    }
    return Py_BuildValue("(KKKKK)", (unsigned long long)memory.private_bytes,
                         (unsigned long long)memory.shared_bytes,
                         (unsigned long long)memory.reserved_bytes,
                         (unsigned long long)memory.guests, (unsigned long long)memory.areas);
}

static PyMethodDef module_methods[] = {
    {"memory", module_memory, METH_NOARGS,
     "memory($module, /)\n--\n\n"
     "Memory of guests: private, shared and reserved bytes, address spaces, mappings."},
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
    {"native_module_source", native_module_source, METH_O,
     "native_module_source(handle, /)\n--\n\n"
     "Path, SHA-256 and needed modules of a module, as open_native_module() took them."},
    {NULL, NULL, 0, NULL},
};

/* What Python 3.12 and later ask and the headers of 3.11 have no names for: whether interpreters
 * that have locks of their own may import the module. */
enum { SLOT_MULTIPLE_INTERPRETERS = 3, VERSION_WITH_SLOT = 0x030C0000 };
#define OWN_LOCK_SUPPORTED ((void *)2)

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL}, /* for PyInit__eryx() */
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
    if (Py_Version >= VERSION_WITH_SLOT) {
        module_slots[1] = (PyModuleDef_Slot){SLOT_MULTIPLE_INTERPRETERS, OWN_LOCK_SUPPORTED};
    }
    return PyModuleDef_Init(&module_definition);
}
