/*
 * The part of CPython's C API that the guest uses, declared by hand: the wheel that the guest's
 * libpython comes from carries no headers. Functions and structures of the stable ABI of 3.14
 * unless said otherwise; the layouts are those of wasm32.
 */
#ifndef ERYX_GUEST_PYTHON_API_H
#define ERYX_GUEST_PYTHON_API_H

#include <stddef.h>
#include <stdint.h>

typedef intptr_t Py_ssize_t;
typedef struct _typeobject PyTypeObject;
typedef struct _ts PyThreadState;
typedef struct PyInitConfig PyInitConfig;

typedef struct _object {
    Py_ssize_t ob_refcnt;
    PyTypeObject *ob_type;
} PyObject;

/* Not of the stable ABI: reference counts of immortal objects (PEP 683) on 32-bit platforms. */
#define PYTHON_IMMORTAL_LEAST ((Py_ssize_t)1 << 30)
#define PYTHON_IMMORTAL ((Py_ssize_t)5 << 28)

typedef PyObject *(*PyCFunction)(PyObject *self, PyObject *arguments);

typedef struct PyMethodDef {
    const char *ml_name;
    PyCFunction ml_meth;
    int ml_flags;
    const char *ml_doc;
} PyMethodDef;

typedef struct PyModuleDef {
    PyObject ob_base;
    PyObject *(*m_init)(void);
    Py_ssize_t m_index;
    PyObject *m_copy;
    const char *m_name;
    const char *m_doc;
    Py_ssize_t m_size;
    PyMethodDef *m_methods;
    void *m_slots;
    void *m_traverse;
    void *m_clear;
    void *m_free;
} PyModuleDef;

typedef struct Py_buffer {
    void *buf;
    PyObject *obj;
    Py_ssize_t len;
    Py_ssize_t itemsize;
    int readonly;
    int ndim;
    char *format;
    Py_ssize_t *shape;
    Py_ssize_t *strides;
    Py_ssize_t *suboffsets;
    void *internal;
} Py_buffer;

#define METH_NOARGS 0x0004
#define METH_O 0x0008
#define METH_VARARGS 0x0001
#define PyBUF_SIMPLE 0
#define PYTHON_API_VERSION 1013

/* Not of the stable ABI, but public: the allocators of the three domains. */
typedef enum PyMemAllocatorDomain {
    PYMEM_DOMAIN_RAW = 0,
    PYMEM_DOMAIN_MEM = 1,
    PYMEM_DOMAIN_OBJ = 2,
} PyMemAllocatorDomain;

typedef struct PyMemAllocatorEx {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    void (*free)(void *ctx, void *block);
} PyMemAllocatorEx;

void PyMem_SetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator);

/* Start (public since 3.14, PEP 741). */
PyInitConfig *PyInitConfig_Create(void);
void PyInitConfig_Free(PyInitConfig *config);
int PyInitConfig_SetInt(PyInitConfig *config, const char *name, int64_t value);
int PyInitConfig_SetStr(PyInitConfig *config, const char *name, const char *value);
int PyInitConfig_SetStrList(PyInitConfig *config, const char *name, size_t length,
                            char *const *items);
int PyInitConfig_GetError(PyInitConfig *config, const char **out_message);
int PyInitConfig_AddModule(PyInitConfig *config, const char *name, PyObject *(*initialize)(void));
int Py_InitializeFromInitConfig(PyInitConfig *config);
PyThreadState *PyThreadState_Get(void);
void *PyThreadState_GetInterpreter(const PyThreadState *state);
PyThreadState *PyGILState_GetThisThreadState(void);
PyThreadState *PyThreadState_GetUnchecked(void);
size_t PyThread_get_stacksize(void);
int PyThreadState_SetAsyncExc(unsigned long thread, PyObject *exception);
PyThreadState *PyEval_SaveThread(void);
void PyEval_RestoreThread(PyThreadState *state);

extern PyObject _Py_NoneStruct;
extern PyObject *PyExc_OSError;
extern PyObject *PyExc_RuntimeError;
extern PyObject *PyExc_SyntaxError;
extern PyObject *PyExc_ValueError;

void Py_IncRef(PyObject *object);
void Py_DecRef(PyObject *object);

PyObject *PyModule_Create2(PyModuleDef *definition, int api_version);
PyObject *PyImport_ImportModule(const char *name);
PyObject *PyEval_EvalCode(PyObject *code, PyObject *globals, PyObject *locals);
PyObject *PyObject_GetAttrString(PyObject *object, const char *name);
PyObject *PyObject_CallNoArgs(PyObject *callable);
PyObject *PyObject_CallFunctionObjArgs(PyObject *callable, ...);
int PyObject_GetBuffer(PyObject *object, Py_buffer *out_view, int flags);
void PyBuffer_Release(Py_buffer *view);

PyObject *PyBytes_FromStringAndSize(const char *bytes, Py_ssize_t size);
PyObject *PyUnicode_DecodeUTF8(const char *bytes, Py_ssize_t size, const char *errors);
PyObject *PyUnicode_FromString(const char *text);
const char *PyUnicode_AsUTF8AndSize(PyObject *text, Py_ssize_t *out_size);
PyObject *PyLong_FromLong(long value);
PyObject *PyLong_FromSsize_t(Py_ssize_t value);
PyObject *PyLong_FromUnsignedLong(unsigned long value);
long PyLong_AsLong(PyObject *number);
long long PyLong_AsLongLong(PyObject *number);
PyObject *PyList_New(Py_ssize_t size);
int PyList_Append(PyObject *list, PyObject *item);
PyObject *PyDict_New(void);
int PyDict_SetItem(PyObject *dictionary, PyObject *key, PyObject *value);
PyObject *PyTuple_GetItem(PyObject *tuple, Py_ssize_t index);
Py_ssize_t PyTuple_Size(PyObject *tuple);
PyObject *PyType_GetFullyQualifiedName(PyTypeObject *type);
int PyArg_ParseTuple(PyObject *arguments, const char *format, ...);
PyObject *Py_BuildValue(const char *format, ...);

PyObject *PyErr_Occurred(void);
void PyErr_Clear(void);
void PyErr_SetString(PyObject *type, const char *message);
void PyErr_SetObject(PyObject *type, PyObject *value);
PyObject *PyErr_SetFromErrno(PyObject *type);
PyObject *PyErr_GetRaisedException(void);
void PyErr_DisplayException(PyObject *exception);
int PyErr_CheckSignals(void);
int PyErr_SetInterruptEx(int signal_number);
PyObject *PyErr_NoMemory(void);
int Py_EnterRecursiveCall(const char *where); /* it counts nothing: it looks at the stack */

void PyException_SetContext(PyObject *exception, PyObject *context);
void PyException_SetCause(PyObject *exception, PyObject *cause);
int PyException_SetTraceback(PyObject *exception, PyObject *traceback);

Py_ssize_t PyGC_Collect(void);
int PyGC_IsEnabled(void);
void *PyInterpreterState_Main(void);
int _PyEval_AddPendingCall(void *interpreter, int (*function)(void *), void *argument, int flags);
int PySys_SetObject(const char *name, PyObject *object);
PyObject *PyBool_FromLong(long value);
PyObject *PyLong_FromUnsignedLongLong(unsigned long long value);

/* Not of any API: struct pyruntimestate, known by offsets. */
extern char _PyRuntime[];

#endif
