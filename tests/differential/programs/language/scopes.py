"""Comprehension scopes, nonlocal, class bodies, walrus, del and locals()."""

x = "global"


class Body:
    x = "class"
    seen_by_first = [x for _ in range(1)]
    first_iterable = [i for i in x]

    def method(self):
        return x

    try:
        bad = [[x for _ in "a"] for _ in "b"]
    except NameError as error:
        bad = str(error)


print(Body.seen_by_first, Body.first_iterable, Body().method(), Body.bad)


def counter():
    n = 0

    def step():
        nonlocal n
        n += 1
        return n

    return step


c = counter()
print(c(), c(), c.__closure__[0].cell_contents, c.__code__.co_freevars)
functions = [lambda: i for i in range(3)]
print([f() for f in functions], [f() for f in [lambda i=i: i for i in range(3)]])
print([y := 1, y + 1, y**2], y)
print(any((last := n) > 3 for n in [1, 5, 9]), last)


def unbound():
    print(x)
    x = 1


def deleted():
    z = 1
    del z
    return z


def free():
    def inner():
        return later

    inner()
    later = 1


for each in (unbound, deleted, free, lambda: undefined_thing, lambda: prnt):
    try:
        each()
    except NameError as error:
        print(type(error).__name__, error)


def local_names():
    a = 1
    b = [a for a in (7, 8)]
    names = dict(locals())
    locals()["a"] = 99
    return names, a


print(local_names())
for source in (
    "def f():\n x = 1\n global x",
    "def f():\n nonlocal q",
    "nonlocal x",
    "def f(x):\n global x",
    "[x := 1 for x in y]",
    "class C:\n [z := 1 for i in y]",
    "def f():\n global __debug__\n __debug__ = 1",
    "del f()",
    "(a, b) := 1",
    "x = yield = 1",
):
    try:
        compile(source, "p.py", "exec")
        print("compiles")
    except SyntaxError as error:
        print(error.msg, error.lineno, error.offset)
