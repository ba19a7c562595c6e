"""Snapshots: the variables of a session as bytes.

What is in the bytes is read inside a sandbox only; here their header is made and checked.
"""

from __future__ import annotations

from eryx._annotations import late_annotations
from eryx._sealed import Seal, check_key

__all__ = ["DEFAULT_MAX_BYTES", "Snapshot", "check_key", "check_limit", "open_sealed", "seal"]

DEFAULT_MAX_BYTES = 10 * 1024 * 1024

_SEAL = Seal(b"ERYXSNAP", 1, "snapshot", "restored")


class Snapshot(bytes):
    """Bytes for `Session.restore_state`, with the names of the variables that are not in them."""

    __module__ = "eryx"

    skipped: tuple[str, ...]
    """Variables that cannot be pickled, such as generators, locks and open files."""

    def __new__(cls, data: bytes, skipped: tuple[str, ...] = ()) -> Snapshot:
        """Snapshots are made by `Session.snapshot_state`; plain bytes can be restored as well."""
        self = super().__new__(cls, data)
        self.skipped = skipped
        return self

    def __repr__(self) -> str:
        """How large it is, since the bytes tell nobody anything."""
        return f"<Snapshot of {len(self)} bytes, skipped={self.skipped!r}>"

    __str__ = __repr__


def check_limit(max_bytes: int) -> None:
    """Refuses what is not a size."""
    if not isinstance(max_bytes, int) or isinstance(max_bytes, bool):
        raise TypeError(f"max_bytes must be an int, not {type(max_bytes).__name__}")
    if max_bytes < 0:
        raise ValueError("max_bytes must not be negative")


def seal(data: bytes, skipped: tuple[str, ...], key: bytes | None) -> Snapshot:
    """Puts a header before the data."""
    return Snapshot(_SEAL.seal(data, key), skipped)


def open_sealed(snapshot: bytes, key: bytes | None, max_bytes: int) -> bytes:
    """Checks the header and gives the data.

    Raises InitializationError if anything is wrong, before a byte of the data is looked at.
    """
    if not isinstance(snapshot, bytes):
        raise TypeError(f"a snapshot must be bytes, not {type(snapshot).__name__}")
    return bytes(_SEAL.open(snapshot, key, max_bytes))


late_annotations(globals(), Snapshot)
