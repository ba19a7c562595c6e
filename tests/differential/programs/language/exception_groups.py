"""except*, nested groups, split and subgroup, and how a group prints."""

import traceback


def raise_group():
    raise ExceptionGroup(
        "outer",
        [
            ValueError("one"),
            ExceptionGroup("inner", [TypeError("two"), KeyError("three")]),
            OSError("unreadable", "x.txt"),
        ],
    )


try:
    raise_group()
except* ValueError as group:
    print("values", group.exceptions)
except* (TypeError, KeyError) as group:
    print("types", group, group.exceptions)
except* OSError as group:
    print("os", [error.args for error in group.exceptions])

try:
    try:
        raise_group()
    except* TypeError:
        raise RuntimeError("while handling") from None
except ExceptionGroup as group:
    print(repr(group))
    traceback.print_exception(group, file=__import__("sys").stdout)

try:
    raise ExceptionGroup("many", [ValueError(i) for i in range(20)])
except ExceptionGroup as group:
    matching, rest = group.split(lambda error: error.args and error.args[0] in (3, 5))
    print(matching, rest.exceptions[:3])
    print(group.subgroup(TypeError))
    print(group.derive([KeyError("k")]))

for wrong in (("text", []), ("text", [1]), (3, [ValueError()]), ("text", ValueError())):
    try:
        ExceptionGroup(*wrong)
    except Exception as error:
        print(type(error).__name__, error)

try:
    try:
        raise KeyError("naked")
    except* KeyError as group:
        print(type(group).__name__, repr(group))
        raise
except BaseException as error:
    print(repr(error))

for source in (
    "try:\n pass\nexcept* ValueError:\n pass\nexcept TypeError:\n pass",
    "try:\n pass\nexcept*:\n pass",
    "for i in x:\n try:\n  pass\n except* E:\n  break",
):
    try:
        compile(source, "p.py", "exec")
    except SyntaxError as error:
        print(error.msg, error.lineno, error.offset)
