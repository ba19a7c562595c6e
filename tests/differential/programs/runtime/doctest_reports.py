"""doctest: passing, failing, exceptions, options, and the report of a failure."""

import doctest
import io
import contextlib


def double(x):
    """Doubles.

    >>> double(2)
    4
    >>> double("ab")
    'abab'
    >>> double(None)
    Traceback (most recent call last):
        ...
    TypeError: unsupported operand type(s) for *: 'NoneType' and 'int'
    >>> double([1])  # doctest: +ELLIPSIS
    [1, ...]
    >>> double(3)
    7
    >>> double(1.5) # doctest: +SKIP
    'wrong'
    """
    return x * 2


def blank():
    """
    >>> print("a\\n\\nb")
    a
    <BLANKLINE>
    b
    >>> print("a   b")  # doctest: +NORMALIZE_WHITESPACE
    a b
    >>> 1 / 0
    0
    """


finder = doctest.DocTestFinder()
for function in (double, blank):
    for test in finder.find(function, function.__name__):
        out = io.StringIO()
        runner = doctest.DocTestRunner()
        runner.run(test, out=out.write)
        print(out.getvalue())
        with contextlib.redirect_stdout(io.StringIO()):
            print(runner.summarize())
        print(runner.failures, runner.tries)
print(
    [(e.source, e.want) for e in doctest.DocTestParser().get_examples("text\n>>> 1 + 1\n2\n")],
    doctest.script_from_examples("a\n>>> x = 1\n>>> x\n1\n"),
)
try:
    doctest.DocTestParser().get_examples(">>>1\n")
except ValueError as error:
    print(error)
