"""What names led to: looked up now, or not long ago."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import time
from dataclasses import asdict

from eryx._cache_folder import private_folder
from eryx._errors import InitializationError
from eryx.packages._http import FetchError
from eryx.packages._indexes import Indexes
from eryx.packages._lock import Lock, lock
from eryx.packages._prebuilt import prebuilt_names
from eryx.packages._report import Report
from eryx.packages._standards import pylock
from eryx.packages._store import make_room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eryx._factory_contents import Source

_AGE_S = 24 * 3600
_MAX_BYTES = 64 << 20
_FORMAT = 1


def by_name(
    requirements: Iterable[str],
    locked: Lock | str | os.PathLike[str] | None,
    *,
    files: Iterable[str] = (),
    remember: bool = False,
    refresh: bool = False,
    report: Report | None = None,
) -> Sequence[Source]:
    """The packages that requirements or a lock name, with their dependencies, as bytes.

    files: more requirements, and more locks (``pylock.toml``, ``pylock.NAME.toml``).
    remember: whether what was looked up in the last 24 hours counts, unless refresh says no.
    Raises InitializationError, and EryxError if the extra is missing.
    """
    report = report or Report()
    wanted = list(requirements) if not isinstance(requirements, str) else requirements
    if locked is not None:
        found = locked if isinstance(locked, Lock) else Lock.read(locked)
        found.check(wanted)
        return found.fetch(report=report)
    locks = [path for path in files if is_valid_lock_path(path)]
    others = [path for path in files if path not in locks]
    if locks:
        fetched = [file for path in locks for file in Lock.read(path).fetch(report=report)]
        if wanted or others:
            fetched += lock(wanted, files=others, report=report).fetch(report=report)
        return list(dict.fromkeys(fetched))
    if remember and not others:
        return _remembered(list(wanted), refresh, report).fetch(report=report)
    return lock(wanted, files=others, report=report).fetch(report=report)


def is_valid_lock_path(path: str) -> bool:
    """Whether a file is a lock by its name."""
    return pylock.is_valid_pylock_path(pathlib.PurePath(path))  # type: ignore[arg-type]


def _remembered(wanted: list[str], refresh: bool, report: Report) -> Lock:
    indexes = Indexes.configured()
    folder = private_folder("locks")
    path = os.path.join(folder, f"{_key(wanted, indexes)}.toml")
    try:
        age = time.time() - os.stat(path).st_mtime
        known = Lock.read(path)
    except (OSError, InitializationError):
        known = None
    if known is not None and not refresh and 0 <= age < _AGE_S:
        return known
    try:
        found = lock(wanted, indexes=indexes, report=report)
    except FetchError:
        if known is None or refresh:
            raise
        return known  # without a network, what there was is better than nothing
    make_room(folder, _MAX_BYTES)
    found.write(path)
    return found


def _key(wanted: list[str], indexes: Indexes) -> str:
    """What the answer depends on."""
    changes = []
    for place in indexes.find_links:
        try:
            changes.append(os.stat(place).st_mtime_ns)
        except OSError:
            changes.append(0)
    parts = [_FORMAT, sorted(wanted), asdict(indexes), changes, prebuilt_names()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
