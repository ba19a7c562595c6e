/*
 * Engine: an opened image. Sandboxes hold on to the eryx_engine, so an Engine may go at any time.
 */
#include "binding.h"

static PyObject *engine_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"image_path", "stdlib_path", "seeds_path", "unpack_folder", NULL};
    const binding_state *state = PyType_GetModuleState(type);
    PyObject *image_path = NULL;
    PyObject *stdlib_path = NULL;
    PyObject *seeds_path = NULL;
    PyObject *unpack_folder = NULL;
    PyObject *result = NULL;
    if (state == NULL ||
        !PyArg_ParseTupleAndKeywords(args, keywords, "O&O&|O&O&:Engine", names,
                                     PyUnicode_FSConverter, &image_path, PyUnicode_FSConverter,
                                     &stdlib_path, PyUnicode_FSConverter, &seeds_path,
                                     PyUnicode_FSConverter, &unpack_folder)) {
        return NULL;
    }

    engine_object *self = (engine_object *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        goto done;
    }
    eryx_engine_options options;
    eryx_engine_options_init(&options);
    options.image_path = PyBytes_AsString(image_path);
    options.stdlib_path = PyBytes_AsString(stdlib_path);
    options.seeds_path = seeds_path != NULL ? PyBytes_AsString(seeds_path) : NULL;
    options.unpack_folder = unpack_folder != NULL ? PyBytes_AsString(unpack_folder) : NULL;
    eryx_error error = {.message = ""};
    eryx_engine *engine = NULL;
    eryx_status status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_engine_create(&options, &engine, &error);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK) {
        binding_raise(state, status, &error);
        Py_DECREF(self);
        goto done;
    }
    self->engine = engine;
    result = (PyObject *)self;

done:
    Py_XDECREF(unpack_folder);
    Py_XDECREF(seeds_path);
    Py_XDECREF(stdlib_path);
    Py_XDECREF(image_path);
    return result;
}

static void engine_dealloc(PyObject *object)
{
    engine_object *self = (engine_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    eryx_engine_destroy(self->engine);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *engine_trim(PyObject *object, PyObject *unused)
{
    (void)unused;
    eryx_engine *engine = ((engine_object *)object)->engine;
    Py_BEGIN_ALLOW_THREADS
    eryx_engine_trim(engine);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyMethodDef engine_methods[] = {
    {"trim", engine_trim, METH_NOARGS,
     "trim($self, /)\n--\n\nGives the memory back that is kept for the next sandboxes."},
    {"derive", factory_derive, METH_VARARGS,
     "derive($self, frozen, packages=None, max_memory_bytes=2**64-1, /)\n--\n\n"
     "An Engine whose sandboxes begin in a state that Core.freeze() gave."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot engine_slots[] = {
    {Py_tp_doc,
     "Engine(image_path, stdlib_path, seeds_path=..., unpack_folder=...)\n--\n\nOpened images."},
    {Py_tp_new, engine_new},
    {Py_tp_dealloc, engine_dealloc},
    {Py_tp_methods, engine_methods},
    {0, NULL},
};

PyType_Spec engine_spec = {
    .name = "eryx._eryx.Engine",
    .basicsize = (int)sizeof(engine_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = engine_slots,
};
