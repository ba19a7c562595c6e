"""Lets programs install packages while they run, through the host, as far as that allows it."""

from __future__ import annotations

import base64
import fnmatch
import io
import secrets
import threading
import time
import zipfile
from collections import OrderedDict
from collections.abc import Iterable

from eryx._annotations import late_annotations
from eryx._copying import OneOfAKind
from eryx._errors import EryxError, ToolError
from eryx.packages._collect import collect
from eryx.packages._lock import lock
from eryx.packages._resolve import read_requirements
from eryx.packages._standards import canonicalize_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eryx.packages._indexes import Indexes
    from eryx.packages._set import PackageSet

_PIECE_BYTES = 192 << 10  # far less than callbacks may answer with
_MOST_WAITING = 2  # archives that one has asked for and not taken
_MOST_REQUIREMENTS = 100
_MOST_INSTALLED = 1_000


class Installer(OneOfAKind):
    """What ``eryx.install("name")`` in a sandbox may bring.

    Its `callbacks` are given to sandboxes that may install. Packages are looked up and fetched by
    the host, where pip is configured to look; the sandbox needs no network. Nothing of them runs on
    the host, and only those of pure Python can be installed.

    >>> installer = Installer(["jinja2", "rich"])
    >>> session = Session(callbacks=installer.callbacks)
    >>> session.execute("import eryx; eryx.install('jinja2')").value
    ['Jinja2 3.1.6', 'MarkupSafe 3.0.4']
    """

    __module__ = "eryx.packages"
    _why = "sandboxes count with it what they have installed"
    _instead = "make another one"

    def __init__(
        self,
        allow: Iterable[str],
        *,
        indexes: Indexes | None = None,
        max_bytes: int = 64 << 20,
        max_installs: int = 20,
        timeout_s: float = 60,
    ) -> None:
        """Makes one, for any number of sandboxes.

        allow: names of packages that programs may ask for; ``*`` in them stands for any text. What
            these need comes along.
        indexes: where packages are; None for where pip is configured to look.
        max_bytes: of all that is installed at once, unpacked.
        max_installs: how often those may ask that have the same `callbacks`.
        timeout_s: seconds for all that is fetched at once.
        """
        if isinstance(allow, str | bytes):
            raise TypeError("allow must be a sequence of str, not a single one")
        self._allowed = tuple(canonicalize_name(name) for name in allow)
        self._indexes = indexes
        self._most_bytes = max_bytes
        self._timeout_s = timeout_s
        self._most_installs = max_installs

    @property
    def callbacks(self) -> list[dict[str, Any]]:
        """For ``callbacks=`` of a sandbox or session, each time new ones; they run in threads.

        Sandboxes that are given the same ones share what is counted and kept.
        """
        counter = _Counter(self)
        return [
            {"name": "_eryx_install", "fn": counter.begin, "thread": True},
            {"name": "_eryx_piece", "fn": counter.piece, "thread": True},
        ]

    def _find(self, requirements: list[str], installed: dict[str, str]) -> PackageSet:
        """The packages that a guest asks for. Raises ToolError with what it is to know."""
        if len(requirements) > _MOST_REQUIREMENTS or len(installed) > _MOST_INSTALLED:
            raise ToolError("too many packages at once")
        end = time.monotonic() + self._timeout_s
        try:
            for wanted in read_requirements(requirements):
                if not self._allows(wanted.name):
                    raise ToolError(
                        f"{wanted.name} is none of the packages that may be installed here:"
                        f" {', '.join(self._allowed) or 'none'}"
                    )
            limits = [f"{name}=={version}" for name, version in installed.items()]
            return self._fetch(requirements, limits, end)
        except ToolError:
            raise
        except EryxError as error:
            raise ToolError(str(error)) from error

    def _allows(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._allowed)

    def _fetch(self, requirements: list[str], limits: list[str], end: float) -> PackageSet:
        found = lock(
            requirements,
            limits=limits,
            indexes=self._indexes,
            timeout_s=max(0.0, end - time.monotonic()),
        )
        files = found.fetch(indexes=self._indexes, timeout_s=max(0.0, end - time.monotonic()))
        packages = collect(files, bytecode=False)
        size = sum(map(len, packages.files.values()))
        if size > self._most_bytes:
            raise ToolError(f"the packages have {size:,} bytes, and may have {self._most_bytes:,}")
        if packages.native_files:
            name = next(iter(packages.native_files))
            raise ToolError(f"{name} is compiled code, which the host has to give to the sandbox")
        return packages


class _Counter:
    """What those who have the same callbacks have asked for."""

    def __init__(self, installer: Installer) -> None:
        self._installer = installer
        self._left = installer._most_installs
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, bytes] = OrderedDict()

    def begin(self, requirements: list[str], installed: dict[str, str]) -> dict[str, Any]:
        """Fetches packages for eryx.install(), whose archive the guest takes in pieces."""
        with self._lock:
            if not self._left:
                raise ToolError("no more packages may be installed here")
            self._left -= 1
        found = self._installer._find(requirements, installed)
        known = {canonicalize_name(name) for name in installed}
        packages = [each for each in found.packages if canonicalize_name(each.name) not in known]
        token, archive = secrets.token_hex(16), _zip(found)
        with self._lock:
            self._waiting[token] = archive
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
        return {
            "token": token,
            "pieces": -(-len(archive) // _PIECE_BYTES),
            "packages": [[each.name, str(each.version or "")] for each in packages],
        }

    def piece(self, token: str, number: int) -> str:
        """A piece of an archive, as base64."""
        with self._lock:
            archive = self._waiting.get(token, b"")
            data = archive[number * _PIECE_BYTES : (number + 1) * _PIECE_BYTES]
            if not data or number < 0:
                raise ToolError("there is no such piece: ask for the packages again")
            if (number + 1) * _PIECE_BYTES >= len(archive):
                del self._waiting[token]
        return base64.b64encode(data).decode()


def _zip(packages: PackageSet) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in packages.files.items():
            archive.writestr(zipfile.ZipInfo(path), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


late_annotations(globals(), Installer)
