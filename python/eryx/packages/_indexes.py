"""Where packages come from: what pip is configured to use, and what the caller adds."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace

from eryx._annotations import late_annotations
from eryx._errors import InitializationError
from eryx._files import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_MAX_BYTES = 1 << 20  # of a file of pip's
_SECTIONS = ("global", "install")  # the later one counts
_DEFAULT_TIMEOUT_S = 15.0
_TRUE = {"1", "true", "yes", "on", "t", "y"}


@dataclass(frozen=True, kw_only=True)
class Indexes:
    """Where packages are looked for.

    A package is taken from the first index that has it, whatever versions others have, so that
    nobody can slip one in by giving it the name of a package of yours: ``extra_index_urls`` come
    before ``index_url``.
    """

    index_url: str | None = None
    """The index that is asked last; None for the usual one."""
    extra_index_urls: tuple[str, ...] = ()
    """Indexes that are asked before."""
    find_links: tuple[str, ...] = ()
    """Folders of files, or pages with links to them, which count together with each index."""
    no_index: bool = False
    """Whether there are only ``find_links``."""
    trusted_hosts: tuple[str, ...] = ()
    """Hosts whose certificates are not looked at, and that may do without TLS."""
    cert: str | None = None
    """A file of certificates that are trusted in place of the system's."""
    client_cert: str | None = None
    """A file with a certificate of your own and its key."""
    proxy: str | None = None
    """The proxy that is used for all connections."""
    timeout_s: float = _DEFAULT_TIMEOUT_S
    """How long an index may be silent."""

    @classmethod
    def configured(cls) -> Self:
        """What pip would use: its files of configuration, and variables such as PIP_INDEX_URL."""
        found = _pip_options()

        def words(name: str) -> tuple[str, ...]:
            return tuple(found.get(name, "").split())

        try:
            timeout = float(found.get("timeout") or found.get("default-timeout") or 0)
        except ValueError:
            timeout = 0.0
        return cls(
            index_url=found.get("index-url") or None,
            extra_index_urls=words("extra-index-url"),
            find_links=tuple(
                place for place in words("find-links") if "://" in place or os.path.exists(place)
            ),
            no_index=found.get("no-index", "").lower() in _TRUE,
            trusted_hosts=words("trusted-host"),
            cert=found.get("cert") or None,
            client_cert=found.get("client-cert") or None,
            proxy=found.get("proxy") or None,
            timeout_s=timeout if timeout > 0 else _DEFAULT_TIMEOUT_S,
        )

    def with_options(
        self,
        *,
        index_url: str | None = None,
        extra_index_urls: Iterable[str] = (),
        find_links: Iterable[str | os.PathLike[str]] = (),
        no_index: bool = False,
    ) -> Self:
        """The same with more; ``index_url`` takes the place of the one that is there."""
        return replace(
            self,
            index_url=self.index_url if index_url is None else index_url,
            extra_index_urls=(*self.extra_index_urls, *extra_index_urls),
            find_links=(*self.find_links, *(os.fspath(place) for place in find_links)),
            no_index=self.no_index or no_index,
        )


Indexes.__module__ = "eryx.packages"


def _pip_options() -> dict[str, str]:
    """Options of pip by their long names, without dashes in front."""
    named = os.environ.get("PIP_CONFIG_FILE")
    sections: dict[str, dict[str, str]] = {name: {} for name in _SECTIONS}
    if named != os.devnull:
        for path in _config_files(named):
            for name, options in _read_config(path).items():
                sections.get(name, {}).update(options)
    found = {key: value for name in _SECTIONS for key, value in sections[name].items()}
    for variable, value in os.environ.items():
        if variable.startswith("PIP_") and variable != "PIP_CONFIG_FILE" and value:
            found[variable[4:].lower().replace("_", "-")] = value
    return found


def _config_files(named: str | None) -> Iterator[str]:
    """Those that pip reads, the later ones counting."""
    shared = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    for folder in reversed(shared.split(os.pathsep)):
        yield os.path.join(folder, "pip", "pip.conf")
    yield "/etc/pip.conf"
    if not (named and os.path.exists(named)):
        yield os.path.expanduser("~/.pip/pip.conf")
        own = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        yield os.path.join(own, "pip", "pip.conf")
    yield os.path.join(sys.prefix, "pip.conf")
    if named:
        yield named


def _read_config(path: str) -> dict[str, dict[str, str]]:
    if not os.path.exists(path):
        return {}
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_file(path, _MAX_BYTES).decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InitializationError(f"{path}: {error}") from None
    return {
        section: {
            name.lower().replace("_", "-").removeprefix("--"): value
            for name, value in parser.items(section)
        }
        for section in parser.sections()
    }


late_annotations(globals(), Indexes)
