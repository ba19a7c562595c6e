"""The parts of which both adapters are made, by themselves; and what is true of the modules."""

from __future__ import annotations

import copyreg
import doctest
import importlib
import os
import pickle
import re
import subprocess
import sys
import tomllib
import zlib
from pathlib import Path
from typing import Any

import pytest

import eryx
from clusters import ENGINES
from eryx.ext._cluster import _plain
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
