"""Starred assignment, nested targets, swaps, and the messages of failures."""

a, *b, c = "hello"
print(a, b, c)
(x, (y, *z)), w = [(1, (2, 3, 4)), 5]
print(x, y, z, w)
first, *_ = range(10**6)
print(first, len(_))
i = 0
i, values = 1, [10, 20]
values[i], i = i, values[i]
print(values, i)
print([*range(3), *"ab"], {*"aab"} == {"a", "b"}, {**{"a": 1}, "b": 2, **{"a": 3}}, (*[1], 2))
for k, (m, *n) in {"p": (1, 2, 3)}.items():
    print(k, m, n)
[*d] = "xy"
print(d)


def spread():
    rest = 2, 3
    return 1, *rest


print(spread())
attempts = [
    "a, b = 1",
    "a, b = [1]",
    "a, b = 1, 2, 3",
    "a, *b, c = [1]",
    "a, b = {1: 2}",
    "a, b = None",
    "a, b = iter([1, 2, 3])",
    "(a, b), c = 1, 2",
    "a, b = range(10**9)",
    "a, b = 'abc'",
    "[*1]",
    "{**[1]}",
    "f = lambda a, b: 1; f(*[1, 2], *[3])",
    "print(*None)",
]
for each in attempts:
    try:
        exec(each)
    except Exception as error:
        print(type(error).__name__, error)
for source in (
    "*a = 1",
    "a, *b, *c = 1",
    "*a",
    "[*a] = 1, = 2",
    "f() = 1",
    "1 = x",
    "a + 1 = 2",
    "None = 1",
    "(a): int, b = 1",
    "x += y = 2",
    "f(a for a in b, c)",
    "f(**k, *a)",
    "f(a=1, 2)",
    "f(a=1, a=2)",
    "f(1=2)",
    "{1:2, **3 for x in y}",
):
    try:
        compile(source, "p.py", "exec")
        print("compiles")
    except SyntaxError as error:
        print(source, "->", error.msg, error.offset)
