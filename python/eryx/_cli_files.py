"""Writes what a run has left in /data into a folder of this machine (--out)."""

from __future__ import annotations

import os

from eryx import _cli_streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    import eryx
    from eryx._errors import EryxError

_START = "/data/"


def write(run: eryx.ExecuteResult | EryxError, folder: str) -> None:
    """Writes the files that it made or changed, also if it failed. Raises OSError.

    Links are left out, because they could lead anywhere.
    """
    for change in run.files:
        if change.kind == "removed" or change.type != "file" or not change.path.startswith(_START):
            continue
        parts = change.path.removeprefix(_START).split("/")
        if not all(parts) or ".." in parts or "." in parts:
            continue  # which the guest's files do not have
        path = os.path.join(folder, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(run.read(change.path))
    if run.files_truncated:
        _cli_streams.complain("--out: there are more files than are told of, some are missing")


def keep(run: eryx.ExecuteResult | EryxError, folder: str) -> None:
    """The same where there is more to come: what cannot be written is told, and no more."""
    try:
        write(run, folder)
    except OSError as error:
        _cli_streams.complain(error)
