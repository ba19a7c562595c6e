/*
 * The module _eryx_digests: digests that libpython has not, computed by OpenSSL's own code, and
 * what hashlib.scrypt() is made of.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* for use by programs, that is */
#include <Python.h>
#include <openssl/ripemd.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sha.h"
#include "internal/sm3.h"
#include "scrypt.h"

typedef union context {
    RIPEMD160_CTX ripemd160;
    SM3_CTX sm3;
    SHA512_CTX sha512;
} context;

/* Signatures as they are compiled: a WebAssembly function is called by its exact type. */
static int ripemd160_begin(context *self)
{
    return RIPEMD160_Init(&self->ripemd160);
}

static int ripemd160_update(context *self, const void *data, size_t size)
{
    return RIPEMD160_Update(&self->ripemd160, data, size);
}

static int ripemd160_finish(context *self, unsigned char *out)
{
    return RIPEMD160_Final(out, &self->ripemd160);
}

static int sm3_begin(context *self)
{
    return ossl_sm3_init(&self->sm3);
}

static int sm3_update(context *self, const void *data, size_t size)
{
    return ossl_sm3_update(&self->sm3, data, size);
}

static int sm3_finish(context *self, unsigned char *out)
{
    return ossl_sm3_final(out, &self->sm3);
}

static int sha512_224_begin(context *self)
{
    return sha512_224_init(&self->sha512);
}

static int sha512_256_begin(context *self)
{
    return sha512_256_init(&self->sha512);
}

static int sha512_update(context *self, const void *data, size_t size)
{
    return SHA512_Update(&self->sha512, data, size);
}

static int sha512_finish(context *self, unsigned char *out)
{
    return SHA512_Final(out, &self->sha512);
}

typedef struct algorithm {
    const char *name;
    int digest_bytes;
    int block_bytes;
    int (*begin)(context *self);
    int (*update)(context *self, const void *data, size_t size);
    int (*finish)(context *self, unsigned char *out);
} algorithm;

enum { MOST_DIGEST_BYTES = 64 };

static const algorithm algorithms[] = {
    {"ripemd160", 20, 64, ripemd160_begin, ripemd160_update, ripemd160_finish},
    {"sm3", 32, 64, sm3_begin, sm3_update, sm3_finish},
    {"sha512_224", 28, 128, sha512_224_begin, sha512_update, sha512_finish},
    {"sha512_256", 32, 128, sha512_256_begin, sha512_update, sha512_finish},
};

/* OpenSSL forgets what it had on its stack with it. */
void OPENSSL_cleanse(void *bytes, size_t size);
void OPENSSL_cleanse(void *bytes, size_t size)
{
    volatile unsigned char *place = bytes;
    while (size-- > 0) {
        *place++ = 0;
    }
}

/* ---- Digest -----------------------------------------------------------------------------------
 */

typedef struct digest {
    PyObject_HEAD
    const algorithm *algorithm;
    context context;
} digest;

static digest *make_digest(PyTypeObject *type, const algorithm *found)
{
    digest *self = (digest *)PyType_GenericAlloc(type, 0);
    if (self != NULL) {
        self->algorithm = found;
        found->begin(&self->context);
    }
    return self;
}

static PyObject *digest_new(PyTypeObject *type, PyObject *arguments, PyObject *named)
{
    static char *names[] = {"name", NULL};
    const char *name;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "s:Digest", names, &name)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (strcmp(algorithms[i].name, name) == 0) {
            return (PyObject *)make_digest(type, &algorithms[i]);
        }
    }
    PyErr_Format(PyExc_ValueError, "unsupported hash type %s", name);
    return NULL;
}

static void digest_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *digest_update(PyObject *object, PyObject *data)
{
    digest *self = (digest *)object;
    Py_buffer view;
    if (PyUnicode_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "Strings must be encoded before hashing");
        return NULL;
    }
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) != 0) {
        return NULL;
    }
    self->algorithm->update(&self->context, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}

static PyObject *digest_digest(PyObject *object, PyObject *nothing)
{
    digest *self = (digest *)object;
    unsigned char out[MOST_DIGEST_BYTES];
    context copy = self->context;
    (void)nothing;
    self->algorithm->finish(&copy, out);
    return PyBytes_FromStringAndSize((const char *)out, self->algorithm->digest_bytes);
}

