"""Wheels as a build backend made them become wheels for the guest's Python."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

from eryx.native import _wasm
from eryx.native._errors import NativeModuleError

PLATFORM = "wasi_wasm32"
_PYTHON = "cp314"


def retag(wheel: Path, output: Path) -> Path:
    """Copies a wheel, with tags for the guest's Python whatever Python has built it.

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
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        record = ""
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith(".dist-info/RECORD"):
                record = entry.filename
                continue
            if entry.filename.endswith(".dist-info/WHEEL"):
                lines = [x for x in data.decode().splitlines() if not x.startswith("Tag:")]
                data = "\n".join([*(x for x in lines if x), f"Tag: {tag}", ""]).encode()
            elif entry.filename.endswith(".so"):
                _check_module(entry.filename, data)
            new.writestr(entry, data, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append((entry.filename, f"sha256={digest}", str(len(data))))
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*rows, (record, "", "")])
        new.writestr(record, text.getvalue(), zipfile.ZIP_DEFLATED)
    return target


def _check_module(name: str, data: bytes) -> None:
    try:
        _wasm.parse(data)
    except NativeModuleError as error:
        raise NativeModuleError(f"what it made of {name} is of no use: {error}") from None
