"""Time zones: the files of the package tzdata, where zoneinfo looks for them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from toolchain import guest_packages
from toolchain.cache import Cache
from toolchain.errors import BuildError
from toolchain.lock import Lock

# Below the standard library, and what zoneinfo.TZPATH is.
DIRECTORY = "zoneinfo/data"
SEARCH_PATH = f"/python-stdlib/{DIRECTORY}"

_PREFIX = "tzdata/zoneinfo/"
_MAGIC = b"TZif"
_VARIABLE = b"'TZPATH': '"


def read(wheel: Path) -> dict[str, bytes]:
    """The files of all zones, by the names that these have."""
    with zipfile.ZipFile(wheel) as archive:
        files = {
            name.removeprefix(_PREFIX): archive.read(name)
            for name in archive.namelist()
            if name.startswith(_PREFIX)
        }
    zones = {name: data for name, data in files.items() if data.startswith(_MAGIC)}
    if "UTC" not in zones or "Europe/Oslo" not in zones:
        raise BuildError(f"{wheel.name} does not look like time zones")
    return zones


def set_search_path(library: dict[str, bytes]) -> dict[str, bytes]:
    """The library, whose sysconfig says where the zones are."""
    names = [name for name in library if name.rpartition("/")[2].startswith("_sysconfigdata_")]
    if len(names) != 1 or library[names[0]].count(_VARIABLE) != 1:
        raise BuildError("the library's sysconfig does not say where time zones are")
    before, _, after = library[names[0]].partition(_VARIABLE)
    rest = after[after.index(b"'") :]
    return {**library, names[0]: before + _VARIABLE + SEARCH_PATH.encode() + rest}


def add(library: dict[str, bytes], lock: Lock, python: Path, cache: Cache) -> dict[str, bytes]:
    """The library with time zones; raises BuildError if they cannot be had."""
    (wheel,) = guest_packages.wheels("tzdata", lock=lock, python=python, cache=cache)
    zones = {f"{DIRECTORY}/{name}": data for name, data in read(wheel).items()}
    return {**set_search_path(library), **zones}
