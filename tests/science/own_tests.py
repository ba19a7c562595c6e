"""Runs the packages' own tests in sandboxes, by pytest, and tells how they ended."""

from __future__ import annotations

import fnmatch
import json
import shutil
import tempfile
import tomllib
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import encodings_of_tiktoken

import eryx
from eryx.packages._standards import parse_wheel_filename
from native import build, pack, recipes, sources
from native.kit import Kit

EXPECTED = Path(__file__).with_name("expected.toml")

PYTEST = ("pytest", "iniconfig", "pluggy", "pygments", "hypothesis", "sortedcontainers", "attrs")

_PROGRAM = """
import os, sys, pytest

class Watch:
    def __init__(self):
        self.passed, self.skipped, self.failed = 0, 0, {{}}

    def pytest_runtest_logreport(self, report):
        if report.failed:
            said = str(report.longrepr).strip().splitlines()
            self.failed[report.nodeid] = said[-1][:300] if said else ""
        elif report.skipped:
            self.skipped += 1
        elif report.when == "call":
            self.passed += 1

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = str(report.longrepr).strip().splitlines()[-1][:300]

watch = Watch()
os.chdir("/data")
{before}
status = pytest.main({options!r}, plugins=[watch])
result = {{"passed": watch.passed, "skipped": watch.skipped, "failed": watch.failed,
          "status": int(status)}}
"""

_OPTIONS = (
    # What takes descriptors of its own, or the machine's time of day.
    *("-q", "--no-header", "--tb=line", "--capture=sys", "-p", "no:faulthandler"),
    *("-p", "no:cacheprovider", "-W", "ignore::pytest.PytestConfigWarning"),
    "--hypothesis-profile=default",
)
_LIMITS = eryx.ResourceLimits(
    execution_timeout_ms=3_600_000, max_memory_bytes=3 << 30, max_vfs_bytes=512 << 20
)


@dataclass(frozen=True)
class Package:
    """What the tests of one package take."""

    name: str
    archive: str = ""
    """The source archive that has the tests, if the wheel has not. It lies in /tests."""
    parts: tuple[str, ...] = ()
    """``NAME=PATH``: what is taken of it, by its name in /tests, which can be written; else all."""
    takes: tuple[str, ...] = ()
    """Further packages, of the group science-tests of the lock file or of eryx-science."""
    before: str = ""
    """A program that is run before."""
    encodings: bool = False
    """Whether the files of tiktoken's encodings lie in /encodings."""

    def of_companion(self, pinned: Container[str]) -> list[str]:
        """What eryx-science has to have. pinned: packages of the group science-tests."""
        return [*(each for each in self.takes if each not in pinned), self.name]


@dataclass
class Outcome:
    """How the tests of one file ended."""

    passed: int
    skipped: int
    failed: dict[str, str]
    """Last line of what was said, by the test's id."""
    output: str = ""


@dataclass(frozen=True)
class Expected:
    """What is known of one file of tests."""

    path: str
    package: Package
    passes: int
    sample: bool = False
    """Whether it is one of those that `make test` runs."""
    options: tuple[str, ...] = ()
    failing: dict[str, list[str]] = field(default_factory=dict)
    """Patterns of ids, by reason."""

    def is_expected(self, test: str) -> bool:
        """Whether a test is known to fail."""
        patterns = [pattern for found in self.failing.values() for pattern in found]
        return any(fnmatch.fnmatchcase(test, _escaped(pattern)) for pattern in patterns)


def _escaped(pattern: str) -> str:
    """Only * is special, since ids have brackets."""
    return "*" + pattern.replace("[", "[[]")


def expected() -> list[Expected]:
    """All that is in the list. Raises KeyError for a reason that is not explained."""
    data = tomllib.loads(EXPECTED.read_text())
    found = []
    for name, files in data["files"].items():
        package = _package(name, data)
        for path, fields in files.items():
            for reason in fields.get("failing", {}):
                data["reasons"][reason]
            options = tuple(fields.pop("options", ()))
            found.append(Expected(path=path, package=package, options=options, **fields))
    return found


def _package(name: str, data: dict[str, Any]) -> Package:
    fields = data.get("packages", {}).get(name, {})
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
    }
    return Package(name, **values)


