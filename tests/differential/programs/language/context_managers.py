"""with statements: order, suppression, several managers, and their errors."""

from contextlib import ExitStack, closing, contextmanager, nullcontext, redirect_stdout, suppress
import io


class Trace:
    def __init__(self, name, swallow=False):
        self.name = name
        self.swallow = swallow

    def __enter__(self):
        print("enter", self.name)
        return self

    def __exit__(self, kind, value, trace):
        print("exit", self.name, kind.__name__ if kind else None, value)
        return self.swallow


with Trace("a"), Trace("b", swallow=True) as b, Trace("c"):
    print("body", b.name)
    raise ValueError("inside")
print("after")


@contextmanager
def managed(name):
    print("begin", name)
    try:
        yield name.upper()
    except KeyError as error:
        print("handled", error)
    finally:
        print("end", name)


with managed("m") as m:
    print(m)
    raise KeyError("k")


@managed("as decorator")
def decorated():
    print("in function")


decorated()
with ExitStack() as stack:
    names = [stack.enter_context(managed(f"s{i}")) for i in range(3)]
    stack.callback(print, "callback", 1, sep="-")
    stack.push(lambda *details: print("pushed", details[0]))
    print(names)
with suppress(ZeroDivisionError):
    1 / 0
buffer = io.StringIO()
with redirect_stdout(buffer):
    print("captured")
print(repr(buffer.getvalue()))
with closing(io.StringIO("x")) as file, nullcontext(5) as five:
    print(file.read(), five)
print(file.closed)


@contextmanager
def yields_twice():
    yield 1
    yield 2


@contextmanager
def yields_never():
    return
    yield


def use(manager):
    with manager:
        pass


def fails_inside():
    with yields_twice():
        raise OSError("x")


for attempt in (
    lambda: use(yields_twice()),
    lambda: use(yields_never()),
    lambda: use(3),
    lambda: use(Trace),
    fails_inside,
):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, error)
