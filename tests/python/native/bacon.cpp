// A native module in C++ that throws and catches, alone and together with toast.cpp.
extern "C" {
#include "python_api.h"
PyObject *PyUnicode_FromStringAndSize(const char *text, Py_ssize_t size);
void Py_DecRef(PyObject *object);
}

#include "bacon.h"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

long destroyed;
long calls;

struct Guard {
    ~Guard()
    {
        ++destroyed;
    }
};

struct Special : std::runtime_error {
    explicit Special(int code) : std::runtime_error("special"), code(code)
    {
    }
    int code;
};

[[noreturn]] void raise_kind(long kind)
{
    Guard guard;
    switch (kind) {
    case 0:
        throw 7;
    case 1:
        throw std::out_of_range("too far");
    case 2:
        throw Special(3);
    case 3:
        throw std::string("text");
    default:
        throw Plain{4};
    }
}

[[noreturn]] void raise_deep(long kind, long depth)
{
    Guard guard;
    if (depth > 0) {
        raise_deep(kind, depth - 1);
    }
    raise_kind(kind);
}

std::string caught(const std::function<void()> &act)
{
    try {
        act();
    } catch (int number) {
        return "int " + std::to_string(number);
    } catch (const Special &error) {
        return std::string(error.what()) + " " + std::to_string(error.code);
    } catch (const std::exception &error) {
        return error.what();
    } catch (const std::string &text) {
        return "string " + text;
    } catch (...) {
        return "something";
    }
    return "nothing";
}

PyObject *text(const std::string &value)
{
    return PyUnicode_FromStringAndSize(value.data(), static_cast<Py_ssize_t>(value.size()));
}

// catch_kind(kind, depth) -> what was caught, and how many objects were destroyed on the way.
PyObject *catch_kind(PyObject *, PyObject *arguments)
{
    long kind = 0;
    long depth = 0;
    if (!PyArg_ParseTuple(arguments, "ll:catch_kind", &kind, &depth)) {
        return nullptr;
    }
    destroyed = 0;
    std::string what = caught([&] { raise_deep(kind, depth); });
    return Py_BuildValue("s#l", what.data(), static_cast<Py_ssize_t>(what.size()), destroyed);
}

// rethrown(kind) -> what comes out of a catch that throws again.
PyObject *rethrown(PyObject *, PyObject *number)
{
    long kind = PyLong_AsLong(number);
    return text(caught([&] {
        try {
            raise_kind(kind);
        } catch (...) {
            Guard guard;
            throw;
        }
    }));
}

// from_library() -> what the C++ library itself throws.
PyObject *from_library(PyObject *, PyObject *)
{
    std::vector<int> numbers;
    return text(caught([&] { static_cast<void>(numbers.at(5)); }) + ", " +
                caught([&] { static_cast<void>(std::stoi("x")); }));
}

// around(function) -> what a throw behind a call of Python in a try is caught as.
PyObject *around(PyObject *, PyObject *function)
{
    {
        static std::mutex mutex;
        std::lock_guard<std::mutex> lock(mutex);
        ++calls;
    }
    return text(caught([&] {
        PyObject *result = PyObject_CallNoArgs(function);
        if (result == nullptr) {
            PyErr_Clear();
            throw std::runtime_error("Python failed");
        }
        Py_DecRef(result);
        throw Special(9);
    }));
}

// raise(kind): nothing catches it.
PyObject *raise(PyObject *, PyObject *number)
{
    raise_kind(PyLong_AsLong(number));
}

// times(count) -> how many throws were caught.
PyObject *times(PyObject *, PyObject *number)
{
    long count = 0;
    for (long left = PyLong_AsLong(number); left > 0; --left) {
        try {
            raise_deep(left % 5, 2);
        } catch (...) {
            ++count;
        }
    }
    return PyLong_FromLong(count);
}

// thrower() -> the address of a function that throws, for toast.cpp.
PyObject *thrower(PyObject *, PyObject *)
{
    return PyLong_FromLong(static_cast<long>(reinterpret_cast<std::uintptr_t>(&raise_kind)));
}

PyMethodDef methods[] = {
    {"catch_kind", catch_kind, METH_VARARGS, nullptr},
    {"rethrown", rethrown, METH_O, nullptr},
    {"from_library", from_library, METH_NOARGS, nullptr},
    {"around", around, METH_O, nullptr},
    {"raise_kind", raise, METH_O, nullptr},
    {"times", times, METH_O, nullptr},
    {"thrower", thrower, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    .ob_base = {.ob_refcnt = 1},
    .m_name = "bacon",
    .m_size = -1,
    .m_methods = methods,
};

} // namespace

extern "C" __attribute__((visibility("default"))) PyObject *PyInit_bacon(void);
extern "C" PyObject *PyInit_bacon(void)
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
