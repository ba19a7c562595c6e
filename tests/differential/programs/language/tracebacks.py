"""A traceback with causes, contexts, notes, recursion and underlined parts of lines."""

import sys
import traceback


def divide(a, b):
    return a / b


def chained():
    try:
        divide(1, 0)
    except ZeroDivisionError as error:
        error.add_note("first note")
        error.add_note("second\nnote")
        raise ValueError("bad value") from error


def context():
    try:
        {}["missing"]
    except KeyError:
        undefined + 1


def recursive(n):
    if n == 0:
        raise RuntimeError("deep")
    recursive(n - 1)


def long_expression():
    values = {"a": [1, 2, {"b": None}]}
    return values["a"][2]["b"]["c"] + 1


def multi_line_call():
    return divide(
        10,
        0,
    )


def attribute():
    x = [1]
    return x[0].bit_length().nothing.more


def many_on_a_line():
    a = b = 1
    c = 0
    return a + b / c * 2


def in_comprehension():
    return [1 / n for n in (2, 1, 0)]


def in_lambda():
    return (lambda: divide(3, 0))()


def in_exec():
    exec("def f():\n    return 1 / 0\nf()")


def no_context():
    try:
        1 / 0
    except ZeroDivisionError:
        raise KeyError("only this") from None


def unicode_line():
    größe = 0
    return "日本語" + str(1 / größe)


for each in (
    chained,
    context,
    lambda: recursive(10),
    long_expression,
    multi_line_call,
    attribute,
    many_on_a_line,
    in_comprehension,
    in_lambda,
    in_exec,
    no_context,
    unicode_line,
):
    try:
        each()
    except Exception:
        traceback.print_exc(file=sys.stdout)
    print("-" * 40)
