"""`operator.methodcaller` in Python.

What clears that of CPython in C has no result, and cannot be called in WebAssembly as if it had: a
cycle of objects with one in it would end the run when it is collected.
"""

import _operator

del _operator.methodcaller

import operator  # noqa: E402  # has its own, which it would replace by that in C

_operator.methodcaller = operator.methodcaller  # type: ignore[misc]
