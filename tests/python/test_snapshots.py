"""Snapshots: variables as bytes, read inside the sandbox only."""

from __future__ import annotations

import pickle
import textwrap

import pytest

import eryx


@pytest.fixture
def session() -> eryx.Session:
    return eryx.Session()


def carried(session: eryx.Session, code: str, check: str) -> str:
    """Output of a program in a session that got the variables of another program."""
    session.execute(textwrap.dedent(code))
    other = eryx.Session()
    other.restore_state(session.snapshot_state())
    return other.execute(textwrap.dedent(check)).stdout


class TestSnapshots:
    def test_is_bytes(self, session: eryx.Session) -> None:
        session.execute("x = 1")
        snapshot = session.snapshot_state()
        assert isinstance(snapshot, bytes)
        assert len(snapshot) > 84
        assert snapshot.skipped == ()

    def test_same_session_after_clear(self, session: eryx.Session) -> None:
        session.execute("x = [1, 2]; y = x; n = None")
        snapshot = session.snapshot_state()
        session.clear_state()
        session.restore_state(bytes(snapshot))
        assert session.execute("print(x, y is x, n)").stdout == "[1, 2] True None"
        assert session.execution_count == 2

    def test_plain_data(self, session: eryx.Session) -> None:
        code = """
            import datetime, decimal, collections, re
            value = {
                "i": 10**40, "f": 0.1, "b": b"x", "s": "\\ud800é", "n": None, "t": (1, (2,)),
                "set": frozenset({1}), "d": datetime.date(2020, 1, 2), "m": decimal.Decimal("1.5"),
                "o": collections.OrderedDict(a=1), "r": re.compile("a+"), "c": 1j,
            }
            value["self"] = value
        """
        check = (
            "print(ascii({k: v for k, v in value.items() if k != 'self'}), value['self'] is value)"
        )
        assert carried(session, code, check) == session.execute(check).stdout

    def test_functions_see_the_globals_they_are_put_into(self, session: eryx.Session) -> None:
        code = """
            count = 1
            def bump(by=2, *, more=0):
                "Adds."
                global count
                count += by + more
                return count
            bump.note = "kept"
        """
        check = """
            count = 10
            print(bump(), bump(5, more=1), count, bump.__doc__, bump.note, bump.__name__)
        """
        assert carried(session, code, check) == "12 18 18 Adds. kept bump"

    def test_closures_lambdas_recursion(self, session: eryx.Session) -> None:
        code = """
            def counter():
                n = 0
                def up():
                    nonlocal n
                    n += 1
                    return n
                def down():
                    nonlocal n
                    n -= 1
                    return n
                return up, down
            up, down = counter()
            up(); up()
            square = lambda n: n * n
            def outer():
                def fact(n): return 1 if n < 2 else n * fact(n - 1)
                return fact
            fact = outer()
            async def later(): return 7
            def numbers():
                yield from (1, 2)
        """
        check = "print(up(), down(), down(), square(9), fact(5), await later(), list(numbers()))"
        assert carried(session, code, check) == "3 2 1 81 120 7 [1, 2]"

    def test_classes_and_instances(self, session: eryx.Session) -> None:
        code = """
            from dataclasses import dataclass, field
            from abc import ABC, abstractmethod
            from typing import NamedTuple
            from enum import Enum

            class Base(ABC):
                registry = []
                def __init_subclass__(cls, **keywords):
                    Base.registry.append(cls.__name__)
                @abstractmethod
                def area(self): ...
                @classmethod
                def make(cls): return cls(3)
                @staticmethod
                def twice(n): return 2 * n
                @property
                def double(self): return 2 * self.area()

            class Square(Base):
                __slots__ = ("side",)
                def __init__(self, side): self.side = side
                def area(self): return super().__class__ and self.side ** 2
                class Inner:
                    value = 5

            @dataclass(order=True)
            class Point:
                x: int
                tags: list = field(default_factory=list)

            class Pair(NamedTuple):
                a: int
                b: str = "b"

            class Color(Enum):
                RED = 1
                BLUE = 2
                def shout(self): return self.name + "!"

            class Node:
                def __init__(self): self.me = self
                def __reduce__(self): return Node, ()

            square = Square(4)
            point = Point(1, ["t"])
            pair = Pair(1)
            color = Color.BLUE
            node = Node()
        """
        check = """
            from dataclasses import replace, fields
            print(square.area(), square.double, Square.make().side, Square.twice(4))
            print(Square.Inner.value)
            print(Base.registry, isinstance(square, Base))
            try:
                Base()
            except TypeError:
                print("abstract")
            print(point, replace(point, x=2), Point(1) < Point(2))
            print([f.name for f in fields(Point)], pair, pair._replace(a=2))
            print(color, color is Color.BLUE, Color(1).shout(), len(Color))
            print(node.me is node, type(node) is Node)
        """
        assert carried(session, code, check) == session.execute(textwrap.dedent(check)).stdout

    def test_modules_are_imported_again(self, session: eryx.Session) -> None:
        code = (
            "import json as j, os.path\nfrom math import sqrt\ndef f(): return j.dumps([sqrt(4)])"
        )
        assert carried(session, code, "print(f(), os.path.join('a', 'b'))") == "[2.0] a/b"

    def test_what_cannot_be_pickled_is_named(self, session: eryx.Session) -> None:
        session.execute(
            "import threading, sys\nx = 1\ng = (n for n in ())\nlock = threading.Lock()\n"
            "f = open('/data/f', 'w')\n"
            "class Bad:\n    def __reduce__(self): raise ValueError('no')\nbad = [Bad()]\ny = 2"
        )
        snapshot = session.snapshot_state()
        assert set(snapshot.skipped) == {"g", "lock", "f", "bad"}
        other = eryx.Session()
        other.restore_state(snapshot)
        assert other.execute("print(x, y, 'g' in globals())").stdout == "1 2 False"

    def test_private_names_are_not_stored(self, session: eryx.Session) -> None:
        session.execute("_eryx_x = 1\n__version__ = '2'\n_mine = 3")
        other = eryx.Session()
        other.restore_state(session.snapshot_state())
        names = "print(sorted(n for n in globals() if n in ('_eryx_x', '__version__', '_mine')))"
        assert other.execute(names).stdout == "['_mine']"

    def test_restoring_merges(self, session: eryx.Session) -> None:
        empty = session.snapshot_state()
        session.execute("x = 1; y = 2")
        session.restore_state(empty)
        assert session.execute("print(x, y)").stdout == "1 2"
        snapshot = session.snapshot_state()
        session.execute("x = 5; z = 3")
        session.restore_state(snapshot)
        assert session.execute("print(x, y, z)").stdout == "1 2 3"

    def test_too_large(self, session: eryx.Session) -> None:
        session.execute("x = b'x' * 11_000_000")
        with pytest.raises(eryx.ResourceLimitError, match=r"110\d+ bytes, the limit is 10485760"):
            session.snapshot_state()
        assert session.execute("print(len(x))").stdout == "11000000"
        session.execute("x = b'x' * 2000")
        with pytest.raises(eryx.ResourceLimitError, match="the limit is 1000"):
            session.snapshot_state(max_bytes=1000)
        snapshot = session.snapshot_state()
        with pytest.raises(eryx.InitializationError, match="the limit is 100"):
            session.restore_state(snapshot, max_bytes=100)

    def test_a_larger_limit_is_kept_whatever_results_may_have(self) -> None:
        session = eryx.Session(resource_limits=eryx.ResourceLimits(max_result_bytes=100))
        session.execute("x = b'x' * 20_000_000")
        snapshot = session.snapshot_state(max_bytes=30_000_000)
        assert len(snapshot) > 20_000_000
        assert session.execute("result = 'y' * 200").result_error is not None
        session.clear_state()
        session.restore_state(snapshot, max_bytes=30_000_000)
        assert session.execute("print(len(x))").stdout == "20000000"

    def test_every_changed_byte_is_noticed(self, session: eryx.Session) -> None:
        session.execute("x = 1")
        snapshot = session.snapshot_state()
        session.execute("x = 2")
        for position in range(len(snapshot)):
            for bit in (1, 0x80):
                damaged = bytearray(snapshot)
                damaged[position] ^= bit
                with pytest.raises(eryx.InitializationError):
                    session.restore_state(bytes(damaged))
        for length in range(len(snapshot)):
            with pytest.raises(eryx.InitializationError):
                session.restore_state(snapshot[:length])
        with pytest.raises(eryx.InitializationError):
            session.restore_state(snapshot + b"\0")
        assert session.execute("print(x)").stdout == "2"
        assert session.execution_count == 3

    def test_reasons(self, session: eryx.Session) -> None:
        snapshot = session.snapshot_state()
        for data, reason in (
            (b"", "too short"),
            (b"x" * 200, "no snapshot"),
            (snapshot[:8] + b"\x63" + snapshot[9:], "format 99"),
            (snapshot[:20] + b"\0\0\0" + snapshot[23:], "another build"),
            (snapshot[:-1] + bytes([snapshot[-1] ^ 1]), "damaged"),
        ):
            with pytest.raises(eryx.InitializationError, match=reason):
                session.restore_state(data)
        with pytest.raises(TypeError):
            session.restore_state("text")  # type: ignore[arg-type]

    def test_key(self, session: eryx.Session) -> None:
        session.execute("x = 1")
        snapshot = session.snapshot_state(key=b"secret")
        other = eryx.Session()
        other.restore_state(snapshot, key=b"secret")
        assert other.execute("print(x)").stdout == "1"
        for key in (b"another", None):
            with pytest.raises(eryx.InitializationError, match="key"):
                other.restore_state(snapshot, key=key)
        with pytest.raises(eryx.InitializationError, match="without a key"):
            other.restore_state(session.snapshot_state(), key=b"secret")
        for wrong in ("text", b""):
            with pytest.raises((TypeError, ValueError)):
                session.snapshot_state(key=wrong)  # type: ignore[arg-type]

    def test_the_host_never_unpickles(
        self, session: eryx.Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*arguments: object, **keywords: object) -> None:
            raise AssertionError("unpickled on the host")

        session.execute("class A: pass\nx = A()")
        for name in ("loads", "load", "Unpickler"):
            monkeypatch.setattr(pickle, name, refuse)
        session.restore_state(session.snapshot_state())

    def test_hostile_snapshot_acts_inside_only(self, session: eryx.Session) -> None:
        session.execute(
            "import os\nclass Evil:\n"
            "    def __reduce__(self): return eval, (\"open('/data/owned', 'w').write('x')\",)\n"
            "evil = Evil()"
        )
        snapshot = session.snapshot_state()
        other = eryx.Session()
        other.restore_state(snapshot)
        assert other.execute("import os; print(os.listdir('/data'))").stdout == "['owned']"

    def test_endless_snapshot_is_stopped(self, session: eryx.Session) -> None:
        session.execute(
            "class Endless:\n"
            "    def __reduce__(self): return exec, ('while True: pass',)\n"
            "endless = Endless()"
        )
        snapshot = session.snapshot_state()
        other = eryx.Session(execution_timeout_ms=100)
        other.execute("x = 1")
        with pytest.raises(eryx.TimeoutError):
            other.restore_state(snapshot)
        assert other.execute("print(x)").stdout == "1"

    def test_memory_hungry_snapshot_is_refused(self, session: eryx.Session) -> None:
        session.execute("x = bytes(9_000_000)")
        snapshot = session.snapshot_state()
        small = eryx.Session(resource_limits=eryx.ResourceLimits(max_memory_bytes=25_000_000))
        small.execute("y = 1")
        with pytest.raises(eryx.ExecutionError, match="MemoryError"):
            small.restore_state(snapshot)
        assert small.execute("print(y, 'x' in globals())").stdout == "1 False"

    @pytest.mark.parametrize(
        "answer",
        [
            "[" * 100_000,
            "[]",
            "null",
            '{"size": 1}',
            '{"size": "many", "skipped": [], "data": ""}',
            '{"size": 1e999, "skipped": [], "data": ""}',
            '{"size": 1, "skipped": 5, "data": ""}',
            '{"size": 1, "skipped": [], "data": 5}',
            '{"size": 1, "skipped": [], "data": "\u00fc"}',
            '{"size": 1, "skipped": [], "data": "QUJ"}',
            '{"size": 1000, "skipped": [], "data": ""}',
            '{"size": 1, "skipped": [], "data": "%s"}' % ("QUJD" * 1000),
            '{"size": 1, "skipped": ["%s"], "data": ""}' % ("x" * 2_000_000),
        ],
        ids=lambda answer: answer[:60],
    )
    def test_tampered_runtime_harms_only_its_session(
        self, session: eryx.Session, answer: str
    ) -> None:
        session.execute(
            "import _eryx_runtime.snapshot as s, _eryx\n"
            "real = _eryx.report\n"
            f"s._eryx.report = lambda field, data: real(field, {answer!r}.encode())\nx = 1"
        )
        with pytest.raises(eryx.EryxError):
            session.snapshot_state(max_bytes=500)
        assert session.execute("print(x)").stdout == "1"