def factory(package: Package, kit: Kit) -> eryx.SandboxFactory:
    """A factory with a package as it was built, its tests included, and pytest."""
    from eryx import science

    name = package.name
    pinned = {each.name for each in kit.lock.python[sources.TESTS]}
    known = package.of_companion(pinned)
    others = [wheel for wheel in science.wheels(known) if not _is(wheel, name)]
    own: list[tuple[str, bytes]] = []
    if package.archive and not package.parts:  # the wheel has no tests
        others = science.wheels(known)
    else:
        built = build.wheels(name, kit)
        left_out = recipes.load(name).leave_out
        own = [(wheel.name, pack.stubbed(wheel.read_bytes(), left_out)) for wheel in built]
    names = [*PYTEST, *(each for each in package.takes if each in pinned)]
    tests = [sources.wheel(each, kit.lock, kit.cache, sources.TESTS) for each in names]
    present = {parse_wheel_filename(wheel.name)[0] for wheel in [*others, *tests]}
    packaging = (
        [sources.wheel("packaging", kit.lock, kit.cache)] if "packaging" not in present else []
    )
    return eryx.SandboxFactory(
        packages=[*own, *map(str, [*others, *tests, *packaging])], cache=True
    )


def _is(wheel: Path, package: str) -> bool:
    return parse_wheel_filename(wheel.name)[0] == package


@contextmanager
def _volumes(package: Package, kit: Kit) -> Iterator[list[tuple[str, str, str]]]:
    """Those with the tests of an archive, and what they read."""
    with tempfile.TemporaryDirectory(prefix="eryx-tests-") as folder:
        volumes = [_tree(package, kit, Path(folder, "tests"))] if package.archive else []
        if package.encodings:
            Path(folder, "encodings").mkdir()
            encodings_of_tiktoken.write(Path(folder, "encodings"), kit)
            volumes.append((f"{folder}/encodings", "/encodings", "ro"))
        yield volumes


def _tree(package: Package, kit: Kit, folder: Path) -> tuple[str, str, str]:
    archive = sources.archive(package.archive, kit.lock, kit.cache)
    sources.unpack(archive, folder / "all")
    if not package.parts:
        return str(folder / "all"), "/tests", "ro"
    for part in package.parts:
        target, _, source = part.partition("=")
        shutil.move(folder / "all" / source, folder / target)
    shutil.rmtree(folder / "all")
    return str(folder), "/tests", "overlay"


def run(made: eryx.SandboxFactory, item: Expected, kit: Kit) -> Outcome:
    """Runs one file of tests."""
    package = item.package
    where = ["--pyargs", *item.path.split()]
    if package.archive:
        where = ["-c", "/dev/null", "--rootdir=/tests"]
        where += [f"/tests/{path}" for path in item.path.split()]
    options = [*_OPTIONS, *item.options, *where]
    with _volumes(package, kit) as volumes:
        sandbox = made.create_sandbox(resource_limits=_LIMITS, volumes=volumes)
        done = sandbox.execute(_PROGRAM.format(options=options, before=package.before))
    found = done.result
    assert isinstance(found, dict), done.stdout[-3000:]
    assert found["status"] in (0, 1), done.stdout[-3000:]
    return Outcome(found["passed"], found["skipped"], found["failed"], done.stdout)


def problems(item: Expected, outcome: Outcome) -> list[str]:
    """What is otherwise than it is expected to be."""
    found = [
        f"{test}: {said}" for test, said in outcome.failed.items() if not item.is_expected(test)
    ]
    if outcome.passed < item.passes:
        found.append(f"{item.path}: {outcome.passed} pass, which were {item.passes}")
    return found


def main() -> None:
    """``python -m own_tests PACKAGE PATH``: how tests end, to be put into the list."""
    import sys

    name, path = sys.argv[1:3]
    package = _package(name, tomllib.loads(EXPECTED.read_text()))
    known = {(item.package.name, item.path): item for item in expected()}
    item = known.get((name, path), Expected(path, package, 0, options=tuple(sys.argv[3:])))
    outcome = run(factory(package, build.kit()), item, build.kit())
    print(json.dumps([outcome.passed, outcome.skipped, outcome.failed], indent=1))
    print(outcome.output[-500:])


if __name__ == "__main__":
    main()
