"""Programs that would run for ever, or that keep the host itself busy, each in its own way.

Each may call the callback `cb`. `bench/lateness.py` runs them as well.
"""

from __future__ import annotations

_BOMB = """
import os
os.chdir("/data")
os.mkdir("a")
previous = "a"
for i in range(39):
    os.symlink("a/../" * ((4096 - len(previous)) // 5) + previous, f"l{i}")
    previous = f"l{i}"
"""

_SWALLOW = """
def f():
    while True:
        try:
            while True: pass
        except BaseException: pass
        finally: f()
f()
"""

# For lists, objects and numbers that are as many as the host takes, and for ten times as many.
_CALLS = """
import _eryx
text = '{{"x":[' + ",".join(["{unit}"] * {count}) + "]}}"
while True: _eryx.call("cb", text)
"""

PROGRAMS: dict[str, str] = {
    "loop": "while True: pass",
    "nested slices": "x = None\nfor i in range(50): x = slice(x, x, x)\nhash(x)",
    "nested slices, compared": "x = y = None\nfor i in range(50):\n"
    "    x = slice(x, x, x); y = slice(y, y, y)\nx == y",
    "nested tuples, shown": "x = ()\nfor i in range(60): x = (x, x)\nrepr(x)",
    "nested lists, compared": "x, y = [], []\nfor i in range(60): x, y = [x, x], [y, y]\nx == y",
    "nested defaultdicts": "from collections import defaultdict\nx = 1\n"
    "for i in range(60): x = defaultdict(int, a=x, b=x)\nrepr(x)",
    "nested partials": "from functools import partial\nx = 1\n"
    "for i in range(60): x = partial(print, x, x)\nrepr(x)",
    "dates": "import datetime\nd = datetime.datetime(2000, 1, 1)\n"
    "while True: datetime.datetime.strptime(d.isoformat(), '%Y-%m-%dT%H:%M:%S')",
    "regex": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
    "regex, nested": "import re\nwhile True: re.match('(?:(?:a?){20}){20}' + 'a' * 30, 'a' * 29)",
    "power": "10 ** 10 ** 8",
    "multiplications": "x = 3 ** 1_000_000\nwhile True: x * x",
    "digits": "import sys\nsys.set_int_max_str_digits(0)\nx = 1 << 3_000_000\nwhile True: str(x)",
    "sort with key": "while True: sorted(range(500_000), key=lambda x: -x)",
    "sort with comparisons": "from functools import cmp_to_key\n"
    "while True: sorted(range(200_000), key=cmp_to_key(lambda a, b: b - a))",
    "sum": "sum(range(10 ** 12))",
    "deque": "import collections, itertools\ncollections.deque(itertools.count(), maxlen=0)",
    "product": "import collections, itertools\n"
    "collections.deque(itertools.product(*[range(9)] * 40), maxlen=0)",
    "list search": "x = [0] * 1_000_000\nwhile True: x.count(1)",
    "text search": "while True: ('a' * 1_000_000).count('a' * 1000 + 'b')",
    "large memory, new": "while True: bytearray(64 << 20)",
    "large memory, copied": "x = bytearray(40 << 20)\nwhile True: bytes(x)",
    "large memory, filled": "x = bytearray(20 << 20)\nwhile True: x[:] = b'1' * len(x)",
    "a megabyte, filled": "x, y = bytearray(1 << 20), b'1' * (1 << 20)\nwhile True: x[:] = y",
    "a megabyte, joined": "x = [b'1' * 1_000_000] * 8\nwhile True: b''.join(x)",
    "sixty kilobytes, copied": "x = bytearray(60_000)\nwhile True: bytes(x)",
    "large bytes, searched": "x = b'1' * (50 << 20)\nwhile True: x.find(b'2')",
    "collections": "import gc\nx = [[] for _ in range(200_000)]\nwhile True: gc.collect()",
    "recursion": "def f(n): return f(n + 1)\nwhile True:\n    try: f(0)\n"
    "    except RecursionError: pass",
    "recursion in C": "class A:\n    def __repr__(self): return repr([self] * 2)\n"
    "while True:\n    try: repr(A())\n    except RecursionError: pass",
    "swallows everything": "while True:\n    try:\n        while True: pass\n"
    "    except BaseException: pass",
    "swallows everything, nested": _SWALLOW,
    "endless finally": "try:\n    while True: pass\nfinally:\n    while True: pass",
    "exceptions": "while True:\n    try: raise ValueError\n    except ValueError: pass",
    "settrace": "import sys\ndef t(*a):\n    while True: pass\nsys.settrace(t)\n(lambda: 0)()",
    "profile": "import sys\ndef t(*a): return t\nsys.setprofile(t)\nwhile True: len([])",
    "finalizer": "class A:\n    def __del__(self):\n        while True: pass\na = A()\ndel a",
    "finalizer at the end": "class A:\n    def __del__(self):\n        while True: pass\na = A()",
    "generators": "def g(n):\n    yield n\n    yield from g(n + 1)\n"
    "while True:\n    try: sum(g(0))\n    except RecursionError: pass",
    "generator without an end": "all(True for _ in iter(int, 1))",
    "coroutines": "import asyncio\nasync def f():\n    while True: await asyncio.sleep(0)\n"
    "await asyncio.gather(*[f() for _ in range(100)])",
    "sleep": "import time\ntime.sleep(1e9)",
    "sleep in asyncio": "import asyncio\nawait asyncio.sleep(1e9)",
    "select": "import select\nselect.select([], [], [], 1e6)",
    "exec of a large source": "text = 'x = 1\\n' * 100_000\nwhile True: exec(text)",
    "exec of a deep source": "text = '(' * 80 + '1' + ')' * 80 + '+1' * 2_000\n"
    "while True: exec(text)",
    "compile of a large dictionary": "text = '{' + '1:1,' * 100_000 + '}'\n"
    "while True: compile(text, 'x', 'exec')",
    "compression": "import zlib\nwhile True: zlib.compress(b'ab' * 1_000_000, 9)",
    "digests": "import hashlib\nx = bytes(10_000_000)\nwhile True: hashlib.sha256(x)",
    "database": "import sqlite3\nsqlite3.connect(':memory:').execute('with recursive t(x) as "
    "(select 1 union all select x + 1 from t) select count(*) from t')",
    "JSON": "import json\nx = [[]] * 500_000\nwhile True: json.loads(json.dumps(x))",
    "path bomb": _BOMB + "while True:\n    try: os.stat('/data/' + previous)\n"
    "    except OSError: pass",
    "many files": "import os\nfor i in range(5000): open(f'/tmp/{i}', 'w').close()\n"
    "while True: os.listdir('/tmp')",
    "large writes": "import os\nf = os.open('/tmp/x', os.O_RDWR | os.O_CREAT)\n"
    "x = bytes(20 << 20)\nwhile True: os.pwrite(f, x, 0)",
    "random bytes": "import os\nwhile True: os.urandom(16 << 20)",
    "output": "x = 'y' * 1_000_000\nwhile True: print(x)",
    "small output": "import os\nwhile True: os.write(1, b'')",
    "locks": "import sqlite3\nwhile True: sqlite3.connect('/tmp/d').execute("
    "'create table if not exists t (x)').close()",
    "callbacks, small": "while True: cb.sync()",
    "callbacks, lists": _CALLS.format(unit="[]", count=50_000),
    "callbacks, numbers": _CALLS.format(unit="1", count=80_000),
    "callbacks, far too much": _CALLS.format(unit="[]", count=3_000_000),
    "callbacks, many at once": "import asyncio\nwhile True: await asyncio.gather(*[cb() "
    "for _ in range(50)])",
    "callbacks, caught": "while True:\n    try: cb.sync()\n    except BaseException: pass",
    "reports": "import _eryx\nx = b'y' * (8 << 20)\nwhile True: _eryx.report(1, x)",
    "events": "import _eryx\nx = '[' + '[],' * 300_000 + '[]]'\nwhile True: _eryx.trace(x)",
    "keys": "import _eryx\nx = bytes(50_000)\nwhile True: _eryx.ask(1, 20, 0, x, 0)",
    "certificates": "import ssl\nx = ssl.create_default_context()\n"
    "while True: ssl.create_default_context().get_ciphers()",
    "result that never ends": "class D(dict):\n    def items(self):\n"
    "        while True: yield 'a', 1\nresult = D(a=1)",
    "text of an exception": "class E(Exception):\n    def __str__(self):\n"
    "        while True: pass\nraise E",
}
