"""Factories that were made before, by what they are made of."""

from __future__ import annotations

import json
import os

from eryx._cache_folder import cache_folder, is_private
from eryx._errors import InitializationError
from eryx._eryx import BUILD_ID
from eryx._files import read_file, write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def key_of(description: dict[str, Any], setup_code: str | None) -> str:
    """A hash of all that a factory is made of."""
    import hashlib

    parts = (BUILD_ID, json.dumps(description, sort_keys=True), setup_code or "")
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def ready_memory(description: dict[str, Any], setup_code: str | None) -> bytes | None:
    """The frozen memory of a factory that eryx-science has; None for none."""
    from eryx.native._prebuilt import undamaged

    science = undamaged()
    return None if science is None else science.frozen(key_of(description, setup_code))


class CachedFactory:
    """The place of one factory in a cache."""

    __slots__ = ("_folder", "_path")

    def __init__(
        self,
        cache: bool | str | os.PathLike[str],
        description: dict[str, Any],
        setup_code: str | None,
    ) -> None:
        """cache: True for the user's own folder, or a folder; made if it is not there.

        Raises InitializationError if it cannot be used or others could put files into it.
        """
        if cache is True:
            self._folder = cache_folder("factories")
        elif isinstance(cache, str | os.PathLike):
            self._folder = os.fspath(cache)
        else:
            raise TypeError(f"cache must be a bool or a path, not {type(cache).__name__}")
        name = f"{key_of(description, setup_code)}.factory"
        self._path = os.path.join(self._folder, name)
        self._check_folder()

    def _check_folder(self) -> None:
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            private = is_private(self._folder)
        except OSError as error:
            raise InitializationError(f"{self._folder}: {error.strerror or error}") from None
        if not private:
            raise InitializationError(
                f"{self._folder}: other users could put factories into this cache folder"
            )

    def load(self, max_bytes: int) -> bytes | None:
        """What is there, to be checked by the caller; None if there is nothing."""
        try:
            return read_file(self._path, max_bytes)
        except InitializationError:
            return None

    def save(self, data: bytes) -> None:
        """Puts it there."""
        write_file(self._path, data)
