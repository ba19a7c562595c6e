"""Wheels as a build backend made them become wheels for the guest's Python."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from eryx.native import _wasm
from eryx.native._errors import NativeModuleError

PLATFORM = "wasi_wasm32"
_PYTHON = "cp314"
_DATE = (2020, 1, 1, 0, 0, 0)


def retag(wheel: Path, output: Path, prefixes: Iterable[Path] = ()) -> Path:
    """Copies a wheel, with tags for the guest's Python whatever Python has built it.

    prefixes: folders whose lib has shared libraries; those that modules need come into the wheel.

    Raises NativeModuleError if a module in it is none for sandboxes.
    """
    name, version, *build, python, abi, platform = wheel.stem.split("-")
    if platform != "any":
        python, abi = (_PYTHON, _PYTHON) if abi != "abi3" else (python, abi)
        platform = PLATFORM
    tag = f"{python}-{abi}-{platform}"
    output.mkdir(parents=True, exist_ok=True)
    target = output / ("-".join([name, version, *build, tag]) + ".whl")
    rows: list[tuple[str, str, str]] = []
    needed: list[str] = []
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        record = ""

        def add(file: zipfile.ZipInfo | str, path: str, data: bytes) -> None:
            new.writestr(file, data, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append((path, f"sha256={digest}", str(len(data))))

        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith(".dist-info/RECORD"):
                record = entry.filename
                continue
            if entry.filename.endswith(".dist-info/WHEEL"):
                lines = [x for x in data.decode().splitlines() if not x.startswith("Tag:")]
                data = "\n".join([*(x for x in lines if x), f"Tag: {tag}", ""]).encode()
            elif entry.filename.endswith(".so"):
                needed += _needed_by(entry.filename, data)
            add(entry, entry.filename, data)
        present = {path.rpartition("/")[2] for path, *_ in rows}
        for library in needed:  # which grows
            found = None if library in present else _find(library, prefixes)
            if found is not None:
                present.add(library)
                data = found.read_bytes()
                needed += _needed_by(library, data)
                path = f"{name}.libs/{library}"
                add(zipfile.ZipInfo(path, _DATE), path, data)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*rows, (record, "", "")])
        new.writestr(record, text.getvalue(), zipfile.ZIP_DEFLATED)
    return target


def _needed_by(name: str, data: bytes) -> list[str]:
    """The libraries that a module needs."""
    try:
        return _wasm.parse(data).needed
    except NativeModuleError as error:
        raise NativeModuleError(f"what it made of {name} is of no use: {error}") from None


def _find(library: str, prefixes: Iterable[Path]) -> Path | None:
    found = (prefix / "lib" / library for prefix in prefixes)
    return next((path for path in found if path.is_file()), None)
