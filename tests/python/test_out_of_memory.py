"""A program that runs out of memory ends with an error that says so; its session goes on."""

from __future__ import annotations

from contextlib import suppress
from textwrap import dedent

import pytest

import eryx

LIMITS = eryx.ResourceLimits(max_memory_bytes=64 << 20)

# Each takes memory until there is none: what it made stays in the session, or went with its frames.
WAYS = {
    "dict": "hog = {}\ni = 0\nwhile True:\n    hog[i] = [i]; i += 1",
    "dict, caught at first": """
        hog = {}
        i = 0
        try:
            while True: hog[i] = [i]; i += 1
        except MemoryError: pass
        while True: hog[i] = [i]; i += 1""",
    "list of lists": "hog = []\nwhile True: hog.append([hog])",
    "list of ints": "hog = []\ni = 0\nwhile True:\n    hog.append(i); i += 10**6",
    "nested lists": "hog = []\nwhile True: hog = [hog]",
    "nested tuples": "hog = ()\nwhile True: hog = (hog, hog)",
    "linked dicts": "hog = {}\nwhile True: hog = {'next': hog}",
    "list doubled": "hog = [None]\nwhile True: hog += hog",
    "list repeated": "[None] * 10**8",
    "larger than any memory": "[None] * 10**9",
    "bytes": "bytes(10**9)",
    "many bytes": "hog = []\nwhile True: hog.append(bytes(1000))",
    "many large bytes": "hog = []\nwhile True: hog.append(bytes(3_000_000))",
    "bytes of rising size": "hog = [b'x']\nwhile True: hog.append(hog[-1] + b'x' * 100)",
    "bytearray": "hog = bytearray()\nwhile True: hog += b'x' * 100_000",
    "str": "hog = 'x'\nwhile True: hog += hog",
    "many str": "hog = []\nwhile True: hog.append('x' * len(hog))",
    "str formatted": "f'{1:{10**9}}'",
    "str joined": "','.join(['x' * 1000] * 100_000)",
    "str split": "hog = ('xy ' * 2_000_000).split()",
    "int": "1 << 10**9",
    "set": "hog = set()\ni = 0\nwhile True:\n    hog.add(i); i += 1",
    "deque": "import collections\nhog = collections.deque()\nwhile True: hog.append(bytes(100))",
    "array": "import array\nhog = array.array('d', [0])\nwhile True: hog.extend(hog)",
    "StringIO": "import io\nhog = io.StringIO()\nwhile True: hog.write('x' * 100_000)",
    "BytesIO": "import io\nhog = io.BytesIO()\nwhile True: hog.write(bytes(100_000))",
    "instances": """
        class A:
            def __init__(self, last): self.last = last
        hog = None
        while True: hog = A(hog)""",
    "classes": "hog = []\nwhile True: hog.append(type('A', (), {}))",
    "closures": "hog = print\nwhile True: hog = lambda hog=hog: hog",
    "compiled code": "hog = []\nwhile True: hog.append(compile('x = [a for a in b]', 'f', 'exec'))",
    "compiling": "compile('x = [' + '1.5, (a, b), ' * 200_000 + ']', 'f', 'exec')",
    "generators": "hog = []\nwhile True: hog.append(x for x in hog); next(iter(()), None)",
    "exceptions": """
        hog = None
        while True:
            try: raise ValueError(hog) from hog
            except ValueError as error: hog = error""",
    "local variables": "def f():\n    hog = []\n    while True: hog.append(bytearray(1000))\nf()",
    "local variables of many frames": "def f(n):\n    hog = bytearray(500_000)\n    f(n + 1)\nf(0)",
    "cycles that refer to all": """
        hog = []
        class A:
            def __init__(self): self.me = self; hog.append(self)
            def __del__(self): hog.append(bytes(1000))
        while True: A()""",
    "weak references": """
        import weakref
        hog = weakref.WeakValueDictionary()
        class A: pass
        kept = []
        while True: a = A(); kept.append(a); hog[id(a)] = a""",
    "json.dumps": "import json\nvalue = ['x' * 1000] * 20_000\njson.dumps([value] * 10)",
    "json.loads": "import json\nhog = json.loads('[' + '[1, 2.5],' * 1_000_000 + '0]')",
    "pickle": "import pickle\npickle.dumps([bytes([i % 256]) * 1000 for i in range(35_000)])",
    "regular expression": "import re\nhog = re.findall('(.)(.)', 'ab' * 2_000_000)",
    "zlib": """
        import zlib
        packer = zlib.compressobj()
        packed = b''.join(packer.compress(bytes(10**6)) for _ in range(100)) + packer.flush()
        zlib.decompress(packed)""",
    "sorted": "import itertools\nhog = sorted(itertools.product(range(1500), range(1500)))",
    "sqlite": """
        import sqlite3
        hog = sqlite3.connect(':memory:')
        hog.execute('create table t (x)')
        while True: hog.execute('insert into t values (zeroblob(1000000))')""",
    "in await": """
        import asyncio
        async def f():
            hog = []
            while True: hog.append(bytes(10_000)); await asyncio.sleep(0)
        await f()""",
    "in finally": """
        hog = []
        try: 1 / 0
        finally:
            while True: hog.append([1])""",
    "in a handler of MemoryError": """
        hog = []
        def fill():
            while True: hog.append(bytes(1000))
        def again():
            try: fill()
            except MemoryError: fill()
        again()""",
    "in another module": """
        import textwrap
        hog = []
        while True: hog.append(textwrap.wrap('some words ' * 100))""",
    "kept exception": """
        def f():
            hog = []
            while True: hog.append([1])
        try: f()
        except MemoryError as error: kept = error
        raise kept""",
}
# How these end is left open: none ends with a MemoryError of its own.
OTHER_WAYS = {
    "swallowed": """
        hog = []
        for _ in range(20):
            try:
                while True: hog.append(bytes(1000))
            except MemoryError: pass""",
    "in __del__": """
        hog = []
        class A:
            def __del__(self):
                while True: hog.append([1])
        A()""",
    "while the exception is shown": """
        hog = []
        class E(Exception):
            def __str__(self):
                while True: hog.append([1])
        raise E""",
    "in the hook for exceptions": """
        import sys
        hog = []
        def hook(*details):
            while True: hog.append([1])
        sys.excepthook = hook
        1 / 0""",
    "in a long message": "raise ValueError('x' * 15_000_000)",
    "in the result": "result = ['x' * 1000] * 100_000",
    "another exception": """
        def f():
            hog = []
            try:
                while True: hog.append([1])
            except MemoryError: raise ValueError("no memory")
        f()""",
    "all of a weak dictionary": """
        import weakref
        class A: pass
        hog = []
        table = weakref.WeakKeyDictionary()
        try:
            while True: a = A(); hog.append(a); table[a] = bytes(500)
        except MemoryError: del hog, a""",
}


