"""Programs that try to hang, crash or fill the host. Each is a promise of docs/security.md."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

import eryx
from conftest import LATENESS_MS, open_descriptors, private_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
TIMEOUT_MS = 300

HANGS = {
    "tight loop": "while True: pass",
    "sum of a long range": "sum(range(10**12))",
    "catastrophic regex": "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
    "huge power": "10**10**8",
    "long sleep": "import time; time.sleep(1e9)",
    "sleep in asyncio": "import asyncio; await asyncio.sleep(1e9)",
    "itertools": "import itertools, collections; collections.deque(itertools.count(), maxlen=0)",
    "list search": "x = [0] * 1000000\nwhile True: x.count(1)",
    "sort": "import random\nwhile True: sorted(range(1000000), key=lambda x: -x)",
    "generator": "all(True for _ in iter(int, 1))",
    "string multiplication": "while True: ('a' * 1000000).count('aaab')",
    "select": "import select; select.select([], [], [], 1e6)",
    "hash": "import hashlib\ndata = bytes(10_000_000)\nwhile True: hashlib.sha256(data)",
    "zlib": "import zlib\nwhile True: zlib.compress(b'ab' * 1000000, 9)",
    "sqlite": "import sqlite3; sqlite3.connect(':memory:').execute("
    "'with recursive t(x) as (select 1 union all select x + 1 from t) select count(*) from t')",
    "exception storm": "while True:\n    try: raise ValueError\n    except ValueError: pass",
    "system calls": "import os\nwhile True: os.stat('/tmp')",
    "writes": "import os\nwhile True: os.write(1, b'')",
}

WRAPPERS = {
    "plain": "{body}",
    "swallowed": "while True:\n    try:\n{indented}\n    except BaseException:\n        pass",
    "finally": "try:\n{indented}\nfinally:\n    while True: pass",
}


def indent(code: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in code.splitlines())


class TestTime:
    @pytest.mark.parametrize("wrapper", WRAPPERS)
    @pytest.mark.parametrize("hang", HANGS)
    def test_ends_at_its_deadline(self, hang: str, wrapper: str) -> None:
        body = HANGS[hang]
        indented = indent(body, 8 if wrapper == "swallowed" else 4)
        code = "print('before', flush=True)\n" + WRAPPERS[wrapper].format(
            body=body, indented=indented
        )
        limits = eryx.ResourceLimits(execution_timeout_ms=TIMEOUT_MS)
        sandbox = eryx.Sandbox(resource_limits=limits)
        started = time.monotonic()
        with pytest.raises(eryx.TimeoutError, match="timed out") as caught:
            sandbox.execute(code)
        elapsed_ms = (time.monotonic() - started) * 1000
        assert caught.value.stdout == "before"
        assert caught.value.duration_ms >= TIMEOUT_MS
        assert elapsed_ms <= TIMEOUT_MS + LATENESS_MS
        assert sandbox.execute("print('after')").stdout == "after"

    @pytest.mark.parametrize(
        "code",
        [
            "import atexit\n@atexit.register\ndef f():\n    while True: pass",
            "class A:\n    def __del__(self):\n        while True: pass\na = A()",
            "import sys\nclass W:\n    def write(self, s): pass\n    def flush(self):\n"
            "        while True: pass\nsys.stdout = W()",
            "import sys\ndef hook(*a):\n    while True: pass\nsys.excepthook = hook\n1/0",
            "class D(dict):\n    def items(self):\n        while True: yield 'a', 1\n"
            "result = D(a=1)",
            "import signal\nsignal.signal(signal.SIGINT, lambda *a: None)\nwhile True: pass",
            "import sys\nsys.setswitchinterval(1e9)\nwhile True: pass",
            "import sys\nsys.settrace(lambda *a: None)\nwhile True: pass",
            "import gc\ngc.callbacks.append(lambda *a: (_ for _ in ()).throw(1))\n"
            "while True: x = []; x.append(x)",
        ],
    )
    def test_ends_in_hooks_too(self, code: str) -> None:
        # So much memory that the time is over before.
        limits = eryx.ResourceLimits(execution_timeout_ms=TIMEOUT_MS, max_memory_bytes=1 << 30)
        started = time.monotonic()
        with pytest.raises(eryx.EryxError) as caught:
            eryx.Sandbox(resource_limits=limits).execute(code)
        assert isinstance(caught.value, (eryx.TimeoutError, eryx.ExecutionError))
        assert (time.monotonic() - started) * 1000 <= TIMEOUT_MS + LATENESS_MS


class TestMemory:
    @pytest.mark.parametrize(
        "code",
        [
            "'a' * 10**10",
            "x = []\nwhile True: x.append('a' * 1000)",
            "x = {}\nfor i in range(10**9): x[i] = {i: {}}",
            "x = [[]]\nwhile True: x = x + x",
            "x = 'a'\nwhile True: x += x",
            "1 << 10**11",
            "bytearray(2**33)",
            "list(range(10**10))",
            "import itertools; list(itertools.repeat(0, 10**10))",
            "x = set()\nwhile True: x.add(object())",
            "'%*d' % (10**10, 1)",
            "import zlib; zlib.decompress(zlib.compress(b'0' * 50_000_000) , bufsize=10**10)",
            "def f(): yield from f()\nlist(f())",
            "import json; json.dumps([['a' * 10**6] * 100] * 100)",
        ],
    )
    def test_bombs_end_in_the_guest(self, code: str) -> None:
        limits = eryx.ResourceLimits(max_memory_bytes=96 * MIB, execution_timeout_ms=20_000)
        sandbox = eryx.Sandbox(resource_limits=limits)
        before = private_bytes()
        left: eryx.ExecuteResult | eryx.EryxError
        try:
            left = sandbox.execute(code)
        except eryx.EryxError as error:
            left = error
        assert left.peak_memory_bytes <= 96 * MIB
        assert private_bytes() - before < 120 * MIB
        assert sandbox.execute("print('after')").stdout == "after"

    def test_memory_error_can_be_caught(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(
            "x = []\n"
            "try:\n"
            "    while True: x.append(bytearray(1_000_000))\n"
            "except MemoryError:\n"
            "    del x\n"
            "    print('caught')"
        )
        assert result.stdout == "caught"
        assert result.memory_limit_hit


RECURSIONS = {
    "python": "def f(): return f()\nf()",
    "python without a limit": "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()",
    "through C": "class A:\n    def __getattr__(self, n): return getattr(self, n + 'x')\nA().a",
    "repr": "x = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
    "repr without a limit": "import sys\nsys.setrecursionlimit(10**9)\n"
    "x = []\nfor _ in range(10**6): x = [x]\nrepr(x)",
    "delete": "x = []\nfor _ in range(10**6): x = [x]\ndel x\nprint('fine')",
    "delete tuples": "x = ()\nfor _ in range(10**6): x = (x,)\ndel x\nprint('fine')",
    "delete objects": "class A: pass\nx = None\nfor _ in range(10**5):\n    a = A()\n    a.x = x\n"
    "    x = a\ndel x, a\nprint('fine')",
    "compare": "x, y = [], []\nfor _ in range(10**5): x, y = [x], [y]\nx == y",
    "hash": "x = ()\nfor _ in range(10**5): x = (x,)\nhash(x)",
    "deep JSON": "import json; json.loads('[' * 10**5)",
    "deep JSON out": "import json\nx = []\nfor _ in range(10**5): x = [x]\njson.dumps(x)",
    "deep parentheses": "eval('(' * 10**5 + ')' * 10**5)",
    "deep lists": "eval('[' * 10**5 + ']' * 10**5)",
    "deep unary": "eval('-' * 10**5 + '1')",
    "deep attribute": "eval('a' + '.a' * 10**5)",
    "deep AST": "import ast\nx = ast.Constant(1)\n"
    "for _ in range(10**5): x = ast.UnaryOp(ast.USub(), x)\n"
    "compile(ast.fix_missing_locations(ast.Expression(x)), 'f', 'eval')",
    "nested generators": "def g(n):\n    if n: yield from g(n - 1)\n    yield n\nlist(g(10**5))",
    "chained iterators": "import itertools\nx = iter(())\n"
    "for _ in range(10**5): x = itertools.chain(x)\n"
    "list(x)",
    "pickle": "import pickle\nx = []\nfor _ in range(10**5): x = [x]\npickle.dumps(x)",
    "copy": "import copy\nx = []\nfor _ in range(10**5): x = [x]\ncopy.deepcopy(x)",
    "regex": "import re; re.compile('(' * 10**5 + ')' * 10**5)",
    "exception chain": "e = None\nfor _ in range(10**5):\n    n = ValueError()\n"
    "    n.__context__ = e\n    e = n\nraise e",
    "partial": "import functools\nf = int\nfor _ in range(10**5): f = functools.partial(f)\nf()",
    "descriptor": "class A:\n    @property\n    def x(self): return self.x\nA().x",
    "isinstance": "x = int\nfor _ in range(10**5): x = (x,)\nisinstance(1, x)",
    "union": "x = int\nfor _ in range(10**4): x = x | list[x]\nrepr(x)",
    "str of nested": "x = {}\nfor _ in range(10**5): x = {1: x}\nstr(x)",
    "marshal": "import marshal\nx = ()\nfor _ in range(10**5): x = (x,)\nmarshal.dumps(x)",
    "xml": "import xml.etree.ElementTree as e; e.fromstring('<a>' * 10**5 + '</a>' * 10**5)",
}


def survive(code: str) -> None:
    """Whatever happens inside, the host goes on and the sandbox too."""
    limits = eryx.ResourceLimits(execution_timeout_ms=20_000, max_memory_bytes=512 * MIB)
    sandbox = eryx.Sandbox(resource_limits=limits)
    try:
        sandbox.execute(code)
    except eryx.EryxError:
        pass
    assert sandbox.execute("print('after')").stdout == "after"


class TestRecursion:
    @pytest.mark.parametrize("name", RECURSIONS)
    def test_on_the_main_thread(self, name: str) -> None:
        survive(RECURSIONS[name])

    @pytest.mark.parametrize("name", RECURSIONS)
    def test_on_a_thread_with_a_small_stack(self, name: str) -> None:
        problems: list[BaseException] = []

        def work() -> None:
            try:
                survive(RECURSIONS[name])
            except BaseException as error:
                problems.append(error)

        before = threading.stack_size(256 * 1024)
        try:
            thread = threading.Thread(target=work)
            thread.start()
        finally:
            threading.stack_size(before)
        thread.join()
        assert problems == []

    def test_recursion_error_comes_first(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(
            "def f(): return f()\n"
            "try: f()\n"
            "except RecursionError: print('caught')\n"
            "x = int\n"
            "for _ in range(10**6): x = (x,)\n"
            "try: isinstance(1, x)\n"
            "except RecursionError: print('caught')\n"
            "del x"
        )
        assert result.stdout == "caught\ncaught"


class TestEnds:
    @pytest.mark.parametrize(
        ("code", "exit_code"),
        [
            ("import os; os._exit(3)", 3),
            ("import os; os.abort()", None),
            ("import sys; sys.exit(4)", 4),
            ("import os; os.kill(os.getpid(), 9)", None),
            ("import signal; signal.raise_signal(signal.SIGABRT)", None),
            ("import faulthandler; faulthandler._sigsegv()", None),
            ("import faulthandler; faulthandler._fatal_error_c_thread()", None),
        ],
    )
    def test_guest_ends_alone(
        self, sandbox: eryx.Sandbox, code: str, exit_code: int | None
    ) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            sandbox.execute("print('before', flush=True)\n" + code)
        assert caught.value.stdout.startswith("before")
        if exit_code is not None:
            assert caught.value.exit_code == exit_code
        assert sandbox.execute("print('after')").stdout == "after"

    def test_exit_with_code_zero_is_success(self, sandbox: eryx.Sandbox) -> None:
        assert sandbox.execute("import os\nprint('x', flush=True)\nos._exit(0)").stdout == "x"

    def test_corrupt_bytecode_stays_inside(self, sandbox: eryx.Sandbox) -> None:
        code = (
            "def f(): pass\n"
            "for seed in range({}, {} + 1):\n"
            "    import random\n"
            "    r = random.Random(seed)\n"
            "    f.__code__ = f.__code__.replace("
            "co_code=bytes(r.randrange(256) for _ in range(64)))\n"
            "    try: f()\n"
            "    except Exception: pass"
        )
        for seed in range(25):
            survive(code.format(seed, seed))

    def test_corrupt_marshal_and_pickle_stay_inside(self) -> None:
        survive(
            "import marshal, pickle, random\n"
            "r = random.Random(1)\n"
            "for _ in range(3000):\n"
            "    data = r.randbytes(r.randrange(1, 60))\n"
            "    for load in (marshal.loads, pickle.loads):\n"
            "        try: load(data)\n"
            "        except Exception: pass"
        )


class TestSource:
    def test_null_byte(self, sandbox: eryx.Sandbox) -> None:
        with pytest.raises(eryx.ExecutionError):
            sandbox.execute("print('a')\0print('b')")
        with pytest.raises(eryx.ExecutionError):
            sandbox.execute("\0")

    def test_lone_surrogates(self, sandbox: eryx.Sandbox) -> None:
        with pytest.raises(eryx.ExecutionError):
            sandbox.execute("x = '\ud800'")
        result = sandbox.execute(r"x = '\ud800'; print(ascii(x))")
        assert result.stdout == r"'\ud800'"
        with pytest.raises(eryx.ExecutionError):
            sandbox.execute(r"print('\ud800')")

    def test_surrogates_in_a_result(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(r"result = '\ud800'")
        assert result.result == "\ud800" or result.result_error

    def test_50_mb_of_source(self) -> None:
        survive("#" + "x" * 50_000_000)
        survive("x = '" + "y" * 50_000_000 + "'")
        survive("x = 1\n" * 5_000_000)

    def test_deep_parentheses_in_the_source(self) -> None:
        survive("(" * 10**5 + ")" * 10**5)
        survive("(" * 10**5)

    @pytest.mark.parametrize("code", ["\ufeffprint(1)", "print(1)\r\nprint(2)\r", "\x0cprint(1)"])
    def test_odd_beginnings_and_line_ends(self, sandbox: eryx.Sandbox, code: str) -> None:
        assert sandbox.execute(code).stdout[0] == "1"

    def test_encoding_cookie_is_no_surprise(self, sandbox: eryx.Sandbox) -> None:
        assert sandbox.execute("# -*- coding: latin-1 -*-\nprint(ascii('é'))").stdout == r"'\xe9'"


class TestFloods:
    def test_a_gigabyte_of_output_in_flat_memory(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=120_000, max_output_bytes=4 * MIB)
        sandbox = eryx.Sandbox(resource_limits=limits)
        before = private_bytes()
        result = sandbox.execute(
            "import os\nline = b'x' * 999_999 + b'\\n'\n"
            "for _ in range(1000):\n    view = memoryview(line)\n"
            "    while view: view = view[os.write(1, view):]"
        )
        assert result.stdout_truncated
        assert len(result.stdout_bytes) <= 4 * MIB
        assert private_bytes() - before < 64 * MIB

    def test_endless_prints_end_at_the_deadline(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=500, max_output_bytes=MIB)
        before = private_bytes()
        with pytest.raises(eryx.TimeoutError) as caught:
            eryx.Sandbox(resource_limits=limits).execute("while True: print('x' * 1000)")
        assert caught.value.stdout_truncated
        assert private_bytes() - before < 64 * MIB

    def test_ten_thousand_open_files(self, sandbox: eryx.Sandbox) -> None:
        before = open_descriptors()
        result = sandbox.execute(
            "files = []\n"
            "try:\n"
            "    for number in range(10**4): files.append(open(f'/tmp/{number}', 'wb', 0))\n"
            "except OSError as error: print(type(error).__name__)\n"
            "print(len(files) > 100)"
        )
        assert result.stdout.split()[-1] == "True"
        assert open_descriptors() == before

    def test_long_and_deep_paths(self, sandbox: eryx.Sandbox) -> None:
        result = sandbox.execute(
            "import os\n"
            "for path in ('/data/' + 'x' * 10**6, '/data/' + 'a/' * 10**5, '/' * 10**6, 'a\\0b'):\n"
            "    try: os.stat(path)\n"
            "    except (OSError, ValueError) as error: print('refused')\n"
            "    else: print('fine')\n"
            "os.chdir('/data')\n"
            "try:\n"
            "    for _ in range(20_000):\n"
            "        os.mkdir('d')\n"
            "        os.chdir('d')\n"
            "except OSError as error: print('refused')"
        )
        assert result.stdout.count("refused") >= 3


class TestMany:
    def test_two_thousand_live_sandboxes(self) -> None:
        before = open_descriptors()
        sandboxes = [eryx.Sandbox() for _ in range(2000)]
        for number in (0, 999, 1999):
            assert sandboxes[number].execute(f"print({number})").stdout == str(number)
        assert open_descriptors() == before
        del sandboxes

    def test_many_cycles_leave_nothing(self) -> None:
        def cycle() -> None:
            assert eryx.Sandbox().execute("print(1)").stdout == "1"

        for _ in range(200):
            cycle()
        memory, descriptors = private_bytes(), open_descriptors()
        for _ in range(20_000):
            cycle()
        assert private_bytes() - memory < 8 * MIB
        assert open_descriptors() == descriptors

    def test_many_failing_cycles_leave_nothing(self) -> None:
        limits = eryx.ResourceLimits(execution_timeout_ms=5)
        sandbox = eryx.Sandbox(resource_limits=limits)

        def cycle() -> None:
            for code in ("while True: pass", "1/0", "import os; os._exit(1)"):
                with pytest.raises(eryx.EryxError):
                    sandbox.execute(code)

        for _ in range(20):
            cycle()
        memory, descriptors = private_bytes(), open_descriptors()
        for _ in range(200):
            cycle()
        assert private_bytes() - memory < 8 * MIB
        assert open_descriptors() == descriptors

    def test_memory_comes_back(self) -> None:
        sandboxes = [eryx.Sandbox() for _ in range(20)]
        before = private_bytes()
        for sandbox in sandboxes:
            sandbox.execute("data = bytearray(60_000_000)")
        assert private_bytes() - before < 200 * MIB
        del sandboxes
        assert private_bytes() - before < 40 * MIB

    def test_address_space_limit(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import resource
            resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
            import eryx
            live = []
            try:
                for _ in range(100):
                    live.append(eryx.Sandbox())
                    assert live[-1].execute("print(1)").stdout == "1"
            except eryx.InitializationError as error:
                print("refused", len(live) < 3, "RLIMIT_AS" in str(error))
            """
        )
        assert output == "refused True True"

    @pytest.mark.parametrize("megabytes", [20, 60, 300])
    def test_data_limit(self, child: Callable[[str], str], megabytes: int) -> None:
        """It was told as RLIMIT_AS, and as a wall that does not hold."""
        output = child(
            f"""
            import resource
            import eryx
            limits = ({megabytes} << 20, {megabytes} << 20)
            resource.setrlimit(resource.RLIMIT_DATA, limits)
            live = []
            try:
                for _ in range(100):
                    live.append(eryx.Sandbox())
                    assert live[-1].execute("print(1)").stdout == "1"
            except (eryx.InitializationError, MemoryError) as error:
                print("RLIMIT_DATA" in str(error), "RLIMIT_AS" in str(error))
            """
        )
        assert output == "True False"

    def test_no_address_space_at_all(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import resource
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
            import eryx
            for _ in range(3):
                try:
                    eryx.Sandbox()
                except eryx.InitializationError as error:
                    print("refused")
            """
        )
        assert output.split() == ["refused"] * 3

    def test_no_descriptors_left(self, child: Callable[[str], str]) -> None:
        output = child(
            """
            import os, eryx
            import encodings.utf_8
            files = []
            try:
                while True:
                    files.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                pass
            try:
                eryx.Sandbox()
            except eryx.InitializationError:
                print("refused")
            for file in files:
                os.close(file)
            print(eryx.Sandbox().execute("print(1)").stdout)
            """
        )
        assert output.split() == ["refused", "1"]
