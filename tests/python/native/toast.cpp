// A native module in C++ that catches what another one throws.
extern "C" {
#include "python_api.h"
PyObject *PyUnicode_FromStringAndSize(const char *text, Py_ssize_t size);
void Py_DecRef(PyObject *object);
}

#include "bacon.h"

#include <cstdint>
#include <exception>
#include <string>

namespace
{

// caught(address, kind) -> what the function there has thrown.
PyObject *caught(PyObject *, PyObject *arguments)
{
    long address = 0;
    long kind = 0;
    if (!PyArg_ParseTuple(arguments, "ll:caught", &address, &kind)) {
        return nullptr;
    }
    std::string what;
    try {
        reinterpret_cast<void (*)(long)>(static_cast<std::uintptr_t>(address))(kind);
    } catch (int number) {
        what = "int " + std::to_string(number);
    } catch (const Plain &plain) {
        what = "plain " + std::to_string(plain.code);
    } catch (const std::exception &error) {
        what = error.what();
    } catch (const std::string &text) {
        what = "string " + text;
    }
    return PyUnicode_FromStringAndSize(what.data(), static_cast<Py_ssize_t>(what.size()));
}

// remembered(number) -> all numbers so far, which a variable of the thread holds.
PyObject *remembered(PyObject *, PyObject *arguments)
{
    thread_local std::string all;
    long number = 0;
    if (!PyArg_ParseTuple(arguments, "l:remembered", &number)) {
        return nullptr;
    }
    all += std::to_string(number) + ";";
    return PyUnicode_FromStringAndSize(all.data(), static_cast<Py_ssize_t>(all.size()));
}

PyMethodDef methods[] = {
    {"caught", caught, METH_VARARGS, nullptr},
    {"remembered", remembered, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    .ob_base = {.ob_refcnt = 1},
    .m_name = "toast",
    .m_size = -1,
    .m_methods = methods,
};

} // namespace

extern "C" __attribute__((visibility("default"))) PyObject *PyInit_toast(void);
extern "C" PyObject *PyInit_toast(void)
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
