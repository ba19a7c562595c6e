"""The parts of which both adapters are made, by themselves; and what is true of the modules."""

from __future__ import annotations

import copyreg
import doctest
import importlib
import os
import pickle
import random
import re
import subprocess
import sys
import threading
import tomllib
import uuid
import zlib
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

import eryx
from clusters import ENGINES
from eryx.ext._cluster import _dispatcher, _plain
from eryx.ext._cluster._engine import Spot
from eryx.ext._cluster._jobs import Job, Setup
from eryx.ext._cluster._ledger import Ledger, digest_of

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall((ROOT / "docs" / "scale.md").read_text())

pytestmark = [pytest.mark.timeout(900)]


@pytest.mark.sample
class TestPlainData:
    def again(self, value: Any) -> Any:
        return _plain.loads(_plain.dumps(value))

    def test_results_come_back(self) -> None:
        session = eryx.Session(trace=True)
        for code in (
            "1",
            "open('/data/x', 'w').write('x'); print(1)",
            "result = {'a': b'1'.hex()}",
        ):
            result = session.execute(code)
            assert self.again(result) == result

    def test_exceptions_come_back(self) -> None:
        with pytest.raises(eryx.ExecutionError) as caught:
            eryx.Sandbox().execute("print('so far')\n1 / 0")
        again = self.again(caught.value)
        assert (type(again), str(again)) == (eryx.ExecutionError, str(caught.value))
        assert (again.exc_type, again.stdout) == ("ZeroDivisionError", "so far")

    def test_others_have_registered_ways_to_pickle_exceptions(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Dask's workers bring tblib, which wants a function of its own."""
        monkeypatch.setitem(
            copyreg.dispatch_table, eryx.TimeoutError, lambda error: (os.getenv, ("HOME",))
        )
        assert isinstance(self.again(eryx.TimeoutError("late")), eryx.TimeoutError)

    def test_nothing_else_is_read(self) -> None:
        for value in (os.system, eryx.Sandbox, Path("x"), print, type):
            with pytest.raises(pickle.UnpicklingError, match="is no part of what a run leaves"):
                _plain.loads(pickle.dumps(value))

    def test_of_strangers_the_text_comes_back(self) -> None:
        class OddError(Exception):
            pass

        assert str(_plain.exception(OddError("why"))) == "OddError: why"
        assert isinstance(_plain.exception(ValueError("x")), ValueError)


@pytest.mark.sample
class TestLedger:
    def filled(self, path: Path, count: int = 5) -> Ledger:
        ledger = Ledger(path)
        ledger.add((number, digest_of("x", {}), number * 2) for number in range(count))
        return ledger

    def test_has_what_was_added(self, tmp_path: Path) -> None:
        self.filled(tmp_path / "a").close()
        ledger = Ledger(tmp_path / "a")
        assert len(ledger) == 5
        assert ledger.find(3, digest_of("x", {})) == (6,)
        assert ledger.find(7, digest_of("x", {})) is None
        with pytest.raises(eryx.EryxError, match="program 3 of the ledger is another one"):
            ledger.find(3, digest_of("y", {}))
        ledger.close()

    def test_what_was_not_finished_is_cut_off(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        self.filled(path).close()
        whole = path.read_bytes()
        for length in range(len(whole) - 1, len(whole) - 60, -7):
            path.write_bytes(whole[:length])
            ledger = Ledger(path)
            assert len(ledger) == 4
            ledger.add([(4, digest_of("x", {}), "anew")])
            ledger.close()
            ledger = Ledger(path)
            assert ledger.find(4, digest_of("x", {})) == ("anew",)
            ledger.close()

    def test_damage_ends_it(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        self.filled(path).close()
        data = bytearray(path.read_bytes())
        data[-5] ^= 1
        path.write_bytes(data)
        ledger = Ledger(path)
        assert len(ledger) == 4
        ledger.close()

    def test_holds_no_code(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        self.filled(path, 0).close()
        data = pickle.dumps(os.getpid)
        header = len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little")
        path.write_bytes(path.read_bytes() + header + data)
        with pytest.raises(pickle.UnpicklingError, match="no part"):
            Ledger(path)

    def test_has_one_writer(self, tmp_path: Path) -> None:
        ledger = self.filled(tmp_path / "a")
        with pytest.raises(eryx.EryxError, match="in use"):
            Ledger(tmp_path / "a")
        ledger.close()

    def test_is_no_other_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_text("precious")
        with pytest.raises(eryx.EryxError, match="is no ledger"):
            Ledger(path)
        assert path.read_text() == "precious"


class _FaultyHost:
    def __init__(self) -> None:
        self.identity = uuid.uuid4().hex
        self.lock = threading.Lock()
        self.is_dead = False


class _FaultyEngine:
    """An engine of which hosts die at every step, and which forgets some that live."""

    name = "Faulty"
    identity = 0

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(8)
        self.ran: Counter[str] = Counter()
        self.acknowledged: set[str] = set()
        self.ran_again: list[str] = []

    def _happens(self, probability: float) -> bool:
        with self._lock:
            return self._chance.random() < probability

    def spots(self) -> list[Spot]:
        return [Spot(str(n), str(n), 1) for n in range(3) if not self._happens(0.05)]

    def start(self, spot: Spot) -> Future[Any]:
        return self._threads.submit(_FaultyHost)

    def call(self, host: _FaultyHost, method: str, *arguments: Any) -> Future[Any]:
        if host.is_dead and self._happens(0.5):
            raise ConnectionError("it is known to be dead")
        return self._threads.submit(self._answer, host, method, arguments)

    def _answer(self, host: _FaultyHost, method: str, arguments: tuple[Any, ...]) -> bytes:
        with host.lock:  # one message after the other
            self._may_die(host)
            value: object = None
            if method == "ready":
                value = {"host": "here", "pid": 0, "folder": "", "identity": host.identity}
            elif method == "prepare":
                value = True
            elif method == "run":
                identity, _, message = arguments
                assert identity == host.identity
                value = [self._run(host, code) for code, _ in pickle.loads(message)], 0.01
            self._may_die(host)  # it has run them, and the answer is lost
            return _plain.dumps(value)

    def _run(self, host: _FaultyHost, code: str) -> str:
        self._may_die(host)
        with self._lock:
            if host.is_dead:
                raise ConnectionError("it was stopped")
            self.ran[code] += 1
            if code in self.acknowledged:
                self.ran_again.append(code)
        return f"answer of {code}"

    def _may_die(self, host: _FaultyHost) -> None:
        host.is_dead = host.is_dead or self._happens(0.01)
        if host.is_dead:
            raise ConnectionError("it has died")

    def acknowledge(self, code: str) -> None:
        with self._lock:
            self.acknowledged.add(code)

    def stop(self, host: _FaultyHost) -> None:
        with self._lock:
            host.is_dead = True

    def put(self, data: bytes, away_from: Spot | None = None) -> Any:
        return data

    def deliver(self, host: _FaultyHost, name: str, reference: Any) -> Future[Any]:
        return self.call(host, "deliver", name, reference)

    def dumps(self, value: object) -> bytes:
        return pickle.dumps(value)


class _CountedJob(Job):
    """Says what it was answered."""

    __slots__ = ("_engine", "_told")

    def __init__(self, setup: Setup, code: str, engine: _FaultyEngine, told: Any) -> None:
        super().__init__(setup, code, {}, retries=1000)
        self._engine = engine
        self._told = told

    def finish(self, ending: Any) -> None:
        self._engine.acknowledge(self.code)
        self._told.put((self, ending))

    def refuse(self, error: Exception) -> None:
        self._told.put((self, error))


@pytest.mark.sample
@pytest.mark.parametrize("seed", range(4))
def test_hosts_that_die_at_every_step_lose_nothing_and_repeat_no_answer(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What clusters that are killed at some moments cannot show of all of them."""
    monkeypatch.setattr(_dispatcher, "_QUICK_REFRESH_SECONDS", 0.001)
    monkeypatch.setattr(_dispatcher, "_TICK_SECONDS", 0.01)
    engine, told = _FaultyEngine(seed), SimpleQueue[Any]()
    dispatcher = _dispatcher.Dispatcher(engine, None, patience=600)
    setup = Setup(engine, None, {})
    jobs = [_CountedJob(setup, str(number), engine, told) for number in range(1500)]
    dispatcher.submit([*jobs])
    answers = [told.get(timeout=120) for _ in jobs]
    stats = dispatcher.stats()
    dispatcher.close()
    assert {job.code: ending for job, ending in answers} == {
        job.code: f"answer of {job.code}" for job in jobs
    }
    assert told.empty()
    assert engine.ran_again == []
    assert all(1 <= engine.ran[job.code] <= job.attempts for job in jobs)
    assert stats.lost_hosts > 10
    assert stats.resent == sum(job.attempts - 1 for job in jobs) > 10


@pytest.mark.parametrize("name", ENGINES)
class TestModules:
    def test_examples(self, name: str) -> None:
        failed, attempted = doctest.testmod(importlib.import_module(f"eryx.ext.{name}"))
        assert failed == 0
        assert attempted > 3

    def test_missing_package_is_named(self, name: str) -> None:
        package = {"ray": "ray", "dask": "distributed"}[name]
        code = f"import sys; sys.modules[{package!r}] = None; import eryx.ext.{name}"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert f"pip install 'eryx-sandbox[{name}]'" in done.stderr

    def test_extra_is_in_the_lock(self, name: str) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert len(project["optional-dependencies"][name]) == 1

    def test_without_a_cluster_it_says_so(self, name: str) -> None:
        code = f"import eryx.ext.{name} as engine; engine.submit('1')"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert {"ray": "call ray.init() first", "dask": "No client"}[name] in done.stderr


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block_of_the_page(number: int, tmp_path: Path) -> None:
    """A block of docs/scale.md runs; where a line ends in `# prints: TEXT` that is printed."""
    program = tmp_path / "example.py"
    program.write_text(BLOCKS[number])
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    expected = re.findall(r"# prints: (.*)$", BLOCKS[number], re.MULTILINE)
    assert expected
    for text in expected:
        assert text in done.stdout