@pytest.fixture
def session() -> eryx.Session:
    made = eryx.Session(resource_limits=LIMITS)
    made.execute("kept_value = 41\ndef kept_function(): return kept_value + 1")
    return made


def check_use(session: eryx.Session) -> None:
    """All that can be done with a session works, however full it is, and the state is there."""
    check = "print(kept_function())"
    assert session.execute(check).stdout == "42"
    with session.fork() as fork:
        assert fork.execute(check).stdout == "42"
        fork.clear_state()
        assert fork.execute("print('kept_value' in globals())").stdout == "False"
        fork.execute("large = [[n] for n in range(100_000)], bytes(3_000_000)")
    snapshot = session.snapshot_state()
    assert "kept_function" not in snapshot.skipped
    # Its bytes lie beside what is made of them, 4 MiB for the longest of these lists.
    room = eryx.ResourceLimits(max_memory_bytes=72 << 20)
    other = eryx.Session(resource_limits=room)
    other.restore_state(snapshot)
    assert other.execute(check).stdout == "42"
    session.execute("globals().pop('hog', None); globals().pop('kept', None)")
    session.execute("import gc; gc.collect()")
    session.execute("large = [[n] for n in range(100_000)], bytes(3_000_000)")
    with pytest.raises(eryx.ExecutionError, match="ZeroDivisionError"):
        session.execute("1 / 0")
    session.clear_state()
    assert session.execute("print('kept_value' in globals())").stdout == "False"


class TestOutOfMemory:
    @pytest.mark.parametrize("way", WAYS)
    def test_error_tells_and_session_goes_on(self, session: eryx.Session, way: str) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            session.execute(dedent(WAYS[way]))
        error = caught.value
        assert error.exc_type == "MemoryError"
        assert error.exc_message.endswith("the limit is 64 MiB")
        text = str(error)
        assert text.startswith('Traceback (most recent call last):\n  File "<user>", line ')
        assert f"\nMemoryError: {error.exc_message}\n" in text
        assert error.exc_message not in error.stderr  # of a session it is in the error alone
        check_use(session)

    @pytest.mark.parametrize("way", OTHER_WAYS)
    def test_session_goes_on_in_any_case(self, session: eryx.Session, way: str) -> None:
        with suppress(eryx.ExecutionError):
            session.execute(dedent(OTHER_WAYS[way]))
        check_use(session)
