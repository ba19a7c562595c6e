"""CPython's own tests, run in sandboxes. expected.toml says which, and which are known to fail."""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from library import pack_with_tests
from suite import SuiteError, can_fetch, find_suite

import eryx

_HERE = Path(__file__).resolve().parent
_EXPECTED = tomllib.loads((_HERE / "expected.toml").read_text("utf-8"))
_FILES: dict[str, dict[str, Any]] = _EXPECTED["files"]
_REASONS: dict[str, str] = _EXPECTED["reasons"]
# A file takes seconds; this is for one that hangs, on a machine that is busy with other things.
_SECONDS = 240

Report = dict[str, Any]


class Runs:
    """Runs the chosen files ahead of the tests that look at them."""

    def __init__(self, library: Path, version: str, names: list[str]) -> None:
        self.version = version
        self._library = library
        self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1))
        self._futures: dict[str, Future[Report]] = {
            name: self._pool.submit(self._run, name) for name in names
        }

    def report(self, name: str) -> Report:
        """What a file did; waits for it."""
        return self._futures[name].result()

    def close(self) -> None:
        """Starts no more."""
        self._pool.shutdown(cancel_futures=True)

    def _run(self, name: str) -> Report:
        expected = _FILES[name]
        request = {
            "module": name,
            "left_out": [full_pattern(name, each) for each in patterns(expected, "left_out")],
            "stand_ins": expected.get("stand_ins", []),
            "sockets": expected.get("sockets", False),
            "threads": expected.get("threads", False),
        }
        try:
            done = subprocess.run(
                [
                    *(sys.executable, str(_HERE / "run_file.py"), str(self._library)),
                    *(str(_SECONDS), json.dumps(request)),
                ],
                capture_output=True,
                text=True,
                timeout=_SECONDS + 60,
                check=False,
            )
            report: Report = json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            return {"error": "the sandbox did not keep its time limit"}
        except ValueError:
            said = done.stderr[-2000:] or done.stdout[-2000:]
            return {"error": f"exit code {done.returncode}: {said}"}
        return report


def patterns(expected: Mapping[str, Any], kind: str) -> dict[str, str]:
    """The patterns of test ids of a file under `left_out` or `failing`, each with its reason."""
    return {
        pattern: _REASONS[reason]
        for reason, listed in expected.get(kind, {}).items()
        for pattern in listed
    }


def full_pattern(name: str, pattern: str) -> str:
    """The pattern as it matches ids: in expected.toml they are without the file's name."""
    whole = pattern.startswith(("test.", "setUp"))
    return pattern if whole else f"test.{name}.{pattern}"


@pytest.fixture(scope="session")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """The files of this session, being run."""
    wanted = _EXPECTED["suite"]
    try:
        directory, version = find_suite(wanted)
    except SuiteError as error:
        if not can_fetch():
            pytest.skip("CPython's tests come with a Debian package, and there is no apt here")
        pytest.fail(str(error))
    library = tmp_path_factory.mktemp("regress") / "library.bin"
    pack_with_tests(Path(eryx.__file__).with_name("stdlib.bin"), directory, library)
    names = [
        str(item.callspec.params["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.function is test_file
        and item.callspec is not None
    ]
    started = Runs(library, version, names)
    yield started
    started.close()


@pytest.mark.timeout(1800)  # the first one waits for the download, and any one for its turn
@pytest.mark.parametrize("name", _FILES)
def test_file(runs: Runs, name: str) -> None:
    """A file fails exactly the tests that it is known to fail, and passes no fewer than before."""
    report = runs.report(name)
    details = report.get("details", {})
    assert report["error"] is None, f"{report['error']}\n{details.get('error', '')}"
    outcomes: dict[str, str] = report["outcomes"]
    failing = patterns(_FILES[name], "failing")
    complaints = []
    for test, outcome in outcomes.items():
        known = any(fnmatch.fnmatchcase(test, full_pattern(name, each)) for each in failing)
        if outcome == "failed" and not known:
            complaints.append(f"{test} fails:\n{details.get(test, '')}")
    for pattern, reason in failing.items():
        matching = fnmatch.filter(outcomes, full_pattern(name, pattern))
        if not any(outcomes[test] == "failed" for test in matching):
            complaints.append(f"{pattern} does not fail any more ({reason})")
    passed = sum(outcome == "passed" for outcome in outcomes.values())
    if passed < _FILES[name]["passes"]:
        complaints.append(f"only {passed} tests pass; it were {_FILES[name]['passes']}")
    if complaints and runs.version != _EXPECTED["suite"]:
        pytest.xfail(f"what is expected is known of {_EXPECTED['suite']}, not {runs.version}")
    assert not complaints, "\n".join(complaints)


def test_enough_files() -> None:
    """The list does not shrink unnoticed."""
    assert len(_FILES) >= 250
