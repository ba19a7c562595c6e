"""The table of packages: versions, times, sizes, and how their own tests ended."""

from __future__ import annotations

import hashlib
import json
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from native import build, recipes, times
from native.kit import Kit
from toolchain.errors import BuildError

_ROOT = Path(__file__).resolve().parent.parent
_EXPECTED = _ROOT / "tests/science/expected.toml"
OUTCOMES = _ROOT / "build/science-tests"
"""What `make test-science` leaves: a file for each of expected.toml."""
_HEADER = ("package", "version", "build", "translation", "MB", "own tests", "others")


def rows(companion: Path, kit: Kit) -> list[tuple[str, ...]]:
    """A row for each package with native modules or tests, and one for the rest.

    companion: the wheel that `pack` made.

    Raises BuildError if it is missing.
    """
    if not companion.exists():
        raise BuildError(f"{companion} is missing: make science")
    with zipfile.ZipFile(companion) as archive:
        return _rows(archive, kit)


def _rows(archive: zipfile.ZipFile, kit: Kit) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [_HEADER]
    manifest = json.loads(archive.read("eryx_science/manifest.json"))
    known = set(recipes.every())
    tested = tomllib.loads(_EXPECTED.read_text())["files"]
    pure: list[str] = []
    rest = sum(entry.compress_size for entry in archive.infolist())
    native = {module["archive"] for module in manifest["modules"].values()}
    for name in manifest["wheels"]:
        if name not in known or not (name in native or name in tested):
            pure.append(f"{name} {manifest['versions'][name]}")
            continue
        file = manifest["archives"][name]["file"]
        size = archive.getinfo(f"eryx_science/{file}").compress_size
        rest -= size
        row = (name, manifest["versions"][name], *_times(name, kit), f"{size / 1e6:.1f}")
        found.append((*row, *_tests(name)))
    others = ", ".join(pure)
    found.append((others, "", "", "", f"{rest / 1e6:.1f}", "", ""))
    return found


def _times(name: str, kit: Kit) -> tuple[str, str]:
    """Of the build of a recipe's wheel, and of the translation of its modules."""
    if not recipes.load(name).source:
        return "", ""
    built = times.read(kit.cache, build.wheel_key(name, kit))
    left_out = recipes.load(name).leave_out
    wheels = build.wheels(name, kit)
    sources = [data for each in wheels for data in build.modules(each, left_out).values()]
    return _time([built]), _time([times.read(kit.cache, build.code_key(data)) for data in sources])


def _time(measured: list[dict[str, float] | None]) -> str:
    """Of steps behind each other; with * if other programs kept the processors busy."""
    known = [each for each in measured if each is not None]
    if len(known) < len(measured):
        return "made before"
    seconds = sum(each["seconds"] for each in known)
    processor = sum(each["processor"] for each in known)
    loaded = "*" if any(each["load"] > 4 for each in known) else ""
    return f"{seconds:.0f} s{loaded}, {processor:.0f} s of processors"


def _tests(name: str) -> tuple[str, str]:
    data = tomllib.loads(_EXPECTED.read_text())
    passed = failed = skipped = 0
    said: dict[str, None] = {}
    missing = 0
    for path, fields in data["files"].get(name, {}).items():
        file = outcome_file(name, path)
        if not file.exists():
            missing += 1
            continue
        outcome = json.loads(file.read_text())
        passed += outcome["passed"]
        skipped += outcome["skipped"]
        failed += len(outcome["failed"])
        if outcome["failed"]:
            said.update(dict.fromkeys(data["reasons"][key] for key in fields.get("failing", {})))
    if not passed and not missing:
        return "none are run", ""
    text = f"{passed:,} pass, {failed} fail, {skipped:,} are skipped"
    return text + (f"; {missing} files were not run" if missing else ""), "; ".join(said)


def outcome_file(name: str, path: str) -> Path:
    """Where the outcome of a file of tests lies."""
    return OUTCOMES / f"{name}-{hashlib.sha256(path.encode()).hexdigest()[:16]}.json"


def keep_outcome(name: str, path: str, outcome: dict[str, Any]) -> None:
    """Writes down how a file of tests of a package ended."""
    OUTCOMES.mkdir(parents=True, exist_ok=True)
    outcome_file(name, path).write_text(json.dumps(outcome))


def as_text(lines: Iterable[tuple[str, ...]]) -> str:
    """Markdown."""
    header, *others = lines
    separator = tuple("---" for _ in header)
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, separator, *others))
