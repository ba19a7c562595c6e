"""Attributes, arguments and texts of built-in exceptions; notes; chaining; pickling."""

import pickle

for make in (
    lambda: Exception(),
    lambda: Exception("a"),
    lambda: Exception("a", 1),
    lambda: KeyError("k"),
    lambda: KeyError(),
    lambda: KeyError(("a",)),
    lambda: OSError("x"),
    lambda: AttributeError("m", name="n", obj=1),
    lambda: NameError("m", name="q"),
    lambda: ImportError("m", name="n", path="p"),
    lambda: StopIteration(5),
    lambda: SystemExit(3),
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    lambda: UnicodeEncodeError("ascii", "é", 0, 1, "no"),
    lambda: SyntaxError("m", ("f.py", 1, 2, "text", 1, 3)),
    lambda: ZeroDivisionError("z"),
    lambda: BaseExceptionGroup("g", [KeyboardInterrupt()]),
    lambda: ExceptionGroup("g", [ValueError(1)]),
):
    e = make()
    again = pickle.loads(pickle.dumps(e))
    print(
        type(e).__name__,
        repr(e),
        str(e),
        e.args,
        {
            k: getattr(e, k)
            for k in (
                "name",
                "path",
                "value",
                "code",
                "filename",
                "start",
                "lineno",
                "text",
                "exceptions",
            )
            if hasattr(e, k)
        },
        repr(again) == repr(e),
    )


def tree(kind, depth=0):
    print("  " * depth + kind.__name__)
    for child in sorted(
        (c for c in kind.__subclasses__() if c.__module__ == "builtins"), key=lambda c: c.__name__
    ):
        tree(child, depth + 1)


tree(BaseException)
e = ValueError("v")
e.add_note("n1")
print(e.__notes__, e.with_traceback(None) is e, e.__cause__, e.__suppress_context__)
try:
    try:
        raise KeyError("a")
    except KeyError:
        raise ValueError("b")
except ValueError as error:
    print(repr(error.__context__), error.__cause__)
try:
    raise ValueError("x") from KeyError("y")
except ValueError as error:
    print(repr(error.__cause__), error.__suppress_context__)
for attempt in (
    "raise 5",
    "raise None",
    "raise ValueError from 5",
    "raise",
    "raise ValueError, 'x'",
    "e.add_note(5)",
    "e.__cause__ = 5",
    "e.__traceback__ = 5",
    "UnicodeDecodeError('x')",
    "raise int",
    "e.args = 5",
    "try:\n  1/0\nexcept 5: pass",
    "try:\n  1/0\nexcept (ValueError, 'x'): pass",
    "OSError.errno.x",
    "BaseExceptionGroup('a', 5)",
    "assert False",
    "assert 0, {'a': 1}",
    "raise type('E', (Exception,), {'__str__': lambda s: 1/0})()",
):
    try:
        exec(attempt)
    except BaseException as error:
        print(repr(attempt), type(error).__name__, error if "1/0})" not in attempt else "")
try:
    exec("def f(): yield\nf().throw(5)")
except TypeError as error:
    print(error)
print(
    LookupError.__mro__,
    issubclass(ConnectionResetError, OSError),
    IOError is OSError,
    TimeoutError.__mro__[1],
    ExceptionGroup.__mro__,
)
