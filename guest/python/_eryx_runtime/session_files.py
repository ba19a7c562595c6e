"""What the host does with the files of a session, inside of it; imported when it does."""

import base64
import errno
import json
import os
import stat
from typing import Any

import _eryx
from _eryx_runtime.numbers import REPORT_RESULT_JSON

_TOP = "/data"


def _path(path: str) -> str:
    """A path that counts from the top, in which nothing leads out of it."""
    return os.path.join(_TOP, os.path.normpath("/" + path).lstrip("/"))


def _list(path: str) -> list[tuple[str, bool]]:
    with os.scandir(path) as entries:
        return sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def _read(path: str) -> str:
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


def _remove(path: str) -> None:
    if stat.S_ISDIR(os.lstat(path).st_mode):
        os.rmdir(path)
    else:
        os.remove(path)


def serve(request: bytes) -> None:
    """Do one thing, and report what came of it.

    request: a JSON object with "do" and "path", a NUL, and the bytes to be written.
    """
    text, _, data = request.partition(b"\0")
    asked: dict[str, Any] = json.loads(text)
    path = _path(asked["path"])
    answer: dict[str, Any]
    try:
        if asked["do"] == "read":
            value: Any = _read(path)
        elif asked["do"] == "list":
            value = _list(path) if path != _TOP or os.path.isdir(path) else []
        elif asked["do"] == "write":
            value = _write(path, data)
        else:
            value = _remove(path)
        answer = {"value": value}
    except OSError as error:
        answer = {"errno": errno.errorcode.get(error.errno or 0, "EIO"), "text": error.strerror}
    _eryx.report(REPORT_RESULT_JSON, json.dumps(answer).encode())