static PyObject *digest_hexdigest(PyObject *object, PyObject *nothing)
{
    PyObject *bytes = digest_digest(object, nothing);
    PyObject *text = bytes != NULL ? PyObject_CallMethod(bytes, "hex", NULL) : NULL;
    Py_XDECREF(bytes);
    return text;
}

static PyObject *digest_copy(PyObject *object, PyObject *nothing)
{
    digest *self = (digest *)object;
    digest *copy = make_digest(Py_TYPE(object), self->algorithm);
    (void)nothing;
    if (copy != NULL) {
        copy->context = self->context;
    }
    return (PyObject *)copy;
}

static PyObject *digest_name(PyObject *object, void *nothing)
{
    (void)nothing;
    return PyUnicode_FromString(((digest *)object)->algorithm->name);
}

static PyObject *digest_size(PyObject *object, void *nothing)
{
    (void)nothing;
    return PyLong_FromLong(((digest *)object)->algorithm->digest_bytes);
}

static PyObject *digest_block_size(PyObject *object, void *nothing)
{
    (void)nothing;
    return PyLong_FromLong(((digest *)object)->algorithm->block_bytes);
}

static PyObject *digest_repr(PyObject *object)
{
    return PyUnicode_FromFormat("<%s hash object @ %p>", ((digest *)object)->algorithm->name,
                                (void *)object);
}

static PyMethodDef digest_methods[] = {
    {"update", digest_update, METH_O, "Update this hash object's state with the provided string."},
    {"digest", digest_digest, METH_NOARGS, "Return the digest value as a bytes object."},
    {"hexdigest", digest_hexdigest, METH_NOARGS,
     "Return the digest value as a string of hexadecimal digits."},
    {"copy", digest_copy, METH_NOARGS, "Return a copy of the hash object."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef digest_attributes[] = {
    {"name", digest_name, NULL, NULL, NULL},
    {"digest_size", digest_size, NULL, NULL, NULL},
    {"block_size", digest_block_size, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot digest_slots[] = {
    {Py_tp_new, (void *)digest_new},   {Py_tp_dealloc, (void *)digest_dealloc},
    {Py_tp_repr, (void *)digest_repr}, {Py_tp_methods, digest_methods},
    {Py_tp_getset, digest_attributes}, {0, NULL},
};

static PyType_Spec digest_spec = {
    .name = "_hashlib.HASH",
    .basicsize = sizeof(digest),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = digest_slots,
};

/* ---- The module -------------------------------------------------------------------------------
 */

static bool goes_on(void)
{
    return PyErr_CheckSignals() == 0;
}

/* scrypt_mix(block: bytes, n: int, r: int) -> bytes; n: a power of two. */
static PyObject *module_scrypt_mix(PyObject *module, PyObject *arguments)
{
    Py_buffer block;
    unsigned int n;
    unsigned int r;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*II:scrypt_mix", &block, &n, &r)) {
        return NULL;
    }
    PyObject *mixed = NULL;
    if (r == 0 || n < 2 || (n & (n - 1)) != 0 || (uint64_t)block.len != (uint64_t)128 * r) {
        PyErr_SetString(PyExc_ValueError, "not a block of scrypt");
        goto done;
    }
    uint64_t size = (uint64_t)128 * r * ((uint64_t)n + 2);
    uint32_t *words = size <= PY_SSIZE_T_MAX ? PyMem_Malloc((size_t)size) : NULL;
    if (words == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    mixed = PyBytes_FromStringAndSize(block.buf, block.len);
    if (mixed != NULL && !scrypt_mix((uint8_t *)PyBytes_AS_STRING(mixed), n, r, words, goes_on)) {
        Py_CLEAR(mixed);
    }
    PyMem_Free(words);
done:
    PyBuffer_Release(&block);
    return mixed;
}

static PyMethodDef module_methods[] = {
    {"scrypt_mix", module_scrypt_mix, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int module_execute(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &digest_spec, NULL);
    int failed = type == NULL ? -1 : PyModule_AddObjectRef(module, "Digest", type);
    Py_XDECREF(type);
    return failed;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_execute},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_eryx_digests",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__eryx_digests(void)
{
    return PyModuleDef_Init(&definition);
}
