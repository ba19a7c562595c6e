/*
 * What the compiler of CPython 3.14.0 takes for granted, and later ones make sure of.
 */
#include "host.h"
#include "python_api.h"

/* Of the compiler's instructions. */
struct location {
    int32_t line;
    int32_t end_line;
    int32_t column;
    int32_t end_column;
};

/*
 * Called where more blocks are nested than the compiler has room for, which comprehensions in
 * comprehensions bring about: raises the error that other blocks end in. See toolchain/nesting.py.
 */
GUEST_EXPORT(eryx_guest_nested_blocks) void eryx_guest_nested_blocks(const struct location *place);
void eryx_guest_nested_blocks(const struct location *place)
{
    PyObject *details = Py_BuildValue(
        "s(OiiOii)", "too many statically nested blocks", &_Py_NoneStruct, (int)place->line,
        (int)place->column + 1, &_Py_NoneStruct, (int)place->end_line, (int)place->end_column + 1);
    if (details != NULL) {
        PyErr_SetObject(PyExc_SyntaxError, details);
    }
    Py_DecRef(details);
}

/* Called where the compiler goes into a part of a program: 0, or -1 with RecursionError set if the
 * stack runs low. */
GUEST_EXPORT(eryx_guest_enter_part) int eryx_guest_enter_part(void);
int eryx_guest_enter_part(void)
{
    return Py_EnterRecursiveCall(" during compilation") != 0 ? -1 : 0;
}
