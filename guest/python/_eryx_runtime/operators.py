"""`operator.methodcaller` in Python.

What clears that of CPython in C has no result, and cannot be called in WebAssembly as if it had: a
cycle of objects with one in it would end the run when it is collected.
"""

import _operator

del _operator.methodcaller

import operator  # noqa: E402  # has its own, which it would replace by that in C

_operator.methodcaller = operator.methodcaller  # type: ignore[misc]

_make = operator.methodcaller.__init__


def _checked(self: operator.methodcaller, *args: object, **kwargs: object) -> None:
    if not args:  # as that of CPython says it
        raise TypeError("methodcaller needs at least one argument, the method name")
    _make(self, *args, **kwargs)  # type: ignore[arg-type]


_checked.__wrapped__ = _make  # type: ignore[attr-defined]  # for its signature
operator.methodcaller.__init__ = _checked  # type: ignore[method-assign]
