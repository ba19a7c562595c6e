// A native module in C++: the standard library, templates, virtual functions, a global constructor.
extern "C" {
#include "python_api.h"
}

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

struct Shape {
    virtual ~Shape() = default;
    virtual long area() const = 0;
};

struct Square : Shape {
    explicit Square(long side) : side(side) {}
    long area() const override { return side * side; }
    long side;
};

const std::map<std::string, int> base{{"one", 1}, {"two", 2}};

PyObject *count_words(PyObject *, PyObject *argument)
{
    Py_ssize_t size = 0;
    const char *text = PyUnicode_AsUTF8AndSize(argument, &size);
    if (text == nullptr) {
        return nullptr;
    }
    std::vector<std::string> words{""};
    for (char letter : std::string(text, static_cast<size_t>(size))) {
        if (letter == ' ') {
            words.emplace_back();
        } else {
            words.back() += letter;
        }
    }
    std::sort(words.begin(), words.end());
    auto counts = base;
    for (const auto &word : words) {
        counts[word]++;
    }
    std::string result;
    for (const auto &[word, count] : counts) {
        result += word + "=" + std::to_string(count) + " ";
    }
    return PyUnicode_FromString(result.c_str());
}

PyObject *area(PyObject *, PyObject *argument)
{
    const std::unique_ptr<Shape> shape = std::make_unique<Square>(PyLong_AsLong(argument));
    return PyLong_FromLong(shape->area());
}

PyMethodDef methods[] = {
    {"count_words", count_words, METH_O, nullptr},
    {"area", area, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    {1, nullptr}, nullptr, 0,       nullptr, "eggs",  nullptr,
    -1,           methods, nullptr, nullptr, nullptr, nullptr,
};

} // namespace

extern "C" __attribute__((visibility("default"))) PyObject *PyInit_eggs()
{
    return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
