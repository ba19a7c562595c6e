"""What can go wrong with native modules."""

from __future__ import annotations

from eryx._errors import InitializationError


class NativeModuleError(InitializationError):
    """A file is no native module that this eryx can translate, or the tools for that are missing.

    The message names the file and what is wrong with it.
    """

    __module__ = "eryx.native"
