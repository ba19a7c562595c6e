"""Packages for science: numpy, pandas and others, ready to run, from the package eryx-science.

``pip install eryx-science`` brings them: wheels for sandboxes, and their native modules as
translated for this build of eryx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eryx._annotations import late_annotations
from eryx._science import find, settings, wheels
from eryx.native._prebuilt import INSTALL

if TYPE_CHECKING:
    from eryx._factory import SandboxFactory

__all__ = ["INSTALL", "factory", "find", "wheels"]


def factory(*names: str, **options: Any) -> SandboxFactory:
    """A factory whose sandboxes have these packages, imported already.

    names: of packages; what they need comes with them.
    options: as of `SandboxFactory`. ``imports`` are those of the packages and ``cache`` is True
        unless it is said otherwise. Sandboxes of it may take 512 MiB of memory. Without ``imports``
        and ``setup_code`` the packages are used once, so that their first use in a sandbox is
        quick.

    Raises as `wheels`.
    """
    from eryx._factory import SandboxFactory

    return SandboxFactory(**settings(names, options))


late_annotations(globals(), factory)
